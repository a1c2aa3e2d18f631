/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a record as JSON (docs/record.md). It is also what the supervising process hands to the
 * program for every scenario, so that its structure is written straight away, without a tree in
 * between; texts, with all there is to escape, are left to jansson.
 */
#include <inttypes.h>
#include <jansson.h>

#include "runner/record/base64.h"
#include "runner/record/json.h"

static int add_dumped(const char *data, size_t length, void *out)
{
	strbuf_add(out, data, length);
	return 0;
}

/* Text is stored as it is when it is UTF-8 without NUL, else as {"base64": …}. */
static void write_text(struct strbuf *out, const char *text, size_t length)
{
	json_t *value = memchr(text, '\0', length) ? NULL : json_stringn(text, length);

	if (!value) {
		strbuf_puts(out, "{\"base64\":\"");
		base64_encode(text, length, out);
		strbuf_puts(out, "\"}");
		return;
	}
	if (json_dump_callback(value, add_dumped, out, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		out_of_memory();
	json_decref(value);
}

/* Ends what stands before and opens the next member: `,"key":`. */
static void key(struct strbuf *out, const char *name)
{
	char last = out->length > 0 ? out->data[out->length - 1] : '{';

	strbuf_printf(out, "%s\"%s\":", last == '{' ? "" : ",", name);
}

static void put_integer(struct strbuf *out, const char *name, int64_t value)
{
	key(out, name);
	strbuf_printf(out, "%" PRId64, value);
}

/* INSTANCE_UNKNOWN is -1. */
static void put_instance(struct strbuf *out, uint32_t instance)
{
	put_integer(out, "instance", instance == INSTANCE_UNKNOWN ? -1 : (int64_t)instance);
}

static void put_bool(struct strbuf *out, const char *name, bool value)
{
	key(out, name);
	strbuf_puts(out, value ? "true" : "false");
}

/* A word of our own, which needs no escapes. */
static void put_word(struct strbuf *out, const char *name, const char *word)
{
	key(out, name);
	strbuf_printf(out, "\"%s\"", word);
}

/* NULL is left out. */
static void put_text(struct strbuf *out, const char *name, const char *text)
{
	if (!text)
		return;
	key(out, name);
	write_text(out, text, strlen(text));
}

static void put_bytes(struct strbuf *out, const char *name, const char *data, size_t length)
{
	key(out, name);
	write_text(out, data ? data : "", length);
}

static void put_address(struct strbuf *out, const char *name, const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	put_word(out, name, address_format(address, text));
}

void record_write_event(const struct event *event, struct strbuf *out)
{
	put_word(out, "kind", event_kind_name(event->kind));
	if (event->early_ns > 0)
		put_integer(out, "earliest_ns", event_earliest_ns(event));
	put_integer(out, "at_ns", event->at_ns);
	if (event->kind <= EVENT_CLOSED)
		put_integer(out, "attempt", event->u.net.attempt);
	switch (event->kind) {
	case EVENT_SYN:
		put_integer(out, "ordinal", event->u.net.ordinal);
		put_integer(out, "payload_length", event->u.net.payload_length);
		break;
	case EVENT_VERDICT:
		put_integer(out, "ordinal", event->u.net.ordinal);
		put_word(out, "verdict", verdict_kind_name(event->u.net.verdict));
		put_integer(out, "lag_ns", event->u.net.lag_ns);
		break;
	case EVENT_FAULT:
		put_word(out, "fault", fault_kind_name(event->u.net.fault));
		put_integer(out, "bytes", (int64_t)event->u.net.bytes);
		break;
	case EVENT_OPEN:
		put_word(out, "state", tcp_state_name(event->u.net.tcp_state));
		break;
	case EVENT_CLIENT_END:
		put_bool(out, "rst", event->u.net.rst);
		put_integer(out, "bytes_sent", (int64_t)event->u.net.end_sent);
		put_integer(out, "bytes_received", (int64_t)event->u.net.end_received);
		if (event->u.net.last_receive_ns != NEVER_RECEIVED)
			put_integer(out, "last_receive_ns", event->u.net.last_receive_ns);
		break;
	case EVENT_ORPHANED:
	case EVENT_CLOSED:
		put_integer(out, "retransmissions", event->u.net.retransmissions);
		put_integer(out, "bytes_received", (int64_t)event->u.net.bytes_received);
		put_integer(out, "bytes_acked", (int64_t)event->u.net.bytes_acked);
		put_integer(out, "bytes_sent", (int64_t)event->u.net.bytes_sent);
		break;
	case EVENT_START:
		put_instance(out, event->u.start.instance);
		break;
	case EVENT_OUTPUT:
		put_instance(out, event->u.output.instance);
		put_integer(out, "stream", event->u.output.stream);
		put_integer(out, "length", (int64_t)event->u.output.length);
		break;
	case EVENT_SERVER_EXIT:
		put_integer(out, "endpoint", event->u.server.endpoint);
		put_integer(out, "wait_status", event->u.server.wait_status);
		break;
	case EVENT_STARVATION:
		put_integer(out, "client_ns", event->u.starvation.client_ns);
		put_integer(out, "server_ns", event->u.starvation.server_ns);
		put_integer(out, "canary_ns", event->u.starvation.canary_ns);
		put_bool(out, "complete", !event->u.starvation.incomplete);
		break;
	case EVENT_EXIT:
		put_instance(out, event->u.exit.instance);
		put_integer(out, "wait_status", event->u.exit.wait_status);
		break;
	case EVENT_ESTABLISHED:
	case EVENT_GONE:
	case EVENT_STANDING:
	case EVENT_STOP:
	case EVENT_TIMEOUT:
	case EVENT_N_KINDS:
		break;
	}
}

static void write_event(struct strbuf *out, const struct event *event)
{
	record_write_event(event, out);
}

static void write_endpoint(struct strbuf *out, const struct record_endpoint *endpoint)
{
	char text[ADDRESS_TEXT_SIZE];

	put_text(out, "name", endpoint->name);
	put_text(out, "script", endpoint->script);
	key(out, "addresses");
	strbuf_putc(out, '[');
	for (size_t i = 0; i < endpoint->n_addresses; i++)
		strbuf_printf(out, "%s\"%s\"", i > 0 ? "," : "",
			      address_format(&endpoint->addresses[i], text));
	strbuf_putc(out, ']');
	put_text(out, "hostname", endpoint->hostname);
	put_text(out, "remote", endpoint->remote);
	put_text(out, "delays", endpoint->delays);
}

static void write_attempt(struct strbuf *out, const struct record_attempt *attempt)
{
	put_integer(out, "endpoint", attempt->endpoint);
	put_integer(out, "number", attempt->number);
	put_instance(out, attempt->instance);
	put_integer(out, "step", attempt->step);
	put_integer(out, "delay_ns", attempt->delay_ns);
	put_address(out, "client", &attempt->client);
	put_address(out, "server", &attempt->server);
	put_integer(out, "isn", attempt->isn);
	if (attempt->cookie)
		put_integer(out, "cookie", (int64_t)attempt->cookie);
}

static void write_stream(struct strbuf *out, const struct stream *stream)
{
	put_text(out, "name", stream->name);
	put_bytes(out, "head", stream->head, stream->head_length);
	put_bytes(out, "tail", stream->tail, stream->tail_length);
	put_integer(out, "total", (int64_t)stream->total);
}

static void write_problem(struct strbuf *out, const struct problem *problem)
{
	put_text(out, "message", problem->message);
	put_bool(out, "missing_capability", problem->missing_capability);
}

static void write_section(struct strbuf *out, const struct section *section)
{
	put_text(out, "title", section->title);
	put_text(out, "text", section->text);
}

/* An array of objects, each with what @write puts into it. */
#define PUT_ARRAY(out, name, items, count, write)                                                  \
	do {                                                                                       \
		key(out, name);                                                                    \
		strbuf_putc(out, '[');                                                             \
		for (size_t i_ = 0; i_ < (count); i_++) {                                          \
			strbuf_puts(out, i_ > 0 ? ",{" : "{");                                     \
			write(out, &(items)[i_]);                                                  \
			strbuf_putc(out, '}');                                                     \
		}                                                                                  \
		strbuf_putc(out, ']');                                                             \
	} while (0)

char *record_write_json(const struct record *record, size_t *ret_length)
{
	struct strbuf text = {0}, *out = &text;
	char seed[24];

	strbuf_putc(out, '{');
	put_word(out, "format", RECORD_FORMAT_NAME);
	put_integer(out, "version", RECORD_FORMAT_VERSION);
	put_text(out, "scenario", record->scenario);
	put_text(out, "path", record->path);
	/* As text: it may be beyond what JSON readers take for an integer. */
	snprintf(seed, sizeof(seed), "%" PRIu64, record->seed);
	put_word(out, "seed", seed);
	put_integer(out, "started_realtime_ns", record->started_realtime_ns);
	put_text(out, "kernel", record->kernel);
	put_text(out, "isolation", record->isolation);
	put_integer(out, "syn_retries", record->syn_retries);
	put_integer(out, "syn_linear_timeouts", record->syn_linear_timeouts);
	PUT_ARRAY(out, "endpoints", record->endpoints, record->n_endpoints, write_endpoint);
	PUT_ARRAY(out, "attempts", record->attempts, record->n_attempts, write_attempt);
	PUT_ARRAY(out, "events", record->events, record->n_events, write_event);
	PUT_ARRAY(out, "streams", record->streams, record->n_streams, write_stream);
	PUT_ARRAY(out, "problems", record->problems, record->n_problems, write_problem);
	put_integer(out, "instances", record->n_instances);
	PUT_ARRAY(out, "snapshot", record->sections, record->n_sections, write_section);
	put_bool(out, "client_started", record->client_started);
	if (record->attached)
		put_bool(out, "attached", true);
	put_bool(out, "sockets", record->has_sockets);
	put_bool(out, "client_ends", record->has_client_ends);
	put_bool(out, "starvation", record->has_starvation);
	put_integer(out, "harness_lag_ns", record->harness_lag_ns);
	put_integer(out, "client_lag_ns", record->client_lag_ns);
	put_bool(out, "complete", record->complete);
	strbuf_putc(out, '}');
	*ret_length = text.length;
	return strbuf_steal(&text);
}
