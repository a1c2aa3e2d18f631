/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pauses between attempts, and what a policy allows for each. */
#ifndef SYNFAULT_RUNNER_JUDGE_BACKOFF_H
#define SYNFAULT_RUNNER_JUDGE_BACKOFF_H

#include "runner/judge/per_instance.h"
#include "runner/judge/time_bounds.h"

/* A pause (or a time from start to start) that a policy is about. */
struct policy_wait {
	size_t from, to; /* indices of attempts of the group */
	size_t number;   /* of the policy's times, from 1 */
};

/**
 * policy_waits() - list the times of a group that a policy is about
 *
 * Between successive attempts; with "per: round" between the last attempt of a round and the first
 * of the next. With "resets-on: success" numbers start again after an attempt that connected.
 *
 * Return: their number; *@ret is owned by the caller.
 */
size_t policy_waits(const struct record *record, const struct policy *policy,
		    const struct attempt_group *group, struct policy_wait **ret);

/**
 * policy_wait_bounds() - say what is allowed for a time
 * @ret_plain: whether it is so by the policy's figures alone, not by how long an attempt took
 *
 * Both bounds are -1 beyond the end of a list. A range that the user wrote is taken as it is; a
 * single duration, and what a policy comes to, has tolerance.
 */
struct time_bounds policy_wait_bounds(const struct expectation *expectation,
				      const struct attempt_group *group,
				      const struct policy_wait *wait, double scale,
				      bool *ret_plain);

/* What a pause (or time from start to start) would have been without delays. */
struct range attempt_wait_known(const struct judge_ctx *ctx, const struct attempt_group *group,
				size_t from, size_t to, bool interval);

void judge_duration(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_backoff(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_total_backoff(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
