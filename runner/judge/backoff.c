/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on time: the client's duration, its waits between attempts, the intervals from start
 * to start. A wait is named by its number, from 1: wait k lies between attempts k and k + 1 of
 * those that are looked at (of one endpoint, or of all).
 */
#include <inttypes.h>

#include "runner/judge/jitter_test.h"
#include "runner/judge/judging.h"
#include "runner/scenario/policy.h"
#include "runner/scenario/policy_bounds.h"

struct time_bounds judging_bounds(const struct judging *judging,
				  const struct expectation *expectation)
{
	struct time_bounds bounds = {.exact = expectation->value.range.range,
				     .scale = judging->timing_scale};

	if (expectation->value.range.exact)
		bounds.tolerance = expectation->tolerance;
	return bounds;
}

int64_t time_miss(const struct time_bounds *bounds, int64_t time_ns)
{
	struct range range = tolerance_apply(bounds->exact, &bounds->tolerance, bounds->scale);

	if (time_ns < range.low)
		return time_ns - range.low;
	return time_ns > range.high ? time_ns - range.high : 0;
}

char *time_text(int64_t time_ns)
{
	char text[DURATION_TEXT_SIZE];

	return xstrdup(duration_format(time_ns, text));
}

char *miss_text(int64_t miss_ns)
{
	AUTO_FREE char *size = time_text(miss_ns < 0 ? -miss_ns : miss_ns);

	return xasprintf("%s too %s", size, miss_ns < 0 ? "short" : "long");
}

char *bounds_text(const struct time_bounds *bounds)
{
	return policy_wait_text(bounds->exact, &bounds->tolerance, bounds->scale);
}

/* Returns whether it is as expected. */
static bool judge_duration_of(struct judging *judging, const struct expectation *expectation,
			      uint32_t instance, int64_t duration_ns)
{
	struct time_bounds bounds = judging_bounds(judging, expectation);
	int64_t miss_ns = time_miss(&bounds, duration_ns);

	if (miss_ns == 0)
		return true;
	judging_add_time(judging,
			 &(struct finding_parts){
				 .expectation = expectation,
				 .subject = judging_instance_subject(judging, "duration", instance),
				 .expected = bounds_text(&bounds),
				 .actual = time_text(duration_ns),
				 .miss = miss_text(miss_ns),
			 },
			 miss_ns);
	return false;
}

/* Each instance's; the first that is not as expected is shown. */
void judge_duration(struct judging *judging, const struct expectation *expectation)
{
	const struct record *record = judging->record;
	AUTO_FREE int64_t *started_ns = xzalloc(record->n_instances * sizeof(*started_ns));
	struct time_bounds bounds = judging_bounds(judging, expectation);
	const struct event *shown = NULL;
	struct time_span span = {0};
	bool good = true;

	for (size_t i = 0; i < judging->history.n_process_events; i++) {
		const struct event *event = judging->history.process_events[i];
		int64_t duration_ns;

		if (event->kind == EVENT_START && event->u.start.instance < record->n_instances)
			started_ns[event->u.start.instance] = event->at_ns;
		if (event->kind != EVENT_EXIT || event->u.exit.instance >= record->n_instances)
			continue;
		duration_ns = event->at_ns - started_ns[event->u.exit.instance];
		time_span_add(&span, duration_ns, NULL);
		if (!good)
			continue;
		shown = event;
		good = judge_duration_of(judging, expectation, event->u.exit.instance, duration_ns);
	}
	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = bounds_text(&bounds),
				 .actual = time_span_text(&span),
				 .event = shown,
			 });
}

/* The waits (or intervals) of one expectation. */
struct waits {
	struct judging *judging;
	const struct expectation *expectation;
	const struct policy *policy;
	bool intervals;
	const char *one; /* "wait" or "interval" */
	/* Of the instance of the client that is looked at. */
	const struct attempt_group *group;
	/* Of all instances. */
	size_t n_wrong, n_lag; /* that were found, those not shown included */
	const struct attempt_history *first_hidden;
	bool fitted; /* a finding has the policy that they fit: the first one */
	struct jitter_test_sample *samples;
	size_t n_samples, samples_capacity;
	struct time_span span; /* of all that there were */
	struct strbuf first;   /* the first few one by one */
};

/* "backoff 2 at api" */
static char *wait_subject(const struct waits *waits, size_t k)
{
	AUTO_FREE char *what = xasprintf("%s %zu", waits->one, k);

	return judging_group_subject(waits->judging, what, waits->expectation->endpoint,
				     waits->group);
}

static char *waits_subject(const struct waits *waits)
{
	return judging_group_subject(waits->judging,
				     expectation_kind_name(waits->expectation->kind),
				     waits->expectation->endpoint, waits->group);
}

static char *first_fit(struct waits *waits)
{
	if (waits->fitted)
		return NULL;
	waits->fitted = true;
	return judging_fit(waits->judging, waits->expectation->endpoint, waits->intervals);
}

/* How long wait number @k was; false when there was none. */
static bool measure(const struct waits *waits, size_t k, int64_t *ret_ns)
{
	return attempt_wait(waits->group, k, waits->intervals, ret_ns);
}

static struct range allowed_wait(const struct expectation *expectation,
				 const struct attempt_group *group, size_t k, bool *ret_plain)
{
	const struct policy *policy = &expectation->value.policy;
	int64_t before_ns = policy->base_ns;
	struct range range;

	*ret_plain = true;
	if (policy->jitter == JITTER_DECORRELATED && k > 1 &&
	    !attempt_wait(group, k - 1, expectation->kind == EXPECT_ATTEMPT_DELAY, &before_ns))
		before_ns = policy->cap_ns;
	range = policy_wait_after(policy, k, before_ns);
	if ((policy->waits_for_end || policy->ends_early) && k < group->n_attempts) {
		const struct attempt_history *before = group->attempts[k - 1];
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

/*
 * A range that the user wrote is taken as it is; a single duration, and what a policy comes to, has
 * tolerance.
 */
struct time_bounds attempt_wait_bounds(const struct expectation *expectation,
				       const struct attempt_group *group, size_t k, double scale,
				       bool *ret_plain)
{
	const struct policy *policy = &expectation->value.policy;
	struct time_bounds bounds = {.exact = allowed_wait(expectation, group, k, ret_plain),
				     .scale = scale};
	bool range = (policy->kind == POLICY_LIST || policy->kind == POLICY_RANGE) &&
		     bounds.exact.low < bounds.exact.high && !policy->name;

	if (!range)
		bounds.tolerance = expectation->tolerance;
	return bounds;
}

static struct time_bounds wait_bounds(const struct waits *waits, size_t k, bool *ret_plain)
{
	return attempt_wait_bounds(waits->expectation, waits->group, k,
				   waits->judging->timing_scale, ret_plain);
}

/* The client went on while its attempt was still open: that is its behaviour, so it fails. */
static void add_never_closed(struct waits *waits, size_t k)
{
	bool plain;
	struct time_bounds bounds = wait_bounds(waits, k, &plain);
	AUTO_FREE char *expected = bounds_text(&bounds);
	char *subject = wait_subject(waits, k);

	judging_add(waits->judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = waits->expectation,
			    .subject = subject,
			    .expected = xstrdup(expected),
			    .actual = xstrdup("none"),
			    .message = xasprintf("%s: expected %s, but the client never closed "
						 "attempt %zu (its socket was still open when "
						 "attempt %zu started), so there was no wait",
						 subject, expected, k, k + 1),
			    .looks_like = first_fit(waits),
			    .has_attempt = true,
			    .attempt = waits->group->attempts[k - 1]->id,
		    });
}

static void add_wrong(struct waits *waits, size_t k, int64_t wait_ns, int64_t miss_ns)
{
	bool plain;
	struct time_bounds bounds = wait_bounds(waits, k, &plain);
	AUTO_FREE char *expected = bounds_text(&bounds);
	char *subject = wait_subject(waits, k), *message = NULL;

	if (wait_ns < 0) {
		AUTO_FREE char *overlap = time_text(-wait_ns);

		message = xasprintf("%s: expected %s, but attempts %zu and %zu overlap: attempt "
				    "%zu started %s before attempt %zu ended",
				    subject, expected, k, k + 1, k + 1, overlap, k);
	}
	judging_add_time(waits->judging,
			 &(struct finding_parts){
				 .expectation = waits->expectation,
				 .subject = subject,
				 .expected = xstrdup(expected),
				 .actual = time_text(wait_ns),
				 .miss = miss_text(miss_ns),
				 .message = message,
				 .looks_like = first_fit(waits),
				 .has_attempt = true,
				 .attempt = waits->group->attempts[k]->id,
			 },
			 miss_ns);
}

static void check_list_length(struct waits *waits, size_t actual)
{
	size_t expected = waits->policy->n_list;
	bool many = actual > expected;

	if (actual == expected)
		return;
	judging_add(waits->judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = waits->expectation,
			    .subject = waits_subject(waits),
			    .expected = xasprintf("%zu", expected),
			    .actual = xasprintf("%zu", actual),
			    .miss = many ? xasprintf("%zu too many", actual - expected)
					 : xasprintf("%zu too few", expected - actual),
			    .looks_like = first_fit(waits),
			    .has_attempt = many,
			    .attempt = many ? waits->group->attempts[expected + 1]->id : 0,
		    });
}

static void check_max_attempts(struct waits *waits)
{
	int64_t most = waits->policy->max_attempts, actual = (int64_t)waits->group->n_attempts;

	if (most == 0 || actual <= most)
		return;
	judging_add(waits->judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = waits->expectation,
			    .subject = judging_group_subject(waits->judging, "attempts",
							     waits->expectation->endpoint,
							     waits->group),
			    .expected = xasprintf("at most %" PRId64, most),
			    .actual = xasprintf("%" PRId64, actual),
			    .miss = xasprintf("%" PRId64 " too many", actual - most),
			    .looks_like = first_fit(waits),
			    .has_attempt = true,
			    .attempt = waits->group->attempts[most]->id,
		    });
}

static void add_nothing_to_look_at(struct waits *waits)
{
	bool plain;
	struct time_bounds bounds = wait_bounds(waits, 1, &plain);
	char *subject = waits_subject(waits);
	size_t n = waits->group->n_attempts;

	judging_add(waits->judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = waits->expectation,
			    .subject = subject,
			    .expected = bounds_text(&bounds),
			    .actual = xstrdup("none"),
			    .message = xasprintf("%s: no %s to look at: %zu attempt%s", subject,
						 waits->one, n, n == 1 ? "" : "s"),
		    });
}

static void add_more(struct waits *waits)
{
	char *subject =
		judging_subject(waits->judging, expectation_kind_name(waits->expectation->kind),
				waits->expectation->endpoint);

	judging_add(waits->judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = waits->expectation,
			    .subject = subject,
			    .message = xasprintf("%s: %zu more are not as expected", subject,
						 waits->n_wrong - MAX_ALIKE_FINDINGS),
			    .has_attempt = true,
			    .attempt = waits->first_hidden->id,
		    });
}

/* The place of a wait in its band, and where it would be without what may have delayed it. */
static void add_sample(struct waits *waits, size_t k, const struct time_bounds *bounds,
		       int64_t wait_ns)
{
	const struct judging *judging = waits->judging;
	struct range wide = tolerance_apply(bounds->exact, &bounds->tolerance, bounds->scale);
	double low = (double)bounds->exact.low, band = (double)bounds->exact.high - low;
	double late = (double)(wide.high - bounds->exact.high) + (double)judging->harness_lag_ns +
		      (double)judging->client_lag_ns;
	double early = (double)(bounds->exact.low - wide.low) + (double)judging->harness_lag_ns;
	struct jitter_test_sample sample = {.number = k, .place = ((double)wait_ns - low) / band};
	bool chained = waits->policy->jitter == JITTER_DECORRELATED;

	if (!(band > 0))
		return;
	sample.earliest = sample.place - late / band;
	sample.latest = sample.place + early / band;
	if (chained) {
		/*
		 * The band has its width from the wait before, which was measured late, too; and
		 * all that would have been longer than the cap is the cap.
		 */
		sample.alone = k > 1;
		sample.latest += (waits->policy->factor * late) / band;
		if (bounds->exact.high >= waits->policy->cap_ns)
			return;
	}
	array_append(waits->samples, waits->n_samples, waits->samples_capacity, sample);
}

/* Of the waits of a single client, so many are shown one by one. */
enum { LISTED_WAITS = 6 };

static void add_time(struct waits *waits, size_t k, int64_t wait_ns)
{
	char text[DURATION_TEXT_SIZE];

	time_span_add(&waits->span, wait_ns, waits->group->attempts[k]);
	if (waits->span.n_times <= LISTED_WAITS)
		strbuf_printf(&waits->first, "%s%s", waits->first.length > 0 ? ", " : "",
			      duration_format(wait_ns, text));
}

/* The expectation as a whole, beside all the waits. */
static void add_measured(struct waits *waits, bool single)
{
	const struct policy *policy = waits->policy;
	const struct tolerance *tolerance = &waits->expectation->tolerance;
	const struct tolerance none = {0};
	double scale = waits->judging->timing_scale;
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
	judging_measured(waits->judging, waits->expectation,
			 &(struct measured){
				 .expected = strbuf_steal(&expected),
				 .actual = single && waits->span.n_times <= LISTED_WAITS &&
							   waits->first.length > 0
						   ? xstrdup(strbuf_text(&waits->first))
						   : time_span_text(&waits->span),
				 .attempt = waits->span.attempt,
			 });
}

static void check_wait(struct waits *waits, size_t k)
{
	bool plain;
	struct time_bounds bounds = wait_bounds(waits, k, &plain);
	int64_t wait_ns = 0, miss_ns;
	bool open = !measure(waits, k, &wait_ns), lag;

	miss_ns = time_miss(&bounds, wait_ns);
	if (!open)
		add_time(waits, k, wait_ns);
	if (!open && miss_ns == 0) {
		if (plain && !(k == 1 && waits->policy->first_plain))
			add_sample(waits, k, &bounds, wait_ns);
		return;
	}
	lag = !open && judging_lag_explains(waits->judging, miss_ns);
	/* Each sort has its own limit: ten misses by lag must not hide one that is real. */
	if ((lag ? ++waits->n_lag : ++waits->n_wrong) > MAX_ALIKE_FINDINGS) {
		if (!lag && !waits->first_hidden)
			waits->first_hidden = waits->group->attempts[k];
	} else if (open) {
		add_never_closed(waits, k);
	} else {
		add_wrong(waits, k, wait_ns, miss_ns);
	}
}

static void check_group(struct waits *waits)
{
	size_t n_waits = MAX(waits->group->n_attempts, 1) - 1, n_checked = n_waits;

	if (waits->policy->kind == POLICY_LIST)
		n_checked = MIN(n_checked, waits->policy->n_list);
	else if (n_waits == 0)
		add_nothing_to_look_at(waits);
	for (size_t k = 1; k <= n_checked; k++)
		check_wait(waits, k);
	for (size_t k = n_checked + 1; k <= n_waits; k++) {
		int64_t wait_ns;

		if (measure(waits, k, &wait_ns))
			add_time(waits, k, wait_ns);
	}
	if (waits->policy->kind == POLICY_LIST)
		check_list_length(waits, n_waits);
	check_max_attempts(waits);
}

static char *spread_text(const struct waits *waits, const struct jitter_test *spread)
{
	if (spread->number > 0)
		return xasprintf(
			"%s %zu of all %zu instances within %.3g %% of the time it is to be "
			"spread over",
			waits->one, spread->number, spread->n_waits, 100 * spread->width);
	return xasprintf("too many of %zu %ss are %s: their distribution is %.2f off, more than "
			 "%.2f",
			 spread->n_waits, waits->one, spread->low ? "short" : "long",
			 spread->distance, spread->limit);
}

/* With several instances of the client: are the waits spread as the jitter would spread them? */
static void check_spread(struct waits *waits)
{
	struct jitter_test spread = jitter_test(waits->samples, waits->n_samples);
	AUTO_FREE char *what = xasprintf("jitter of %ss", waits->one);
	AUTO_STRBUF struct strbuf policy = {0};

	if (!spread.wrong)
		return;
	policy_describe(waits->policy, &policy);
	judging_add(waits->judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = waits->expectation,
			    .subject = judging_subject(waits->judging, what,
						       waits->expectation->endpoint),
			    .expected = xasprintf("spread evenly (%s)", strbuf_text(&policy)),
			    .actual = spread_text(waits, &spread),
			    .miss = xstrdup("by chance in at most 1 of 10,000 runs"),
			    .looks_like = first_fit(waits),
		    });
}

void judge_backoff(struct judging *judging, const struct expectation *expectation)
{
	struct waits waits = {
		.judging = judging,
		.expectation = expectation,
		.policy = &expectation->value.policy,
		.intervals = expectation->kind == EXPECT_ATTEMPT_DELAY,
		.one = expectation->kind == EXPECT_ATTEMPT_DELAY ? "attempt delay" : "backoff",
	};
	const struct attempt_groups *groups = judging_groups(judging, expectation);

	for (size_t i = 0; i < groups->n_groups; i++) {
		waits.group = &groups->groups[i];
		check_group(&waits);
	}
	if (waits.n_wrong > MAX_ALIKE_FINDINGS)
		add_more(&waits);
	if (groups->n_groups > 1 && waits.policy->jitter != JITTER_NONE && waits.n_wrong == 0)
		check_spread(&waits);
	add_measured(&waits, groups->n_groups == 1);
	strbuf_free(&waits.first);
	free(waits.samples);
}
