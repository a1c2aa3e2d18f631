/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as lines for people. */
#include <criterion/criterion.h>

#include "runner/report/event_line.h"
#include "tests/lib/record_builder.h"

static void assert_line(const struct record *record, const struct event *event,
			const char *expected)
{
	AUTO_STRBUF struct strbuf line = {0};

	event_line_write(record, event, &line);
	cr_assert_str_eq(strbuf_text(&line), expected);
}

Test(event_line, says_what_happened_to_which_attempt)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse, accept");
	static const char *const expected[] = {
		"    0.000 s  api 1  SYN 1",
		"    0.000 s  api 1  SYN 1 refused by step 1",
		"    0.000 s  api 1  socket closed",
		"    2.000 s  api 2  SYN 1",
		"    2.000 s  api 2  SYN 1 let through by step 2",
		"    2.000 s  api 2  connected",
		"    4.000 s  client  exit 1",
	};
	const struct record *record;
	size_t n = 0;

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_connected(b, api, 2000);
	record_builder_client_exits(b, 4000, 1);
	record = b->record;
	for (size_t i = 0; i < record->n_events; i++) {
		AUTO_STRBUF struct strbuf line = {0};

		event_line_write(record, &record->events[i], &line);
		if (n < ARRAY_SIZE(expected) && !strcmp(strbuf_text(&line), expected[n]))
			n++;
	}
	cr_assert_eq(n, ARRAY_SIZE(expected), "missing: %s", expected[n]);
	record_builder_free(b);
}

Test(event_line, event_lines_name_the_instance_of_the_client)
{
	struct record_builder *b = record_builder_new();
	struct record *record = b->record;
	struct event event = {.kind = EVENT_EXIT, .at_ns = 1500 * INT64_C(1000000)};

	assert_line(record, &event, "    1.500 s  client  exit 0");
	record->n_instances = 2;
	event.u.exit.instance = 1;
	assert_line(record, &event, "    1.500 s  client 2  exit 0");
	event = (struct event){.kind = EVENT_OUTPUT,
			       .u.output = {.stream = 3, .instance = 1, .length = 12}};
	assert_line(record, &event, "    0.000 s  client 2  12 bytes to stderr");
	event.u.output.stream = 4;
	assert_line(record, &event, "    0.000 s  server  12 bytes to stdout");
	record_builder_free(b);
}

Test(event_line, names_retransmissions_lateness_and_fast_open)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop");
	struct event event = {.kind = EVENT_SYN, .u.net = {.ordinal = 2, .payload_length = 5}};

	record_builder_attempt_refused(b, api, 0);
	assert_line(b->record, &event,
		    "    0.000 s  api 1  SYN 2, retransmitted by the kernel with 5 bytes (Fast "
		    "Open)");
	event = (struct event){
		.kind = EVENT_VERDICT,
		.u.net = {.ordinal = 2, .verdict = VERDICT_DROP, .lag_ns = 3 * INT64_C(1000000)}};
	assert_line(b->record, &event,
		    "    0.000 s  api 1  SYN 2 dropped by step 1, late by 3.00 ms");
	record_builder_free(b);
}

Test(event_line, says_how_late_a_fault_was_and_which_outage_it_belongs_to)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "pause 1s");
	struct event event = {.kind = EVENT_FAULT,
			      .u.net = {.fault = FAULT_HEALED,
					.bytes = 50,
					.outage = 1,
					.late_ns = 880 * INT64_C(1000)}};

	record_builder_attempt_connected(b, api, 0);
	assert_line(b->record, &event,
		    "    0.000 s  api 1  healed after 50 bytes, 880 us late (step 1)");
	event.u.net.fault = FAULT_DELAYED;
	event.u.net.outage = 0;
	event.u.net.late_ns = 68400 * INT64_C(1000);
	assert_line(b->record, &event,
		    "    0.000 s  api 1  delayed after 50 bytes, packets 68.4 ms late in all");
	record_builder_free(b);
}

/* Returns whether it is news that packets are late by @ms after they were by @before_ms. */
static bool is_news(int64_t before_ms, int64_t ms, uint32_t attempt)
{
	struct event events[] = {
		{.kind = EVENT_FAULT,
		 .u.net = {.fault = FAULT_DELAYED, .late_ns = before_ms * NS_PER_MS}},
		{.kind = EVENT_FAULT,
		 .u.net = {.fault = FAULT_DELAYED, .attempt = attempt, .late_ns = ms * NS_PER_MS}},
	};
	const struct record record = {.events = events, .n_events = 2};

	return event_line_is_news(&record, &events[1]);
}

Test(event_line, that_packets_are_late_is_news_when_it_has_doubled)
{
	const struct event other = {.kind = EVENT_FAULT, .u.net.fault = FAULT_STALLED};

	cr_expect(is_news(0, 1, 0));
	cr_expect(is_news(1, 2, 0));
	cr_expect_not(is_news(2, 3, 0));
	cr_expect(is_news(3, 4, 0));
	cr_expect_not(is_news(64, 127, 0));
	cr_expect(is_news(64, 128, 0));
	cr_expect(is_news(64, 65, 1), "of another attempt");
	cr_expect(event_line_is_news(&(struct record){0}, &other));
}

Test(event_line, an_event_of_an_unknown_attempt_is_skipped)
{
	struct record_builder *b = record_builder_new();
	struct event event = {.kind = EVENT_SYN, .u.net = {.attempt = 7}};

	assert_line(b->record, &event, "    0.000 s  ");
	record_builder_free(b);
}

/* An endpoint with an address of each family. */
static size_t add_dual_stack(struct record_builder *b, const char *script)
{
	size_t api = record_builder_endpoint(b, "api", script);
	struct record_endpoint *endpoint = &b->record->endpoints[api];

	endpoint->addresses = xrealloc(endpoint->addresses, 2 * sizeof(struct address));
	cr_assert_eq(address_parse("2001:db8::1", 8080, &endpoint->addresses[1]), 0);
	endpoint->n_addresses = 2;
	return api;
}

Test(event_line, names_the_address_of_a_first_syn_where_an_endpoint_has_several)
{
	struct record_builder *b = record_builder_new();
	size_t api = add_dual_stack(b, "drop");
	struct event event = {.kind = EVENT_SYN, .u.net = {.ordinal = 1, .payload_length = 1}};

	record_builder_attempt_refused(b, api, 0);
	assert_line(b->record, &event,
		    "    0.000 s  api 1  SYN 1 to 127.0.0.2 with 1 byte (Fast Open)");
	event.u.net.ordinal = 2;
	event.u.net.payload_length = 0;
	assert_line(b->record, &event, "    0.000 s  api 1  SYN 2, retransmitted by the kernel");
	record_builder_free(b);
}
