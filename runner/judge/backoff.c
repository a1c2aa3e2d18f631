/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on time: how long the client ran, its pauses between attempts, and the times from
 * start to start. Pauses are numbered from 1: pause k lies between attempts k and k + 1 at the
 * endpoint that the expectation is about (or at all endpoints), or between rounds.
 */
#include "runner/judge/backoff.h"

#include <inttypes.h>

#include "common/text.h"
#include "runner/judge/findings.h"
#include "runner/judge/jitter_test.h"
#include "runner/judge/measurements.h"
#include "runner/scenario/policy.h"
#include "runner/scenario/policy_bounds.h"

/* A client that has fallen behind its schedule catches up within this many attempts. */
#define MAX_CATCHING_UP 16
/* An attempt that begins this much before the notice of the last one's end counts as after it. */
#define LATE_NOTICE_NS (50 * NS_PER_MS)

/* Bounds how long an instance would have run without delays. */
static struct range duration_of(struct judge_ctx *ctx, const struct event *exit, int64_t started_ns)
{
	struct when from = {started_ns, started_ns};
	struct when to = {event_earliest_ns(exit), exit->at_ns};
	int64_t late_ns = 0;
	struct range known;

	for (size_t i = 0; i < ctx->history.n_attempts; i++) {
		uint32_t instance = ctx->record->attempts[i].instance;

		if (instance == exit->u.exit.instance || instance == INSTANCE_UNKNOWN)
			late_ns += attempt_lateness(&ctx->history.attempts[i]);
	}
	late_ns += delays_of_servers(&ctx->delays, started_ns, exit->at_ns);
	known = span_between(&ctx->delays, from, to, started_ns, 0, late_ns);
	/* The same delay can have held up client and servers, and counts for both. */
	known.low = MAX(known.low, 0);
	/* Delays that prevented attempts made the client end sooner. */
	known.high += instance_hidden_ns(ctx, exit->u.exit.instance);
	if (ctx->disturbed_ns != INT64_MAX)
		known = (struct range){0, MAX(known.high, INT64_MAX / 4)};
	return known;
}

/* Returns whether the duration is as expected. */
static bool judge_duration_of(struct judge_ctx *ctx, const struct expectation *expectation,
			      const struct event *exit, int64_t started_ns)
{
	struct time_bounds bounds = expected_bounds(expectation, ctx->timing_scale);
	struct range known = duration_of(ctx, exit, started_ns);
	enum truth truth = truth_of_range(known, allowed_range(&bounds));
	int64_t duration_ns = exit->at_ns - started_ns;

	if (truth == TRUTH_MET)
		return true;
	findings_add_truth(ctx, truth, &known, .expectation = expectation,
			   .subject = subject_of_instance(ctx, "duration", exit->u.exit.instance),
			   .expected = bounds_text(&bounds), .actual = time_text(duration_ns),
			   .miss = time_miss_text(&bounds, duration_ns));
	return false;
}

/* Reports the first instance whose duration is not as expected. */
void judge_duration(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct record *record = ctx->record;
	AUTO_FREE int64_t *started_ns = xzalloc(record->n_instances * sizeof(*started_ns));
	struct time_bounds bounds = expected_bounds(expectation, ctx->timing_scale);
	const struct event *shown = NULL;
	struct time_span span = {0};
	bool good = true;

	for (size_t i = 0; i < ctx->history.n_process_events; i++) {
		const struct event *event = ctx->history.process_events[i];
		uint32_t instance;

		if (event->kind == EVENT_START && event->u.start.instance < record->n_instances)
			started_ns[event->u.start.instance] = event->at_ns;
		instance = event->u.exit.instance;
		if (event->kind != EVENT_EXIT || instance >= record->n_instances)
			continue;
		time_span_add(&span, event->at_ns - started_ns[instance], NULL);
		if (!good)
			continue;
		shown = event;
		good = judge_duration_of(ctx, expectation, event, started_ns[instance]);
	}
	assessment_set(ctx, expectation, .expected = bounds_text(&bounds),
		       .actual = time_span_text(&span), .event = shown);
}

/*
 * Returns since when a delay can have made an attempt late: since the last attempt after which the
 * client was idle. A client that is catching up with its schedule is not idle. *@ret_late_ns is how
 * late synfault's answers were in that time.
 */
static int64_t late_since(const struct judge_ctx *ctx, const struct attempt_group *group,
			  size_t index, int64_t *ret_late_ns)
{
	*ret_late_ns = 0;
	for (size_t i = index; i > 0; i--) {
		const struct attempt_history *before = group->attempts[i - 1];
		int64_t next_ns = group->attempts[i]->started_ns;
		int64_t rest_ns;

		*ret_late_ns += attempt_lateness(before);
		if (before->over_ns == INT64_MAX)
			return before->started_ns;
		rest_ns = next_ns - before->over_ns -
			  delays_of_client(&ctx->delays, before->over_ns, next_ns);
		if (rest_ns > RESOLUTION_NS || index - i == MAX_CATCHING_UP)
			return before->started_ns;
	}
	return delays_settled_since(&ctx->delays, group->client_start_ns,
				    group->attempts[0]->started_ns);
}

/* Bounds the time between two attempts of a group as it would be without delays. */
static struct range wait_known(const struct judge_ctx *ctx, const struct attempt_group *group,
			       size_t from, size_t to, bool start_to_start)
{
	const struct attempt_history *before = group->attempts[from], *next = group->attempts[to];
	struct when end = {before->over_earliest_ns, before->over_ns};
	struct when start = {before->started_earliest_ns, before->started_ns};
	struct when next_start = {next->started_earliest_ns, next->started_ns};
	int64_t late_ns = attempt_lateness(before), late_before_ns;
	int64_t since_ns = late_since(ctx, group, from, &late_before_ns);
	struct range known;

	if (start_to_start) {
		known = span_between(&ctx->delays, start, next_start, since_ns, late_before_ns,
				     late_ns);
		/* Attempts are in the order of their starts, whichever came first without delays.
		 */
		known.low = MAX(known.low, 0);
		return known;
	}
	known = span_between(&ctx->delays, end, next_start, since_ns, late_before_ns + late_ns, 0);
	/* The notice that an attempt was given up comes late: the next one can have begun before.
	 */
	if (before->end == END_ABANDONED &&
	    next_start.latest_ns >= end.earliest_ns - RESOLUTION_NS &&
	    next_start.earliest_ns >= end.latest_ns - LATE_NOTICE_NS)
		known.low = MAX(known.low, MIN(known.high, 0));
	return known;
}

/* Returns whether a client regards the attempt as a success. */
static bool succeeded(const struct attempt_history *attempt)
{
	return attempt_ending(attempt) == ENDING_CONNECTED;
}

static void add_wait(struct policy_wait *waits, size_t *n, const struct policy *policy,
		     const struct attempt_group *group, size_t to, size_t *number)
{
	if (policy->resets_on_success && succeeded(group->attempts[to - 1]))
		*number = 1;
	waits[(*n)++] = (struct policy_wait){to - 1, to, (*number)++};
}

size_t policy_waits(const struct record *record, const struct policy *policy,
		    const struct attempt_group *group, struct policy_wait **ret)
{
	struct policy_wait *waits = xmalloc((group->n_attempts + 1) * sizeof(*waits));
	AUTO_FREE size_t *round_of =
		policy->per_round ? xzalloc((record_n_addresses(record) + 1) * sizeof(*round_of))
				  : NULL;
	size_t n = 0, number = 1, round = 1;

	for (size_t i = 0; i < group->n_attempts; i++) {
		size_t *last =
			round_of ? &round_of[record_address_index(record, group->attempts[i]->id)]
				 : NULL;

		if (i > 0 && (!last || *last == round)) {
			add_wait(waits, &n, policy, group, i, &number);
			round++;
		}
		if (last)
			*last = round;
	}
	*ret = waits;
	return n;
}

static struct range allowed_wait(const struct expectation *expectation,
				 const struct attempt_group *group, const struct policy_wait *wait,
				 bool *ret_plain)
{
	const struct policy *policy = &expectation->value.policy;
	bool start_to_start = expectation->kind == EXPECT_ATTEMPT_DELAY;
	int64_t before_ns = policy->base_ns;
	struct range range;

	*ret_plain = true;
	/* With rounds the wait before is unknown, so allow any up to the cap. */
	if (policy->jitter == JITTER_DECORRELATED && wait->number > 1 &&
	    (policy->per_round ||
	     !attempt_wait(group, wait->from - 1, wait->from, start_to_start, &before_ns)))
		before_ns = policy->cap_ns;
	range = policy_wait_after(policy, wait->number, before_ns);
	if ((policy->waits_for_end || policy->ends_early) && wait->to < group->n_attempts) {
		const struct attempt_history *before = group->attempts[wait->from];
		bool ended = before->end != END_OPEN;
		int64_t took_ns = ended ? before->ended_ns - before->started_ns : 0;

		if (policy->waits_for_end && took_ns > range.low) {
			range.high = MAX(range.high, took_ns);
			*ret_plain = false;
		}
		if (policy->ends_early && ended && before->end != END_ESTABLISHED) {
			range.low = MIN(range.low, took_ns);
			*ret_plain = false;
		}
	}
	return range;
}

struct time_bounds policy_wait_bounds(const struct expectation *expectation,
				      const struct attempt_group *group,
				      const struct policy_wait *wait, double scale, bool *ret_plain)
{
	const struct policy *policy = &expectation->value.policy;
	struct time_bounds bounds = {
		.exact = allowed_wait(expectation, group, wait, ret_plain),
		.scale = scale,
	};
	bool range = (policy->kind == POLICY_LIST || policy->kind == POLICY_RANGE) &&
		     bounds.exact.low < bounds.exact.high && !policy->name;

	if (!range)
		bounds.tolerance = expectation->tolerance;
	return bounds;
}

/* The pauses (or times from start to start) that one expectation is about. */
struct waits {
	struct judge_ctx *ctx;
	const struct expectation *expectation;
	const struct policy *policy;
	bool start_to_start;
	const char *one; /* "backoff" or "attempt delay" */
	/* Of the instance that is being judged. */
	const struct attempt_group *group;
	struct policy_wait *list;
	size_t n_list;
	/* Of all instances. */
	size_t n_wrong, n_unknown; /* including those that are not shown */
	const struct attempt_history *first_hidden;
	bool fitted; /* the first finding has named the policy that they fit */
	struct jitter_test_sample *samples;
	size_t n_samples, samples_capacity;
	struct time_span span; /* of all waits */
	struct strbuf first;   /* the first LISTED_WAITS, one by one */
};

/* Names a wait: "backoff 2 at api". The number is that of the attempt after it in the table. */
static char *wait_subject(const struct waits *waits, const struct policy_wait *wait)
{
	AUTO_FREE char *what = xasprintf("%s %zu", waits->one, wait->to);

	return subject_of_group(waits->ctx, what, waits->expectation->endpoint, waits->group);
}

static char *waits_subject(const struct waits *waits)
{
	return subject_of_group(waits->ctx, expectation_kind_name(waits->expectation->kind),
				waits->expectation->endpoint, waits->group);
}

static char *first_fit(struct waits *waits)
{
	if (waits->fitted)
		return NULL;
	waits->fitted = true;
	return fit_text(waits->ctx, waits->expectation->endpoint, waits->start_to_start);
}

/* Measures a wait; returns false if there was none. */
static bool measure(const struct waits *waits, const struct policy_wait *wait, int64_t *ret_ns)
{
	return attempt_wait(waits->group, wait->from, wait->to, waits->start_to_start, ret_ns);
}

static struct time_bounds wait_bounds(const struct waits *waits, const struct policy_wait *wait,
				      bool *ret_plain)
{
	return policy_wait_bounds(waits->expectation, waits->group, wait, waits->ctx->timing_scale,
				  ret_plain);
}

/* Adds a failure: the client went on while its attempt was open, which is its own behaviour. */
static void add_never_closed(struct waits *waits, const struct policy_wait *wait)
{
	bool plain;
	struct time_bounds bounds = wait_bounds(waits, wait, &plain);
	AUTO_FREE char *expected = bounds_text(&bounds);
	char *subject = wait_subject(waits, wait);

	findings_add(waits->ctx, WEIGHT_FAILED, .expectation = waits->expectation,
		     .subject = subject, .expected = xstrdup(expected), .actual = xstrdup("none"),
		     .message = xasprintf(
			     "%s: expected %s, but the client never closed attempt %zu (its socket "
			     "was still open when attempt %zu started), so there was no wait",
			     subject, expected, wait->from + 1, wait->to + 1),
		     .looks_like = first_fit(waits), .attempt = waits->group->attempts[wait->from]);
}

static void add_wrong(struct waits *waits, const struct policy_wait *wait, int64_t wait_ns,
		      const struct range *known, enum truth truth)
{
	bool plain;
	struct time_bounds bounds = wait_bounds(waits, wait, &plain);
	AUTO_FREE char *expected = bounds_text(&bounds);
	char *subject = wait_subject(waits, wait), *message = NULL;

	if (wait_ns < 0) {
		AUTO_FREE char *overlap = time_text(-wait_ns);

		message = xasprintf("%s: expected %s, but attempts %zu and %zu overlap: attempt "
				    "%zu started %s before attempt %zu ended",
				    subject, expected, wait->from + 1, wait->to + 1, wait->to + 1,
				    overlap, wait->from + 1);
	}
	findings_add_truth(waits->ctx, truth, known, .expectation = waits->expectation,
			   .subject = subject, .expected = xstrdup(expected),
			   .actual = time_text(wait_ns), .miss = time_miss_text(&bounds, wait_ns),
			   .message = message, .looks_like = first_fit(waits),
			   .attempt = waits->group->attempts[wait->to]);
}

/* Says whether a missing wait fails, or delays may have prevented it. */
static enum truth truth_of_missing(struct waits *waits)
{
	return instance_may_hide(waits->ctx, waits->group->instance) ? TRUTH_UNKNOWN : TRUTH_BROKEN;
}

static void check_list_length(struct waits *waits)
{
	int64_t expected = (int64_t)waits->policy->n_list, actual = (int64_t)waits->n_list;
	bool many = actual > expected;

	if (actual == expected)
		return;
	findings_add_truth(
		waits->ctx, many ? TRUTH_BROKEN : truth_of_missing(waits), NULL,
		.expectation = waits->expectation, .subject = waits_subject(waits),
		/* "expected 1" alone reads like a time. */
		.expected = xasprintf("%" PRId64 " %s%s", expected, waits->one, PLURAL(expected)),
		.actual = xasprintf("%" PRId64, actual),
		.miss = count_miss_text((struct range){actual, actual},
					(struct range){expected, expected}),
		.looks_like = first_fit(waits),
		.attempt = many ? waits->group->attempts[waits->list[expected].to] : NULL);
}

/* Counts rounds if the policy is about rounds, and starts again after each success if it resets. */
static void check_max_attempts(struct waits *waits)
{
	int64_t most = waits->policy->max_attempts, actual = 0;

	if (most == 0)
		return;
	for (size_t i = 0; i < waits->n_list; i++) {
		actual = (int64_t)waits->list[i].number + 1;
		if (actual != most + 1)
			continue;
		findings_add(waits->ctx, WEIGHT_FAILED, .expectation = waits->expectation,
			     .subject = subject_of_group(
				     waits->ctx, waits->policy->per_round ? "rounds" : "attempts",
				     waits->expectation->endpoint, waits->group),
			     .expected = xasprintf("at most %" PRId64, most),
			     .actual = xasprintf("%zu", waits->n_list + 1),
			     .miss = xasprintf("%zu too many", waits->n_list + 1 - (size_t)most),
			     .looks_like = first_fit(waits),
			     .attempt = waits->group->attempts[waits->list[i].to]);
		return;
	}
}

static void add_nothing_to_look_at(struct waits *waits)
{
	const struct policy_wait first = {0, 1, 1};
	bool plain;
	struct time_bounds bounds = wait_bounds(waits, &first, &plain);
	char *subject = waits_subject(waits);
	size_t n = waits->group->n_attempts;

	findings_add_truth(waits->ctx, truth_of_missing(waits), NULL,
			   .expectation = waits->expectation, .subject = subject,
			   .expected = bounds_text(&bounds), .actual = xstrdup("none"),
			   .message = xasprintf("%s: no %s to judge: %zu attempt%s", subject,
						waits->one, n, PLURAL(n)));
}

static void add_more(struct waits *waits)
{
	char *subject = subject_at(waits->ctx, expectation_kind_name(waits->expectation->kind),
				   waits->expectation->endpoint);

	findings_add(waits->ctx, WEIGHT_FAILED, .expectation = waits->expectation,
		     .subject = subject,
		     .message = xasprintf("%s: %zu more are not as expected", subject,
					  waits->n_wrong - MAX_ALIKE_FINDINGS),
		     .attempt = waits->first_hidden);
}

/* Adds the place of a wait in its band, and the places that it may have had without delays. */
static void add_sample(struct waits *waits, const struct policy_wait *wait,
		       const struct time_bounds *bounds, int64_t wait_ns, const struct range *known)
{
	struct range wide = allowed_range(bounds);
	double low = (double)bounds->exact.low, band = (double)bounds->exact.high - low;
	double late = (double)(wide.high - bounds->exact.high) + (double)(wait_ns - known->low);
	double early = (double)(bounds->exact.low - wide.low) + (double)(known->high - wait_ns);
	struct jitter_test_sample sample = {.number = wait->number,
					    .place = ((double)wait_ns - low) / band};
	bool chained = waits->policy->jitter == JITTER_DECORRELATED;

	if (!(band > 0))
		return;
	sample.earliest = sample.place - late / band;
	sample.latest = sample.place + early / band;
	if (chained) {
		/*
		 * The width of the band follows from the wait before, which was measured late, too.
		 * Also, each wait that would have been longer than the cap is as long as the cap.
		 */
		sample.alone = wait->number > 1;
		sample.latest += (waits->policy->factor * late) / band;
		if (bounds->exact.high >= waits->policy->cap_ns)
			return;
	}
	array_append(waits->samples, waits->n_samples, waits->samples_capacity, sample);
}

/* How many waits of a single client are shown one by one. */
enum { LISTED_WAITS = 6 };

static void add_time(struct waits *waits, const struct policy_wait *wait, int64_t wait_ns)
{
	char text[DURATION_TEXT_SIZE];

	time_span_add(&waits->span, wait_ns, waits->group->attempts[wait->to]);
	if (waits->span.n_times <= LISTED_WAITS)
		strbuf_printf(&waits->first, "%s%s", waits->first.length > 0 ? ", " : "",
			      duration_format(wait_ns, text));
}

/* Sets the assessment: what the policy expects, beside all the waits. */
static void add_measured(struct waits *waits, bool single)
{
	const struct policy *policy = waits->policy;
	const struct tolerance *tolerance = &waits->expectation->tolerance;
	const struct tolerance none = {0};
	double scale = waits->ctx->timing_scale;
	struct strbuf expected = {0};

	if (policy->kind == POLICY_LIST) {
		for (size_t i = 0; i < policy->n_list; i++) {
			bool range = policy->list[i].low < policy->list[i].high;
			AUTO_FREE char *one =
				policy_wait_text(policy->list[i], range ? &none : tolerance, scale);

			strbuf_printf(&expected, "%s%s", i > 0 ? ", " : "", one);
		}
		if (policy->n_list == 0)
			strbuf_puts(&expected, "none");
	} else if (policy->kind == POLICY_FIXED && policy->jitter == JITTER_NONE) {
		AUTO_FREE char *each = policy_wait_text(
			(struct range){policy->base_ns, policy->base_ns}, tolerance, scale);

		strbuf_printf(&expected, "each %s", each);
	} else {
		policy_describe(policy, &expected);
	}
	assessment_set(waits->ctx, waits->expectation, .expected = strbuf_steal(&expected),
		       .actual = single && waits->span.n_times <= LISTED_WAITS &&
						 waits->first.length > 0
					 ? xstrdup(strbuf_text(&waits->first))
					 : time_span_text(&waits->span),
		       .attempt = waits->span.attempt);
}

static void check_wait(struct waits *waits, const struct policy_wait *wait)
{
	bool plain;
	struct time_bounds bounds = wait_bounds(waits, wait, &plain);
	int64_t wait_ns = 0;
	bool open = !measure(waits, wait, &wait_ns);
	struct range known = {0}, allowed = allowed_range(&bounds);
	enum truth truth = TRUTH_BROKEN;

	if (!open) {
		add_time(waits, wait, wait_ns);
		known = wait_known(waits->ctx, waits->group, wait->from, wait->to,
				   waits->start_to_start);
		/* Overlaps below the resolution don't count. */
		if (allowed.low == 0)
			allowed.low = -RESOLUTION_NS;
		truth = truth_of_range(known, allowed);
	}
	if (truth == TRUTH_MET) {
		if (plain && !(wait->number == 1 && waits->policy->first_plain))
			add_sample(waits, wait, &bounds, wait_ns, &known);
		return;
	}
	/* Unknown waits are limited separately: ten of them must not hide one that is wrong. */
	if ((truth == TRUTH_UNKNOWN ? ++waits->n_unknown : ++waits->n_wrong) > MAX_ALIKE_FINDINGS) {
		if (truth == TRUTH_BROKEN && !waits->first_hidden)
			waits->first_hidden = waits->group->attempts[wait->to];
	} else if (open) {
		add_never_closed(waits, wait);
	} else {
		add_wrong(waits, wait, wait_ns, &known, truth);
	}
}

static void check_group(struct waits *waits)
{
	size_t n_checked;
	int64_t wait_ns;

	waits->n_list = policy_waits(waits->ctx->record, waits->policy, waits->group, &waits->list);
	n_checked = waits->n_list;
	if (waits->policy->kind == POLICY_LIST)
		n_checked = MIN(n_checked, waits->policy->n_list);
	else if (waits->n_list == 0)
		add_nothing_to_look_at(waits);
	for (size_t i = 0; i < n_checked; i++)
		check_wait(waits, &waits->list[i]);
	for (size_t i = n_checked; i < waits->n_list; i++)
		if (measure(waits, &waits->list[i], &wait_ns))
			add_time(waits, &waits->list[i], wait_ns);
	if (waits->policy->kind == POLICY_LIST)
		check_list_length(waits);
	check_max_attempts(waits);
	free(waits->list);
}

static char *spread_text(const struct waits *waits, const struct jitter_test *spread)
{
	if (spread->number > 0)
		return xasprintf(
			"%s %zu of all %zu instances within %.3g %% of the time over which it "
			"should be spread",
			waits->one, spread->number, spread->n_waits, 100 * spread->width);
	return xasprintf("too many of %zu %ss are %s: their distribution is %.2f off, more than "
			 "%.2f",
			 spread->n_waits, waits->one, spread->low ? "short" : "long",
			 spread->distance, spread->limit);
}

/* With several instances of the client: checks that the waits are spread as jitter spreads them. */
static void check_spread(struct waits *waits)
{
	struct jitter_test spread = jitter_test(waits->samples, waits->n_samples);
	AUTO_FREE char *what = xasprintf("jitter of %ss", waits->one);
	AUTO_STRBUF struct strbuf policy = {0};

	if (!spread.wrong)
		return;
	policy_describe(waits->policy, &policy);
	findings_add(waits->ctx, WEIGHT_FAILED, .expectation = waits->expectation,
		     .subject = subject_at(waits->ctx, what, waits->expectation->endpoint),
		     .expected = xasprintf("spread evenly (%s)", strbuf_text(&policy)),
		     .actual = spread_text(waits, &spread),
		     .miss = xstrdup("by chance in at most 1 of 10,000 runs"),
		     .looks_like = first_fit(waits));
}

void judge_backoff(struct judge_ctx *ctx, const struct expectation *expectation)
{
	struct waits waits = {
		.ctx = ctx,
		.expectation = expectation,
		.policy = &expectation->value.policy,
		.start_to_start = expectation->kind == EXPECT_ATTEMPT_DELAY,
		.one = expectation->kind == EXPECT_ATTEMPT_DELAY ? "attempt delay" : "backoff",
	};
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);

	for (size_t i = 0; i < groups->n_groups; i++) {
		waits.group = &groups->groups[i];
		check_group(&waits);
	}
	if (waits.n_wrong > MAX_ALIKE_FINDINGS)
		add_more(&waits);
	if (groups->n_groups > 1 && waits.policy->jitter != JITTER_NONE &&
	    waits.n_wrong + waits.n_unknown == 0)
		check_spread(&waits);
	add_measured(&waits, groups->n_groups == 1);
	strbuf_free(&waits.first);
	free(waits.samples);
}

/* ---- total-backoff ---- */

/* Adds up the pauses; after an attempt that was left open there is none. */
static struct range total_backoff(const struct judge_ctx *ctx, const struct attempt_group *group,
				  int64_t *ret_measured_ns)
{
	struct range total = {0, 0};

	*ret_measured_ns = 0;
	for (size_t k = 1; k < group->n_attempts; k++) {
		struct range known;
		int64_t wait_ns;

		if (!attempt_wait(group, k - 1, k, false, &wait_ns))
			continue;
		known = wait_known(ctx, group, k - 1, k, false);
		total.low += MAX(known.low, 0);
		total.high += MAX(known.high, 0);
		*ret_measured_ns += MAX(wait_ns, 0);
	}
	return total;
}

void judge_total_backoff(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);
	struct time_bounds bounds = expected_bounds(expectation, ctx->timing_scale);
	struct time_span span = {0};
	size_t n_wrong = 0;

	for (size_t i = 0; i < groups->n_groups; i++) {
		const struct attempt_group *group = &groups->groups[i];
		int64_t total_ns = 0;
		struct range known = total_backoff(ctx, group, &total_ns);
		enum truth truth = truth_of_range(known, allowed_range(&bounds));

		/* Another attempt would have made it longer. */
		if (truth != TRUTH_UNKNOWN && total_ns <= allowed_range(&bounds).high &&
		    instance_may_hide(ctx, group->instance))
			truth = TRUTH_UNKNOWN;
		time_span_add(&span, total_ns,
			      group->n_attempts > 0 ? group->attempts[group->n_attempts - 1]
						    : NULL);
		if (truth == TRUTH_MET || ++n_wrong > MAX_ALIKE_FINDINGS)
			continue;
		findings_add_truth(ctx, truth, &known, .expectation = expectation,
				   .subject = subject_of_group(ctx, "backoff in all",
							       expectation->endpoint, group),
				   .expected = bounds_text(&bounds), .actual = time_text(total_ns),
				   .miss = time_miss_text(&bounds, total_ns),
				   .looks_like = fit_text(ctx, expectation->endpoint, false));
	}
	assessment_set_times(ctx, expectation, &bounds, &span);
}
