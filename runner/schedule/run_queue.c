/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which scenario starts next: see run_queue.h. */
#include "runner/schedule/run_queue.h"

#include "runner/sandbox/remote.h"

struct run_queue run_queue_new(size_t n_results)
{
	return (struct run_queue){.n_results = n_results};
}

void run_queue_free(struct run_queue *queue)
{
	free(queue->soon.items);
	free(queue->alone.items);
	free(queue->waiting.items);
}

static void append(struct run_queue_list *list, size_t result, bool again)
{
	array_append(list->items, list->n_items, list->capacity,
		     (struct run_queue_item){.result = result, .again = again});
}

void run_queue_retry(struct run_queue *queue, size_t result, enum retry_kind kind)
{
	append(kind == RETRY_ALONE ? &queue->alone : &queue->soon, result, true);
}

void run_queue_begin_round(struct run_queue *queue)
{
	queue->tried = 0;
}

static bool first_of(const struct run_queue_list *list, enum run_queue_part part,
		     struct run_queue_item *ret)
{
	if (list->next == list->n_items)
		return false;
	*ret = list->items[list->next];
	ret->part = part;
	return true;
}

bool run_queue_next(const struct run_queue *queue, size_t n_running, struct run_queue_item *ret)
{
	if (queue->closed)
		return false;
	if (queue->tried < queue->waiting.n_items) {
		*ret = queue->waiting.items[queue->tried];
		ret->part = RUN_WAITING;
		ret->at = queue->tried;
		return true;
	}
	if (first_of(&queue->soon, RUN_SOON, ret))
		return true;
	if (queue->next_fresh < queue->n_results) {
		*ret = (struct run_queue_item){.result = queue->next_fresh, .part = RUN_FRESH};
		return true;
	}
	return n_running == 0 && queue->waiting.n_items == 0 &&
	       first_of(&queue->alone, RUN_ALONE, ret);
}

void run_queue_take(struct run_queue *queue, const struct run_queue_item *item)
{
	struct run_queue_list *waiting = &queue->waiting;

	switch (item->part) {
	case RUN_WAITING:
		waiting->n_items--;
		memmove(&waiting->items[item->at], &waiting->items[item->at + 1],
			(waiting->n_items - item->at) * sizeof(*waiting->items));
		break;
	case RUN_SOON:
		queue->soon.next++;
		break;
	case RUN_FRESH:
		queue->next_fresh++;
		break;
	case RUN_ALONE:
		queue->alone.next++;
		break;
	}
}

void run_queue_defer(struct run_queue *queue, const struct run_queue_item *item)
{
	if (item->part == RUN_WAITING) {
		queue->tried++;
		return;
	}
	run_queue_take(queue, item);
	append(&queue->waiting, item->result, item->again);
	queue->tried = queue->waiting.n_items;
}

void run_queue_close(struct run_queue *queue)
{
	queue->closed = true;
}

bool run_queue_is_done(const struct run_queue *queue)
{
	struct run_queue_item item;

	return queue->closed || (queue->waiting.n_items == 0 && !run_queue_next(queue, 0, &item));
}

bool run_queue_drain(struct run_queue *queue, struct run_queue_item *ret)
{
	struct run_queue open = *queue;

	open.closed = false;
	open.tried = 0;
	if (!run_queue_next(&open, 0, ret))
		return false;
	run_queue_take(queue, ret);
	return true;
}

bool run_queue_may_run_beside(const struct scenario *scenario,
			      const struct scenario *const *running, size_t n_running)
{
	size_t n_remote = 0;

	if (!scenario_has_remote(scenario))
		return true;
	for (size_t i = 0; i < n_running; i++) {
		n_remote += scenario_has_remote(running[i]);
		if (scenario_shares_remote(scenario, running[i]))
			return false;
	}
	return n_remote < REMOTE_MAX_SANDBOXES;
}
