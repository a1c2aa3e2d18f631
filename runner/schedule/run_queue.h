/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides which scenario starts next: a policy without processes or a clock.
 *
 * Scenarios start in their order. One that can't start now, because a running one has its port or
 * its remote endpoint, waits; others overtake it, and it is tried first when there is room again.
 * Retries come before scenarios that have not run yet, since theirs are half done. Last come
 * retries that need a quiet machine, each one alone.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_RUN_QUEUE_H
#define SYNFAULT_RUNNER_SCHEDULE_RUN_QUEUE_H

#include "runner/scenario/scenario.h"
#include "runner/schedule/retry.h"

/* One result to run, by its index. */
struct run_queue_item {
	size_t result;
	bool again; /* it has run before */
	enum run_queue_part {
		RUN_WAITING,
		RUN_SOON,
		RUN_FRESH,
		RUN_ALONE,
	} part; /* of the queue that it is in */
	size_t at;
};

struct run_queue_list {
	struct run_queue_item *items;
	size_t n_items, capacity, next; /* items before `next` are done */
};

struct run_queue {
	size_t n_results, next_fresh;
	struct run_queue_list soon, alone, waiting;
	size_t tried; /* items of `waiting` tried in this round */
	bool closed;
};

/** run_queue_new() - make a queue of results 0 to @n_results - 1; free it with run_queue_free() */
struct run_queue run_queue_new(size_t n_results);
void run_queue_free(struct run_queue *queue);

/** run_queue_retry() - add a result that runs again; @kind is not RETRY_NONE */
void run_queue_retry(struct run_queue *queue, size_t result, enum retry_kind kind);

/** run_queue_begin_round() - begin a round, in which each waiting item is tried once more */
void run_queue_begin_round(struct run_queue *queue);
/**
 * run_queue_next() - find what to start next
 * @n_running: scenarios that run now
 *
 * The item stays in the queue until run_queue_take() or run_queue_defer().
 *
 * Return: false if nothing can start in this round.
 */
bool run_queue_next(const struct run_queue *queue, size_t n_running, struct run_queue_item *ret);
/** run_queue_take() - remove an item that was started or has its result */
void run_queue_take(struct run_queue *queue, const struct run_queue_item *item);
/** run_queue_defer() - make an item wait for a running one; the next round tries it again */
void run_queue_defer(struct run_queue *queue, const struct run_queue_item *item);

/** run_queue_close() - start nothing more: run_queue_next() returns false from now on */
void run_queue_close(struct run_queue *queue);
/** run_queue_is_done() - return whether nothing is left to start, now or after another has ended */
bool run_queue_is_done(const struct run_queue *queue);
/** run_queue_drain() - remove what is left, when a run ends early; return false at the end */
bool run_queue_drain(struct run_queue *queue, struct run_queue_item *ret);

/**
 * run_queue_may_run_beside() - return whether remote endpoints allow scenarios to run side by side
 *
 * No two scenarios may inject into connections to the same address, and only REMOTE_MAX_SANDBOXES
 * into remote ones at all.
 */
bool run_queue_may_run_beside(const struct scenario *scenario,
			      const struct scenario *const *running, size_t n_running);

#endif
