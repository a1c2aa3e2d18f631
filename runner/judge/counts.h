/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on exit statuses and counts: see counts.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_COUNTS_H
#define SYNFAULT_RUNNER_JUDGE_COUNTS_H

#include "runner/judge/per_instance.h"

/** judge_exit() - judge "exit": how each instance of the client ended */
void judge_exit(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_attempts() - judge "attempts": how many there were */
void judge_attempts(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_retransmissions() - judge "retransmissions": how many SYNs the kernel retransmitted */
void judge_retransmissions(struct judge_ctx *ctx, const struct expectation *expectation);

/**
 * judge_count() - compare a count with the expectation's range
 * @count: what it may have been without delays
 * @seen: what was counted
 * @beyond: the attempt with which the count exceeded the range, or NULL
 * @last: the last attempt that was counted, or NULL
 */
void judge_count(struct judge_ctx *ctx, const struct expectation *expectation, struct range count,
		 int64_t seen, const struct attempt_history *beyond,
		 const struct attempt_history *last);

/*
 * Returns how many things of a group there were at once at most, if each lived as long as it may
 * have (@longest), or as short. Sets *@ret_beyond, which is NULL before, to the first attempt with
 * which there were more than @limit.
 */
typedef int64_t (*peak_fn)(const struct judge_ctx *ctx, const struct attempt_group *group,
			   bool longest, int64_t limit, const struct attempt_history **ret_beyond);

/**
 * judge_peaks() - compare how many there were at once at most with the expectation's range
 * @what: what is counted
 */
void judge_peaks(struct judge_ctx *ctx, const struct expectation *expectation, const char *what,
		 peak_fn peak_of);

#endif
