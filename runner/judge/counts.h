/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on what can be counted: see counts.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_COUNTS_H
#define SYNFAULT_RUNNER_JUDGE_COUNTS_H

#include "runner/judge/judge_ctx.h"

void judge_exit(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_attempts(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_retransmissions(struct judge_ctx *ctx, const struct expectation *expectation);

/**
 * judge_count() - hold a count against the expectation's range
 * @count: what it can have been without delays
 * @seen: what it was
 * @attempt: the one in which the count went beyond its upper end, if it did
 * @last: the last attempt that counts, or NULL
 */
void judge_count(struct judge_ctx *ctx, const struct expectation *expectation, struct range count,
		 int64_t seen, uint32_t attempt, const struct attempt_history *last);

#endif
