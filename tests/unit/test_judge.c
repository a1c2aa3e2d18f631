/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of judgement: each expectation kept and broken, and the order of precedence. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>

#include "runner/judge/text_search.h"
#include "tests/lib/record_builder.h"

TestSuite(judge);

#define MS NS_PER_MS

/* Judges, and compares the first finding's message; NULL: there must be no finding. */
static void expect_outcome(const struct record_builder *b, enum outcome outcome,
			   const char *message)
{
	struct judgement judgement = record_builder_judge(b);
	const char *first = judgement.n_findings > 0 ? judgement.findings[0].message : NULL;

	cr_expect_str_eq(outcome_name(judgement.outcome), outcome_name(outcome), "%s: %s",
			 outcome_name(judgement.outcome), first ? first : "no finding");
	if (message && first)
		cr_expect_str_eq(first, message);
	else
		cr_expect(!message && !first, "%s", first ? first : "no finding");
	judgement_free(&judgement);
}

static enum outcome outcome_of(const struct record_builder *b)
{
	struct judgement judgement = record_builder_judge(b);
	enum outcome outcome = judgement.outcome;

	judgement_free(&judgement);
	return outcome;
}

/* Returns whether any finding has a message with this text in it. */
static bool has_finding(const struct record_builder *b, const char *text)
{
	struct judgement judgement = record_builder_judge(b);
	bool found = false;

	for (size_t i = 0; i < judgement.n_findings; i++)
		found |= strstr(judgement.findings[i].message, text) != NULL;
	judgement_free(&judgement);
	return found;
}

/* Three attempts, 2 s apart; the third succeeds. */
static struct record_builder *retrying_client(size_t *ret_api)
{
	struct record_builder *b = record_builder_new();

	*ret_api = record_builder_endpoint(b, "api", "refuse x2, accept");
	record_builder_attempt_refused(b, *ret_api, 10);
	record_builder_attempt_refused(b, *ret_api, 2010);
	record_builder_attempt_connected(b, *ret_api, 4010);
	record_builder_client_exits(b, 4100, 0);
	return b;
}

Test(judge, passes_when_all_is_as_expected)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);

	record_builder_expect_exit(b, 0);
	record_builder_expect_attempts(b, api, 3, 3);
	record_builder_expect_attempts(b, ALL_ENDPOINTS, 1, 3);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	record_builder_expect_fixed(b, EXPECT_ATTEMPT_DELAY, ALL_ENDPOINTS, 2000);
	expect_outcome(b, OUTCOME_PASS, NULL);
}

Test(judge, exit_status)
{
	static const struct {
		int status; /* as waitpid() gives it */
		int codes[2];
		size_t n_codes;
		bool nonzero;
		int signal;
		const char *message; /* NULL: as expected */
	} cases[] = {
		{W_EXITCODE(0, 0), {0}, 1, false, 0, NULL},
		{W_EXITCODE(3, 0), {0, 3}, 2, false, 0, NULL},
		{W_EXITCODE(7, 0), {0}, 1, false, 0, "exit status: expected 0, got 7"},
		{W_EXITCODE(7, 0), {0, 3}, 2, false, 0, "exit status: expected 0 or 3, got 7"},
		{W_EXITCODE(0, SIGKILL),
		 {0},
		 1,
		 false,
		 0,
		 "exit status: expected 0, got signal KILL"},
		/* a signal's number is not a status */
		{W_EXITCODE(0, SIGKILL),
		 {9},
		 1,
		 false,
		 0,
		 "exit status: expected 9, got signal KILL"},
		{W_EXITCODE(1, 0), {0}, 0, true, 0, NULL},
		{W_EXITCODE(255, 0), {0}, 0, true, 0, NULL},
		{W_EXITCODE(0, 0),
		 {0},
		 0,
		 true,
		 0,
		 "exit status: expected any status but 0, got 0"},
		{W_EXITCODE(0, SIGSEGV),
		 {0},
		 0,
		 true,
		 0,
		 "exit status: expected any status but 0, got signal SEGV"},
		{W_EXITCODE(0, SIGTERM), {0}, 0, false, SIGTERM, NULL},
		{W_EXITCODE(0, SIGTERM) | 0x80, {0}, 0, false, SIGTERM, NULL},
		{W_EXITCODE(0, SIGKILL),
		 {0},
		 0,
		 false,
		 SIGTERM,
		 "exit status: expected signal TERM, got signal KILL"},
		{W_EXITCODE(15, 0),
		 {0},
		 0,
		 false,
		 SIGTERM,
		 "exit status: expected signal TERM, got 15"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct expectation *expectation =
			record_builder_expect(b, EXPECT_EXIT, ALL_ENDPOINTS);

		record_add_event(b->record, &(struct event){.kind = EVENT_EXIT,
							    .at_ns = 5,
							    .u.exit.wait_status = cases[i].status});
		expectation->value.exit.codes = xmemdup(cases[i].codes, sizeof(cases[i].codes));
		expectation->value.exit.n_codes = cases[i].n_codes;
		expectation->value.exit.nonzero = cases[i].nonzero;
		expectation->value.exit.signal = cases[i].signal;
		expect_outcome(b, cases[i].message ? OUTCOME_FAIL : OUTCOME_PASS, cases[i].message);
	}
}

Test(judge, duration_has_tolerance_when_exact_and_none_as_a_range)
{
	static const struct {
		struct range range;
		bool exact;
		int64_t exit_ms;
		const char *message;
	} cases[] = {
		{{2000 * MS, 2000 * MS}, true, 2000, NULL},
		{{2000 * MS, 2000 * MS}, true, 2200, NULL},
		{{2000 * MS, 2000 * MS}, true, 1800, NULL},
		{{2000 * MS, 2000 * MS},
		 true,
		 2201,
		 "duration: expected 2.00 s ± 200 ms, got 2.20 s, 1.00 ms too long"},
		{{2000 * MS, 2000 * MS},
		 true,
		 1700,
		 "duration: expected 2.00 s ± 200 ms, got 1.70 s, 100 ms too short"},
		{{1000 * MS, 2000 * MS}, false, 1000, NULL},
		{{1000 * MS, 2000 * MS}, false, 2000, NULL},
		{{1000 * MS, 2000 * MS},
		 false,
		 2100,
		 "duration: expected 1.00 s .. 2.00 s, got 2.10 s, 100 ms too long"},
		{{1000 * MS, 2000 * MS},
		 false,
		 900,
		 "duration: expected 1.00 s .. 2.00 s, got 900 ms, 100 ms too short"},
		{{1000 * MS, INT64_MAX}, false, 3600000, NULL},
		{{0, 100 * MS},
		 false,
		 300,
		 "duration: expected at most 100 ms, got 300 ms, 200 ms too long"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct expectation *expectation =
			record_builder_expect(b, EXPECT_DURATION, ALL_ENDPOINTS);

		expectation->value.range.range = cases[i].range;
		expectation->value.range.exact = cases[i].exact;
		record_builder_client_exits(b, cases[i].exit_ms, 0);
		expect_outcome(b, cases[i].message ? OUTCOME_FAIL : OUTCOME_PASS, cases[i].message);
	}
}

Test(judge, attempts_are_counted_per_endpoint_and_over_all)
{
	static const struct {
		size_t endpoint;
		int64_t low, high;
		const char *message;
		uint32_t attempt;
	} cases[] = {
		{0, 3, 3, NULL, 0},
		{1, 1, 1, NULL, 0},
		{ALL_ENDPOINTS, 4, 4, NULL, 0},
		{0, 0, INT64_MAX, NULL, 0},
		{0, 2, 2, "attempts at one: expected 2, got 3, 1 too many", 3},
		{0, 0, 1, "attempts at one: expected at most 1, got 3, 2 too many", 2},
		{0, 0, 0, "attempts at one: expected 0, got 3, 3 too many", 0},
		{0, 4, INT64_MAX, "attempts at one: expected at least 4, got 3, 1 too few",
		 UINT32_MAX},
		{1, 2, 5, "attempts at two: expected 2 .. 5, got 1, 1 too few", UINT32_MAX},
		{ALL_ENDPOINTS, 3, 3, "attempts: expected 3, got 4, 1 too many", 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct judgement judgement;

		record_builder_endpoint(b, "one", "accept");
		record_builder_endpoint(b, "two", "accept");
		record_builder_attempt_connected(b, 0, 0);
		record_builder_attempt_connected(b, 1, 10);
		record_builder_attempt_connected(b, 0, 20);
		record_builder_attempt_connected(b, 0, 30);
		record_builder_client_exits(b, 40, 0);
		record_builder_expect_attempts(b, cases[i].endpoint, cases[i].low, cases[i].high);
		expect_outcome(b, cases[i].message ? OUTCOME_FAIL : OUTCOME_PASS, cases[i].message);
		judgement = record_builder_judge(b);
		if (judgement.n_findings > 0)
			cr_expect_eq(judgement.findings[0].attempt, cases[i].attempt);
		judgement_free(&judgement);
	}
}

Test(judge, retransmissions_and_attempts_are_counted_apart)
{
	static const struct {
		struct range range;
		const char *message;
	} cases[] = {
		{{3, 3}, NULL},
		{{0, 2}, "retransmissions at api: expected at most 2, got 3, 1 too many"},
		{{4, 4}, "retransmissions at api: expected 4, got 3, 1 too few"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "drop, lose 1, accept");

		record_builder_attempt_dropped(b, api, 0, 2500);
		record_builder_attempt_lost(b, api, 3000, 1);
		record_builder_attempt_connected(b, api, 5000);
		record_builder_client_exits(b, 5100, 0);
		record_builder_expect_attempts(b, api, 3, 3);
		record_builder_expect(b, EXPECT_RETRANSMISSIONS, api)->value.range.range =
			cases[i].range;
		expect_outcome(b, cases[i].message ? OUTCOME_FAIL : OUTCOME_PASS, cases[i].message);
	}
}

/* The kernel retransmits SYNs while an attempt lasts, and a client that starves ends it late. */
Test(judge, retransmissions_that_starvation_explains_are_an_error)
{
	static const struct {
		int64_t gives_up_ms, high, starved_ms;
		enum outcome outcome;
	} cases[] = {
		/* given up 170 ms after the kernel's second SYN, or 1.17 s after it */
		{1170, 0, 0, OUTCOME_FAIL},     {1170, 0, 169, OUTCOME_FAIL},
		{1170, 0, 170, OUTCOME_ERROR},  {1170, 1, 0, OUTCOME_PASS},
		{2170, 1, 170, OUTCOME_ERROR},  {2170, 0, 170, OUTCOME_FAIL},
		{2170, 0, 1170, OUTCOME_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "drop");
		struct judgement judgement;

		record_builder_starved(b, 0, 0, 0);
		record_builder_starved(b, cases[i].gives_up_ms - 1, cases[i].starved_ms, 0);
		record_builder_attempt_dropped(b, api, 0, cases[i].gives_up_ms);
		record_builder_client_exits(b, 2400, 1);
		record_builder_expect(b, EXPECT_RETRANSMISSIONS, api)->value.range.range =
			(struct range){0, cases[i].high};
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, cases[i].outcome, "case %zu: %s", i,
			     outcome_name(judgement.outcome));
		if (judgement.n_findings > 0)
			cr_expect_eq(judgement.findings[0].caused_by_lag,
				     cases[i].outcome == OUTCOME_ERROR, "case %zu", i);
		judgement_free(&judgement);
	}
}

/* No SYN is repeated while the clock jumps; the schedule says which would have been. */
Test(judge, retransmissions_are_computed_in_virtual_time)
{
	static const struct {
		int64_t gives_up_ms, low, high;
		enum outcome outcome;
	} cases[] = {
		{900, 0, 0, OUTCOME_PASS},   {900, 1, 1, OUTCOME_FAIL},
		{1020, 0, 0, OUTCOME_ERROR}, {1020, 0, 1, OUTCOME_PASS},
		{1500, 1, 1, OUTCOME_PASS},  {1500, 0, 0, OUTCOME_FAIL},
		{6500, 5, 5, OUTCOME_PASS},  {10000, 6, 6, OUTCOME_PASS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "drop");
		uint32_t id = record_builder_attempt(b, api);

		record_builder_syn(b, id, 1, 0);
		record_builder_verdict(b, id, 1, VERDICT_DROP, 0);
		record_builder_closed(b, id, cases[i].gives_up_ms, 0);
		record_builder_client_exits(b, cases[i].gives_up_ms + 1, 1);
		b->record->virtual_time = true;
		record_builder_expect(b, EXPECT_RETRANSMISSIONS, api)->value.range.range =
			(struct range){cases[i].low, cases[i].high};
		cr_expect_eq(outcome_of(b), cases[i].outcome, "case %zu", i);
	}
}

/* "delay 1500ms" that took 2.18 s: the SYN at 2 s came after the answer was due, that at 1 s
 * before. */
Test(judge, retransmissions_after_a_late_answer_are_an_error_and_those_before_are_not)
{
	static const struct {
		int64_t high;
		enum outcome outcome;
	} cases[] = {{2, OUTCOME_PASS}, {1, OUTCOME_ERROR}, {0, OUTCOME_FAIL}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "delay 1500ms");
		uint32_t id = record_builder_attempt(b, api);
		struct judgement judgement;

		for (uint32_t syn = 1; syn <= 3; syn++)
			record_builder_syn(b, id, syn, 1000 * (syn - 1));
		record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 2180);
		record_builder_established(b, id, 2180);
		record_builder_client_exits(b, 2400, 0);
		record_builder_expect(b, EXPECT_RETRANSMISSIONS, api)->value.range.range =
			(struct range){0, cases[i].high};
		b->record->harness_lag_ns = 1300 * MS;
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, cases[i].outcome, "case %zu: %s, %s", i,
			     outcome_name(judgement.outcome),
			     judgement.n_findings ? judgement.findings[0].message : "");
		judgement_free(&judgement);
	}
}

/* The answer was to the second SYN, so it was not late. */
Test(judge, retransmissions_that_the_script_asks_for_are_not_put_down_to_lag)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "lose 1");

	record_builder_attempt_lost(b, api, 0, 1);
	record_builder_client_exits(b, 1400, 0);
	record_builder_expect(b, EXPECT_RETRANSMISSIONS, api)->value.range.range =
		(struct range){0, 0};
	b->record->harness_lag_ns = 900 * MS;
	expect_outcome(b, OUTCOME_FAIL, "retransmissions at api: expected 0, got 1, 1 too many");
}

Test(judge, a_finding_says_what_where_and_by_how_much)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	struct judgement judgement;
	const struct finding *finding;

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_refused(b, api, 2000);
	record_builder_attempt_refused(b, api, 3020);
	record_builder_client_exits(b, 3030, 1);
	record_builder_expect_attempts(b, api, 3, 3);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	judgement = record_builder_judge(b);
	cr_assert_eq(judgement.outcome, OUTCOME_FAIL);
	cr_assert_eq(judgement.n_findings, 1);
	finding = &judgement.findings[0];
	cr_expect_str_eq(finding->type, "backoff");
	cr_expect_str_eq(finding->subject, "backoff 2 at api");
	cr_expect_str_eq(finding->expected, "2.00 s ± 200 ms");
	cr_expect_str_eq(finding->actual, "1.02 s");
	cr_expect_str_eq(finding->miss, "780 ms too short");
	cr_expect_str_eq(
		finding->message,
		"backoff 2 at api: expected 2.00 s ± 200 ms, got 1.02 s, 780 ms too short");
	cr_expect_eq(finding->place.line, 102);
	cr_expect_eq(finding->place.path, b->scenario->path);
	cr_expect_not(finding->caused_by_lag);
	cr_expect_eq(finding->attempt, 2);
	judgement_free(&judgement);
}

Test(judge, backoff_runs_from_the_end_of_an_attempt_and_attempt_delay_from_its_start)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop, delay 500ms then refuse, accept");

	record_builder_attempt_dropped(b, api, 0, 1500);
	record_builder_attempt_refused_late(b, api, 2500, 500);
	record_builder_attempt_connected(b, api, 4000);
	record_builder_client_exits(b, 4100, 0);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 1000)->tolerance =
		(struct tolerance){0};
	record_builder_expect_list(b, EXPECT_ATTEMPT_DELAY, api, 2500, 1500, -1)->tolerance =
		(struct tolerance){0};
	expect_outcome(b, OUTCOME_PASS, NULL);
}

Test(judge, waits_over_all_endpoints_go_by_the_order_of_attempts)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t one = record_builder_endpoint(b, "one", "refuse");
	size_t two = record_builder_endpoint(b, "two", "refuse");

	record_builder_attempt_refused(b, one, 0);
	record_builder_attempt_refused(b, two, 1000);
	record_builder_attempt_refused(b, one, 3000);
	record_builder_client_exits(b, 3100, 0);
	record_builder_expect_list(b, EXPECT_BACKOFF, ALL_ENDPOINTS, 1000, 2000, -1);
	record_builder_expect_list(b, EXPECT_BACKOFF, one, 3000, -1);
	expect_outcome(b, OUTCOME_PASS, NULL);
	record_builder_expect_list(b, EXPECT_BACKOFF, ALL_ENDPOINTS, 1000, 1000, -1);
	expect_outcome(b, OUTCOME_FAIL,
		       "backoff 2: expected 1.00 s ± 200 ms, got 2.00 s, 800 ms too long");
}

Test(judge, a_list_has_to_be_matched_wait_by_wait)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	struct judgement judgement;

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_refused(b, api, 1000);
	record_builder_attempt_refused(b, api, 3000);
	record_builder_client_exits(b, 3100, 0);

	record_builder_expect_list(b, EXPECT_BACKOFF, api, 1000, 2000, -1);
	expect_outcome(b, OUTCOME_PASS, NULL);

	record_builder_expect_list(b, EXPECT_BACKOFF, api, 1000, 2000, 4000, -1);
	expect_outcome(b, OUTCOME_FAIL, "backoff at api: expected 3 backoffs, got 2, 1 too few");

	free(b->scenario->expectations[1].value.policy.list);
	b->scenario->n_expectations = 1;
	record_builder_expect_list(b, EXPECT_BACKOFF, api, 1000, -1);
	expect_outcome(b, OUTCOME_FAIL, "backoff at api: expected 1 backoff, got 2, 1 too many");
	judgement = record_builder_judge(b);
	cr_expect_eq(judgement.findings[0].attempt, 2);
	judgement_free(&judgement);
}

Test(judge, a_range_in_a_list_is_taken_as_written)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	struct expectation *expectation;

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_refused(b, api, 2001);
	record_builder_client_exits(b, 3100, 0);
	expectation = record_builder_expect_list(b, EXPECT_BACKOFF, api, 2000, -1);
	expect_outcome(b, OUTCOME_PASS, NULL);
	expectation->value.policy.list[0].low = 1000 * MS;
	expect_outcome(b, OUTCOME_FAIL,
		       "backoff 1 at api: expected 1.00 s .. 2.00 s, got 2.00 s, 1.00 ms too long");
}

Test(judge, a_policy_needs_a_wait_to_judge)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");

	record_builder_client_exits(b, 100, 0);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	record_builder_attempt_connected(b, api, 10);
	expect_outcome(b, OUTCOME_FAIL, "backoff at api: no backoff to judge: 1 attempt");
	b->scenario->expectations[0].kind = EXPECT_ATTEMPT_DELAY;
	expect_outcome(b, OUTCOME_FAIL,
		       "attempt-delay at api: no attempt delay to judge: 1 attempt");
}

Test(judge, overlapping_attempts_are_too_short_a_wait)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop x2, refuse");

	record_builder_attempt_dropped(b, api, 0, 3500);
	record_builder_attempt_dropped(b, api, 2300, 4300);
	record_builder_attempt_refused(b, api, 6300);
	record_builder_client_exits(b, 7000, 1);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	expect_outcome(b, OUTCOME_FAIL,
		       "backoff 1 at api: expected 2.00 s ± 200 ms, but attempts 1 and 2 overlap: "
		       "attempt 2 started 1.20 s before attempt 1 ended");
}

Test(judge, retry_that_is_seen_before_our_rst_does_not_overlap)
{
	static const struct {
		int64_t overlap_ns, early_ns;
		enum outcome outcome;
	} cases[] = {
		{40000, 0, OUTCOME_PASS},
		{MS, 0, OUTCOME_PASS},
		{MS + 1, 0, OUTCOME_FAIL},
		/* The verdict may have taken effect earlier. */
		{6 * MS, 6 * MS, OUTCOME_ERROR},
		{6 * MS, 3 * MS, OUTCOME_FAIL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse, accept");
		uint32_t id = record_builder_attempt(b, api);
		struct judgement judgement;

		record_builder_syn(b, id, 1, 0);
		record_builder_verdict(b, id, 1, VERDICT_REFUSE, 5);
		record_builder_attempt_connected(b, api, 6);
		record_builder_closed(b, id, 90, 0);
		record_builder_client_exits(b, 100, 0);
		for (size_t k = 0; k < b->record->n_events; k++) {
			struct event *event = &b->record->events[k];

			if (event->kind != EVENT_VERDICT || event->u.net.attempt != 0)
				continue;
			event->at_ns = 6 * MS + cases[i].overlap_ns;
			event->early_ns = cases[i].early_ns;
		}
		record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 0);
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, cases[i].outcome, "case %zu: %s", i,
			     outcome_name(judgement.outcome));
		judgement_free(&judgement);
	}
}

/* The kernel reports a socket's death late. */
Test(judge, retry_that_is_seen_before_a_death_notice_does_not_overlap)
{
	static const struct {
		int64_t closed_ms, earlier_ms;
		enum outcome outcome;
	} cases[] = {
		{501, 0, OUTCOME_PASS},  {502, 0, OUTCOME_FAIL},   {502, 2, OUTCOME_ERROR},
		{550, 48, OUTCOME_FAIL}, {550, 60, OUTCOME_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "drop, accept");
		struct judgement judgement;

		record_builder_attempt_dropped(b, api, 0, cases[i].closed_ms);
		record_builder_or_earlier(b, cases[i].earlier_ms);
		record_builder_attempt_connected(b, api, 500);
		record_builder_client_exits(b, 1000, 0);
		record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 0);
		record_builder_expect(b, EXPECT_CONCURRENT_ATTEMPTS, ALL_ENDPOINTS)
			->value.range.range = (struct range){0, 1};
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, cases[i].outcome, "case %zu: %s", i,
			     outcome_name(judgement.outcome));
		judgement_free(&judgement);
	}
}

Test(judge, a_socket_left_open_leaves_no_wait)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop, accept");

	record_builder_attempt_left_open(b, api, 0);
	record_builder_attempt_connected(b, api, 2000);
	record_builder_client_exits(b, 2100, 0);
	record_builder_expect_fixed(b, EXPECT_ATTEMPT_DELAY, api, 2000);
	expect_outcome(b, OUTCOME_PASS, NULL);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	expect_outcome(b, OUTCOME_FAIL,
		       "backoff 1 at api: expected 2.00 s ± 200 ms, but the client never closed "
		       "attempt 1 (its socket was still open when attempt 2 started), so there was "
		       "no wait");
}

Test(judge, many_wrong_waits_are_shown_in_part)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	struct judgement judgement;

	for (int i = 0; i < 101; i++)
		record_builder_attempt_refused(b, api, i);
	record_builder_client_exits(b, 200, 1);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	judgement = record_builder_judge(b);
	cr_assert_eq(judgement.n_findings, 11);
	cr_expect_str_eq(judgement.findings[10].message,
			 "backoff at api: 90 more are not as expected");
	judgement_free(&judgement);
}

Test(judge, timing_scale_multiplies_tolerances)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	struct judge_options options = {.timing_scale = 2};
	struct judgement judgement;

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_refused(b, api, 2350);
	record_builder_client_exits(b, 2400, 1);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	expect_outcome(b, OUTCOME_FAIL,
		       "backoff 1 at api: expected 2.00 s ± 200 ms, got 2.35 s, 150 ms too long");
	judgement = judge(b->scenario, b->record, &options);
	cr_expect_eq(judgement.outcome, OUTCOME_PASS);
	judgement_free(&judgement);
}

/* Starvation inside a span can have made it longer, starvation before it shorter. */
Test(judge, a_time_is_judged_by_what_it_can_have_been_without_delays)
{
	static const struct {
		int64_t wait_ms, inside_ms, before_ms;
		enum outcome outcome;
	} cases[] = {
		{2300, 0, 0, OUTCOME_FAIL},
		{2300, 100, 0, OUTCOME_ERROR},
		{2300, 99, 0, OUTCOME_FAIL},
		{1700, 0, 100, OUTCOME_ERROR},
		{1700, 0, 99, OUTCOME_FAIL},
		{1700, 500, 0, OUTCOME_FAIL},
		{2300, 0, 500, OUTCOME_FAIL},
		{2200, 100, 0, OUTCOME_PASS},
		/* A time within the bounds may hide a miss. */
		{1850, 100, 0, OUTCOME_ERROR},
		{2150, 0, 100, OUTCOME_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse");
		struct judgement judgement;

		record_builder_starved(b, 0, 0, 0);
		record_builder_starved(b, 999, cases[i].before_ms, 0);
		record_builder_attempt_refused(b, api, 1000);
		record_builder_starved(b, 1001, cases[i].before_ms, 0);
		record_builder_starved(b, 1002, cases[i].before_ms + cases[i].inside_ms, 0);
		record_builder_attempt_refused(b, api, 1000 + cases[i].wait_ms);
		record_builder_client_exits(b, 3400, 1);
		record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, cases[i].outcome, "case %zu: %s", i,
			     outcome_name(judgement.outcome));
		if (judgement.n_findings > 0)
			cr_expect_eq(judgement.findings[0].caused_by_lag,
				     cases[i].outcome == OUTCOME_ERROR, "case %zu", i);
		judgement_free(&judgement);
	}
}

/* The record's largest lag says nothing about a single time: a client without any pause fails. */
Test(judge, the_largest_lag_of_a_run_explains_nothing)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	for (int i = 0; i < 100; i++)
		record_builder_attempt_refused(b, api, 5 * i);
	record_builder_client_exits(b, 600, 1);
	b->record->harness_lag_ns = b->record->client_lag_ns = 5000 * MS;
	record_builder_expect_fixed(b, EXPECT_ATTEMPT_DELAY, api, 500);
	cr_expect_eq(outcome_of(b), OUTCOME_FAIL);
}

Test(judge, an_incomplete_look_bounds_nothing)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	record_builder_attempt_refused(b, api, 0);
	record_builder_starved(b, 100, 0, 0);
	b->record->events[b->record->n_events - 1].u.starvation.incomplete = true;
	record_builder_attempt_refused(b, api, 2000);
	record_builder_client_exits(b, 2400, 1);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	cr_expect_eq(outcome_of(b), OUTCOME_ERROR);
}

/* Nothing waits for a processor while the client's clock jumps. */
Test(judge, delays_are_no_longer_than_real_time)
{
	static const struct {
		int64_t jump_ms;
		enum outcome outcome;
	} cases[] = {{1900, OUTCOME_PASS}, {1700, OUTCOME_ERROR}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse");
		const struct clock_jump jump = {.at_ns = 50 * MS, .by_ns = cases[i].jump_ms * MS};

		record_builder_attempt_refused(b, api, 0);
		record_builder_starved(b, 1960, 0, 0);
		b->record->events[b->record->n_events - 1].u.starvation.incomplete = true;
		record_builder_attempt_refused(b, api, 2000);
		record_builder_client_exits(b, 2400, 1);
		array_append(b->record->jumps, b->record->n_jumps, b->record->jumps_capacity, jump);
		record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
		cr_expect_eq(outcome_of(b), cases[i].outcome, "case %zu", i);
	}
}

/* When an unanswered attempt was given up is known only within an interval. */
Test(judge, next_attempt_may_begin_before_the_notice_that_one_was_given_up)
{
	static const struct {
		int64_t next_ms;
		enum outcome outcome;
	} cases[] = {
		{497, OUTCOME_PASS}, {503, OUTCOME_PASS}, {710, OUTCOME_ERROR},
		{760, OUTCOME_FAIL}, {440, OUTCOME_FAIL}, /* the other one was still open */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "drop");
		uint32_t first = record_builder_attempt(b, api);
		uint32_t next = record_builder_attempt(b, api);
		bool early = cases[i].next_ms < 500;

		record_builder_syn(b, first, 1, 0);
		record_builder_verdict(b, first, 1, VERDICT_DROP, 0);
		record_builder_starved(b, 1, 0, 0);
		for (int after = 0; after <= 1; after++) {
			if (early == !after) {
				record_builder_syn(b, next, 1, cases[i].next_ms);
				record_builder_verdict(b, next, 1, VERDICT_DROP, cases[i].next_ms);
			}
			if (after == 0) {
				record_builder_closed(b, first, 500, 0);
				record_builder_or_earlier(b, 5);
			}
		}
		record_builder_starved(b, 780, 20, 0);
		record_builder_closed(b, next, 800, 0);
		record_builder_client_exits(b, 900, 1);
		record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 0);
		cr_expect_eq(outcome_of(b), cases[i].outcome, "case %zu: %s", i,
			     outcome_name(outcome_of(b)));
	}
}

Test(judge, what_is_not_known_says_what_it_can_have_been)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	record_builder_attempt_refused(b, api, 0);
	record_builder_starved(b, 100, 0, 0);
	record_builder_starved(b, 2250, 150, 0);
	record_builder_attempt_refused(b, api, 2300);
	record_builder_client_exits(b, 2400, 1);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	expect_outcome(
		b, OUTCOME_ERROR,
		"backoff 1 at api: expected 2.00 s ± 200 ms, got 2.30 s, 100 ms too long; but "
		"the machine was too slow to tell: without delays it would have been 2.15 s .. "
		"2.30 s");
}

Test(judge, nothing_can_have_taken_less_than_no_time)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	record_builder_attempt_refused(b, api, 0);
	record_builder_starved(b, 1, 0, 0);
	record_builder_starved(b, 1000, 700, 700);
	record_builder_client_exits(b, 1000, 0);
	record_builder_expect(b, EXPECT_DURATION, ALL_ENDPOINTS)->value.range.range =
		(struct range){700 * MS, 900 * MS};
	expect_outcome(
		b, OUTCOME_ERROR,
		"duration: expected 700 ms .. 900 ms, got 1.00 s, 100 ms too long; but the "
		"machine was too slow to tell: without delays it would have been 0 .. 3.00 s");
}

Test(judge, a_real_failure_beside_one_that_is_not_known_comes_first)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	record_builder_attempt_refused(b, api, 0);
	record_builder_starved(b, 100, 0, 0);
	record_builder_starved(b, 2250, 150, 0);
	record_builder_attempt_refused(b, api, 2300);
	record_builder_client_exits(b, 2400, 1);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	record_builder_expect_attempts(b, api, 1, 1);
	expect_outcome(b, OUTCOME_FAIL, "attempts at api: expected 1, got 2, 1 too many");
}

Test(judge, an_exit_status_that_delays_can_account_for_is_not_known)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_refused(b, api, 2000);
	record_builder_client_exits(b, 2400, 1);
	record_builder_expect_exit(b, 0);
	cr_expect_eq(outcome_of(b), OUTCOME_FAIL);
	record_builder_starved(b, 100, 0, 0);
	record_builder_starved(b, 1000, 150, 0);
	cr_expect_eq(outcome_of(b), OUTCOME_FAIL, "no more than the tolerance of its pause");
	record_builder_starved(b, 1900, 250, 0);
	cr_expect_eq(outcome_of(b), OUTCOME_ERROR);
}

Test(judge, a_wrong_wait_is_found_behind_many_that_are_not_known)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	int64_t at_ms = 0;

	for (int i = 0; i < 20; i++, at_ms += 2300) {
		record_builder_attempt_refused(b, api, at_ms);
		record_builder_starved(b, at_ms + 1, 150 * i, 0);
	}
	record_builder_attempt_refused(b, api, at_ms + 2000);
	record_builder_client_exits(b, at_ms + 2100, 1);
	b->scenario->timeout_ns = DURATION_MAX_NS;
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	expect_outcome(b, OUTCOME_FAIL,
		       "backoff 20 at api: expected 2.00 s ± 200 ms, got 4.30 s, 2.10 s too long");
}

/* When each thing happened to the first attempt; 0: never. Its answer is due after 500 ms. */
struct late_answer {
	const char *script;
	enum serve_kind serve;
	enum verdict_kind verdict;
	int64_t decided_ms, established_ms, closed_ms;
	uint64_t acked;
	enum outcome outcome;
};

static void tell_late_answer(struct record_builder *b, const struct late_answer *story)
{
	size_t api = record_builder_endpoint(b, "api", story->script);
	uint32_t id = record_builder_attempt(b, api);

	b->scenario->endpoints[api].serve = story->serve;
	record_builder_syn(b, id, 1, 0);
	if (story->decided_ms)
		record_builder_verdict(b, id, 1, story->verdict, story->decided_ms);
	if (story->established_ms)
		record_builder_established(b, id, story->established_ms);
	record_builder_closed(b, id, story->closed_ms, 0);
	b->record->events[b->record->n_events - 1].u.net.bytes_acked = story->acked;
	record_builder_attempt_connected_late(b, api, 1000, 500);
	record_builder_client_exits(b, 1600, 0);
	record_builder_expect_attempts(b, api, 1, 1);
	b->record->harness_lag_ns = 140 * MS;
}

Test(judge, what_follows_an_answer_that_was_kept_back_is_not_the_clients_fault)
{
	static const char delay[] = "delay 500ms", lose[] = "lose 1, delay 500ms";
	static const struct late_answer cases[] = {
		/* gave up while it waited for us, */
		{delay, SERVE_HTTP, VERDICT_ACCEPT, 640, 0, 610, 0, OUTCOME_ERROR},
		{delay, SERVE_NONE, VERDICT_ACCEPT, 640, 0, 610, 0, OUTCOME_ERROR},
		/* reported after the answer, */
		{delay, SERVE_HTTP, VERDICT_ACCEPT, 640, 0, 641, 0, OUTCOME_ERROR},
		{delay, SERVE_HTTP, VERDICT_ACCEPT, 640, 640, 641, 0, OUTCOME_ERROR},
		{delay, SERVE_HTTP, VERDICT_ACCEPT, 500, 640, 641, 0, OUTCOME_ERROR},
		/* in its own time, */
		{delay, SERVE_HTTP, VERDICT_ACCEPT, 640, 0, 400, 0, OUTCOME_FAIL},
		{delay, SERVE_HTTP, VERDICT_ACCEPT, 502, 0, 501, 0, OUTCOME_FAIL},
		{lose, SERVE_HTTP, VERDICT_DROP, 1, 0, 610, 0, OUTCOME_FAIL},
		/* or not at all. */
		{delay, SERVE_HTTP, VERDICT_ACCEPT, 640, 640, 700, 1, OUTCOME_FAIL},
		{delay, SERVE_HTTP, VERDICT_ACCEPT, 500, 500, 700, 0, OUTCOME_FAIL},
		{delay, SERVE_NONE, VERDICT_ACCEPT, 640, 0, 641, 0, OUTCOME_FAIL},
		{delay, SERVE_HTTP, VERDICT_ACCEPT, 500, 0, 600, 0, OUTCOME_FAIL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct judgement judgement;

		tell_late_answer(b, &cases[i]);
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, cases[i].outcome, "case %zu: %s, %s", i,
			     outcome_name(judgement.outcome), judgement.findings[0].message);
		cr_expect_eq(judgement_is_late(&judgement), cases[i].outcome == OUTCOME_ERROR,
			     "case %zu", i);
		judgement_free(&judgement);
	}
}

Test(judge, an_answer_that_was_kept_back_is_named)
{
	const struct late_answer story = {"delay 500ms", SERVE_HTTP, VERDICT_ACCEPT, 616, 0,
					  616,           0,          OUTCOME_ERROR};
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	tell_late_answer(b, &story);
	expect_outcome(b, OUTCOME_ERROR,
		       "attempts at api: expected 1, got 2, 1 too many; but the machine was too "
		       "slow to tell: attempt 1 at api was answered 116 ms late, after the client "
		       "had given it up");
}

/* After the clock was set, it is unknown how long a SYN waited in the queue. */
Test(judge, a_syn_that_may_have_waited_may_have_been_answered_late)
{
	for (int waited_ms = 0; waited_ms <= 1200; waited_ms += 1200) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse, accept");
		struct judgement judgement;
		uint32_t id;

		record_builder_attempt_refused(b, api, 0);
		id = record_builder_attempt(b, api);
		record_builder_syn(b, id, 1, 1300);
		record_builder_or_earlier(b, waited_ms);
		record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 1300);
		record_builder_closed(b, id, 1310, 0);
		record_builder_attempt_connected(b, api, 1400);
		record_builder_client_exits(b, 1500, 0);
		record_builder_expect_attempts(b, api, 2, 2);
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, waited_ms ? OUTCOME_ERROR : OUTCOME_FAIL);
		cr_expect_eq(judgement_is_late(&judgement), waited_ms > 0);
		judgement_free(&judgement);
	}
}

Test(judge, timeout_fails_in_place_of_exit_and_duration)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	struct judgement judgement;

	api = record_builder_endpoint(b, "api", "drop");
	record_builder_attempt_dropped(b, api, 0, 30010);
	record_builder_times_out(b, 30000);
	record_builder_client_killed(b, 30010, SIGKILL);
	record_builder_expect_exit(b, 0);
	record_builder_expect(b, EXPECT_DURATION, ALL_ENDPOINTS)->value.range.range =
		(struct range){0, NS_PER_S};
	record_builder_expect_attempts(b, api, 2, 2);
	judgement = record_builder_judge(b);
	cr_expect_eq(judgement.outcome, OUTCOME_FAIL);
	cr_assert_eq(judgement.n_findings, 2);
	cr_expect_str_eq(judgement.findings[0].type, "timeout");
	cr_expect_str_eq(judgement.findings[0].message,
			 "the client was still running after 30.0 s, its timeout, and was ended");
	cr_expect_str_eq(judgement.findings[1].type, "attempts");
	judgement_free(&judgement);
}

Test(judge, what_a_slow_machine_cut_short_failed_in_nothing)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	struct judgement judgement;

	record_builder_attempt_refused(b, api, 0);
	record_builder_times_out(b, 30000);
	record_builder_client_killed(b, 30010, SIGKILL);
	record_builder_expect_attempts(b, api, 5, 5);
	judgement = record_builder_judge(b);
	cr_expect_eq(judgement.outcome, OUTCOME_FAIL);
	judgement_free(&judgement);
	record_builder_starved(b, 1, 0, 0);
	record_builder_starved(b, 29000, 4000, 0);
	judgement = record_builder_judge(b);
	cr_expect_eq(judgement.outcome, OUTCOME_ERROR);
	cr_expect(judgement_is_late(&judgement));
	cr_expect_eq(judgement.n_findings, 2);
	cr_expect(judgement.findings[1].caused_by_lag);
	judgement_free(&judgement);
}

Test(judge, timeout_is_an_error_when_delays_took_a_hundredth_of_it)
{
	static const struct {
		int64_t starved_ms;
		enum outcome outcome;
	} cases[] = {{300, OUTCOME_FAIL}, {301, OUTCOME_ERROR}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct judgement judgement;

		record_builder_times_out(b, 30000);
		record_builder_client_killed(b, 30010, SIGKILL);
		record_builder_expect_exit(b, 0);
		record_builder_starved(b, 1, 0, 0);
		record_builder_starved(b, 29000, cases[i].starved_ms, 0);
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, cases[i].outcome, "case %zu", i);
		judgement_free(&judgement);
	}
}

static const struct text_case {
	const char *name, *output;
	bool negated;
	enum text_match_kind match;
	const char *text, *message;
} text_cases[] = {
	{"contains", "Connection refused\n", false, TEXT_CONTAINS, "refused", NULL},
	{"contains not", "all is well\n\n", false, TEXT_CONTAINS, "refused",
	 "stderr: expected \"refused\", got 13 bytes, the last line is \"all is well\""},
	{"nothing written", "", false, TEXT_CONTAINS, "refused",
	 "stderr: expected \"refused\", got nothing"},
	{"only newlines", "\n\n", false, TEXT_CONTAINS, "refused",
	 "stderr: expected \"refused\", got only white space"},
	{"no pattern in contains", "Connection refused", false, TEXT_CONTAINS, "ref.sed",
	 "stderr: expected \"ref.sed\", got 18 bytes, the last line is \"Connection "
	 "refused\""},
	{"matches", "try 1\ntry 2\n", false, TEXT_MATCHES, "try \\d+\\ntry", NULL},
	{"matches not", "try 1", false, TEXT_MATCHES, "^\\d",
	 "stderr: expected a match of \"^\\d\", got 5 bytes, the last line is \"try 1\""},
	{"a character, not a byte", "na\xc3\xafve", false, TEXT_MATCHES, "^na.ve$", NULL},
	{"bytes that are not UTF-8", "na\xefve", false, TEXT_MATCHES, "^na.ve$", NULL},
	{"negated contains", "fine", true, TEXT_CONTAINS, "Traceback", NULL},
	{"negated contains, found", "oh\nTraceback (most\nrecent)", true, TEXT_CONTAINS,
	 "Traceback", "stderr: expected no \"Traceback\", got \"Traceback (most\""},
	{"negated matches", "fine", true, TEXT_MATCHES, "(?i)ERROR", NULL},
	{"negated matches, found", "an Error here", true, TEXT_MATCHES, "(?i)ERROR",
	 "stderr: expected no match of \"(?i)ERROR\", got \"an Error here\""},
	{"an escape sequence is not shown", "\033[31mred\033[0m", false, TEXT_CONTAINS, "blue",
	 "stderr: expected \"blue\", got 12 bytes, the last line is \"red\""},
};

Test(judge, output_is_held_against_texts_and_patterns)
{
	for (size_t i = 0; i < ARRAY_SIZE(text_cases); i++) {
		const struct text_case *c = &text_cases[i];
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

		record_builder_client_writes(b, STREAM_STDERR, 5, c->output, strlen(c->output));
		record_builder_client_exits(b, 10, 0);
		record_builder_expect_text(b, EXPECT_STDERR, c->negated, c->match, c->text);
		expect_outcome(b, c->message ? OUTCOME_FAIL : OUTCOME_PASS, c->message);
	}
}

/* Where another process has searched, its results count, and what it left out is unknown. */
Test(judge, searches_that_were_made_before_are_not_made_again)
{
	static const struct {
		struct text_search search;
		size_t n_searches;
		enum outcome outcome;
	} cases[] = {
		{{.result = PATTERN_FOUND, .offset = 4}, 1, OUTCOME_PASS},
		{{.result = PATTERN_NOT_FOUND}, 1, OUTCOME_FAIL},
		{{.result = PATTERN_IMPOSSIBLE, .reason = "it was killed"}, 1, OUTCOME_ERROR},
		{{.result = PATTERN_FOUND, .offset = 5}, 1, OUTCOME_ERROR},
		{{.result = PATTERN_FOUND, .piece = 1}, 1, OUTCOME_ERROR},
		{{.result = PATTERN_FOUND, .instance = 1}, 1, OUTCOME_ERROR},
		{{.result = PATTERN_FOUND}, 0, OUTCOME_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct text_search search = cases[i].search;
		const struct text_searches searches = {&search, cases[i].n_searches, 1};
		const struct judge_options options = {.timing_scale = 1, .searches = &searches};
		struct judgement judgement;

		record_builder_client_writes(b, STREAM_STDOUT, 5, "four", 4);
		record_builder_client_exits(b, 10, 0);
		record_builder_expect_text(b, EXPECT_STDOUT, false, TEXT_MATCHES, "not this");
		judgement = judge(b->scenario, b->record, &options);
		cr_expect_eq(judgement.outcome, cases[i].outcome, "case %zu", i);
		judgement_free(&judgement);
	}
}

Test(judge, stdout_and_stderr_are_not_mixed_up)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	record_builder_client_writes(b, STREAM_STDOUT, 5, "out", 3);
	record_builder_client_writes(b, STREAM_STDERR, 5, "err", 3);
	record_builder_client_exits(b, 10, 0);
	record_builder_expect_text(b, EXPECT_STDOUT, false, TEXT_CONTAINS, "out");
	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_CONTAINS, "err");
	expect_outcome(b, OUTCOME_PASS, NULL);
	record_builder_expect_text(b, EXPECT_STDOUT, false, TEXT_CONTAINS, "err");
	expect_outcome(b, OUTCOME_FAIL,
		       "stdout: expected \"err\", got 3 bytes, the last line is \"out\"");
}

/* Writes a long stream: text at the start, filler, text at the end. */
static void write_long(struct record_builder *b, const char *start, const char *middle,
		       const char *end)
{
	AUTO_STRBUF struct strbuf text = {0};
	size_t half = 2 * STREAM_KEEP;

	strbuf_puts(&text, start);
	strbuf_pad(&text, '.', half - text.length);
	strbuf_puts(&text, middle);
	strbuf_pad(&text, '.', 2 * half - text.length - strlen(end));
	strbuf_puts(&text, end);
	record_builder_client_writes(b, STREAM_STDERR, 5, text.data, text.length);
	record_builder_client_exits(b, 10, 0);
}

Test(judge, what_is_found_beside_a_cut_is_certain_and_what_is_not_found_can_not_be_judged)
{
	static const struct {
		const char *name;
		bool negated;
		enum text_match_kind match;
		const char *text;
		enum outcome outcome;
	} cases[] = {
		{"in the head", false, TEXT_CONTAINS, "first", OUTCOME_PASS},
		{"in the tail", false, TEXT_CONTAINS, "last", OUTCOME_PASS},
		{"in the middle", false, TEXT_CONTAINS, "between", OUTCOME_ERROR},
		{"negated, in the head", true, TEXT_CONTAINS, "first", OUTCOME_FAIL},
		{"negated, in the tail", true, TEXT_CONTAINS, "last", OUTCOME_FAIL},
		{"negated, not kept", true, TEXT_CONTAINS, "between", OUTCOME_ERROR},
		{"negated, nowhere", true, TEXT_CONTAINS, "nowhere", OUTCOME_ERROR},
		{"pattern in the head", false, TEXT_MATCHES, "f.rst", OUTCOME_PASS},
		{"pattern in the tail", false, TEXT_MATCHES, "l.st$", OUTCOME_PASS},
		{"pattern in the middle", false, TEXT_MATCHES, "b.tween", OUTCOME_ERROR},
		{"pattern across the cut", false, TEXT_MATCHES, "(?s)first.*last", OUTCOME_ERROR},
		{"a cut is not the end", true, TEXT_MATCHES, "\\.$", OUTCOME_ERROR},
		{"a cut is not the absolute end", true, TEXT_MATCHES, "\\.\\z", OUTCOME_ERROR},
		{"a cut is not the start", true, TEXT_MATCHES, "^\\.", OUTCOME_ERROR},
		{"a cut is not the absolute start", true, TEXT_MATCHES, "\\A\\.", OUTCOME_ERROR},
		{"the start is one", false, TEXT_MATCHES, "^first", OUTCOME_PASS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct judgement judgement;

		write_long(b, "first", "between", "last");
		record_builder_expect_text(b, EXPECT_STDERR, cases[i].negated, cases[i].match,
					   cases[i].text);
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, cases[i].outcome, "%s: %s", cases[i].name,
			     outcome_name(judgement.outcome));
		judgement_free(&judgement);
	}
}

Test(judge, text_across_the_parts_of_an_uncut_stream_is_found)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	AUTO_STRBUF struct strbuf text = {0};

	strbuf_pad(&text, '.', STREAM_KEEP - 3);
	strbuf_puts(&text, "refused");
	record_builder_client_writes(b, STREAM_STDERR, 5, text.data, text.length);
	record_builder_client_exits(b, 10, 0);
	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_CONTAINS, "refused");
	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_MATCHES, "refused$");
	expect_outcome(b, OUTCOME_PASS, NULL);
}

/* "é" from byte 1 on: both cuts go through a character. */
Test(judge, a_cut_through_a_character_leaves_the_rest_utf8)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	AUTO_STRBUF struct strbuf text = {0};

	strbuf_puts(&text, "x");
	while (text.length < 4 * STREAM_KEEP)
		strbuf_puts(&text, "\xc3\xa9");
	strbuf_puts(&text, "\xe2\x82\xac");
	record_builder_client_writes(b, STREAM_STDERR, 5, text.data, text.length);
	record_builder_client_exits(b, 10, 0);
	cr_assert_eq((unsigned char)b->record->streams[STREAM_STDERR].head[STREAM_KEEP - 1], 0xc3);
	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_MATCHES, "^x.\xc3\xa9");
	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_MATCHES, "\\x{20ac}$");
	expect_outcome(b, OUTCOME_PASS, NULL);
}

Test(judge, says_how_much_was_cut)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	write_long(b, "first", "between", "last");
	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_CONTAINS, "between");
	expect_outcome(b, OUTCOME_ERROR,
		       "stderr: expected \"between\", which can't be judged: of 262144 bytes of "
		       "output, 131072 in the middle were not kept");
}

Test(judge, a_pattern_that_backtracks_without_end_can_not_be_judged)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	AUTO_STRBUF struct strbuf text = {0};

	strbuf_pad(&text, 'a', 64);
	record_builder_client_writes(b, STREAM_STDERR, 5, text.data, text.length);
	record_builder_client_exits(b, 10, 0);
	record_builder_expect_text(b, EXPECT_STDERR, true, TEXT_MATCHES, "^(a+)+(b|c)(?<!x)$");
	expect_outcome(
		b, OUTCOME_ERROR,
		"stderr: expected no match of \"^(a+)+(b|c)(?<!x)$\", which can't be judged: "
		"the pattern can't be applied: it backtracks too much on this output");
}

Test(judge, a_failure_outweighs_what_can_not_be_judged)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	write_long(b, "first", "between", "last");
	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_CONTAINS, "between");
	record_builder_expect_exit(b, 1);
	expect_outcome(b, OUTCOME_FAIL, "exit status: expected 1, got 0");
}

Test(judge, harness_problem_is_an_error_for_every_client)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);

	record_builder_expect_exit(b, 7);
	record_add_problem(b->record, false, "the queue overflowed");
	expect_outcome(b, OUTCOME_ERROR, "the queue overflowed");
}

Test(judge, a_problem_of_synfaults_lateness_is_an_error_that_is_run_again)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);
	struct judgement judgement;

	record_add_problem(b->record, false, "a pause was too short for connections");
	b->record->problems[0].late = true;
	judgement = record_builder_judge(b);
	cr_expect_eq(judgement.outcome, OUTCOME_ERROR);
	cr_expect(judgement_is_late(&judgement));
	judgement_free(&judgement);
}

Test(judge, a_missing_capability_skips_only_when_the_client_did_not_start)
{
	static const struct {
		bool first_is_capability, started;
		enum outcome outcome;
	} cases[] = {
		{true, false, OUTCOME_SKIP},
		{true, true, OUTCOME_ERROR},
		{false, false, OUTCOME_ERROR},
		{false, true, OUTCOME_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

		b->record->client_started = cases[i].started;
		b->record->complete = false;
		record_add_problem(b->record, cases[i].first_is_capability, "no CAP_NET_ADMIN");
		record_add_problem(b->record, !cases[i].first_is_capability, "and more");
		expect_outcome(b, cases[i].outcome, "no CAP_NET_ADMIN");
	}
}

Test(judge, a_client_that_never_started_and_a_record_without_end_are_errors)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);

	record_builder_expect_exit(b, 0);
	b->record->complete = false;
	expect_outcome(b, OUTCOME_ERROR,
		       "the supervisor ended before the record was "
		       "complete");
	b->record->client_started = false;
	expect_outcome(b, OUTCOME_ERROR, "the client was never started");
}

/* An attempt that a working harness can't have recorded. */
struct broken_case {
	const char *script;
	void (*tell)(struct record_builder *b, uint32_t id);
	const char *message;
};

static void no_verdict(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
}

static void wrong_verdict(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 0);
}

static void accepted_instead_of_lost(struct record_builder *b, uint32_t id)
{
	for (uint32_t i = 1; i <= 2; i++) {
		record_builder_syn(b, id, i, 1000 * (i - 1));
		record_builder_verdict(b, id, i, i == 1 ? VERDICT_DROP : VERDICT_ACCEPT,
				       1000 * (i - 1));
	}
}

static void refused_and_connected(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_REFUSE, 0);
	record_builder_established(b, id, 1);
}

static void dropped_and_connected(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_DROP, 0);
	record_builder_established(b, id, 1);
}

static void deaf_to_rst(struct record_builder *b, uint32_t id)
{
	for (uint32_t i = 1; i <= 2; i++) {
		record_builder_syn(b, id, i, 1000 * (i - 1));
		record_builder_verdict(b, id, i, VERDICT_REFUSE, 1000 * (i - 1));
	}
}

static void missing_syn(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_DROP, 0);
	record_builder_syn(b, id, 3, 2000);
	record_builder_verdict(b, id, 3, VERDICT_DROP, 2000);
}

static void syn_seen_by_the_kernel_only(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_DROP, 0);
	record_builder_closed(b, id, 3500, 3);
}

static void two_verdicts(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_REFUSE, 0);
	record_builder_verdict(b, id, 1, VERDICT_REFUSE, 0);
}

static void no_syn(struct record_builder *b, uint32_t id)
{
	record_builder_established(b, id, 1);
}

static void too_early(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 100);
}

static void dropped_instead_of_delayed(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_DROP, 300);
}

static void wrong_step(struct record_builder *b, uint32_t id)
{
	b->record->attempts[id].step = 1;
	wrong_verdict(b, id);
}

static void wrong_number(struct record_builder *b, uint32_t id)
{
	b->record->attempts[id].number = 2;
	wrong_verdict(b, id);
}

static void wrong_delay(struct record_builder *b, uint32_t id)
{
	b->record->attempts[id].delay_ns = 1;
	wrong_verdict(b, id);
}

static void unknown_attempt(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_REFUSE, 0);
	record_builder_established(b, id + 1, 0);
}

static void unknown_endpoint(struct record_builder *b, uint32_t id)
{
	b->record->attempts[id].endpoint = 1;
}

static void another_script(struct record_builder *b, uint32_t id)
{
	free(b->record->endpoints[0].script);
	b->record->endpoints[0].script = xstrdup("drop");
}

static void another_name(struct record_builder *b, uint32_t id)
{
	free(b->record->endpoints[0].name);
	b->record->endpoints[0].name = xstrdup("web");
}

static void failed_server(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 0);
	record_builder_server_exits(b, 0, 10, W_EXITCODE(1, 0));
}

static void no_streams(struct record_builder *b, uint32_t id)
{
	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 0);
	for (size_t i = 0; i < b->record->n_streams; i++) {
		free(b->record->streams[i].name);
		free(b->record->streams[i].head);
		free(b->record->streams[i].tail);
	}
	b->record->n_streams = 0;
}

static const struct broken_case broken_cases[] = {
	{"refuse", no_verdict, "attempt 1 at api has no verdict for its SYN 1"},
	{"refuse", wrong_verdict,
	 "attempt 1 at api got the verdict \"accept\" for its SYN 1, not \"refuse\""},
	{"lose 2", accepted_instead_of_lost,
	 "attempt 1 at api got the verdict \"accept\" for its SYN 2, not \"drop\""},
	{"refuse", refused_and_connected, "attempt 1 at api was refused but got a connection"},
	{"drop", dropped_and_connected,
	 "attempt 1 at api got a connection though none of its SYNs was let through"},
	{"refuse", deaf_to_rst,
	 "attempt 1 at api went on sending SYNs after it was refused: the RST did not reach the "
	 "client"},
	{"drop", missing_syn, "attempt 1 at api has an event of SYN 3 of 2"},
	{"drop", syn_seen_by_the_kernel_only,
	 "attempt 1 at api sent 4 SYNs by the kernel's account, but the record has 1"},
	{"refuse", two_verdicts, "attempt 1 at api has SYN 1 answered twice"},
	{"accept", no_syn, "attempt 1 at api has no SYN"},
	{"delay 300ms", too_early,
	 "attempt 1 at api got the verdict for its SYN 1 before its time"},
	{"delay 300ms", dropped_instead_of_delayed,
	 "attempt 1 at api got the verdict \"drop\" for its SYN 1, not \"accept\""},
	{"refuse, accept", wrong_step,
	 "attempt 1 at api was served by step 2 of the script, not 1"},
	{"accept", wrong_number, "attempt 2 at api should have been number 1"},
	{"delay 1s..2s", wrong_delay, "attempt 1 at api has a delay that its step does not allow"},
	{"refuse", unknown_attempt, "an event is about attempt 2, which does not exist"},
	{"refuse", unknown_endpoint, "attempt 1 is at an endpoint that does not exist"},
	{"refuse", another_script,
	 "the record is of another scenario: its endpoint 1 is \"api\" with the script \"drop\""},
	{"refuse", another_name,
	 "the record is of another scenario: its endpoint 1 is \"web\" with the script \"refuse\""},
	{"accept", failed_server, "the server of api ended by exit status 1 while the client ran"},
	{"accept", no_streams, "the client's output is not in the record"},
};

Test(judge, a_record_that_contradicts_itself_is_an_error)
{
	for (size_t i = 0; i < ARRAY_SIZE(broken_cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", broken_cases[i].script);

		broken_cases[i].tell(b, record_builder_attempt(b, api));
		record_builder_client_exits(b, 5000, 0);
		record_builder_expect_exit(b, 7);
		expect_outcome(b, OUTCOME_ERROR, broken_cases[i].message);
	}
}

Test(judge, a_record_without_the_clients_end_is_an_error)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	record_builder_expect_exit(b, 0);
	expect_outcome(b, OUTCOME_ERROR, "the client's end is not in the record");
}

Test(judge, a_record_with_other_endpoints_is_an_error)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = retrying_client(&api);
	AUTO_RECORD_BUILDER struct record_builder *other = record_builder_new();
	struct judgement judgement;

	record_builder_expect_exit(other, 0);
	judgement = judge(other->scenario, b->record, NULL);
	cr_expect_eq(judgement.outcome, OUTCOME_ERROR);
	cr_expect_str_eq(judgement.findings[0].message,
			 "the record is of another scenario: it has 1 endpoint, not 0");
	judgement_free(&judgement);
}

Test(judge, server_may_end_well_or_after_the_client)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");

	record_builder_attempt_connected(b, api, 0);
	record_builder_server_exits(b, api, 5, W_EXITCODE(0, 0));
	record_builder_client_exits(b, 100, 0);
	record_builder_server_exits(b, api, 100, W_EXITCODE(0, SIGTERM));
	record_builder_expect_exit(b, 0);
	expect_outcome(b, OUTCOME_PASS, NULL);
}

Test(judge, a_syn_held_at_the_end_needs_no_verdict)
{
	for (int dropped = 0; dropped <= 1; dropped++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "delay 5s");
		uint32_t id = record_builder_attempt(b, api);

		record_builder_syn(b, id, 1, 0);
		record_builder_closed(b, id, 1000, 0);
		record_builder_client_exits(b, 1001, 1);
		if (dropped)
			record_builder_verdict(b, id, 1, VERDICT_DROP, 1002);
		record_builder_expect_exit(b, 1);
		expect_outcome(b, OUTCOME_PASS, NULL);
	}
}

static const struct fired_case {
	const char *name, *script;
	int refused;         /* attempts made, all refused */
	int64_t low, high;   /* attempts expected; low -1: no expectation */
	const char *message; /* NULL: every fault that had to fire did */
} fired_cases[] = {
	{"no attempt at all", "refuse", 0, -1, 0,
	 "the client made no attempt, which proves nothing; expect \"attempts: 0\" if that is "
	 "right"},
	{"none, and none is expected", "refuse", 0, 0, 0, NULL},
	{"none, and one is allowed", "refuse", 0, 0, 1, NULL},
	{"fewer than all, and none is allowed", "refuse x2", 1, 0, 2, NULL},
	{"accept never has to", "accept", 0, 0, 1, NULL},
	{"accept in between", "refuse, accept", 1, -1, 0, NULL},
	{"once is enough for the last", "refuse", 5, -1, 0, NULL},
	{"each of xN", "refuse x3", 2, -1, 0,
	 "step 1 (\"refuse x3\") at api fired for 2 of 3 attempts"},
	{"all of xN", "refuse x3, accept", 3, -1, 0, NULL},
	{"what is expected does not reach it", "refuse x2, drop", 2, 2, 2, NULL},
	{"what is expected reaches it", "refuse x2, drop", 2, 2, 3,
	 "step 2 (\"drop\") at api never fired"},
	{"a part of xN is expected", "refuse x5", 3, 3, 3, NULL},
	{"the client may stop inside a range", "refuse x5", 3, 3, 5, NULL},
	{"a minimum", "refuse x5", 3, 3, INT64_MAX, NULL},
	{"at least one of xN in any case", "refuse x2, delay 1s x3", 2, 2, 5,
	 "step 2 (\"delay 1s x3\") at api never fired"},
};

Test(judge, faults_have_to_fire_as_far_as_the_expected_attempts_reach)
{
	for (size_t i = 0; i < ARRAY_SIZE(fired_cases); i++) {
		const struct fired_case *c = &fired_cases[i];
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", c->script);

		for (int k = 0; k < c->refused; k++)
			record_builder_attempt_refused(b, api, 10 * k);
		record_builder_client_exits(b, 1000, 0);
		record_builder_expect_exit(b, 0);
		if (c->low >= 0)
			record_builder_expect_attempts(b, api, c->low, c->high);
		expect_outcome(b, c->message ? OUTCOME_ERROR : OUTCOME_PASS, c->message);
		if (c->low >= 0) {
			/* With a single endpoint, an expectation at all endpoints is the same. */
			b->scenario->expectations[1].endpoint = ALL_ENDPOINTS;
			expect_outcome(b, c->message ? OUTCOME_ERROR : OUTCOME_PASS, c->message);
		}
	}
}

Test(judge, an_expectation_over_all_endpoints_leaves_each_what_the_others_did_not_use)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t one = record_builder_endpoint(b, "one", "refuse x2");
	size_t two = record_builder_endpoint(b, "two", "refuse x2");

	record_builder_attempt_refused(b, one, 0);
	record_builder_attempt_refused(b, one, 10);
	record_builder_attempt_refused(b, one, 20);
	record_builder_client_exits(b, 1000, 0);
	record_builder_expect_attempts(b, ALL_ENDPOINTS, 1, 4);
	expect_outcome(b, OUTCOME_ERROR, "step 1 (\"refuse x2\") at two never fired");
	record_builder_attempt_refused(b, two, 30);
	expect_outcome(b, OUTCOME_PASS, NULL);
	b->scenario->expectations[0].value.range.range.low = 4;
	expect_outcome(b, OUTCOME_PASS, NULL);
}

Test(judge, a_client_that_gives_up_early_has_seen_the_fault)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api =
		record_builder_endpoint(b, "api", "lose 3, drop, delay 5s then refuse, accept");
	uint32_t id;

	record_builder_attempt_dropped(b, api, 0, 1500);
	record_builder_attempt_dropped(b, api, 2000, 2100);
	id = record_builder_attempt(b, api);
	record_builder_syn(b, id, 1, 3000);
	record_builder_closed(b, id, 3400, 0);
	record_builder_client_exits(b, 3500, 1);
	record_builder_expect_exit(b, 1);
	expect_outcome(b, OUTCOME_PASS, NULL);
}

Test(judge, delay_that_the_client_did_not_await_did_not_fire)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "delay 5s");
	uint32_t id = record_builder_attempt(b, api);

	record_builder_syn(b, id, 1, 0);
	record_builder_client_exits(b, 100, 1);
	record_builder_expect_exit(b, 1);
	expect_outcome(b, OUTCOME_ERROR, "step 1 (\"delay 5s\") at api never fired");
}

Test(judge, fault_that_never_fired_is_reported_with_its_place)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse, drop");
	struct judgement judgement;

	record_builder_attempt_refused(b, api, 0);
	record_builder_client_exits(b, 100, 1);
	record_builder_expect_attempts(b, api, 2, 2);
	judgement = record_builder_judge(b);
	cr_expect_eq(judgement.outcome, OUTCOME_FAIL);
	cr_assert_eq(judgement.n_findings, 2);
	cr_expect_str_eq(judgement.findings[1].type, "never-fired");
	cr_expect_eq(judgement.findings[1].place.line, 11);
	cr_expect_eq(judgement.findings[1].place.column, 20);
	judgement_free(&judgement);
	cr_expect(has_finding(b, "never fired"));
	/* The fault might have changed what the client printed and how it ended. */
	b->scenario->n_expectations = 0;
	record_builder_expect_exit(b, 0);
	expect_outcome(b, OUTCOME_ERROR, "step 2 (\"drop\") at api never fired");
}

/* A client whose attempts are 1 s apart, and refused if step 1 serves them. */
static struct record_builder *conditional_client(const char *script, const struct condition *when,
						 const char *steps)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", script);
	struct script *own = &b->scenario->endpoints[api].script;
	AUTO_STRBUF struct strbuf text = {0};

	if (when) {
		own->steps[0].when = *when;
		own->steps[0].when.given = true;
		if (!own->steps[0].when.chance)
			own->steps[0].when.chance = CHANCE_ALWAYS;
	}
	script_format(own, &text);
	free(b->record->endpoints[api].script);
	b->record->endpoints[api].script = strbuf_steal(&text);
	for (int64_t i = 0; steps[i]; i++) {
		uint32_t id = steps[i] == '1' ? record_builder_attempt_refused(b, api, i * 1000)
					      : record_builder_attempt_connected(b, api, i * 1000);

		b->record->attempts[id].step = (uint32_t)(steps[i] - '1');
	}
	record_builder_client_exits(b, 10000, 0);
	return b;
}

Test(judge, a_step_with_a_condition_has_to_fire_for_what_it_took_and_once_at_least)
{
	static const struct {
		const char *script;
		struct condition when;
		const char *steps;
		int64_t expected; /* attempts; 0: no expectation */
		enum outcome outcome;
		const char *message;
	} cases[] = {
		{"refuse, accept",
		 {.n_ranges = 1, .ranges = {{2, 3, 1}}},
		 "2112",
		 0,
		 OUTCOME_PASS,
		 ""},
		/* the client stopped inside the set */
		{"refuse, accept",
		 {.n_ranges = 1, .ranges = {{2, 3, 1}}},
		 "21",
		 0,
		 OUTCOME_PASS,
		 ""},
		{"refuse, accept",
		 {.n_ranges = 1, .ranges = {{2, 3, 1}}},
		 "2",
		 0,
		 OUTCOME_ERROR,
		 "no attempt met its condition"},
		/* that was expected */
		{"refuse, accept",
		 {.n_ranges = 1, .ranges = {{2, 3, 1}}},
		 "2",
		 1,
		 OUTCOME_PASS,
		 ""},
		{"refuse, accept",
		 {.n_ranges = 1, .ranges = {{1, 1, 1}}},
		 "22",
		 0,
		 OUTCOME_ERROR,
		 "was served by step 2 of the script, not 1"},
		{"down 1500ms, accept", {0}, "112", 0, OUTCOME_PASS, ""},
		{"down 6s..7s, accept",
		 {0},
		 "22",
		 0,
		 OUTCOME_ERROR,
		 "step 1 (\"down 6s..7s\") at api never fired: no attempt met its condition"},
		{"flap up 1s down 1s, accept", {0}, "2121", 0, OUTCOME_PASS, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = conditional_client(
			cases[i].script, cases[i].when.n_ranges ? &cases[i].when : NULL,
			cases[i].steps);

		if (cases[i].expected)
			record_builder_expect_attempts(b, 0, cases[i].expected, cases[i].expected);
		cr_expect_eq(outcome_of(b), cases[i].outcome, "%zu", i);
		if (*cases[i].message)
			cr_expect(has_finding(b, cases[i].message), "%zu", i);
	}
}

Test(judge, a_chance_has_to_be_drawn_and_may_go_against_the_step)
{
	size_t n_steps[2] = {0};

	for (uint64_t seed = 1; seed <= 20; seed++) {
		for (char step = '1'; step <= '2'; step++) {
			AUTO_RECORD_BUILDER struct record_builder *b = conditional_client(
				"refuse, accept", &(struct condition){.chance = 500000},
				(char[]){step, 0});
			struct judgement judgement;

			b->record->seed = seed;
			judgement = record_builder_judge(b);
			/* the seed decides: one of the two is right, the other a contradiction */
			cr_expect(judgement.outcome == OUTCOME_PASS ||
				  has_finding(b, "was served by step"));
			n_steps[step - '1'] += judgement.outcome == OUTCOME_PASS;
			judgement_free(&judgement);
		}
	}
	cr_expect_eq(n_steps[0] + n_steps[1], 20);
	cr_expect_gt(n_steps[0], 4);
	cr_expect_gt(n_steps[1], 4);
}

Test(judge, plain_steps_have_to_fire_for_what_conditions_left_them)
{
	AUTO_RECORD_BUILDER struct record_builder *b =
		conditional_client("refuse, drop x2, accept",
				   &(struct condition){.n_ranges = 1, .ranges = {{1, 2, 1}}}, "11");

	/* two attempts are expected, and steps with conditions serve both */
	record_builder_expect_attempts(b, 0, 2, 2);
	cr_expect_eq(outcome_of(b), OUTCOME_PASS, "nothing was left");
	b->scenario->expectations[0].value.range.range = (struct range){2, 5};
	cr_expect_eq(outcome_of(b), OUTCOME_ERROR, "more could have come");
	cr_expect(has_finding(b, "(\"drop x2\") at api never fired"));
}

Test(judge, number_that_any_client_has_is_never_luck)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	struct expectation *expectation;

	record_builder_attempt_refused(b, api, 0);
	record_builder_starved(b, 10, 0, 0);
	record_builder_starved(b, 9000, 8000, 0);
	record_builder_attempt_refused(b, api, 9100);
	record_builder_client_exits(b, 9200, 0);
	expectation = record_builder_expect(b, EXPECT_CONNECTED, api);
	expectation->value.range.range = (struct range){.low = 0, .high = 5};
	cr_expect_eq(outcome_of(b), OUTCOME_ERROR);
	expectation->value.range.range.high = INT64_MAX;
	expect_outcome(b, OUTCOME_PASS, NULL);
}
