/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a record from JSON (docs/record.md) and trusts nothing: it may come from a file that
 * anybody wrote, and judgement indexes arrays by what stands in it. Each function that reads
 * returns whether it succeeded; the first that does not leaves a message in the reader.
 */
#include <inttypes.h>
#include <jansson.h>
#include <sys/wait.h>

#include "runner/record/base64.h"
#include "runner/record/json.h"

/* Times beyond this (some 70 years) are refused, so that differences of two can't overflow. */
#define TIME_LIMIT_NS (INT64_MAX / 4)

struct reader {
	char *message; /* why it is no record; NULL so far */
};

PRINTF(2, 3)
static bool refuse(struct reader *reader, const char *format, ...)
{
	va_list arguments;

	if (reader->message)
		return false;
	va_start(arguments, format);
	reader->message = xvasprintf(format, arguments);
	va_end(arguments);
	return false;
}

/* One object that is being read; counts the keys that were asked for, to find those that were not.
 */
struct object {
	struct reader *reader;
	json_t *json;
	char where[48]; /* "events[3]" */
	size_t n_known;
};

PRINTF(4, 5)
static bool object_open(struct reader *reader, json_t *json, struct object *ret, const char *format,
			...)
{
	struct object object = {.reader = reader, .json = json};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(object.where, sizeof(object.where), format, arguments);
	va_end(arguments);
	if (!json_is_object(json))
		return refuse(reader, "%s is not an object", object.where);
	*ret = object;
	return true;
}

static bool object_close(const struct object *object)
{
	if (json_object_size(object->json) > object->n_known)
		return refuse(object->reader, "%s has a key that is not known", object->where);
	return true;
}

static json_t *optional(struct object *object, const char *key)
{
	json_t *value = json_object_get(object->json, key);

	if (value)
		object->n_known++;
	return value;
}

static bool wrong(const struct object *object, const char *key, const char *what)
{
	return refuse(object->reader, "%s: \"%s\" is %s", object->where, key, what);
}

static bool read_integer(struct object *object, const char *key, int64_t low, int64_t high,
			 int64_t *ret)
{
	json_t *value = optional(object, key);

	if (!json_is_integer(value))
		return wrong(object, key, value ? "not an integer" : "missing");
	if (json_integer_value(value) < low || json_integer_value(value) > high)
		return wrong(object, key, "out of range");
	*ret = json_integer_value(value);
	return true;
}

static bool read_u32(struct object *object, const char *key, uint32_t low, uint32_t high,
		     uint32_t *ret)
{
	int64_t value = 0;

	if (!read_integer(object, key, low, high, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* A number of bytes. */
static bool read_count(struct object *object, const char *key, uint64_t *ret)
{
	int64_t value = 0;

	if (!read_integer(object, key, 0, INT64_MAX, &value))
		return false;
	*ret = (uint64_t)value;
	return true;
}

static bool read_index(struct object *object, const char *key, size_t count, uint32_t *ret)
{
	if (count == 0)
		return wrong(object, key, "an index into nothing");
	return read_u32(object, key, 0, (uint32_t)MIN(count - 1, UINT32_MAX), ret);
}

static bool read_instance(struct object *object, const struct record *record, bool may_be_unknown,
			  uint32_t *ret)
{
	int64_t value = 0;

	if (!read_integer(object, "instance", may_be_unknown ? -1 : 0,
			  (int64_t)record->n_instances - 1, &value))
		return false;
	*ret = value < 0 ? INSTANCE_UNKNOWN : (uint32_t)value;
	return true;
}

static bool read_time(struct object *object, const char *key, int64_t *ret)
{
	return read_integer(object, key, -TIME_LIMIT_NS, TIME_LIMIT_NS, ret);
}

static bool read_bool(struct object *object, const char *key, bool *ret)
{
	json_t *value = optional(object, key);

	if (!json_is_boolean(value))
		return wrong(object, key, value ? "neither true nor false" : "missing");
	*ret = json_is_true(value);
	return true;
}

/* What is not there is false. */
static bool read_optional_bool(struct object *object, const char *key, bool *ret)
{
	*ret = false;
	return !json_object_get(object->json, key) || read_bool(object, key, ret);
}

/* Bytes that may be stored as base64; owned by the caller, with a NUL after them. */
static bool read_bytes(struct object *object, const char *key, char **ret, size_t *ret_length)
{
	json_t *value = optional(object, key);
	json_t *encoded = json_is_object(value) ? json_object_get(value, "base64") : NULL;
	AUTO_STRBUF struct strbuf decoded = {0};

	if (json_is_string(value)) {
		strbuf_add(&decoded, json_string_value(value), json_string_length(value));
	} else if (json_is_string(encoded) && json_object_size(value) == 1) {
		if (base64_decode(json_string_value(encoded), json_string_length(encoded),
				  &decoded) < 0)
			return wrong(object, key, "not base64");
	} else {
		return wrong(object, key, value ? "not text" : "missing");
	}
	*ret_length = decoded.length;
	*ret = strbuf_steal(&decoded);
	return true;
}

static bool read_text(struct object *object, const char *key, char **ret)
{
	AUTO_FREE char *text = NULL;
	size_t length = 0;

	if (!read_bytes(object, key, &text, &length))
		return false;
	if (strlen(text) != length)
		return wrong(object, key, "text with a NUL in it");
	*ret = steal_pointer(&text);
	return true;
}

static bool read_optional_text(struct object *object, const char *key, char **ret)
{
	return !json_object_get(object->json, key) || read_text(object, key, ret);
}

/* "127.0.0.1:8080" or "[::1]:8080" */
static bool parse_address(const char *text, struct address *ret)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	size_t length;
	char *end;
	unsigned long port;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtoul(colon + 1, &end, 10);
	if (*end || end - colon > 6 || port > UINT16_MAX)
		return false;
	length = (size_t)(colon - text);
	if (text[0] == '[') {
		if (text[length - 1] != ']' || !memchr(text, ':', length))
			return false;
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return false;
	}
	if (length >= sizeof(host))
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	return address_parse(host, (uint16_t)port, ret) == 0;
}

static bool read_address(struct object *object, const char *key, struct address *ret)
{
	json_t *value = optional(object, key);

	if (!json_is_string(value) || !parse_address(json_string_value(value), ret))
		return wrong(object, key, "not an address");
	return true;
}

/* The array under a key, of at most as many elements as an index of 32 bits can name. */
static bool read_array(struct object *object, const char *key, json_t **ret)
{
	json_t *value = optional(object, key);

	if (!json_is_array(value) || json_array_size(value) >= UINT32_MAX)
		return wrong(object, key, value ? "not an array" : "missing");
	*ret = value;
	return true;
}

static bool read_endpoint(struct object *object, struct record_endpoint *endpoint)
{
	json_t *addresses = NULL;

	if (!read_text(object, "name", &endpoint->name) ||
	    !read_text(object, "script", &endpoint->script) ||
	    !read_array(object, "addresses", &addresses) ||
	    !read_optional_text(object, "hostname", &endpoint->hostname) ||
	    !read_optional_text(object, "remote", &endpoint->remote) ||
	    !read_optional_text(object, "delays", &endpoint->delays))
		return false;
	endpoint->addresses = xzalloc(json_array_size(addresses) * sizeof(*endpoint->addresses));
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const char *text = json_string_value(json_array_get(addresses, i));

		if (!text || !parse_address(text, &endpoint->addresses[i]))
			return wrong(object, "addresses", "not a list of addresses");
		endpoint->n_addresses++;
	}
	return true;
}

static bool read_attempt(struct object *object, const struct record *record,
			 struct record_attempt *attempt)
{
	return read_index(object, "endpoint", record->n_endpoints, &attempt->endpoint) &&
	       read_u32(object, "number", 1, UINT32_MAX, &attempt->number) &&
	       read_instance(object, record, true, &attempt->instance) &&
	       read_u32(object, "step", 0, UINT32_MAX, &attempt->step) &&
	       read_integer(object, "delay_ns", 0, TIME_LIMIT_NS, &attempt->delay_ns) &&
	       read_address(object, "client", &attempt->client) &&
	       read_address(object, "server", &attempt->server) &&
	       read_u32(object, "isn", 0, UINT32_MAX, &attempt->isn) &&
	       (!json_object_get(object->json, "cookie") ||
		read_count(object, "cookie", &attempt->cookie));
}

static bool read_verdict(struct object *object, enum verdict_kind *ret)
{
	const char *name = json_string_value(optional(object, "verdict"));

	for (int kind = 0; name && kind < VERDICT_N_KINDS; kind++)
		if (strcmp(name, verdict_kind_name((enum verdict_kind)kind)) == 0) {
			*ret = (enum verdict_kind)kind;
			return true;
		}
	return wrong(object, "verdict", "not known");
}

static bool read_fault(struct object *object, enum fault_kind *ret)
{
	const char *name = json_string_value(optional(object, "fault"));

	for (int kind = 0; name && kind < FAULT_N_KINDS; kind++)
		if (strcmp(name, fault_kind_name((enum fault_kind)kind)) == 0) {
			*ret = (enum fault_kind)kind;
			return true;
		}
	return wrong(object, "fault", "not known");
}

/* A status of a process that ended: exited or killed, not stopped. */
static bool read_wait_status(struct object *object, int *ret)
{
	int64_t value;

	if (!read_integer(object, "wait_status", 0, 0xffff, &value))
		return false;
	if (!WIFEXITED((int)value) && !WIFSIGNALED((int)value))
		return wrong(object, "wait_status", "not that of a process that ended");
	*ret = (int)value;
	return true;
}

static bool read_tcp_state(struct object *object, uint8_t *ret)
{
	const char *name = json_string_value(optional(object, "state"));

	for (uint8_t state = 0; name && state < UINT8_MAX; state++)
		if (tcp_state_name(state) && strcmp(name, tcp_state_name(state)) == 0) {
			*ret = state;
			return true;
		}
	return wrong(object, "state", "not known");
}

static bool read_client_end(struct object *object, struct event *event)
{
	event->u.net.last_receive_ns = NEVER_RECEIVED;
	return read_bool(object, "rst", &event->u.net.rst) &&
	       read_count(object, "bytes_sent", &event->u.net.end_sent) &&
	       read_count(object, "bytes_received", &event->u.net.end_received) &&
	       (!json_object_get(object->json, "last_receive_ns") ||
		read_time(object, "last_receive_ns", &event->u.net.last_receive_ns));
}

static bool read_starvation(struct object *object, struct event *event)
{
	bool complete = false;

	if (!read_integer(object, "client_ns", 0, TIME_LIMIT_NS, &event->u.starvation.client_ns) ||
	    !read_integer(object, "server_ns", 0, TIME_LIMIT_NS, &event->u.starvation.server_ns) ||
	    !read_integer(object, "canary_ns", 0, TIME_LIMIT_NS, &event->u.starvation.canary_ns) ||
	    !read_bool(object, "complete", &complete))
		return false;
	event->u.starvation.incomplete = !complete;
	return true;
}

static bool read_event_body(struct object *object, const struct record *record, struct event *event)
{
	switch (event->kind) {
	case EVENT_SYN:
		return read_u32(object, "ordinal", 1, UINT32_MAX, &event->u.net.ordinal) &&
		       read_u32(object, "payload_length", 0, UINT32_MAX,
				&event->u.net.payload_length);
	case EVENT_VERDICT:
		return read_u32(object, "ordinal", 1, UINT32_MAX, &event->u.net.ordinal) &&
		       read_verdict(object, &event->u.net.verdict) &&
		       read_time(object, "lag_ns", &event->u.net.lag_ns);
	case EVENT_FAULT:
		return read_fault(object, &event->u.net.fault) &&
		       read_count(object, "bytes", &event->u.net.bytes);
	case EVENT_OPEN:
		return read_tcp_state(object, &event->u.net.tcp_state);
	case EVENT_CLIENT_END:
		return read_client_end(object, event);
	case EVENT_STARVATION:
		return read_starvation(object, event);
	case EVENT_ORPHANED:
	case EVENT_CLOSED:
		return read_u32(object, "retransmissions", 0, UINT32_MAX,
				&event->u.net.retransmissions) &&
		       read_count(object, "bytes_received", &event->u.net.bytes_received) &&
		       read_count(object, "bytes_acked", &event->u.net.bytes_acked) &&
		       read_count(object, "bytes_sent", &event->u.net.bytes_sent);
	case EVENT_START:
		return read_instance(object, record, false, &event->u.start.instance);
	case EVENT_OUTPUT:
		return read_instance(object, record, true, &event->u.output.instance) &&
		       read_index(object, "stream", record->n_streams, &event->u.output.stream) &&
		       read_count(object, "length", &event->u.output.length);
	case EVENT_SERVER_EXIT:
		return read_index(object, "endpoint", record->n_endpoints,
				  &event->u.server.endpoint) &&
		       read_wait_status(object, &event->u.server.wait_status);
	case EVENT_EXIT:
		return read_instance(object, record, false, &event->u.exit.instance) &&
		       read_wait_status(object, &event->u.exit.wait_status);
	case EVENT_ESTABLISHED:
	case EVENT_GONE:
	case EVENT_STANDING:
	case EVENT_STOP:
	case EVENT_TIMEOUT:
		return true;
	case EVENT_N_KINDS:
		break;
	}
	return wrong(object, "kind", "not known");
}

static bool read_event(struct object *object, const struct record *record, struct event *event)
{
	const char *name = json_string_value(optional(object, "kind"));

	event->kind = EVENT_N_KINDS;
	for (int kind = 0; name && kind < EVENT_N_KINDS; kind++)
		if (strcmp(name, event_kind_name((enum event_kind)kind)) == 0)
			event->kind = (enum event_kind)kind;
	if (!read_time(object, "at_ns", &event->at_ns))
		return false;
	if (json_object_get(object->json, "earliest_ns")) {
		int64_t earliest_ns = 0;

		if (!read_integer(object, "earliest_ns", -TIME_LIMIT_NS, event->at_ns,
				  &earliest_ns))
			return false;
		event->early_ns = event->at_ns - earliest_ns;
	}
	if (event->kind <= EVENT_CLOSED &&
	    !read_index(object, "attempt", record->n_attempts, &event->u.net.attempt))
		return false;
	return read_event_body(object, record, event);
}

/* The lengths have to be such as stream_writer_finish() leaves: what is missing is the middle. */
static bool read_stream(struct object *object, struct stream *stream)
{
	int64_t total;
	size_t kept;

	if (!read_text(object, "name", &stream->name) ||
	    !read_bytes(object, "head", &stream->head, &stream->head_length) ||
	    !read_bytes(object, "tail", &stream->tail, &stream->tail_length) ||
	    !read_integer(object, "total", 0, INT64_MAX, &total))
		return false;
	stream->total = (uint64_t)total;
	kept = stream->head_length + stream->tail_length;
	if (stream->head_length > STREAM_KEEP || stream->tail_length > STREAM_KEEP ||
	    (stream->tail_length > 0 && stream->head_length < STREAM_KEEP))
		return wrong(object, "tail", "not what follows a full head");
	if (stream->total < kept || (stream->total > kept && kept < 2 * STREAM_KEEP))
		return wrong(object, "total", "not the sum of the parts");
	return true;
}

static bool read_problem(struct object *object, struct problem *problem)
{
	return read_text(object, "message", &problem->message) &&
	       read_bool(object, "missing_capability", &problem->missing_capability);
}

static bool read_section(struct object *object, struct section *section)
{
	return read_text(object, "title", &section->title) &&
	       read_text(object, "text", &section->text);
}

static bool read_seed(struct object *object, uint64_t *ret)
{
	const char *text = json_string_value(optional(object, "seed"));
	char again[24];
	uint64_t value;

	/* Only the text that we would write ourselves is taken: no sign, no blank, no overflow. */
	value = text ? strtoull(text, NULL, 10) : 0;
	snprintf(again, sizeof(again), "%" PRIu64, value);
	if (!text || strcmp(text, again) != 0)
		return wrong(object, "seed", "not a whole number as text");
	*ret = value;
	return true;
}

static bool read_head(struct object *object, struct record *record)
{
	const char *format = json_string_value(optional(object, "format"));
	int64_t version;

	if (!format || strcmp(format, RECORD_FORMAT_NAME) != 0)
		return wrong(object, "format", "not \"" RECORD_FORMAT_NAME "\"");
	if (!read_integer(object, "version", 1, INT64_MAX, &version))
		return false;
	if (version != RECORD_FORMAT_VERSION)
		return refuse(object->reader,
			      "record of format %" PRId64 ": made by %s synfault; run the scenario "
			      "again",
			      version, version < RECORD_FORMAT_VERSION ? "an older" : "a newer");
	return read_optional_text(object, "scenario", &record->scenario) &&
	       read_optional_text(object, "path", &record->path) &&
	       read_seed(object, &record->seed) &&
	       read_integer(object, "started_realtime_ns", INT64_MIN, INT64_MAX,
			    &record->started_realtime_ns) &&
	       read_optional_text(object, "kernel", &record->kernel) &&
	       read_optional_text(object, "isolation", &record->isolation) &&
	       read_u32(object, "syn_retries", 0, UINT32_MAX, &record->syn_retries) &&
	       read_u32(object, "syn_linear_timeouts", 0, UINT32_MAX,
			&record->syn_linear_timeouts) &&
	       read_u32(object, "instances", 1, MAX_INSTANCES, &record->n_instances) &&
	       read_bool(object, "client_started", &record->client_started) &&
	       read_optional_bool(object, "attached", &record->attached) &&
	       read_bool(object, "sockets", &record->has_sockets) &&
	       read_bool(object, "client_ends", &record->has_client_ends) &&
	       read_bool(object, "starvation", &record->has_starvation) &&
	       read_integer(object, "harness_lag_ns", 0, TIME_LIMIT_NS, &record->harness_lag_ns) &&
	       read_integer(object, "client_lag_ns", -1, TIME_LIMIT_NS, &record->client_lag_ns) &&
	       read_bool(object, "complete", &record->complete);
}

/* Lists of which others hold indices come first: endpoints, attempts, streams; then events. */
static bool read_lists(struct object *top, struct record *record)
{
	static const char *const keys[] = {"endpoints", "attempts", "streams",
					   "events",    "problems", "snapshot"};
	json_t *arrays[ARRAY_SIZE(keys)] = {0};
	size_t index;
	json_t *item;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		/* The last one is for people: records can do without. */
		if ((i + 1 < ARRAY_SIZE(keys) || json_object_get(top->json, keys[i])) &&
		    !read_array(top, keys[i], &arrays[i]))
			return false;
	record->endpoints = xzalloc(json_array_size(arrays[0]) * sizeof(*record->endpoints));
	record->streams = xzalloc(json_array_size(arrays[2]) * sizeof(*record->streams));

/* Reads each element; @make_room names the element, which is counted before it is read. */
#define READ_EACH(which, make_room, ...)                                                           \
	json_array_foreach(arrays[which], index, item)                                             \
	{                                                                                          \
		struct object object;                                                              \
		make_room;                                                                         \
		if (!object_open(top->reader, item, &object, "%s[%zu]", keys[which], index) ||     \
		    !(__VA_ARGS__) || !object_close(&object))                                      \
			return false;                                                              \
	}

	READ_EACH(0, record->n_endpoints++, read_endpoint(&object, &record->endpoints[index]))
	READ_EACH(1,
		  array_append(record->attempts, record->n_attempts, record->attempts_capacity,
			       (struct record_attempt){0}),
		  read_attempt(&object, record, &record->attempts[index]))
	READ_EACH(2, record->n_streams++, read_stream(&object, &record->streams[index]))
	READ_EACH(3,
		  array_append(record->events, record->n_events, record->events_capacity,
			       (struct event){0}),
		  read_event(&object, record, &record->events[index]))
	READ_EACH(4,
		  array_append(record->problems, record->n_problems, record->problems_capacity,
			       (struct problem){0}),
		  read_problem(&object, &record->problems[index]))
	READ_EACH(5,
		  array_append(record->sections, record->n_sections, record->sections_capacity,
			       (struct section){0}),
		  read_section(&object, &record->sections[index]))
#undef READ_EACH

	for (size_t i = 1; i < record->n_events; i++)
		if (record->events[i].at_ns < record->events[i - 1].at_ns)
			return refuse(top->reader, "events[%zu] is earlier than the one before it",
				      i);
	return true;
}

struct record *record_read_object(json_t *json, char **ret_message)
{
	AUTO_RECORD struct record *record = record_new();
	struct reader reader = {0};
	struct object top;

	if (!object_open(&reader, json, &top, "the record") || !read_head(&top, record) ||
	    !read_lists(&top, record) || !object_close(&top)) {
		*ret_message = reader.message;
		return NULL;
	}
	return steal_pointer(&record);
}

struct record *record_read_json(const char *text, size_t length, char **ret_message)
{
	json_error_t error;
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	struct record *record = NULL;

	if (json)
		record = record_read_object(json, ret_message);
	else
		*ret_message =
			xasprintf("line %d, column %d: %s", error.line, error.column, error.text);
	json_decref(json);
	return record;
}

/* ---- a record inside another document ---- */

static void write_record(const void *object, struct strbuf *out)
{
	size_t length;
	AUTO_FREE char *text = record_write_json(object, &length);

	strbuf_add(out, text, length);
}

static bool read_record(struct json_reader *reader, json_t *json, void *ret)
{
	AUTO_FREE char *message = NULL;
	struct record *record = record_read_object(json, &message);

	if (!record)
		return json_refuse(reader, "%s", message);
	*(struct record *)ret = *record;
	free(record);
	return true;
}

static void clear_record(void *object)
{
	record_free(xmemdup(object, sizeof(struct record)));
}

const struct json_type record_type = {
	.name = "record",
	.about = "What was observed while it ran (docs/record.md).",
	.size = sizeof(struct record),
	.write = write_record,
	.read = read_record,
	.clear = clear_record,
};
