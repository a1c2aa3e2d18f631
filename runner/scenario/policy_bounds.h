/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Retry policies: which times they allow, tolerance and jitter included. Pure arithmetic. */
#ifndef SYNFAULT_RUNNER_SCENARIO_POLICY_BOUNDS_H
#define SYNFAULT_RUNNER_SCENARIO_POLICY_BOUNDS_H

#include "runner/scenario/scenario.h"

/**
 * policy_wait() - bounds of one time under a policy
 * @k: number of the time, from 1; struct policy says what counts
 *
 * Jitter comes after the cap; tolerance is not included. With .first_at_once time 1 is 0.
 * Return: both ends, equal without jitter; -1 and -1 beyond the end of a POLICY_LIST, where no
 * further time is allowed.
 */
struct range policy_wait(const struct policy *policy, size_t k);
/**
 * policy_wait_after() - the same, where a time depends on the one before (JITTER_DECORRELATED)
 * @before_ns: how long the one before was; ignored by other policies and by the first time
 */
struct range policy_wait_after(const struct policy *policy, size_t k, int64_t before_ns);

/*
 * Widens bounds by the tolerance times @scale. Late: absolute + relative * high. Early: the same of
 * low, but never more than half of low: a client that does not wait at all must not pass for one
 * that waits a little.
 */
struct range tolerance_apply(struct range bounds, const struct tolerance *tolerance, double scale);

/*
 * "2.00 s ± 200 ms"; "500 ms .. 1.00 s (with tolerance 375 ms .. 1.15 s)" where early and late
 * differ; owned by the caller.
 */
char *policy_wait_text(struct range bounds, const struct tolerance *tolerance, double scale);

#endif
