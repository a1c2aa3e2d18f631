/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of comparing two runs: which differences count, and which do not. */
#include <criterion/criterion.h>
#include <sys/wait.h>

#include "runner/observe/compare.h"
#include "tests/lib/record_builder.h"

/* A client that was refused at these times (ms, ended by -1), then exited. */
static struct record *refused_at(const int *times_ms, int status)
{
	AUTO_RECORD_BUILDER struct record_builder *builder = record_builder_new();
	size_t api = record_builder_endpoint(builder, "api", "refuse");
	int64_t at_ms = 0;

	for (; *times_ms >= 0; times_ms++) {
		at_ms = *times_ms;
		record_builder_attempt_refused(builder, api, at_ms);
	}
	record_builder_client_exits(builder, at_ms + 20, status);
	return steal_pointer(&builder->record);
}

/* Lists the differences as "what: before -> after (note)" lines, owned by the caller. Frees both.
 */
static char *differences(struct record *before, struct record *after, bool random_backoff)
{
	const struct compare_options options = {.timing_scale = 1,
						.random_backoff = random_backoff};
	AUTO_CHANGES struct change_list list = {0};
	AUTO_STRBUF struct strbuf text = {0};

	compare_records(before, after, &options, &list);
	for (size_t i = 0; i < list.n_items; i++) {
		const struct change *change = &list.items[i];

		strbuf_printf(&text, "%s: %s -> %s", change->what, change->before, change->after);
		if (change->note)
			strbuf_printf(&text, " (%s)", change->note);
		strbuf_putc(&text, '\n');
	}
	record_free(before);
	record_free(after);
	return xstrdup(strbuf_text(&text));
}

#define TIMES(...)                                                                                 \
	(const int[])                                                                              \
	{                                                                                          \
		__VA_ARGS__, -1                                                                    \
	}

Test(compare, times_within_tolerance_do_not_differ)
{
	AUTO_FREE char *text = differences(refused_at(TIMES(0, 1000, 2000, 3000), 0),
					   refused_at(TIMES(5, 1090, 2010, 3100), 0), false);

	cr_assert_str_empty(text, "%s", text);
}

Test(compare, different_backoff_is_reported_with_its_policy)
{
	AUTO_FREE char *text = differences(refused_at(TIMES(0, 500, 1000, 1500), 0),
					   refused_at(TIMES(0, 500, 1500, 3500), 0), false);

	cr_assert_not_null(strstr(text, "backoff: fixed, 500 ms -> exponential, base 500 ms"), "%s",
			   text);
	cr_assert_not_null(
		strstr(text, "(backoff 2: 500 ms, now 1.00 s; backoff 3: 500 ms, now 2.00 s)"),
		"%s", text);
	cr_assert_not_null(strstr(text, "duration: 1.52 s -> 3.52 s"), "%s", text);
	cr_assert_null(strstr(text, "attempts"), "%s", text);
}

Test(compare, missing_backoff_is_reported_even_if_it_was_short)
{
	AUTO_FREE char *text = differences(refused_at(TIMES(0, 80, 160, 240), 0),
					   refused_at(TIMES(0, 1, 2, 3), 0), false);

	cr_assert_not_null(strstr(text, "backoff 1: "), "%s", text);
}

Test(compare, random_backoff_that_met_its_expectation_does_not_differ)
{
	AUTO_FREE char *text = differences(refused_at(TIMES(0, 100, 900, 1000), 0),
					   refused_at(TIMES(0, 700, 900, 2000), 0), true);

	cr_assert_str_empty(text, "%s", text);
}

Test(compare, different_attempts_and_exit_are_reported)
{
	AUTO_FREE char *text = differences(refused_at(TIMES(0, 100, 200), 1),
					   refused_at(TIMES(0, 100, 200, 300, 400), 0), false);

	cr_assert_not_null(strstr(text, "attempts: 3 -> 5\n"), "%s", text);
	cr_assert_not_null(strstr(text, "end: exit 1 -> exit 0\n"), "%s", text);
}

Test(compare, differences_within_the_harness_lag_are_ignored)
{
	struct record *late = refused_at(TIMES(0, 1000, 2600), 0);
	AUTO_FREE char *text = NULL;

	late->harness_lag_ns = 700 * NS_PER_MS;
	text = differences(refused_at(TIMES(0, 1000, 2000), 0), late, false);
	cr_assert_str_empty(text, "%s", text);
}

Test(compare, different_scenarios_are_not_compared_further)
{
	struct record *other = refused_at(TIMES(0), 0);
	AUTO_FREE char *text = NULL;

	free(other->endpoints[0].script);
	other->endpoints[0].script = xstrdup("drop");
	text = differences(refused_at(TIMES(0, 100), 1), other, false);
	cr_assert_str_eq(text,
			 "faults: api: refuse -> api: drop (the scenarios differ, so the rest "
			 "is not compared)\n");
}

Test(compare, different_connect_timeout_is_reported)
{
	struct record *records[2];
	AUTO_FREE char *text = NULL;

	for (int i = 0; i < 2; i++) {
		AUTO_RECORD_BUILDER struct record_builder *builder = record_builder_new();
		size_t api = record_builder_endpoint(builder, "api", "drop");

		record_builder_attempt_dropped(builder, api, 0, i ? 5000 : 2000);
		record_builder_client_exits(builder, 6000, 1);
		records[i] = steal_pointer(&builder->record);
	}
	text = differences(records[0], records[1], false);
	cr_assert_str_eq(text, "connect-timeout: 2.00 s -> 5.00 s\n");
}

Test(compare, messages_that_differ_only_in_times_and_ports_are_equal)
{
	static const struct {
		const char *left, *right;
		bool equal;
	} cases[] = {
		{"refused", "refused", true},
		{"timed out after 603 milliseconds", "timed out after 600 milliseconds", true},
		{"after 1.5 s", "after 12 s", true},
		{"port 8080 after 23 ms: no", "port 8081 after 0 ms: no", true},
		{"127.0.0.1:41234: refused", "127.0.0.1:9: refused", true},
		{"12:30:01.5 [812] at 0x7ff01", "02:31:59.25 [9] at 0x10", true},
		{"gave up after 3 attempts", "gave up after 5 attempts", false},
		{"HTTP 500", "HTTP 503", false},
		{"refused", "timed out", false},
		{"", "x", false},
		{"bad \xff 5 ms", "bad \xff 6 ms", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(messages_equal(cases[i].left, cases[i].right), cases[i].equal,
			     "\"%s\", \"%s\"", cases[i].left, cases[i].right);
}
