/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Did every scripted fault fire that had to? A test whose fault never happened proves nothing, so
 * that it is an error when one did not.
 *
 * Which steps have to fire. `accept` is no fault and never has to. Any other step has to fire
 * unless the most attempts that are expected at its endpoint don't reach it. A step with "xN" has
 * to fire for each of its N attempts; where the number of attempts expected is a range, for those
 * that the fewest expected attempts reach, and for one at least: a client may stop anywhere inside
 * the range that it was given. Only the attempts that a step can serve count there: not those that
 * went to a step with a condition, or to addresses with faults of their own.
 *
 * A step with a condition has to fire for each attempt that it took, and for one at least, unless
 * the expected attempts don't reach the first of its numbers. A chance can go against it each time;
 * then it is enough that it was drawn. An outage that no attempt fell into, and a chance that no
 * attempt came to, tested nothing.
 *
 * When a step fired for an attempt. It did when its verdict took effect: an RST sent, a SYN
 * dropped, a delayed SYN let through or refused in the end. A client may give up before a fault is
 * complete, which is what many scenarios are about: a single SYN dropped is enough for `drop` and
 * `lose N`, and a delay fired when the client closed its socket while its SYN was held.
 */
#include <inttypes.h>

#include "runner/judge/judging.h"

/* How many attempts the expectations foresee at one endpoint. */
static struct range expected_attempts(const struct judging *judging, size_t endpoint)
{
	const struct scenario *scenario = judging->scenario;
	struct range expected = {.low = 0, .high = INT64_MAX};
	bool found = false;
	int64_t elsewhere = 0;

	for (size_t id = 0; id < judging->record->n_attempts; id++)
		if (judging->record->attempts[id].endpoint != endpoint)
			elsewhere++;
	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];
		struct range range = expectation->value.range.range;

		if (expectation->kind != EXPECT_ATTEMPTS ||
		    (expectation->endpoint != endpoint && expectation->endpoint != ALL_ENDPOINTS))
			continue;
		/* Of the fewest over all endpoints this one has what the others left. */
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

static bool fired(const struct step *step, const struct attempt_history *attempt, int64_t delay_ns)
{
	switch (step->action) {
	case STEP_REFUSE:
		return attempt->details->refused > 0;
	case STEP_UNREACHABLE:
		return attempt->details->unreachable > 0;
	case STEP_LOSE_SYN_ACK:
		return attempt_had_fault(attempt, FAULT_SYN_ACK_LOST);
	case STEP_HALF_OPEN:
	case STEP_STALL:
		return attempt_had_fault(attempt, FAULT_STALLED);
	case STEP_BACKLOG_FULL:
		return step->abort ? attempt_had_fault(attempt, FAULT_RESET)
				   : attempt->details->dropped > 0;
	case STEP_RESET:
		return attempt_had_fault(attempt, FAULT_RESET);
	case STEP_CLOSE:
		return attempt_had_fault(attempt, FAULT_CLOSED);
	case STEP_SLOW:
		return attempt_had_fault(attempt, FAULT_SLOWED);
	case STEP_DROP:
	case STEP_LOSE:
		return attempt->details->dropped > 0;
	case STEP_DELAY:
		return attempt->details->accepted > 0 || attempt->details->refused > 0 ||
		       attempt->details->unreachable > 0 ||
		       attempt->closed_ns < attempt->started_ns + delay_ns;
	case STEP_ACCEPT:
	case STEP_N_ACTIONS:
		break;
	}
	return true;
}

/* Takes the text that says how often it fired. */
static void add_unfired(struct judging *judging, size_t endpoint, size_t index, char *how_often)
{
	const struct endpoint_spec *spec = &judging->scenario->endpoints[endpoint];
	AUTO_STRBUF struct strbuf step = {0};
	char *subject;

	step_format(&spec->script.steps[index], &step);
	subject = xasprintf("step %zu (\"%s\") at %s", index + 1, strbuf_text(&step), spec->name);
	judging_add(judging, WEIGHT_UNFIRED,
		    &(struct finding_parts){
			    .type = "unfired",
			    .place = spec->step_places ? spec->step_places[index] : spec->place,
			    .subject = subject,
			    .message = xasprintf("%s %s", subject, how_often),
		    });
	free(how_often);
}

static char *how_often(int64_t count, int64_t required)
{
	if (count == 0)
		return xstrdup("never fired");
	return xasprintf("fired for %" PRId64 " of %" PRId64 " attempts", count, required);
}

/* The attempts at one endpoint, as its script sees them. */
struct served {
	struct judging *judging;
	size_t endpoint;
	const struct script *script;
	const struct attempt_history **attempts; /* in their order */
	size_t n_attempts;
	struct range expected;            /* at the endpoint */
	const struct step_select *replay; /* at its end */
};

static uint32_t step_of(const struct served *served, size_t at)
{
	return served->judging->record->attempts[served->attempts[at]->id].step;
}

/* For how many of the first @most attempts that the step served did it fire? */
static int64_t count_fired(const struct served *served, size_t index, int64_t most)
{
	const struct record_attempt *attempts = served->judging->record->attempts;
	int64_t n_served = 0, count = 0;

	for (size_t i = 0; i < served->n_attempts && n_served < most; i++) {
		const struct attempt_history *attempt = served->attempts[i];

		if (step_of(served, i) != index)
			continue;
		n_served++;
		if (fired(&served->script->steps[index], attempt, attempts[attempt->id].delay_ns))
			count++;
	}
	return count;
}

/* What is left of the expected attempts when those that went elsewhere are taken off. */
static struct range expected_of(const struct served *served, uint32_t list, bool plain)
{
	struct range left = served->expected;
	int64_t elsewhere = 0;

	for (size_t i = 0; i < served->n_attempts; i++) {
		const struct step *step = &served->script->steps[step_of(served, i)];

		if (step->list != list || (plain && step->when.given))
			elsewhere++;
	}
	if (left.low != INT64_MAX)
		left.low = MAX(left.low - elsewhere, 0);
	if (left.high != INT64_MAX)
		left.high = MAX(left.high - elsewhere, 0);
	return left;
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
		add_unfired(served->judging, served->endpoint, index, how_often(count, required));
}

static void judge_conditional(const struct served *served, size_t index)
{
	const struct step *step = &served->script->steps[index];
	const struct step_select_state *progress = &served->replay->steps[index];
	int64_t count = count_fired(served, index, INT64_MAX);

	if (count < progress->taken)
		add_unfired(served->judging, served->endpoint, index,
			    how_often(count, progress->taken));
	else if (progress->due == 0 && (int64_t)condition_first_attempt(&step->when) <=
					       expected_of(served, step->list, false).high)
		add_unfired(served->judging, served->endpoint, index,
			    xstrdup("never fired: no attempt met its condition"));
}

static void judge_endpoint(struct judging *judging, size_t endpoint,
			   const struct step_select *replay)
{
	const struct script *script = &judging->scenario->endpoints[endpoint].script;
	AUTO_FREE const struct attempt_history **attempts = NULL;
	struct served served = {
		.judging = judging,
		.endpoint = endpoint,
		.script = script,
		.n_attempts = history_of(&judging->history, endpoint, &attempts),
		.expected = expected_attempts(judging, endpoint),
		.replay = replay,
	};

	served.attempts = attempts;
	for (size_t index = 0; index < script->n_steps; index++) {
		if (script->steps[index].action == STEP_ACCEPT)
			continue;
		if (script->steps[index].when.given)
			judge_conditional(&served, index);
		else
			judge_plain(&served, index);
	}
}

void judge_fired(struct judging *judging)
{
	CLEANUP(replay_deinit) struct replay replay;
	struct step_select_choice choice;

	replay_init(&replay, judging);
	for (size_t id = 0; id < judging->record->n_attempts; id++)
		(void)replay_next(&replay, (uint32_t)id, &choice);
	for (size_t endpoint = 0; endpoint < judging->scenario->n_endpoints; endpoint++)
		judge_endpoint(judging, endpoint, &replay.endpoints[endpoint]);
}
