/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as lines for people: see live.h. */
#include "runner/report/event_line.h"

#include "common/duration.h"
#include "runner/report/attempt_table.h"
#include "runner/report/result.h"

static const char *const verdict_words[] = {
	[VERDICT_ACCEPT] = "let through",
	[VERDICT_REFUSE] = "refused",
	[VERDICT_DROP] = "dropped",
	[VERDICT_UNREACHABLE] = "answered with ICMP",
};
_Static_assert(ARRAY_SIZE(verdict_words) == VERDICT_N_KINDS, "one wording per verdict");

static void add_attempt(const struct record *record, uint32_t id, struct strbuf *out)
{
	const struct record_attempt *attempt = &record->attempts[id];

	if (attempt->endpoint < record->n_endpoints)
		report_line(out, record->endpoints[attempt->endpoint].name);
	strbuf_printf(out, " %u  ", attempt->number);
}

static void add_verdict(const struct record *record, const struct event *event, struct strbuf *out)
{
	char buffer[DURATION_TEXT_SIZE];

	strbuf_printf(out, "SYN %u %s by step %u", event->u.net.ordinal,
		      verdict_words[event->u.net.verdict],
		      record->attempts[event->u.net.attempt].step + 1);
	if (event->u.net.lag_ns >= NS_PER_MS)
		strbuf_printf(out, ", late by %s", duration_format(event->u.net.lag_ns, buffer));
}

static void add_syn(const struct event *event, struct strbuf *out)
{
	strbuf_printf(out, "SYN %u", event->u.net.ordinal);
	if (event->u.net.ordinal > 1)
		strbuf_puts(out, ", retransmitted by the kernel");
	if (event->u.net.payload_length > 0)
		strbuf_printf(out, " with %u bytes (Fast Open)", event->u.net.payload_length);
}

static void add_fault(const struct event *event, struct strbuf *out)
{
	static const char *const words[] = {
		[FAULT_SYN_ACK_LOST] = "SYN-ACK dropped",
		[FAULT_STALLED] = "stalled",
		[FAULT_RESET] = "reset",
		[FAULT_CLOSED] = "closed early",
		[FAULT_SLOWED] = "slowed down",
	};
	_Static_assert(ARRAY_SIZE(words) == FAULT_N_KINDS, "one wording per fault");

	strbuf_puts(out, words[event->u.net.fault]);
	if (event->u.net.bytes > 0)
		strbuf_printf(out, " after %llu bytes", (unsigned long long)event->u.net.bytes);
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
	strbuf_printf(out, "  %llu bytes to %s", (unsigned long long)event->u.output.length,
		      stream % STREAMS_EACH == STREAM_STDOUT ? "stdout" : "stderr");
}

static void add_what(const struct record *record, const struct event *event, struct strbuf *out)
{
	switch (event->kind) {
	case EVENT_SYN:
		add_syn(event, out);
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
	case EVENT_STANDING:
		strbuf_puts(out, "socket still open, though the client has ended");
		break;
	case EVENT_ORPHANED:
		strbuf_puts(out, "socket closed, but kept by the kernel");
		break;
	case EVENT_CLOSED:
		strbuf_puts(out, "socket closed");
		break;
	case EVENT_OUTPUT:
		add_output(record, event, out);
		break;
	case EVENT_SERVER_EXIT:
		if (event->u.server.endpoint < record->n_endpoints)
			report_line(out, record->endpoints[event->u.server.endpoint].name);
		strbuf_puts(out, "  its server ended: ");
		attempt_table_wait_status(event->u.server.wait_status, out);
		break;
	case EVENT_STARVATION:
		strbuf_puts(out, "processes looked at");
		break;
	case EVENT_STOP:
		strbuf_puts(out, "client stopped, its time is over");
		break;
	case EVENT_TIMEOUT:
		strbuf_puts(out, "time-out");
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
		attempt_table_wait_status(event->u.exit.wait_status, out);
		break;
	case EVENT_N_KINDS:
		break;
	}
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
	add_what(record, event, out);
}
