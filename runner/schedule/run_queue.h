/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which scenario starts next: a policy without processes or a clock of its own.
 *
 * Scenarios start in their order. One that can't start now, because a running one has its port or
 * its remote endpoint, waits; others overtake it, and it is tried first when there is room again.
 * Retries come before what has not run yet: their scenarios are half done. Last come retries that
 * need a quiet machine, each with nothing beside it.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_RUN_QUEUE_H
#define SYNFAULT_RUNNER_SCHEDULE_RUN_QUEUE_H

#include "runner/scenario/scenario.h"
#include "runner/schedule/retry.h"

/* One result to run, by its index. */
struct run_queue_item {
	size_t result;
	bool again; /* it ran before */
	enum run_queue_part {
		RUN_WAITING,
		RUN_SOON,
		RUN_FRESH,
		RUN_ALONE,
	} part; /* where it is in the queue */
	size_t at;
};

struct run_queue_list {
	struct run_queue_item *items;
	size_t n_items, capacity, next; /* those before next are done */
};

struct run_queue {
	size_t n_results, next_fresh;
	struct run_queue_list soon, alone, waiting;
	size_t tried; /* of those that wait, in this round */
	bool closed;
};

/* A queue of results 0 to @n_results - 1. run_queue_free() it. */
struct run_queue run_queue_new(size_t n_results);
void run_queue_free(struct run_queue *queue);

/* Adds a result that is to run again; @kind is not RETRY_NONE. */
void run_queue_retry(struct run_queue *queue, size_t result, enum retry_kind kind);

/* Begins a round: those that wait are tried once more. */
void run_queue_begin_round(struct run_queue *queue);
/**
 * run_queue_next() - find what to start next
 * @n_running: scenarios that run now
 *
 * The item stays in the queue until run_queue_take() or run_queue_defer().
 *
 * Return: false when nothing can start in this round.
 */
bool run_queue_next(const struct run_queue *queue, size_t n_running, struct run_queue_item *ret);
/* Takes an item off: it was started, or has its result. */
void run_queue_take(struct run_queue *queue, const struct run_queue_item *item);
/* An item has to wait for one that runs: it is tried again in the next round. */
void run_queue_defer(struct run_queue *queue, const struct run_queue_item *item);

/* Nothing more is to start: run_queue_next() returns false from now on. */
void run_queue_close(struct run_queue *queue);
/* Whether nothing is left that could start now or after another one has ended. */
bool run_queue_is_done(const struct run_queue *queue);
/* Takes off what is left, for a run that ends early. Returns false at the end. */
bool run_queue_drain(struct run_queue *queue, struct run_queue_item *ret);

/*
 * Whether a scenario's remote endpoints allow it to run beside others: no two scenarios inject into
 * connections to the same address, and not too many into remote ones at all.
 */
bool run_queue_may_run_beside(const struct scenario *scenario,
			      const struct scenario *const *running, size_t n_running);

#endif
