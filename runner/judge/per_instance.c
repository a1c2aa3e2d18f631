/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See per_instance.h. */
#include "runner/judge/per_instance.h"

#include <inttypes.h>

#include "runner/judge/findings.h"
#include "runner/judge/fit.h"
#include "runner/scenario/policy_bounds.h"

/* Returns the group of an attempt, or UINT32_MAX for none. A single client made all attempts. */
static uint32_t group_of(const struct history *history, size_t id, size_t endpoint,
			 uint32_t n_instances, size_t *n_unknown)
{
	const struct record_attempt *attempt = &history->record->attempts[id];

	/* What a client does after synfault's SIGTERM is not judged. */
	if (history->attempts[id].started_ns > history->stopped_ns)
		return UINT32_MAX;
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
		instance = group_of(history, id, endpoint, n_instances, &groups.n_unknown);
		if (instance != UINT32_MAX)
			groups.groups[instance].n_attempts++;
	}
	for (instance = 0; instance < n_instances; instance++) {
		groups.groups[instance].instance = instance;
		groups.groups[instance].attempts = groups.attempts + first;
		first += groups.groups[instance].n_attempts;
		groups.groups[instance].n_attempts = 0;
	}
	for (size_t i = 0; i < history->n_process_events; i++) {
		const struct event *event = history->process_events[i];

		if (event->kind == EVENT_START && event->u.start.instance < n_instances)
			groups.groups[event->u.start.instance].client_start_ns = event->at_ns;
	}
	for (size_t id = 0; id < history->n_attempts; id++) {
		struct attempt_group *group;

		instance = group_of(history, id, endpoint, n_instances, &ignored);
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

void attempt_groups_release(struct judge_ctx *ctx)
{
	for (size_t i = 0; ctx->groups && i <= ctx->scenario->n_endpoints; i++)
		attempt_groups_free(&ctx->groups[i]);
	free(ctx->groups);
	ctx->groups = NULL;
}

const struct attempt_groups *attempt_groups_at(struct judge_ctx *ctx, size_t endpoint)
{
	size_t n_endpoints = ctx->scenario->n_endpoints;
	struct attempt_groups *groups;

	if (!ctx->groups)
		ctx->groups = xzalloc((n_endpoints + 1) * sizeof(*ctx->groups));
	groups = &ctx->groups[MIN(endpoint, n_endpoints)];
	if (!groups->groups)
		*groups = attempt_groups_make(&ctx->history, endpoint);
	return groups;
}

const struct attempt_groups *attempt_groups_get(struct judge_ctx *ctx,
						const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_at(ctx, expectation->endpoint);
	char *subject;

	if (groups->n_unknown == 0)
		return groups;
	subject = subject_at(ctx, expectation_kind_name(expectation->kind), expectation->endpoint);
	findings_add(
		ctx, WEIGHT_UNDECIDED, .expectation = expectation, .subject = subject,
		.message = xasprintf(
			"%s: it is not known which instance of the client made %zu of the attempts",
			subject, groups->n_unknown));
	return groups;
}

char *subject_of_group(const struct judge_ctx *ctx, const char *what, size_t endpoint,
		       const struct attempt_group *group)
{
	AUTO_FREE char *subject = subject_at(ctx, what, endpoint);

	return subject_of_instance(ctx, subject, group->instance);
}

size_t record_n_addresses(const struct record *record)
{
	size_t n = 0;

	for (size_t i = 0; i < record->n_endpoints; i++)
		n += record->endpoints[i].n_addresses + 1;
	return n;
}

/* Each endpoint has one index more than addresses: for an address that is not one of its own. */
size_t record_address_index(const struct record *record, uint32_t id)
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

bool attempt_wait(const struct attempt_group *group, size_t from, size_t to, bool start_to_start,
		  int64_t *ret_ns)
{
	const struct attempt_history *before = group->attempts[from], *next = group->attempts[to];
	int64_t wait_ns;

	if (!start_to_start && before->over_ns == INT64_MAX)
		return false;
	wait_ns = next->started_ns - (start_to_start ? before->started_ns : before->over_ns);
	if (!start_to_start && wait_ns < 0 &&
	    next->started_ns - before->over_earliest_ns >= -RESOLUTION_NS)
		wait_ns = 0;
	*ret_ns = wait_ns;
	return true;
}

/* The queue itself takes up to this long, which is less than any network takes. */
#define PROMPT_NS (200 * NS_PER_US)

int64_t attempt_lateness(const struct attempt_history *attempt)
{
	const struct attempt_details *details = attempt->details;
	int64_t late_ns = details->max_lag_ns;

	/* The kernel sends the SYN-ACK at once: if it came later, synfault is the cause. */
	if (attempt->end == END_ESTABLISHED && details->accepted_ns != INT64_MAX &&
	    !attempt_had_fault(attempt, FAULT_SYN_ACK_LOST))
		late_ns += MAX(details->established_ns - details->accepted_ns, 0);
	if (details->faults)
		late_ns += details->faults->late_ns;
	return late_ns > PROMPT_NS ? late_ns : 0;
}

int64_t instance_end_ns(const struct judge_ctx *ctx, uint32_t instance)
{
	const struct record *record = ctx->record;
	const struct event *exit = history_instance_exit(&ctx->history, instance);
	int64_t end_ns = record_watched_until(record);

	if (exit)
		end_ns = MIN(end_ns, exit->at_ns);
	return MIN(end_ns, ctx->history.stopped_ns);
}

enum ending attempt_ending(const struct attempt_history *attempt)
{
	switch (attempt->end) {
	case END_REFUSED:
	case END_REJECTED:
		return ENDING_REFUSED;
	case END_UNREACHABLE:
		return ENDING_UNREACHABLE;
	case END_ABANDONED:
	case END_TIMED_OUT:
	case END_OPEN:
	case END_N_KINDS:
		return ENDING_UNANSWERED;
	case END_ESTABLISHED:
		break;
	}
	if (attempt_had_fault(attempt, FAULT_RESET))
		return ENDING_RESET;
	if (attempt_had_fault(attempt, FAULT_CLOSED))
		return ENDING_CLOSED;
	if (attempt_is_stalled(attempt))
		return ENDING_STALLED;
	return ENDING_CONNECTED;
}

static bool has_window(const struct judge_ctx *ctx)
{
	for (size_t i = 0; i < ctx->scenario->n_endpoints; i++) {
		const struct script *script = &ctx->scenario->endpoints[i].script;

		for (size_t k = 0; k < script->n_steps; k++)
			if (script->steps[k].when.has_window)
				return true;
	}
	return false;
}

static bool tries_several(const struct judge_ctx *ctx, const struct attempt_group *group)
{
	const struct record_attempt *attempts = ctx->record->attempts;

	for (size_t i = 1; i < group->n_attempts; i++)
		if (!address_equal(&attempts[group->attempts[0]->id].server,
				   &attempts[group->attempts[i]->id].server))
			return true;
	return false;
}

/*
 * Returns whether the group's only success is its last attempt: a client that has what it wants
 * makes no more attempts. With several addresses, delays may have decided which attempt won a race.
 * If no instance made any attempt, none was wanted.
 */
static bool is_done(const struct judge_ctx *ctx, const struct attempt_group *group)
{
	if (ctx->history.n_attempts == 0)
		return true;
	if (group->n_attempts == 0 || has_window(ctx))
		return false;
	for (size_t i = 0; i + 1 < group->n_attempts; i++)
		if (attempt_ending(group->attempts[i]) == ENDING_CONNECTED)
			return false;
	if (tries_several(ctx, group))
		return false;
	return attempt_ending(group->attempts[group->n_attempts - 1]) == ENDING_CONNECTED;
}

/* How long delays were, and the client's pauses between attempts, over all endpoints. */
struct hindrance {
	int64_t before_ns, after_ns;     /* delays before its first attempt, and since */
	int64_t longest_ns, shortest_ns; /* pauses */
	int64_t end_ns;                  /* from its own start to its last attempt's */
	bool idle;                       /* made no attempt: it has no pauses */
};

static struct hindrance find_hindrance(const struct judge_ctx *ctx,
				       const struct attempt_group *group)
{
	int64_t end_ns = instance_end_ns(ctx, group->instance), first_ns = end_ns;
	struct hindrance found = {.shortest_ns = INT64_MAX, .idle = group->n_attempts == 0};

	if (group->n_attempts > 0)
		first_ns = group->attempts[0]->started_ns;
	for (size_t i = 0; i < group->n_attempts; i++) {
		bool last = i + 1 == group->n_attempts;
		int64_t next_ns = last ? end_ns : group->attempts[i + 1]->started_ns;
		int64_t pause_ns = next_ns - group->attempts[i]->started_ns;

		found.longest_ns = MAX(found.longest_ns, pause_ns);
		if (!last)
			found.shortest_ns = MIN(found.shortest_ns, MAX(pause_ns, RESOLUTION_NS));
		found.after_ns += attempt_lateness(group->attempts[i]);
	}
	if (group->n_attempts == 0)
		found.longest_ns = end_ns - group->client_start_ns;
	found.end_ns = (group->n_attempts > 0 ? group->attempts[group->n_attempts - 1]->started_ns
					      : end_ns) -
		       group->client_start_ns;
	found.before_ns = delays_of_client(&ctx->delays, group->client_start_ns, first_ns);
	/* A starting shell has many children that no look sees; those that were seen are enough. */
	if (ctx->record->client_lag_ns >= 0)
		found.before_ns = MIN(found.before_ns, ctx->record->client_lag_ns);
	found.after_ns += delays_of_client(&ctx->delays, first_ns, end_ns);
	return found;
}

/*
 * Delays within the default tolerance don't matter: a client that close to its limits does not do
 * the same twice even on a quiet machine. Few clients have a time budget that begins with the
 * process, and start-up times are never exact. So delays before the first attempt matter only if
 * they are also longer than the longest pause, and the client went on for longer than any program
 * takes to start.
 */
#define START_UP_NS (500 * NS_PER_MS)

static bool matters(const struct judge_ctx *ctx, const struct hindrance *found)
{
	const struct tolerance tolerance = TOLERANCE_DEFAULT;
	int64_t slack_ns = tolerance_slack(found->longest_ns, &tolerance, ctx->timing_scale);

	return found->after_ns > slack_ns ||
	       (found->end_ns > START_UP_NS &&
		found->before_ns > MAX(slack_ns, found->idle ? 0 : found->longest_ns));
}

bool instance_may_hide(struct judge_ctx *ctx, uint32_t instance)
{
	const struct attempt_groups *all = attempt_groups_at(ctx, ALL_ENDPOINTS);

	for (size_t i = 0; i < all->n_groups; i++) {
		const struct attempt_group *group = &all->groups[i];
		struct hindrance found;

		if (instance != INSTANCE_UNKNOWN && group->instance != instance)
			continue;
		if (is_done(ctx, group))
			continue;
		found = find_hindrance(ctx, group);
		if (matters(ctx, &found))
			return true;
	}
	return false;
}

bool instance_was_delayed(struct judge_ctx *ctx, uint32_t instance, bool by_luck)
{
	const int64_t tenth = by_luck ? 10 : 1;
	const struct attempt_groups *all = attempt_groups_at(ctx, ALL_ENDPOINTS);

	for (size_t i = 0; i < all->n_groups; i++) {
		const struct attempt_group *group = &all->groups[i];
		struct hindrance found;

		if (instance != INSTANCE_UNKNOWN && group->instance != instance)
			continue;
		found = find_hindrance(ctx, group);
		if (!has_window(ctx))
			found.before_ns = 0;
		/* Luck takes ten times the delay that can prevent an attempt. */
		found.after_ns /= tenth;
		if (matters(ctx, &found))
			return true;
	}
	return ctx->disturbed_ns != INT64_MAX;
}

int64_t instance_hidden_ns(struct judge_ctx *ctx, uint32_t instance)
{
	const struct attempt_groups *all = attempt_groups_at(ctx, ALL_ENDPOINTS);
	struct hindrance found;

	if (instance >= all->n_groups || !instance_may_hide(ctx, instance))
		return 0;
	found = find_hindrance(ctx, &all->groups[instance]);
	return 2 * found.longest_ns *
	       (1 + (found.before_ns + found.after_ns) / MAX(found.shortest_ns, RESOLUTION_NS));
}

struct range group_count(struct judge_ctx *ctx, const struct attempt_group *group)
{
	const struct attempt_groups *all = attempt_groups_at(ctx, ALL_ENDPOINTS);
	const struct attempt_group *whole = &all->groups[group->instance];
	struct range count = {(int64_t)group->n_attempts, (int64_t)group->n_attempts};
	struct hindrance found;

	/* Without the disturbance, attempts after it might not have been made. */
	while (count.low > 0 && group->attempts[count.low - 1]->started_ns >= ctx->disturbed_ns)
		count.low--;
	if (is_done(ctx, whole))
		return count;
	found = find_hindrance(ctx, whole);
	if (matters(ctx, &found))
		count.high += found.shortest_ns == INT64_MAX || tries_several(ctx, whole)
				      ? INT32_MAX
				      : 1 + (found.before_ns + found.after_ns) / found.shortest_ns;
	return count;
}

char *fit_text(const struct judge_ctx *ctx, size_t endpoint, bool start_to_start)
{
	struct attempt_groups groups = attempt_groups_make(&ctx->history, endpoint);
	AUTO_FREE int64_t *times_ns = xmalloc((ctx->history.n_attempts + 1) * sizeof(*times_ns));
	AUTO_FREE int64_t *lags_ns = xmalloc((ctx->history.n_attempts + 1) * sizeof(*lags_ns));
	AUTO_FREE bool *anew = xmalloc((ctx->history.n_attempts + 1) * sizeof(*anew));
	AUTO_FREE struct fit_sequence *sequences =
		xmalloc((groups.n_groups + 1) * sizeof(*sequences));
	size_t n_times = 0, n_sequences = 0;
	char *text = NULL;
	struct fit fit;

	for (size_t i = 0; i < groups.n_groups; i++) {
		const struct attempt_group *group = &groups.groups[i];
		struct fit_sequence sequence = {
			.waits_ns = times_ns + n_times,
			.lags_ns = ctx->delays.known ? lags_ns + n_times : NULL,
			.anew = anew + n_times,
			.n_addresses = record_n_addresses(ctx->record),
		};

		for (size_t k = 1; k < group->n_attempts; k++) {
			const struct attempt_history *before = group->attempts[k - 1];

			if (!attempt_wait(group, k - 1, k, start_to_start, &times_ns[n_times]))
				break;
			anew[n_times] = before->end == END_ESTABLISHED;
			lags_ns[n_times] = delays_of_client(
				&ctx->delays, start_to_start ? before->started_ns : before->over_ns,
				group->attempts[k]->started_ns);
			n_times++;
			sequence.n_waits++;
		}
		if (sequence.n_waits > 0)
			sequences[n_sequences++] = sequence;
	}
	fit = fit_waits(sequences, n_sequences);
	if (fit.found)
		text = xasprintf("%s like %s",
				 start_to_start ? "attempt delays look" : "backoff looks",
				 fit.text);
	else if (fit.n_fitting > 0)
		text = xasprintf("%s: %s", start_to_start ? "attempt delays" : "backoff", fit.text);
	else if (n_times >= 3)
		text = xasprintf("the %s no pattern",
				 start_to_start ? "attempt delays show" : "backoff shows");
	fit_free(&fit);
	attempt_groups_free(&groups);
	return text;
}
