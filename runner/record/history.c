/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns a list of events into the story of each attempt: see history.h. */
#include "runner/record/history.h"

#include <netinet/tcp.h>

#include "runner/record/syn_schedule.h"

static const char *const attempt_end_names[] = {
	[END_REFUSED] = "refused",
	[END_ESTABLISHED] = "established",
	[END_ABANDONED] = "abandoned",
	[END_REJECTED] = "rejected",
	[END_UNREACHABLE] = "unreachable",
	[END_TIMED_OUT] = "timed-out",
	[END_OPEN] = "open",
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

/* Keeps the time of the first of several. */
static void take_first(int64_t *at_ns, int64_t *early_ns, const struct event *event)
{
	if (event->at_ns >= *at_ns)
		return;
	*at_ns = event->at_ns;
	*early_ns = event->early_ns;
}

static void take_verdict(struct attempt_details *details, const struct event *event)
{
	details->max_lag_ns = MAX(details->max_lag_ns, event->u.net.lag_ns);
	switch (event->u.net.verdict) {
	case VERDICT_ACCEPT:
		details->accepted++;
		take_first(&details->accepted_ns, &details->accepted_early_ns, event);
		break;
	case VERDICT_REFUSE:
		details->refused++;
		take_first(&details->refused_ns, &details->refused_early_ns, event);
		break;
	case VERDICT_DROP:
		details->dropped++;
		break;
	case VERDICT_UNREACHABLE:
		details->unreachable++;
		take_first(&details->unreachable_ns, &details->unreachable_early_ns, event);
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
	/*
	 * Of several pauses the last one that began before the client's end counts: the ones before
	 * it have healed.
	 */
	if (kind == FAULT_STALLED && details->faults->at_ns[FAULT_HEALED] != INT64_MAX &&
	    details->client_end_ns == INT64_MAX)
		details->faults->at_ns[FAULT_STALLED] = details->faults->at_ns[FAULT_HEALED] =
			INT64_MAX;
	if (details->faults->at_ns[kind] == INT64_MAX)
		details->faults->bytes[kind] = event->u.net.bytes;
	details->faults->at_ns[kind] = MIN(details->faults->at_ns[kind], event->at_ns);
	details->faults->early_ns = MAX(details->faults->early_ns, event->early_ns);
	details->faults->late_ns = MAX(details->faults->late_ns, event->u.net.late_ns);
	/* After a pause another outage can end the connection; of several pauses, as above. */
	if (event->u.net.outage && kind != FAULT_HEALED &&
	    (!details->faults->outage || kind != FAULT_STALLED ||
	     details->client_end_ns == INT64_MAX)) {
		details->faults->outage = event->u.net.outage;
		details->faults->outage_fault = kind;
	}
}

static void take_process_event(struct history *history, const struct event *event)
{
	if (event->kind == EVENT_OUTPUT || event->kind == EVENT_STARVATION)
		return;
	if (event->kind == EVENT_STOP || event->kind == EVENT_TIMEOUT)
		history->stopped_ns = MIN(history->stopped_ns, event->at_ns);
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
			.closed_earliest_ns = INT64_MAX,
			.details = &history->details[*n_begun],
		};
		history->details[*n_begun] = (struct attempt_details){
			.accepted_ns = INT64_MAX,
			.refused_ns = INT64_MAX,
			.unreachable_ns = INT64_MAX,
			.established_ns = INT64_MAX,
			.last_syn_ns = INT64_MIN,
			.gone_ns = INT64_MAX,
			.last_unanswered_ns = INT64_MIN,
			.last_open_ns = INT64_MIN,
			.client_end_ns = INT64_MAX,
			.client_end_earliest_ns = INT64_MAX,
			.last_receive_ns = NEVER_RECEIVED,
		};
	}
}

static void take_bytes(struct attempt_details *details, const struct event *event)
{
	details->bytes_received = event->u.net.bytes_received;
	details->bytes_sent = event->u.net.bytes_sent;
	details->bytes_reported = true;
}

static void take_client_end(struct attempt_details *details, const struct event *event)
{
	if (details->client_end_ns != INT64_MAX)
		return;
	details->client_end_ns = event->at_ns;
	details->client_end_earliest_ns = event_earliest_ns(event);
	details->client_reset = event->u.net.rst;
	details->last_receive_ns = event->u.net.last_receive_ns;
	details->end_received = event->u.net.end_received;
	details->end_sent = event->u.net.end_sent;
}

/* A socket that the client has closed can be in the table, too: in FIN_WAIT and the like. */
static void take_look(struct attempt_details *details, const struct event *event)
{
	uint8_t state = event->u.net.tcp_state;

	if (state == TCP_SYN_SENT)
		details->last_unanswered_ns = MAX(details->last_unanswered_ns, event->at_ns);
	if (state == TCP_SYN_SENT || state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT)
		details->last_open_ns = MAX(details->last_open_ns, event->at_ns);
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
		if (event->at_ns < attempt->started_ns) {
			attempt->started_ns = event->at_ns;
			attempt->started_earliest_ns = event_earliest_ns(event);
		}
		attempt->syns++;
		details->last_syn_ns = MAX(details->last_syn_ns, event->at_ns);
		break;
	case EVENT_VERDICT:
		take_verdict(details, event);
		break;
	case EVENT_ESTABLISHED:
		take_first(&details->established_ns, &details->established_early_ns, event);
		break;
	case EVENT_OPEN:
		take_look(details, event);
		break;
	case EVENT_GONE:
		details->gone_ns = MIN(details->gone_ns, event->at_ns);
		details->gone_earliest_ns = event_earliest_ns(event);
		break;
	case EVENT_CLIENT_END:
		take_client_end(details, event);
		break;
	case EVENT_FAULT:
		take_fault(history, details, event);
		break;
	case EVENT_STILL_OPEN:
		array_append(history->still_open, history->n_still_open,
			     history->still_open_capacity, event);
		break;
	case EVENT_CLOSED:
		if (event->at_ns < attempt->closed_ns) {
			attempt->closed_ns = event->at_ns;
			attempt->closed_earliest_ns = event_earliest_ns(event);
		}
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

/* Returns when the last attempt of the same instance began. */
static int64_t last_start_ns(const struct history *history, const struct attempt_history *attempt)
{
	const struct record_attempt *attempts = history->record->attempts;

	for (size_t id = history->n_attempts; id-- > attempt->id;)
		if (attempts[id].instance == attempts[attempt->id].instance)
			return history->attempts[id].started_ns;
	return attempt->started_ns;
}

/*
 * A socket that dies within this time before its client's end is known counts as closed by that
 * end. A client that closes it as its last act can't be distinguished.
 */
#define EXIT_TAKES_NS INT64_C(1000000)

/*
 * In virtual time the clock process ends an attempt when the kernel would have, counted from
 * connect(), which is a moment before the SYN.
 */
#define CONNECT_TAKES_NS INT64_C(50000000)

/*
 * Returns whether the kernel's schedule ended an attempt that ended at @latest_ns. It sends no
 * retransmissions for time that the client's clock skips.
 */
static bool ran_out(const struct history *history, const struct syn_schedule *schedule,
		    const struct attempt_history *attempt, int64_t latest_ns)
{
	const struct record *record = history->record;
	int64_t timeout_ns = attempt->started_ns + schedule->timeout_ns;

	if (record->virtual_time)
		timeout_ns -= CONNECT_TAKES_NS;
	return (record->virtual_time || attempt->syns > schedule->n_retransmissions) &&
	       latest_ns >= timeout_ns && record_watched_until(record) >= timeout_ns;
}

/* Ends an attempt that got no answer when the client gave it up, as far as that is known. */
static void decide_unanswered(const struct history *history, const struct syn_schedule *schedule,
			      struct attempt_history *attempt)
{
	struct attempt_details *details = attempt->details;
	const struct event *exit =
		history_instance_exit(history, history->record->attempts[attempt->id].instance);
	int64_t earliest_ns = MIN(attempt->closed_earliest_ns, attempt->closed_ns);
	int64_t latest_ns = attempt->closed_ns;
	int64_t timeout_ns = attempt->started_ns + schedule->timeout_ns;

	if (details->gone_ns <= latest_ns) {
		earliest_ns = details->gone_earliest_ns;
		latest_ns = details->gone_ns;
	}
	earliest_ns = MAX(earliest_ns, details->last_unanswered_ns);
	earliest_ns = MIN(MAX(earliest_ns, details->last_syn_ns), latest_ns);
	attempt->end = END_ABANDONED;
	if (ran_out(history, schedule, attempt, latest_ns)) {
		attempt->end = END_TIMED_OUT;
		latest_ns = MIN(latest_ns, timeout_ns + SYN_SCHEDULE_SLACK_NS(schedule));
		earliest_ns = MIN(MAX(timeout_ns, MIN(earliest_ns, latest_ns)), latest_ns);
		if (details->gone_ns == INT64_MAX)
			earliest_ns = timeout_ns;
	} else if (latest_ns == INT64_MAX) {
		attempt->end = END_OPEN;
		return;
	} else if (latest_ns >= history->stopped_ns) {
		details->by_exit = true;
		attempt->end = END_OPEN;
	} else if (exit && latest_ns > event_earliest_ns(exit)) {
		details->by_exit = true;
		if (earliest_ns > MAX(event_earliest_ns(exit), exit->at_ns - EXIT_TAKES_NS) &&
		    earliest_ns > last_start_ns(history, attempt))
			attempt->end = END_OPEN;
	}
	attempt->ended_ns = latest_ns;
	attempt->ended_earliest_ns = earliest_ns;
}

/*
 * What came first decides. If an attempt was let through, got no handshake, and its socket died,
 * there are two readings. Either no socket listened, and the kernel answered with RST; or the
 * answer never came (a full backlog), and the client gave up. In the latter case the kernel would
 * have gone on sending SYNs, unless the client gave up within the first second. That case can't be
 * told apart and counts as rejected.
 */
static void decide_end(const struct history *history, const struct syn_schedule *schedule,
		       struct attempt_history *attempt)
{
	const struct attempt_details *details = attempt->details;
	int64_t closed_ns = MIN(attempt->closed_ns, details->gone_ns), early_ns = 0;

	attempt->end = END_OPEN;
	if (details->refused_ns != INT64_MAX && details->refused_ns <= attempt->closed_ns &&
	    details->refused_ns <= details->established_ns) {
		attempt->end = END_REFUSED;
		attempt->ended_ns = details->refused_ns;
		early_ns = details->refused_early_ns;
	} else if (details->unreachable_ns != INT64_MAX &&
		   details->unreachable_ns <= attempt->closed_ns &&
		   details->unreachable_ns <= details->established_ns) {
		attempt->end = END_UNREACHABLE;
		attempt->ended_ns = details->unreachable_ns;
		early_ns = details->unreachable_early_ns;
	} else if (details->established_ns != INT64_MAX &&
		   details->established_ns <= attempt->closed_ns) {
		attempt->end = END_ESTABLISHED;
		attempt->ended_ns = details->established_ns;
		early_ns = details->established_early_ns;
	} else if (closed_ns != INT64_MAX && details->accepted_ns <= closed_ns &&
		   details->last_syn_ns - details->accepted_ns <= ANSWER_SLACK_NS) {
		attempt->end = END_REJECTED;
		attempt->ended_ns = details->accepted_ns;
		early_ns = details->accepted_early_ns;
	} else {
		decide_unanswered(history, schedule, attempt);
		return;
	}
	attempt->ended_earliest_ns =
		MAX(attempt->ended_ns - early_ns, MIN(attempt->started_ns, attempt->ended_ns));
}

int64_t attempt_fault_ns(const struct attempt_history *attempt, enum fault_kind kind)
{
	return attempt->details->faults ? attempt->details->faults->at_ns[kind] : INT64_MAX;
}

bool attempt_had_fault(const struct attempt_history *attempt, enum fault_kind kind)
{
	return attempt_fault_ns(attempt, kind) != INT64_MAX;
}

bool attempt_had_own_fault(const struct attempt_history *attempt, enum fault_kind kind)
{
	return attempt_had_fault(attempt, kind) &&
	       !(attempt_outage(attempt) && attempt->details->faults->outage_fault == kind);
}

uint32_t attempt_outage(const struct attempt_history *attempt)
{
	return attempt->details->faults ? attempt->details->faults->outage : 0;
}

uint64_t attempt_fault_bytes(const struct attempt_history *attempt, enum fault_kind kind)
{
	return attempt->details->faults ? attempt->details->faults->bytes[kind] : 0;
}

bool attempt_is_stalled(const struct attempt_history *attempt)
{
	int64_t ended_ns = MIN(attempt->details->client_end_ns, attempt->closed_ns);

	return attempt_had_fault(attempt, FAULT_STALLED) &&
	       attempt_fault_ns(attempt, FAULT_HEALED) >= ended_ns;
}

static void decide_over(struct attempt_history *attempt)
{
	const struct attempt_details *details = attempt->details;
	int64_t broken_ns = MIN(attempt_fault_ns(attempt, FAULT_RESET),
				attempt_fault_ns(attempt, FAULT_CLOSED));

	attempt->over_ns = attempt->end == END_OPEN ? INT64_MAX : attempt->ended_ns;
	attempt->over_earliest_ns =
		attempt->end == END_OPEN ? INT64_MAX : attempt->ended_earliest_ns;
	if (attempt->end != END_ESTABLISHED)
		return;
	if (broken_ns != INT64_MAX) {
		attempt->over_ns = MAX(attempt->ended_ns, broken_ns);
		attempt->over_earliest_ns =
			MAX(attempt->ended_earliest_ns, broken_ns - details->faults->early_ns);
	} else if (attempt_is_stalled(attempt)) {
		/* Its FIN is dropped, and the socket lives on; only the FIN shows when it ended. */
		bool by_packet = details->client_end_ns < attempt->closed_ns;

		attempt->over_ns = by_packet ? details->client_end_ns : attempt->closed_ns;
		attempt->over_earliest_ns =
			by_packet ? details->client_end_earliest_ns : attempt->closed_earliest_ns;
	}
}

struct cookie_use {
	uint64_t cookie;
	uint32_t id;
};

static int compare_uses(const void *a, const void *b)
{
	const struct cookie_use *x = a, *y = b;

	return COMPARE(x->cookie, y->cookie) ?: COMPARE(x->id, y->id);
}

/*
 * Attempts with the same cookie share a socket. It is gone when one of them says so; and who
 * connects it again has given up the attempt before.
 */
static void share_sockets(struct history *history)
{
	const struct record *record = history->record;
	struct cookie_use *uses = NULL;
	size_t n = 0, capacity = 0;
	bool sorted = true;

	for (uint32_t id = 0; id < history->n_attempts; id++) {
		uint64_t cookie = record->attempts[id].cookie;

		if (cookie == 0)
			continue;
		sorted = sorted && (n == 0 || uses[n - 1].cookie <= cookie);
		array_append(uses, n, capacity, (struct cookie_use){cookie, id});
	}
	if (!sorted)
		qsort(uses, n, sizeof(*uses), compare_uses);
	for (size_t i = n; i-- > 1;) {
		struct attempt_history *before, *next;

		if (uses[i - 1].cookie != uses[i].cookie)
			continue;
		before = &history->attempts[uses[i - 1].id];
		next = &history->attempts[uses[i].id];
		if (before->closed_ns == INT64_MAX || before->closed_ns < next->closed_ns) {
			before->closed_ns = next->closed_ns;
			before->closed_earliest_ns = next->closed_earliest_ns;
		}
		if (before->details->gone_ns > next->started_ns) {
			before->details->gone_ns = next->started_ns;
			before->details->gone_earliest_ns = before->details->last_syn_ns;
		}
	}
	free(uses);
}

struct history history_make(const struct record *record)
{
	struct history history = {
		.record = record,
		.stopped_ns = INT64_MAX,
		.n_attempts = record->n_attempts,
		.attempts = xmalloc(record->n_attempts * sizeof(*history.attempts)),
		.details = xmalloc(record->n_attempts * sizeof(*history.details)),
		.exits = xzalloc(n_instances(record) * sizeof(const struct event *)),
	};
	struct syn_schedule schedule;
	size_t n_begun = 0;

	syn_schedule_compute(record->syn_retries, record->syn_linear_timeouts, SYN_RTO_MAX_NS,
			     &schedule);
	for (size_t i = 0; i < record->n_events; i++)
		take_event(&history, &n_begun, &record->events[i]);
	begin_attempts(&history, &n_begun, history.n_attempts);
	share_sockets(&history);
	for (size_t i = 0; i < history.n_attempts; i++) {
		/* Without a SYN, the record is broken: keep times fit for arithmetic. */
		if (history.attempts[i].syns == 0)
			history.attempts[i].started_ns = history.attempts[i].started_earliest_ns =
				history.details[i].last_syn_ns = 0;
		decide_end(&history, &schedule, &history.attempts[i]);
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
	free(history->still_open);
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
		if (history->attempts[i].started_ns <= history->stopped_ns &&
		    (endpoint == SIZE_MAX || history->record->attempts[i].endpoint == endpoint))
			attempts[count++] = &history->attempts[i];
	*ret = attempts;
	return count;
}
