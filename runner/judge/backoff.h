/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pauses between attempts, and what a policy allows for each. */
#ifndef SYNFAULT_RUNNER_JUDGE_BACKOFF_H
#define SYNFAULT_RUNNER_JUDGE_BACKOFF_H

#include "runner/judge/per_instance.h"
#include "runner/judge/time_bounds.h"

/* A pause (or a time from start to start) that a policy governs. */
struct policy_wait {
	size_t from, to; /* indices into the group's attempts */
	size_t number;   /* which of the policy's times it is, from 1 */
};

/**
 * policy_waits() - list the times in a group that a policy governs
 * @ret: an array, owned by the caller
 *
 * They lie between successive attempts; with "per: round" between the last attempt of a round and
 * the first of the next. With "resets-on: success" numbers start again after an attempt that
 * connected.
 *
 * Return: how many there are.
 */
size_t policy_waits(const struct record *record, const struct policy *policy,
		    const struct attempt_group *group, struct policy_wait **ret);

/**
 * policy_wait_bounds() - find the bounds that a policy sets for a time
 * @scale: multiplies the tolerance
 * @ret_plain: whether they follow from the policy's figures alone, not from how long an attempt
 *	took
 *
 * A range that the user wrote is taken as it is; a single duration, and a time computed from a
 * policy, has tolerance.
 *
 * Return: both bounds are -1 beyond the end of a list.
 */
struct time_bounds policy_wait_bounds(const struct expectation *expectation,
				      const struct attempt_group *group,
				      const struct policy_wait *wait, double scale,
				      bool *ret_plain);

/** judge_duration() - judge "duration": how long each instance of the client ran */
void judge_duration(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_backoff() - judge "backoff" or "attempt-delay": each pause, and the jitter of them all */
void judge_backoff(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_total_backoff() - judge "total-backoff": all pauses of an instance together */
void judge_total_backoff(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
