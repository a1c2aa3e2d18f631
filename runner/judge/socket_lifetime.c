/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on attempts as sockets that are open for a while: how long the client waits for an
 * answer, how many attempts it has under way, what it leaves open.
 *
 * When does a socket leak? When the client has gone on to the next attempt at the same address
 * while that of the one before was open still, though its attempt had failed, its connection was
 * reset, or it was given up for lost; and when it goes on after the client has ended, held by a
 * process that the client left behind. A socket that the client opens to another address meanwhile
 * is no leak of the first: that is how clients race addresses. A connection that was established
 * the kernel itself keeps for a while when it is closed, so that its death says nothing: such a one
 * leaks when it was seen to be held (EVENT_STANDING), for which it is looked at after the client's
 * end alone.
 */
#include <inttypes.h>

#include "runner/judge/judging.h"

/* ---- connect-timeout ---- */

static void add_timeout(struct judging *judging, const struct expectation *expectation,
			const struct attempt_group *group, size_t index, int64_t took_ns,
			int64_t miss_ns)
{
	const struct attempt_history *attempt = group->attempts[index];
	struct time_bounds bounds = judging_bounds(judging, expectation);
	AUTO_FREE char *what = xasprintf("connect timeout of attempt %zu", index + 1);
	AUTO_FREE char *expected = bounds_text(&bounds), *took = time_text(took_ns);
	char *subject = judging_group_subject(judging, what, expectation->endpoint, group);
	bool open = attempt->end == END_OPEN;

	judging_add_time(
		judging,
		&(struct finding_parts){
			.expectation = expectation,
			.subject = subject,
			.expected = xstrdup(expected),
			.actual = open ? xasprintf("still open after %s", took) : xstrdup(took),
			.miss = miss_text(miss_ns),
			.has_attempt = true,
			.attempt = attempt->id,
		},
		miss_ns);
}

static int64_t end_of_record(const struct record *record)
{
	return record->n_events > 0 ? record->events[record->n_events - 1].at_ns : 0;
}

void judge_connect_timeout(struct judging *judging, const struct expectation *expectation)
{
	const struct attempt_groups *groups = judging_groups(judging, expectation);
	struct time_bounds bounds = judging_bounds(judging, expectation);
	struct time_span span = {0};
	size_t n_wrong = 0;

	for (size_t i = 0; i < groups->n_groups; i++) {
		const struct attempt_group *group = &groups->groups[i];

		for (size_t k = 0; k < group->n_attempts; k++) {
			const struct attempt_history *attempt = group->attempts[k];
			bool open = attempt->end == END_OPEN;
			int64_t took_ns, miss_ns;

			if (!open && attempt->end != END_ABANDONED)
				continue;
			took_ns = (open ? end_of_record(judging->record) : attempt->ended_ns) -
				  attempt->started_ns;
			miss_ns = time_miss(&bounds, took_ns);
			/* One that is open still may yet be long enough. */
			if (open && miss_ns < 0)
				continue;
			time_span_add(&span, took_ns, attempt);
			if (miss_ns != 0 && ++n_wrong <= MAX_ALIKE_FINDINGS)
				add_timeout(judging, expectation, group, k, took_ns, miss_ns);
		}
	}
	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = bounds_text(&bounds),
				 .actual = time_span_text(&span),
				 .attempt = span.attempt,
			 });
	if (span.n_times == 0) {
		char *subject = judging_subject(judging, "connect timeout", expectation->endpoint);

		judging_add(
			judging, WEIGHT_FAILED,
			&(struct finding_parts){
				.expectation = expectation,
				.subject = subject,
				.expected = bounds_text(&bounds),
				.actual = xstrdup("none"),
				.message = xasprintf("%s: the client gave up no attempt for want "
						     "of an answer",
						     subject),
			});
	}
}

/* ---- concurrent-attempts ---- */

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The most attempts that were open at once; *@ret_attempt is the one with which they were. */
static size_t peak_in_flight(const struct attempt_group *group, size_t limit, uint32_t *ret_attempt)
{
	AUTO_FREE int64_t *ends_ns = xmalloc((group->n_attempts + 1) * sizeof(*ends_ns));
	size_t peak = 0, n_ended = 0;
	bool beyond = false, sorted = true;
	int64_t slack_ns;

	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];

		/* A handshake is noted at once; of a stalled connection only the end is a death. */
		slack_ns = attempt->ended_ns == attempt->closed_ns ? DEATH_NS : INSTANT_NS;
		/* What has ended was begun before, however late its end may have been noted. */
		ends_ns[i] = attempt->end == END_OPEN
				     ? INT64_MAX
				     : MAX(attempt->ended_ns - slack_ns, attempt->started_ns + 1);
		sorted = sorted && (i == 0 || ends_ns[i - 1] <= ends_ns[i]);
	}
	/* Of most clients they are in order: sorting is what would not be linear. */
	if (!sorted)
		qsort(ends_ns, group->n_attempts, sizeof(*ends_ns), compare_times);
	for (size_t i = 0; i < group->n_attempts; i++) {
		/* Each of the attempts so far that has ended was begun: i + 1 begun, n_ended over.
		 */
		while (n_ended < i && ends_ns[n_ended] <= group->attempts[i]->started_ns)
			n_ended++;
		peak = MAX(peak, i + 1 - n_ended);
		if (!beyond && peak > limit) {
			beyond = true;
			*ret_attempt = group->attempts[i]->id;
		}
	}
	return peak;
}

void judge_concurrent_attempts(struct judging *judging, const struct expectation *expectation)
{
	struct range range = expectation->value.range.range;
	const struct attempt_groups *groups = judging_groups(judging, expectation);
	struct range peaks = {INT64_MAX, 0};
	size_t n_wrong = 0;

	for (size_t i = 0; i < groups->n_groups; i++) {
		const struct attempt_group *group = &groups->groups[i];
		uint32_t attempt = 0;
		int64_t peak = (int64_t)peak_in_flight(group, (size_t)range.high, &attempt);
		bool many = peak > range.high;

		peaks.low = MIN(peaks.low, peak);
		peaks.high = MAX(peaks.high, peak);
		if ((!many && peak >= range.low) || ++n_wrong > MAX_ALIKE_FINDINGS)
			continue;
		judging_add(
			judging, WEIGHT_FAILED,
			&(struct finding_parts){
				.expectation = expectation,
				.subject = judging_group_subject(judging, "attempts in flight",
								 expectation->endpoint, group),
				.expected = count_range_text(range),
				.actual = xasprintf("%" PRId64 " at once", peak),
				.miss = many ? xasprintf("%" PRId64 " too many", peak - range.high)
					     : xasprintf("%" PRId64 " too few", range.low - peak),
				.has_attempt = many,
				.attempt = attempt,
			});
	}
	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = count_range_text(range),
				 .actual = peaks.low == peaks.high
						   ? xasprintf("%" PRId64 " at once", peaks.high)
						   : xasprintf("%" PRId64 " to %" PRId64 " at once",
							       peaks.low, peaks.high),
			 });
}

/* ---- leaks ---- */

static bool outlives(const struct judging *judging, const struct attempt_history *attempt,
		     int64_t until_ns)
{
	int64_t slack_ns = DEATH_NS + judging->harness_lag_ns;

	return attempt->closed_ns > until_ns && attempt->closed_ns - until_ns > slack_ns;
}

/* Its socket has no business any more, or never got an answer: it dies when it is closed. */
static bool is_dead_or_unanswered(const struct attempt_history *attempt)
{
	return attempt->end != END_ESTABLISHED || attempt_ending(attempt) == ENDING_RESET;
}

/* A connection that is reset only later was one of several that were used side by side. */
static bool outlives_attempt(const struct judging *judging, const struct attempt_history *attempt,
			     const struct attempt_history *next)
{
	if (attempt->end == END_ESTABLISHED && attempt->over_ns > next->started_ns)
		return false;
	return is_dead_or_unanswered(attempt) && outlives(judging, attempt, next->started_ns);
}

/* By attempt: whether it was seen to be open long after its instance's end; NULL: none was. */
static bool *find_standing(const struct judging *judging)
{
	const struct history *history = &judging->history;
	int64_t slack_ns = DEATH_NS + judging->harness_lag_ns;
	bool *standing;

	if (history->n_standing == 0)
		return NULL;
	standing = xzalloc(history->n_attempts * sizeof(*standing));
	for (size_t i = 0; i < history->n_standing; i++) {
		const struct event *event = history->standing[i];
		uint32_t id = event->u.net.attempt;
		const struct event *exit =
			history_instance_exit(history, judging->record->attempts[id].instance);

		if (exit && event->at_ns - exit->at_ns > slack_ns)
			standing[id] = true;
	}
	return standing;
}

struct leaks {
	struct judging *judging;
	bool *standing; /* see find_standing() */
	const struct expectation *expectation;
	int64_t count, n_after_end;
	const struct attempt_history *first; /* the first beyond the limit */
};

static bool outlives_client(const struct leaks *leaks, const struct attempt_history *attempt,
			    const struct event *exit)
{
	if (leaks->standing && leaks->standing[attempt->id])
		return true;
	return is_dead_or_unanswered(attempt) && outlives(leaks->judging, attempt, exit->at_ns);
}

static void add_leak(struct leaks *leaks, const struct attempt_history *attempt)
{
	if (++leaks->count == leaks->expectation->value.range.range.high + 1)
		leaks->first = attempt;
}

static void count_leaks(struct leaks *leaks, const struct attempt_group *group)
{
	const struct record *record = leaks->judging->record;
	const struct event *exit = history_instance_exit(&leaks->judging->history, group->instance);
	size_t n_addresses = judging_n_addresses(record);
	/* By address: the attempt before, as its index and one; and which are counted already. */
	AUTO_FREE size_t *last = xzalloc((n_addresses + 1) * sizeof(*last));
	AUTO_FREE bool *counted = xzalloc((group->n_attempts + 1) * sizeof(*counted));

	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];
		size_t *before = &last[judging_address(record, attempt->id)];

		if (*before > 0 &&
		    outlives_attempt(leaks->judging, group->attempts[*before - 1], attempt)) {
			add_leak(leaks, group->attempts[*before - 1]);
			counted[*before - 1] = true;
		}
		*before = i + 1;
	}
	for (size_t i = 0; exit && !leaks->judging->timed_out && i < group->n_attempts; i++)
		if (!counted[i] && outlives_client(leaks, group->attempts[i], exit)) {
			add_leak(leaks, group->attempts[i]);
			leaks->n_after_end++;
		}
}

static char *leaks_text(const struct leaks *leaks)
{
	if (leaks->n_after_end == 0)
		return xasprintf("%" PRId64, leaks->count);
	return xasprintf("%" PRId64 ", %" PRId64 " of them when the client had ended", leaks->count,
			 leaks->n_after_end);
}

void judge_leaks(struct judging *judging, const struct expectation *expectation)
{
	const struct attempt_groups *groups = judging_groups(judging, expectation);
	struct range range = expectation->value.range.range;
	struct leaks leaks = {
		.judging = judging,
		.expectation = expectation,
		.standing = find_standing(judging),
	};

	for (size_t i = 0; i < groups->n_groups; i++)
		count_leaks(&leaks, &groups->groups[i]);
	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = count_range_text(range),
				 .actual = xasprintf("%" PRId64, leaks.count),
			 });
	if (leaks.count < range.low || leaks.count > range.high)
		judging_add(judging, WEIGHT_FAILED,
			    &(struct finding_parts){
				    .expectation = expectation,
				    .subject = judging_subject(judging, "sockets left open",
							       expectation->endpoint),
				    .expected = count_range_text(range),
				    .actual = leaks_text(&leaks),
				    .miss = leaks.count > range.high
						    ? xasprintf("%" PRId64 " too many",
								leaks.count - range.high)
						    : xasprintf("%" PRId64 " too few",
								range.low - leaks.count),
				    .has_attempt = leaks.first,
				    .attempt = leaks.first ? leaks.first->id : 0,
			    });
	free(leaks.standing);
}
