/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on exit statuses, and on the numbers of attempts and retransmissions. */
#include <inttypes.h>
#include <sys/wait.h>

#include "common/signal_names.h"
#include "runner/judge/counts.h"
#include "runner/judge/findings.h"
#include "runner/judge/late_verdict.h"
#include "runner/judge/measurements.h"
#include "runner/record/syn_schedule.h"

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

/* Formats statuses: "0", "0 in all 20 instances", "0 in 18 of 20 instances, first other 1". */
static char *exits_text(const struct judge_ctx *ctx, const struct event *last)
{
	const uint32_t n_instances = ctx->record->n_instances;
	AUTO_FREE char *status = status_text(last->u.exit.wait_status), *other = NULL;
	uint32_t n_same = 0;

	if (n_instances == 1)
		return steal_pointer(&status);
	for (size_t i = 0; i < ctx->history.n_process_events; i++) {
		const struct event *event = ctx->history.process_events[i];

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

/* A wrong status is unknown, not broken, if delays may have caused it. */
static enum truth truth_of_exit(struct judge_ctx *ctx, const struct expectation *expectation,
				const struct event *event)
{
	uint32_t instance = event->u.exit.instance;

	if (expectation_exit_matches(expectation, event->u.exit.wait_status))
		return TRUTH_MET;
	return instance_was_delayed(ctx, instance, false) || instance_may_hide(ctx, instance)
		       ? TRUTH_UNKNOWN
		       : TRUTH_BROKEN;
}

void judge_exit(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct event *first = NULL, *last = record_exit(ctx->record), *shown;
	enum truth truth = TRUTH_MET;
	uint32_t n_wrong = 0;

	for (size_t i = 0; i < ctx->history.n_process_events; i++) {
		const struct event *event = ctx->history.process_events[i];
		enum truth one;

		if (event->kind != EVENT_EXIT)
			continue;
		one = truth_of_exit(ctx, expectation, event);
		n_wrong += one == TRUTH_BROKEN;
		if (one == TRUTH_MET || (first && truth == TRUTH_BROKEN))
			continue;
		if (!first || one == TRUTH_BROKEN)
			first = event;
		truth = one == TRUTH_BROKEN ? TRUTH_BROKEN : TRUTH_UNKNOWN;
	}
	if (!last)
		return;
	shown = first ? first : last;
	assessment_set(ctx, expectation, .expected = exit_expected_text(expectation),
		       .actual = exits_text(ctx, shown), .event = shown);
	if (truth == TRUTH_MET)
		return;
	findings_add_truth(
		ctx, truth, NULL, .expectation = expectation,
		.subject = subject_of_instance(ctx, "exit status", first->u.exit.instance),
		.expected = exit_expected_text(expectation),
		.actual = status_text(first->u.exit.wait_status),
		.miss = ctx->record->n_instances == 1 || truth != TRUTH_BROKEN
				? NULL
				: xasprintf("wrong in %" PRIu32 " of %" PRIu32 " instances",
					    n_wrong, ctx->record->n_instances));
}

void judge_count(struct judge_ctx *ctx, const struct expectation *expectation, struct range count,
		 int64_t seen, const struct attempt_history *beyond,
		 const struct attempt_history *last)
{
	struct range range = expectation->value.range.range;
	enum truth truth = truth_of_range(count, range);

	assessment_set(ctx, expectation, .expected = count_range_text(range),
		       .actual = xasprintf("%" PRId64, seen), .attempt = last);
	if (truth == TRUTH_MET)
		return;
	findings_add_truth(ctx, truth, NULL, .expectation = expectation,
			   .expected = count_range_text(range),
			   .actual = xasprintf("%" PRId64, seen),
			   .miss = count_miss_text((struct range){seen, seen}, range),
			   .looks_like = expectation->kind == EXPECT_ATTEMPTS
						 ? fit_text(ctx, expectation->endpoint, false)
						 : NULL,
			   .attempt = beyond);
}

void judge_peaks(struct judge_ctx *ctx, const struct expectation *expectation, const char *what,
		 peak_fn peak_of)
{
	struct range range = expectation->value.range.range;
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);
	struct range peaks = {INT64_MAX, 0};
	size_t n_wrong = 0;

	for (size_t i = 0; i < groups->n_groups; i++) {
		const struct attempt_group *group = &groups->groups[i];
		const struct attempt_history *beyond = NULL, *ignored = NULL;
		struct range peak = {
			.low = peak_of(ctx, group, false, range.high, &beyond),
			.high = peak_of(ctx, group, true, range.high, &ignored),
		};
		enum truth truth = truth_of_range(peak, range);

		/* One that delays prevented might have been there, too. */
		if (peak.high < range.low && instance_may_hide(ctx, group->instance))
			truth = TRUTH_UNKNOWN;
		peaks.low = MIN(peaks.low, peak.low);
		peaks.high = MAX(peaks.high, peak.low);
		if (truth == TRUTH_MET || ++n_wrong > MAX_ALIKE_FINDINGS)
			continue;
		findings_add_truth(
			ctx, truth, NULL, .expectation = expectation,
			.subject = subject_of_group(ctx, what, expectation->endpoint, group),
			.expected = count_range_text(range),
			.actual = xasprintf("%" PRId64 " at once", peak.low),
			.miss = count_miss_text(peak, range), .attempt = beyond);
	}
	if (groups->n_groups > 0)
		assessment_set(ctx, expectation, .expected = count_range_text(range),
			       .actual = peaks.low == peaks.high
						 ? xasprintf("%" PRId64 " at once", peaks.high)
						 : xasprintf("%" PRId64 " to %" PRId64 " at once",
							     peaks.low, peaks.high));
}

void judge_attempts(struct judge_ctx *ctx, const struct expectation *expectation)
{
	int64_t high = expectation->value.range.range.high;
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n = history_of(&ctx->history, expectation->endpoint, &attempts);
	const struct attempt_groups *groups = attempt_groups_at(ctx, expectation->endpoint);
	struct range count = {(int64_t)groups->n_unknown, (int64_t)groups->n_unknown};
	bool many = high >= 0 && (uint64_t)high < n;

	for (size_t i = 0; i < groups->n_groups; i++) {
		struct range one = group_count(ctx, &groups->groups[i]);

		count.low += one.low;
		count.high += one.high;
	}
	judge_count(ctx, expectation, count, (int64_t)n, many ? attempts[high] : NULL,
		    n > 0 ? attempts[n - 1] : NULL);
}

/*
 * Bounds how many retransmissions there would have been without delays. The kernel retransmits the
 * SYN for as long as the attempt lasts. If the attempt lasted longer because an answer, or the
 * client, was late, it sent more SYNs. Only those that it sent before the attempt would have ended
 * count for certain.
 */
static struct range count_repeated(const struct judge_ctx *ctx,
				   const struct attempt_history *attempt, int64_t due_ns,
				   const int64_t *syns_ns)
{
	struct range count = {(int64_t)attempt->syns - 1, (int64_t)attempt->syns - 1};
	int64_t end_ns = attempt->ended_earliest_ns;

	if (attempt->end == END_OPEN)
		end_ns = MIN(attempt->closed_earliest_ns,
			     instance_end_ns(ctx, ctx->record->attempts[attempt->id].instance));
	if (attempt->end == END_ABANDONED || attempt->end == END_OPEN)
		end_ns -= delays_of_client(&ctx->delays, attempt->started_ns,
					   MAX(end_ns, attempt->ended_ns));
	else
		end_ns = MIN(end_ns, due_ns) + 1; /* the answered SYN came before that */
	while (count.low > 0 && syns_ns[count.low] >= end_ns)
		count.low--;
	return count;
}

/* Counts the retransmissions that the kernel sends within a time, at least or at most. */
static int64_t count_scheduled(const struct syn_schedule *schedule, int64_t length_ns,
			       bool at_least)
{
	int64_t n = 0;

	for (size_t i = 0; i < schedule->n_retransmissions; i++) {
		const int64_t due_ns = schedule->retransmissions_ns[i];

		n += due_ns + (at_least ? SYN_TIMER_SLACK_NS(due_ns) : 0) < length_ns;
	}
	return n;
}

/*
 * Adds the retransmissions that the kernel would have sent in real time, by the schedule: while the
 * clock jumps, it sends none.
 */
static void add_scheduled(const struct judge_ctx *ctx, const struct syn_schedule *schedule,
			  const struct attempt_history *attempt, int64_t due_ns,
			  struct range *count)
{
	const struct record *record = ctx->record;
	int64_t earliest_ns = attempt->ended_earliest_ns, latest_ns = attempt->ended_ns;

	if (attempt->end == END_OPEN) {
		latest_ns = record->events[record->n_events - 1].at_ns;
		earliest_ns = MIN(attempt->closed_earliest_ns, latest_ns);
		latest_ns = MIN(attempt->closed_ns, latest_ns);
	} else if (attempt->end != END_ABANDONED) {
		earliest_ns = MIN(earliest_ns, due_ns);
	}
	if (attempt->end == END_ABANDONED || attempt->end == END_OPEN)
		earliest_ns -= delays_of_client(&ctx->delays, attempt->started_ns, latest_ns);
	count->low =
		MAX(count->low, count_scheduled(schedule, earliest_ns - attempt->started_ns, true));
	count->high =
		MAX(count->high,
		    count_scheduled(schedule, latest_ns - attempt->started_earliest_ns, false));
}

static int64_t seen_repeated(const struct attempt_history *const *attempts, size_t n_attempts)
{
	int64_t n = 0;

	for (size_t i = 0; i < n_attempts; i++)
		n += MAX((int64_t)attempts[i]->syns - 1, 0);
	return n;
}

void judge_retransmissions(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct record *record = ctx->record;
	AUTO_FREE int64_t *due_ns = late_verdict_due_times(ctx->scenario, &ctx->history);
	AUTO_FREE size_t *first_syn = xzalloc((ctx->history.n_attempts + 1) * sizeof(*first_syn));
	AUTO_FREE int64_t *syns_ns = xzalloc((record->n_events + 1) * sizeof(*syns_ns));
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&ctx->history, expectation->endpoint, &attempts);
	const struct attempt_history *last = NULL, *beyond = NULL;
	struct range count = {0, 0};
	struct syn_schedule schedule;

	syn_schedule_compute(record->syn_retries, record->syn_linear_timeouts, SYN_RTO_MAX_NS,
			     &schedule);
	for (size_t i = 1; i < ctx->history.n_attempts; i++)
		first_syn[i] = first_syn[i - 1] + ctx->history.attempts[i - 1].syns;
	for (size_t i = 0; i < record->n_events; i++)
		if (record->events[i].kind == EVENT_SYN)
			syns_ns[first_syn[record->events[i].u.net.attempt] +
				record->events[i].u.net.ordinal - 1] = record->events[i].at_ns;
	for (size_t i = 0; i < n_attempts; i++) {
		uint32_t id = attempts[i]->id;
		struct range one =
			count_repeated(ctx, attempts[i], due_ns[id], &syns_ns[first_syn[id]]);

		if (record->virtual_time)
			add_scheduled(ctx, &schedule, attempts[i], due_ns[id], &one);
		if (attempts[i]->syns > 1 || one.low > 0)
			last = attempts[i];
		count.low += one.low;
		count.high += one.high;
		if (!beyond && count.low > expectation->value.range.range.high)
			beyond = attempts[i];
	}
	/* An attempt that delays prevented would have had retransmissions of its own. */
	if (count.high < expectation->value.range.range.low &&
	    instance_may_hide(ctx, INSTANCE_UNKNOWN))
		count.high = INT64_MAX;
	judge_count(ctx, expectation, count,
		    record->virtual_time ? count.low : seen_repeated(attempts, n_attempts), beyond,
		    last);
}
