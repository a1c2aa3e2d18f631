/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the record: the order of its events, and its JSON form in both directions. */
#include <criterion/criterion.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/random.h"
#include "runner/record/base64.h"
#include "tests/lib/record_builder.h"

TestSuite(record);

/* Everything that can be in a record. */
static struct record_builder *full_record(void)
{
	static const char bytes[] = "caf\xc3\xa9 \xff\xfe and a \0 in it";
	struct record_builder *b = record_builder_new();
	size_t one = record_builder_endpoint(b, "one", "refuse, drop, delay 100ms, accept");
	size_t two = record_builder_endpoint(b, "two", "accept");
	struct record *record = b->record;

	record->seed = UINT64_MAX;
	record->started_realtime_ns = INT64_C(1795500000123456789);
	record->harness_lag_ns = 1234567;
	record->client_lag_ns = 7654321;
	record->endpoints[two].hostname = xstrdup("two.example.test");
	record->endpoints[two].addresses =
		xrealloc(record->endpoints[two].addresses, 2 * sizeof(struct address));
	cr_assert_eq(address_parse("2001:db8::1", 443, &record->endpoints[two].addresses[1]), 0);
	record->endpoints[two].n_addresses = 2;

	record_builder_attempt_refused(b, one, -5);
	record_builder_attempt_dropped(b, one, 100, 1200);
	record_builder_attempt_connected_late(b, one, 2000, 100);
	record_builder_attempt_connected(b, two, 3000);
	record->attempts[3].server = record->endpoints[two].addresses[1];
	record->n_instances = 3;
	record->attempts[1].instance = 2;
	record->attempts[2].instance = INSTANCE_UNKNOWN;
	record->events[0].u.net.payload_length = 17;
	record->events[1].u.net.lag_ns = 4711;
	record_builder_client_writes(b, STREAM_STDOUT, 3100, "naïve\n", 7);
	record_builder_client_writes(b, STREAM_STDERR, 3200, bytes, sizeof(bytes) - 1);
	record_builder_server_exits(b, two, 3300, W_EXITCODE(0, SIGTERM));
	record_builder_times_out(b, 3400);
	record_add_event(record, &(struct event){.kind = EVENT_START,
						 .at_ns = 3450 * NS_PER_MS,
						 .u.start.instance = 1});
	record_builder_client_exits(b, 3500, 3);
	record->events[record->n_events - 1].u.exit.instance = 1;
	record_builder_still_open(b, 3, 3600);
	record->attempts[1].cookie = 4711;
	record_builder_open(b, 1, 1100, TCP_FIN_WAIT1);
	record_builder_gone(b, 1, 1110, 1120);
	record_builder_client_end(b, 3, 3001, false, NEVER_RECEIVED);
	record_builder_client_end(b, 3, 3002, true, 3001 * NS_PER_MS);
	record_builder_starved(b, 3000, 17, 0);
	record_builder_starved(b, 3700, 17, 4);
	record->events[record->n_events - 1].u.starvation.incomplete = true;
	record_builder_stops(b, 3400);
	record_builder_or_earlier(b, 200);
	record_add_problem(record, true, "no queue: %s", "load nfnetlink_queue");
	record_add_problem(record, false, "\xc3\x28 is not UTF-8");
	record->problems[record->n_problems - 1].late = true;
	record_add_section(record, "Listening", "127.0.0.2:8080\n");
	record_add_section(record, "Routes \xff", "");
	return b;
}

static void expect_same_streams(const struct record *a, const struct record *b)
{
	cr_assert_eq(a->n_streams, b->n_streams);
	for (size_t i = 0; i < a->n_streams; i++) {
		const struct stream *x = &a->streams[i], *y = &b->streams[i];

		cr_expect_str_eq(x->name, y->name);
		cr_expect_eq(x->total, y->total);
		cr_assert_eq(x->head_length, y->head_length);
		cr_assert_eq(x->tail_length, y->tail_length);
		cr_expect_eq(memcmp(x->head, y->head, x->head_length), 0);
		cr_expect_eq(memcmp(x->tail, y->tail, x->tail_length), 0);
	}
}

static void expect_same_event(const struct event *x, const struct event *y)
{
	cr_assert_eq(x->kind, y->kind);
	cr_expect_eq(x->at_ns, y->at_ns);
	cr_expect_eq(x->early_ns, y->early_ns);
	if (x->kind <= EVENT_CLOSED)
		cr_expect_eq(x->u.net.attempt, y->u.net.attempt);
	switch (x->kind) {
	case EVENT_SYN:
		cr_expect_eq(x->u.net.ordinal, y->u.net.ordinal);
		cr_expect_eq(x->u.net.payload_length, y->u.net.payload_length);
		break;
	case EVENT_VERDICT:
		cr_expect_eq(x->u.net.ordinal, y->u.net.ordinal);
		cr_expect_eq(x->u.net.verdict, y->u.net.verdict);
		cr_expect_eq(x->u.net.lag_ns, y->u.net.lag_ns);
		break;
	case EVENT_OPEN:
		cr_expect_eq(x->u.net.tcp_state, y->u.net.tcp_state);
		break;
	case EVENT_CLIENT_END:
		cr_expect(x->u.net.rst == y->u.net.rst && x->u.net.end_sent == y->u.net.end_sent &&
			  x->u.net.end_received == y->u.net.end_received &&
			  x->u.net.last_receive_ns == y->u.net.last_receive_ns);
		break;
	case EVENT_STARVATION:
		cr_expect(x->u.starvation.client_ns == y->u.starvation.client_ns &&
			  x->u.starvation.server_ns == y->u.starvation.server_ns &&
			  x->u.starvation.canary_ns == y->u.starvation.canary_ns &&
			  x->u.starvation.incomplete == y->u.starvation.incomplete);
		break;
	case EVENT_CLOSED:
		cr_expect_eq(x->u.net.retransmissions, y->u.net.retransmissions);
		break;
	case EVENT_START:
		cr_expect_eq(x->u.start.instance, y->u.start.instance);
		break;
	case EVENT_OUTPUT:
		cr_expect_eq(x->u.output.instance, y->u.output.instance);
		cr_expect_eq(x->u.output.stream, y->u.output.stream);
		cr_expect_eq(x->u.output.length, y->u.output.length);
		break;
	case EVENT_SERVER_EXIT:
		cr_expect_eq(x->u.server.endpoint, y->u.server.endpoint);
		cr_expect_eq(x->u.server.wait_status, y->u.server.wait_status);
		break;
	case EVENT_EXIT:
		cr_expect_eq(x->u.exit.instance, y->u.exit.instance);
		cr_expect_eq(x->u.exit.wait_status, y->u.exit.wait_status);
		break;
	default:
		break;
	}
}

static void expect_same(const struct record *a, const struct record *b)
{
	cr_expect_str_eq(a->scenario, b->scenario);
	cr_expect_str_eq(a->path, b->path);
	cr_expect_str_eq(a->kernel, b->kernel);
	cr_expect_str_eq(a->isolation, b->isolation);
	cr_expect_eq(a->seed, b->seed);
	cr_expect_eq(a->started_realtime_ns, b->started_realtime_ns);
	cr_expect_eq(a->syn_retries, b->syn_retries);
	cr_expect_eq(a->syn_linear_timeouts, b->syn_linear_timeouts);
	cr_expect_eq(a->n_instances, b->n_instances);
	cr_expect_eq(a->client_started, b->client_started);
	cr_expect_eq(a->has_sockets, b->has_sockets);
	cr_expect_eq(a->has_client_ends, b->has_client_ends);
	cr_expect_eq(a->has_starvation, b->has_starvation);
	cr_expect_eq(a->harness_lag_ns, b->harness_lag_ns);
	cr_expect_eq(a->client_lag_ns, b->client_lag_ns);
	cr_expect_eq(a->complete, b->complete);
	cr_assert_eq(a->n_endpoints, b->n_endpoints);
	for (size_t i = 0; i < a->n_endpoints; i++) {
		const struct record_endpoint *x = &a->endpoints[i], *y = &b->endpoints[i];

		cr_expect_str_eq(x->name, y->name);
		cr_expect_str_eq(x->script, y->script);
		cr_expect_eq(!x->hostname, !y->hostname);
		if (x->hostname && y->hostname)
			cr_expect_str_eq(x->hostname, y->hostname);
		cr_assert_eq(x->n_addresses, y->n_addresses);
		for (size_t k = 0; k < x->n_addresses; k++)
			cr_expect(address_equal(&x->addresses[k], &y->addresses[k]));
	}
	cr_assert_eq(a->n_attempts, b->n_attempts);
	for (size_t i = 0; i < a->n_attempts; i++) {
		const struct record_attempt *x = &a->attempts[i], *y = &b->attempts[i];

		cr_expect(x->endpoint == y->endpoint && x->number == y->number &&
			  x->instance == y->instance && x->step == y->step &&
			  x->delay_ns == y->delay_ns && x->isn == y->isn &&
			  x->cookie == y->cookie && address_equal(&x->client, &y->client) &&
			  address_equal(&x->server, &y->server));
	}
	cr_assert_eq(a->n_events, b->n_events);
	for (size_t i = 0; i < a->n_events; i++)
		expect_same_event(&a->events[i], &b->events[i]);
	expect_same_streams(a, b);
	cr_assert_eq(a->n_problems, b->n_problems);
	for (size_t i = 0; i < a->n_problems; i++) {
		cr_expect_str_eq(a->problems[i].message, b->problems[i].message);
		cr_expect_eq(a->problems[i].missing_capability, b->problems[i].missing_capability);
		cr_expect_eq(a->problems[i].late, b->problems[i].late);
	}
	cr_assert_eq(a->n_sections, b->n_sections);
	for (size_t i = 0; i < a->n_sections; i++) {
		cr_expect_str_eq(a->sections[i].title, b->sections[i].title);
		cr_expect_str_eq(a->sections[i].text, b->sections[i].text);
	}
}

static struct record *read_back(const struct record *record)
{
	AUTO_FREE char *message = NULL;
	size_t length;
	AUTO_FREE char *text = record_write_json(record, &length);
	struct record *again = record_read_json(text, length, &message);

	cr_assert_not_null(again, "%s in %s", message, text);
	return again;
}

Test(record, keeps_events_in_the_order_of_time)
{
	static const struct {
		int64_t at_ns;
		uint32_t id;
	} added[] = {{5, 0}, {3, 1}, {5, 2}, {4, 3}, {3, 4}, {9, 5}, {-1, 6}};
	static const uint32_t order[] = {6, 1, 4, 3, 0, 2, 5};
	AUTO_RECORD struct record *record = record_new();

	for (size_t i = 0; i < ARRAY_SIZE(added); i++)
		record_add_event(record, &(struct event){.kind = EVENT_SYN,
							 .at_ns = added[i].at_ns,
							 .u.net.attempt = added[i].id});
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		cr_expect_eq(record->events[i].u.net.attempt, order[i], "place %zu", i);
}

Test(record, record_shows_exit_and_timeout)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	cr_expect_null(record_exit(b->record));
	cr_expect_not(record_timed_out(b->record));
	record_builder_times_out(b, 10);
	cr_expect_null(record_exit(b->record));
	cr_expect(record_timed_out(b->record));
	record_builder_client_exits(b, 11, 4);
	cr_expect_eq(WEXITSTATUS(record_exit(b->record)->u.exit.wait_status), 4);
}

Test(record, reads_back_equal)
{
	AUTO_RECORD_BUILDER struct record_builder *b = full_record();
	AUTO_RECORD struct record *again = read_back(b->record);

	expect_same(b->record, again);
}

Test(record, an_empty_record_reads_back)
{
	AUTO_RECORD struct record *record = record_new();
	AUTO_RECORD struct record *again = read_back(record);

	cr_expect_null(again->scenario);
	cr_expect_eq(again->client_lag_ns, -1);
	cr_expect_not(again->complete);
}

Test(record, a_cut_stream_reads_back_equal)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t length = 3 * STREAM_KEEP;
	AUTO_FREE char *text = xmalloc(length);

	for (size_t i = 0; i < length; i++)
		text[i] = (char)random_draw(1, i, 0, 0);
	record_builder_client_writes(b, STREAM_STDERR, 1, text, length);
	AUTO_RECORD struct record *again = read_back(b->record);
	expect_same(b->record, again);
	cr_expect_eq(again->streams[STREAM_STDERR].total, length);
}

/* The JSON of the full record with the first @from replaced by @to. */
static char *tampered(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (!at)
		return NULL;
	return xasprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static const struct {
	const char *name, *from, *to, *message;
} refused[] = {
	{"no JSON", "{", "", "line 1"},
	{"an array", "{\"format\"", "[{\"format\"", "line 1"},
	{"another format", "synfault-record", "other", "\"format\""},
	{"an older version", "\"version\":2", "\"version\":1",
	 "format 1 was made by an older synfault"},
	{"a newer version", "\"version\":2", "\"version\":3",
	 "format 3 was made by a newer synfault"},
	{"an earliest time after the latest", "\"earliest_ns\":3200000000",
	 "\"earliest_ns\":3400000001", "\"earliest_ns\" is out of range"},
	{"a state that TCP has not", "\"state\":\"fin-wait-1\"", "\"state\":\"fin-wait-3\"",
	 "\"state\" is not known"},
	{"no word on cookies", "\"sockets\":true", "\"client\":true", "\"sockets\" is missing"},
	{"an unknown key", "\"version\"", "\"colour\":1,\"version\"",
	 "\"colour\" is not a known key"},
	{"a repeated key", "\"version\"", "\"version\":2,\"version\"", "duplicate"},
	{"a missing key", "\"complete\":true", "\"done\":true", "\"complete\" is missing"},
	{"seed as number", "\"18446744073709551615\"", "1", "\"seed\""},
	{"seed too large", "18446744073709551615", "18446744073709551616", "\"seed\""},
	{"seed with sign", "18446744073709551615", "-1", "\"seed\""},
	{"seed with blank", "18446744073709551615", " 1", "\"seed\""},
	{"a real number", "\"harness_lag_ns\":1234567", "\"harness_lag_ns\":1.5", "not an integer"},
	{"negative lag", "\"harness_lag_ns\":1234567", "\"harness_lag_ns\":-1", "out of range"},
	{"client lag below -1", "\"client_lag_ns\":7654321", "\"client_lag_ns\":-2",
	 "out of range"},
	{"text for a number", "\"syn_retries\":6", "\"syn_retries\":\"6\"", "not an integer"},
	{"too large for 32 bits", "\"syn_retries\":6", "\"syn_retries\":4294967296",
	 "out of range"},
	{"number for a boolean", "\"complete\":true", "\"complete\":1", "neither true"},
	{"endpoints no array", "\"endpoints\":[", "\"endpoints\":1,\"x\":[", "not a list"},
	{"endpoint no object", "\"endpoints\":[", "\"endpoints\":[7,", "not an object"},
	{"a bad address", "127.0.0.2:8080", "127.0.0.2:80800", "addresses"},
	{"an address without port", "127.0.0.2:8080", "127.0.0.2", "addresses"},
	{"an address with a signed port", "127.0.0.2:8080", "127.0.0.2:+80", "addresses"},
	{"IPv6 without brackets", "[2001:db8::1]:443", "2001:db8::1:443", "addresses"},
	{"a bracket too few", "[2001:db8::1]:443", "[2001:db8::1:443", "addresses"},
	{"IPv4 in brackets", "127.0.0.2:8080", "[127.0.0.2]:80", "addresses"},
	{"address of an attempt", "\"client\":\"127", "\"client\":\"x127",
	 "attempts[0]: \"client\""},
	{"endpoint index", "\"endpoint\":0,\"number\":1", "\"endpoint\":2,\"number\":1",
	 "attempts[0]: \"endpoint\""},
	{"no instances", "\"instances\":3", "\"instances\":0", "\"instances\""},
	{"too many instances", "\"instances\":3", "\"instances\":10001", "\"instances\""},
	{"instance of an attempt", "\"number\":1,\"instance\":0", "\"number\":1,\"instance\":3",
	 "attempts[0]: \"instance\""},
	{"negative instance", "\"number\":1,\"instance\":0", "\"number\":1,\"instance\":-2",
	 "attempts[0]: \"instance\""},
	{"an unknown instance that ends", "\"instance\":1,\"wait_status\"",
	 "\"instance\":-1,\"wait_status\"", "\"instance\""},
	{"attempt number 0", "\"number\":1", "\"number\":0", "attempts[0]: \"number\""},
	{"negative delay", "\"delay_ns\":0", "\"delay_ns\":-1", "attempts[0]: \"delay_ns\""},
	{"attempt index", "\"attempt\":0", "\"attempt\":4", "events[0]: \"attempt\""},
	{"negative index", "\"attempt\":0", "\"attempt\":-1", "events[0]: \"attempt\""},
	{"event kind", "\"kind\":\"syn\"", "\"kind\":\"sin\"", "events[0]: \"kind\""},
	{"no kind", "\"kind\":\"syn\",", "", "events[0]: \"kind\""},
	{"key of another kind", "\"kind\":\"syn\",", "\"kind\":\"syn\",\"lag_ns\":0,",
	 "events[0]: \"lag_ns\" is not a known key"},
	{"ordinal 0", "\"ordinal\":1", "\"ordinal\":0", "events[0]: \"ordinal\""},
	{"verdict", "\"verdict\":\"refuse\"", "\"verdict\":\"shrug\"", "\"verdict\""},
	{"time too large", "\"at_ns\":-5000000", "\"at_ns\":-9223372036854775808",
	 "events[0]: \"at_ns\""},
	{"time beyond 64 bits", "\"at_ns\":-5000000", "\"at_ns\":-9223372036854775809", "line 1"},
	{"order of time", "\"at_ns\":-5000000", "\"at_ns\":5000000", "earlier"},
	{"stream index", "\"stream\":0", "\"stream\":2", "\"stream\""},
	{"negative length", "\"length\":7", "\"length\":-7", "\"length\""},
	{"server index", "\"endpoint\":1,\"wait_status\"", "\"endpoint\":9,\"wait_status\"",
	 "\"endpoint\""},
	{"stopped, not ended", "\"wait_status\":768", "\"wait_status\":4991", "\"wait_status\""},
	{"negative status", "\"wait_status\":768", "\"wait_status\":-1", "\"wait_status\""},
	{"bad base64", "{\"base64\":\"Y2Fm", "{\"base64\":\"Y2F", "not base64"},
	{"base64 and more", "{\"base64\":", "{\"more\":1,\"base64\":", "not text"},
	{"NUL in a name", "\"name\":\"one\"", "\"name\":{\"base64\":\"AA==\"}", "NUL"},
	{"NUL in JSON text", "\"name\":\"one\"", "\"name\":\"o\\u0000e\"", "line 1"},
	{"a tail after half a head", "\"tail\":\"\"", "\"tail\":\"x\"", "\"tail\""},
	{"total too small", "\"total\":7", "\"total\":6", "\"total\""},
	{"total too large for a short stream", "\"total\":7", "\"total\":8", "\"total\""},
	{"a snapshot that is not a list", "\"snapshot\":[", "\"snapshot\":1,\"x\":[", "not a list"},
	{"a section without text", "\"text\":\"127", "\"test\":\"127", "snapshot[0]: \"text\""},
	{"a section without title", "\"title\":", "\"tittle\":", "snapshot[0]: \"title\""},
	{"a problem without message", "\"message\":", "\"massage\":", "\"message\""},
};

Test(record, refuses_invalid_records)
{
	AUTO_RECORD_BUILDER struct record_builder *b = full_record();
	size_t length;
	AUTO_FREE char *text = record_write_json(b->record, &length);

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		AUTO_FREE char *broken = tampered(text, refused[i].from, refused[i].to);
		AUTO_FREE char *message = NULL;
		AUTO_RECORD struct record *record = NULL;

		cr_assert_not_null(broken, "%s: nothing to replace in %s", refused[i].name, text);
		record = record_read_json(broken, strlen(broken), &message);
		cr_assert_null(record, "%s was read", refused[i].name);
		cr_assert_not_null(message);
		cr_expect(strstr(message, refused[i].message), "%s: %s", refused[i].name, message);
	}
}

Test(record, reads_a_record_without_a_snapshot)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t length;
	AUTO_FREE char *text = record_write_json(b->record, &length);
	AUTO_FREE char *with =
		tampered(text, "\"client_started\"", "\"snapshot\":[],\"client_started\"");
	AUTO_FREE char *message = NULL;
	AUTO_RECORD struct record *record = record_read_json(text, length, &message), *same = NULL;

	cr_expect_null(strstr(text, "snapshot"));
	cr_assert_not_null(with);
	same = record_read_json(with, strlen(with), &message);
	cr_assert_not_null(same, "%s", message);
	cr_assert_not_null(record, "%s", message);
	cr_expect_eq(record->n_sections, 0);
}

Test(record, refuses_every_truncation)
{
	AUTO_RECORD_BUILDER struct record_builder *b = full_record();
	size_t length;
	AUTO_FREE char *text = record_write_json(b->record, &length);

	for (size_t cut = 0; cut < length; cut++) {
		AUTO_FREE char *message = NULL;
		AUTO_FREE char *part = xmemdup(text, cut);

		cr_assert_null(record_read_json(part, cut, &message), "%zu bytes were read", cut);
		cr_assert_not_null(message);
	}
}

/* A record that can be read can be judged: every index points to something. */
Test(record, survives_random_damage)
{
	AUTO_RECORD_BUILDER struct record_builder *b = full_record();
	size_t length, n_read = 0;
	AUTO_FREE char *text = record_write_json(b->record, &length);

	for (uint64_t i = 0; i < 20000; i++) {
		AUTO_FREE char *damaged = xmemdup(text, length);
		AUTO_FREE char *message = NULL;
		AUTO_RECORD struct record *record = NULL;

		for (uint64_t k = 0; k < 1 + i % 3; k++) {
			size_t at = random_draw(7, i, k, 0) % length;

			damaged[at] = "0123456789-{}[]\",:xe"[random_draw(7, i, k, 1) % 20];
		}
		record = record_read_json(damaged, length, &message);
		if (record) {
			struct judgement judgement = judge(b->scenario, record, NULL);

			n_read++;
			judgement_free(&judgement);
		} else {
			cr_assert_not_null(message);
		}
	}
	cr_expect_gt(n_read, 100);
}

Test(record, base64_encodes_as_rfc_4648_does)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf encoded = {0}, decoded = {0};

		base64_encode(cases[i][0], strlen(cases[i][0]), &encoded);
		cr_expect_str_eq(strbuf_text(&encoded), cases[i][1]);
		cr_expect_eq(base64_decode(cases[i][1], strlen(cases[i][1]), &decoded), 0);
		cr_expect_str_eq(strbuf_text(&decoded), cases[i][0]);
	}
}

Test(record, base64_refuses_text_it_would_not_write)
{
	static const char *const cases[] = {"Z",    "Zg",   "Zg=",  "Zg===",    "====",
					    "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9v",
					    "Zm9-", "=m9v", "Zm=v"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf decoded = {0};

		cr_expect_lt(base64_decode(cases[i], strlen(cases[i]), &decoded), 0, "%s",
			     cases[i]);
	}
}
