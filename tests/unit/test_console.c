/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run shows, on a pipe (a stream in memory) and on a terminal (a pseudo-terminal). */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/ioctl.h>

#include "common/text.h"
#include "runner/report/console.h"
#include "tests/lib/report_fixture.h"

/* ---- A console in memory ---- */

struct memory_console {
	FILE *out;
	char *text; /* what was written; valid after flushing, which the console does */
	size_t length;
	struct console *console;
};

static void memory_console_deinit(struct memory_console *memory)
{
	console_free(memory->console);
	fclose(memory->out);
	free(memory->text);
}
#define AUTO_CONSOLE CLEANUP(memory_console_deinit)

static void memory_console_init(struct memory_console *memory,
				const struct console_options *options)
{
	*memory = (struct memory_console){0};
	memory->out = open_memstream(&memory->text, &memory->length);
	cr_assert(memory->out);
	memory->console = console_new(memory->out, options);
	fflush(memory->out);
}

static void assert_contains(const char *text, const char *part)
{
	cr_assert(strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	cr_assert_not(strstr(text, part), "\"%s\" is in:\n%s", part, text);
}

static void assert_ends(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	cr_assert(length >= end_length && !strcmp(text + length - end_length, end),
		  "\"%s\" is not at the end of:\n%s", end, text);
}

static void set_utf8(void)
{
	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"), "this test needs the locale C.UTF-8");
}

/* ---- Results ---- */

enum sample { SAMPLE_PASS, SAMPLE_FAIL, SAMPLE_ERROR, SAMPLE_SKIP, SAMPLE_BROKEN, SAMPLE_NOT_RUN };

static void add_sample(struct report_fixture *fixture, enum sample sample)
{
	struct scenario_file *file =
		fixture->n_files
			? fixture->files[0]
			: report_fixture_file(fixture, "a.yaml", "name: a\n    faluts: b\n");
	struct judgement error =
		report_fixture_judgement(OUTCOME_ERROR, "harness", "step 1 of api never fired");
	struct judgement skip =
		report_fixture_judgement(OUTCOME_SKIP, "harness", "CAP_NET_ADMIN is missing");

	if (sample == SAMPLE_PASS)
		report_fixture_result(fixture, file, "passes", 1, report_fixture_passing(), NULL);
	else if (sample == SAMPLE_FAIL)
		report_fixture_result(fixture, file, "fails", 10, report_fixture_failing(2), NULL);
	else if (sample == SAMPLE_BROKEN)
		report_fixture_broken(fixture, file, "document 1", 2, "unknown key \"faluts\"");
	else if (sample == SAMPLE_NOT_RUN)
		report_fixture_not_run(fixture, file, "waits its turn", 50)->interrupted = true;
	if (sample == SAMPLE_ERROR)
		report_fixture_result(fixture, file, "can't tell", 20, record_builder_new(),
				      &error);
	else
		judgement_free(&error);
	if (sample == SAMPLE_SKIP)
		report_fixture_result(fixture, file, "is skipped", 30, record_builder_new(), &skip);
	else
		judgement_free(&skip);
}

/* What the console writes for one result; owned by the caller. */
static char *shown(enum sample sample, const struct console_options *options)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_CONSOLE struct memory_console memory;

	memory_console_init(&memory, options);
	add_sample(fixture, sample);
	console_result(memory.console, &fixture->results.items[0], "synfault run a.yaml");
	return xstrdup(memory.text);
}

static const struct console_options normal = {.failures = FAILURES_IMMEDIATE},
				    verbose = {.verbose = true},
				    quiet = {.quiet = true, .failures = FAILURES_IMMEDIATE};

/* ---- Results, one by one ---- */

Test(console, shows_a_scenario_that_did_not_fail_on_one_line)
{
	AUTO_FREE char *pass = shown(SAMPLE_PASS, &normal);
	AUTO_FREE char *skip = shown(SAMPLE_SKIP, &normal);
	AUTO_FREE char *not_run = shown(SAMPLE_NOT_RUN, &normal);

	cr_assert_str_eq(pass, "PASS   0.523 s  a.yaml: passes\n");
	cr_assert_str_eq(skip, "SKIP   0.523 s  a.yaml: is skipped (CAP_NET_ADMIN is missing)\n");
	cr_assert_str_eq(not_run, "ERROR  0.000 s  a.yaml: waits its turn "
				  "(not run: the run was interrupted)\n");
}

#define LONG                                                                                       \
	"CAP_NET_ADMIN is missing; docker: docker run --cap-add NET_ADMIN; podman: podman run "    \
	"--cap-add NET_ADMIN"

Test(console, gives_a_long_reason_once_until_it_changes)
{
	static const struct {
		const char *name, *reason, *line;
	} cases[] = {
		{"a", LONG, "SKIP   0.523 s  a.yaml: a (" LONG ")\n"},
		{"b", LONG, "SKIP   0.523 s  a.yaml: b (as above)\n"},
		{"c", "no IPv6", "SKIP   0.523 s  a.yaml: c (no IPv6)\n"},
		{"d", LONG, "SKIP   0.523 s  a.yaml: d (" LONG ")\n"},
		{"e", "no IPv6", "SKIP   0.523 s  a.yaml: e (no IPv6)\n"},
		{"f", LONG "!", "SKIP   0.523 s  a.yaml: f (" LONG "!)\n"},
		{"g", LONG, "SKIP   0.523 s  a.yaml: g (" LONG ")\n"},
	};
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "");
	AUTO_CONSOLE struct memory_console memory;
	size_t shown = 0;

	memory_console_init(&memory, &normal);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct judgement skip =
			report_fixture_judgement(OUTCOME_SKIP, "harness", cases[i].reason);

		report_fixture_result(fixture, file, cases[i].name, 1, record_builder_new(), &skip);
		console_result(memory.console, &fixture->results.items[i], "synfault run a.yaml");
		cr_assert_str_eq(memory.text + shown, cases[i].line);
		shown = strlen(memory.text);
	}
}

Test(console, shows_a_failure_in_full)
{
	AUTO_FREE char *text = NULL;

	set_utf8();
	text = shown(SAMPLE_FAIL, &normal);
	cr_assert(!strncmp(text, "FAIL   0.523 s  a.yaml: fails\n", 30), "%s", text);
	assert_contains(text, "\n  backoff 1 at api\n"
			      "    expected  2.00 s ± 200 ms\n"
			      "    actual    1.03 s\n"
			      "    miss      770 ms too short\n"
			      "    at        test.yaml:101");
	assert_contains(text, "\n  exit status\n"
			      "    expected  0\n"
			      "    actual    1\n"
			      "    at        test.yaml:102");
	assert_contains(text, "\n  2  1.030 s  refuse  1     refused");
	assert_contains(text, "1.03 s ✗\n");
	assert_contains(text, "\n  exit 1 at 4.00 s\n");
	assert_ends(text, "\n  reproduce: synfault run a.yaml\n\n");
}

Test(console, gives_the_column_of_an_expectation)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_CONSOLE struct memory_console memory;

	memory_console_init(&memory, &normal);
	add_sample(fixture, SAMPLE_FAIL);
	fixture->results.items[0].judgement.findings[0].place =
		(struct place){.path = "dir/a.yaml", .line = 23, .column = 13};
	console_result(memory.console, &fixture->results.items[0], NULL);
	assert_contains(memory.text, "    at        dir/a.yaml:23:13\n");
	assert_lacks(memory.text, "repeat:");
}

Test(console, shows_why_a_scenario_could_not_be_judged)
{
	AUTO_FREE char *text = shown(SAMPLE_ERROR, &normal);

	cr_assert(!strncmp(text, "ERROR  0.523 s  a.yaml: can't tell\n", 35), "%s", text);
	assert_contains(text, "\n  step 1 of api never fired\n");
}

Test(console, shows_the_diagnostics_of_a_broken_document)
{
	AUTO_FREE char *text = shown(SAMPLE_BROKEN, &normal);

	cr_assert(!strncmp(text, "ERROR  0.000 s  a.yaml: document 1\n", 35), "%s", text);
	assert_contains(text, "a.yaml:2:5: error: unknown key \"faluts\"\n"
			      "   2 |     faluts: b\n"
			      "     |     ^~~~~~\n");
	assert_lacks(text, "repeat:");
}

Test(console, shows_a_message_that_says_more_than_its_values)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct judgement judgement = {.outcome = OUTCOME_FAIL};
	AUTO_CONSOLE struct memory_console memory;

	memory_console_init(&memory, &normal);
	report_fixture_finding(&judgement, "backoff", "backoff 1", "2.00 s", "none",
			       "backoff 1: the client never closed attempt 1");
	report_fixture_finding(&judgement, "exit", "exit status", "0", "1",
			       "exit status: expected 0, got 1");
	report_fixture_result(fixture, report_fixture_file(fixture, "a.yaml", ""), "a", 1,
			      report_fixture_passing(), &judgement);
	console_result(memory.console, &fixture->results.items[0], NULL);
	assert_contains(memory.text, "\n  backoff 1: the client never closed attempt 1\n"
				     "    expected  2.00 s\n"
				     "    actual    none\n");
	assert_contains(memory.text, "\n  exit status\n"
				     "    expected  0\n"
				     "    actual    1\n");
}

Test(console, keeps_the_lines_of_a_value_aligned)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct judgement judgement = {.outcome = OUTCOME_FAIL};
	AUTO_CONSOLE struct memory_console memory;

	memory_console_init(&memory, &normal);
	report_fixture_finding(&judgement, "stderr", "stderr", "contains \"x\"", "one\ntwo", "m");
	report_fixture_result(fixture, report_fixture_file(fixture, "a.yaml", ""), "a", 1,
			      report_fixture_passing(), &judgement);
	console_result(memory.console, &fixture->results.items[0], NULL);
	assert_contains(memory.text, "    actual    one\n"
				     "              two\n");
}

Test(console, verbose_shows_the_timeline_of_a_pass)
{
	AUTO_FREE char *text = shown(SAMPLE_PASS, &verbose);

	assert_contains(text, "PASS   0.523 s  a.yaml: passes\n  api at ");
	assert_contains(text, "connected after");
	assert_contains(text, "  exit 0 at 20.0 ms\n");
}

Test(console, quiet_shows_failures_only)
{
	AUTO_FREE char *pass = shown(SAMPLE_PASS, &quiet);
	AUTO_FREE char *skip = shown(SAMPLE_SKIP, &quiet);
	AUTO_FREE char *not_run = shown(SAMPLE_NOT_RUN, &quiet);
	AUTO_FREE char *fail = shown(SAMPLE_FAIL, &quiet);
	AUTO_FREE char *broken = shown(SAMPLE_BROKEN, &quiet);
	AUTO_CONSOLE struct memory_console memory;

	cr_assert_str_empty(pass);
	cr_assert_str_empty(skip);
	cr_assert_str_empty(not_run);
	assert_contains(fail, "backoff 1 at api");
	assert_contains(broken, "unknown key");
	memory_console_init(&memory, &quiet);
	console_start(memory.console, 3, 1, 42, NULL);
	cr_assert_str_empty(memory.text);
}

/* Returns what is shown of a client that wrote this to stderr; owned by the caller. */
static char *shown_stderr(const char *text, size_t length)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct record_builder *b = report_fixture_failing(2);
	AUTO_CONSOLE struct memory_console memory;
	const char *start;

	memory_console_init(&memory, &normal);
	record_builder_client_writes(b, STREAM_STDERR, 1, text, length);
	report_fixture_result(fixture, report_fixture_file(fixture, "a.yaml", ""), "a", 1, b, NULL);
	console_result(memory.console, &fixture->results.items[0], NULL);
	start = strstr(memory.text, "\n  client's stderr");
	return start ? xstrndup(start + 1, strlen(start) - 2) : NULL;
}

Test(console, shows_the_end_of_the_clients_stderr)
{
	AUTO_STRBUF struct strbuf lines = {0}, ten = {0};
	AUTO_FREE char *all = NULL, *end = NULL, *unfinished = NULL, *none = shown_stderr("", 0);

	set_utf8();
	cr_assert_null(none);
	for (int i = 1; i <= 10; i++)
		strbuf_printf(&ten, "line %d\n", i);
	all = shown_stderr(strbuf_text(&ten), ten.length);
	cr_assert(!strncmp(all, "  client's stderr\n    line 1\n    line 2\n", 40), "%s", all);
	assert_ends(all, "    line 9\n    line 10\n");
	for (int i = 1; i <= 100000; i++)
		strbuf_printf(&lines, "line %d\n", i);
	end = shown_stderr(strbuf_text(&lines), lines.length);
	cr_assert(!strncmp(end, "  client's stderr (end)\n    line 99991\n", 39), "%s", end);
	assert_ends(end, "    line 100000\n");
	unfinished = shown_stderr("a\nb", 3);
	cr_assert_str_eq(unfinished, "  client's stderr\n    a\n    b\n");
}

Test(console, the_clients_stderr_can_not_disturb_the_terminal)
{
	static const char hostile[] = "\033[2J\033]0;title\007red \x01\xff\0\r\nnext";
	AUTO_FREE char *text = NULL;

	set_utf8();
	text = shown_stderr(hostile, sizeof(hostile) - 1);
	cr_assert_str_eq(text, "  client's stderr\n    red #x1\\xFF#x0\n    next\n");
}

Test(console, names_can_not_disturb_the_terminal)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_CONSOLE struct memory_console memory;

	memory_console_init(&memory, &normal);
	report_fixture_result(fixture, report_fixture_file(fixture, "a\033[1m.yaml", ""),
			      "one\ntwo\033[31m\x02", 1, report_fixture_passing(), NULL);
	console_result(memory.console, &fixture->results.items[0], NULL);
	cr_assert_str_eq(memory.text, "PASS   0.523 s  a.yaml: one two#x2\n");
}

/* ---- Start and summary ---- */

Test(console, says_at_the_start_what_will_run)
{
	static const struct {
		size_t n, jobs;
		const char *expected;
	} cases[] = {
		{1, 4, "1 scenario, seed 42\n"},
		{12, 1, "12 scenarios, seed 42\n"},
		{12, 4, "12 scenarios, 4 at a time, seed 42\n"},
		{2, 8, "2 scenarios, 2 at a time, seed 42\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_CONSOLE struct memory_console memory;

		memory_console_init(&memory, &normal);
		console_start(memory.console, cases[i].n, cases[i].jobs, 42, NULL);
		cr_assert_str_eq(memory.text, cases[i].expected);
	}
}

#define NAMES_FAIL  "FAIL   0.523 s  a.yaml: fails\n"
#define NAMES_ERROR "ERROR  0.523 s  a.yaml: can't tell\n"

Test(console, summary)
{
	static const struct {
		const char *name;
		enum sample samples[4];
		size_t n_samples;
		const char *expected;
	} cases[] = {
		{"nothing", {0}, 0, "\nseed 42, 12.3 s\n0 passed, 0 failed, 0 skipped\n"},
		{"passed",
		 {SAMPLE_PASS, SAMPLE_PASS, SAMPLE_SKIP},
		 3,
		 "\nseed 42, 12.3 s\n2 passed, 0 failed, 1 skipped\n"},
		{"one failure is not named again",
		 {SAMPLE_PASS, SAMPLE_FAIL},
		 2,
		 "\nseed 42, 12.3 s\n1 passed, 1 failed, 0 skipped\n"},
		{"several failures are named again",
		 {SAMPLE_FAIL, SAMPLE_PASS, SAMPLE_FAIL},
		 3,
		 "\n" NAMES_FAIL NAMES_FAIL "\nseed 42, 12.3 s\n1 passed, 2 failed, 0 skipped\n"},
		{"errors are named apart and counted as failed",
		 {SAMPLE_FAIL, SAMPLE_ERROR},
		 2,
		 "\n" NAMES_FAIL NAMES_ERROR "\nseed 42, 12.3 s\n"
		 "1 error: not judged, counted as failed\n"
		 "0 passed, 2 failed, 0 skipped\n"},
		{"what did not run is counted, not named",
		 {SAMPLE_NOT_RUN, SAMPLE_NOT_RUN},
		 2,
		 "\ninterrupted: 2 were not run\n"
		 "seed 42, 12.3 s\n"
		 "2 errors: not judged, counted as failed\n"
		 "0 passed, 2 failed, 0 skipped\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
		AUTO_CONSOLE struct memory_console memory;

		memory_console_init(&memory, &normal);
		for (size_t k = 0; k < cases[i].n_samples; k++)
			add_sample(fixture, cases[i].samples[k]);
		console_failures(memory.console, &fixture->results);
		console_summary(memory.console, &fixture->results);
		cr_assert_str_eq(memory.text, cases[i].expected, "%s:\n%s", cases[i].name,
				 memory.text);
	}
}

/* How often a failure's line and its block are shown while it runs, and at the end. */
Test(console, shows_failures_in_full_when_asked)
{
	static const struct {
		enum failure_output mode;
		bool quiet;
		size_t lines, blocks, final_lines, final_blocks;
	} cases[] = {
		{FAILURES_FINAL, false, 1, 0, 1, 1},
		{FAILURES_IMMEDIATE, false, 1, 1, 0, 0},
		{FAILURES_IMMEDIATE_FINAL, false, 1, 1, 1, 1},
		{FAILURES_NEVER, false, 1, 0, 0, 0},
		{FAILURES_FINAL, true, 0, 0, 1, 1},
		{FAILURES_IMMEDIATE, true, 1, 1, 0, 0},
		{FAILURES_IMMEDIATE_FINAL, true, 1, 1, 1, 1},
		{FAILURES_NEVER, true, 1, 0, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
		AUTO_CONSOLE struct memory_console memory;
		struct console_options options = {.failures = cases[i].mode,
						  .quiet = cases[i].quiet};
		size_t before;

		memory_console_init(&memory, &options);
		add_sample(fixture, SAMPLE_FAIL);
		console_result(memory.console, &fixture->results.items[0], "synfault run a.yaml");
		fflush(memory.out);
		before = memory.length;
		cr_assert_eq(report_fixture_count(memory.text, "a.yaml: fails\n"), cases[i].lines,
			     "%zu", i);
		cr_assert_eq(report_fixture_count(memory.text, "miss "), cases[i].blocks, "%zu", i);
		console_failures(memory.console, &fixture->results);
		cr_assert_eq(report_fixture_count(memory.text + before, "a.yaml: fails\n"),
			     cases[i].final_lines, "%zu", i);
		cr_assert_eq(report_fixture_count(memory.text + before, "miss "),
			     cases[i].final_blocks, "%zu", i);
	}
}

/* The run that counts has a line as those before it have, or its findings below it. */
Test(console, says_how_each_run_of_a_scenario_ended)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_CONSOLE struct memory_console memory;
	struct earlier_run earlier = {
		.judgement = report_fixture_judgement(OUTCOME_ERROR, "harness", "no queue")};
	struct result *result;
	size_t before;

	memory_console_init(&memory, &(struct console_options){.failures = FAILURES_FINAL});
	add_sample(fixture, SAMPLE_FAIL);
	result = &fixture->results.items[0];
	array_append(result->earlier, result->n_earlier, result->earlier_capacity, earlier);
	console_result(memory.console, result, "synfault run a.yaml");
	fflush(memory.out);
	before = memory.length;
	cr_expect(strstr(memory.text,
			 "\n  run 1: error: no queue\n  run 2: fail: backoff 1 at api: "),
		  "%s", memory.text);
	console_failures(memory.console, &fixture->results);
	fflush(memory.out);
	cr_expect(strstr(memory.text + before,
			 "\n  run 1: error: no queue\n  run 2, the last:\n  backoff 1 at api\n"),
		  "%s", memory.text + before);
}

/* ---- Locale and colour ---- */

Test(console, is_ascii_unless_the_locale_is_utf_8)
{
	static const char name[] = "naïve “retry” — 再試行…";
	static const char *const locales[] = {"C", "C.UTF-8"};
	static const char *const expected[] = {"na?ve \"retry\" - ???...", name};

	for (size_t i = 0; i < ARRAY_SIZE(locales); i++) {
		AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
		AUTO_CONSOLE struct memory_console memory;
		bool all_ascii = true;

		cr_assert(setlocale(LC_CTYPE, locales[i]));
		memory_console_init(&memory, &normal);
		report_fixture_result(fixture, report_fixture_file(fixture, "a.yaml", ""), name, 1,
				      report_fixture_failing(2), NULL);
		console_result(memory.console, &fixture->results.items[0], name);
		for (const char *at = memory.text; *at; at++)
			all_ascii &= (unsigned char)*at < 0x80;
		cr_assert_eq(all_ascii, i == 0, "%s:\n%s", locales[i], memory.text);
		assert_contains(memory.text, expected[i]);
		assert_contains(memory.text, i == 0 ? "1.03 s x\n" : "1.03 s ✗\n");
		assert_contains(memory.text, i == 0 ? "2.00 s +- 200 ms" : "2.00 s ± 200 ms");
	}
}

Test(console, colors_a_file_only_when_asked)
{
	static const struct {
		enum color_mode mode;
		bool colored;
	} cases[] = {{COLOR_AUTO, false}, {COLOR_ALWAYS, true}, {COLOR_NEVER, false}};

	setenv("NO_COLOR", "1", 1); /* an option outweighs it */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct console_options options = {.color = cases[i].mode};
		AUTO_FREE char *text = shown(SAMPLE_FAIL, &options);
		AUTO_FREE char *broken = shown(SAMPLE_BROKEN, &options);

		cr_assert_eq(strstr(text, "\033[") != NULL, cases[i].colored, "case %zu", i);
		cr_assert_eq(strstr(broken, "\033[") != NULL, cases[i].colored, "case %zu", i);
	}
}

Test(console, shows_no_progress_in_a_file)
{
	static const char *const running[] = {"a", "b"};
	AUTO_CONSOLE struct memory_console memory;

	memory_console_init(&memory, &normal);
	console_progress(memory.console, 1, running, 2, NS_PER_S);
	console_clear(memory.console);
	cr_assert_str_empty(memory.text);
}

/* ---- A terminal ---- */

struct terminal {
	int master;
	FILE *out; /* its other side */
	struct console *console;
};

static void terminal_deinit(struct terminal *terminal)
{
	console_free(terminal->console);
	fclose(terminal->out);
	close(terminal->master);
}
#define AUTO_TERMINAL CLEANUP(terminal_deinit)

static void terminal_init(struct terminal *terminal, unsigned short columns,
			  const struct console_options *options)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};
	char name[64];
	int fd;

	terminal->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(terminal->master, 0);
	cr_assert_eq(grantpt(terminal->master) | unlockpt(terminal->master), 0);
	cr_assert_eq(ptsname_r(terminal->master, name, sizeof(name)), 0);
	cr_assert_eq(ioctl(terminal->master, TIOCSWINSZ, &size), 0);
	fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	terminal->out = fdopen(fd, "w");
	cr_assert(terminal->out);
	terminal->console = console_new(terminal->out, options);
}

/* What came since the last call ("\n" arrives as "\r\n"); owned by the caller. */
static char *terminal_read(const struct terminal *terminal)
{
	struct strbuf text = {0};
	char bytes[4096];
	ssize_t length;

	fcntl(terminal->master, F_SETFL, O_NONBLOCK);
	while ((length = read(terminal->master, bytes, sizeof(bytes))) > 0)
		strbuf_add(&text, bytes, (size_t)length);
	return strbuf_steal(&text);
}

static void set_terminal_environment(const char *term, const char *no_color)
{
	if (term)
		setenv("TERM", term, 1);
	else
		unsetenv("TERM");
	if (no_color)
		setenv("NO_COLOR", no_color, 1);
	else
		unsetenv("NO_COLOR");
}

Test(console, progress_is_erased_before_anything_else)
{
	static const char *const running[] = {"first scenario", "second\nscenario"};
	struct console_options options = {.color = COLOR_NEVER};
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_TERMINAL struct terminal terminal;
	AUTO_FREE char *start = NULL, *progress = NULL, *result = NULL, *next = NULL;

	set_terminal_environment("xterm", NULL);
	terminal_init(&terminal, 80, &options);
	console_start(terminal.console, 12, 2, 42, NULL);
	start = terminal_read(&terminal);
	console_progress(terminal.console, 3, running, 2, 72 * NS_PER_S);
	progress = terminal_read(&terminal);
	cr_assert_str_eq(progress, "\r[3/12] 1:12  first scenario, second scenario\033[K");
	add_sample(fixture, SAMPLE_PASS);
	console_result(terminal.console, &fixture->results.items[0], NULL);
	result = terminal_read(&terminal);
	cr_assert_str_eq(result, "\r\033[KPASS   0.523 s  a.yaml: passes\r\n");
	console_result(terminal.console, &fixture->results.items[0], NULL);
	next = terminal_read(&terminal);
	cr_assert_str_eq(next, "PASS   0.523 s  a.yaml: passes\r\n");
}

Test(console, progress_never_wraps)
{
	static const char *const running[] = {"a name of some length", "a name of some length"};
	struct console_options options = {.color = COLOR_NEVER};
	static const unsigned short widths[] = {1, 2, 20, 40, 41, 80};

	set_utf8();
	set_terminal_environment("xterm", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		AUTO_TERMINAL struct terminal terminal;
		AUTO_FREE char *text = NULL;

		terminal_init(&terminal, widths[i], &options);
		console_progress(terminal.console, 3, running, 2, 0);
		text = terminal_read(&terminal);
		*strstr(text, "\033[K") = '\0';
		cr_assert_lt(text_width(text + 1), widths[i], "%u columns: %s", widths[i], text);
	}
}

Test(console, timelines_use_the_width_of_the_terminal)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct console_options options = {.color = COLOR_NEVER, .verbose = true};
	AUTO_TERMINAL struct terminal terminal;
	AUTO_FREE char *text = NULL;
	char *line, *rest;

	set_utf8();
	set_terminal_environment("xterm", NULL);
	terminal_init(&terminal, 50, &options);
	add_sample(fixture, SAMPLE_PASS);
	console_result(terminal.console, &fixture->results.items[0], NULL);
	text = terminal_read(&terminal);
	for (rest = text; (line = strsep(&rest, "\r\n"));)
		cr_assert_leq(text_width(line), 50, "%s", line);
}

Test(console, colors_a_terminal_unless_it_is_not_wanted)
{
	static const struct {
		const char *term, *no_color;
		enum color_mode mode;
		bool colored;
	} cases[] = {
		{"xterm", NULL, COLOR_AUTO, true},   {"xterm", "", COLOR_AUTO, true},
		{"xterm", "1", COLOR_AUTO, false},   {"xterm", "0", COLOR_AUTO, false},
		{"dumb", NULL, COLOR_AUTO, false},   {NULL, NULL, COLOR_AUTO, false},
		{"xterm", NULL, COLOR_NEVER, false}, {"xterm", "1", COLOR_ALWAYS, true},
		{"dumb", NULL, COLOR_ALWAYS, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct console_options options = {.color = cases[i].mode};
		AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
		AUTO_TERMINAL struct terminal terminal;
		AUTO_FREE char *text = NULL;

		set_terminal_environment(cases[i].term, cases[i].no_color);
		terminal_init(&terminal, 80, &options);
		add_sample(fixture, SAMPLE_PASS);
		console_result(terminal.console, &fixture->results.items[0], NULL);
		text = terminal_read(&terminal);
		cr_assert_eq(strstr(text, "\033[32mPASS") != NULL, cases[i].colored, "case %zu: %s",
			     i, text);
		cr_assert_eq(strstr(text, "\033[") != NULL, cases[i].colored, "case %zu: %s", i,
			     text);
	}
}

Test(console, does_not_redraw_on_a_dumb_terminal)
{
	static const char *const running[] = {"a"};
	AUTO_TERMINAL struct terminal terminal;
	AUTO_FREE char *text = NULL;

	set_terminal_environment("dumb", NULL);
	terminal_init(&terminal, 80, &normal);
	console_progress(terminal.console, 0, running, 1, 0);
	text = terminal_read(&terminal);
	cr_assert_str_empty(text);
}
