/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of drafting baselines: what is expected of a client whose runs are known. */
#include <criterion/criterion.h>
#include <signal.h>

#include "runner/observe/baseline.h"
#include "tests/lib/record_builder.h"

enum { RUNS = 2 };

static char command[] = "client", target[] = "${server}";
static char *const command_line[] = {command, target, NULL};

/* Records of two runs, one drawn up after the other, and what was observed in them. */
struct draft_fixture {
	struct record_builder *builders[RUNS];
	size_t endpoints[RUNS];
};

static struct draft_fixture begin(const char *script)
{
	struct draft_fixture fixture;

	for (size_t i = 0; i < RUNS; i++) {
		fixture.builders[i] = record_builder_new();
		fixture.endpoints[i] =
			record_builder_endpoint(fixture.builders[i], ADHOC_ENDPOINT, script);
	}
	return fixture;
}

/* Returns the standard fault with these steps. */
static const struct standard_fault *find_fault(const char *faults)
{
	for (size_t i = 0; i < n_standard_faults; i++)
		if (strcmp(standard_faults[i].faults, faults) == 0)
			return &standard_faults[i];
	cr_assert_fail("no standard fault \"%s\"", faults);
	return NULL;
}

/* Drafts the scenario and frees the fixture; the caller frees the text. */
static char *draft(struct draft_fixture *fixture, const char *faults, struct baseline baseline)
{
	struct strbuf text = {0};
	struct observed runs[RUNS];
	struct record *records[RUNS];

	baseline.command = command_line;
	baseline.timeout_ns = 30 * NS_PER_S;
	for (size_t i = 0; i < RUNS; i++) {
		records[i] = fixture->builders[i]->record;
		runs[i] = observe(records[i]);
	}
	baseline_begin(&baseline, &text);
	baseline_add(&baseline, find_fault(faults), records, runs, RUNS, &text);
	for (size_t i = 0; i < RUNS; i++) {
		observed_free(&runs[i]);
		record_builder_free(fixture->builders[i]);
	}
	return strbuf_steal(&text);
}

static void expect_in(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

static void expect_not_in(const char *text, const char *part)
{
	cr_expect_null(strstr(text, part), "\"%s\" is in:\n%s", part, text);
}

/* Refuses attempts at these times (ms, ended by -1) in every run. */
static void refuse_at(struct draft_fixture *fixture, const int *times_ms)
{
	for (; *times_ms >= 0; times_ms++)
		for (size_t i = 0; i < RUNS; i++)
			record_builder_attempt_refused(fixture->builders[i], fixture->endpoints[i],
						       *times_ms);
}

#define TIMES(...)                                                                                 \
	(const int[])                                                                              \
	{                                                                                          \
		__VA_ARGS__, -1                                                                    \
	}

Test(baseline, baseline_expects_the_policy_that_all_runs_fit)
{
	struct draft_fixture fixture = begin("refuse");
	AUTO_FREE char *text = NULL;

	refuse_at(&fixture, TIMES(0, 1000, 3000, 7000));
	for (size_t i = 0; i < RUNS; i++)
		record_builder_client_exits(fixture.builders[i], 7010, 7);
	text = draft(&fixture, "refuse", (struct baseline){0});
	expect_in(text, "  exit: 7\n");
	expect_in(text, "  attempts: 4\n");
	expect_in(text, "backoff: {exponential: {base: 1s, factor: 2}}");
}

/* Every signal has one name everywhere, also those that some C libraries leave out. */
Test(baseline, baseline_names_the_signal_that_killed_the_client)
{
	static const struct {
		int number;
		const char *line;
	} cases[] = {
		{SIGTERM, "  exit: {signal: TERM}\n"},
		{SIGIO, "  exit: {signal: IO}\n"},
		{SIGSTKFLT, "  exit: {signal: STKFLT}\n"},
	};

	for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
		struct draft_fixture fixture = begin("refuse");
		AUTO_FREE char *text = NULL;

		refuse_at(&fixture, TIMES(0, 1000));
		for (size_t i = 0; i < RUNS; i++)
			record_builder_client_killed(fixture.builders[i], 1010, cases[k].number);
		text = draft(&fixture, "refuse", (struct baseline){0});
		expect_in(text, cases[k].line);
	}
}

Test(baseline, baseline_does_not_expect_an_exit_that_differs)
{
	struct draft_fixture fixture = begin("refuse");
	AUTO_FREE char *text = NULL;

	refuse_at(&fixture, TIMES(0, 1000));
	for (size_t i = 0; i < RUNS; i++)
		record_builder_client_exits(fixture.builders[i], 1010, (int)i);
	text = draft(&fixture, "refuse", (struct baseline){0});
	expect_not_in(text, "exit:");
	expect_in(text, "  attempts: 2\n");
}

Test(baseline, baseline_only_bounds_random_backoff)
{
	struct draft_fixture fixture = begin("refuse");
	AUTO_FREE char *text = NULL;

	refuse_at(&fixture, TIMES(0, 300, 1000, 1100));
	for (size_t i = 0; i < RUNS; i++)
		record_builder_client_exits(fixture.builders[i], 1110, 1);
	text = draft(&fixture, "refuse", (struct baseline){.draws = true});
	expect_in(text, "backoff: {fixed: 0s..");
	expect_not_in(text, "exponential");
}

/* The last attempt ended with the process, so there is no connect-timeout to expect. */
Test(baseline, baseline_stops_an_endless_client)
{
	struct draft_fixture fixture = begin("drop");
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < RUNS; i++) {
		struct record_builder *builder = fixture.builders[i];

		record_builder_attempt_dropped(builder, fixture.endpoints[i], 0, 1000);
		record_builder_attempt_dropped(builder, fixture.endpoints[i], 2000, 3000);
		record_builder_times_out(builder, 3000);
		record_builder_client_killed(builder, 3000, SIGTERM);
	}
	text = draft(&fixture, "drop", (struct baseline){0});
	expect_in(text, "run-for: 30s\n");
	expect_in(text, "  attempts: 1..5\n");
	expect_not_in(text, "exit:");
	expect_in(text, "Whether it would give up is unknown");
	expect_not_in(text, "connect-timeout");
}

/* How many attempts its processes make hangs on how long they are followed. */
Test(baseline, baseline_follows_what_the_client_leaves_behind)
{
	struct draft_fixture fixture = begin("refuse");
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < RUNS; i++)
		record_builder_client_exits(fixture.builders[i], 10, 0);
	refuse_at(&fixture, TIMES(100, 1100, 2100, 3100));
	text = draft(&fixture, "refuse", (struct baseline){0});
	expect_in(text, "leftover-timeout: 30s\n");
	expect_in(text, "  exit: 0\n  attempts: 2..9\n");
	fixture = begin("refuse");
	refuse_at(&fixture, TIMES(0, 1000));
	for (size_t i = 0; i < RUNS; i++)
		record_builder_client_exits(fixture.builders[i], 1010, 0);
	free(text);
	text = draft(&fixture, "refuse", (struct baseline){0});
	expect_not_in(text, "leftover-timeout");
}

/* What the client says and how it ends hangs on whether its last attempt came after the outage. */
Test(baseline, baseline_expects_no_exit_that_hangs_on_timing)
{
	static const struct {
		int64_t last_ms;
		bool expected;
	} cases[] = {{1900, false}, {2200, false}, {2500, true}};

	for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
		struct draft_fixture fixture = begin("down 2s from first-attempt, accept");
		AUTO_FREE char *text = NULL;

		for (size_t i = 0; i < RUNS; i++) {
			struct record_builder *builder = fixture.builders[i];

			record_builder_attempt_refused(builder, fixture.endpoints[i], 300);
			if (cases[k].last_ms < 2000)
				record_builder_attempt_refused(builder, fixture.endpoints[i],
							       300 + cases[k].last_ms);
			else
				record_builder_attempt_connected(builder, fixture.endpoints[i],
								 300 + cases[k].last_ms);
			record_builder_client_exits(builder, 310 + cases[k].last_ms,
						    cases[k].last_ms < 2000);
		}
		text = draft(&fixture, "down 2s from first-attempt, accept", (struct baseline){0});
		if (cases[k].expected)
			expect_in(text, "  exit: 0\n");
		else
			expect_not_in(text, "  exit:");
	}
}

/* Half of 15 ms would be a lower bound of a pause that the client does not make. */
Test(baseline, baseline_expects_no_pause_where_there_was_none)
{
	struct draft_fixture fixture = begin("refuse");
	AUTO_FREE char *text = NULL;

	refuse_at(&fixture, TIMES(0, 15, 1015));
	for (size_t i = 0; i < RUNS; i++)
		record_builder_client_exits(fixture.builders[i], 1020, 1);
	text = draft(&fixture, "refuse", (struct baseline){0});
	expect_in(text, "backoff: [0s..100ms, 1s]\n");
}

Test(baseline, baseline_expects_how_long_the_client_waits_for_an_answer)
{
	struct draft_fixture fixture = begin("drop");
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < RUNS; i++) {
		struct record_builder *builder = fixture.builders[i];

		record_builder_attempt_dropped(builder, fixture.endpoints[i], 0, 1004);
		record_builder_client_exits(builder, 1020, 1);
	}
	text = draft(&fixture, "drop", (struct baseline){0});
	expect_in(text, "  connect-timeout: 1s\n");
}

Test(baseline, baseline_says_that_the_time_for_an_answer_differs)
{
	struct draft_fixture fixture = begin("drop");
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < RUNS; i++) {
		struct record_builder *builder = fixture.builders[i];

		record_builder_attempt_dropped(builder, fixture.endpoints[i], 0, 300);
		record_builder_attempt_dropped(builder, fixture.endpoints[i], 400, 1100);
		record_builder_client_exits(builder, 1120, 1);
	}
	text = draft(&fixture, "drop", (struct baseline){0});
	expect_in(text, "# A connect timeout is not expected: the client gave up after 300 ms to "
			"700 ms.\n");
	expect_not_in(text, "connect-timeout");
}

/* Another kernel would end the attempt at another time, and that is not the client's timeout. */
Test(baseline, baseline_pins_the_settings_by_which_the_kernel_timed_out)
{
	struct draft_fixture fixture = begin("drop");
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < RUNS; i++) {
		struct record_builder *builder = fixture.builders[i];
		uint32_t id = record_builder_attempt(builder, fixture.endpoints[i]);

		builder->record->syn_retries = 1;
		builder->record->syn_linear_timeouts = 4;
		for (uint32_t syn = 1; syn <= 3; syn++) {
			record_builder_syn(builder, id, syn, 1000 * (syn - 1));
			record_builder_verdict(builder, id, syn, VERDICT_DROP, 1000 * (syn - 1));
		}
		record_builder_closed(builder, id, 3020, 0);
		record_builder_client_exits(builder, 3100, 1);
	}
	text = draft(&fixture, "drop", (struct baseline){0});
	expect_in(text, "kernel: {tcp_syn_retries: 1, tcp_syn_linear_timeouts: 4}\n");
	expect_in(text, "  exit: 1\n");
	expect_not_in(text, "connect-timeout");
}

Test(baseline, baseline_says_why_there_is_nothing_to_expect)
{
	struct draft_fixture idle = begin("refuse"), silent = begin("reset after accept");
	AUTO_FREE char *idle_text = NULL, *silent_text = NULL;

	for (size_t i = 0; i < RUNS; i++) {
		record_builder_client_exits(idle.builders[i], 10, 0);
		record_builder_attempt_connected(silent.builders[i], silent.endpoints[i], 0);
		record_builder_client_exits(silent.builders[i], 10, 0);
	}
	idle_text = draft(&idle, "refuse", (struct baseline){0});
	expect_in(idle_text, "# Nothing expected: the client never tried to connect.");
	silent_text = draft(&silent, "reset after accept", (struct baseline){.silent = true});
	expect_in(silent_text, "# Nothing expected: the client neither sends nor reads");
	expect_not_in(silent_text, "\nexpect:");
}

/* A client that waits for a greeting says nothing, but meets the reset while it waits. */
Test(baseline, baseline_of_a_client_that_waits_for_a_greeting_has_the_reset)
{
	struct draft_fixture fixture = begin("reset after accept");
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < RUNS; i++) {
		struct record_builder *builder = fixture.builders[i];
		uint32_t id = record_builder_attempt(builder, fixture.endpoints[i]);

		record_builder_syn(builder, id, 1, 0);
		record_builder_verdict(builder, id, 1, 0, VERDICT_ACCEPT);
		record_builder_established(builder, id, 0);
		record_add_event(builder->record,
				 &(struct event){.kind = EVENT_FAULT,
						 .at_ns = 20 * NS_PER_MS,
						 .u.net = {.attempt = id, .fault = FAULT_RESET}});
		record_builder_closed(builder, id, 21, 0);
		record_builder_client_exits(builder, 100, 1);
	}
	text = draft(&fixture, "reset after accept", (struct baseline){.silent = true});
	expect_in(text, "  exit: 1\n  attempts: 1\n");
}

Test(baseline, says_what_a_slow_machine_left_open)
{
	struct baseline baseline = {.command = command_line, .doubtful = true};
	AUTO_STRBUF struct strbuf several = {0}, single = {0};

	baseline_begin(&baseline, &several);
	expect_in(strbuf_text(&several), "too slow to tell which differences between runs");
	baseline.single = true;
	baseline_begin(&baseline, &single);
	expect_in(strbuf_text(&single), "too slow to tell which times are the client's own");
	expect_not_in(strbuf_text(&single), "between runs");
}
