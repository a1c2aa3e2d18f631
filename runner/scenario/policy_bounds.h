/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Computes which times a retry policy allows, with tolerance and jitter. Pure arithmetic. */
#ifndef SYNFAULT_RUNNER_SCENARIO_POLICY_BOUNDS_H
#define SYNFAULT_RUNNER_SCENARIO_POLICY_BOUNDS_H

#include "runner/scenario/scenario.h"

/**
 * policy_wait() - compute the bounds of one wait under a policy
 * @policy: the policy
 * @k: number of the wait, from 1; struct policy says what counts as one
 *
 * Jitter is applied after the cap; tolerance is not included. With .first_at_once, wait 1 is 0.
 *
 * Return: both ends in nanoseconds, equal without jitter; -1 and -1 beyond the end of a
 * POLICY_LIST, which allows no further wait.
 */
struct range policy_wait(const struct policy *policy, size_t k);
/**
 * policy_wait_after() - return the same for a wait that depends on the last (JITTER_DECORRELATED)
 * @policy: the policy
 * @k: number of the wait, from 1
 * @before_ns: how long the previous wait was; ignored for the first wait and by other policies
 *
 * Return: as policy_wait().
 */
struct range policy_wait_after(const struct policy *policy, size_t k, int64_t before_ns);

/**
 * tolerance_apply() - widen bounds by the tolerance times @scale
 *
 * A time may be late by absolute + relative * high. It may be early by absolute + relative * low,
 * but at most by half of low: a client that does not wait at all must not pass as one that waits
 * briefly.
 */
struct range tolerance_apply(struct range bounds, const struct tolerance *tolerance, double scale);
/** tolerance_slack() - return what the tolerance times @scale adds to a time */
int64_t tolerance_slack(int64_t time_ns, const struct tolerance *tolerance, double scale);

/**
 * policy_wait_text() - format bounds with their tolerance: "2.00 s ± 200 ms", or "500 ms .. 1.00 s
 * (with tolerance 375 ms .. 1.15 s)" if early and late differ
 *
 * Owned by the caller.
 */
char *policy_wait_text(struct range bounds, const struct tolerance *tolerance, double scale);

#endif
