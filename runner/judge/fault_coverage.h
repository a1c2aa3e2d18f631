/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Did every fault that had to fire do so? See fault_coverage.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_FAULT_COVERAGE_H
#define SYNFAULT_RUNNER_JUDGE_FAULT_COVERAGE_H

#include "runner/judge/judge_ctx.h"

/**
 * judge_fired() - check that every fault that had to fire did
 *
 * Adds findings of WEIGHT_NEVER_FIRED, and of WEIGHT_VOID if there was no attempt or none met a
 * window of time.
 */
void judge_fired(struct judge_ctx *ctx);

#endif
