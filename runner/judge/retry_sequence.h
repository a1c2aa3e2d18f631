/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on which attempt follows which: see retry_sequence.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_RETRY_SEQUENCE_H
#define SYNFAULT_RUNNER_JUDGE_RETRY_SEQUENCE_H

#include "runner/judge/judge_ctx.h"

void judge_gives_up(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_order(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_fallback(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_retry_on(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
