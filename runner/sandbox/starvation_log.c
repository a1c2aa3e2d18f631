/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at threads over time: see starvation_log.h. */
#include "runner/sandbox/starvation_log.h"

#include "common/duration.h"

/* A look that adds no more than this to the look before the last one replaces the last one. */
#define NEWS_NS NS_PER_MS

static bool is_news(int64_t before_ns, int64_t now_ns)
{
	return now_ns - before_ns > NEWS_NS || before_ns - now_ns > NEWS_NS;
}

/* Returns whether little happened between two looks, so that those between them say nothing. */
static bool are_alike(const struct starvation_entry *a, const struct starvation_entry *b)
{
	return !b->incomplete && !is_news(a->client_ns, b->client_ns) &&
	       !is_news(a->server_ns, b->server_ns) && !is_news(a->canary_ns, b->canary_ns);
}

void starvation_log_add(struct starvation_log *log, const struct starvation_entry *entry,
			int64_t client_ns, int64_t server_ns)
{
	struct starvation_entry *last = log->n_items ? &log->items[log->n_items - 1] : NULL;

	if (last) {
		last->client_ns += client_ns;
		last->server_ns += server_ns;
	}
	if (log->n_items >= 2 && !last->incomplete && are_alike(last - 1, last) &&
	    are_alike(last - 1, entry))
		*last = *entry;
	else
		array_append(log->items, log->n_items, log->capacity, *entry);
}

/*
 * Merges events, in the order of time, into the record. Those of the record come first at the same
 * time.
 */
static void merge(struct record *record, const struct event *events, size_t n_events)
{
	size_t at = record->n_events + n_events, left = record->n_events, k = n_events;

	record->events = xrealloc(record->events, MAX(at, 1) * sizeof(*record->events));
	record->events_capacity = MAX(at, 1);
	record->n_events = at;
	while (k > 0) {
		at--;
		if (left > 0 && record->events[left - 1].at_ns > events[k - 1].at_ns)
			record->events[at] = record->events[--left];
		else
			record->events[at] = events[--k];
	}
}

/* Returns the index of the first look after the last one that had ended by @origin_ns. */
static size_t first_after(const struct starvation_log *log, int64_t origin_ns)
{
	size_t i = log->n_items;

	while (i > 0 && log->items[i - 1].ended_ns > origin_ns)
		i--;
	return i;
}

void starvation_log_insert(const struct starvation_log *log, struct record *record,
			   int64_t origin_ns, int64_t pending_ns, int64_t server_pending_ns)
{
	const size_t from = first_after(log, origin_ns), n = log->n_items - from;
	/* Without a look before time 0, the first one after it can't say what happened until then.
	 */
	const struct starvation_entry base =
		from > 0 ? log->items[from - 1] : (struct starvation_entry){.incomplete = true};
	AUTO_FREE struct event *events = xzalloc((n + 1) * sizeof(*events));

	for (size_t i = 0; i < n; i++) {
		const struct starvation_entry *entry = &log->items[from + i];

		events[i] = (struct event){
			.kind = EVENT_STARVATION,
			.at_ns = entry->ended_ns - origin_ns,
			.early_ns = entry->ended_ns - entry->began_ns,
			.u.starvation = {
				.client_ns = MAX(entry->client_ns - base.client_ns, 0),
				.server_ns = MAX(entry->server_ns - base.server_ns, 0),
				.canary_ns = MAX(entry->canary_ns - base.canary_ns, 0),
				.incomplete = entry->incomplete || (i == 0 && from == 0),
			}};
	}
	if (n > 0) {
		events[n - 1].u.starvation.client_ns += MAX(pending_ns, 0);
		events[n - 1].u.starvation.server_ns += MAX(server_pending_ns, 0);
	}
	merge(record, events, n);
	record->has_starvation = true;
}

void starvation_log_free(struct starvation_log *log)
{
	free(log->items);
	*log = (struct starvation_log){0};
}
