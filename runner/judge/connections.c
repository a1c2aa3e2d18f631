/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on connections: how many there were, what they carried, and how they ended as the
 * client saw it.
 *
 * The kernel reports how many bytes a socket carried when the socket dies. It counts a received FIN
 * as one byte. There was no FIN after a reset, and there was one after a fault that closed the
 * connection. Without a fault it is unknown whether there was one, because the client may have
 * closed first: then both the count and one byte less are right.
 */
#include <inttypes.h>

#include "runner/judge/connections.h"
#include "runner/judge/counts.h"
#include "runner/judge/findings.h"
#include "runner/judge/measurements.h"
#include "runner/judge/per_instance.h"
#include "runner/judge/time_bounds.h"

/* Says how an attempt ended, as its client saw it. */
static enum connection_end end_of(const struct attempt_history *attempt)
{
	switch (attempt->end) {
	case END_REFUSED:
	case END_REJECTED:
		return ENDED_REFUSED;
	case END_UNREACHABLE:
		return ENDED_UNREACHABLE;
	case END_ABANDONED:
	case END_TIMED_OUT:
		return ENDED_UNANSWERED;
	case END_ESTABLISHED:
		break;
	case END_OPEN:
	case END_N_KINDS:
		return ENDED_OPEN;
	}
	/* The client had ended the connection before the fault came. */
	if (attempt->details->client_end_ns < attempt_fault_ns(attempt, FAULT_RESET) &&
	    !attempt_is_stalled(attempt))
		return ENDED_CLOSED;
	if (attempt_fault_ns(attempt, FAULT_RESET) <= attempt->closed_ns &&
	    attempt_had_fault(attempt, FAULT_RESET))
		return ENDED_RESET;
	if (attempt_fault_ns(attempt, FAULT_STALLED) <= attempt->closed_ns &&
	    attempt_is_stalled(attempt))
		return ENDED_STALLED;
	return attempt->closed_ns != INT64_MAX || attempt_had_fault(attempt, FAULT_CLOSED)
		       ? ENDED_CLOSED
		       : ENDED_OPEN;
}

void judge_connected(struct judge_ctx *ctx, const struct expectation *expectation)
{
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&ctx->history, expectation->endpoint, &attempts);
	int64_t high = expectation->value.range.range.high, count = 0;
	const struct attempt_history *last = NULL, *beyond = NULL;
	struct range known = {0, 0};

	for (size_t i = 0; i < n_attempts; i++) {
		if (attempts[i]->end != END_ESTABLISHED)
			continue;
		last = attempts[i];
		known.low += last->started_ns < ctx->disturbed_ns;
		if (count++ == high)
			beyond = last;
	}
	known.high = count;
	if (instance_may_hide(ctx, INSTANCE_UNKNOWN))
		known.high += INT32_MAX;
	judge_count(ctx, expectation, known, count, beyond, last);
}

/*
 * Returns whether an attempt may have received more than was known at its client's end. A FIN ends
 * only what the client sends: the rest is known once its socket has died.
 */
static bool may_have_received_more(const struct attempt_history *attempt)
{
	const struct attempt_details *details = attempt->details;

	return !details->bytes_reported && !details->client_reset &&
	       attempt_fault_ns(attempt, FAULT_RESET) > details->client_end_ns &&
	       attempt_fault_ns(attempt, FAULT_CLOSED) > details->client_end_ns;
}

/* Bounds how much one attempt received or sent. Returns false if that is unknown. */
static bool carried(const struct judge_ctx *ctx, const struct attempt_history *attempt,
		    bool received, struct range *ret)
{
	const struct record_attempt *made = &ctx->record->attempts[attempt->id];
	const struct step *step =
		&ctx->scenario->endpoints[made->endpoint].script.steps[made->step];
	const struct attempt_details *details = attempt->details;
	bool ended = details->client_end_ns != INT64_MAX;
	int64_t at_end = (int64_t)(received ? details->end_received : details->end_sent);
	int64_t bytes = (int64_t)(received ? details->bytes_received : details->bytes_sent);
	/* A connection that heals goes on, even if its client has shut down. */
	bool stalled = attempt_is_stalled(attempt) && !attempt_had_fault(attempt, FAULT_HEALED) &&
		       (step_break(step) != STEP_STALL || step->way != STALL_TO_SERVER);

	*ret = (struct range){0, 0};
	if (attempt->end != END_ESTABLISHED)
		return true;
	/* The socket lives on, but received nothing after the stall. */
	if (received && stalled && !step->to_server) {
		ret->low = ret->high = (int64_t)attempt_fault_bytes(attempt, FAULT_STALLED);
		return true;
	}
	if (!details->bytes_reported && !ended)
		return false;
	if (received && may_have_received_more(attempt)) {
		*ret = (struct range){at_end, INT64_MAX};
		return true;
	}
	/* The kernel clears its counts when the client resets. */
	if (ended && at_end > bytes) {
		ret->low = ret->high = at_end;
		return true;
	}
	*ret = (struct range){bytes, bytes};
	if (!received || bytes == 0 || attempt_had_fault(attempt, FAULT_RESET))
		return true;
	ret->low--;
	if (attempt_had_fault(attempt, FAULT_CLOSED))
		ret->high--;
	return true;
}

/*
 * Returns whether an attempt may have carried another amount without delays. What comes until a
 * fault ends a connection after a time depends on when that was, and on how busy both sides were.
 */
static bool amount_depends_on_delays(const struct judge_ctx *ctx,
				     const struct attempt_history *attempt)
{
	static const enum fault_kind kinds[] = {FAULT_RESET, FAULT_CLOSED, FAULT_STALLED};
	const struct record_attempt *made = &ctx->record->attempts[attempt->id];
	const struct step *step =
		&ctx->scenario->endpoints[made->endpoint].script.steps[made->step];
	int64_t from_ns = attempt->ended_ns, at_ns = INT64_MAX;

	if (step->after != AFTER_TIME || attempt->end != END_ESTABLISHED)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (attempt_had_own_fault(attempt, kinds[i]))
			at_ns = MIN(at_ns, attempt_fault_ns(attempt, kinds[i]));
	return at_ns != INT64_MAX &&
	       at_ns - from_ns - step->after_ns + delays_of_client(&ctx->delays, from_ns, at_ns) +
			       delays_of_servers(&ctx->delays, from_ns, at_ns) >
		       ANSWER_SLACK_NS;
}

/* @why: completes "bytes received: a connection …" */
static void add_bytes_unknown(struct judge_ctx *ctx, const struct expectation *expectation,
			      const char *why, const struct attempt_history *attempt)
{
	findings_add(ctx, WEIGHT_UNDECIDED, .expectation = expectation,
		     .subject = subject_at(ctx, "bytes", expectation->endpoint),
		     .message = xasprintf("bytes %s: a connection %s",
					  expectation_kind_name(expectation->kind), why),
		     .attempt = attempt);
}

/* Both the count and one byte less are right where it is unknown whether a FIN was counted. */
static enum truth truth_of_amount(struct range amount, struct range allowed)
{
	if (amount.high == INT64_MAX)
		return truth_of_range(amount, allowed);
	return amount.high >= allowed.low && amount.low <= allowed.high ? TRUTH_MET : TRUTH_BROKEN;
}

void judge_bytes(struct judge_ctx *ctx, const struct expectation *expectation)
{
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&ctx->history, expectation->endpoint, &attempts);
	bool received = expectation->kind == EXPECT_RECEIVED;
	struct range range = expectation->value.range.range, sum = {0, 0};
	AUTO_FREE char *what = NULL;
	const struct attempt_history *vague = NULL;
	bool by_delays = false;
	enum truth truth;

	for (size_t i = 0; i < n_attempts; i++) {
		struct range one;

		by_delays |= amount_depends_on_delays(ctx, attempts[i]);
		if (!carried(ctx, attempts[i], received, &one)) {
			add_bytes_unknown(ctx, expectation,
					  "was still open at the end, so it is unknown what it "
					  "carried",
					  attempts[i]);
			return;
		}
		if (one.high == INT64_MAX)
			vague = attempts[i];
		sum.low += one.low;
		sum.high = vague ? INT64_MAX : sum.high + one.high;
	}
	assessment_set(ctx, expectation, .expected = count_range_text(range),
		       .actual = count_range_text(sum),
		       .attempt = n_attempts > 0 ? attempts[n_attempts - 1] : NULL);
	truth = truth_of_amount(sum, range);
	if (truth == TRUTH_UNKNOWN) {
		add_bytes_unknown(ctx, expectation,
				  "was shut down by the client, and the kernel did not report "
				  "what came after that",
				  vague);
		return;
	}
	if (truth == TRUTH_BROKEN && (by_delays || instance_may_hide(ctx, INSTANCE_UNKNOWN)))
		truth = TRUTH_UNKNOWN;
	if (truth == TRUTH_MET)
		return;
	what = xasprintf("bytes %s", expectation_kind_name(expectation->kind));
	findings_add_truth(ctx, truth, NULL, .expectation = expectation,
			   .subject = subject_at(ctx, what, expectation->endpoint),
			   .expected = count_range_text(range),
			   .actual = xasprintf("%" PRId64, sum.low),
			   .miss = count_miss_text(sum, range));
}

/* Lists ends: "refused, refused, closed"; a long list is shortened: "refused x12, closed". */
static char *ends_text(const enum connection_end *ends, size_t n_ends)
{
	struct strbuf text = {0};
	size_t n_same;

	for (size_t i = 0; i < n_ends; i += n_same) {
		n_same = 1;
		while (n_ends > MAX_ALIKE_FINDINGS && i + n_same < n_ends &&
		       ends[i + n_same] == ends[i])
			n_same++;
		strbuf_printf(&text, "%s%s", i > 0 ? ", " : "", connection_end_name(ends[i]));
		if (n_same > 1)
			strbuf_printf(&text, " x%zu", n_same);
	}
	return n_ends > 0 ? strbuf_steal(&text) : xstrdup("no attempt");
}

static char *ended_text(const struct expectation *expectation)
{
	const enum connection_end *ends = expectation->value.ended.ends;

	return expectation->value.ended.each ? xasprintf("each %s", connection_end_name(ends[0]))
					     : ends_text(ends, expectation->value.ended.n_ends);
}

void judge_ended(struct judge_ctx *ctx, const struct expectation *expectation)
{
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&ctx->history, expectation->endpoint, &attempts);
	AUTO_FREE enum connection_end *ends = xzalloc((n_attempts + 1) * sizeof(*ends));
	const enum connection_end *expected = expectation->value.ended.ends;
	size_t n_expected = expectation->value.ended.n_ends, wrong = SIZE_MAX;
	bool each = expectation->value.ended.each;
	enum truth truth;

	for (size_t i = 0; i < n_attempts; i++) {
		ends[i] = end_of(attempts[i]);
		if (wrong == SIZE_MAX &&
		    (each ? ends[i] != expected[0] : i >= n_expected || ends[i] != expected[i]))
			wrong = i;
	}
	assessment_set(ctx, expectation, .expected = ended_text(expectation),
		       .actual = ends_text(ends, n_attempts),
		       .attempt = n_attempts > 0 ? attempts[n_attempts - 1] : NULL);
	if (wrong == SIZE_MAX && (each ? n_attempts > 0 : n_attempts == n_expected))
		return;
	truth = TRUTH_BROKEN;
	if ((wrong != SIZE_MAX && wrong < n_attempts && attempts[wrong]->details->by_exit) ||
	    (n_attempts < n_expected && instance_may_hide(ctx, INSTANCE_UNKNOWN)))
		truth = TRUTH_UNKNOWN;
	findings_add_truth(ctx, truth, NULL, .expectation = expectation,
			   .expected = ended_text(expectation),
			   .actual = ends_text(ends, n_attempts),
			   .attempt = wrong != SIZE_MAX ? attempts[wrong] : NULL);
}

/* ---- read-timeout ---- */

/* Returns whether the client waited for data in vain: a fault held it back, or it never got any. */
static bool waited_for_data(const struct attempt_history *attempt)
{
	if (attempt->end != END_ESTABLISHED || attempt_had_fault(attempt, FAULT_RESET) ||
	    attempt_had_fault(attempt, FAULT_CLOSED))
		return false;
	return attempt_is_stalled(attempt) || attempt_had_fault(attempt, FAULT_SLOWED) ||
	       (attempt->details->client_end_ns != INT64_MAX &&
		attempt->details->last_receive_ns == NEVER_RECEIVED);
}

/*
 * Returns the time from the handshake or the last data until the client ended the connection.
 * *@ret_open: it never did.
 */
static struct range time_without_data(const struct judge_ctx *ctx,
				      const struct attempt_history *attempt, bool *ret_open)
{
	const struct attempt_details *details = attempt->details;
	const struct record *record = ctx->record;
	int64_t end_ns = record_watched_until(record);
	struct when from = {attempt->ended_earliest_ns, attempt->ended_ns};
	struct when to = {details->client_end_earliest_ns, details->client_end_ns};
	struct range known;

	if (details->last_receive_ns != NEVER_RECEIVED)
		from = (struct when){details->last_receive_ns, details->last_receive_ns};
	*ret_open = details->client_end_ns >= ctx->history.stopped_ns;
	if (*ret_open)
		to = (struct when){MIN(end_ns, ctx->history.stopped_ns),
				   MIN(end_ns, ctx->history.stopped_ns)};
	known = span_between(&ctx->delays, from, to, attempt->started_ns, attempt_lateness(attempt),
			     0);
	known.high += delays_of_servers(&ctx->delays, attempt->started_ns, to.latest_ns);
	if (*ret_open)
		known.high = INT64_MAX;
	return known;
}

static void judge_read_timeout_of(struct judge_ctx *ctx, const struct expectation *expectation,
				  const struct attempt_history *attempt, struct time_span *span)
{
	struct time_bounds bounds = expected_bounds(expectation, ctx->timing_scale);
	bool open = false;
	struct range known = time_without_data(ctx, attempt, &open);
	enum truth truth = truth_of_range(known, allowed_range(&bounds));
	int64_t took_ns = open ? known.low : (known.low + known.high) / 2;
	AUTO_FREE char *what = xasprintf("read timeout of attempt %" PRIu32,
					 ctx->record->attempts[attempt->id].number);
	AUTO_FREE char *took = time_text(took_ns);

	if (open && truth == TRUTH_UNKNOWN)
		return;
	time_span_add(span, took_ns, attempt);
	if (truth == TRUTH_MET)
		return;
	findings_add_truth(
		ctx, truth, &known, .expectation = expectation,
		.subject = subject_at(ctx, what, ctx->record->attempts[attempt->id].endpoint),
		.expected = bounds_text(&bounds),
		.actual = open ? xasprintf("still open after %s", took) : xstrdup(took),
		.miss = time_miss_text(&bounds, took_ns), .attempt = attempt);
}

void judge_read_timeout(struct judge_ctx *ctx, const struct expectation *expectation)
{
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&ctx->history, expectation->endpoint, &attempts);
	struct time_bounds bounds = expected_bounds(expectation, ctx->timing_scale);
	struct time_span span = {0};

	for (size_t i = 0; i < n_attempts; i++)
		if (waited_for_data(attempts[i]))
			judge_read_timeout_of(ctx, expectation, attempts[i], &span);
	assessment_set_times(ctx, expectation, &bounds, &span);
	if (span.n_times == 0)
		findings_add_truth(
			ctx,
			instance_may_hide(ctx, INSTANCE_UNKNOWN) ? TRUTH_UNKNOWN : TRUTH_BROKEN,
			NULL, .expectation = expectation,
			.subject = subject_at(ctx, "read timeout", expectation->endpoint),
			.expected = bounds_text(&bounds),
			.actual = xstrdup(
				"no connection that the client ended after it waited for data"));
}
