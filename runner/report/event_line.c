/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See event_line.h. */
#include "runner/report/event_line.h"

#include "common/duration.h"
#include "common/text.h"
#include "runner/report/attempt_view.h"
#include "runner/report/result.h"

/* How far back a line looks for what it repeats. */
#define EVENTS_LOOKED_AT ((size_t)1000)

static void add_attempt(const struct record *record, uint32_t id, struct strbuf *out)
{
	const struct record_attempt *attempt = &record->attempts[id];

	report_line(out, attempt_endpoint_name(record, attempt->endpoint));
	strbuf_printf(out, " %u  ", attempt->number);
}

static void add_verdict(const struct record *record, const struct event *event, struct strbuf *out)
{
	char buffer[DURATION_TEXT_SIZE];

	strbuf_printf(out, "SYN %u %s by step %u", event->u.net.ordinal,
		      attempt_verdict_words(event->u.net.verdict),
		      record->attempts[event->u.net.attempt].step + 1);
	if (event->u.net.lag_ns >= NS_PER_MS)
		strbuf_printf(out, ", late by %s", duration_format(event->u.net.lag_ns, buffer));
}

static void add_syn(const struct record *record, const struct event *event, struct strbuf *out)
{
	AUTO_STRBUF struct strbuf target = {0};

	strbuf_printf(out, "SYN %u", event->u.net.ordinal);
	attempt_add_target(record, event->u.net.attempt, &target);
	if (target.length > 0 && event->u.net.ordinal == 1)
		strbuf_printf(out, " to %s", strbuf_text(&target));
	if (event->u.net.ordinal > 1)
		strbuf_puts(out, ", retransmitted by the kernel");
	if (event->u.net.payload_length > 0)
		strbuf_printf(out, " with %u byte%s (Fast Open)", event->u.net.payload_length,
			      PLURAL(event->u.net.payload_length));
}

static void add_fault(const struct event *event, struct strbuf *out)
{
	char late[DURATION_TEXT_SIZE];

	strbuf_puts(out, attempt_fault_words(event->u.net.fault));
	if (event->u.net.bytes > 0)
		strbuf_printf(out, " after %llu byte%s", (unsigned long long)event->u.net.bytes,
			      PLURAL(event->u.net.bytes));
	if (event->u.net.late_ns)
		/* A latency meets many packets: theirs is the sum. */
		strbuf_printf(out,
			      event->u.net.fault == FAULT_DELAYED ? ", packets %s late in all"
								  : ", %s late",
			      duration_format(event->u.net.late_ns, late));
	/* The step is an outage, or a pause. */
	if (event->u.net.outage)
		strbuf_printf(out, " (step %u)", event->u.net.outage);
}

/* Adds how many bytes the socket carried. */
static void add_bytes(const struct event *event, struct strbuf *out)
{
	uint64_t sent = event->u.net.bytes_sent, received = event->u.net.bytes_received;

	if (sent > 0)
		strbuf_printf(out, ", %llu byte%s sent", (unsigned long long)sent, PLURAL(sent));
	if (received > 0)
		strbuf_printf(out, ", %llu byte%s received", (unsigned long long)received,
			      PLURAL(received));
}

static void add_instance(const struct record *record, uint32_t instance, struct strbuf *out)
{
	if (record->n_instances > 1 && instance != INSTANCE_UNKNOWN)
		strbuf_printf(out, " %u", instance + 1);
}

static void add_output(const struct record *record, const struct event *event, struct strbuf *out)
{
	uint32_t stream = event->u.output.stream;

	if (stream >= STREAMS_EACH * MAX(record->n_instances, 1U)) {
		strbuf_puts(out, "server");
	} else {
		strbuf_puts(out, "client");
		add_instance(record, event->u.output.instance, out);
	}
	strbuf_printf(out, "  %llu byte%s to %s", (unsigned long long)event->u.output.length,
		      PLURAL(event->u.output.length),
		      stream % STREAMS_EACH == STREAM_STDOUT ? "stdout" : "stderr");
}

void event_line_add_what(const struct record *record, const struct event *event, struct strbuf *out)
{
	char lasts[DURATION_TEXT_SIZE];

	switch (event->kind) {
	case EVENT_SYN:
		add_syn(record, event, out);
		break;
	case EVENT_VERDICT:
		add_verdict(record, event, out);
		break;
	case EVENT_ESTABLISHED:
		strbuf_puts(out, "connected");
		break;
	case EVENT_FAULT:
		add_fault(event, out);
		break;
	case EVENT_OPEN:
		strbuf_printf(out, "socket open, %s", tcp_state_name(event->u.net.tcp_state));
		break;
	case EVENT_GONE:
		strbuf_puts(out, "given up");
		break;
	case EVENT_CLIENT_END:
		strbuf_puts(out, event->u.net.rst ? "reset by the client" : "closed by the client");
		break;
	case EVENT_STILL_OPEN:
		strbuf_puts(out, "socket still open, though the client has ended");
		break;
	case EVENT_ORPHANED:
		strbuf_puts(out, "socket closed, but kept by the kernel");
		add_bytes(event, out);
		break;
	case EVENT_CLOSED:
		strbuf_puts(out, "socket closed");
		add_bytes(event, out);
		break;
	case EVENT_OUTPUT:
		add_output(record, event, out);
		break;
	case EVENT_SERVER_EXIT:
		if (event->u.server.endpoint < record->n_endpoints)
			report_line(out, record->endpoints[event->u.server.endpoint].name);
		strbuf_puts(out, "  its server ended: ");
		attempt_add_wait_status(event->u.server.wait_status, out);
		break;
	case EVENT_OUTAGE:
		if (event->u.outage.endpoint < record->n_endpoints)
			report_line(out, record->endpoints[event->u.outage.endpoint].name);
		strbuf_puts(out, "  outage begun by a command");
		if (event->u.outage.lasts_ns)
			strbuf_printf(out, ", for %s",
				      duration_format_exact(event->u.outage.lasts_ns, lasts));
		break;
	case EVENT_STARVATION:
		strbuf_puts(out, "processes looked at");
		break;
	case EVENT_STOP:
		strbuf_puts(out, "client stopped: run-for has elapsed");
		break;
	case EVENT_TIMEOUT:
		strbuf_puts(out, "timeout");
		break;
	case EVENT_START:
		strbuf_puts(out, "client");
		add_instance(record, event->u.start.instance, out);
		strbuf_puts(out, "  started");
		break;
	case EVENT_EXIT:
		strbuf_puts(out, "client");
		add_instance(record, event->u.exit.instance, out);
		strbuf_puts(out, "  ");
		attempt_add_wait_status(event->u.exit.wait_status, out);
		break;
	case EVENT_N_KINDS:
		break;
	}
}

bool event_line_is_news(const struct record *record, const struct event *event)
{
	const size_t n = MIN(record->n_events, EVENTS_LOOKED_AT);

	if (event->kind != EVENT_FAULT || event->u.net.fault != FAULT_DELAYED)
		return true;
	for (size_t i = 1; i <= n; i++) {
		const struct event *before = &record->events[record->n_events - i];
		int64_t next_ns = NS_PER_MS;

		if (before->kind != EVENT_FAULT || before->u.net.fault != FAULT_DELAYED ||
		    before->u.net.attempt != event->u.net.attempt ||
		    before->u.net.late_ns >= event->u.net.late_ns)
			continue;
		while (next_ns <= before->u.net.late_ns && next_ns < INT64_MAX / 2)
			next_ns *= 2;
		return event->u.net.late_ns >= next_ns;
	}
	return true;
}

void event_line_write(const struct record *record, const struct event *event, struct strbuf *out)
{
	const bool net = event->kind <= EVENT_CLOSED;
	char seconds[REPORT_SECONDS_SIZE];

	strbuf_printf(out, "%9s s  ", report_seconds(event->at_ns, seconds));
	if (net && event->u.net.attempt >= record->n_attempts)
		return;
	if (net)
		add_attempt(record, event->u.net.attempt, out);
	event_line_add_what(record, event, out);
}
