/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of reading JUnit reports back: merging those of several machines, and durations. */
#include <criterion/criterion.h>

#include "runner/report/junit.h"
#include "runner/report/junit_merge.h"
#include "runner/report/junit_read.h"
#include "tests/lib/report_fixture.h"

TestSuite(junit_merge);

#define SUITE(file, properties, cases)                                                             \
	"<testsuite name='" file "' time='9.0' timestamp='2026-01-01T00:00:0" properties           \
	"' hostname='h" properties "' file='" file "'><properties><property name='synfault.seed' " \
	"value='" properties "'/></properties>" cases "</testsuite>"
#define CASE(name, line, inside)                                                                   \
	"<testcase name='" name "' classname='a' time='1.5' file='a.yaml' line='" line "'>" inside \
	"</testcase>"
#define REPORT(inside) "<testsuites name='synfault' time='3.250'>" inside "</testsuites>"

static char *write_report(const char *text)
{
	char path[] = "/tmp/synfault-test-XXXXXX";
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	return xstrdup(path);
}

static struct junit_part *part_of(const char *text)
{
	AUTO_FREE char *path = write_report(text), *message = NULL;
	struct junit_part *part = junit_part_load(path, &message);

	cr_assert(part, "%s", message);
	unlink(path);
	return part;
}

/* The merged report of two, or the message why there is none. */
static char *merge(const char *one, const char *two, struct junit_totals *ret_totals,
		   char **ret_message)
{
	struct junit_part *parts[] = {part_of(one), part_of(two)};
	size_t length;
	char *text = junit_merge(parts, 2, &length, ret_totals, ret_message);

	junit_part_free(parts[0]);
	junit_part_free(parts[1]);
	return text;
}

Test(junit_merge, makes_one_suite_per_file_and_counts_again)
{
	AUTO_FREE char *message = NULL;
	struct junit_totals totals = {0};
	AUTO_FREE char *text =
		merge(REPORT(SUITE("a.yaml", "2", CASE("c", "9", "") CASE("a", "1", "<skipped/>"))),
		      REPORT(SUITE("a.yaml", "1",
				   CASE("b10", "5", "<failure>no</failure><rerunFailure/>")
					   CASE("b9", "5", "<error type='scenario'/>"))
				     SUITE("b.yaml", "1", CASE("z", "1", "<flakyFailure/>"))),
		      &totals, &message);
	const char *order[] = {"name=\"a\"", "name=\"b9\"", "name=\"b10\"", "name=\"c\"",
			       "name=\"z\""};
	const char *at = text;

	cr_assert(text, "%s", message);
	cr_assert_eq(totals.counts.by_outcome[OUTCOME_PASS], 2);
	cr_assert_eq(totals.counts.by_outcome[OUTCOME_FAIL], 1);
	cr_assert_eq(totals.counts.by_outcome[OUTCOME_ERROR], 1);
	cr_assert_eq(totals.counts.by_outcome[OUTCOME_SKIP], 1);
	cr_assert_eq(totals.n_invalid, 1);
	cr_assert(strstr(text, "<testsuites name=\"synfault\" tests=\"5\" failures=\"1\" "
			       "errors=\"1\" time=\"3.250\">"),
		  "%s", text);
	cr_assert(strstr(text, "<testsuite name=\"a.yaml\" tests=\"4\" failures=\"1\" errors=\"1\" "
			       "skipped=\"1\" time=\"6.000\" timestamp=\"2026-01-01T00:00:01\""),
		  "%s", text);
	cr_assert(strstr(text, "name=\"synfault.seed\" value=\"2, 1\"") ||
			  strstr(text, "name=\"synfault.seed\" value=\"1, 2\""),
		  "%s", text);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		at = strstr(at, order[i]);
		cr_assert(at, "%s is not in its place: %s", order[i], text);
	}
	cr_assert(strstr(text, "<failure>no</failure>"), "the contents of a case are kept");
}

Test(junit_merge, refuses_a_case_that_is_in_two_reports)
{
	AUTO_FREE char *message = NULL;
	struct junit_totals totals = {0};
	AUTO_FREE char *text =
		merge(REPORT(SUITE("a.yaml", "1", CASE("a", "1", ""))),
		      REPORT(SUITE("a.yaml", "2", CASE("a", "1", ""))), &totals, &message);

	cr_assert_null(text);
	cr_assert(strstr(message, "\"a\" of a.yaml is in /tmp/"), "%s", message);
}

Test(junit_merge, merge_refuses_a_file_that_is_not_a_report)
{
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{"", "can't be read"},
		{"<testsuites>", "can't be read"},
		{"<html/>", "is not a JUnit report"},
	};
	AUTO_FREE char *missing = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *path = write_report(cases[i].text), *message = NULL;

		cr_assert_null(junit_part_load(path, &message));
		cr_assert(strstr(message, cases[i].complaint), "%s", message);
		unlink(path);
	}
	cr_assert_null(junit_part_load("/nowhere.xml", &missing));
	cr_assert(strstr(missing, "/nowhere.xml can't be read"), "%s", missing);
}

Test(junit_merge, knows_the_shard_of_a_report_even_if_it_is_empty)
{
	struct run_results results = {.shard = (char[]){"3/8"}, .seed = 1};
	size_t length;
	AUTO_FREE char *text = junit_format(&results, NULL, &length);
	struct junit_part *part = part_of(text), *whole = part_of(REPORT(""));

	cr_assert_str_eq(junit_part_shard(part), "3/8");
	cr_assert_str_eq(junit_part_shard(whole), "");
	junit_part_free(part);
	junit_part_free(whole);
}

Test(junit_read, finds_durations_by_file_and_name)
{
	AUTO_FREE char *path =
		write_report(REPORT(SUITE("a.yaml", "1", CASE("b", "1", "") CASE("a", "2", ""))));
	AUTO_FREE char *message = NULL;
	struct case_durations durations = {0};

	cr_assert(junit_read_durations(path, &durations, &message), "%s", message);
	cr_assert_eq(case_duration(&durations, "a.yaml\ta"), INT64_C(1500000000));
	cr_assert_eq(case_duration(&durations, "a.yaml\tc"), -1);
	cr_assert_eq(case_duration(&durations, "b.yaml\ta"), -1);
	case_durations_free(&durations);
	unlink(path);
	cr_assert(!junit_read_durations(path, &durations, &message));
}

Test(junit_read, seconds_are_read_in_every_locale)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{"0", 0},
		{"1.5", INT64_C(1500000000)},
		{"12.345", INT64_C(12345000000)},
		{"0.001", 1000000},
		{"", 0},
		{"1,5", 0},
		{"-1", 0},
		{"NaN", 0},
		{"1e9", 0},
		{"1.0000000000001", INT64_C(1000000000)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(junit_seconds(cases[i].text), cases[i].ns, "%s", cases[i].text);
}

/* ---- what a report says of runs before the last ---- */

Test(junit_merge, report_keeps_runs_before_the_last_in_one_case)
{
	static const struct {
		enum outcome first, last;
		const char *element;
	} cases[] = {
		{OUTCOME_FAIL, OUTCOME_PASS, "<flakyFailure message=\"first run\" type=\"exit\">"},
		{OUTCOME_ERROR, OUTCOME_PASS, "<flakyError message=\"first run\" type=\"exit\">"},
		{OUTCOME_FAIL, OUTCOME_FAIL, "<failure message=\"first run\" type=\"exit\">"},
		{OUTCOME_ERROR, OUTCOME_ERROR, "<error message=\"first run\" type=\"exit\">"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct report_fixture *fixture = report_fixture_new();
		struct record_builder *builder = record_builder_new();
		struct judgement last = {.outcome = cases[i].last};
		struct earlier_run earlier = {.judgement = {.outcome = cases[i].first}};
		struct result *result;
		size_t length;

		record_builder_client_exits(builder, 10, 0);
		report_fixture_finding(&earlier.judgement, "exit", NULL, NULL, NULL, "first run");
		result = report_fixture_result(fixture, report_fixture_file(fixture, "a.yaml", ""),
					       "x", 1, builder, &last);
		array_append(result->earlier, result->n_earlier, result->earlier_capacity, earlier);
		AUTO_FREE char *text = junit_format(&fixture->results, NULL, &length);

		cr_assert(strstr(text, cases[i].element), "case %zu: %s", i, text);
		cr_assert(strstr(text, "tests=\"1\""), "one case: %s", text);
		cr_assert(strstr(text, "run 1: first run") || strstr(text, ">first run"), "%s",
			  text);
		report_fixture_free(fixture);
	}
}
