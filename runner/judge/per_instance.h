/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attempts of each instance of the client: what a retry policy rules is what one client does,
 * and instances that run side by side know nothing of each other.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_PER_INSTANCE_H
#define SYNFAULT_RUNNER_JUDGE_PER_INSTANCE_H

#include "runner/judge/judge_ctx.h"

/* The attempts of one instance of the client, in the order of their first SYNs. */
struct attempt_group {
	uint32_t instance;
	int64_t client_start_ns;                 /* when the instance was started */
	const struct attempt_history **attempts; /* borrowed from the groups */
	size_t n_attempts;
};
struct attempt_groups {
	size_t endpoint;              /* index, or ALL_ENDPOINTS */
	struct attempt_group *groups; /* one per instance, in their order */
	size_t n_groups;
	const struct attempt_history **attempts; /* owned */
	size_t n_unknown; /* attempts that can't be traced to an instance, and are in no group */
};

/* Linear in the number of attempts; free it with attempt_groups_free(). */
struct attempt_groups attempt_groups_make(const struct history *history, size_t endpoint);
void attempt_groups_free(struct attempt_groups *groups);

/**
 * attempt_groups_get() - get the attempts that an expectation is about
 *
 * Adds a finding about attempts of unknown instances: what is not known is not a guess.
 *
 * Return: borrowed.
 */
const struct attempt_groups *attempt_groups_get(struct judge_ctx *ctx,
						const struct expectation *expectation);
/* The same without a finding. */
const struct attempt_groups *attempt_groups_at(struct judge_ctx *ctx, size_t endpoint);
void attempt_groups_release(struct judge_ctx *ctx);
/* "backoff 2 at api", of one of several instances "backoff 2 at api of instance 3". */
char *subject_of_group(const struct judge_ctx *ctx, const char *what, size_t endpoint,
		       const struct attempt_group *group);

/* How many addresses all endpoints have; which of them, from 0, an attempt was made to. */
size_t record_n_addresses(const struct record *record);
size_t record_address_index(const struct record *record, uint32_t id);

/**
 * attempt_wait() - measure the time between two attempts of a group
 * @from, @to: indices
 * @interval: from start to start, else from end to start
 *
 * Return: false if there was no pause, since the first was never over.
 */
bool attempt_wait(const struct attempt_group *group, size_t from, size_t to, bool interval,
		  int64_t *ret_ns);

/* By how much our answer to an attempt came later than the script asked, at most. */
int64_t attempt_lateness(const struct attempt_history *attempt);

/* The end of the client's instance, or of the run. */
int64_t instance_end_ns(const struct judge_ctx *ctx, uint32_t instance);

/**
 * instance_may_hide() - ask whether delays can account for something that a client did not do
 * @instance: INSTANCE_UNKNOWN: any of them
 *
 * A client inside a budget makes 9 attempts instead of 10 when it, or an answer, was late. Delays
 * count if they add up to more than the default tolerance of the client's longest pause.
 *
 * A client that stopped at its first success is done: it would have done no more. That is no
 * argument where the faults depend on the time.
 */
bool instance_may_hide(struct judge_ctx *ctx, uint32_t instance);

/**
 * instance_was_delayed() - ask whether delays can have changed what a client came to
 * @by_luck: whether that would be what is expected, which takes ten times the tolerance
 *
 * Delays before its first attempt count only where the faults depend on the time.
 */
bool instance_was_delayed(struct judge_ctx *ctx, uint32_t instance, bool by_luck);

/* How long attempts that delays can have prevented would have taken, at most. */
int64_t instance_hidden_ns(struct judge_ctx *ctx, uint32_t instance);

/**
 * group_count() - bound how many attempts a group would have made without delays
 */
struct range group_count(struct judge_ctx *ctx, const struct attempt_group *group);

/* What became of an attempt, for a client that has to decide whether to try again. */
enum ending attempt_ending(const struct attempt_history *attempt);

/* "backoff looks like fixed, 2.00 s" (fit.h); owned by the caller; NULL: too few to tell. */
char *fit_text(const struct judge_ctx *ctx, size_t endpoint, bool intervals);

#endif
