/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is seen in records of which it is known what happened. */
#include <criterion/criterion.h>

#include "runner/observe/observe.h"
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
		     "  waits         1.00 s, 2.00 s, 4.00 s\n"
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
		     "  waits         500 ms, 500 ms\n"
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
		     "  waits         1.00 s .. 1.50 s\n"
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
		     "  waits         none to speak of: an attempt began before the one before had "
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
