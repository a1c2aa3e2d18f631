/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of retries: what runs again, what becomes of earlier runs, and what is flaky. */
#include <criterion/criterion.h>

#include "runner/schedule/retry.h"
#include "tests/lib/report_fixture.h"

TestSuite(retry);

static struct record_builder *builder(void)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse, accept");

	record_builder_attempt_refused(b, api, 0);
	record_builder_client_exits(b, 10, 1);
	return b;
}

/* A judgement as of a run for which the machine was too slow. */
static struct judgement late_judgement(void)
{
	struct judgement judgement = {.outcome = OUTCOME_ERROR};

	report_fixture_finding(&judgement, "backoff", "backoff 1", "1 s", "2 s",
			       "backoff 1: too late");
	judgement.findings[0].caused_by_lag = true;
	return judgement;
}

/*
 * A result with this outcome after several runs: first @n_late that the machine was too slow for,
 * then @n_wrong that failed.
 */
static struct result *result_after(struct report_fixture *fixture, enum outcome outcome,
				   size_t n_late, size_t n_wrong)
{
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "");
	struct result *result = report_fixture_result(fixture, file, "x", 1, builder(), NULL);

	judgement_free(&result->judgement);
	for (size_t i = 0; i < n_late; i++) {
		result->judgement = late_judgement();
		retry_begin(result);
	}
	for (size_t i = 0; i < n_wrong; i++) {
		result->judgement = (struct judgement){.outcome = OUTCOME_FAIL};
		report_fixture_finding(&result->judgement, "exit", "exit", "0", "1", "wrong exit");
		retry_begin(result);
	}
	result->judgement = (struct judgement){.outcome = outcome};
	if (n_late + n_wrong) {
		struct record_builder *b = builder();

		result->record = b->record;
		b->record = record_new();
		record_builder_free(b);
	}
	return result;
}

static struct result *result_of(struct report_fixture *fixture, enum outcome outcome,
				size_t n_earlier)
{
	return result_after(fixture, outcome, 0, n_earlier);
}

Test(retry, is_due_for_a_scenario_that_did_not_pass_while_any_are_left)
{
	static const struct {
		enum outcome outcome;
		size_t n_earlier;
		unsigned retries;
		bool interrupted, due;
	} cases[] = {
		{OUTCOME_FAIL, 0, 1, false, true},  {OUTCOME_ERROR, 0, 1, false, true},
		{OUTCOME_PASS, 0, 1, false, false}, {OUTCOME_SKIP, 0, 1, false, false},
		{OUTCOME_FAIL, 0, 0, false, false}, {OUTCOME_FAIL, 1, 1, false, false},
		{OUTCOME_FAIL, 1, 2, false, true},  {OUTCOME_FAIL, 0, 1, true, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct report_fixture *fixture = report_fixture_new();
		struct result *result = result_of(fixture, cases[i].outcome, cases[i].n_earlier);
		struct retry_policy policy = {.retries = cases[i].retries};

		result->interrupted = cases[i].interrupted;
		cr_assert_eq(retry_due(&policy, result), cases[i].due ? RETRY_SOON : RETRY_NONE,
			     "case %zu", i);
		report_fixture_free(fixture);
	}
}

Test(retry, after_a_slow_machine_waits_until_it_is_alone)
{
	static const struct {
		size_t n_late, n_wrong; /* runs before */
		unsigned late_retries, retries;
		enum retry_kind expected;
	} cases[] = {
		{0, 0, 2, 0, RETRY_ALONE}, {1, 0, 2, 0, RETRY_ALONE}, {2, 0, 2, 0, RETRY_NONE},
		{0, 0, 0, 0, RETRY_NONE},  {0, 0, 0, 1, RETRY_SOON},  {2, 0, 2, 1, RETRY_SOON},
		{0, 1, 2, 1, RETRY_ALONE}, {2, 1, 2, 1, RETRY_NONE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct report_fixture *fixture = report_fixture_new();
		struct result *result =
			result_after(fixture, OUTCOME_ERROR, cases[i].n_late, cases[i].n_wrong);
		struct retry_policy policy = {.retries = cases[i].retries,
					      .late_retries = cases[i].late_retries};

		result->judgement = late_judgement();
		cr_assert_eq(retry_due(&policy, result), cases[i].expected, "case %zu", i);
		report_fixture_free(fixture);
	}
}

Test(retry, after_a_slow_machine_leaves_those_after_failures_as_they_were)
{
	CLEANUP(report_fixture_freep) struct report_fixture *fixture = report_fixture_new();
	struct retry_policy policy = {.retries = 1, .late_retries = 2};

	cr_assert_eq(retry_due(&policy, result_after(fixture, OUTCOME_FAIL, 2, 0)), RETRY_SOON);
	cr_assert_eq(retry_due(&policy, result_after(fixture, OUTCOME_FAIL, 2, 1)), RETRY_NONE);
	/* Another error is not the machine's fault. */
	cr_assert_eq(retry_due(&policy, result_after(fixture, OUTCOME_ERROR, 0, 1)), RETRY_NONE);
}

Test(retry, keeps_the_earlier_runs)
{
	CLEANUP(report_fixture_freep) struct report_fixture *fixture = report_fixture_new();
	struct result *result = result_of(fixture, OUTCOME_PASS, 2);

	cr_assert_eq(result->n_earlier, 2);
	cr_assert_not_null(result->earlier[0].record);
	cr_assert_eq(result->earlier[1].judgement.outcome, OUTCOME_FAIL);
	cr_assert_str_eq(result->earlier[1].judgement.findings[0].message, "wrong exit");
}

Test(retry, that_passes_is_flaky)
{
	static const struct {
		enum outcome outcome;
		size_t n_earlier;
		bool fails, flaky;
		enum outcome in_the_end;
	} cases[] = {
		{OUTCOME_PASS, 0, false, false, OUTCOME_PASS},
		{OUTCOME_PASS, 1, false, true, OUTCOME_PASS},
		{OUTCOME_PASS, 1, true, true, OUTCOME_FAIL},
		{OUTCOME_PASS, 0, true, false, OUTCOME_PASS},
		{OUTCOME_FAIL, 2, false, false, OUTCOME_FAIL},
		{OUTCOME_ERROR, 2, true, false, OUTCOME_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct report_fixture *fixture = report_fixture_new();
		struct result *result = result_of(fixture, cases[i].outcome, cases[i].n_earlier);
		struct retry_policy policy = {.retries = 3, .flaky_fails = cases[i].fails};

		retry_settle(&policy, result);
		cr_assert_eq(result->flaky, cases[i].flaky, "case %zu", i);
		cr_assert_eq(result_outcome(result), cases[i].in_the_end, "case %zu", i);
		if (cases[i].flaky && cases[i].fails)
			cr_assert_str_eq(result->judgement.findings[0].message,
					 "flaky: passed in run 2; run 1: wrong exit");
		report_fixture_free(fixture);
	}
}

Test(retry, because_of_a_slow_machine_makes_no_client_flaky)
{
	CLEANUP(report_fixture_freep) struct report_fixture *fixture = report_fixture_new();
	struct retry_policy policy = {.retries = 3, .late_retries = 2, .flaky_fails = true};
	struct result *result = result_after(fixture, OUTCOME_PASS, 2, 0);

	retry_settle(&policy, result);
	cr_assert_not(result->flaky);
	cr_assert_eq(result_outcome(result), OUTCOME_PASS);
	result = result_after(fixture, OUTCOME_PASS, 1, 1);
	retry_settle(&policy, result);
	cr_assert(result->flaky);
	cr_assert_str_eq(result->judgement.findings[0].message,
			 "flaky: passed in run 3; run 2: wrong exit");
}

Test(retry, of_virtual_time_that_proves_nothing_is_due_once_and_in_real_time)
{
	static const struct {
		enum outcome outcome;
		bool clock_failed, confirm, due;
	} cases[] = {
		{OUTCOME_ERROR, true, false, true}, {OUTCOME_ERROR, true, true, true},
		{OUTCOME_FAIL, false, true, true},  {OUTCOME_FAIL, false, false, false},
		{OUTCOME_ERROR, false, true, true}, {OUTCOME_ERROR, false, false, false},
		{OUTCOME_PASS, false, true, false},
	};
	const struct retry_policy policy = {.retries = 0};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(report_fixture_freep) struct report_fixture *fixture = report_fixture_new();
		struct result *result = result_after(fixture, cases[i].outcome, 0, 0);

		result->confirm = cases[i].confirm;
		result->record->virtual_time = true;
		if (cases[i].clock_failed)
			result->record->clock_failure = xstrdup("it was killed");
		cr_assert_eq(retry_due(&policy, result), cases[i].due ? RETRY_SOON : RETRY_NONE,
			     "case %zu", i);
		if (!cases[i].due)
			continue;
		retry_begin(result);
		cr_assert(result->real_time);
		cr_assert_eq(result_count_unproven(result), 1);
		result->judgement = (struct judgement){.outcome = OUTCOME_PASS};
		result->record = record_new();
		retry_settle(&policy, result);
		cr_assert_not(result->flaky, "case %zu", i);
	}
}
