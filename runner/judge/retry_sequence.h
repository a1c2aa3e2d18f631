/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on which attempt follows which: see retry_sequence.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_RETRY_SEQUENCE_H
#define SYNFAULT_RUNNER_JUDGE_RETRY_SEQUENCE_H

#include "runner/judge/judge_ctx.h"

/** judge_gives_up() - judge "gives-up": that an instance makes no attempt beyond its limits */
void judge_gives_up(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_order() - judge "order": which target is tried first, or after which failure */
void judge_order(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_fallback() - judge "fallback": how soon after one target the next is tried */
void judge_fallback(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_retry_on() - judge "retry-on": that only attempts that ended in these ways are retried */
void judge_retry_on(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
