/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timeline: what a reader finds in it, and that it keeps to its width for every record.
 */
#include <criterion/criterion.h>
#include <signal.h>

#include "common/text.h"
#include "runner/report/attempt_table.h"
#include "tests/lib/record_builder.h"

static const struct attempt_table_style plain = {.columns = 0};

/* The timeline as judged; owned by the caller. */
static char *format(struct record_builder *builder, const struct attempt_table_style *style)
{
	struct judgement judgement = record_builder_judge(builder);
	struct strbuf out = {0};

	attempt_table_format(builder->scenario, builder->record, &judgement, style, &out);
	judgement_free(&judgement);
	return strbuf_steal(&out);
}

static void assert_contains(const char *text, const char *part)
{
	cr_assert(strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	cr_assert_not(strstr(text, part), "\"%s\" is in:\n%s", part, text);
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

/* Returns the line that holds @part, owned by the caller. */
static char *line_with(const char *text, const char *part)
{
	const char *found = strstr(text, part), *start = found;

	cr_assert(found, "\"%s\" is not in:\n%s", part, text);
	while (start > text && start[-1] != '\n')
		start--;
	return xstrndup(start, strcspn(start, "\n"));
}

Test(attempt_table, shows_every_attempt_and_its_end)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse x2, delay 300ms, accept");
	AUTO_FREE char *text = NULL;

	record_builder_attempt_refused_late(b, api, 21, 1);
	record_builder_attempt_refused_late(b, api, 2024, 1);
	record_builder_attempt_connected_late(b, api, 4025, 300);
	record_builder_client_exits(b, 9020, 1);
	address_parse("127.0.0.1", 8080, &b->record->endpoints[api].addresses[0]);
	text = format(b, &(struct attempt_table_style){.columns = 79});
	cr_assert_str_eq(
		text,
		"a test                                                                   9.02 s\n"
		"  api at 127.0.0.1:8080: refuse x2, delay 300ms, accept\n"
		"  #       at  step  fault         SYNs  ended                   backoff\n"
		"  1  0.021 s     1  refuse        1     refused after 1.00 ms\n"
		"  2  2.024 s     1  refuse        1     refused after 1.00 ms    2.00 s\n"
		"  3  4.025 s     2  delay 300 ms  1     connected after 300 ms   2.00 s\n"
		"  exit 1 at 9.02 s\n");
}

Test(attempt_table, says_how_each_attempt_ended)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop");
	AUTO_FREE char *text = NULL;
	static const struct {
		const char *number, *syns, *ended;
	} cases[] = {
		{"  1  ", "  1  ", "refused after 0"},
		{"  2  ", "  1  ", "connected after 0"},
		{"  3  ", "  1+2 rtx  ", "gave up after 2.50 s"},
		{"  4  ", "  1+1 rtx  ", "connected after 1.00 s"},
		{"  5  ", "  1  ", "no listener"},
		{"  6  ", "  1  ", "still open"},
	};

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_connected(b, api, 1000);
	record_builder_attempt_dropped(b, api, 2000, 4500);
	record_builder_attempt_lost(b, api, 10000, 1);
	record_builder_attempt_rejected(b, api, 20000, 20001);
	record_builder_attempt_left_open(b, api, 21000);
	record_builder_client_exits(b, 22000, 0);
	text = format(b, &plain);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *start = xasprintf("\n%s", cases[i].number);
		AUTO_FREE char *line = line_with(strstr(text, start) + 1, cases[i].number);

		cr_assert(strstr(line + 3, cases[i].syns), "case %zu: %s", i, line);
		cr_assert(strstr(line, cases[i].ended), "case %zu: %s", i, line);
	}
}

Test(attempt_table, shows_the_delay_that_was_drawn)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "delay 100ms..900ms then refuse");
	AUTO_FREE char *text = NULL;
	uint32_t id;

	id = record_builder_attempt_refused_late(b, api, 0, 456);
	b->record->attempts[id].delay_ns = 456 * NS_PER_MS;
	record_builder_client_exits(b, 500, 1);
	text = format(b, &plain);
	assert_contains(text, " delay 456 ms then refuse ");
	assert_contains(text, "refused after 456 ms");
}

Test(attempt_table, says_how_the_client_ended)
{
	static const struct {
		const char *name;
		int timeout_ms, signal, code; /* 0: none */
		const char *expected;
	} cases[] = {
		{"status", 0, 0, 7, "  exit 7 at 1.00 s\n"},
		{"signal", 0, SIGSEGV, 0, "  killed by SIGSEGV at 1.00 s\n"},
		{"other signal", 0, 40, 0, "  killed by signal 40 at 1.00 s\n"},
		{"timeout", 900, SIGKILL, 0, "  timeout at 900 ms: killed by SIGKILL at 1.00 s\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		AUTO_FREE char *text = NULL;

		record_builder_endpoint(b, "api", "accept");
		if (cases[i].timeout_ms)
			record_builder_times_out(b, cases[i].timeout_ms);
		if (cases[i].signal)
			record_builder_client_killed(b, 1000, cases[i].signal);
		else
			record_builder_client_exits(b, 1000, cases[i].code);
		text = format(b, &plain);
		cr_assert(strstr(text, cases[i].expected), "%s:\n%s", cases[i].name, text);
		cr_assert(strstr(text, "no attempts"), "%s:\n%s", cases[i].name, text);
	}
}

Test(attempt_table, says_when_the_client_never_started_or_ended)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	AUTO_FREE char *running = NULL, *never = NULL;

	record_builder_endpoint(b, "api", "accept");
	running = format(b, &plain);
	assert_contains(running, "the client's end was not seen");
	b->record->client_started = false;
	never = format(b, &plain);
	assert_contains(never, "no start of the client is on record");
	assert_lacks(never, "no attempts");
}

Test(attempt_table, says_that_a_server_ended)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");
	AUTO_FREE char *text = NULL;

	record_builder_server_exits(b, api, 250, 3 << 8);
	record_builder_client_exits(b, 1000, 1);
	text = format(b, &plain);
	assert_contains(text, "  server of api ended: exit 3 at 250 ms\n");
}

Test(attempt_table, table_shows_how_connections_ended)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "stall after 1 KB");
	AUTO_FREE char *wide = NULL, *narrow = NULL;

	record_add_event(b->record,
			 &(struct event){.kind = EVENT_FAULT,
					 .at_ns = NS_PER_S,
					 .u.net = {.attempt = record_builder_attempt_connected_late(
							   b, api, 0, 300),
						   .fault = FAULT_STALLED,
						   .bytes = 1000}});
	record_builder_client_exits(b, 2000, 1);
	wide = format(b, &(struct attempt_table_style){.columns = 100});
	assert_contains(wide, "connected after 300 ms, then stalled");
	narrow = format(b, &plain);
	assert_contains(narrow, "connected, stalled");
}

Test(attempt_table, table_shows_how_late_the_harness_was)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	AUTO_FREE char *text = NULL;

	record_builder_endpoint(b, "api", "accept");
	record_builder_client_exits(b, 1000, 0);
	b->record->harness_lag_ns = 12 * NS_PER_MS;
	text = format(b, &plain);
	assert_contains(text, "exit 0 at 1.00 s; synfault's lag: at most 12.0 ms\n");
}

Test(attempt_table, marks_the_attempt_that_broke_a_rule)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	AUTO_FREE char *text = NULL, *ascii = NULL, *line = NULL;

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_refused(b, api, 2000);
	record_builder_attempt_refused(b, api, 3030);
	record_builder_client_exits(b, 4000, 1);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	text = format(b, &plain);
	line = line_with(text, "✗");
	assert_contains(line, "  3  3.030 s  ");
	assert_contains(line, "1.03 s ✗");
	cr_assert_null(strstr(strstr(text, "✗") + 1, "✗"), "more than one mark:\n%s", text);
	ascii = format(b, &(struct attempt_table_style){.ascii = true});
	assert_contains(ascii, "1.03 s x\n");
}

Test(attempt_table, interleaves_endpoints_in_the_order_of_their_attempts)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t primary = record_builder_endpoint(b, "primary", "refuse");
	size_t replica = record_builder_endpoint(b, "replica", "refuse");
	static const char *const rows[] = {"primary 1", "replica 1", "primary 2", "replica 2"};
	AUTO_FREE char *text = NULL;
	const char *at;

	record_builder_attempt_refused(b, primary, 0);
	record_builder_attempt_refused(b, replica, 100);
	record_builder_attempt_refused(b, primary, 1000);
	record_builder_attempt_refused(b, replica, 1100);
	record_builder_client_exits(b, 1200, 1);
	text = format(b, &plain);
	at = text;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		at = strstr(at, rows[i]);
		cr_assert(at, "\"%s\" is missing or out of order:\n%s", rows[i], text);
	}
}

/* Two instances take turns: the backoff is that of the instance that made the attempt. */
Test(attempt_table, measures_backoff_of_each_instance_on_its_own)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	AUTO_FREE char *text = NULL, *line = NULL;
	struct strbuf out = {0};

	b->record->n_instances = 2;
	for (int i = 0; i < 4; i++) {
		record_builder_attempt_refused(b, api, 100 + 100 * i);
		b->record->attempts[i].instance = (uint32_t)i % 2;
	}
	b->record->attempts[3].instance = INSTANCE_UNKNOWN;
	attempt_table_format(b->scenario, b->record, NULL, &plain, &out);
	text = strbuf_steal(&out);
	line = line_with(text, "  2  ");
	cr_expect(!strstr(line, "ms"), "a wait in %s", line);
	free(line);
	line = line_with(text, "  3  ");
	cr_expect(!strcmp(line + strlen(line) - 7, " 200 ms"), "%s", line);
	free(line);
	line = line_with(text, "  4  ");
	cr_expect(!strstr(line, "ms"), "a wait in %s", line);
}

Test(attempt_table, shows_as_many_addresses_as_fit)
{
	static const struct {
		int n;
		const char *line;
	} cases[] = {
		{2, "api at 127.0.0.2:1024, 127.0.0.3:1024: refuse"},
		{4,
		 "api at 127.0.0.2:1024, 127.0.0.3:1024, 127.0.0.4:1024, 127.0.0.5:1024: refuse"},
		{6, "api at 127.0.0.2:1024, 127.0.0.3:1024, 127.0.0.4:1024 and 3 more: refuse"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse");
		struct record_endpoint *endpoint = &b->record->endpoints[api];
		AUTO_FREE char *text = NULL;
		struct strbuf out = {0};

		free(endpoint->addresses);
		endpoint->addresses = xzalloc(6 * sizeof(*endpoint->addresses));
		endpoint->n_addresses = (size_t)cases[i].n;
		for (int k = 0; k < cases[i].n; k++)
			endpoint->addresses[k] =
				(struct address){AF_INET, 1024, {127, 0, 0, (uint8_t)(2 + k)}};
		attempt_table_format(b->scenario, b->record, NULL, &plain, &out);
		text = strbuf_steal(&out);
		cr_expect(strstr(text, cases[i].line), "%s:\n%s", cases[i].line, text);
	}
}

Test(attempt_table, table_shows_sockets_that_outlive_the_client)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");
	AUTO_FREE char *text = NULL;
	struct strbuf out = {0};

	for (int i = 0; i < 5; i++)
		record_builder_attempt_connected(b, api, 100 * i);
	record_builder_client_exits(b, 1000, 0);
	for (uint32_t id = 1; id < 5; id++)
		record_builder_still_open(b, id, 1100);
	record_builder_still_open(b, 1, 2000);
	attempt_table_format(b->scenario, b->record, NULL, &plain, &out);
	text = strbuf_steal(&out);
	cr_expect(!strstr(text, "socket of attempt 1 "), "%s", text);
	cr_expect(strstr(text, "socket of attempt 2 was still open 1.00 s after the client's end"),
		  "%s", text);
	cr_expect(strstr(text, "socket of attempt 3 was still open 100 ms after"), "%s", text);
	cr_expect(strstr(text, "and 1 more"), "%s", text);
}

Test(attempt_table, measures_backoff_as_it_is_judged)
{
	static const struct {
		const char *name;
		bool expected; /* whether there is an expectation */
		enum expectation_kind kind;
		bool all;
		const char *third; /* what the row of the third attempt ends in */
		const char *heading;
	} cases[] = {
		{"nothing expected", false, 0, true, " 899 ms", "backoff"},
		{"waits of all", true, EXPECT_BACKOFF, true, " 899 ms", "backoff"},
		{"waits at the endpoint", true, EXPECT_BACKOFF, false, " 990 ms", "backoff"},
		{"intervals of all", true, EXPECT_ATTEMPT_DELAY, true, " 900 ms", "attempt delay"},
		{"intervals at the endpoint", true, EXPECT_ATTEMPT_DELAY, false, " 1.00 s",
		 "backoff"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t one = record_builder_endpoint(b, "one", "refuse");
		size_t two = record_builder_endpoint(b, "two", "refuse");
		AUTO_FREE char *text = NULL, *line = NULL;
		struct strbuf out = {0};

		record_builder_attempt_refused_late(b, one, 0, 10);
		record_builder_attempt_refused_late(b, two, 100, 1);
		record_builder_attempt_refused_late(b, one, 1000, 10);
		record_builder_client_exits(b, 1200, 1);
		if (cases[i].expected)
			record_builder_expect_fixed(b, cases[i].kind,
						    cases[i].all ? ALL_ENDPOINTS : one, 500);
		attempt_table_format(b->scenario, b->record, NULL, &plain, &out);
		text = strbuf_steal(&out);
		line = line_with(strstr(text, "\n  3  ") + 1, "one 2");
		cr_assert(!strcmp(line + strlen(line) - strlen(cases[i].third), cases[i].third),
			  "%s: \"%s\" at the end of %s", cases[i].name, cases[i].third, line);
		cr_assert(strstr(text, cases[i].heading), "%s:\n%s", cases[i].name, text);
	}
}

Test(attempt_table, says_which_instance_made_an_attempt_and_its_backoff)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	AUTO_FREE char *text = NULL;

	b->record->n_instances = 2;
	for (int64_t i = 0; i < 4; i++) {
		uint32_t id = record_builder_attempt_refused(b, api, i / 2 * 1000 + i % 2 * 10);

		b->record->attempts[id].instance = i < 3 ? (uint32_t)(i % 2) : INSTANCE_UNKNOWN;
	}
	text = format(b, &plain);
	assert_contains(text, "\n  #       at  instance  fault");
	assert_contains(text, "\n  2  0.010 s         2  refuse  1     refused after 0\n");
	assert_contains(text, "\n  3  1.000 s         1  refuse  1     refused after 0   1.00 s\n");
	assert_contains(text, "\n  4  1.010 s         ?  refuse  1     refused after 0\n");
}

Test(attempt_table, shows_no_backoff_after_an_attempt_that_is_still_open)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop");
	AUTO_FREE char *text = NULL, *line = NULL;

	record_builder_attempt_left_open(b, api, 0);
	record_builder_attempt_left_open(b, api, 1000);
	record_builder_client_exits(b, 2000, 1);
	text = format(b, &plain);
	line = line_with(text, "  2  1.000 s");
	cr_assert_str_eq(line + strlen(line) - 3, "  -", "%s", line);
}

Test(attempt_table, takes_an_overlap_within_clock_error_as_no_backoff)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	AUTO_FREE char *text = NULL, *line = NULL;
	uint32_t id;

	id = record_builder_attempt(b, api);
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_REFUSE, 11);
	record_builder_attempt_refused(b, api, 10);
	record_builder_client_exits(b, 2000, 1);
	text = format(b, &plain);
	line = line_with(text, "  2  0.010 s");
	cr_assert_str_eq(line + strlen(line) - 3, "  0", "%s", line);
}

static struct record_builder *many_attempts(uint32_t count)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	for (uint32_t i = 0; i < count; i++)
		record_builder_attempt_refused(b, api, 10 * i);
	record_builder_client_exits(b, 10 * count, 1);
	return b;
}

Test(attempt_table, shortens_a_long_list_in_its_middle)
{
	AUTO_RECORD_BUILDER struct record_builder *b = many_attempts(1000);
	AUTO_FREE char *text = format(b, &plain);

	assert_contains(text, "\n    10  0.090 s  ");
	assert_contains(text, "\n  … 985 more …\n");
	assert_contains(text, "\n   996  9.950 s  ");
	cr_assert_eq(count_lines(text), 3 + 10 + 1 + 5 + 1, "%s", text);
}

Test(attempt_table, keeps_the_surroundings_of_a_blamed_attempt)
{
	AUTO_RECORD_BUILDER struct record_builder *b = many_attempts(1000);
	AUTO_FREE char *text = NULL, *line = NULL;

	record_builder_expect_attempts(b, 0, 0, 500);
	text = format(b, &plain);
	line = line_with(text, "✗");
	assert_contains(line, "   501  5.000 s");
	assert_contains(text, "\n  … 489 more …\n   500  ");
	assert_contains(text, "\n   502  5.010 s");
	assert_contains(text, "\n  … 493 more …\n   996  ");
}

Test(attempt_table, never_hides_a_single_attempt)
{
	for (uint32_t count = 14; count <= 18; count++) {
		AUTO_RECORD_BUILDER struct record_builder *b = many_attempts(count);
		AUTO_FREE char *text = format(b, &plain);
		size_t expected = count <= 16 ? 3 + count + 1 : 3 + 10 + 1 + 5 + 1;

		cr_assert_eq(count_lines(text), expected, "%u attempts:\n%s", count, text);
		cr_assert_null(strstr(text, " 1 more"), "%u attempts:\n%s", count, text);
	}
}

/* A record with everything that makes lines long. */
static struct record_builder *wide_record(void)
{
	struct record_builder *b = record_builder_new();
	size_t one = record_builder_endpoint(b, "primary-database-of-the-warehouse",
					     "delay 100ms..900ms then refuse, drop x5, accept");
	size_t two = record_builder_endpoint(b, "secondary", "refuse x3, lose 2, accept");

	free(b->scenario->name);
	b->scenario->name =
		xstrdup("naïve 再試行 \033[31mred\033[0m\n\x01 \xff ✗ "
			"a name that goes on and on and on and on and on and on and on");
	record_builder_attempt_refused_late(b, one, 0, 456);
	for (int i = 0; i < 20; i++)
		record_builder_attempt_dropped(b, i % 2 ? one : two, 600000 + 5000 * i,
					       603000 + 5000 * i);
	record_builder_attempt_connected(b, two, 3700000);
	record_builder_server_exits(b, one, 3700001, 1 << 8);
	record_builder_times_out(b, 3900000);
	record_builder_client_killed(b, 3900000, SIGKILL);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, ALL_ENDPOINTS, 2000);
	b->record->harness_lag_ns = 123456;
	return b;
}

Test(attempt_table, keeps_every_line_within_its_width)
{
	static const size_t widths[] = {40, 41, 50, 60, 72, 80, 100, 132};
	AUTO_RECORD_BUILDER struct record_builder *b = wide_record();

	for (size_t i = 0; i < 2 * ARRAY_SIZE(widths); i++) {
		struct attempt_table_style style = {
			.columns = widths[i / 2],
			.ascii = i % 2,
			.indent = "    ",
		};
		AUTO_FREE char *text = format(b, &style);
		char *rest = text, *line;

		while ((line = strsep(&rest, "\n"))) {
			cr_assert_leq(text_width(line), style.columns, "%zu columns: |%s|",
				      style.columns, line);
			cr_assert(*line == '\0' || !strncmp(line, "    ", 4), "|%s|", line);
			for (const char *at = line; *at; at++) {
				cr_assert((unsigned char)*at >= 0x20, "control character: %s",
					  line);
				cr_assert(!style.ascii || (unsigned char)*at < 0x80, "%s", line);
			}
		}
	}
}

Test(attempt_table, cuts_cells_before_it_leaves_out_columns)
{
	static const char *const headings[] = {" at", "endpoint", "step", "fault", "SYNs", "ended"};
	AUTO_RECORD_BUILDER struct record_builder *b = wide_record();
	AUTO_FREE char *text = format(b, &(struct attempt_table_style){.columns = 86});
	AUTO_FREE char *line = line_with(text, "SYNs");

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		assert_contains(line, headings[i]);
	assert_contains(text, "primary-");
	assert_contains(text, "… ");
}

Test(attempt_table, is_80_columns_wide_by_default)
{
	AUTO_RECORD_BUILDER struct record_builder *b = wide_record();
	AUTO_FREE char *text = format(b, &plain);
	AUTO_FREE char *eighty = format(b, &(struct attempt_table_style){.columns = 80});

	cr_assert_str_eq(text, eighty);
}

Test(attempt_table, aligns_its_columns)
{
	AUTO_RECORD_BUILDER struct record_builder *b = wide_record();
	AUTO_FREE char *text = format(b, &(struct attempt_table_style){.columns = 120});
	AUTO_FREE char *heading = line_with(text, "SYNs");
	size_t column = (size_t)(strstr(heading, "SYNs") - heading), rows = 0;
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *found = strstr(line, "1+2 rtx");

		if (!found)
			continue;
		*found = '\0';
		cr_assert_eq(text_width(line), column, "%s\n%s", heading, line);
		rows++;
	}
	cr_assert_gt(rows, 5);
}

/* @text without "ESC [ … m"; owned by the caller. */
static char *without_color(const char *text)
{
	struct strbuf out = {0};

	for (; *text; text++) {
		if (*text == '\033')
			text += strcspn(text, "m");
		else
			strbuf_putc(&out, *text);
	}
	return strbuf_steal(&out);
}

Test(attempt_table, colors_do_not_change_the_layout)
{
	AUTO_RECORD_BUILDER struct record_builder *b = wide_record();
	AUTO_FREE char *text = format(b, &plain);
	AUTO_FREE char *colored = format(b, &(struct attempt_table_style){.color = true});
	AUTO_FREE char *stripped = without_color(colored);

	assert_lacks(text, "\033");
	cr_assert_str_eq(stripped, text);
	assert_contains(colored, "✗\033[0m\n");
}

Test(attempt_table, needs_no_title)
{
	AUTO_RECORD_BUILDER struct record_builder *b = many_attempts(1);
	AUTO_FREE char *text = format(b, &(struct attempt_table_style){.untitled = true});

	cr_assert(!strncmp(text, "  api at ", 9), "%s", text);
}

Test(attempt_table, needs_neither_scenario_nor_judgement)
{
	AUTO_RECORD_BUILDER struct record_builder *b = many_attempts(2);
	AUTO_STRBUF struct strbuf out = {0};

	attempt_table_format(NULL, b->record, NULL, &plain, &out);
	assert_contains(strbuf_text(&out), "a test");
	assert_contains(strbuf_text(&out), "step 1");
	assert_contains(strbuf_text(&out), "refused");
}

Test(attempt_table, survives_a_record_that_does_not_fit_the_scenario)
{
	AUTO_RECORD_BUILDER struct record_builder *b = many_attempts(3);
	AUTO_FREE char *text = NULL;

	b->record->attempts[0].endpoint = 17;
	b->record->attempts[1].step = 99;
	text = format(b, &plain);
	assert_contains(text, "step 100");
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

Test(attempt_table, names_the_address_where_an_endpoint_has_several)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = add_dual_stack(b, "refuse, accept");
	const struct attempt_table_style narrow = {.columns = 66};
	AUTO_FREE char *text = NULL, *line = NULL, *cut = NULL;

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_connected(b, api, 1000);
	b->record->attempts[0].server = b->record->endpoints[api].addresses[1];
	record_builder_client_exits(b, 1100, 0);
	text = format(b, &plain);
	line = line_with(text, "refused after");
	assert_contains(line, "2001:db8::1  ");
	assert_contains(text, "127.0.0.2    ");
	cut = format(b, &narrow);
	assert_contains(cut, "2001:db8::1  ");
	/* Only the port differs. */
	b->record->endpoints[api].addresses[1].port = 8081;
	b->record->attempts[0].server.port = 8081;
	free(text);
	text = format(b, &plain);
	assert_contains(text, "[2001:db8::1]:8081  ");
	assert_contains(text, "127.0.0.2:8080  ");
}
