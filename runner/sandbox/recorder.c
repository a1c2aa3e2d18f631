/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills in a scenario's record: see recorder.h. */
#include "runner/sandbox/recorder.h"

#include <inttypes.h>
#include <sys/utsname.h>

#include "common/text.h"
#include "runner/sandbox/remote.h"

/* After this many, the client's writes get no events of their own. */
enum { MAX_OUTPUT_EVENTS = 10000 };
/* Writes to one stream that are closer together than this become one event. */
#define OUTPUT_MERGE_NS NS_PER_MS

void recorder_reset(struct recorder *recorder)
{
	recorder->record = record_new();
	recorder->origin_ns = clock_monotonic_ns();
	recorder->started = false;
	recorder->n_output_events = 0;
	recorder->n_dropped_attempts = 0;
}

static void report_all(const struct recorder *recorder)
{
	for (size_t i = 0; recorder->on_event && i < recorder->record->n_events; i++)
		recorder->on_event(recorder->userdata, &recorder->record->events[i]);
}

void recorder_start(struct recorder *recorder)
{
	int64_t reset_ns = recorder->origin_ns;

	recorder->origin_ns = clock_monotonic_ns();
	recorder->record->started_realtime_ns = clock_realtime_ns();
	recorder->started = true;
	for (size_t i = 0; i < recorder->record->n_events; i++)
		recorder->record->events[i].at_ns -= recorder->origin_ns - reset_ns;
	report_all(recorder);
}

int64_t recorder_now_ns(const struct recorder *recorder)
{
	return clock_monotonic_ns() - recorder->origin_ns;
}

void recorder_event(struct recorder *recorder, const struct event *event)
{
	record_add_event(recorder->record, event);
	if (recorder->on_event && recorder->started)
		recorder->on_event(recorder->userdata, event);
}

/* ---- the injector's events ---- */

/* The endpoint of an attempt that is still unknown while a later one is known. */
#define NO_ENDPOINT UINT32_MAX

/* Adds an attempt; its first event may come after one of a later attempt. */
static void add_attempt(const struct recorder *recorder, const struct attempt_info *attempt)
{
	struct record *record = recorder->record;

	while (attempt->id >= record->n_attempts)
		array_append(record->attempts, record->n_attempts, record->attempts_capacity,
			     (struct record_attempt){.endpoint = NO_ENDPOINT});
	if (record->attempts[attempt->id].endpoint != NO_ENDPOINT)
		return;
	record->attempts[attempt->id] = (struct record_attempt){
		.endpoint = attempt->endpoint,
		.number = attempt->number,
		.instance = recorder->instance_of(recorder->userdata, attempt),
		.step = attempt->step,
		.delay_ns = attempt->delay_ns,
		.client = attempt->key.client,
		.server = attempt->key.server,
		.isn = attempt->key.isn,
		.cookie = attempt->cookie,
	};
}

/* Returns whether the record has no room for the event's attempt; counts such attempts. */
static bool is_dropped(struct recorder *recorder, const struct injector_event *event)
{
	if (recorder->max_attempts == 0 || event->attempt.id < recorder->max_attempts)
		return false;
	if (event->kind != EVENT_SYN || event->net.ordinal > 1)
		return true;
	if (recorder->n_dropped_attempts++ == 0) {
		recorder->dropped_problem = recorder->record->n_problems;
		record_add_problem(recorder->record, false,
				   "more than %zu attempts: later ones are not in the record",
				   recorder->max_attempts);
		recorder->on_full(recorder->userdata);
	}
	return true;
}

void recorder_injector_event(struct recorder *recorder, const struct injector_event *source)
{
	struct event event = {
		.kind = source->kind,
		.at_ns = source->at_ns - recorder->origin_ns,
		.early_ns = source->at_ns - source->earliest_ns,
		.u.net = source->net,
	};

	if (is_dropped(recorder, source))
		return;
	event.u.net.attempt = source->attempt.id;
	if (event.kind == EVENT_CLIENT_END && event.u.net.last_receive_ns != NEVER_RECEIVED)
		event.u.net.last_receive_ns -= recorder->origin_ns;
	add_attempt(recorder, &source->attempt);
	recorder_event(recorder, &event);
}

/* ---- programs and sockets ---- */

void recorder_output(struct recorder *recorder, uint32_t stream, size_t length, int64_t early_ns)
{
	struct record *record = recorder->record;
	struct event *last = record->n_events ? &record->events[record->n_events - 1] : NULL;
	struct event event = {
		.kind = EVENT_OUTPUT,
		.at_ns = recorder_now_ns(recorder),
		.early_ns = early_ns,
		.u.output = {.stream = stream, .instance = INSTANCE_UNKNOWN, .length = length},
	};

	if (length == 0)
		return;
	if (stream < STREAMS_EACH * recorder->n_instances)
		event.u.output.instance = stream / STREAMS_EACH;
	if (last && last->kind == EVENT_OUTPUT && last->u.output.stream == stream &&
	    (event.at_ns - last->at_ns < OUTPUT_MERGE_NS ||
	     recorder->n_output_events >= MAX_OUTPUT_EVENTS)) {
		last->u.output.length += length;
	} else if (recorder->n_output_events < MAX_OUTPUT_EVENTS) {
		recorder->n_output_events++;
		recorder_event(recorder, &event);
	}
}

void recorder_still_open(struct recorder *recorder, uint32_t attempt)
{
	const struct event event = {
		.kind = EVENT_STILL_OPEN,
		.at_ns = recorder_now_ns(recorder),
		.u.net.attempt = attempt,
	};

	recorder_event(recorder, &event);
}

void recorder_orphan(struct recorder *recorder, uint32_t attempt, const struct sock_found *socket)
{
	const struct event event = {
		.kind = EVENT_ORPHANED,
		.at_ns = recorder_now_ns(recorder),
		.u.net = {.attempt = attempt,
			  .retransmissions = socket->retransmissions,
			  .bytes_received = socket->bytes_received,
			  .bytes_acked = socket->bytes_acked,
			  .bytes_sent = socket->bytes_sent},
	};

	recorder_event(recorder, &event);
}

/* ---- beginning and end ---- */

void recorder_diags(struct recorder *recorder, struct diag_list *diags)
{
	for (size_t i = 0; i < diags->n_items; i++)
		record_add_problem(recorder->record, false, "%s%s%s", diags->items[i].message,
				   diags->items[i].hint ? "; " : "",
				   diags->items[i].hint ? diags->items[i].hint : "");
	diag_list_free(diags);
}

static struct record_endpoint describe_endpoint(const struct endpoint_spec *spec,
						const struct sandbox_endpoint *endpoint)
{
	struct strbuf script = {0};

	script_format(&spec->script, &script);
	return (struct record_endpoint){
		.name = xstrdup(spec->name),
		.script = strbuf_steal(&script),
		.addresses = xmemdup(endpoint->addresses,
				     endpoint->n_addresses * sizeof(struct address)),
		.n_addresses = endpoint->n_addresses,
		.hostname = spec->hostname ? xstrdup(spec->hostname) : NULL,
		.remote = spec->remote ? remote_format(spec) : NULL,
	};
}

void recorder_describe(struct recorder *recorder, const struct scenario *scenario,
		       const struct sandbox *sandbox)
{
	struct record *record = recorder->record;
	struct utsname system;

	record->scenario = xstrdup(scenario->name);
	record->path = xstrdup(scenario->path);
	record->kernel = xstrdup(uname(&system) == 0 ? system.release : "unknown");
	record->client_lag_ns = -1;
	record->n_instances = recorder->n_instances;
	if (!sandbox->endpoints)
		return; /* the sandbox could not be planned */
	record->n_endpoints = scenario->n_endpoints;
	record->endpoints = xzalloc(scenario->n_endpoints * sizeof(*record->endpoints));
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		record->endpoints[i] =
			describe_endpoint(&scenario->endpoints[i], &sandbox->endpoints[i]);
}

void recorder_describe_delays(struct recorder *recorder, const struct sandbox *sandbox,
			      bool reinjected)
{
	struct record *record = recorder->record;

	for (size_t i = 0; i < record->n_endpoints; i++) {
		const struct sandbox_endpoint *endpoint = &sandbox->endpoints[i];
		const struct script *script = &sandbox->scenario->endpoints[i].script;
		bool delays = false;

		for (size_t k = 0; endpoint->remote && k < script->n_steps; k++)
			delays = delays || script->steps[k].action == STEP_DELAY;
		if (delays && !remote_is_here(&endpoint->addresses[0]))
			record->endpoints[i].delays = xstrdup(reinjected ? "reinjected" : "held");
	}
}

void recorder_describe_kernel(struct recorder *recorder)
{
	struct record *record = recorder->record;

	record->syn_retries = sysctls_read_number("net/ipv4/tcp_syn_retries", 6);
	record->syn_linear_timeouts = sysctls_read_number("net/ipv4/tcp_syn_linear_timeouts", 0);
}

void recorder_finish(struct recorder *recorder)
{
	struct problem *problem;

	if (recorder->n_dropped_attempts > 0) {
		problem = &recorder->record->problems[recorder->dropped_problem];
		free(problem->message);
		problem->message =
			xasprintf("the record lacks %" PRIu64 " attempt%s after the "
				  "first %zu (--max-attempts)",
				  recorder->n_dropped_attempts,
				  PLURAL(recorder->n_dropped_attempts), recorder->max_attempts);
	}
	if (!recorder->started)
		report_all(recorder);
	recorder->record->complete = true;
}
