/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records that supervisors hand over, complete or not. */
#include "runner/schedule/handed_record.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/mman.h>

#include "common/strbuf.h"

TestSuite(handed_record);

static char scenario_name[] = "retries", scenario_path[] = "api.yaml";
static const struct scenario scenario = {.name = scenario_name, .path = scenario_path};

/* A file as the supervisor leaves it. */
static int file_with(const char *text)
{
	int fd = memfd_create("record", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write_all(fd, text, strlen(text)), 0);
	return fd;
}

static struct record *hand_over(const char *text, int wait_status, bool interrupted)
{
	AUTO_CLOSE int fd = file_with(text);
	struct record *record = handed_record(&scenario, fd, wait_status, interrupted);

	cr_assert_not_null(record);
	return record;
}

Test(handed_record, is_taken_as_it_was_written)
{
	AUTO_RECORD struct record *written = record_new();
	size_t length;
	AUTO_FREE char *text = NULL;
	AUTO_RECORD struct record *record = NULL;

	written->scenario = xstrdup("another");
	written->complete = true;
	text = record_write_json(written, &length);
	record = hand_over(text, 0, false);
	cr_expect_str_eq(record->scenario, "another");
	cr_expect(record->complete);
	cr_expect_eq(record->n_problems, 0);
}

Test(handed_record, that_is_missing_says_why)
{
	static const struct {
		const char *text;
		int wait_status;
		bool interrupted;
		const char *problem;
	} cases[] = {
		{"", SIGKILL, false, "was killed by signal 9 (Killed)"},
		{"", 1 << 8, false, "left no record (status 1)"},
		{"", SIGKILL, true, "the run was interrupted"},
		{"{\"format\":", 0, false, "left no record (status 0; the record: line 1"},
		{"{}", 0, false, "left no record (status 0; the record: \"format\" is missing"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD struct record *record =
			hand_over(cases[i].text, cases[i].wait_status, cases[i].interrupted);

		cr_expect_str_eq(record->scenario, "retries");
		cr_expect_str_eq(record->path, "api.yaml");
		cr_expect_not(record->complete);
		cr_assert_eq(record->n_problems, 1);
		cr_expect(strstr(record->problems[0].message, cases[i].problem), "%s for \"%s\"",
			  record->problems[0].message, cases[i].problem);
	}
}
