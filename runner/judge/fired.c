/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Did every scripted fault fire that had to? A test whose fault never happened proves nothing, so
 * that it is an error when one did not.
 *
 * Which steps have to fire. `accept` is no fault and never has to. Any other step has to fire
 * unless the most attempts that are expected at its endpoint don't reach it. A step with "xN" has
 * to fire for each of its N attempts; where the number of attempts expected is a range, for those
 * that the fewest expected attempts reach, and for one at least: a client may stop anywhere inside
 * the range that it was given.
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

static bool has_fault(const struct attempt_history *attempt, enum fault_kind kind)
{
	return attempt->fault_ns[kind] != INT64_MAX;
}

static bool fired(const struct step *step, const struct attempt_history *attempt, int64_t delay_ns)
{
	switch (step->action) {
	case STEP_REFUSE:
		return attempt->refused > 0;
	case STEP_UNREACHABLE:
		return attempt->unreachable > 0;
	case STEP_LOSE_SYN_ACK:
		return attempt->syn_acks_lost > 0;
	case STEP_HALF_OPEN:
	case STEP_STALL:
		return has_fault(attempt, FAULT_STALLED);
	case STEP_BACKLOG_FULL:
		return step->abort ? has_fault(attempt, FAULT_RESET) : attempt->dropped > 0;
	case STEP_RESET:
		return has_fault(attempt, FAULT_RESET);
	case STEP_CLOSE:
		return has_fault(attempt, FAULT_CLOSED);
	case STEP_SLOW:
		return has_fault(attempt, FAULT_SLOWED);
	case STEP_DROP:
	case STEP_LOSE:
		return attempt->dropped > 0;
	case STEP_DELAY:
		return attempt->accepted > 0 || attempt->refused > 0 || attempt->unreachable > 0 ||
		       attempt->closed_ns < attempt->started_ns + delay_ns;
	case STEP_ACCEPT:
	case STEP_N_ACTIONS:
		break;
	}
	return true;
}

static void add_unfired(struct judging *judging, size_t endpoint, size_t index, int64_t required,
			int64_t count)
{
	const struct endpoint_spec *spec = &judging->scenario->endpoints[endpoint];
	AUTO_STRBUF struct strbuf step = {0};
	AUTO_FREE char *how_often = NULL;
	char *subject;

	step_format(&spec->script.steps[index], &step);
	subject = xasprintf("step %zu (\"%s\") at %s", index + 1, strbuf_text(&step), spec->name);
	how_often = count == 0 ? xstrdup("never fired")
			       : xasprintf("fired for %" PRId64 " of %" PRId64 " attempts", count,
					   required);
	judging_add(judging, WEIGHT_UNFIRED,
		    &(struct finding_parts){
			    .type = "unfired",
			    .place = spec->step_places ? spec->step_places[index] : spec->place,
			    .subject = subject,
			    .message = xasprintf("%s %s", subject, how_often),
		    });
}

static void judge_endpoint(struct judging *judging, size_t endpoint)
{
	const struct script *script = &judging->scenario->endpoints[endpoint].script;
	struct range expected = expected_attempts(judging, endpoint);
	AUTO_FREE const struct attempt_history **attempts = NULL;
	int64_t n_attempts = (int64_t)history_of(&judging->history, endpoint, &attempts);

	for (size_t index = 0; index < script->n_steps; index++) {
		const struct step *step = &script->steps[index];
		int64_t first = (int64_t)script_first_attempt(script, index);
		int64_t last = MIN(first + step->repeat - 1, MAX(expected.low, first));
		int64_t count = 0;

		if (step->action == STEP_ACCEPT || first > expected.high)
			continue;
		last = MIN(last, expected.high);
		for (int64_t number = first; number <= MIN(last, n_attempts); number++) {
			const struct attempt_history *attempt = attempts[number - 1];

			if (fired(step, attempt, judging->record->attempts[attempt->id].delay_ns))
				count++;
		}
		if (count < last - first + 1)
			add_unfired(judging, endpoint, index, last - first + 1, count);
	}
}

void judge_fired(struct judging *judging)
{
	for (size_t endpoint = 0; endpoint < judging->scenario->n_endpoints; endpoint++)
		judge_endpoint(judging, endpoint);
}
