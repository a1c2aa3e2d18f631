/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on stdout and stderr: see text.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_TEXT_H
#define SYNFAULT_RUNNER_JUDGE_TEXT_H

#include "runner/judge/judge_ctx.h"

/** judge_text() - judge "stdout" or "stderr": what each instance wrote */
void judge_text(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
