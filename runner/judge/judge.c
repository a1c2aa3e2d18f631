/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outcome of a record: gathers findings from the parts and applies the order of precedence that
 * judge.h states.
 */
#include <inttypes.h>

#include "runner/judge/backoff.h"
#include "runner/judge/connections.h"
#include "runner/judge/consistency.h"
#include "runner/judge/counts.h"
#include "runner/judge/fault_coverage.h"
#include "runner/judge/findings.h"
#include "runner/judge/herd.h"
#include "runner/judge/judge.h"
#include "runner/judge/late_verdict.h"
#include "runner/judge/measurements.h"
#include "runner/judge/needs.h"
#include "runner/judge/per_instance.h"
#include "runner/judge/reconnection.h"
#include "runner/judge/retry_sequence.h"
#include "runner/judge/socket_lifetime.h"
#include "runner/judge/text.h"
#include "runner/scenario/policy_bounds.h"

/* Reports the harness's problems. Returns whether there are none; *@ret_skip: skip if not. */
static bool judge_problems(struct judge_ctx *ctx, bool *ret_skip)
{
	const struct record *record = ctx->record;
	struct finding_list *list = &ctx->findings[WEIGHT_HARNESS];

	*ret_skip = record->n_problems > 0 && record->problems[0].missing_capability &&
		    !record->client_started;
	for (size_t i = 0; i < record->n_problems; i++) {
		const struct problem *problem = &record->problems[i];

		const struct finding_parts parts = {
			.type = problem->missing_capability ? "capability" : "harness",
			.place = ctx->scenario->place,
			.subject = xstrdup("the harness"),
			.message = xstrdup(problem->message),
		};

		if (problem->late)
			findings_add_late(ctx, WEIGHT_HARNESS, &parts);
		else
			findings_add_parts(ctx, WEIGHT_HARNESS, &parts);
	}
	if (list->n_items == 0 && !record->client_started)
		findings_add(ctx, WEIGHT_HARNESS, .place = ctx->scenario->place,
			     .subject = xstrdup("the harness"),
			     .message = xstrdup("the client was never started"));
	if (list->n_items == 0 && !record->complete)
		findings_add(
			ctx, WEIGHT_HARNESS, .place = ctx->scenario->place,
			.subject = xstrdup("the harness"),
			.message = xstrdup("the supervisor ended before the record was complete"));
	return list->n_items == 0;
}

/*
 * A timeout is the client's fault unless delays took more than a hundredth of its time and more
 * than the default tolerance: then the client might have ended in time without them.
 */
static void judge_timeout(struct judge_ctx *ctx)
{
	const struct scenario *scenario = ctx->scenario;
	const struct tolerance tolerance = TOLERANCE_DEFAULT;
	int64_t slack_ns =
		MAX(tolerance_slack(0, &tolerance, ctx->timing_scale), scenario->timeout_ns / 100);
	int64_t delay_ns = delays_of_client(&ctx->delays, 0, scenario->timeout_ns);
	char timeout[DURATION_TEXT_SIZE];

	if (!ctx->timed_out)
		return;
	for (size_t i = 0; i < ctx->history.n_attempts; i++)
		delay_ns += attempt_lateness(&ctx->history.attempts[i]);
	duration_format(scenario->timeout_ns, timeout);
	findings_add_truth(
		ctx, delay_ns > slack_ns ? TRUTH_UNKNOWN : TRUTH_BROKEN, NULL, .type = "timeout",
		.place = scenario->place, .subject = xstrdup("the client"),
		.expected = xasprintf("to end within %s", timeout),
		.actual = xstrdup("still running"),
		.message = xasprintf(
			"the client was still running after %s, its timeout, and was ended",
			timeout));
}

/* How each kind of expectation is judged. */
static const struct {
	void (*judge)(struct judge_ctx *ctx, const struct expectation *expectation);
	unsigned traits; /* bits of enum expectation_trait */
} kinds[] = {
#define JUDGE(kind, key, owned, decode, is_value, contradict, judging, needs, traits, ...)         \
	[EXPECT_##kind] = {judging, traits},
	EXPECTATION_KINDS(JUDGE)
#undef JUDGE
};

/* An expectation can't be judged if the record lacks what it needs. */
static bool has_what_it_needs(struct judge_ctx *ctx, const struct expectation *expectation)
{
	unsigned needs = expectation_needs(expectation->kind);
	const char *lacks = NULL;

	/* If synfault did not start the client, what the record does not show counts as none. */
	if (ctx->record->attached)
		return true;
	if ((needs & NEEDS_STARVATION) && !ctx->record->has_starvation)
		lacks = "how long processes waited for a processor";
	else if ((needs & NEEDS_SOCKETS) && !ctx->record->has_sockets)
		lacks = "which sockets were open";
	else if ((needs & NEEDS_CLIENT_ENDS) && !ctx->record->has_client_ends)
		lacks = "how clients ended their connections";
	if (!lacks)
		return true;
	findings_add(
		ctx, WEIGHT_UNDECIDED, .expectation = expectation,
		.subject = subject_at(ctx, expectation_kind_name(expectation->kind),
				      expectation->endpoint),
		.message = xasprintf(
			"%s can't be judged: the record does not say %s; run the scenario again",
			expectation_kind_name(expectation->kind), lacks));
	return false;
}

static bool is_on_attempts(const struct judge_ctx *ctx, const struct finding *finding)
{
	return finding->assessment < ctx->scenario->n_expectations &&
	       kinds[ctx->scenario->expectations[finding->assessment].kind].traits & ON_ATTEMPTS;
}

/* Returns whether an expectation on attempts is broken for certain. */
static bool is_broken_on_attempts(const struct judge_ctx *ctx)
{
	const struct finding_list *failed = &ctx->findings[WEIGHT_FAILED];

	for (size_t i = 0; i < failed->n_items; i++)
		if (is_on_attempts(ctx, &failed->items[i]))
			return true;
	return false;
}

/* Returns whether delays may have kept the client from the attempt that a fault waits for. */
static bool delays_may_be_why(const struct judge_ctx *ctx)
{
	const struct finding_list *unknown = &ctx->findings[WEIGHT_LAG];

	for (size_t i = 0; i < unknown->n_items; i++)
		if (strcmp(unknown->items[i].type, "timeout") == 0 ||
		    is_on_attempts(ctx, &unknown->items[i]))
			return true;
	return false;
}

/* Joins the lists in the order of their weight, so that the first finding decides the outcome. */
static struct judgement decide(struct judge_ctx *ctx, bool skip)
{
	static const enum outcome outcomes[N_WEIGHTS] = {
		[WEIGHT_HARNESS] = OUTCOME_ERROR, [WEIGHT_VOID] = OUTCOME_ERROR,
		[WEIGHT_FAILED] = OUTCOME_FAIL,   [WEIGHT_NEVER_FIRED] = OUTCOME_ERROR,
		[WEIGHT_LAG] = OUTCOME_ERROR,     [WEIGHT_UNDECIDED] = OUTCOME_ERROR,
	};
	enum weight order[N_WEIGHTS] = {WEIGHT_HARNESS,     WEIGHT_VOID, WEIGHT_FAILED,
					WEIGHT_NEVER_FIRED, WEIGHT_LAG,  WEIGHT_UNDECIDED};
	struct judgement judgement = {.outcome = OUTCOME_PASS};

	if (ctx->findings[WEIGHT_NEVER_FIRED].n_items > 0 && !is_broken_on_attempts(ctx)) {
		/* A fault that never fired might have caused what is missing. */
		order[2] = WEIGHT_NEVER_FIRED;
		order[3] = WEIGHT_FAILED;
		if (delays_may_be_why(ctx)) {
			order[2] = WEIGHT_LAG;
			order[3] = WEIGHT_NEVER_FIRED;
			order[4] = WEIGHT_FAILED;
		}
	}
	for (size_t i = 0; i < N_WEIGHTS; i++) {
		struct finding_list *list = &ctx->findings[order[i]];

		if (list->n_items > 0 && judgement.n_findings == 0)
			judgement.outcome = outcomes[order[i]];
		for (size_t k = 0; k < list->n_items; k++)
			array_append(judgement.findings, judgement.n_findings, judgement.capacity,
				     list->items[k]);
		free(list->items);
	}
	assessments_finish(ctx, &judgement);
	if (skip)
		judgement.outcome = OUTCOME_SKIP;
	return judgement;
}

bool expectation_needs_client(const struct expectation *expectation)
{
	return expectation_needs(expectation->kind) & NEEDS_CLIENT;
}

/* At the timeout synfault ends the client, so its status and duration say nothing then. */
static bool is_judged(const struct judge_ctx *ctx, const struct expectation *expectation)
{
	if (ctx->record->attached && expectation_needs_client(expectation))
		return false;
	return !ctx->timed_out ||
	       (expectation->kind != EXPECT_EXIT && expectation->kind != EXPECT_DURATION);
}

/* A timeout of the client's that leaves less room than this is not one to rely on. */
#define LATE_NS (20 * NS_PER_MS)

static void set_disturbance(struct judge_ctx *ctx, int64_t since_ns, char *text)
{
	if (since_ns >= ctx->disturbed_ns) {
		free(text);
		return;
	}
	free(ctx->disturbance);
	ctx->disturbed_ns = since_ns;
	ctx->disturbance = text;
}

/*
 * Finds a connection that no fault broke but that the client may have given up because it, or a
 * server, starved: for so large a part of the connection's time that a timeout may have ended it.
 */
static void find_starved_connection(struct judge_ctx *ctx)
{
	const struct history *history = &ctx->history;
	const struct tolerance tolerance = TOLERANCE_DEFAULT;

	for (size_t i = 0; i + 1 < history->n_attempts; i++) {
		const struct attempt_history *attempt = &history->attempts[i];
		int64_t until_ns = MIN(MIN(attempt->closed_ns, attempt->details->client_end_ns),
				       history->attempts[history->n_attempts - 1].started_ns);
		int64_t delay_ns;
		char text[DURATION_TEXT_SIZE];

		if (attempt_ending(attempt) != ENDING_CONNECTED)
			continue;
		delay_ns = delays_of_client(&ctx->delays, attempt->started_ns, until_ns) +
			   delays_of_servers(&ctx->delays, attempt->started_ns, until_ns);
		if (delay_ns <= MAX(tolerance_slack(0, &tolerance, ctx->timing_scale),
				    (until_ns - attempt->started_ns) / 4))
			continue;
		set_disturbance(
			ctx, attempt->ended_ns + 1,
			xasprintf("while attempt %" PRIu32 " at %s was connected, processes "
				  "waited %s for a processor",
				  ctx->record->attempts[i].number,
				  ctx->scenario->endpoints[ctx->record->attempts[i].endpoint].name,
				  duration_format(delay_ns, text)));
		return;
	}
}

/* How late the packets of an attempt were. */
struct overdue {
	int64_t sum_ns;     /* all in all, as the last event says */
	int64_t in_vain_ns; /* while the client waited for data in vain */
};

/*
 * Takes an event that says by how much the sum has grown. The client waited in vain from the last
 * data that it got until it ended the connection.
 */
static void take_overdue(const struct attempt_history *attempt, const struct event *event,
			 struct overdue *overdue)
{
	const struct attempt_details *details = attempt->details;
	int64_t from_ns = details->last_receive_ns == NEVER_RECEIVED ? attempt->ended_ns
								     : details->last_receive_ns;
	int64_t begin_ns = event->at_ns - (event->u.net.late_ns - overdue->sum_ns);
	int64_t end_ns = MIN(event->at_ns, details->client_end_ns);

	if (details->client_end_ns == INT64_MAX || event->u.net.late_ns <= overdue->sum_ns)
		return;
	overdue->in_vain_ns += MAX(end_ns - MAX(begin_ns, from_ns), 0);
	overdue->sum_ns = event->u.net.late_ns;
}

/* Finds a connection that the client may have given up because packets were held for too long. */
static void find_late_packets(struct judge_ctx *ctx)
{
	const struct history *history = &ctx->history;
	AUTO_FREE struct overdue *all = xzalloc((history->n_attempts + 1) * sizeof(*all));
	char text[DURATION_TEXT_SIZE];

	for (size_t i = 0; i < ctx->record->n_events; i++) {
		const struct event *event = &ctx->record->events[i];

		if (event->kind == EVENT_FAULT && event->u.net.fault == FAULT_DELAYED &&
		    event->u.net.attempt < history->n_attempts)
			take_overdue(&history->attempts[event->u.net.attempt], event,
				     &all[event->u.net.attempt]);
	}
	for (size_t i = 0; i < history->n_attempts; i++) {
		const struct record_attempt *made = &ctx->record->attempts[i];

		if (all[i].in_vain_ns <= LATE_NS)
			continue;
		set_disturbance(
			ctx, history->attempts[i].started_ns,
			xasprintf("attempt %" PRIu32 " at %s was given up while packets were up to "
				  "%s too late",
				  made->number, ctx->scenario->endpoints[made->endpoint].name,
				  duration_format(all[i].in_vain_ns, text)));
		return;
	}
}

/* Finds when the client may have begun to behave differently because of delays. */
static void find_disturbance(struct judge_ctx *ctx)
{
	struct late_verdict late;

	if (late_verdict_find(ctx->scenario, &ctx->history, &late))
		set_disturbance(ctx, ctx->history.attempts[late.attempt].started_ns + 1,
				late_verdict_text(ctx->scenario, ctx->record, &late));
	find_starved_connection(ctx);
	find_late_packets(ctx);
}

static bool has_finding(const struct judge_ctx *ctx, const struct expectation *expectation)
{
	size_t index = (size_t)(expectation - ctx->scenario->expectations);

	for (size_t weight = 0; weight < N_WEIGHTS; weight++)
		for (size_t i = 0; i < ctx->findings[weight].n_items; i++)
			if (ctx->findings[weight].items[i].assessment == index)
				return true;
	return false;
}

/* Returns whether any number is as expected, so that none is luck. */
static bool takes_any_number(const struct expectation *expectation)
{
	const struct range *range = &expectation->value.range.range;

	return (expectation->kind == EXPECT_ATTEMPTS || expectation->kind == EXPECT_CONNECTED) &&
	       range->low <= 0 && range->high == INT64_MAX;
}

/* An expectation is unknown if it may have come out right only because of delays. */
static void check_luck(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const char *key = expectation_kind_name(expectation->kind);
	bool disturbed =
		ctx->disturbed_ns != INT64_MAX && ctx->history.n_attempts > 0 &&
		ctx->history.attempts[ctx->history.n_attempts - 1].started_ns >= ctx->disturbed_ns;

	if (!disturbed && !((kinds[expectation->kind].traits & BY_LUCK) &&
			    instance_was_delayed(ctx, INSTANCE_UNKNOWN, true)))
		return;
	if (has_finding(ctx, expectation) || takes_any_number(expectation))
		return;
	findings_add_truth(ctx, TRUTH_UNKNOWN, NULL, .expectation = expectation,
			   .subject = subject_at(ctx, key, expectation->endpoint),
			   .message = xasprintf("%s: it came out as expected", key));
}

/* Judges each expectation, and whether the faults that had to fire did. */
static void judge_expectations(struct judge_ctx *ctx)
{
	const struct scenario *scenario = ctx->scenario;
	bool attached = ctx->record->attached;
	size_t n_judged = 0;

	find_disturbance(ctx);
	judge_timeout(ctx);
	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];

		if (!is_judged(ctx, expectation))
			continue;
		ctx->assessments[i].result = ASSESSED_MET;
		n_judged++;
		if (!has_what_it_needs(ctx, expectation))
			continue;
		kinds[expectation->kind].judge(ctx, expectation);
	}
	/* Last, because a finding about a measurement says more than one about luck. */
	for (size_t i = 0; i < scenario->n_expectations; i++)
		if (ctx->assessments[i].result == ASSESSED_MET)
			check_luck(ctx, &scenario->expectations[i]);
	if (!attached || n_judged > 0)
		judge_fired(ctx);
}

struct judgement judge(const struct scenario *scenario, const struct record *record,
		       const struct judge_options *options)
{
	CLEANUP(script_parts_free) struct script_parts parts;
	AUTO_FREE char *unreadable = script_parts_make(scenario, record, &parts);
	struct judge_ctx ctx = {
		.scenario = &parts.scenario,
		.parts = &parts,
		.record = record,
		.searches = options ? options->searches : NULL,
		.patterns = pattern_default_limits,
		.timing_scale = options ? options->timing_scale : 1,
		.disturbed_ns = INT64_MAX,
	};
	bool skip;

	assessments_make(&ctx);
	if (judge_problems(&ctx, &skip)) {
		ctx.history = history_make(record);
		ctx.timed_out = history_timed_out(&ctx.history);
		ctx.delays = delays_make(record);
		judge_consistency(&ctx, unreadable);
		if (ctx.findings[WEIGHT_HARNESS].n_items == 0)
			judge_expectations(&ctx);
		attempt_groups_release(&ctx);
		free(ctx.disturbance);
		delays_free(&ctx.delays);
		history_free(&ctx.history);
	}
	return decide(&ctx, skip);
}
