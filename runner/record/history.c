/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns a list of events into the story of each attempt: see history.h. */
#include "runner/record/history.h"

static const char *const attempt_end_names[] = {
	[END_REFUSED] = "refused",         [END_ESTABLISHED] = "established",
	[END_ABANDONED] = "abandoned",     [END_REJECTED] = "rejected",
	[END_UNREACHABLE] = "unreachable", [END_OPEN] = "open",
};
_Static_assert(ARRAY_SIZE(attempt_end_names) == END_N_KINDS, "a name for each end");

const char *attempt_end_name(enum attempt_end end)
{
	return attempt_end_names[end];
}

/* Returns the number of instances; a record that says nothing about them has one. */
static uint32_t n_instances(const struct record *record)
{
	return MAX(record->n_instances, 1);
}

static void take_verdict(struct attempt_details *details, const struct event *event)
{
	details->max_lag_ns = MAX(details->max_lag_ns, event->u.net.lag_ns);
	switch (event->u.net.verdict) {
	case VERDICT_ACCEPT:
		details->accepted++;
		details->accepted_ns = MIN(details->accepted_ns, event->at_ns);
		break;
	case VERDICT_REFUSE:
		details->refused++;
		details->refused_ns = MIN(details->refused_ns, event->at_ns);
		break;
	case VERDICT_DROP:
		details->dropped++;
		break;
	case VERDICT_UNREACHABLE:
		details->unreachable++;
		details->unreachable_ns = MIN(details->unreachable_ns, event->at_ns);
		break;
	case VERDICT_N_KINDS:
		break;
	}
}

static void take_fault(struct history *history, struct attempt_details *details,
		       const struct event *event)
{
	enum fault_kind kind = event->u.net.fault;

	if (!details->faults) {
		details->faults = xzalloc(sizeof(*details->faults));
		history->n_with_faults++;
		for (size_t i = 0; i < FAULT_N_KINDS; i++)
			details->faults->at_ns[i] = INT64_MAX;
	}
	if (details->faults->at_ns[kind] == INT64_MAX)
		details->faults->bytes[kind] = event->u.net.bytes;
	details->faults->at_ns[kind] = MIN(details->faults->at_ns[kind], event->at_ns);
}

static void take_process_event(struct history *history, const struct event *event)
{
	if (event->kind == EVENT_OUTPUT)
		return;
	array_append(history->process_events, history->n_process_events,
		     history->process_events_capacity, event);
	if (event->kind == EVENT_EXIT && event->u.exit.instance < n_instances(history->record))
		history->exits[event->u.exit.instance] = event;
}

/*
 * Sets up the first @n attempts. They are set up in order, each when its first event is read, so
 * that it need not be fetched into the processor's cache twice.
 */
static void begin_attempts(struct history *history, size_t *n_begun, size_t n)
{
	for (; *n_begun < n; ++*n_begun) {
		history->attempts[*n_begun] = (struct attempt_history){
			.id = (uint32_t)*n_begun,
			.started_ns = INT64_MAX,
			.closed_ns = INT64_MAX,
			.details = &history->details[*n_begun],
		};
		history->details[*n_begun] = (struct attempt_details){
			.accepted_ns = INT64_MAX,
			.refused_ns = INT64_MAX,
			.unreachable_ns = INT64_MAX,
			.established_ns = INT64_MAX,
			.last_syn_ns = INT64_MIN,
		};
	}
}

static void take_bytes(struct attempt_details *details, const struct event *event)
{
	details->bytes_received = event->u.net.bytes_received;
	details->bytes_sent = event->u.net.bytes_sent;
	details->bytes_told = true;
}

static void take_event(struct history *history, size_t *n_begun, const struct event *event)
{
	struct attempt_history *attempt;
	struct attempt_details *details;

	if (event->kind > EVENT_CLOSED) {
		take_process_event(history, event);
		return;
	}
	if (event->u.net.attempt >= history->n_attempts)
		return;
	begin_attempts(history, n_begun, (size_t)event->u.net.attempt + 1);
	attempt = &history->attempts[event->u.net.attempt];
	details = attempt->details;
	switch (event->kind) {
	case EVENT_SYN:
		attempt->syns++;
		attempt->started_ns = MIN(attempt->started_ns, event->at_ns);
		details->last_syn_ns = MAX(details->last_syn_ns, event->at_ns);
		break;
	case EVENT_VERDICT:
		take_verdict(details, event);
		break;
	case EVENT_ESTABLISHED:
		details->established_ns = MIN(details->established_ns, event->at_ns);
		break;
	case EVENT_FAULT:
		take_fault(history, details, event);
		break;
	case EVENT_STANDING:
		array_append(history->standing, history->n_standing, history->standing_capacity,
			     event);
		break;
	case EVENT_CLOSED:
		attempt->closed_ns = MIN(attempt->closed_ns, event->at_ns);
		details->kernel_retransmissions = event->u.net.retransmissions;
		take_bytes(details, event);
		break;
	case EVENT_ORPHANED:
		take_bytes(details, event);
		break;
	default:
		break;
	}
}

/*
 * What came first decides. If an attempt was let through, got no handshake, and its socket died,
 * there are two readings. Either no socket listened, and the kernel answered with RST; or the
 * answer never came (a full backlog), and the client gave up. In the latter case the kernel would
 * have gone on sending SYNs, unless the client gave up within the first second. That case can't be
 * told apart and counts as rejected.
 */
static void decide_end(struct attempt_history *attempt)
{
	const struct attempt_details *details = attempt->details;
	int64_t closed_ns = attempt->closed_ns;

	attempt->end = END_OPEN;
	if (details->refused_ns != INT64_MAX && details->refused_ns <= closed_ns &&
	    details->refused_ns <= details->established_ns) {
		attempt->end = END_REFUSED;
		attempt->ended_ns = details->refused_ns;
	} else if (details->unreachable_ns != INT64_MAX && details->unreachable_ns <= closed_ns &&
		   details->unreachable_ns <= details->established_ns) {
		attempt->end = END_UNREACHABLE;
		attempt->ended_ns = details->unreachable_ns;
	} else if (details->established_ns != INT64_MAX && details->established_ns <= closed_ns) {
		attempt->end = END_ESTABLISHED;
		attempt->ended_ns = details->established_ns;
	} else if (closed_ns == INT64_MAX) {
		return;
	} else if (details->accepted_ns <= closed_ns &&
		   details->last_syn_ns - details->accepted_ns <= ANSWER_SLACK_NS) {
		attempt->end = END_REJECTED;
		attempt->ended_ns = details->accepted_ns;
	} else {
		attempt->end = END_ABANDONED;
		attempt->ended_ns = closed_ns;
	}
}

int64_t attempt_fault_ns(const struct attempt_history *attempt, enum fault_kind kind)
{
	return attempt->details->faults ? attempt->details->faults->at_ns[kind] : INT64_MAX;
}

bool attempt_had_fault(const struct attempt_history *attempt, enum fault_kind kind)
{
	return attempt_fault_ns(attempt, kind) != INT64_MAX;
}

uint64_t attempt_fault_bytes(const struct attempt_history *attempt, enum fault_kind kind)
{
	return attempt->details->faults ? attempt->details->faults->bytes[kind] : 0;
}

static void decide_over(struct attempt_history *attempt)
{
	int64_t broken_ns = MIN(attempt_fault_ns(attempt, FAULT_RESET),
				attempt_fault_ns(attempt, FAULT_CLOSED));

	attempt->over_ns = attempt->end == END_OPEN ? INT64_MAX : attempt->ended_ns;
	if (attempt->end != END_ESTABLISHED)
		return;
	if (broken_ns != INT64_MAX)
		attempt->over_ns = MAX(attempt->ended_ns, broken_ns);
	else if (attempt_had_fault(attempt, FAULT_STALLED))
		attempt->over_ns = attempt->closed_ns;
}

struct history history_make(const struct record *record)
{
	struct history history = {
		.record = record,
		.n_attempts = record->n_attempts,
		.attempts = xmalloc(record->n_attempts * sizeof(*history.attempts)),
		.details = xmalloc(record->n_attempts * sizeof(*history.details)),
		.exits = xzalloc(n_instances(record) * sizeof(const struct event *)),
	};
	size_t n_begun = 0;

	for (size_t i = 0; i < record->n_events; i++)
		take_event(&history, &n_begun, &record->events[i]);
	begin_attempts(&history, &n_begun, history.n_attempts);
	for (size_t i = 0; i < history.n_attempts; i++) {
		/* Without a SYN, the record is broken: keep times fit for arithmetic. */
		if (history.attempts[i].syns == 0)
			history.attempts[i].started_ns = history.details[i].last_syn_ns = 0;
		decide_end(&history.attempts[i]);
		decide_over(&history.attempts[i]);
	}
	return history;
}

void history_free(struct history *history)
{
	for (size_t i = 0; history->n_with_faults > 0 && i < history->n_attempts; i++)
		free(history->details[i].faults);
	free(history->attempts);
	free(history->details);
	free(history->process_events);
	free(history->standing);
	free(history->exits);
	*history = (struct history){0};
}

const struct event *history_instance_exit(const struct history *history, uint32_t instance)
{
	return instance < n_instances(history->record) ? history->exits[instance] : NULL;
}

static const struct event *last_of_kind(const struct history *history, enum event_kind kind)
{
	for (size_t i = history->n_process_events; i > 0; i--)
		if (history->process_events[i - 1]->kind == kind)
			return history->process_events[i - 1];
	return NULL;
}

const struct event *history_exit(const struct history *history)
{
	return last_of_kind(history, EVENT_EXIT);
}

bool history_timed_out(const struct history *history)
{
	return last_of_kind(history, EVENT_TIMEOUT) != NULL;
}

size_t history_of(const struct history *history, size_t endpoint,
		  const struct attempt_history ***ret)
{
	const struct attempt_history **attempts = xmalloc(history->n_attempts * sizeof(*attempts));
	size_t count = 0;

	for (size_t i = 0; i < history->n_attempts; i++)
		if (endpoint == SIZE_MAX || history->record->attempts[i].endpoint == endpoint)
			attempts[count++] = &history->attempts[i];
	*ret = attempts;
	return count;
}
