/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Candidates for a fit with jitter: see fit_candidates.h. */
#ifndef SYNFAULT_RUNNER_JUDGE_FIT_JITTER_H
#define SYNFAULT_RUNNER_JUDGE_FIT_JITTER_H

#include "runner/judge/fit_candidates.h"

/** fit_jitter_add() - add every policy with jitter that can have produced the view's waits */
void fit_jitter_add(const struct fit_view *view, struct fit_candidates *list);

#endif
