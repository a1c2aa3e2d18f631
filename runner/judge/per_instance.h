/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attempts of each instance of the client. A retry policy governs what one client does;
 * instances that run side by side know nothing of each other.
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
	size_t n_unknown; /* attempts of an unknown instance, which are in no group */
};

/**
 * attempt_groups_make() - group attempts by instance, in linear time
 * @endpoint: index, or ALL_ENDPOINTS
 *
 * Attempts after synfault's SIGTERM are left out.
 *
 * Return: free it with attempt_groups_free().
 */
struct attempt_groups attempt_groups_make(const struct history *history, size_t endpoint);
void attempt_groups_free(struct attempt_groups *groups);

/**
 * attempt_groups_get() - get the attempts that an expectation is about
 *
 * Adds a finding if the instance of any of them is unknown, instead of guessing it.
 *
 * Return: borrowed from @ctx.
 */
const struct attempt_groups *attempt_groups_get(struct judge_ctx *ctx,
						const struct expectation *expectation);
/**
 * attempt_groups_at() - get the attempts at an endpoint, without a finding
 * @endpoint: index, or ALL_ENDPOINTS
 *
 * Return: borrowed from @ctx.
 */
const struct attempt_groups *attempt_groups_at(struct judge_ctx *ctx, size_t endpoint);
/** attempt_groups_release() - free all groups that @ctx holds */
void attempt_groups_release(struct judge_ctx *ctx);

/**
 * subject_of_group() - name something of a group
 *
 * Return: "backoff 2 at api", or if there are several instances "backoff 2 at api of instance 3";
 * owned by the caller.
 */
char *subject_of_group(const struct judge_ctx *ctx, const char *what, size_t endpoint,
		       const struct attempt_group *group);

/** record_n_addresses() - count the indices that record_address_index() can return */
size_t record_n_addresses(const struct record *record);

/**
 * record_address_index() - number the address that an attempt was made to
 * @id: of the attempt
 *
 * Return: from 0, over the addresses of all endpoints; each endpoint has one more index, for
 * addresses that it does not have.
 */
size_t record_address_index(const struct record *record, uint32_t id);

/**
 * attempt_wait() - measure the time between two attempts of a group
 * @from: index of the earlier attempt in the group
 * @to: index of the later one
 * @start_to_start: measure from start to start, otherwise from end to start
 *
 * Return: false if there was no pause, because the first attempt never ended.
 */
bool attempt_wait(const struct attempt_group *group, size_t from, size_t to, bool start_to_start,
		  int64_t *ret_ns);

/** attempt_lateness() - bound how late, in ns, synfault's answer to an attempt came */
int64_t attempt_lateness(const struct attempt_history *attempt);

/** instance_end_ns() - return when an instance ended, or if it did not, when the run did */
int64_t instance_end_ns(const struct judge_ctx *ctx, uint32_t instance);

/**
 * instance_may_hide() - ask whether delays may explain that a client did not do something
 * @instance: INSTANCE_UNKNOWN: ask for any of them
 *
 * A client with a time budget makes 9 attempts instead of 10 if the client, or an answer, was late.
 * Delays count if they add up to more than the default tolerance of the client's longest pause.
 *
 * A client that stopped at its first success would have done no more, unless the faults depend on
 * the time.
 */
bool instance_may_hide(struct judge_ctx *ctx, uint32_t instance);

/**
 * instance_was_delayed() - ask whether delays may have changed how a client ended up
 * @by_luck: whether they would have made it as expected, which takes ten times the delay
 *
 * Delays before its first attempt count only where the faults depend on the time.
 */
bool instance_was_delayed(struct judge_ctx *ctx, uint32_t instance, bool by_luck);

/** instance_hidden_ns() - bound how long the attempts that delays may have prevented would take */
int64_t instance_hidden_ns(struct judge_ctx *ctx, uint32_t instance);

/** group_count() - bound how many attempts a group would have made without delays */
struct range group_count(struct judge_ctx *ctx, const struct attempt_group *group);

/** attempt_ending() - say how an attempt ended, for a client that decides whether to try again */
enum ending attempt_ending(const struct attempt_history *attempt);

/**
 * fit_text() - describe the policy that the pauses at an endpoint look like (fit.h)
 * @endpoint: index, or ALL_ENDPOINTS
 *
 * It fits the times from start to start instead if @start_to_start is true.
 *
 * Return: "backoff looks like fixed, 2.00 s", owned by the caller; NULL if there are too few.
 */
char *fit_text(const struct judge_ctx *ctx, size_t endpoint, bool start_to_start);

#endif
