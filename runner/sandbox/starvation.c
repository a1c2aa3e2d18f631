/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounds for the time without a processor: see starvation.h. */
#include "runner/sandbox/starvation.h"

#include "common/duration.h"

/*
 * How long a thread waits on a calm machine, at most: it gets a busy processor sooner, and a tick
 * moves it to an idle one.
 */
#define CALM_WAIT_NS NS_PER_MS
/* The machine is not calm if the threads that were seen waited for longer than this. */
#define SEEN_WAIT_NS (500 * NS_PER_US)
/* On a calm machine threads wait for at most one part in this many of the time. */
enum { CALM_SHARE = 10 };

/* Sums over all threads of one look. */
struct sum {
	int64_t waited_ns;   /* since the previous look */
	int64_t resolved_ns; /* was pending at the previous look */
	int64_t lost_ns;     /* was pending for threads that ended unseen */
	bool unseen;
};

void starvation_begin(struct starvation *self, int64_t now_ns)
{
	*self = (struct starvation){.began_ns = now_ns, .ended_ns = now_ns};
}

void starvation_end(struct starvation *self)
{
	free(self->threads);
	*self = (struct starvation){0};
}

static int compare_looks(const void *a, const void *b)
{
	const struct thread_look *left = a, *right = b;

	return COMPARE(left->tid, right->tid);
}

static bool is_same_thread(const struct thread_look *a, const struct thread_look *b)
{
	return a->tid == b->tid && a->started == b->started;
}

/* Counts what a thread waited between two looks; returns it without what was counted before. */
static int64_t count(struct starvation *self, const struct thread_state *before,
		     const struct thread_look *now)
{
	int64_t waited_ns = MAX(now->wait_ns - before->look.wait_ns, INT64_C(0));

	self->counted_ns += waited_ns;
	return waited_ns - MIN(waited_ns, before->certain_ns);
}

/* Returns how much of what was pending at the previous look was a wait, as this look shows. */
static int64_t resolve(const struct thread_state *before, int64_t waited_ns, bool still_waits)
{
	int64_t pending_ns = still_waits ? before->pending_ns : MIN(before->pending_ns, waited_ns);

	return MAX(pending_ns - before->before_ns, INT64_C(0));
}

static struct thread_state continue_thread(struct starvation *self,
					   const struct thread_state *before,
					   const struct thread_look *now, int64_t began_ns,
					   int64_t interval_ns, struct sum *sum)
{
	int64_t ran_ns = now->run_ns - before->look.run_ns;
	int64_t waited_ns = now->wait_ns - before->look.wait_ns;
	bool still_waits = before->look.ready && now->ready && ran_ns == 0 && waited_ns == 0 &&
			   now->slices == before->look.slices;
	struct thread_state state = {.look = *now};

	if (now->chore)
		return state;
	sum->unseen = sum->unseen || now->reaped != before->look.reaped;
	sum->waited_ns += count(self, before, now);
	sum->resolved_ns += resolve(before, waited_ns, still_waits);
	if (still_waits) {
		state.pending_ns = before->pending_ns + interval_ns;
		state.certain_ns = before->certain_ns + MAX(began_ns - self->ended_ns, INT64_C(0));
		state.before_ns = before->certain_ns;
	} else if (now->ready) {
		state.pending_ns = MAX(interval_ns - ran_ns - waited_ns, INT64_C(0));
	}
	return state;
}

/* Counts a thread that has ended unseen. */
static void lose(const struct thread_state *before, struct sum *sum)
{
	if (before->look.chore)
		return;
	sum->unseen = true;
	sum->lost_ns += MAX(before->pending_ns - before->before_ns, INT64_C(0));
}

bool machine_was_calm(const struct machine_look *before, const struct machine_look *now,
		      int64_t length_ns, unsigned n_processors)
{
	if (before->waited_ns >= 0 && now->waited_ns >= before->waited_ns)
		return now->waited_ns - before->waited_ns <= length_ns / CALM_SHARE;
	return now->n_running <= n_processors;
}

int64_t machine_wait_ns(const struct machine_look *before, const struct machine_look *now,
			int64_t length_ns, unsigned n_processors)
{
	if (before->waited_ns < 0 || now->waited_ns < before->waited_ns ||
	    now->n_running > n_processors)
		return length_ns;
	return MIN((now->waited_ns - before->waited_ns) * n_processors, length_ns);
}

int64_t starvation_look(struct starvation *self, struct thread_look *looks, size_t n_looks,
			int64_t began_ns, int64_t ended_ns, bool unseen, bool calm)
{
	const struct thread_state nothing = {0};
	struct thread_state *states = xzalloc((n_looks + 1) * sizeof(*states));
	int64_t interval_ns = ended_ns - self->began_ns;
	struct sum sum = {.waited_ns = self->taken_ns,
			  .resolved_ns = self->taken_pending_ns,
			  .unseen = unseen};
	size_t k = 0;

	if (n_looks)
		qsort(looks, n_looks, sizeof(*looks), compare_looks);
	for (size_t i = 0; i < n_looks; i++) {
		const struct thread_state *before = &nothing;

		while (k < self->n_threads && self->threads[k].look.tid < looks[i].tid)
			lose(&self->threads[k++], &sum);
		if (k < self->n_threads && self->threads[k].look.tid == looks[i].tid) {
			if (is_same_thread(&self->threads[k].look, &looks[i]))
				before = &self->threads[k];
			else
				lose(&self->threads[k], &sum);
			k++;
		}
		/* If a new thread has reaped a child already, that child went unseen. */
		states[i] = continue_thread(self, before, &looks[i], began_ns, interval_ns, &sum);
	}
	while (k < self->n_threads)
		lose(&self->threads[k++], &sum);

	calm = calm && sum.waited_ns <= SEEN_WAIT_NS;
	sum.resolved_ns += calm ? MIN(sum.lost_ns, CALM_WAIT_NS) : sum.lost_ns;
	sum.resolved_ns = MIN(sum.resolved_ns, self->room_ns);
	if (sum.unseen)
		sum.waited_ns = calm ? sum.waited_ns + CALM_WAIT_NS : interval_ns;
	sum.waited_ns = MIN(sum.waited_ns, interval_ns);
	self->bound_ns += sum.resolved_ns + sum.waited_ns;
	self->room_ns = interval_ns - sum.waited_ns;
	free(self->threads);
	self->threads = states;
	self->n_threads = n_looks;
	self->began_ns = began_ns;
	self->ended_ns = ended_ns;
	self->taken_ns = self->taken_pending_ns = 0;
	return sum.resolved_ns;
}

int64_t starvation_pending_ns(const struct starvation *self)
{
	int64_t pending_ns = 0;

	for (size_t i = 0; i < self->n_threads; i++)
		pending_ns +=
			MAX(self->threads[i].pending_ns - self->threads[i].before_ns, INT64_C(0));
	return MIN(pending_ns, self->room_ns);
}

void starvation_take_delay(struct starvation *self, int64_t delay_ns)
{
	self->taken_ns += delay_ns;
}

void starvation_take_last(struct starvation *self, const struct thread_look *look)
{
	const struct thread_state nothing = {0};
	const struct thread_state *before = &nothing;
	size_t i = 0;

	while (i < self->n_threads && !is_same_thread(&self->threads[i].look, look))
		i++;
	if (i < self->n_threads)
		before = &self->threads[i];
	self->taken_ns += count(self, before, look);
	self->taken_pending_ns += resolve(before, look->wait_ns - before->look.wait_ns, false);
	if (i == self->n_threads)
		return;
	memmove(&self->threads[i], &self->threads[i + 1],
		(self->n_threads - i - 1) * sizeof(*self->threads));
	self->n_threads--;
}
