/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on what can be counted: exit status, attempts, retransmissions. */
#include <inttypes.h>
#include <sys/wait.h>

#include "common/signal_names.h"
#include "runner/judge/judging.h"
#include "runner/judge/late_verdict.h"

static char *signal_text(int number)
{
	const char *name = signal_name(number);

	return name ? xasprintf("signal %s", name) : xasprintf("signal %d", number);
}

static char *exit_expected_text(const struct expectation *expectation)
{
	struct strbuf text = {0};
	const char *separator = "";

	for (size_t i = 0; i < expectation->value.exit.n_codes; i++) {
		strbuf_printf(&text, "%s%d", separator, expectation->value.exit.codes[i]);
		separator = " or ";
	}
	if (expectation->value.exit.nonzero) {
		strbuf_printf(&text, "%sany status but 0", separator);
		separator = " or ";
	}
	if (expectation->value.exit.signal > 0) {
		AUTO_FREE char *name = signal_text(expectation->value.exit.signal);

		strbuf_printf(&text, "%s%s", separator, name);
	}
	return strbuf_steal(&text);
}

static char *status_text(int status)
{
	return WIFSIGNALED(status) ? signal_text(WTERMSIG(status))
				   : xasprintf("%d", WEXITSTATUS(status));
}

/* How the instances ended: "0", "0 in all 20 instances", "0 in 18 of 20 instances, else 1". */
static char *exits_text(const struct judging *judging, const struct event *last)
{
	const uint32_t n_instances = judging->record->n_instances;
	AUTO_FREE char *status = status_text(last->u.exit.wait_status), *other = NULL;
	uint32_t n_same = 0;

	if (n_instances == 1)
		return steal_pointer(&status);
	for (size_t i = 0; i < judging->history.n_process_events; i++) {
		const struct event *event = judging->history.process_events[i];

		if (event->kind != EVENT_EXIT)
			continue;
		if (event->u.exit.wait_status == last->u.exit.wait_status)
			n_same++;
		else if (!other)
			other = status_text(event->u.exit.wait_status);
	}
	if (!other)
		return xasprintf("%s in all %" PRIu32 " instances", status, n_instances);
	return xasprintf("%s in %" PRIu32 " of %" PRIu32 " instances, first other %s", status,
			 n_same, n_instances, other);
}

void judge_exit(struct judging *judging, const struct expectation *expectation)
{
	const struct event *first = NULL, *last = record_exit(judging->record);
	uint32_t n_wrong = 0;

	for (size_t i = 0; i < judging->history.n_process_events; i++) {
		const struct event *event = judging->history.process_events[i];

		if (event->kind != EVENT_EXIT ||
		    expectation_exit_matches(expectation, event->u.exit.wait_status))
			continue;
		n_wrong++;
		if (!first)
			first = event;
	}
	if (last)
		judging_measured(judging, expectation,
				 &(struct measured){
					 .expected = exit_expected_text(expectation),
					 .actual = exits_text(judging, first ? first : last),
					 .event = first ? first : last,
				 });
	if (!first)
		return;
	judging_add(
		judging, WEIGHT_FAILED,
		&(struct finding_parts){
			.expectation = expectation,
			.subject = judging_instance_subject(judging, "exit status",
							    first->u.exit.instance),
			.expected = exit_expected_text(expectation),
			.actual = status_text(first->u.exit.wait_status),
			.miss = judging->record->n_instances == 1
					? NULL
					: xasprintf("wrong in %" PRIu32 " of %" PRIu32 " instances",
						    n_wrong, judging->record->n_instances),
		});
}

char *count_range_text(struct range range)
{
	if (range.low == range.high)
		return xasprintf("%" PRId64, range.low);
	if (range.high == INT64_MAX)
		return xasprintf("at least %" PRId64, range.low);
	if (range.low <= 0)
		return xasprintf("at most %" PRId64, range.high);
	return xasprintf("%" PRId64 " .. %" PRId64, range.low, range.high);
}

void judge_count(struct judging *judging, const struct expectation *expectation, int64_t count,
		 uint32_t attempt, const struct attempt_history *last, int64_t miss_ns)
{
	struct range range = expectation->value.range.range;
	bool many = count > range.high;
	struct finding_parts parts;

	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = count_range_text(range),
				 .actual = xasprintf("%" PRId64, count),
				 .attempt = last,
			 });
	if (count >= range.low && !many)
		return;
	parts = (struct finding_parts){
		.expectation = expectation,
		.subject = judging_subject(judging, expectation_kind_name(expectation->kind),
					   expectation->endpoint),
		.expected = count_range_text(range),
		.actual = xasprintf("%" PRId64, count),
		.miss = many ? xasprintf("%" PRId64 " too many", count - range.high)
			     : xasprintf("%" PRId64 " too few", range.low - count),
		.looks_like = expectation->kind == EXPECT_ATTEMPTS
				      ? judging_fit(judging, expectation->endpoint, false)
				      : NULL,
		.has_attempt = many,
		.attempt = attempt,
	};
	if (many && miss_ns > 0)
		judging_add_time(judging, &parts, miss_ns);
	else
		judging_add(judging, WEIGHT_FAILED, &parts);
}

void judge_attempts(struct judging *judging, const struct expectation *expectation)
{
	int64_t high = expectation->value.range.range.high;
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t count = history_of(&judging->history, expectation->endpoint, &attempts);
	bool many = high >= 0 && (uint64_t)high < count;

	judge_count(judging, expectation, (int64_t)count, many ? attempts[high]->id : 0,
		    count > 0 ? attempts[count - 1] : NULL, 0);
}

static int compare_times(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return a < b ? -1 : a > b;
}

/*
 * Whether the attempt might have been over before this SYN if nobody had been late: the client
 * would have given up, or the script's answer would have come. A SYN that the script waited for is
 * not one of those.
 */
static bool might_not_be(const struct attempt_history *attempt, int64_t due_ns, int64_t syn_ns)
{
	if (attempt->end == END_OPEN || attempt->ended_ns < syn_ns)
		return false;
	return attempt->end == END_ABANDONED || syn_ns > due_ns;
}

/*
 * The kernel repeats a SYN for as long as its attempt lasts: of one that lasted longer because this
 * process or the client was late, it repeats more. By how much shorter the attempts would have had
 * to be, for @n of the repeated SYNs to be none; INT64_MAX: no lag explains so many.
 */
static int64_t time_of_last_syns(const struct judging *judging,
				 const struct expectation *expectation, size_t n)
{
	const struct record *record = judging->record;
	AUTO_FREE int64_t *due_ns = late_verdict_due_times(judging->scenario, &judging->history);
	int64_t *before_end_ns = NULL, result_ns = INT64_MAX;
	size_t n_syns = 0, capacity = 0;

	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];
		uint32_t id = event->u.net.attempt;
		const struct attempt_history *attempt;

		if (event->kind != EVENT_SYN || event->u.net.ordinal < 2 ||
		    id >= judging->history.n_attempts ||
		    (expectation->endpoint != ALL_ENDPOINTS &&
		     expectation->endpoint != record->attempts[id].endpoint))
			continue;
		attempt = &judging->history.attempts[id];
		if (might_not_be(attempt, due_ns[id], event->at_ns))
			array_append(before_end_ns, n_syns, capacity,
				     attempt->ended_ns - event->at_ns);
	}
	if (n > 0 && n <= n_syns) {
		qsort(before_end_ns, n_syns, sizeof(*before_end_ns), compare_times);
		/* 0 would mean that nothing explains it. */
		result_ns = MAX(before_end_ns[n - 1], 1);
	}
	free(before_end_ns);
	return result_ns;
}

void judge_retransmissions(struct judging *judging, const struct expectation *expectation)
{
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&judging->history, expectation->endpoint, &attempts);
	const struct attempt_history *last = NULL;
	uint32_t first_beyond = 0;
	bool beyond = false;
	int64_t count = 0;

	for (size_t i = 0; i < n_attempts; i++) {
		if (attempts[i]->syns > 1) {
			count += attempts[i]->syns - 1;
			last = attempts[i];
		}
		if (!beyond && count > expectation->value.range.range.high) {
			beyond = true;
			first_beyond = attempts[i]->id;
		}
	}
	judge_count(
		judging, expectation, count, first_beyond, last,
		beyond ? time_of_last_syns(judging, expectation,
					   (size_t)(count - expectation->value.range.range.high))
		       : 0);
}
