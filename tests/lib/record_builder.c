/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See record_builder.h. */
#include <sys/wait.h>

#include "injector/step_text.h"
#include "tests/lib/record_builder.h"

#define FIRST_LINE 101

static void add_stream(struct record *record, const char *name)
{
	record->streams =
		xrealloc(record->streams, (record->n_streams + 1) * sizeof(struct stream));
	record->streams[record->n_streams++] =
		(struct stream){.name = xstrdup(name), .head = xstrdup(""), .tail = xstrdup("")};
}

struct record_builder *record_builder_new(void)
{
	struct record_builder *builder = xzalloc(sizeof(*builder));
	struct scenario *scenario = xzalloc(sizeof(*scenario));
	struct record *record = record_new();

	scenario->path = xstrdup("test.yaml");
	scenario->name = xstrdup("a test");
	scenario->place = (struct place){scenario->path, 1, 7, 6};
	scenario->tags = xzalloc(sizeof(*scenario->tags));
	scenario->timeout_ns = 30 * NS_PER_S;
	scenario->client.command = xzalloc(2 * sizeof(*scenario->client.command));
	scenario->client.command[0] = xstrdup("client");

	record->scenario = xstrdup("a test");
	record->path = xstrdup("test.yaml");
	record->seed = 1;
	record->kernel = xstrdup("6.18.0");
	record->isolation = xstrdup("private");
	record->syn_retries = 6;
	record->syn_linear_timeouts = 4;
	record->client_started = record->complete = true;
	record->has_sockets = record->has_client_ends = record->has_starvation = true;
	add_stream(record, "stdout");
	add_stream(record, "stderr");
	*builder =
		(struct record_builder){.scenario = scenario, .record = record, .next_port = 40000};
	return builder;
}

void record_builder_free(struct record_builder *builder)
{
	if (!builder)
		return;
	scenario_free(builder->scenario);
	record_free(builder->record);
	free(builder);
}

void record_builder_freep(struct record_builder **builder)
{
	record_builder_free(*builder);
}

static void add_event(struct record_builder *builder, int64_t at_ms, struct event event)
{
	event.at_ns = at_ms * NS_PER_MS;
	builder->last_ms = at_ms;
	builder->last_kind = event.kind;
	record_add_event(builder->record, &event);
}

void record_builder_or_earlier(struct record_builder *builder, int64_t by_ms)
{
	struct record *record = builder->record;

	for (size_t i = record->n_events; i-- > 0;)
		if (record->events[i].kind == builder->last_kind &&
		    record->events[i].at_ns == builder->last_ms * NS_PER_MS) {
			record->events[i].early_ns = by_ms * NS_PER_MS;
			return;
		}
}

static void parse_script(const char *text, struct script *script)
{
	AUTO_FREE char *instance = xstrdup(text);
	char *rest = instance, *word;

	while ((word = strsep(&rest, ","))) {
		struct step_error error;
		struct step step;

		if (step_parse(word + strspn(word, " "), &step, &error) < 0)
			abort();
		script_append(script, &step);
	}
}

size_t record_builder_endpoint(struct record_builder *builder, const char *name, const char *script)
{
	struct scenario *scenario = builder->scenario;
	struct record *record = builder->record;
	size_t index = scenario->n_endpoints;
	struct endpoint_spec spec = {
		.name = xstrdup(name),
		.place = {scenario->path, (unsigned)(10 * (index + 1)), 3, 3},
		.n_families = 1,
		.serve = SERVE_HTTP,
	};
	struct record_endpoint endpoint = {.name = xstrdup(name), .n_addresses = 1};
	struct strbuf text = {0};
	char address[32];

	parse_script(script, &spec.script);
	spec.step_places = xzalloc(spec.script.n_steps * sizeof(*spec.step_places));
	for (size_t i = 0; i < spec.script.n_steps; i++)
		spec.step_places[i] = (struct place){scenario->path, spec.place.line + 1,
						     (unsigned)(10 * (i + 1)), 5};
	script_format(&spec.script, &text);
	endpoint.script = strbuf_steal(&text);
	endpoint.addresses = xzalloc(sizeof(*endpoint.addresses));
	snprintf(address, sizeof(address), "127.0.0.%zu", index + 2);
	if (address_parse(address, 8080, &endpoint.addresses[0]) < 0)
		abort();

	scenario->endpoints =
		xrealloc(scenario->endpoints, (index + 1) * sizeof(*scenario->endpoints));
	scenario->endpoints[scenario->n_endpoints++] = spec;
	record->endpoints = xrealloc(record->endpoints, (index + 1) * sizeof(*record->endpoints));
	record->endpoints[record->n_endpoints++] = endpoint;
	return index;
}

uint32_t record_builder_attempt(struct record_builder *builder, size_t endpoint)
{
	const struct script *script = &builder->scenario->endpoints[endpoint].script;
	struct record *record = builder->record;
	struct record_attempt attempt = {
		.endpoint = (uint32_t)endpoint,
		.number = 1,
		.server = record->endpoints[endpoint].addresses[0],
		.isn = (uint32_t)(record->n_attempts * 2654435761u),
	};

	for (size_t i = 0; i < record->n_attempts; i++)
		if (record->attempts[i].endpoint == endpoint)
			attempt.number++;
	attempt.step = (uint32_t)script_step_index(script, attempt.number);
	attempt.delay_ns = script->steps[attempt.step].delay_min_ns;
	attempt.client = attempt.server;
	attempt.client.port = builder->next_port;
	builder->next_port = builder->next_port == UINT16_MAX ? 40000 : builder->next_port + 1;
	array_append(record->attempts, record->n_attempts, record->attempts_capacity, attempt);
	return (uint32_t)(record->n_attempts - 1);
}

void record_builder_syn(struct record_builder *builder, uint32_t id, uint32_t ordinal,
			int64_t at_ms)
{
	add_event(builder, at_ms,
		  (struct event){.kind = EVENT_SYN, .u.net = {.attempt = id, .ordinal = ordinal}});
}

void record_builder_verdict(struct record_builder *builder, uint32_t id, uint32_t ordinal,
			    enum verdict_kind verdict, int64_t at_ms)
{
	add_event(builder, at_ms,
		  (struct event){.kind = EVENT_VERDICT,
				 .u.net = {.attempt = id, .ordinal = ordinal, .verdict = verdict}});
}

void record_builder_established(struct record_builder *builder, uint32_t id, int64_t at_ms)
{
	add_event(builder, at_ms, (struct event){.kind = EVENT_ESTABLISHED, .u.net.attempt = id});
}

void record_builder_still_open(struct record_builder *builder, uint32_t id, int64_t at_ms)
{
	add_event(builder, at_ms, (struct event){.kind = EVENT_STILL_OPEN, .u.net.attempt = id});
}

void record_builder_open(struct record_builder *builder, uint32_t id, int64_t at_ms, uint8_t state)
{
	add_event(builder, at_ms,
		  (struct event){.kind = EVENT_OPEN, .u.net = {.attempt = id, .tcp_state = state}});
}

void record_builder_gone(struct record_builder *builder, uint32_t id, int64_t seen_ms,
			 int64_t missed_ms)
{
	add_event(builder, missed_ms,
		  (struct event){.kind = EVENT_GONE,
				 .early_ns = (missed_ms - seen_ms) * NS_PER_MS,
				 .u.net.attempt = id});
}

void record_builder_client_end(struct record_builder *builder, uint32_t id, int64_t at_ms, bool rst,
			       int64_t last_receive_ns)
{
	add_event(
		builder, at_ms,
		(struct event){
			.kind = EVENT_CLIENT_END,
			.u.net = {.attempt = id, .rst = rst, .last_receive_ns = last_receive_ns}});
}

void record_builder_starved(struct record_builder *builder, int64_t at_ms, int64_t client_ms,
			    int64_t server_ms)
{
	add_event(builder, at_ms,
		  (struct event){.kind = EVENT_STARVATION,
				 .u.starvation = {.client_ns = client_ms * NS_PER_MS,
						  .server_ns = server_ms * NS_PER_MS}});
}

void record_builder_closed(struct record_builder *builder, uint32_t id, int64_t at_ms,
			   uint32_t retransmissions)
{
	add_event(builder, at_ms,
		  (struct event){.kind = EVENT_CLOSED,
				 .u.net = {.attempt = id, .retransmissions = retransmissions}});
}

uint32_t record_builder_attempt_refused_late(struct record_builder *builder, size_t endpoint,
					     int64_t at_ms, int64_t delay_ms)
{
	uint32_t id = record_builder_attempt(builder, endpoint);

	record_builder_syn(builder, id, 1, at_ms);
	record_builder_verdict(builder, id, 1, VERDICT_REFUSE, at_ms + delay_ms);
	record_builder_closed(builder, id, at_ms + delay_ms, 0);
	return id;
}

uint32_t record_builder_attempt_refused(struct record_builder *builder, size_t endpoint,
					int64_t at_ms)
{
	return record_builder_attempt_refused_late(builder, endpoint, at_ms, 0);
}

uint32_t record_builder_attempt_connected_late(struct record_builder *builder, size_t endpoint,
					       int64_t at_ms, int64_t delay_ms)
{
	uint32_t id = record_builder_attempt(builder, endpoint);

	record_builder_syn(builder, id, 1, at_ms);
	record_builder_verdict(builder, id, 1, VERDICT_ACCEPT, at_ms + delay_ms);
	record_builder_established(builder, id, at_ms + delay_ms);
	record_builder_closed(builder, id, at_ms + delay_ms + 1, 0);
	return id;
}

uint32_t record_builder_attempt_connected(struct record_builder *builder, size_t endpoint,
					  int64_t at_ms)
{
	return record_builder_attempt_connected_late(builder, endpoint, at_ms, 0);
}

uint32_t record_builder_attempt_dropped(struct record_builder *builder, size_t endpoint,
					int64_t at_ms, int64_t closed_ms)
{
	uint32_t id = record_builder_attempt(builder, endpoint);
	uint32_t syns = 0;

	for (int64_t syn_ms = at_ms; syns == 0 || syn_ms < closed_ms; syn_ms += 1000) {
		record_builder_syn(builder, id, ++syns, syn_ms);
		record_builder_verdict(builder, id, syns, VERDICT_DROP, syn_ms);
	}
	record_builder_closed(builder, id, closed_ms, syns - 1);
	return id;
}

uint32_t record_builder_attempt_lost(struct record_builder *builder, size_t endpoint, int64_t at_ms,
				     uint32_t n_lost)
{
	uint32_t id = record_builder_attempt(builder, endpoint);

	for (uint32_t i = 0; i <= n_lost; i++) {
		record_builder_syn(builder, id, i + 1, at_ms + 1000 * i);
		record_builder_verdict(builder, id, i + 1,
				       i < n_lost ? VERDICT_DROP : VERDICT_ACCEPT,
				       at_ms + 1000 * i);
	}
	record_builder_established(builder, id, at_ms + 1000 * n_lost);
	record_builder_closed(builder, id, at_ms + 1000 * n_lost + 1, n_lost);
	return id;
}

uint32_t record_builder_attempt_left_open(struct record_builder *builder, size_t endpoint,
					  int64_t at_ms)
{
	uint32_t id = record_builder_attempt(builder, endpoint);

	record_builder_syn(builder, id, 1, at_ms);
	record_builder_verdict(builder, id, 1, VERDICT_DROP, at_ms);
	return id;
}

uint32_t record_builder_attempt_rejected(struct record_builder *builder, size_t endpoint,
					 int64_t at_ms, int64_t closed_ms)
{
	uint32_t id = record_builder_attempt(builder, endpoint);

	record_builder_syn(builder, id, 1, at_ms);
	record_builder_verdict(builder, id, 1, VERDICT_ACCEPT, at_ms);
	record_builder_closed(builder, id, closed_ms, 0);
	return id;
}

void record_builder_client_writes(struct record_builder *builder, uint32_t stream, int64_t at_ms,
				  const char *text, size_t length)
{
	struct stream *kept = &builder->record->streams[stream];
	struct stream_writer *writer = stream_writer_new(kept->name);
	uint64_t total = kept->total;

	/* The kept bytes are in place already; only the total has to be corrected. */
	stream_writer_add(writer, kept->head, kept->head_length);
	stream_writer_add(writer, kept->tail, kept->tail_length);
	stream_writer_add(writer, text, length);
	free(kept->name);
	free(kept->head);
	free(kept->tail);
	stream_writer_finish(writer, kept);
	kept->total = total + length;
	record_add_event(builder->record,
			 &(struct event){.kind = EVENT_OUTPUT,
					 .at_ns = at_ms * NS_PER_MS,
					 .u.output = {.stream = stream, .length = length}});
}

static void add_exit(struct record_builder *builder, int64_t at_ms, int wait_status)
{
	add_event(builder, at_ms,
		  (struct event){.kind = EVENT_EXIT, .u.exit.wait_status = wait_status});
}

void record_builder_client_exits(struct record_builder *builder, int64_t at_ms, int code)
{
	add_exit(builder, at_ms, W_EXITCODE(code, 0));
}

void record_builder_client_killed(struct record_builder *builder, int64_t at_ms, int signal)
{
	add_exit(builder, at_ms, W_EXITCODE(0, signal));
}

void record_builder_server_exits(struct record_builder *builder, size_t endpoint, int64_t at_ms,
				 int wait_status)
{
	record_add_event(builder->record,
			 &(struct event){.kind = EVENT_SERVER_EXIT,
					 .at_ns = at_ms * NS_PER_MS,
					 .u.server = {.endpoint = (uint32_t)endpoint,
						      .wait_status = wait_status}});
}

void record_builder_stops(struct record_builder *builder, int64_t at_ms)
{
	add_event(builder, at_ms, (struct event){.kind = EVENT_STOP});
}

void record_builder_times_out(struct record_builder *builder, int64_t at_ms)
{
	add_event(builder, at_ms, (struct event){.kind = EVENT_TIMEOUT});
}

struct expectation *record_builder_expect(struct record_builder *builder,
					  enum expectation_kind kind, size_t endpoint)
{
	struct scenario *scenario = builder->scenario;
	size_t count = scenario->n_expectations;

	scenario->expectations =
		xrealloc(scenario->expectations, (count + 1) * sizeof(*scenario->expectations));
	scenario->expectations[count] = (struct expectation){
		.kind = kind,
		.place = {scenario->path, FIRST_LINE + (unsigned)count, 5, 4},
		.endpoint = endpoint,
		.tolerance = TOLERANCE_DEFAULT,
	};
	return &scenario->expectations[scenario->n_expectations++];
}

void record_builder_expect_exit(struct record_builder *builder, int code)
{
	struct expectation *expectation =
		record_builder_expect(builder, EXPECT_EXIT, ALL_ENDPOINTS);

	expectation->value.exit.codes = xmemdup(&code, sizeof(code));
	expectation->value.exit.n_codes = 1;
}

void record_builder_expect_attempts(struct record_builder *builder, size_t endpoint, int64_t low,
				    int64_t high)
{
	struct expectation *expectation = record_builder_expect(builder, EXPECT_ATTEMPTS, endpoint);

	expectation->value.range.range = (struct range){low, high};
	expectation->value.range.exact = low == high;
}

struct expectation *record_builder_expect_fixed(struct record_builder *builder,
						enum expectation_kind kind, size_t endpoint,
						int64_t wait_ms)
{
	struct expectation *expectation = record_builder_expect(builder, kind, endpoint);

	expectation->value.policy = (struct policy){.kind = POLICY_FIXED,
						    .base_ns = wait_ms * NS_PER_MS,
						    .factor = 1,
						    .cap_ns = INT64_MAX};
	expectation->tolerance = (struct tolerance){.absolute_ns = 200 * NS_PER_MS};
	return expectation;
}

struct expectation *record_builder_expect_list(struct record_builder *builder,
					       enum expectation_kind kind, size_t endpoint, ...)
{
	struct expectation *expectation = record_builder_expect(builder, kind, endpoint);
	struct policy *policy = &expectation->value.policy;
	size_t capacity = 0;
	va_list arguments;

	policy->kind = POLICY_LIST;
	va_start(arguments, endpoint);
	for (int wait_ms; (wait_ms = va_arg(arguments, int)) >= 0;) {
		int64_t wait_ns = wait_ms * NS_PER_MS;

		array_append(policy->list, policy->n_list, capacity,
			     (struct range){wait_ns, wait_ns});
	}
	va_end(arguments);
	expectation->tolerance = (struct tolerance){.absolute_ns = 200 * NS_PER_MS};
	return expectation;
}

void record_builder_expect_text(struct record_builder *builder, enum expectation_kind kind,
				bool negated, enum text_match_kind match, const char *text)
{
	struct expectation *expectation = record_builder_expect(builder, kind, ALL_ENDPOINTS);

	expectation->value.text.negated = negated;
	expectation->value.text.match = match;
	expectation->value.text.text = xstrdup(text);
}

struct judgement record_builder_judge(const struct record_builder *builder)
{
	struct judge_options options = {.timing_scale = 1};

	return judge(builder->scenario, builder->record, &options);
}
