/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers that came too late: see late_verdict.h. */
#include "runner/judge/late_verdict.h"

#include <inttypes.h>

/* What the history does not say about an attempt. */
struct waiting {
	int64_t due_ns;   /* when the script answers it first, at the earliest; INT64_MAX: never */
	bool unconnected; /* its socket died without a SYN-ACK */
	bool may_pause;   /* the script alone does not say which SYNs were dropped, and: */
	uint32_t passed;  /* the first one that was not; UINT32_MAX: none */
};

/* Returns NULL if the record is not of the scenario. */
static const struct step *step_of(const struct scenario *scenario,
				  const struct record_attempt *attempt)
{
	const struct script *script;

	if (attempt->endpoint >= scenario->n_endpoints)
		return NULL;
	script = &scenario->endpoints[attempt->endpoint].script;
	return attempt->step < script->n_steps ? &script->steps[attempt->step] : NULL;
}

static void take_syn(const struct scenario *scenario, const struct record_attempt *attempt,
		     const struct event *event, struct waiting *waiting)
{
	const struct step *step = step_of(scenario, attempt);
	struct verdict scripted;

	if (!step || event->u.net.ordinal < 1)
		return;
	scripted = step_decide(step, event->u.net.ordinal, attempt->delay_ns);
	if (scripted.kind != VERDICT_DROP)
		waiting->due_ns = MIN(waiting->due_ns, event_earliest_ns(event) + scripted.hold_ns);
}

/* Returns whether some SYNs at the attempt's endpoint get lost in a pause. */
static bool may_pause(const struct scenario *scenario, const struct record_attempt *attempt)
{
	const struct script *script;

	if (attempt->endpoint >= scenario->n_endpoints)
		return false;
	script = &scenario->endpoints[attempt->endpoint].script;
	for (size_t i = 0; i < script->n_steps; i++)
		if (script->steps[i].action == STEP_PAUSE)
			return true;
	return false;
}

/* Finds the first SYN of each attempt that came in no pause. */
static void find_passed(const struct history *history, struct waiting *all)
{
	const struct record *record = history->record;

	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];
		uint32_t id = event->u.net.attempt;

		if (event->kind == EVENT_VERDICT && id < history->n_attempts &&
		    event->u.net.verdict != VERDICT_DROP)
			all[id].passed = MIN(all[id].passed, event->u.net.ordinal);
	}
}

static struct waiting *gather(const struct scenario *scenario, const struct history *history)
{
	const struct record *record = history->record;
	struct waiting *all = xmalloc((history->n_attempts + 1) * sizeof(*all));

	for (size_t id = 0; id < history->n_attempts; id++)
		all[id] = (struct waiting){
			.due_ns = INT64_MAX,
			.may_pause = may_pause(scenario, &record->attempts[id]),
			.passed = UINT32_MAX,
		};
	find_passed(history, all);
	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];
		uint32_t id = event->u.net.attempt;

		if (event->kind > EVENT_CLOSED || id >= history->n_attempts)
			continue;
		if (event->kind == EVENT_SYN &&
		    (!all[id].may_pause || event->u.net.ordinal == all[id].passed))
			take_syn(scenario, &record->attempts[id], event, &all[id]);
		else if (event->kind == EVENT_CLOSED)
			all[id].unconnected = event->u.net.bytes_acked == 0;
	}
	return all;
}

int64_t *late_verdict_due_times(const struct scenario *scenario, const struct history *history)
{
	AUTO_FREE struct waiting *all = gather(scenario, history);
	int64_t *due_ns = xmalloc((history->n_attempts + 1) * sizeof(*due_ns));

	for (size_t id = 0; id < history->n_attempts; id++)
		due_ns[id] = all[id].due_ns;
	return due_ns;
}

/*
 * Returns whether each SYN that is let through is answered by a SYN-ACK at once. Then a socket that
 * died without a SYN-ACK died before it came, no matter how the record says that its attempt ended:
 * the notice of its death is delayed by synfault's lag as much as the SYN-ACK is.
 */
static bool always_listens(const struct endpoint_spec *endpoint)
{
	return !endpoint->remote && endpoint->serve != SERVE_NONE &&
	       endpoint->serve != SERVE_COMMAND;
}

/* Returns by how many ns the answer was late; 0 or less if it was not. */
static int64_t lateness(const struct endpoint_spec *endpoint, const struct attempt_history *attempt,
			const struct waiting *waiting)
{
	const struct attempt_details *details = attempt->details;
	int64_t answered_ns = MIN(details->refused_ns, details->unreachable_ns);

	if (waiting->due_ns == INT64_MAX || attempt->closed_ns == INT64_MAX)
		return 0;
	switch (attempt->end) {
	case END_ABANDONED:
	case END_TIMED_OUT:
		answered_ns = MIN(answered_ns, details->accepted_ns);
		break;
	case END_ESTABLISHED:
	case END_REJECTED:
		if (!waiting->unconnected || !always_listens(endpoint))
			return 0;
		answered_ns = details->established_ns != INT64_MAX ? details->established_ns
								   : details->accepted_ns;
		break;
	default:
		return 0;
	}
	return MIN(answered_ns, attempt->closed_ns) - waiting->due_ns;
}

bool late_verdict_find(const struct scenario *scenario, const struct history *history,
		       struct late_verdict *ret)
{
	AUTO_FREE struct waiting *all = gather(scenario, history);

	for (size_t id = 0; id < history->n_attempts; id++) {
		const struct record_attempt *attempt = &history->record->attempts[id];
		int64_t late_ns;

		if (attempt->endpoint >= scenario->n_endpoints)
			continue;
		late_ns = lateness(&scenario->endpoints[attempt->endpoint], &history->attempts[id],
				   &all[id]);
		/* Even a working harness is late by up to this much. */
		if (late_ns <= NS_PER_MS)
			continue;
		*ret = (struct late_verdict){(uint32_t)id, late_ns};
		return true;
	}
	return false;
}

char *late_verdict_text(const struct scenario *scenario, const struct record *record,
			const struct late_verdict *verdict)
{
	const struct record_attempt *attempt = &record->attempts[verdict->attempt];
	char late[DURATION_TEXT_SIZE];

	return xasprintf("attempt %" PRIu32 " at %s was answered %s late, after the client had "
			 "given it up",
			 attempt->number, scenario->endpoints[attempt->endpoint].name,
			 duration_format(verdict->late_ns, late));
}
