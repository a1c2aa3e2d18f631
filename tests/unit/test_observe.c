/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is seen in records of which it is known what happened. */
#include <criterion/criterion.h>

#include "runner/observe/observe.h"
#include "runner/observe/outliers.h"
#include "tests/lib/record_builder.h"

static void expect_words(const struct observed *runs, size_t n_runs, const char *words)
{
	AUTO_STRBUF struct strbuf text = {0};

	observed_format(runs, n_runs, &text);
	cr_expect_str_eq(strbuf_text(&text), words);
}

Test(observe, sees_waits_the_policy_and_the_end)
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
	cr_expect_eq(seen.n_waits, 3);
	cr_expect(seen.ended);
	expect_words(&seen, 1,
		     "  attempts      4\n"
		     "  backoff       1.00 s, 2.00 s, 4.00 s\n"
		     "  looks like    exponential, base 1.00 s, factor 2, no cap\n"
		     "  end           exit 7 after 7.00 s\n"
		     "  said          it is refused\n");
	observed_free(&seen);
}

/* The last one's socket died with the client: that is no time-out of the client's own. */
Test(observe, sees_how_long_a_client_waits_for_an_answer)
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
		     "  attempts      3, then its time was over: how many more is not known\n"
		     "  backoff       500 ms, 500 ms\n"
		     "  looks like    fixed, 500 ms\n"
		     "  gave up       an attempt without answer after 1.50 s\n"
		     "  end           none in the time it was given\n");
	observed_free(&seen);
}

Test(observe, gives_ranges_of_what_differs_from_run_to_run)
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

Test(observe, of_overlapping_attempts_knows_no_waits)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "server", "drop");
	struct observed seen;

	record_builder_attempt_dropped(b, api, 0, 3000);
	record_builder_attempt_dropped(b, api, 250, 3000);
	record_builder_client_exits(b, 3000, 1);
	seen = observe(b->record);
	cr_expect(seen.overlaps);
	expect_words(&seen, 1,
		     "  attempts      2\n"
		     "  backoff       none to speak of: an attempt began before the one before had "
		     "ended\n"
		     "  gave up       an attempt without answer after 2.75 s .. 3.00 s\n"
		     "  end           exit 1 after 3.00 s\n");
	observed_free(&seen);
}

Test(observe, of_a_client_that_did_nothing_sees_nothing)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	struct observed seen;

	record_builder_endpoint(b, "server", "refuse");
	record_builder_client_exits(b, 0, 0);
	seen = observe(b->record);
	expect_words(&seen, 1, "  attempts      0\n  end           exit 0\n");
	observed_free(&seen);
}

/* ---- doubt ---- */

enum { RUNS = 3, MAX_ITEMS = 16 };

/* One wait in each of the runs of two items that begin with refusals, and what is in doubt. */
struct doubt_case {
	int64_t waits_ms[2 * RUNS], client_lags_ms[2 * RUNS], harness_lags_ms[2 * RUNS];
	bool open;
	const char *doubtful; /* "x" by run */
};

static void expect_doubt(const struct doubt_case *expected, size_t number)
{
	struct observed runs[MAX_ITEMS * RUNS] = {0};
	bool seen[MAX_ITEMS] = {true, true}, doubtful[MAX_ITEMS * RUNS];
	int64_t waits_ns[2 * RUNS];
	char got[2 * RUNS + 1] = "";

	cr_assert_leq(n_battery, MAX_ITEMS);
	for (size_t i = 0; i < 2 * RUNS; i++) {
		waits_ns[i] = expected->waits_ms[i] * NS_PER_MS;
		runs[i] = (struct observed){
			.ended = true,
			.n_attempts = 2,
			.waits_ns = &waits_ns[i],
			.n_waits = 1,
			.fallback_ns = -1,
			.client_lag_ns = expected->client_lags_ms[i] * NS_PER_MS,
			.harness_lag_ns = expected->harness_lags_ms[i] * NS_PER_MS,
		};
	}
	cr_expect_eq(outliers_find(runs, RUNS, seen, doubtful), expected->open, "case %zu", number);
	for (size_t i = 0; i < 2 * RUNS; i++)
		got[i] = doubtful[i] ? 'x' : '-';
	cr_expect_str_eq(got, expected->doubtful, "case %zu: %s", number, got);
	for (size_t i = 2 * RUNS; i < n_battery * RUNS; i++)
		cr_expect_not(doubtful[i]);
}

Test(doubt, is_where_lag_explains_what_runs_differ_in)
{
	static const struct doubt_case cases[] = {
		/* They do not differ: no lag matters. */
		{{300, 300, 300, 301, 310, 350}, {0, 0, 0, 0, 500, 500}, {0}, false, "------"},
		/* One was held up; so may have been others that look well. */
		{{300, 300, 300, 300, 420, 300}, {0, 0, 0, 0, 100, 0}, {0}, true, "----x-"},
		{{300, 420, 420, 420, 420, 420}, {0, 90, 90, 90, 90, 90}, {0}, true, "-xxxxx"},
		{{300, 420, 300, 300, 300, 300}, {0, 100, 80, 0, 0, 0}, {0}, true, "-xx---"},
		/* Our own lag makes them look shorter, too. */
		{{300, 300, 420, 420, 420, 420}, {0}, {90, 90, 0, 0, 0, 0}, true, "xxxxxx"},
		{{300, 300, 420, 420, 420, 420}, {90, 90, 0, 0, 0, 0}, {0}, false, "------"},
		/* Drawn: what lag does not explain is certain, and leaves nothing open. */
		{{10, 900, 400, 200, 300, 700}, {0, 100, 0, 300, 0, 0}, {0}, false, "------"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_doubt(&cases[i], i);
}

/* The machine was away, and nobody counted it. */
Test(doubt, is_where_one_run_took_longer_than_nearly_all_others)
{
	static const struct doubt_case cases[] = {
		{{300, 300, 300, 300, 500, 300}, {0}, {0}, false, "----x-"},
		{{300, 300, 300, 300, 500, 600}, {0}, {0}, false, "------"},
		{{300, 300, 300, 300, 100, 300}, {0}, {0}, false, "------"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_doubt(&cases[i], i);
}

Test(doubt, is_where_a_client_that_lost_time_came_to_another_end)
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
	/* Nobody knows how many more there would have been. */
	runs[0].ended = runs[1].ended = runs[2].ended = false;
	cr_expect_not(outliers_find(runs, RUNS, seen, doubtful));
	/* What was not seen is in no doubt. */
	runs[0].ended = true;
	seen[0] = false;
	cr_expect_not(outliers_find(runs, RUNS, seen, doubtful));
}

/* They ran side by side, and what held up one held up the others. */
Test(doubt, is_where_all_runs_were_late)
{
	static const struct doubt_case cases[] = {
		{{650, 650, 650, 650, 650, 650}, {0}, {260, 300, 300, 0, 0, 0}, true, "xxx---"},
		{{650, 650, 650, 650, 650, 650}, {0}, {300, 200, 300, 0, 0, 0}, false, "------"},
		{{650, 650, 650, 650, 650, 650}, {900, 900, 900}, {0}, false, "------"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_doubt(&cases[i], i);
}

Test(doubt, takes_what_lag_explains_for_what_most_did)
{
	static const struct {
		int64_t waits_ms[RUNS], client_lags_ms[RUNS], settled_ms[RUNS];
	} cases[] = {
		{{300, 450, 301}, {0, 120, 0}, {300, 301, 301}},
		{{300, 450, 301}, {0, 20, 0}, {300, 450, 301}},
		{{300, 450, 600}, {0, 120, 270}, {300, 450, 600}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct observed runs[MAX_ITEMS * RUNS] = {0};
		bool seen[MAX_ITEMS] = {true};
		int64_t waits_ns[RUNS];

		for (size_t k = 0; k < RUNS; k++) {
			waits_ns[k] = cases[i].waits_ms[k] * NS_PER_MS;
			runs[k] = (struct observed){
				.ended = true,
				.waits_ns = &waits_ns[k],
				.n_waits = 1,
				.fallback_ns = -1,
				.client_lag_ns = cases[i].client_lags_ms[k] * NS_PER_MS,
			};
		}
		outliers_settle(runs, RUNS, seen);
		for (size_t k = 0; k < RUNS; k++)
			cr_expect_eq(waits_ns[k], cases[i].settled_ms[k] * NS_PER_MS,
				     "case %zu, run %zu: %lld", i, k, (long long)waits_ns[k]);
	}
}
