/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Annotations and the job summary for GitHub Actions: escapes, places, limits. */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "runner/report/github.h"
#include "tests/lib/report_fixture.h"

static struct scenario_file *file_of(struct report_fixture *fixture)
{
	return fixture->n_files
		       ? fixture->files[0]
		       : report_fixture_file(fixture, "a.yaml", "name: a\n    faluts: b\n");
}

static struct result *add_failure(struct report_fixture *fixture, const char *name)
{
	return report_fixture_result(fixture, file_of(fixture), name, 10, report_fixture_failing(1),
				     NULL);
}

static char *annotations(const struct report_fixture *fixture)
{
	struct strbuf text = {0};

	github_annotations(&fixture->results, &text);
	strbuf_puts(&text, "");
	return text.data ? strbuf_steal(&text) : xstrdup("");
}

static char *summary(const struct report_fixture *fixture, size_t limit)
{
	struct strbuf text = {0};

	github_summary(&fixture->results, limit, &text);
	return text.data ? strbuf_steal(&text) : xstrdup("");
}

Test(github, annotates_the_expectation_that_was_not_met)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_FREE char *text = NULL;
	struct result *result = add_failure(fixture, "fails");

	result->judgement.findings[0].place = (struct place){.line = 23, .column = 13};
	text = annotations(fixture);
	cr_assert_eq(report_fixture_count(text, "\n"), 1, "%s", text);
	cr_assert(!strncmp(text, "::error file=a.yaml,line=23,col=13,title=fails::", 48), "%s",
		  text);
	cr_assert(strstr(text, "exit status: expected 0, got 1"), "%s", text);
}

Test(github, annotates_errors_in_files_and_flaky_results)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_FREE char *text = NULL;
	struct result *flaky;

	report_fixture_broken(fixture, file_of(fixture), "document 1", 2, "unknown key");
	flaky = report_fixture_result(fixture, file_of(fixture), "passes", 4,
				      report_fixture_passing(), NULL);
	flaky->flaky = true;
	text = annotations(fixture);
	cr_assert(strstr(text, "::error file=a.yaml,line=2,col=5,title=document 1::unknown key\n"),
		  "%s", text);
	cr_assert(strstr(text, "::warning file=a.yaml,line=4,title=passes::flaky: "), "%s", text);
}

Test(github, says_nothing_about_scenarios_that_passed)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_FREE char *text = NULL;

	report_fixture_result(fixture, file_of(fixture), "passes", 4, report_fixture_passing(),
			      NULL);
	text = annotations(fixture);
	cr_assert_str_empty(text);
}

Test(github, names_can_not_end_a_command_or_begin_one)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_FREE char *text = NULL;

	add_failure(fixture, "50% of a, b: c::error::\n::set-env name=A::b\r");
	text = annotations(fixture);
	cr_assert_eq(report_fixture_count(text, "\n"), 1, "%s", text);
	cr_assert(strstr(text, "title=50%25 of a%2C b%3A c%3A%3Aerror%3A%3A %3A%3Aset-env name=A"),
		  "%s", text);
}

Test(github, more_annotations_than_are_shown_are_counted)
{
	static const size_t numbers[] = {GITHUB_MAX_ANNOTATIONS, GITHUB_MAX_ANNOTATIONS + 1, 500};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
		AUTO_FREE char *text = NULL;

		for (size_t k = 0; k < numbers[i]; k++)
			add_failure(fixture, "fails");
		text = annotations(fixture);
		cr_assert_eq(report_fixture_count(text, "\n"), GITHUB_MAX_ANNOTATIONS, "%zu: %s", i,
			     text);
		if (numbers[i] == GITHUB_MAX_ANNOTATIONS)
			cr_assert_not(strstr(text, "more failures"));
		else if (i == 2)
			cr_assert(strstr(text, "::error title=491 more failures::500 failures"),
				  "%s", text);
	}
}

Test(github, the_summary_shows_failures_with_their_attempts)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_FREE char *text = NULL;

	report_fixture_result(fixture, file_of(fixture), "passes", 4, report_fixture_passing(),
			      NULL);
	add_failure(fixture, "fails");
	text = summary(fixture, GITHUB_SUMMARY_LIMIT);
	cr_assert(strstr(text, "**1 passed, 1 failed, 0 skipped** in 12.3 s, seed 42"), "%s", text);
	cr_assert(strstr(text, "<b>fails</b> <code>a&#46;yaml&#58;"), "%s", text);
	cr_assert(strstr(text, "refuse"), "%s", text);
	cr_assert_not(strstr(text, "passes"), "%s", text);
}

/* Markdown ends HTML at a blank line, and so does what looks like a tag of ours. */
Test(github, the_summary_shows_hostile_names_as_text)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_FREE char *text = NULL;

	add_failure(fixture, "</pre><script>alert(1)</script> `x` | [a](b) \033[2J");
	text = summary(fixture, GITHUB_SUMMARY_LIMIT);
	cr_assert_not(strstr(text, "<script"), "%s", text);
	cr_assert_not(strchr(text, '`'), "%s", text);
	cr_assert_not(strchr(text, '\033'), "%s", text);
	cr_assert_not(strstr(text, "](b)"), "%s", text);
	cr_assert_eq(report_fixture_count(text, "</pre>"), 1, "%s", text);
}

Test(github, the_summary_keeps_to_its_limit)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	static const size_t limits[] = {0, 10, 200, 5000, 50000};

	for (size_t i = 0; i < 200; i++)
		add_failure(fixture, "fails");
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		AUTO_FREE char *text = summary(fixture, limits[i]);

		cr_assert(strlen(text) <= limits[i], "%zu bytes of %zu", strlen(text), limits[i]);
		if (limits[i] >= 200)
			cr_assert(strstr(text, "more did not fit"), "%s", text);
	}
}

Test(github, the_summary_is_appended_as_far_as_there_is_room)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_DIAG struct diag_list diags = {0};
	char path[] = "/tmp/synfault-test-XXXXXX";
	int fd = mkstemp(path);
	struct stat status;

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, "before\n", 7), 7);
	setenv("GITHUB_STEP_SUMMARY", path, 1);
	add_failure(fixture, "fails");
	cr_assert_eq(github_write_summary(&fixture->results, &diags), 0);
	cr_assert_eq(fstat(fd, &status), 0);
	cr_assert(status.st_size > 100);
	cr_assert_eq(ftruncate(fd, (off_t)GITHUB_SUMMARY_LIMIT - 20), 0);
	cr_assert_eq(github_write_summary(&fixture->results, &diags), 0);
	cr_assert_eq(fstat(fd, &status), 0);
	cr_assert_eq((size_t)status.st_size, GITHUB_SUMMARY_LIMIT - 20);
	setenv("GITHUB_STEP_SUMMARY", "/dev/null/no", 1);
	cr_assert(github_write_summary(&fixture->results, &diags) < 0);
	cr_assert(strstr(diags.items[0].message, "GITHUB_STEP_SUMMARY"));
	close(fd);
	unlink(path);
}

Test(github, is_on_when_github_says_so)
{
	unsetenv("GITHUB_ACTIONS");
	cr_assert_not(github_is_wanted(GITHUB_AUTO));
	cr_assert(github_is_wanted(GITHUB_ALWAYS));
	setenv("GITHUB_ACTIONS", "true", 1);
	cr_assert(github_is_wanted(GITHUB_AUTO));
	cr_assert_not(github_is_wanted(GITHUB_NEVER));
}
