/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Retry policies: which waits they allow, tolerance and jitter included. Pure arithmetic. */
#ifndef SYNFAULT_RUNNER_SCENARIO_POLICY_BOUNDS_H
#define SYNFAULT_RUNNER_SCENARIO_POLICY_BOUNDS_H

#include "runner/scenario/scenario.h"

/*
 * The bounds of wait number @k (from 1) under the policy, before tolerance: equal without jitter.
 * For POLICY_LIST beyond the end: low and high are -1 (no such wait is allowed). Jitter comes after
 * the cap.
 */
struct range policy_wait(const struct policy *policy, size_t k);
/*
 * The same for policies in which a wait depends on the one before (JITTER_DECORRELATED), which was
 * @before_ns long; for all others, and for the first wait, it is not looked at.
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
