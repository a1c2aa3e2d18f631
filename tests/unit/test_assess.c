/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of assessments: what was measured for each expectation, met or not, and the table of it. */
#include <criterion/criterion.h>

#include "runner/report/assessment_text.h"
#include "tests/lib/record_builder.h"

TestSuite(assess);

#define MS NS_PER_MS

/* Three attempts, 2 s apart, the third successful, at an API with a backup that is not tried. */
static struct record_builder *retrying_client(size_t *ret_api)
{
	struct record_builder *b = record_builder_new();

	*ret_api = record_builder_endpoint(b, "api", "refuse x2, accept");
	record_builder_attempt_refused(b, *ret_api, 10);
	record_builder_attempt_refused(b, *ret_api, 2010);
	record_builder_attempt_connected(b, *ret_api, 4010);
	record_builder_client_writes(b, STREAM_STDERR, 2010, "refused\r\nagain\r\n", 16);
	record_builder_client_exits(b, 4100, 0);
	return b;
}

static struct expectation *expect_range(struct record_builder *b, enum expectation_kind kind,
					int64_t low, int64_t high)
{
	struct expectation *expectation = record_builder_expect(b, kind, ALL_ENDPOINTS);

	expectation->value.range.range = (struct range){low, high};
	return expectation;
}

/* The last expectation has been assessed like this; @attempt UINT32_MAX: at none. */
static void expect_assessed(const struct record_builder *b, enum assessed result,
			    const char *expected, const char *actual, uint32_t attempt)
{
	struct judgement judgement = record_builder_judge(b);
	const struct assessment *last = &judgement.assessments[judgement.n_assessments - 1];

	cr_assert_eq(judgement.n_assessments, b->scenario->n_expectations);
	cr_expect_str_eq(assessed_name(last->result), assessed_name(result), "%s", last->type);
	cr_expect_str_eq(last->expected ? last->expected : "-", expected, "%s: %s", last->type,
			 last->expected);
	cr_expect_str_eq(last->actual ? last->actual : "-", actual, "%s: %s", last->type,
			 last->actual);
	cr_expect_eq(last->attempt, attempt, "%s: %u", last->type, last->attempt);
	cr_expect_eq(last->finding == UINT32_MAX,
		     result == ASSESSED_MET || result == ASSESSED_NOT_JUDGED);
	judgement_free(&judgement);
}

Test(assess, counts_are_shown_with_the_last_attempt_that_counts)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);

	record_builder_expect_attempts(b, api, 3, 5);
	expect_assessed(b, ASSESSED_MET, "3 .. 5", "3", 2);
	record_builder_expect_attempts(b, api, 2, 2);
	expect_assessed(b, ASSESSED_NOT_MET, "2", "3", 2);
	expect_range(b, EXPECT_RETRANSMISSIONS, 0, 0);
	expect_assessed(b, ASSESSED_MET, "0", "0", UINT32_MAX);
	expect_range(b, EXPECT_CONNECTED, 1, 1);
	expect_assessed(b, ASSESSED_MET, "1", "1", 2);
	expect_range(b, EXPECT_CONCURRENT_ATTEMPTS, 1, 2);
	expect_assessed(b, ASSESSED_MET, "1 .. 2", "1 at once", UINT32_MAX);
	expect_range(b, EXPECT_LEAKS, 0, 0);
	expect_assessed(b, ASSESSED_MET, "0", "0", UINT32_MAX);
}

Test(assess, times_are_shown_as_a_whole)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);

	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	expect_assessed(b, ASSESSED_MET, "each 2.00 s ± 200 ms", "2.00 s, 2.00 s", 2);
	record_builder_expect_list(b, EXPECT_ATTEMPT_DELAY, api, (int64_t)2000, (int64_t)1000,
				   (int64_t)-1);
	expect_assessed(b, ASSESSED_NOT_MET, "2.00 s ± 200 ms, 1.00 s ± 200 ms", "2.00 s, 2.00 s",
			2);
	expect_range(b, EXPECT_TOTAL_BACKOFF, 0, 5000 * MS);
	expect_assessed(b, ASSESSED_MET, "at most 5.00 s", "4.00 s", 2);
	expect_range(b, EXPECT_DURATION, 1000 * MS, 4000 * MS);
	expect_assessed(b, ASSESSED_NOT_MET, "1.00 s .. 4.00 s", "4.10 s", UINT32_MAX);
	expect_range(b, EXPECT_CONNECT_TIMEOUT, 0, 1000 * MS);
	expect_assessed(b, ASSESSED_NOT_MET, "at most 1.00 s", "none", UINT32_MAX);
}

Test(assess, behaviour_is_shown_in_words)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);
	struct expectation *expectation = record_builder_expect(b, EXPECT_GIVES_UP, api);

	expectation->value.gives_up.after_ns = 10000 * MS;
	expectation->value.gives_up.attempts = 3;
	expect_assessed(b, ASSESSED_MET,
			"after 3 attempts, no attempt later than 10.0 s after the first",
			"3 attempts, the last 4.00 s after the first", 2);
	record_builder_expect(b, EXPECT_RETRY_ON, api)->value.endings = 1u << ENDING_REFUSED;
	expect_assessed(b, ASSESSED_MET, "only after: refused", "2 after refused", 2);
	expectation = record_builder_expect(b, EXPECT_HERD, api);
	expectation->value.herd.max = 1;
	expectation->value.herd.within_ns = 3000 * MS;
	expect_assessed(b, ASSESSED_NOT_MET, "at most 1 attempt within 3.00 s",
			"2 in 2.00 s, from 10.0 ms on", 1);
	expectation = record_builder_expect(b, EXPECT_FALLBACK, ALL_ENDPOINTS);
	expectation->value.fallback.from = (struct target){ALL_ENDPOINTS, FAMILY_IPV4};
	expectation->value.fallback.to = (struct target){ALL_ENDPOINTS, FAMILY_IPV6};
	expectation->value.fallback.within = (struct range){0, 1000 * MS};
	expect_assessed(b, ASSESSED_NOT_MET, "at most 1.00 s", "ipv6 was never tried", 0);
}

Test(assess, many_ends_that_are_the_same_are_said_once)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse x12, accept");
	enum connection_end end = ENDED_REFUSED;
	struct expectation *expectation;

	for (unsigned i = 0; i < 12; i++)
		record_builder_attempt_refused(b, api, i * 100);
	record_builder_attempt_connected(b, api, 1200);
	record_builder_client_exits(b, 1300, 0);
	expectation = record_builder_expect(b, EXPECT_ENDED, api);
	expectation->value.ended.ends = xmemdup(&end, sizeof(end));
	expectation->value.ended.n_ends = 1;
	expectation->value.ended.each = true;
	expect_assessed(b, ASSESSED_NOT_MET, "each refused", "refused x12, closed", 12);
}

Test(assess, output_is_shown_with_the_line_and_the_write_that_match)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);
	struct judgement judgement;

	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_CONTAINS, "\nag");
	record_builder_expect_text(b, EXPECT_STDERR, true, TEXT_CONTAINS, "timed out");
	expect_assessed(b, ASSESSED_MET, "no \"timed out\"", "none in 16 bytes", UINT32_MAX);
	judgement = record_builder_judge(b);
	cr_expect_str_eq(judgement.assessments[0].actual, "\"again\"");
	cr_expect_eq(b->record->events[judgement.assessments[0].event].kind, EVENT_OUTPUT);
	judgement_free(&judgement);
}

Test(assess, what_can_not_be_judged_differs_from_what_is_met)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);

	record_builder_expect_attempts(b, api, 3, 3);
	b->record->attached = true;
	record_builder_expect_exit(b, 0);
	expect_assessed(b, ASSESSED_NOT_JUDGED, "-", "-", UINT32_MAX);
	b->record->attached = false;
	record_builder_starved(b, 20, 0, 0);
	record_builder_starved(b, 30, 1500, 0);
	record_builder_starved(b, 2050, 3000, 0);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 1000);
	expect_assessed(b, ASSESSED_UNDECIDED, "each 1.00 s ± 200 ms", "2.00 s, 2.00 s", 1);
	record_add_problem(b->record, false, "no queue");
	expect_assessed(b, ASSESSED_NOT_JUDGED, "-", "-", UINT32_MAX);
}

Test(assess, table_is_aligned_and_keeps_to_its_width)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);
	AUTO_STRBUF struct strbuf wide = {0}, narrow = {0};
	struct judgement judgement;

	record_builder_expect_exit(b, 0);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	record_builder_expect_attempts(b, api, 4, 4);
	judgement = record_builder_judge(b);
	assessments_format(&judgement, 80, false, &wide);
	cr_expect_str_eq(strbuf_text(&wide),
			 "  expectations\n"
			 "    ✓ exit             0\n"
			 "    ✓ backoff at api   2.00 s, 2.00 s  expected each 2.00 s ± 200 ms\n"
			 "    ✗ attempts at api  3               expected 4\n",
			 "%s", strbuf_text(&wide));
	assessments_format(&judgement, 40, true, &narrow);
	cr_expect_str_eq(strbuf_text(&narrow),
			 "  expectations\n"
			 "    + exit             0\n"
			 "    + backoff at api   2.00 s, 2.00 s\n"
			 "                       expected each ...\n"
			 "    x attempts at api  3\n"
			 "                       expected 4\n",
			 "%s", strbuf_text(&narrow));
	judgement_free(&judgement);
}
