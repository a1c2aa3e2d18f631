/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the record one that a working harness can have written? See consistency.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_CONSISTENCY_H
#define SYNFAULT_RUNNER_JUDGE_CONSISTENCY_H

#include "runner/judge/judge_ctx.h"

void judge_consistency(struct judge_ctx *ctx);

#endif
