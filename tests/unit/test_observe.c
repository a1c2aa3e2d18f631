/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what is observed in records with a known course, and of finding outliers. */
#include <criterion/criterion.h>
#include <jansson.h>

#include "runner/observe/observation.h"
#include "runner/observe/observe.h"
#include "runner/observe/outliers.h"
#include "tests/lib/record_builder.h"

static void expect_words(const struct observed *runs, size_t n_runs, const char *words)
{
	AUTO_STRBUF struct strbuf text = {0};

	observed_format(runs, n_runs, &text);
	cr_expect_str_eq(strbuf_text(&text), words);
}

Test(observe, observation_shows_backoff_policy_and_end)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "server", "refuse");
	struct observed seen;

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_refused(b, api, 1000);
	record_builder_attempt_refused(b, api, 3000);
	record_builder_attempt_refused(b, api, 7000);
	record_builder_client_writes(b, STREAM_STDERR, 7000, "first\nit is \x1b[31mrefused\n\n",
				     27);
	record_builder_client_exits(b, 7000, 7);
	seen = observe(b->record);
	cr_expect_eq(seen.n_attempts, 4);
	cr_expect_eq(seen.n_addresses, 1);
	cr_expect_eq(seen.n_backoff, 3);
	cr_expect(seen.ended);
	expect_words(&seen, 1,
		     "  attempts      4\n"
		     "  backoff       1.00 s, 2.00 s, 4.00 s\n"
		     "  looks like    exponential, base 1.00 s, factor 2, no cap seen\n"
		     "  end           exit 7 after 7.00 s\n"
		     "  said          it is refused\n");
	observed_free(&seen);
}

/* The last attempt's socket died with the client: the client did not give that one up. */
Test(observe, observation_shows_how_long_a_client_waits_for_an_answer)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "server", "drop");
	struct observed seen;

	record_builder_attempt_dropped(b, api, 0, 1500);
	record_builder_attempt_dropped(b, api, 2000, 3500);
	record_builder_attempt_dropped(b, api, 4000, 4200);
	record_builder_times_out(b, 4190);
	record_builder_client_killed(b, 4200, 15);
	seen = observe(b->record);
	cr_expect_eq(seen.n_abandoned, 2);
	cr_expect_not(seen.ended);
	expect_words(&seen, 1,
		     "  attempts      3 until its time ran out\n"
		     "  backoff       500 ms, 500 ms\n"
		     "  policy        maybe fixed (2 waits)\n"
		     "  gave up       on an unanswered attempt after 1.50 s\n"
		     "  left open     1 unanswered attempt until synfault ended the client\n"
		     "  end           still running when its time ran out\n");
	observed_free(&seen);
}

/* The kernel ended it, whenever the client closed its socket. */
Test(observe, observation_separates_the_timeout_of_the_kernel_from_the_client_s)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "server", "drop");
	uint32_t id = record_builder_attempt(b, api);
	struct observed seen;

	b->record->syn_retries = 1;
	b->record->syn_linear_timeouts = 0;
	for (uint32_t syn = 1; syn <= 2; syn++) {
		record_builder_syn(b, id, syn, 1000 * (syn - 1));
		record_builder_verdict(b, id, syn, VERDICT_DROP, 1000 * (syn - 1));
	}
	record_builder_closed(b, id, 5020, 0);
	record_builder_or_earlier(b, 4000);
	record_builder_client_exits(b, 5100, 1);
	seen = observe(b->record);
	cr_expect_eq(seen.n_abandoned, 0);
	cr_expect_eq(seen.n_timed_out, 1);
	expect_words(&seen, 1,
		     "  attempts      1\n"
		     "  timed out     by the kernel after 3.14 s (tcp_syn_retries 1, "
		     "tcp_syn_linear_timeouts 0)\n"
		     "  left open     none\n"
		     "  end           exit 1 after 5.10 s\n");
	observed_free(&seen);
}

/* The client's clock jumps over the kernel's retransmissions, to the end that the kernel would
 * make. */
Test(observe, observation_knows_the_timeout_of_the_kernel_in_virtual_time)
{
	static const struct {
		int ended_ms;
		size_t n_abandoned, n_timed_out;
	} cases[] = {{2990, 0, 1}, {3020, 0, 1}, {2900, 1, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "server", "drop");
		uint32_t id = record_builder_attempt(b, api);
		struct observed seen;

		b->record->virtual_time = true;
		b->record->syn_retries = 1;
		b->record->syn_linear_timeouts = 0;
		record_builder_syn(b, id, 1, 0);
		record_builder_verdict(b, id, 1, VERDICT_DROP, 0);
		record_builder_closed(b, id, cases[i].ended_ms, 0);
		record_builder_or_earlier(b, cases[i].ended_ms - 1);
		record_builder_client_exits(b, 5100, 1);
		seen = observe(b->record);
		cr_expect_eq(seen.n_abandoned, cases[i].n_abandoned, "%d", cases[i].ended_ms);
		cr_expect_eq(seen.n_timed_out, cases[i].n_timed_out, "%d", cases[i].ended_ms);
		observed_free(&seen);
	}
}

/* It had not given up when it was ended: how long it would wait is not known. */
Test(observe, observation_bounds_a_patience_that_it_did_not_see_end)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "server", "drop");
	struct observed seen;

	b->record->syn_retries = 6;
	b->record->syn_linear_timeouts = 4;
	record_builder_attempt_dropped(b, api, 1000, 30010);
	record_builder_times_out(b, 30000);
	record_builder_client_killed(b, 30010, 15);
	seen = observe(b->record);
	expect_words(
		&seen, 1,
		"  attempts      1 until its time ran out\n"
		"  waits         more than 29.0 s for an answer; the kernel would end it after "
		"2 m 11.0 s\n"
		"  left open     1 unanswered attempt until synfault ended the client\n"
		"  end           still running when its time ran out\n");
	observed_free(&seen);
}

Test(observe, what_comes_after_synfault_ended_the_client_is_left_out)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "server", "refuse");
	struct observed seen;

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_refused(b, api, 1000);
	record_builder_times_out(b, 1500);
	record_builder_attempt_refused(b, api, 1600);
	record_builder_client_killed(b, 1700, 9);
	seen = observe(b->record);
	cr_expect_eq(seen.n_attempts, 2);
	cr_expect_eq(seen.n_backoff, 1);
	observed_free(&seen);
}

Test(observe, what_the_client_said_is_the_line_that_says_something)
{
	static const struct {
		const char *output, *said;
	} cases[] = {
		{"Error: connect ECONNREFUSED 127.0.0.1:80\n    at afterConnect (node:net:1555:16) "
		 "{\nEmitted 'error' event on ClientRequest instance at:\n    at x\n  errno: "
		 "-111,\n  port: 80\n}\n\nNode.js v18.19.0\n",
		 "Error: connect ECONNREFUSED 127.0.0.1:80"},
		{"Exception in thread \"main\" java.net.ConnectException: refused\n"
		 "\tat a.B.c(B.java:1)\n",
		 "Exception in thread \"main\" java.net.ConnectException: refused"},
		{"refused\n", "refused"},
		{"}\n", "}"},
		{"  only this\n", "only this"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct observed seen;

		record_builder_endpoint(b, "server", "refuse");
		record_builder_client_writes(b, STREAM_STDERR, 10, cases[i].output,
					     strlen(cases[i].output));
		record_builder_client_exits(b, 20, 1);
		seen = observe(b->record);
		cr_assert_not_null(seen.said);
		cr_expect(strstr(seen.said, cases[i].said), "case %zu: %s", i, seen.said);
		observed_free(&seen);
	}
}

Test(observe, observation_gives_ranges_where_runs_differ)
{
	struct observed runs[2];

	for (int64_t i = 0; i < 2; i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "server", "refuse");

		record_builder_attempt_refused(b, api, 0);
		record_builder_attempt_refused(b, api, 1000 + 500 * i);
		if (i)
			record_builder_attempt_refused(b, api, 4000);
		record_builder_client_exits(b, 5000 + i, (int)i);
		runs[i] = observe(b->record);
	}
	expect_words(runs, 2,
		     "  attempts      2 .. 3\n"
		     "  backoff       1.00 s .. 1.50 s\n"
		     "  end           exit 0, or exit 1 after 5.00 s\n");
	for (size_t i = 0; i < 2; i++)
		observed_free(&runs[i]);
}

Test(observe, overlapping_attempts_have_no_backoff)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "server", "drop");
	struct observed seen;
	struct fit fit;

	record_builder_attempt_dropped(b, api, 0, 3000);
	record_builder_attempt_dropped(b, api, 250, 3000);
	record_builder_attempt_dropped(b, api, 500, 3000);
	record_builder_client_exits(b, 3000, 1);
	seen = observe(b->record);
	cr_expect(seen.overlaps);
	expect_words(&seen, 1,
		     "  attempts      3\n"
		     "  backoff       none: attempts overlap\n"
		     "  gave up       on an unanswered attempt after 2.50 s .. 3.00 s\n"
		     "  left open     none\n"
		     "  end           exit 1 after 3.00 s\n");
	/* That is not a policy of no backoff. */
	fit = observed_fit(&seen, 1);
	cr_expect_not(fit.found);
	cr_expect_str_eq(fit.text, "attempts overlap");
	fit_free(&fit);
	observed_free(&seen);
}

Test(observe, observation_of_an_idle_client_is_empty)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	struct observed seen;

	record_builder_endpoint(b, "server", "refuse");
	record_builder_client_exits(b, 0, 0);
	seen = observe(b->record);
	expect_words(&seen, 1, "  attempts      0\n  end           exit 0\n");
	observed_free(&seen);
}

/* ---- outliers ---- */

enum { RUNS = 3, MAX_ITEMS = 16 };

/* One backoff in each run of two faults that begin with a refusal, and the outliers. */
struct outlier_case {
	int64_t backoff_ms[2 * RUNS], client_lags_ms[2 * RUNS], harness_lags_ms[2 * RUNS];
	bool open;
	const char *doubtful; /* "x" by run */
};

static void expect_outliers(const struct outlier_case *expected, size_t number)
{
	struct observed runs[MAX_ITEMS * RUNS] = {0};
	bool seen[MAX_ITEMS] = {true, true}, doubtful[MAX_ITEMS * RUNS];
	int64_t backoff_ns[2 * RUNS];
	char got[2 * RUNS + 1] = "";

	cr_assert_leq(n_standard_faults, MAX_ITEMS);
	for (size_t i = 0; i < 2 * RUNS; i++) {
		backoff_ns[i] = expected->backoff_ms[i] * NS_PER_MS;
		runs[i] = (struct observed){
			.ended = true,
			.n_attempts = 2,
			.backoff_ns = &backoff_ns[i],
			.n_backoff = 1,
			.fallback_ns = -1,
			.client_lag_ns = expected->client_lags_ms[i] * NS_PER_MS,
			.harness_lag_ns = expected->harness_lags_ms[i] * NS_PER_MS,
		};
	}
	cr_expect_eq(outliers_find(runs, RUNS, seen, doubtful), expected->open, "case %zu", number);
	for (size_t i = 0; i < 2 * RUNS; i++)
		got[i] = doubtful[i] ? 'x' : '-';
	cr_expect_str_eq(got, expected->doubtful, "case %zu: %s", number, got);
	for (size_t i = 2 * RUNS; i < n_standard_faults * RUNS; i++)
		cr_expect_not(doubtful[i]);
}

Test(outliers, runs_are_doubtful_where_lag_explains_a_difference)
{
	static const struct outlier_case cases[] = {
		/* Runs that agree are not doubtful, late or not. */
		{{300, 300, 300, 301, 310, 350}, {0, 0, 0, 0, 500, 500}, {0}, false, "------"},
		/* One run was held up; runs that look right may have been, too. */
		{{300, 300, 300, 300, 420, 300}, {0, 0, 0, 0, 100, 0}, {0}, true, "----x-"},
		{{300, 420, 420, 420, 420, 420}, {0, 90, 90, 90, 90, 90}, {0}, true, "-xxxxx"},
		{{300, 420, 300, 300, 300, 300}, {0, 100, 80, 0, 0, 0}, {0}, true, "-xx---"},
		/* Our own lag can also make times look shorter. */
		{{300, 300, 420, 420, 420, 420}, {0}, {90, 90, 0, 0, 0, 0}, true, "xxxxxx"},
		{{300, 300, 420, 420, 420, 420}, {90, 90, 0, 0, 0, 0}, {0}, false, "------"},
		/* Random backoff: a difference that lag does not explain is certain. */
		{{10, 900, 400, 200, 300, 700}, {0, 100, 0, 300, 0, 0}, {0}, false, "------"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_outliers(&cases[i], i);
}

/* A guest machine does not see all of its lag. */
Test(outliers, a_run_that_took_longer_than_nearly_all_others_is_doubtful)
{
	static const struct outlier_case cases[] = {
		{{300, 300, 300, 300, 500, 300}, {0}, {0}, false, "----x-"},
		{{300, 300, 300, 300, 500, 600}, {0}, {0}, false, "------"},
		{{300, 300, 300, 300, 100, 300}, {0}, {0}, false, "------"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_outliers(&cases[i], i);
}

/* A machine that pauses holds up all runs, and a guest machine does not see that. */
Test(outliers, a_client_that_gives_up_unsteadily_may_have_been_held_up)
{
	static const struct {
		int64_t shortest_ms[RUNS], longest_ms[RUNS];
		size_t n_addresses;
		bool unsteady;
	} cases[] = {
		{{600, 600, 600}, {601, 630, 600}, 1, false},
		{{600, 600, 600}, {700, 701, 600}, 1, true},
		{{600, 600, 600}, {700, 700, 700}, 1, true},
		/* It draws the time. */
		{{200, 500, 900}, {400, 1200, 1500}, 1, false},
		/* It gives each address another time. */
		{{300, 300, 300}, {600, 600, 600}, 2, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct observed runs[RUNS] = {0};
		int64_t usual_ns = 0;

		for (size_t run = 0; run < RUNS; run++)
			runs[run] = (struct observed){
				.n_attempts = 2,
				.n_addresses = cases[i].n_addresses,
				.n_abandoned = 2,
				.shortest_ns = cases[i].shortest_ms[run] * NS_PER_MS,
				.longest_ns = cases[i].longest_ms[run] * NS_PER_MS,
			};
		cr_expect_eq(given_up_unsteadily(runs, RUNS, &usual_ns), cases[i].unsteady,
			     "case %zu", i);
		if (cases[i].unsteady)
			cr_expect_eq(usual_ns, 600 * NS_PER_MS, "case %zu", i);
	}
}

Test(outliers, a_run_that_lost_time_and_ended_differently_is_doubtful)
{
	struct observed runs[MAX_ITEMS * RUNS] = {0};
	bool seen[MAX_ITEMS] = {true}, doubtful[MAX_ITEMS * RUNS];

	for (size_t i = 0; i < RUNS; i++)
		runs[i] = (struct observed){.ended = true, .n_attempts = 1, .fallback_ns = -1};
	runs[2].wait_status = 1 << 8;
	cr_expect_not(outliers_find(runs, RUNS, seen, doubtful));
	cr_expect_not(doubtful[2]);
	runs[2].client_lag_ns = 100 * NS_PER_MS;
	cr_expect(outliers_find(runs, RUNS, seen, doubtful));
	cr_expect(!doubtful[0] && !doubtful[1] && doubtful[2]);
	runs[2].wait_status = 0;
	cr_expect_not(outliers_find(runs, RUNS, seen, doubtful));
	runs[2].n_attempts = 2;
	cr_expect(outliers_find(runs, RUNS, seen, doubtful));
	/* If time ran out, the number of attempts says nothing. */
	runs[0].ended = runs[1].ended = runs[2].ended = false;
	cr_expect_not(outliers_find(runs, RUNS, seen, doubtful));
	/* A fault that was not observed is ignored. */
	runs[0].ended = true;
	seen[0] = false;
	cr_expect_not(outliers_find(runs, RUNS, seen, doubtful));
}

/* The runs were side by side, and the same load held up all of them. */
Test(outliers, runs_are_doubtful_if_all_were_late)
{
	static const struct outlier_case cases[] = {
		{{650, 650, 650, 650, 650, 650}, {0}, {260, 300, 300, 0, 0, 0}, true, "xxx---"},
		{{650, 650, 650, 650, 650, 650}, {0}, {300, 200, 300, 0, 0, 0}, false, "------"},
		{{650, 650, 650, 650, 650, 650}, {900, 900, 900}, {0}, false, "------"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_outliers(&cases[i], i);
}

Test(outliers, settling_replaces_times_that_lag_explains_by_the_median)
{
	static const struct {
		int64_t backoff_ms[RUNS], client_lags_ms[RUNS], settled_ms[RUNS];
	} cases[] = {
		{{300, 450, 301}, {0, 120, 0}, {300, 301, 301}},
		{{300, 450, 301}, {0, 20, 0}, {300, 450, 301}},
		{{300, 450, 600}, {0, 120, 270}, {300, 450, 600}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct observed runs[MAX_ITEMS * RUNS] = {0};
		bool seen[MAX_ITEMS] = {true};
		int64_t backoff_ns[RUNS];

		for (size_t k = 0; k < RUNS; k++) {
			backoff_ns[k] = cases[i].backoff_ms[k] * NS_PER_MS;
			runs[k] = (struct observed){
				.ended = true,
				.backoff_ns = &backoff_ns[k],
				.n_backoff = 1,
				.fallback_ns = -1,
				.client_lag_ns = cases[i].client_lags_ms[k] * NS_PER_MS,
			};
		}
		outliers_settle(runs, RUNS, seen);
		for (size_t k = 0; k < RUNS; k++)
			cr_expect_eq(backoff_ns[k], cases[i].settled_ms[k] * NS_PER_MS,
				     "case %zu, run %zu: %lld", i, k, (long long)backoff_ns[k]);
	}
}

/* Returns a number of a run in the document's first part. */
static json_int_t number_of(json_t *document, size_t run, const char *key)
{
	json_t *part = json_array_get(json_object_get(document, "parts"), 0);
	json_t *found = json_object_get(json_array_get(json_object_get(part, "runs"), run), key);

	cr_assert(json_is_integer(found), "%s", key);
	return json_integer_value(found);
}

Test(observation, document_has_the_numbers_of_each_run_and_what_could_not_be_seen)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "server", "drop");
	char *command[] = {(char[]){"client"}, (char[]){"\xff"}, NULL};
	struct observed seen[2];
	const struct observation_part parts[] = {
		{.name = "never answered", .steps = "drop", .runs = seen, .n_runs = 2},
		{.name = "late", .obstacle = "too slow", .runs = seen, .n_runs = 2},
	};
	const struct observation observation = {
		.command = command, .timeout_ns = 5, .parts = parts, .n_parts = 2};
	AUTO_STRBUF struct strbuf text = {0};
	json_t *document, *late;

	record_builder_attempt_dropped(b, api, 0, 1500);
	record_builder_attempt_dropped(b, api, 2000, 3500);
	record_builder_client_exits(b, 3600, 7);
	seen[0] = observe(b->record);
	seen[1] = observe(b->record);
	observation_json(&observation, &text);
	document = json_loads(strbuf_text(&text), 0, NULL);
	cr_assert(document);
	cr_expect_eq(json_integer_value(json_object_get(document, "timeout_ns")), 5);
	cr_expect_eq(number_of(document, 1, "attempts"), 2);
	cr_expect_eq(number_of(document, 1, "given_up"), 2);
	cr_expect_eq(number_of(document, 1, "given_up_longest_ns"), 1500 * NS_PER_MS);
	cr_expect_eq(number_of(document, 1, "left_open"), 0);
	cr_expect_eq(number_of(document, 1, "wait_status"), 7 << 8);
	late = json_array_get(json_object_get(document, "parts"), 1);
	cr_expect_str_eq(json_string_value(json_object_get(late, "obstacle")), "too slow");
	cr_expect_eq(json_array_size(json_object_get(late, "runs")), 0);
	json_decref(document);
	observed_free(&seen[0]);
	observed_free(&seen[1]);
}
