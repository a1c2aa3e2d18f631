/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Candidates for a fit without jitter: see fit_candidates.h. */
#ifndef SYNFAULT_RUNNER_JUDGE_FIT_PLAIN_H
#define SYNFAULT_RUNNER_JUDGE_FIT_PLAIN_H

#include "runner/judge/fit_candidates.h"

/** fit_plain_add() - add every policy without jitter that can have produced the view's waits */
void fit_plain_add(const struct fit_view *view, struct fit_candidates *list);

#endif
