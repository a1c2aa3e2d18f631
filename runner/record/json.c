/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record as JSON (docs/record.md), which is also what the supervisor hands to the program for
 * every scenario. The reader trusts nothing: the judge indexes arrays by what it reads.
 */
#include "runner/record/json.h"

#include <netinet/tcp.h>
#include <sys/wait.h>

#define TEXT(S, member) JSON_TEXT(S, member), .optional = true

/* ---- endpoints and attempts ---- */

static const struct json_field address_fields[] = {{.kind = JSON_KIND_ADDRESS}};
static const struct json_type address_type = JSON_ELEMENT(struct address, address_fields);

static const struct json_field endpoint_fields[] = {
	{"name", JSON_TEXT(struct record_endpoint, name),
	 .about = "The endpoint's name in the scenario."},
	{"script", JSON_TEXT(struct record_endpoint, script), .about = "Its fault steps."},
	{"addresses",
	 JSON_LIST(struct record_endpoint, addresses, n_addresses, struct address, &address_type)},
	{"hostname", TEXT(struct record_endpoint, hostname)},
	{"remote", TEXT(struct record_endpoint, remote),
	 .about = "Host and port of a server that existed already, as in the file."},
	{"delays", TEXT(struct record_endpoint, delays),
	 .about = "How delayed SYNs to another host were sent: reinjected, or held in place, where "
		  "the kernel does not retransmit them."},
};
static const struct json_type endpoint_type = {
	JSON_TYPE(struct record_endpoint, endpoint_fields),
	.is_closed = true,
};

static const struct json_field change_fields[] = {
	{"endpoint", JSON_INDEX(struct record_change, endpoint),
	 JSON_BELOW(struct record, n_endpoints), .about = "Index into endpoints."},
	{"attempt", JSON_U32(struct record_change, attempt), .min = 1, .max = UINT32_MAX,
	 .about = "Number of the first attempt that the new steps serve, or of that to hold."},
	{"at_ns", JSON_TIME(struct record_change, at_ns), .about = "When it was changed."},
	{"limit_ns", JSON_DURATION(struct record_change, limit_ns), .optional = true,
	 .about = "One attempt was held, for at most this long; missing: the steps were replaced."},
	{"steps", TEXT(struct record_change, steps),
	 .about = "The new steps, separated by commas; or what was done to the held attempt, "
		  "missing if it was not released."},
};
static const struct json_type change_type = {
	JSON_TYPE(struct record_change, change_fields),
	.about = "A change of the faults while they were armed.",
	.is_closed = true,
};

static const struct json_field attempt_fields[] = {
	{"endpoint", JSON_INDEX(struct record_attempt, endpoint),
	 JSON_BELOW(struct record, n_endpoints), .about = "Index into endpoints."},
	{"number", JSON_U32(struct record_attempt, number), .min = 1, .max = UINT32_MAX,
	 .about = "1, 2, 3 … at that endpoint."},
	{"instance", JSON_INDEX(struct record_attempt, instance),
	 JSON_BELOW(struct record, n_instances), .may_be_none = true,
	 .about = "Which instance of the client made it, from 0; -1: not known."},
	{"step", JSON_U32(struct record_attempt, step),
	 .about = "Index of the step that served it, from 0, among the endpoint's own and those "
		  "that changes have added."},
	{"delay_ns", JSON_DURATION(struct record_attempt, delay_ns),
	 .about = "The delay drawn for it; 0 unless its step delays."},
	{"client", JSON_ADDRESS(struct record_attempt, client)},
	{"server", JSON_ADDRESS(struct record_attempt, server)},
	{"isn", JSON_U32(struct record_attempt, isn), .about = "Initial sequence number."},
	{"cookie", JSON_U64(struct record_attempt, cookie), .optional = true,
	 .about = "The kernel's cookie of its socket; missing where it is not known."},
};
static const struct json_type attempt_type = {
	JSON_TYPE(struct record_attempt, attempt_fields),
	.about = "In the order of their first SYNs; an attempt's index is its id.",
	.is_closed = true,
};

/* ---- events ---- */

#define OF(kind)        (1U << EVENT_##kind)
#define OF_ATTEMPTS     (2 * OF(CLOSED) - 1)
#define OF_COUNTS       (OF(ORPHANED) | OF(CLOSED))
#define NET(T, member)  JSON_##T(struct event, u.net.member)
#define INSTANCE(of)    JSON_INDEX(struct event, u.of.instance), JSON_BELOW(struct record, n_instances)
#define WAIT_STATUS(of) JSON_INT(struct event, u.of.wait_status), .max = 0xffff

static const struct json_field event_fields[] = {
	{"kind", JSON_WORD(struct event, kind, enum event_kind, event_kind_name, EVENT_N_KINDS)},
	{"earliest_ns", JSON_EARLIER(struct event, early_ns, at_ns), .optional = true,
	 .about = "The earliest time at which it can have happened; missing if at_ns is exact."},
	{"at_ns", JSON_TIME(struct event, at_ns),
	 .about = "The latest time at which it can have happened."},
	{"attempt", NET(INDEX, attempt), JSON_BELOW(struct record, n_attempts), .tags = OF_ATTEMPTS,
	 .about = "Index into attempts."},
	{"ordinal", NET(U32, ordinal), .min = 1, .max = UINT32_MAX, .tags = OF(SYN) | OF(VERDICT),
	 .about = "Which SYN of the attempt; 2 and up are retransmissions."},
	{"payload_length", NET(U32, payload_length), .tags = OF(SYN)},
	{"verdict",
	 JSON_WORD(struct event, u.net.verdict, enum verdict_kind, verdict_kind_name,
		   VERDICT_N_KINDS),
	 .tags = OF(VERDICT)},
	{"lag_ns", JSON_TIME(struct event, u.net.lag_ns), .tags = OF(VERDICT),
	 .about = "How late it was carried out, at most."},
	{"fault",
	 JSON_WORD(struct event, u.net.fault, enum fault_kind, fault_kind_name, FAULT_N_KINDS),
	 .tags = OF(FAULT)},
	{"bytes", NET(U64, bytes), .tags = OF(FAULT),
	 .about = "Bytes of data that had passed by then."},
	{"outage", NET(U32, outage), .min = 1, .max = UINT32_MAX, .optional = true,
	 .tags = OF(FAULT),
	 .about = "The step, counted from 1, whose outage ended the connection; missing if the "
		  "attempt's own step did it."},
	{"late_ns", JSON_I64(struct event, u.net.late_ns), .min = 1, .max = JSON_TIME_LIMIT_NS,
	 .optional = true, .tags = OF(FAULT),
	 .about = "How much later than the step says packets have come so far, all in all; "
		  "missing if they came in time."},
	{"state",
	 JSON_WORD(struct event, u.net.tcp_state, unsigned, tcp_state_name, TCP_CLOSING + 1),
	 .tags = OF(OPEN)},
	{"rst", NET(BOOL, rst), .tags = OF(CLIENT_END), .about = "RST; otherwise FIN."},
	{"bytes_sent", NET(U64, end_sent), .tags = OF(CLIENT_END),
	 .about = "Bytes of data that the client had sent by then."},
	{"bytes_received", NET(U64, end_received), .tags = OF(CLIENT_END),
	 .about = "Bytes of data that the client had received by then."},
	{"last_receive_ns", JSON_TIME(struct event, u.net.last_receive_ns),
	 .absent = NEVER_RECEIVED, .optional = true, .tags = OF(CLIENT_END),
	 .about = "When the client's last data came; missing if none came."},
	{"retransmissions", NET(U32, retransmissions), .tags = OF_COUNTS,
	 .about = "The kernel's retransmissions, SYNs included."},
	{"bytes_received", NET(U64, bytes_received), .tags = OF_COUNTS},
	{"bytes_acked", NET(U64, bytes_acked), .tags = OF_COUNTS,
	 .about = "Bytes that were acknowledged; SYN and FIN count one each."},
	{"bytes_sent", NET(U64, bytes_sent), .tags = OF_COUNTS},
	{"instance", INSTANCE(start), .tags = OF(START),
	 .about = "Index of the client's instance; -1 for a server, or if it is not known."},
	{"instance", INSTANCE(output), .may_be_none = true, .tags = OF(OUTPUT)},
	{"stream", JSON_INDEX(struct event, u.output.stream), JSON_BELOW(struct record, n_streams),
	 .tags = OF(OUTPUT), .about = "Index into streams."},
	{"length", JSON_U64(struct event, u.output.length), .tags = OF(OUTPUT),
	 .about = "Bytes written."},
	{"endpoint", JSON_INDEX(struct event, u.server.endpoint),
	 JSON_BELOW(struct record, n_endpoints), .tags = OF(SERVER_EXIT),
	 .about = "Index into endpoints."},
	{"endpoint", JSON_INDEX(struct event, u.outage.endpoint),
	 JSON_BELOW(struct record, n_endpoints), .tags = OF(OUTAGE),
	 .about = "Where a command began an outage: index into endpoints."},
	{"lasts_ns", JSON_DURATION(struct event, u.outage.lasts_ns), .tags = OF(OUTAGE),
	 .about = "How long it lasts; 0: as its step says."},
	{"wait_status", WAIT_STATUS(server), .tags = OF(SERVER_EXIT),
	 .about = "What waitpid(2) gives on Linux."},
	{"client_ns", JSON_DURATION(struct event, u.starvation.client_ns), .tags = OF(STARVATION),
	 .about = "How long the client's threads have been ready without a processor so far, at "
		  "most."},
	{"server_ns", JSON_DURATION(struct event, u.starvation.server_ns), .tags = OF(STARVATION),
	 .about = "The same for servers."},
	{"canary_ns", JSON_DURATION(struct event, u.starvation.canary_ns), .tags = OF(STARVATION),
	 .about = "How late a sleeping thread in the same cgroup has been so far."},
	{"complete", JSON_BOOL(struct event, u.starvation.incomplete), .negated = true,
	 .tags = OF(STARVATION), .about = "Whether the look saw all threads."},
	{"instance", INSTANCE(exit), .tags = OF(EXIT)},
	{"wait_status", WAIT_STATUS(exit), .tags = OF(EXIT)},
};

/* Checks that a status is that of a process that ended, not of one that was stopped. */
static bool check_event(struct json_reader *reader, void *object)
{
	const struct event *event = object;
	int status = event->kind == EVENT_EXIT          ? event->u.exit.wait_status
		     : event->kind == EVENT_SERVER_EXIT ? event->u.server.wait_status
							: 0;

	return WIFEXITED(status) || WIFSIGNALED(status) ||
	       json_refuse(reader, "\"wait_status\" is not that of a process that ended");
}

static const struct json_type event_type = {
	JSON_TYPE(struct event, event_fields),
	.about = "In the order of at_ns; the keys depend on the kind.",
	.is_closed = true,
	.tag = &event_fields[0],
	.check = check_event,
};

/* ---- the rest ---- */

static const struct json_field stream_fields[] = {
	{"name", JSON_TEXT(struct stream, name),
	 .about = "stdout, stderr, stdout.2 of the second instance …, api.stdout …"},
	{"head", JSON_BYTES(struct stream, head, head_length), .about = "The first 65536 bytes."},
	{"tail", JSON_BYTES(struct stream, tail, tail_length),
	 .about = "The last 65536 bytes of what came after."},
	{"total", JSON_U64(struct stream, total), .about = "Bytes written."},
};

/* Checks that the lengths are such as stream_writer_finish() leaves: only the middle is missing. */
static bool check_stream(struct json_reader *reader, void *object)
{
	const struct stream *stream = object;
	size_t kept = stream->head_length + stream->tail_length;

	if (stream->head_length > STREAM_KEEP || stream->tail_length > STREAM_KEEP ||
	    (stream->tail_length > 0 && stream->head_length < STREAM_KEEP))
		return json_refuse(reader, "\"tail\" is not what follows a full head");
	if (stream->total < kept || (stream->total > kept && kept < 2 * STREAM_KEEP))
		return json_refuse(reader, "\"total\" is not the sum of the parts");
	return true;
}

static const struct json_type stream_type = {
	JSON_TYPE(struct stream, stream_fields),
	.is_closed = true,
	.check = check_stream,
};

static const struct json_field problem_fields[] = {
	{"message", JSON_TEXT(struct problem, message), .about = "One sentence."},
	{"missing_capability", JSON_BOOL(struct problem, missing_capability),
	 .about = "Whether the machine lacks something."},
	{"late", JSON_BOOL(struct problem, late), .optional = true,
	 .about = "Whether synfault did something too late."},
};
static const struct json_type problem_type = {
	JSON_TYPE(struct problem, problem_fields),
	.is_closed = true,
};

static const struct json_field section_fields[] = {
	{"title", JSON_TEXT(struct section, title)},
	{"text", JSON_TEXT(struct section, text), .about = "Lines, each with its newline."},
};
static const struct json_type section_type = {
	JSON_TYPE(struct section, section_fields),
	.is_closed = true,
};

static const struct json_field jump_fields[] = {
	{"at_ns", JSON_TIME(struct clock_jump, at_ns), .about = "When, by the client's clock."},
	{"by_ns", JSON_DURATION(struct clock_jump, by_ns), .about = "How far."},
};
static const struct json_type jump_type = {
	JSON_TYPE(struct clock_jump, jump_fields),
	.is_closed = true,
};

/* Lists that hold indices come after the lists they refer to; see also .late. */
static const struct json_field record_fields[] = {
	{"format", JSON_CONSTANT("synfault-record")},
	{"version", JSON_VERSION(2)},
	{"scenario", TEXT(struct record, scenario), .about = "Its name."},
	{"path", TEXT(struct record, path), .about = "Path of the scenario file, as given."},
	{"seed", JSON_DECIMAL(struct record, seed),
	 .about = "Seed of all draws: a decimal number of up to 64 bits, as text."},
	{"started_realtime_ns", JSON_I64(struct record, started_realtime_ns),
	 .about = "Time 0 of the events, since 1970."},
	{"kernel", TEXT(struct record, kernel), .about = "uname -r"},
	{"isolation", TEXT(struct record, isolation), .about = "private or shared"},
	{"syn_retries", JSON_U32(struct record, syn_retries), .about = "The sysctl in force."},
	{"syn_linear_timeouts", JSON_U32(struct record, syn_linear_timeouts),
	 .about = "The sysctl in force."},
	{"endpoints",
	 JSON_LIST(struct record, endpoints, n_endpoints, struct record_endpoint, &endpoint_type)},
	{"changes",
	 JSON_LIST(struct record, changes, n_changes, struct record_change, &change_type),
	 JSON_CAPACITY(struct record, changes_capacity), .optional = true,
	 .about = "What was changed while it was armed, in this order; each change adds steps."},
	{"attempts",
	 JSON_LIST(struct record, attempts, n_attempts, struct record_attempt, &attempt_type),
	 JSON_CAPACITY(struct record, attempts_capacity), .late = true},
	{"events", JSON_LIST(struct record, events, n_events, struct event, &event_type),
	 JSON_CAPACITY(struct record, events_capacity), .late = true},
	{"streams", JSON_LIST(struct record, streams, n_streams, struct stream, &stream_type),
	 .about = "stdout, stderr, those of further instances of the client, those of servers."},
	{"problems", JSON_LIST(struct record, problems, n_problems, struct problem, &problem_type),
	 JSON_CAPACITY(struct record, problems_capacity),
	 .about = "Why synfault can't vouch for the run; empty if it can."},
	{"instances", JSON_U32(struct record, n_instances), .min = 1, .max = MAX_INSTANCES,
	 .about = "How many instances of the client were to run."},
	{"snapshot", JSON_LIST(struct record, sections, n_sections, struct section, &section_type),
	 JSON_CAPACITY(struct record, sections_capacity), .optional = true,
	 .about = "The network when the client ended, for people."},
	{"virtual_time", JSON_BOOL(struct record, virtual_time), .optional = true,
	 .about = "All times are by the client's clock, which jumped; lags are real time."},
	{"jumps", JSON_LIST(struct record, jumps, n_jumps, struct clock_jump, &jump_type),
	 JSON_CAPACITY(struct record, jumps_capacity), .optional = true,
	 .about = "Jumps of the client's clock; real time does not include them."},
	{"clock_failure", TEXT(struct record, clock_failure),
	 .about = "Why the client's clock can't be trusted."},
	{"client_started", JSON_BOOL(struct record, client_started)},
	{"other_netns", JSON_BOOL(struct record, other_netns), .optional = true,
	 .about = "A process of the client was seen in another network namespace than the "
		  "endpoints."},
	{"attached", JSON_BOOL(struct record, attached), .optional = true,
	 .about = "Another program started the client: nothing is known of its process."},
	{"outside", JSON_BOOL(struct record, outside), .optional = true,
	 .about = "Some attempt was made by no process of the sandbox's command."},
	{"sockets", JSON_BOOL(struct record, has_sockets),
	 .about = "Whether cookies and the events open and gone were asked for."},
	{"client_ends", JSON_BOOL(struct record, has_client_ends),
	 .about = "Whether the event client-end was asked for on all connections."},
	{"starvation", JSON_BOOL(struct record, has_starvation),
	 .about = "Whether threads were looked at."},
	{"harness_lag_ns", JSON_DURATION(struct record, harness_lag_ns),
	 .about = "The longest time by which synfault itself was late."},
	{"client_lag_ns", JSON_I64(struct record, client_lag_ns), .min = -1,
	 .max = JSON_TIME_LIMIT_NS,
	 .about = "How long the client's processes waited for a processor; -1: not known."},
	{"complete", JSON_BOOL(struct record, complete),
	 .about = "Whether the run was watched to its end."},
};

static bool check_record(struct json_reader *reader, void *object)
{
	const struct record *record = object;

	for (size_t i = 1; i < record->n_events; i++)
		if (record->events[i].at_ns < record->events[i - 1].at_ns)
			return json_refuse(reader, "events[%zu] is earlier than the one before it",
					   i);
	return true;
}

const struct json_type record_type = {
	JSON_TYPE(struct record, record_fields),
	.name = "record",
	.about = "What was observed while it ran (docs/record.md).",
	.is_closed = true,
	.is_scope = true,
	.check = check_record,
};

/* ---- functions ---- */

void record_write_event(const struct event *event, struct strbuf *out)
{
	json_fields_write(&event_type, event, out);
}

char *record_write_json(const struct record *record, size_t *ret_length)
{
	struct strbuf text = {0};

	strbuf_putc(&text, '{');
	json_fields_write(&record_type, record, &text);
	strbuf_putc(&text, '}');
	*ret_length = text.length;
	return strbuf_steal(&text);
}

struct record *record_read_json(const char *text, size_t length, char **ret_message)
{
	AUTO_RECORD struct record *record = xzalloc(sizeof(*record));
	struct json_reader reader = {.document = "the record"};
	json_t *json = json_fields_parse(&reader, text, length);
	bool good = json && json_fields_read(&reader, &record_type, json, record);

	json_decref(json);
	if (!good) {
		*ret_message = reader.message;
		return NULL;
	}
	return steal_pointer(&record);
}
