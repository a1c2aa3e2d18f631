/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judges the record of a client that synfault did not start. */
#ifndef SYNFAULT_RUNNER_SESSION_ATTACHED_JUDGE_H
#define SYNFAULT_RUNNER_SESSION_ATTACHED_JUDGE_H

#include "runner/judge/judge.h"
#include "runner/sandbox/isolation.h"

/**
 * attached_obstacle() - find out why a scenario can't run for a client that synfault has not
 * started
 * @isolation: shared
 *
 * Return: the reason, owned by the caller; NULL: it can.
 */
char *attached_obstacle(const struct isolation *isolation, const struct scenario *scenario);

/**
 * attached_judge_leaves_out() - list the expectations that can't be judged without the client
 * @ret_judged: whether others are left
 *
 * Return: their kinds, "exit, stdout", owned by the caller; NULL: none.
 */
char *attached_judge_leaves_out(const struct scenario *scenario, bool *ret_judged);

/**
 * attached_judge() - judge a record as `run` does
 *
 * If no expectation can be judged, nothing is proved: then a pass becomes a skip.
 *
 * Return: free it with judgement_free(); it borrows paths from @scenario.
 */
struct judgement attached_judge(const struct scenario *scenario, const struct record *record,
				const struct judge_options *options);

#endif
