/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attempts of each instance of the client: what a retry policy rules is what one client does,
 * and instances that run side by side know nothing of each other.
 */
#include <inttypes.h>

#include "runner/judge/fit.h"
#include "runner/judge/judging.h"

/* The group of an attempt, UINT32_MAX: it is not looked at. Of a single client all attempts are. */
static uint32_t group_of(const struct record *record, size_t id, size_t endpoint,
			 uint32_t n_instances, size_t *n_unknown)
{
	const struct record_attempt *attempt = &record->attempts[id];

	if (endpoint != ALL_ENDPOINTS && attempt->endpoint != endpoint)
		return UINT32_MAX;
	if (n_instances == 1)
		return 0;
	if (attempt->instance < n_instances)
		return attempt->instance;
	++*n_unknown;
	return UINT32_MAX;
}

struct attempt_groups attempt_groups_make(const struct history *history, size_t endpoint)
{
	const struct record *record = history->record;
	uint32_t n_instances = MAX(record->n_instances, 1), instance;
	struct attempt_groups groups = {.endpoint = endpoint, .n_groups = n_instances};
	size_t first = 0, ignored = 0;

	groups.groups = xzalloc(n_instances * sizeof(*groups.groups));
	groups.attempts =
		xmalloc((history->n_attempts + 1) * sizeof(const struct attempt_history *));
	for (size_t id = 0; id < history->n_attempts; id++) {
		instance = group_of(record, id, endpoint, n_instances, &groups.n_unknown);
		if (instance != UINT32_MAX)
			groups.groups[instance].n_attempts++;
	}
	for (instance = 0; instance < n_instances; instance++) {
		groups.groups[instance].instance = instance;
		groups.groups[instance].note_lag_ns =
			MIN(MAX(record->harness_lag_ns, INT64_C(0)), DEATH_NS);
		groups.groups[instance].attempts = groups.attempts + first;
		first += groups.groups[instance].n_attempts;
		groups.groups[instance].n_attempts = 0;
	}
	for (size_t id = 0; id < history->n_attempts; id++) {
		struct attempt_group *group;

		instance = group_of(record, id, endpoint, n_instances, &ignored);
		if (instance == UINT32_MAX)
			continue;
		group = &groups.groups[instance];
		group->attempts[group->n_attempts++] = &history->attempts[id];
	}
	return groups;
}

void attempt_groups_free(struct attempt_groups *groups)
{
	free(groups->attempts);
	free(groups->groups);
	*groups = (struct attempt_groups){0};
}

void judging_free_groups(struct judging *judging)
{
	for (size_t i = 0; judging->groups && i <= judging->scenario->n_endpoints; i++)
		attempt_groups_free(&judging->groups[i]);
	free(judging->groups);
	judging->groups = NULL;
}

const struct attempt_groups *judging_groups(struct judging *judging,
					    const struct expectation *expectation)
{
	size_t n_endpoints = judging->scenario->n_endpoints;
	struct attempt_groups *groups;
	char *subject;

	if (!judging->groups)
		judging->groups = xzalloc((n_endpoints + 1) * sizeof(*judging->groups));
	groups = &judging->groups[MIN(expectation->endpoint, n_endpoints)];
	if (!groups->groups)
		*groups = attempt_groups_make(&judging->history, expectation->endpoint);
	if (groups->n_unknown == 0)
		return groups;
	subject = judging_subject(judging, expectation_kind_name(expectation->kind),
				  expectation->endpoint);
	judging_add(judging, WEIGHT_UNDECIDED,
		    &(struct finding_parts){
			    .expectation = expectation,
			    .subject = subject,
			    .message = xasprintf("%s: it is not known which instance of the client "
						 "made %zu of the attempts",
						 subject, groups->n_unknown),
		    });
	return groups;
}

char *judging_group_subject(const struct judging *judging, const char *what, size_t endpoint,
			    const struct attempt_group *group)
{
	AUTO_FREE char *subject = judging_subject(judging, what, endpoint);

	return judging_instance_subject(judging, subject, group->instance);
}

size_t judging_n_addresses(const struct record *record)
{
	size_t n = 0;

	for (size_t i = 0; i < record->n_endpoints; i++)
		n += record->endpoints[i].n_addresses + 1;
	return n;
}

/* Each endpoint has one more, for an address that is none of its own. */
size_t judging_address(const struct record *record, uint32_t id)
{
	const struct record_attempt *attempt = &record->attempts[id];
	const struct record_endpoint *endpoint = &record->endpoints[attempt->endpoint];
	size_t base = 0;

	for (size_t i = 0; i < attempt->endpoint; i++)
		base += record->endpoints[i].n_addresses + 1;
	for (size_t i = 0; i < endpoint->n_addresses; i++)
		if (address_equal(&endpoint->addresses[i], &attempt->server))
			return base + i;
	return base + endpoint->n_addresses;
}

int64_t attempt_note_slack_ns(const struct attempt_history *attempt)
{
	return attempt->over_ns == attempt->closed_ns ? DEATH_NS : INSTANT_NS;
}

bool attempt_wait(const struct attempt_group *group, size_t k, bool interval, int64_t *ret_ns)
{
	const struct attempt_history *before = group->attempts[k - 1], *next = group->attempts[k];
	const int64_t slack_ns =
		MAX(attempt_note_slack_ns(before), INSTANT_NS + group->note_lag_ns);
	int64_t wait_ns;

	if (!interval && before->over_ns == INT64_MAX)
		return false;
	wait_ns = next->started_ns - (interval ? before->started_ns : before->over_ns);
	*ret_ns = wait_ns < 0 && wait_ns >= -slack_ns ? 0 : wait_ns;
	return true;
}

char *judging_fit(const struct judging *judging, size_t endpoint, bool intervals)
{
	struct attempt_groups groups = attempt_groups_make(&judging->history, endpoint);
	AUTO_FREE int64_t *times_ns =
		xmalloc((judging->history.n_attempts + 1) * sizeof(*times_ns));
	AUTO_FREE struct fit_sequence *sequences =
		xmalloc((groups.n_groups + 1) * sizeof(*sequences));
	size_t n_times = 0, n_sequences = 0;
	char *text = NULL;
	struct fit fit;

	for (size_t i = 0; i < groups.n_groups; i++) {
		const struct attempt_group *group = &groups.groups[i];
		struct fit_sequence sequence = {.waits_ns = times_ns + n_times};

		for (size_t k = 1; k < group->n_attempts; k++) {
			if (!attempt_wait(group, k, intervals, &times_ns[n_times]))
				break;
			n_times++;
			sequence.n_waits++;
		}
		if (sequence.n_waits > 0)
			sequences[n_sequences++] = sequence;
	}
	fit = fit_waits(sequences, n_sequences);
	if (fit.found)
		text = xasprintf("%s like %s", intervals ? "attempt delays look" : "backoff looks",
				 fit.text);
	else if (n_times >= 3)
		text = xasprintf("the %s no pattern",
				 intervals ? "attempt delays show" : "backoff shows");
	fit_free(&fit);
	attempt_groups_free(&groups);
	return text;
}
