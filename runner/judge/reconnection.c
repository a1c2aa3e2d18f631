/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on what a client does when its connections end.
 *
 * A connection was ended if a fault reset, closed or stalled it before the client closed it: by its
 * own step, or by an outage. A stall that heals in time ended nothing. From that moment on it is
 * dead, whether the client knows or not. The client lets go of it when it sends its own FIN or RST,
 * or when its socket dies.
 *
 * A reconnect is a connection whose attempt began after the first end of a connection of the same
 * instance. How soon counts from the moment in which the client has no connection left.
 */
#include "runner/judge/reconnection.h"

#include <inttypes.h>

#include "runner/judge/counts.h"
#include "runner/judge/findings.h"
#include "runner/judge/measurements.h"
#include "runner/judge/per_instance.h"
#include "runner/judge/socket_lifetime.h"
#include "runner/judge/time_bounds.h"

static const struct when never = {INT64_MAX, INT64_MAX};

static bool has_ended(struct when when)
{
	return when.latest_ns != INT64_MAX;
}

/*
 * Returns when a fault ended the connection; never: none did, or the client was first. A fault is
 * reported once its packet has been handed over, by when the client may have answered it.
 */
static struct when end_by_fault(const struct attempt_history *attempt)
{
	static const enum fault_kind kinds[] = {FAULT_RESET, FAULT_CLOSED, FAULT_STALLED};
	int64_t at_ns = INT64_MAX, earliest_ns;

	if (attempt->end != END_ESTABLISHED)
		return never;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i] != FAULT_STALLED || attempt_is_stalled(attempt))
			at_ns = MIN(at_ns, attempt_fault_ns(attempt, kinds[i]));
	if (at_ns == INT64_MAX)
		return never;
	earliest_ns = at_ns - attempt->details->faults->early_ns;
	if (attempt->details->client_end_ns < earliest_ns)
		return never;
	return (struct when){earliest_ns, at_ns};
}

/* Returns whether the client may have ended a connection before the fault did. */
static bool client_may_be_first(const struct attempt_history *attempt, struct when by_fault)
{
	return attempt->details->client_end_ns < by_fault.latest_ns;
}

/* Returns when the connection was of no use any more: ended by a fault or by the client. */
static struct when end_of(const struct attempt_history *attempt)
{
	struct when by_fault = end_by_fault(attempt), by_client = attempt_let_go(attempt);

	return by_fault.latest_ns <= by_client.latest_ns ? by_fault : by_client;
}

static int64_t end_of_run(const struct judge_ctx *ctx, uint32_t instance)
{
	return MIN(instance_end_ns(ctx, instance), ctx->history.stopped_ns);
}

/* ---- reconnects ---- */

/* Returns when a connection of the group was ended first; @certainly: of those that a fault ended
 * without a doubt. */
static struct when first_end(const struct attempt_group *group, bool certainly)
{
	struct when first = never;

	for (size_t i = 0; i < group->n_attempts; i++) {
		struct when end = end_by_fault(group->attempts[i]);

		if (certainly && client_may_be_first(group->attempts[i], end))
			continue;
		first.earliest_ns = MIN(first.earliest_ns, end.earliest_ns);
		first.latest_ns = MIN(first.latest_ns, end.latest_ns);
	}
	return first;
}

struct reconnects {
	struct range count;
	int64_t seen;
	const struct attempt_history *beyond, *last;
};

static void count_reconnects(const struct judge_ctx *ctx, const struct expectation *expectation,
			     const struct attempt_group *group, struct reconnects *found)
{
	const struct when first = first_end(group, false), certain = first_end(group, true);

	for (size_t i = 0; has_ended(first) && i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];

		if (attempt->end != END_ESTABLISHED || attempt->started_ns <= first.earliest_ns)
			continue;
		found->last = attempt;
		found->count.high++;
		found->count.low += attempt->started_earliest_ns >= certain.latest_ns &&
				    attempt->started_ns < ctx->disturbed_ns;
		if (found->seen++ == expectation->value.reconnects.range.high)
			found->beyond = attempt;
	}
}

/* Returns whether the client has another connection when the one at @index has ended. */
static bool has_another(const struct attempt_group *group, size_t index, int64_t at_ns)
{
	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *other = group->attempts[i];

		if (i != index && other->end == END_ESTABLISHED && other->ended_ns <= at_ns &&
		    end_of(other).latest_ns > at_ns)
			return true;
	}
	return false;
}

static const struct attempt_history *next_connection(const struct attempt_group *group,
						     int64_t after_ns)
{
	const struct attempt_history *next = NULL;

	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];

		if (attempt->end == END_ESTABLISHED && attempt->ended_ns > after_ns &&
		    (!next || attempt->ended_ns < next->ended_ns))
			next = attempt;
	}
	return next;
}

/*
 * Bounds how long the client was without a connection. Delays can make an attempt miss a server
 * that is back only for a while, and then cost the client a whole pause more.
 */
static struct range time_without(struct judge_ctx *ctx, const struct attempt_group *group,
				 struct when from, const struct attempt_history *next)
{
	struct when to = {next->ended_earliest_ns, next->ended_ns};
	int64_t late_ns = 0, hidden_ns = instance_hidden_ns(ctx, group->instance);
	struct range known;

	for (size_t i = 0; i < group->n_attempts; i++)
		if (group->attempts[i]->started_ns >= from.earliest_ns &&
		    group->attempts[i]->started_ns <= next->started_ns)
			late_ns += attempt_lateness(group->attempts[i]);
	known = span_between(&ctx->delays, from, to, from.earliest_ns, 0, late_ns);
	known.low = MAX(known.low - hidden_ns, INT64_C(0));
	known.high += hidden_ns;
	return known;
}

static void judge_within(struct judge_ctx *ctx, const struct expectation *expectation,
			 const struct attempt_group *group, size_t index, size_t *n_wrong)
{
	struct time_bounds bounds = {
		.exact = {0, expectation->value.reconnects.within_ns},
		.scale = ctx->timing_scale,
	};
	struct when from = end_of(group->attempts[index]);
	const struct attempt_history *next = next_connection(group, from.latest_ns);
	int64_t took_ns = next ? next->ended_ns - from.latest_ns
			       : end_of_run(ctx, group->instance) - from.latest_ns;
	struct range known = {took_ns, INT64_MAX};
	AUTO_FREE char *took = NULL;
	enum truth truth;

	if (next)
		known = time_without(ctx, group, from, next);
	else if (instance_may_hide(ctx, group->instance))
		known.low = 0;
	truth = truth_of_range(known, allowed_range(&bounds));
	/* It may yet have connected in time. */
	if (truth == TRUTH_MET ||
	    (!next && truth == TRUTH_UNKNOWN && took_ns < expectation->value.reconnects.within_ns))
		return;
	if (++*n_wrong > MAX_ALIKE_FINDINGS)
		return;
	took = time_text(took_ns);
	findings_add_truth(ctx, truth, next ? &known : NULL, .expectation = expectation,
			   .subject =
				   subject_of_group(ctx, "reconnect", expectation->endpoint, group),
			   .expected = bounds_text(&bounds),
			   .actual = next ? xstrdup(took) : xasprintf("none in %s", took),
			   .miss = next ? time_miss_text(&bounds, took_ns) : NULL,
			   .attempt = next ? next : group->attempts[index]);
}

void judge_reconnects(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);
	struct reconnects found = {0};
	size_t n_wrong = 0;

	for (size_t i = 0; i < groups->n_groups; i++)
		count_reconnects(ctx, expectation, &groups->groups[i], &found);
	if (instance_may_hide(ctx, INSTANCE_UNKNOWN))
		found.count.high += INT32_MAX;
	judge_count(ctx, expectation, found.count, found.seen, found.beyond, found.last);
	if (expectation->value.reconnects.within_ns == INT64_MAX)
		return;
	for (size_t i = 0; i < groups->n_groups; i++) {
		const struct attempt_group *group = &groups->groups[i];
		const struct when first = first_end(group, false);

		/* After the first end by a fault, those by the client count, too. */
		for (size_t k = 0; has_ended(first) && k < group->n_attempts; k++) {
			struct when end = end_of(group->attempts[k]);

			if (group->attempts[k]->end == END_ESTABLISHED && has_ended(end) &&
			    end.latest_ns >= first.latest_ns &&
			    !has_another(group, k, end.latest_ns))
				judge_within(ctx, expectation, group, k, &n_wrong);
		}
	}
}

/* ---- stale ---- */

/* Returns when the client was done with a dead connection: it let go of it, or tried again. */
static struct when done_with(const struct attempt_group *group, size_t index, struct when from)
{
	struct when done = attempt_let_go(group->attempts[index]);

	for (size_t i = index + 1; i < group->n_attempts; i++) {
		const struct attempt_history *next = group->attempts[i];

		if (next->started_ns <= from.earliest_ns || next->started_ns >= done.latest_ns)
			continue;
		done.earliest_ns = MIN(done.earliest_ns, next->started_earliest_ns);
		done.latest_ns = next->started_ns;
	}
	done.earliest_ns = MAX(done.earliest_ns, from.earliest_ns);
	return done;
}

static void judge_stale_of(struct judge_ctx *ctx, const struct expectation *expectation,
			   const struct attempt_group *group, size_t index, struct time_span *span,
			   size_t *n_wrong)
{
	const struct attempt_history *attempt = group->attempts[index];
	struct time_bounds bounds = expected_bounds(expectation, ctx->timing_scale);
	struct when from = end_by_fault(attempt), to = done_with(group, index, from);
	int64_t end_ns = end_of_run(ctx, group->instance);
	bool open = to.latest_ns > end_ns;
	AUTO_FREE char *took = NULL, *what = NULL;
	struct range known;
	int64_t took_ns;
	enum truth truth;

	if (open)
		to = (struct when){end_ns, end_ns};
	known = span_between(&ctx->delays, from, to, from.earliest_ns, 0, 0);
	/* No client notices an end before it comes. */
	known.low = MAX(known.low, INT64_C(0));
	known.high = MAX(known.high, known.low);
	/* The end of the client closes all that it still has. */
	if (open && end_ns == ctx->history.stopped_ns)
		known.high = INT64_MAX;
	truth = truth_of_range(known, allowed_range(&bounds));
	took_ns = to.latest_ns - from.latest_ns;
	time_span_add(span, took_ns, attempt);
	if (truth == TRUTH_MET || ++*n_wrong > MAX_ALIKE_FINDINGS)
		return;
	took = time_text(took_ns);
	/* It may have let go of it in time, had the run gone on. */
	if (known.high == INT64_MAX && truth == TRUTH_UNKNOWN) {
		findings_add(ctx, WEIGHT_UNDECIDED, .expectation = expectation,
			     .message = xasprintf("stale: the run ended %s after a fault had ended "
						  "the connection of attempt %" PRIu32
						  ", which was still open",
						  took, ctx->record->attempts[attempt->id].number),
			     .attempt = attempt);
		return;
	}
	what = xasprintf("stale connection of attempt %" PRIu32,
			 ctx->record->attempts[attempt->id].number);
	findings_add_truth(
		ctx, truth, &known, .expectation = expectation,
		.subject = subject_at(ctx, what, ctx->record->attempts[attempt->id].endpoint),
		.expected = bounds_text(&bounds),
		.actual = known.high == INT64_MAX ? xasprintf("still open after %s", took)
						  : xstrdup(took),
		.miss = time_miss_text(&bounds, took_ns), .attempt = attempt);
}

void judge_stale(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);
	struct time_bounds bounds = expected_bounds(expectation, ctx->timing_scale);
	struct time_span span = {0};
	size_t n_wrong = 0;

	for (size_t i = 0; i < groups->n_groups; i++)
		for (size_t k = 0; k < groups->groups[i].n_attempts; k++)
			if (has_ended(end_by_fault(groups->groups[i].attempts[k])))
				judge_stale_of(ctx, expectation, &groups->groups[i], k, &span,
					       &n_wrong);
	assessment_set_times(ctx, expectation, &bounds, &span);
	if (span.n_times == 0)
		findings_add_truth(ctx,
				   instance_may_hide(ctx, INSTANCE_UNKNOWN) ? TRUTH_UNKNOWN
									    : TRUTH_BROKEN,
				   NULL, .expectation = expectation,
				   .subject = subject_at(ctx, "stale", expectation->endpoint),
				   .expected = bounds_text(&bounds),
				   .actual = xstrdup("no connection that a fault ended"));
}

/* ---- concurrent-connections ---- */

/* A moment at which a connection begins or ends. */
struct change {
	int64_t at_ns;
	int step; /* +1, -1 */
	const struct attempt_history *attempt;
};

static int compare_changes(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	/* at the same time, ends come first */
	return COMPARE(x->at_ns, y->at_ns) ?: x->step - y->step;
}

/* Bounds how much longer the connection would have lived without delays, beside its next one. */
static int64_t drawn_out(const struct judge_ctx *ctx, const struct attempt_group *group,
			 size_t index, struct when end)
{
	for (size_t i = index + 1; i < group->n_attempts; i++) {
		int64_t next_ns = group->attempts[i]->started_ns;

		if (next_ns < end.latest_ns)
			continue;
		/* If the client was idle in between, none of its timers was overdue. */
		if (next_ns - end.latest_ns -
			    delays_of_client(&ctx->delays, end.latest_ns, next_ns) >
		    RESOLUTION_NS)
			return 0;
		return delays_of_client(&ctx->delays, group->attempts[index]->started_ns, next_ns);
	}
	return 0;
}

/*
 * Returns how many connections there were at once at most, by how long each may have lived: see
 * peak_fn.
 */
static int64_t peak_of(const struct judge_ctx *ctx, const struct attempt_group *group, bool longest,
		       int64_t limit, const struct attempt_history **ret_beyond)
{
	AUTO_FREE struct change *changes = xmalloc((2 * group->n_attempts + 1) * sizeof(*changes));
	int64_t peak = 0, now = 0;
	size_t n = 0;

	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];
		struct when end = end_of(attempt);
		int64_t from_ns = longest ? attempt->ended_earliest_ns : attempt->ended_ns;
		int64_t to_ns = longest ? end.latest_ns : end.earliest_ns;

		/* Without the disturbance it might not have been made. */
		if (attempt->end != END_ESTABLISHED ||
		    (!longest && attempt->started_ns >= ctx->disturbed_ns))
			continue;
		if (has_ended(end) && longest)
			to_ns += drawn_out(ctx, group, i, end) - RESOLUTION_NS;
		else if (has_ended(end))
			to_ns -= RESOLUTION_NS +
				 delays_of_client(&ctx->delays, attempt->started_ns, end.latest_ns);
		changes[n++] = (struct change){from_ns, 1, attempt};
		changes[n++] = (struct change){MAX(to_ns, from_ns + 1), -1, attempt};
	}
	qsort(changes, n, sizeof(*changes), compare_changes);
	for (size_t i = 0; i < n; i++) {
		now += changes[i].step;
		if (now > limit && !*ret_beyond)
			*ret_beyond = changes[i].attempt;
		peak = MAX(peak, now);
	}
	return peak;
}

void judge_concurrent_connections(struct judge_ctx *ctx, const struct expectation *expectation)
{
	judge_peaks(ctx, expectation, "concurrent connections", peak_of);
}
