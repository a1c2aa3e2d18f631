/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTML pages and timeline pictures of real runs, and the snapshot of the sandbox's network in them.
 */
#include <criterion/criterion.h>

#include "tests/lib/program.h"

#define PASSES                                                                                     \
	"name: passes\n"                                                                           \
	"endpoints: {api: {faults: [refuse, accept]}}\n"                                           \
	"client: {command: [synfault-tiny, --tries, '2', '${api}']}\n"                             \
	"expect: {exit: 0, attempts: 2}\n"
#define FAILS                                                                                      \
	"---\n"                                                                                    \
	"name: fails\n"                                                                            \
	"endpoints: {api: {faults: [refuse]}, idle: {serve: none, faults: [accept]}}\n"            \
	"client: {command: [sh, -c, 'echo it failed again >&2; synfault-tiny $1', sh, "            \
	"'${api}']}\n"                                                                             \
	"expect: {exit: 0}\n"

/* Finds the text of a section of the snapshot. */
static const char *section(const struct record *record, const char *title)
{
	for (size_t i = 0; i < record->n_sections; i++)
		if (!strcmp(record->sections[i].title, title))
			return record->sections[i].text;
	cr_assert_fail("the snapshot has no %s", title);
	return "";
}

static void expect_in(const char *text, const char *part)
{
	cr_expect(strstr(text, part), "no \"%s\" in: %s", part, text);
}

Test(pages, html_report_consists_of_pages_and_a_picture)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE char *index = NULL, *page = NULL, *picture = NULL, *single = NULL;
	size_t length;

	program_writes(synfault, "a.yaml", PASSES FAILS);
	program_runs(synfault, "run --html out/site --html-single out/one.html "
			       "--timeline out/pictures --seed 42 a.yaml");
	program_exited(synfault, STATUS_FAILED);
	index = program_reads(synfault, "out/site/index.html", &length);
	page = program_reads(synfault, "out/site/scenarios/0002-fails.html", &length);
	picture = program_reads(synfault, "out/pictures/0001-passes.svg", &length);
	single = program_reads(synfault, "out/one.html", &length);
	expect_in(index, "1 of 2 scenarios did not pass.");
	expect_in(index, "<dt>seed</dt><dd>42</dd>");
	expect_in(page, "synfault run a.yaml --filter fails --seed 42");
	expect_in(page, "<code>it failed again</code>");
	expect_in(page, "a socket listens");
	expect_in(picture, "2 connection attempts, 1 refused, 1 connected");
	expect_in(single, "id=\"s2-attempt-1\"");
	cr_expect(program_has_file(synfault, "out/site/style.css"));
	program_left_nothing_but(synfault, "out");
}

/* Failures and passes, in private and shared sandboxes. */
Test(pages, snapshot_shows_listeners_and_reachable_endpoints)
{
	static const char *const isolations[] = {"private", "shared"};

	for (size_t i = 0; i < ARRAY_SIZE(isolations); i++) {
		AUTO_PROGRAM struct program *synfault = program_new();
		AUTO_RECORD struct record *passed = NULL, *failed = NULL;

		program_writes(synfault, "a.yaml", PASSES FAILS);
		program_runs(synfault, "run --isolation %s --records records a.yaml",
			     isolations[i]);
		program_exited(synfault, STATUS_FAILED);
		passed = program_record(synfault, "records/0001.json");
		failed = program_record(synfault, "records/0002.json");
		expect_in(section(passed, "Endpoints"), "api 127.");
		expect_in(section(passed, "Endpoints"), "delivered here; a socket listens");
		expect_in(section(passed, "Listening"), "accept queue 0 of ");
		expect_in(section(failed, "Endpoints"), "no process listens, as the scenario asks");
		expect_in(section(failed, "Listening"), "accept queue 0 of ");
		/* All of 127.0.0.0/8 exists already, so a shared sandbox adds no address. */
		expect_in(section(failed, "Addresses"), i == 0 ? "lo     127.0.0.1/8" : "none");
	}
}

/* The kernel's view of the client's socket while the SYN gets no answer. */
Test(pages, snapshot_shows_a_socket_that_waits_at_the_timeout)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_RECORD struct record *record = NULL;

	program_writes(synfault, "a.yaml",
		       "name: waits\n"
		       "timeout: 2s\n"
		       "endpoints: {api: {faults: [drop]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 0}\n");
	program_runs(synfault, "run --records records a.yaml");
	program_exited(synfault, STATUS_FAILED);
	record = program_record(synfault, "records/0001.json");
	expect_in(section(record, "Connections"), "SYN-SENT");
	expect_in(section(record, "Connections"), "repeats in ");
}

Test(pages, unwritable_pages_are_reported_before_anything_runs)
{
	static const char *const options[] = {"--html a.yaml", "--html a.yaml/below",
					      "--html-single .", "--timeline a.yaml",
					      "--timeline a.yaml/one.svg"};
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", PASSES);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		program_runs(synfault, "run %s a.yaml", options[i]);
		program_exited(synfault, STATUS_USAGE);
		program_complained(synfault, "can't write ");
		program_did_not_print(synfault, "passed");
		program_left_nothing(synfault);
	}
}
