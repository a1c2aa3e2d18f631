/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Did every fault fire that had to? See fault_coverage.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_FAULT_COVERAGE_H
#define SYNFAULT_RUNNER_JUDGE_FAULT_COVERAGE_H

#include "runner/judge/judge_ctx.h"

void judge_fired(struct judge_ctx *ctx);

#endif
