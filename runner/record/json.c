/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a record as JSON (docs/record.md): compactly, because it is also what the supervising
 * process hands to the program for every scenario.
 */
#include <inttypes.h>
#include <jansson.h>

#include "runner/record/base64.h"
#include "runner/record/json.h"

/* Text is stored as it is when it is UTF-8 without NUL, else as {"base64": …}. */
static json_t *write_text(const char *text, size_t length)
{
	json_t *value = memchr(text, '\0', length) ? NULL : json_stringn(text, length);

	if (!value) {
		AUTO_STRBUF struct strbuf encoded = {0};

		base64_encode(text, length, &encoded);
		value = json_object();
		json_object_set_new(value, "base64",
				    json_stringn(strbuf_text(&encoded), encoded.length));
	}
	return value;
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (!value || json_object_set_new_nocheck(object, key, value) < 0)
		out_of_memory();
}

static void set_integer(json_t *object, const char *key, int64_t value)
{
	set(object, key, json_integer(value));
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text)
		set(object, key, write_text(text, strlen(text)));
}

static void set_address(json_t *object, const char *key, const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	set(object, key, json_string(address_format(address, text)));
}

static void append(json_t *array, json_t *value)
{
	if (!value || json_array_append_new(array, value) < 0)
		out_of_memory();
}

static json_t *write_event(const struct event *event)
{
	json_t *object = json_object();

	set(object, "kind", json_string(event_kind_name(event->kind)));
	set_integer(object, "at_ns", event->at_ns);
	if (event->kind <= EVENT_CLOSED)
		set_integer(object, "attempt", event->u.net.attempt);
	switch (event->kind) {
	case EVENT_SYN:
		set_integer(object, "ordinal", event->u.net.ordinal);
		set_integer(object, "payload_length", event->u.net.payload_length);
		break;
	case EVENT_VERDICT:
		set_integer(object, "ordinal", event->u.net.ordinal);
		set(object, "verdict", json_string(verdict_kind_name(event->u.net.verdict)));
		set_integer(object, "lag_ns", event->u.net.lag_ns);
		break;
	case EVENT_CLOSED:
		set_integer(object, "retransmissions", event->u.net.retransmissions);
		break;
	case EVENT_OUTPUT:
		set_integer(object, "stream", event->u.output.stream);
		set_integer(object, "length", (int64_t)event->u.output.length);
		break;
	case EVENT_SERVER_EXIT:
		set_integer(object, "endpoint", event->u.server.endpoint);
		set_integer(object, "wait_status", event->u.server.wait_status);
		break;
	case EVENT_EXIT:
		set_integer(object, "wait_status", event->u.exit.wait_status);
		break;
	case EVENT_ESTABLISHED:
	case EVENT_TIMEOUT:
	case EVENT_N_KINDS:
		break;
	}
	return object;
}

static json_t *write_endpoint(const struct record_endpoint *endpoint)
{
	json_t *object = json_object(), *addresses = json_array();
	char text[ADDRESS_TEXT_SIZE];

	set_text(object, "name", endpoint->name);
	set_text(object, "script", endpoint->script);
	for (size_t i = 0; i < endpoint->n_addresses; i++)
		append(addresses, json_string(address_format(&endpoint->addresses[i], text)));
	set(object, "addresses", addresses);
	set_text(object, "hostname", endpoint->hostname);
	return object;
}

static json_t *write_attempt(const struct record_attempt *attempt)
{
	json_t *object = json_object();

	set_integer(object, "endpoint", attempt->endpoint);
	set_integer(object, "number", attempt->number);
	set_integer(object, "step", attempt->step);
	set_integer(object, "delay_ns", attempt->delay_ns);
	set_address(object, "client", &attempt->client);
	set_address(object, "server", &attempt->server);
	set_integer(object, "isn", attempt->isn);
	return object;
}

static json_t *write_stream(const struct stream *stream)
{
	json_t *object = json_object();

	set_text(object, "name", stream->name);
	set(object, "head", write_text(stream->head ? stream->head : "", stream->head_length));
	set(object, "tail", write_text(stream->tail ? stream->tail : "", stream->tail_length));
	set_integer(object, "total", (int64_t)stream->total);
	return object;
}

static json_t *write_problem(const struct problem *problem)
{
	json_t *object = json_object();

	set_text(object, "message", problem->message);
	set(object, "missing_capability", json_boolean(problem->missing_capability));
	return object;
}

/* Writes an array of the record under its key, each element with its function. */
#define SET_ARRAY(object, key, items, count, write)                                                \
	do {                                                                                       \
		json_t *array_ = json_array();                                                     \
		for (size_t i_ = 0; i_ < (count); i_++)                                            \
			append(array_, write(&(items)[i_]));                                       \
		set(object, key, array_);                                                          \
	} while (0)

char *record_write_json(const struct record *record, size_t *ret_length)
{
	json_t *object = json_object();
	char seed[24];
	char *text;

	set(object, "format", json_string(RECORD_FORMAT_NAME));
	set_integer(object, "version", RECORD_FORMAT_VERSION);
	set_text(object, "scenario", record->scenario);
	set_text(object, "path", record->path);
	/* As text: it may be beyond what JSON readers take for an integer. */
	snprintf(seed, sizeof(seed), "%" PRIu64, record->seed);
	set(object, "seed", json_string(seed));
	set_integer(object, "started_realtime_ns", record->started_realtime_ns);
	set_text(object, "kernel", record->kernel);
	set_text(object, "isolation", record->isolation);
	set_integer(object, "syn_retries", record->syn_retries);
	set_integer(object, "syn_linear_timeouts", record->syn_linear_timeouts);
	SET_ARRAY(object, "endpoints", record->endpoints, record->n_endpoints, write_endpoint);
	SET_ARRAY(object, "attempts", record->attempts, record->n_attempts, write_attempt);
	SET_ARRAY(object, "events", record->events, record->n_events, write_event);
	SET_ARRAY(object, "streams", record->streams, record->n_streams, write_stream);
	SET_ARRAY(object, "problems", record->problems, record->n_problems, write_problem);
	set(object, "client_started", json_boolean(record->client_started));
	set_integer(object, "harness_lag_ns", record->harness_lag_ns);
	set_integer(object, "client_lag_ns", record->client_lag_ns);
	set(object, "complete", json_boolean(record->complete));

	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!text)
		out_of_memory();
	*ret_length = strlen(text);
	return text;
}
