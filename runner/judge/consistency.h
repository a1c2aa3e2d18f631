/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can a working harness have written the record? See consistency.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_CONSISTENCY_H
#define SYNFAULT_RUNNER_JUDGE_CONSISTENCY_H

#include "runner/judge/judge_ctx.h"

/**
 * judge_consistency() - check that a working harness can have written the record
 * @unreadable: why the record's changes can't be read (script_parts_make()), or NULL
 *
 * Each contradiction becomes a finding of WEIGHT_HARNESS. The other parts of judgement may index
 * into the scenario by what the record says only if there is none.
 */
void judge_consistency(struct judge_ctx *ctx, const char *unreadable);

#endif
