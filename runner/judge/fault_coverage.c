/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Did every scripted fault that had to fire do so? A test whose fault never happened proves
 * nothing, so a missing fault is an error.
 *
 * Which steps have to fire? `accept` is not a fault and never has to fire. Nor does any step at an
 * endpoint for which an expectation allows no attempts (`0..N`). Every other step has to fire
 * unless the largest expected number of attempts at its endpoint does not reach it; attempts at
 * addresses with faults of their own don't excuse it. A step with "xN" has to fire for each of its
 * N attempts. If the expected number of attempts is a range, the client may stop anywhere within
 * it; so the step has to fire for those attempts that the smallest number reaches, and at least
 * for one. Only attempts that the step can serve count: not those that went to a step with a
 * condition.
 *
 * A step with a condition has to fire for each attempt that it served, and at least for one, unless
 * the expected attempts don't reach the first of its numbers. A step with a chance may lose every
 * draw; it only has to be drawn. An outage that no attempt met, or a chance that was never drawn,
 * tested nothing.
 *
 * If the script was replaced, all of this is true of each script, for the attempts that it served:
 * a script that was replaced before all its faults fired has proved less than it says. A test that
 * can't know how many attempts it will see writes `refuse`, not `refuse x5`.
 *
 * An attempt that was to be held has to come, and to be released, unless its client gives up
 * before.
 *
 * When does a step fire for an attempt? When its verdict takes effect: an RST is sent, a SYN is
 * dropped, a delayed SYN is finally let through or refused. Many scenarios are about clients that
 * give up before a fault is complete: one dropped SYN is enough for `drop` and `lose N`, and a
 * delay fires even if the client closes its socket while its SYN is held. A step with two faults
 * fires when both do.
 *
 * An outage that ends connections has fired when it ended one, or was met by an attempt. What an
 * outage did to a connection is not the work of the connection's own step.
 */
#include <inttypes.h>

#include "common/text.h"
#include "injector/step_text.h"
#include "runner/judge/fault_coverage.h"
#include "runner/judge/findings.h"
#include "runner/judge/per_instance.h"
#include "runner/judge/replay.h"

/* Returns how many attempts are expected at one endpoint; *@ret_optional: none are allowed, too. */
static struct range expected_attempts(const struct judge_ctx *ctx, size_t endpoint,
				      bool *ret_optional)
{
	const struct scenario *scenario = ctx->scenario;
	struct range expected = {.low = 0, .high = INT64_MAX};
	bool found = false;
	int64_t elsewhere = 0;

	for (size_t id = 0; id < ctx->record->n_attempts; id++)
		if (ctx->record->attempts[id].endpoint != endpoint)
			elsewhere++;
	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];
		struct range range = expectation->value.range.range;

		if (expectation->kind != EXPECT_ATTEMPTS ||
		    (expectation->endpoint != endpoint && expectation->endpoint != ALL_ENDPOINTS))
			continue;
		if (range.low <= 0)
			*ret_optional = true;
		/* The other endpoints had their part of the smallest number at all endpoints. */
		if (expectation->endpoint == ALL_ENDPOINTS)
			range.low -= elsewhere;
		expected.low = MAX(expected.low, range.low);
		expected.high = MIN(expected.high, range.high);
		found = true;
	}
	if (!found)
		expected.low = INT64_MAX;
	return expected;
}

/*
 * A stall for a time must have healed, unless the run ended before that was due. The timer starts
 * when the stall is decided, a little before it takes effect.
 */
static bool has_stalled(const struct judge_ctx *ctx, const struct step *step,
			const struct attempt_history *attempt)
{
	const struct record *record = ctx->record;
	int64_t due_ns = attempt_had_own_fault(attempt, FAULT_STALLED)
				 ? attempt_fault_ns(attempt, FAULT_STALLED)
				 : INT64_MAX;
	int64_t end_ns = record_watched_until(record);

	if (due_ns == INT64_MAX || step->for_ns == 0)
		return due_ns != INT64_MAX;
	due_ns += step->for_ns + attempt->details->max_lag_ns + ANSWER_SLACK_NS;
	return attempt_had_fault(attempt, FAULT_HEALED) || end_ns <= due_ns;
}

static bool action_fired(const struct judge_ctx *ctx, const struct step *step,
			 enum step_action action, const struct attempt_history *attempt)
{
	switch (action) {
	case STEP_REFUSE:
		return attempt->details->refused > 0;
	case STEP_UNREACHABLE:
		return attempt->details->unreachable > 0;
	case STEP_LOSE_SYN_ACK:
		return attempt_had_own_fault(attempt, FAULT_SYN_ACK_LOST);
	case STEP_HALF_OPEN:
	case STEP_STALL:
		return has_stalled(ctx, step, attempt);
	case STEP_BACKLOG_FULL:
		return step->abort ? attempt_had_own_fault(attempt, FAULT_RESET)
				   : attempt->details->dropped > 0;
	case STEP_RESET:
		return attempt_had_own_fault(attempt, FAULT_RESET);
	case STEP_CLOSE:
		return attempt_had_own_fault(attempt, FAULT_CLOSED);
	case STEP_SLOW:
		return attempt_had_own_fault(attempt, FAULT_SLOWED);
	case STEP_PACKET_LOSS:
		return attempt_had_own_fault(attempt, FAULT_PACKET_LOST);
	case STEP_LATENCY:
		return attempt_had_own_fault(attempt, FAULT_DELAYED);
	case STEP_PAUSE:
		return attempt->details->dropped > 0 ||
		       attempt_had_own_fault(attempt, FAULT_SYN_ACK_LOST);
	case STEP_DROP:
	case STEP_LOSE:
		return attempt->details->dropped > 0;
	case STEP_DELAY:
		return attempt->details->accepted > 0 || attempt->details->refused > 0 ||
		       attempt->details->unreachable > 0 ||
		       attempt->closed_ns <
			       attempt->started_ns + ctx->record->attempts[attempt->id].delay_ns;
	case STEP_ACCEPT:
	case STEP_N_ACTIONS:
		break;
	}
	return true;
}

static bool fired(const struct judge_ctx *ctx, const struct step *step,
		  const struct attempt_history *attempt)
{
	return action_fired(ctx, step, step->action, attempt) &&
	       action_fired(ctx, step, step->then, attempt);
}

/*
 * Takes ownership of @how_often, which says how often the step fired. @index: among the steps of
 * all parts
 */
static void add_never_fired(struct judge_ctx *ctx, enum weight weight, size_t endpoint,
			    size_t index, char *how_often)
{
	const struct endpoint_spec *spec = &ctx->scenario->endpoints[endpoint];
	AUTO_STRBUF struct strbuf step = {0};
	char *subject;

	step_format(&spec->script.steps[index], &step);
	subject = xasprintf("step %zu (\"%s\") at %s", index + 1, strbuf_text(&step), spec->name);
	findings_add(ctx, weight, .type = "never-fired",
		     .place = spec->step_places ? spec->step_places[index] : spec->place,
		     .subject = subject, .message = xasprintf("%s %s", subject, how_often));
	free(how_often);
}

static char *how_often(int64_t count, int64_t required)
{
	if (count == 0)
		return xstrdup("never fired");
	return xasprintf("fired for %" PRId64 " of %" PRId64 " attempt%s", count, required,
			 PLURAL(required));
}

/* The attempts at one endpoint that one of its scripts served, as that sees them. */
struct served {
	struct judge_ctx *ctx;
	size_t endpoint;
	const struct script *script;
	size_t first_step;                       /* of the script, among those of all parts */
	const struct attempt_history **attempts; /* in their order */
	size_t n_attempts;
	struct range expected;            /* for this script */
	const struct step_select *replay; /* after the last attempt */
};

static uint32_t step_of(const struct served *served, size_t at)
{
	return served->ctx->record->attempts[served->attempts[at]->id].step -
	       (uint32_t)served->first_step;
}

/* Counts how often the step fired among the first @most attempts that it served. */
static int64_t count_fired(const struct served *served, size_t index, int64_t most)
{
	int64_t n_served = 0, count = 0;

	for (size_t i = 0; i < served->n_attempts && n_served < most; i++) {
		const struct attempt_history *attempt = served->attempts[i];

		if (step_of(served, i) != index)
			continue;
		n_served++;
		if (fired(served->ctx, &served->script->steps[index], attempt))
			count++;
	}
	return count;
}

/* Leaves out of an expected number of attempts those that something else serves. */
static struct range without(struct range expected, int64_t n_others)
{
	if (expected.low != INT64_MAX)
		expected.low = MAX(expected.low - n_others, 0);
	if (expected.high != INT64_MAX)
		expected.high = MAX(expected.high - n_others, 0);
	return expected;
}

/*
 * Returns the number of expected attempts; if @plain, less those that steps with conditions served.
 */
static struct range expected_of(const struct served *served, uint32_t list, bool plain)
{
	int64_t elsewhere = 0;

	for (size_t i = 0; i < served->n_attempts; i++) {
		const struct step *step = &served->script->steps[step_of(served, i)];

		if (step->list == list && plain && step->when.given)
			elsewhere++;
	}
	return without(served->expected, elsewhere);
}

static void judge_plain(const struct served *served, size_t index)
{
	const struct step *step = &served->script->steps[index];
	struct range expected = expected_of(served, step->list, true);
	int64_t first = (int64_t)script_first_attempt(served->script, index);
	int64_t last = MIN(first + step->repeat - 1, MAX(expected.low, first));
	int64_t required, count;

	if (first > expected.high)
		return;
	required = MIN(last, expected.high) - first + 1;
	count = count_fired(served, index, required);
	if (count < required)
		add_never_fired(served->ctx, WEIGHT_NEVER_FIRED, served->endpoint,
				served->first_step + index, how_often(count, required));
}

/* Returns whether the step, an outage, ended a connection. */
static bool ended_any(const struct served *served, size_t index)
{
	const struct record *record = served->ctx->record;

	/*
	 * It ends connections of held attempts, too, which no script served. A history keeps only
	 * the last of the pauses that a connection met.
	 */
	for (size_t i = 0; served->script->steps[index].ending && i < record->n_events; i++) {
		const struct event *event = &record->events[i];

		if (event->kind == EVENT_FAULT && event->u.net.attempt < record->n_attempts &&
		    event->u.net.outage == served->first_step + index + 1 &&
		    record->attempts[event->u.net.attempt].endpoint == served->endpoint)
			return true;
	}
	return false;
}

static void judge_conditional(const struct served *served, size_t index)
{
	const struct step *step = &served->script->steps[index];
	const struct step_select_state *progress = &served->replay->steps[index];
	int64_t count = count_fired(served, index, INT64_MAX);

	if (count < progress->taken)
		add_never_fired(served->ctx, WEIGHT_NEVER_FIRED, served->endpoint,
				served->first_step + index, how_often(count, progress->taken));
	else if (progress->due == 0 && !ended_any(served, index) &&
		 (int64_t)condition_first_attempt(&step->when) <=
			 expected_of(served, step->list, false).high)
		add_never_fired(
			served->ctx, step->when.has_window ? WEIGHT_VOID : WEIGHT_NEVER_FIRED,
			served->endpoint, served->first_step + index,
			xstrdup(step->ending == STEP_ENDS_PAUSE
					? "never fired: it stalled no connection, and no attempt "
					  "began in it"
				: step->ending
					? "never fired: it ended no connection, and no attempt met "
					  "it"
					: "never fired: no attempt met its condition"));
}

/* Counts the attempts that came before those of a script, and those held since. */
static int64_t count_others(const struct endpoint_parts *parts, size_t part)
{
	const uint32_t first = parts->items[part].attempt;
	int64_t n = (int64_t)first - 1;

	for (size_t i = 0; i < parts->n_items; i++)
		n += parts->items[i].held && parts->items[i].attempt >= first;
	return n;
}

static void judge_script(const struct served *served)
{
	const struct script *script = served->script;

	for (size_t index = 0; index < script->n_steps; index++) {
		if (script->steps[index].action == STEP_ACCEPT)
			continue;
		if (script->steps[index].when.given)
			judge_conditional(served, index);
		else
			judge_plain(served, index);
	}
}

static void judge_hold(const struct served *served, const struct script_part *part)
{
	const struct attempt_history *attempt = served->n_attempts ? served->attempts[0] : NULL;
	const char *what = NULL;

	if (!attempt)
		what = "never fired: the attempt that it was to hold was not made";
	else if (part->released)
		what = fired(served->ctx, &part->script.steps[0], attempt) ? NULL : "never fired";
	else if (attempt->closed_ns >= attempt->started_ns + part->limit_ns)
		what = "held an attempt that was not released";
	if (what)
		add_never_fired(served->ctx, WEIGHT_NEVER_FIRED, served->endpoint, part->first_step,
				xstrdup(what));
}

static void judge_endpoint(struct judge_ctx *ctx, size_t endpoint, const struct step_select *replay)
{
	const struct endpoint_parts *parts = &ctx->parts->endpoints[endpoint];
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&ctx->history, endpoint, &attempts);
	AUTO_FREE const struct attempt_history **own = xzalloc((n_attempts + 1) * sizeof(*own));
	bool optional = false;
	const struct range expected = expected_attempts(ctx, endpoint, &optional);

	if (optional)
		return;
	for (size_t i = 0; i < parts->n_items; i++) {
		const struct script_part *part = &parts->items[i];
		struct served served = {
			.ctx = ctx,
			.endpoint = endpoint,
			.script = &part->script,
			.first_step = part->first_step,
			.attempts = own,
			.expected = without(expected, count_others(parts, i)),
			.replay = &replay[i],
		};

		for (size_t k = 0; k < n_attempts; k++)
			if (script_parts_find(parts,
					      ctx->record->attempts[attempts[k]->id].number) == i)
				own[served.n_attempts++] = attempts[k];
		if (part->held)
			judge_hold(&served, part);
		else
			judge_script(&served);
	}
}

/*
 * Finds a run without any attempt: it proves nothing, unless no attempt is what was expected.
 * Returns whether it is one.
 */
static bool find_no_attempt(struct judge_ctx *ctx)
{
	const struct scenario *scenario = ctx->scenario;
	struct finding_parts parts;

	if (ctx->record->n_attempts > 0 || scenario->n_endpoints == 0)
		return false;
	for (size_t i = 0; i < scenario->n_expectations; i++)
		if (scenario->expectations[i].kind == EXPECT_ATTEMPTS &&
		    scenario->expectations[i].value.range.range.low <= 0)
			return false;
	parts = (struct finding_parts){
		.type = "no-attempt",
		.place = scenario->place,
		.subject = xstrdup("the client"),
		.message = xstrdup("the client made no attempt, which proves nothing; expect "
				   "\"attempts: 0\" if that is right"),
	};
	/* Without delays it might have made one before its timeout: judge_timeout() found that. */
	if (ctx->timed_out && ctx->findings[WEIGHT_LAG].n_items > 0)
		findings_add_late(ctx, WEIGHT_VOID, &parts);
	else
		findings_add_parts(ctx, WEIGHT_VOID, &parts);
	return true;
}

void judge_fired(struct judge_ctx *ctx)
{
	CLEANUP(replay_deinit) struct replay replay;
	struct step_select_choice choice;

	replay_init(&replay, ctx);
	/* Then no step fired either: one cause, one finding. */
	if (find_no_attempt(ctx))
		return;
	for (size_t id = 0; id < ctx->record->n_attempts; id++)
		(void)replay_next(&replay, (uint32_t)id, &choice);
	for (size_t endpoint = 0; endpoint < ctx->scenario->n_endpoints; endpoint++)
		judge_endpoint(ctx, endpoint, replay.endpoints[endpoint]);
}
