/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judgement: whether a record meets a scenario's expectations. A pure function of the two: it uses
 * no clock, no file and nothing of the kernel.
 *
 * Each expectation is met, broken or unknown; delays.h says how that is decided. The outcome is
 * the first of these that applies:
 *
 * - skip if a capability is missing and the client was not started; error for any other problem of
 *   the harness;
 * - error if there was no attempt at all, or no attempt met a window of time;
 * - fail if an expectation on attempts is broken for certain;
 * - error if a fault that had to fire did not (late, so that it runs again, if delays may be
 *   why: an expectation on attempts, or whether the client reached its timeout, is unknown);
 * - fail if any other expectation is broken for certain, or the client reached its timeout;
 * - error if an expectation is unknown;
 * - pass.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_JUDGE_H
#define SYNFAULT_RUNNER_JUDGE_JUDGE_H

#include "runner/judge/judgement.h"

struct text_searches;

struct judge_options {
	double timing_scale; /* multiplies all tolerances; 1 by default */
	/* Of all patterns (text_search.h); a pattern without one is undecided. NULL: search now. */
	const struct text_searches *searches;
};

/**
 * expectation_needs_client() - ask whether an expectation is about the client's own process
 *
 * The record of a client that synfault did not start (record->attached) knows nothing of its
 * process, so such an expectation is not judged then. If nothing else is expected, no fault has to
 * fire either.
 */
bool expectation_needs_client(const struct expectation *expectation);

/**
 * judge() - judge a record by a scenario's expectations
 * @options: NULL for the defaults
 *
 * Return: free it with judgement_free(); it borrows paths from @scenario.
 */
struct judgement judge(const struct scenario *scenario, const struct record *record,
		       const struct judge_options *options);

#endif
