/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on time: the client's duration, its waits between attempts, the intervals from start
 * to start. A wait is named by its number, from 1: wait k lies between attempts k and k + 1 of
 * those that are looked at (of one endpoint, or of all).
 */
#include <inttypes.h>

#include "runner/judge/judging.h"
#include "runner/judge/waits.h"

/*
 * We learn when an RST went out only after the kernel has sent it; a client that tries again at
 * once can have its next SYN on the wire before. That much below zero is no overlap of attempts.
 */
#define INSTANT_NS NS_PER_MS

/* A client in an endless loop breaks each of a million waits: it is shown so many. */
#define MAX_WAIT_FINDINGS 10

static const struct tolerance no_tolerance = {0};

/* What a time was to be, with and without tolerance. */
struct time_bounds {
	struct range exact;
	const struct tolerance *tolerance;
	double scale;
};

/* By how much it misses the bounds with tolerance: negative when too short, 0 when inside. */
static int64_t time_miss(const struct time_bounds *bounds, int64_t time_ns)
{
	struct range range = tolerance_apply(bounds->exact, bounds->tolerance, bounds->scale);

	if (time_ns < range.low)
		return time_ns - range.low;
	return time_ns > range.high ? time_ns - range.high : 0;
}

static char *time_text(int64_t time_ns)
{
	char text[DURATION_TEXT_SIZE];

	return xstrdup(duration_format(time_ns, text));
}

static char *miss_text(int64_t miss_ns)
{
	AUTO_FREE char *size = time_text(miss_ns < 0 ? -miss_ns : miss_ns);

	return xasprintf("%s too %s", size, miss_ns < 0 ? "short" : "long");
}

/* Returns whether it is as expected. */
static bool judge_duration_of(struct judging *judging, const struct expectation *expectation,
			      uint32_t copy, int64_t duration_ns)
{
	bool exact = expectation->value.range.exact;
	struct time_bounds bounds = {
		.exact = expectation->value.range.range,
		.tolerance = exact ? &expectation->tolerance : &no_tolerance,
		.scale = judging->timing_scale,
	};
	int64_t miss_ns = time_miss(&bounds, duration_ns);

	if (miss_ns == 0)
		return true;
	judging_add_time(
		judging,
		&(struct finding_parts){
			.expectation = expectation,
			.subject = judging_copy_subject(judging, "duration", copy),
			.expected = policy_wait_text(bounds.exact, bounds.tolerance, bounds.scale),
			.actual = time_text(duration_ns),
			.miss = miss_text(miss_ns),
		},
		miss_ns);
	return false;
}

/* Each copy's; the first that is not as expected is shown. */
void judge_duration(struct judging *judging, const struct expectation *expectation)
{
	const struct record *record = judging->record;
	AUTO_FREE int64_t *started_ns = xzalloc(record->n_copies * sizeof(*started_ns));

	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];

		if (event->kind == EVENT_START && event->u.start.copy < record->n_copies)
			started_ns[event->u.start.copy] = event->at_ns;
		if (event->kind == EVENT_EXIT && event->u.exit.copy < record->n_copies &&
		    !judge_duration_of(judging, expectation, event->u.exit.copy,
				       event->at_ns - started_ns[event->u.exit.copy]))
			return;
	}
}

/* The waits (or intervals) of one expectation. */
struct waits {
	struct judging *judging;
	const struct expectation *expectation;
	const struct attempt_history **attempts;
	size_t n_attempts;
	size_t n_waits;  /* n_attempts - 1, or 0 */
	const char *one; /* "wait" or "interval" */
};

/* "wait 2 at api" */
static char *wait_subject(const struct waits *waits, size_t k)
{
	AUTO_FREE char *what = xasprintf("%s %zu", waits->one, k);

	return judging_subject(waits->judging, what, waits->expectation->endpoint);
}

static char *waits_subject(const struct waits *waits)
{
	return judging_subject(waits->judging, expectation_kind_name(waits->expectation->kind),
			       waits->expectation->endpoint);
}

/* A range in a list is taken as it is written; a single duration in it has tolerance. */
static struct time_bounds wait_bounds(const struct waits *waits, size_t k)
{
	const struct policy *policy = &waits->expectation->value.policy;
	struct range exact = policy_wait(policy, k);
	bool range = policy->kind == POLICY_LIST && exact.low < exact.high;

	return (struct time_bounds){
		.exact = exact,
		.tolerance = range ? &no_tolerance : &waits->expectation->tolerance,
		.scale = waits->judging->timing_scale,
	};
}

static char *bounds_text(const struct time_bounds *bounds)
{
	return policy_wait_text(bounds->exact, bounds->tolerance, bounds->scale);
}

/* The client went on while its attempt was still open: that is its behaviour, so it fails. */
static void add_never_closed(struct waits *waits, size_t k)
{
	struct time_bounds bounds = wait_bounds(waits, k);
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
			    .has_attempt = true,
			    .attempt = waits->attempts[k - 1]->id,
		    });
}

static void add_wrong(struct waits *waits, size_t k, int64_t wait_ns, int64_t miss_ns)
{
	struct time_bounds bounds = wait_bounds(waits, k);
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
				 .has_attempt = true,
				 .attempt = waits->attempts[k]->id,
			 },
			 miss_ns);
}

/*
 * Looks at wait number @k. Returns whether it can be measured and is as expected; else *@ret_open
 * says that it can't, or *@ret_wait_ns and *@ret_miss_ns how long it was and by how much it is off.
 */
static bool wait_is_good(const struct waits *waits, size_t k, bool *ret_open, int64_t *ret_wait_ns,
			 int64_t *ret_miss_ns)
{
	const struct attempt_history *before = waits->attempts[k - 1];
	bool interval = waits->expectation->kind == EXPECT_INTERVALS;
	struct time_bounds bounds = wait_bounds(waits, k);
	int64_t wait_ns = 0;
	bool open = !interval && before->end == END_OPEN;

	if (!open)
		wait_ns = waits->attempts[k]->started_ns -
			  (interval ? before->started_ns : before->ended_ns);
	if (wait_ns < 0 && wait_ns >= -INSTANT_NS)
		wait_ns = 0;
	*ret_open = open;
	*ret_wait_ns = wait_ns;
	*ret_miss_ns = time_miss(&bounds, wait_ns);
	return !open && *ret_miss_ns == 0;
}

static void check_list_length(struct waits *waits)
{
	size_t expected = waits->expectation->value.policy.n_list, actual = waits->n_waits;
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
			    .has_attempt = many,
			    .attempt = many ? waits->attempts[expected + 1]->id : 0,
		    });
}

static void add_nothing_to_look_at(struct waits *waits)
{
	struct time_bounds bounds = wait_bounds(waits, 1);
	char *subject = waits_subject(waits);

	judging_add(waits->judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = waits->expectation,
			    .subject = subject,
			    .expected = bounds_text(&bounds),
			    .actual = xstrdup("none"),
			    .message = xasprintf("%s: no %s to look at: %zu attempt%s", subject,
						 waits->one, waits->n_attempts,
						 waits->n_attempts == 1 ? "" : "s"),
		    });
}

static void add_more(struct waits *waits, size_t count, size_t first)
{
	char *subject = waits_subject(waits);

	judging_add(
		waits->judging, WEIGHT_FAILED,
		&(struct finding_parts){
			.expectation = waits->expectation,
			.subject = subject,
			.message = xasprintf("%s: %zu more are not as expected", subject, count),
			.has_attempt = true,
			.attempt = waits->attempts[first]->id,
		});
}

static void check_each(struct waits *waits, size_t n_checked)
{
	size_t n_wrong = 0, n_lag = 0, first_hidden = 0;

	for (size_t k = 1; k <= n_checked; k++) {
		int64_t wait_ns, miss_ns;
		bool open, lag;

		if (wait_is_good(waits, k, &open, &wait_ns, &miss_ns))
			continue;
		lag = !open && judging_lag_explains(waits->judging, miss_ns);
		/* Each sort has its own limit: ten misses by lag must not hide one that is real. */
		if ((lag ? ++n_lag : ++n_wrong) > MAX_WAIT_FINDINGS) {
			if (!lag && first_hidden == 0)
				first_hidden = k;
		} else if (open) {
			add_never_closed(waits, k);
		} else {
			add_wrong(waits, k, wait_ns, miss_ns);
		}
	}
	if (first_hidden > 0)
		add_more(waits, n_wrong - MAX_WAIT_FINDINGS, first_hidden);
}

void judge_waits(struct judging *judging, const struct expectation *expectation)
{
	const struct policy *policy = &expectation->value.policy;
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&judging->history, expectation->endpoint, &attempts);
	struct waits waits = {
		.judging = judging,
		.expectation = expectation,
		.attempts = attempts,
		.n_attempts = n_attempts,
		.n_waits = n_attempts > 0 ? n_attempts - 1 : 0,
		.one = expectation->kind == EXPECT_INTERVALS ? "interval" : "wait",
	};
	size_t n_checked = waits.n_waits;

	if (policy->kind == POLICY_LIST)
		n_checked = MIN(n_checked, policy->n_list);
	else if (waits.n_waits == 0)
		add_nothing_to_look_at(&waits);
	check_each(&waits, n_checked);
	if (policy->kind == POLICY_LIST)
		check_list_length(&waits);
}
