/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which scenarios --last-failed remembers, in a state directory of the test's own. */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "runner/schedule/last_failed.h"
#include "tests/lib/report_fixture.h"

static char state[] = "/tmp/test_last_failed.XXXXXX";

static void begin(void)
{
	cr_assert_not_null(mkdtemp(state));
	cr_assert_eq(setenv("XDG_STATE_HOME", state, 1), 0);
}

static void end(void)
{
	AUTO_FREE char *command = xasprintf("rm -r %s", state);

	cr_assert_eq(system(command), 0);
}

TestSuite(last_failed, .init = begin, .fini = end);

/* A run of the scenarios "a", "b", … with these outcomes, all of one file. */
static struct report_fixture *run_of(const char *path, size_t n, const enum outcome *outcomes)
{
	struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, path, "");

	for (size_t i = 0; i < n; i++) {
		const struct judgement judgement =
			report_fixture_judgement(outcomes[i], "exit", "it is so");

		report_fixture_result(fixture, file, (char[]){(char)('a' + i), '\0'}, 1,
				      report_fixture_passing(), &judgement);
	}
	return fixture;
}

#define RUN_OF(path, ...)                                                                          \
	run_of(path, ARRAY_SIZE(((const enum outcome[]){__VA_ARGS__})),                            \
	       (const enum outcome[]){__VA_ARGS__})

/* Updates what is remembered, as a run does at its end. */
static void remember(const struct report_fixture *fixture)
{
	struct last_failed failed;

	last_failed_read(&failed);
	last_failed_update(&failed, &fixture->results);
	last_failed_write(&failed);
	last_failed_free(&failed);
}

static void are_remembered(const struct report_fixture *fixture, const char *expected)
{
	struct last_failed failed;
	AUTO_STRBUF struct strbuf names = {0};

	last_failed_read(&failed);
	for (size_t i = 0; i < fixture->results.n_items; i++)
		if (last_failed_has(&failed, &fixture->results.items[i]))
			strbuf_puts(&names, result_name(&fixture->results.items[i]));
	cr_expect_str_eq(strbuf_text(&names), expected);
	last_failed_free(&failed);
}

Test(last_failed, failures_and_errors_are_remembered_until_they_pass)
{
	AUTO_FIXTURE struct report_fixture *first =
		RUN_OF("x.yaml", OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_ERROR, OUTCOME_SKIP);
	AUTO_FIXTURE struct report_fixture *second =
		RUN_OF("x.yaml", OUTCOME_PASS, OUTCOME_PASS, OUTCOME_ERROR);

	are_remembered(first, "");
	remember(first);
	are_remembered(first, "bc");
	remember(second);
	are_remembered(first, "c");
}

Test(last_failed, scenarios_of_the_same_name_in_other_files_are_others)
{
	AUTO_FIXTURE struct report_fixture *here = RUN_OF("x.yaml", OUTCOME_FAIL);
	AUTO_FIXTURE struct report_fixture *elsewhere = RUN_OF("y.yaml", OUTCOME_PASS);

	remember(here);
	remember(elsewhere);
	are_remembered(here, "a");
	are_remembered(elsewhere, "");
}

Test(last_failed, one_failure_among_repetitions_is_enough)
{
	AUTO_FIXTURE struct report_fixture *run =
		RUN_OF("x.yaml", OUTCOME_FAIL, OUTCOME_PASS, OUTCOME_PASS);

	for (size_t i = 1; i < 3; i++)
		run->results.items[i].scenario = run->results.items[0].scenario;
	remember(run);
	are_remembered(run, "aaa");
}

Test(last_failed, what_was_interrupted_stays_as_it_was)
{
	AUTO_FIXTURE struct report_fixture *first = RUN_OF("x.yaml", OUTCOME_FAIL);
	AUTO_FIXTURE struct report_fixture *second = RUN_OF("x.yaml", OUTCOME_PASS);

	second->results.items[0].interrupted = true;
	remember(second);
	are_remembered(first, "");
	remember(first);
	remember(second);
	are_remembered(first, "a");
}

/* The one file in the state directory, which the directory names. */
static char *state_file(void)
{
	AUTO_FREE char *command = xasprintf("find %s -type f", state);
	char line[256] = "";
	FILE *find = popen(command, "re");

	cr_assert_not_null(find);
	if (fgets(line, sizeof(line), find))
		line[strcspn(line, "\n")] = '\0';
	pclose(find);
	return xstrdup(line);
}

Test(last_failed, nothing_is_left_when_all_pass)
{
	AUTO_FIXTURE struct report_fixture *first = RUN_OF("x.yaml", OUTCOME_FAIL);
	AUTO_FIXTURE struct report_fixture *second = RUN_OF("x.yaml", OUTCOME_PASS);
	AUTO_FREE char *file = NULL, *none = NULL;

	remember(first);
	file = state_file();
	cr_expect_str_not_empty(file);
	remember(second);
	none = state_file();
	cr_expect_str_empty(none);
}

Test(last_failed, a_path_that_is_not_utf8_is_remembered_too)
{
	AUTO_FIXTURE struct report_fixture *run = RUN_OF("\xff.yaml", OUTCOME_FAIL);

	remember(run);
	are_remembered(run, "a");
}

Test(last_failed, a_file_that_is_not_ours_counts_as_empty)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"failed\": 7}",
		"{\"failed\": [{\"path\": 1, \"name\": \"a\"}]}",
		"{\"failed\": [{\"path\": \"/x.yaml\", \"name\": \"a\"}, {}]}",
	};
	AUTO_FIXTURE struct report_fixture *run = RUN_OF("x.yaml", OUTCOME_FAIL);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct last_failed failed;
		AUTO_FREE char *path = NULL;
		FILE *file;

		remember(run);
		path = state_file();
		file = fopen(path, "we");
		cr_assert_not_null(file);
		fputs(texts[i], file);
		fclose(file);
		last_failed_read(&failed);
		cr_expect_eq(failed.n_items, 0, "%s", texts[i]);
		last_failed_free(&failed);
	}
}
