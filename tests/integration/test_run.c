/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `synfault run` on the command line: outcomes and exit statuses, what it refuses, and everything
 * it writes. The clients are as simple as possible.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runner/scenario/load.h"
#include "tests/lib/junit_reader.h"
#include "tests/lib/netns.h"

/* One document for each outcome. */
#define PASSES                                                                                     \
	"name: passes\n"                                                                           \
	"endpoints: {api: {faults: [refuse, accept]}}\n"                                           \
	"client: {command: [synfault-tiny, --tries, '2', '${api}']}\n"                             \
	"expect: {exit: 0, attempts: 2}\n"
#define FAILS                                                                                      \
	"name: fails\n"                                                                            \
	"endpoints: {api: {faults: [refuse, accept]}}\n"                                           \
	"client: {command: [synfault-tiny, '${api}']}\n"                                           \
	"expect: {exit: 1, attempts: 2}\n"
#define NEVER_FIRED                                                                                \
	"name: never-fired\n"                                                                      \
	"endpoints: {api: {faults: [accept, refuse]}}\n"                                           \
	"client: {command: [synfault-tiny, '${api}']}\n"                                           \
	"expect: {exit: 0}\n"
#define BROKEN                                                                                     \
	"name: broken\n"                                                                           \
	"endpoints: {api: {faults: [refuze, accept]}}\n"                                           \
	"client: {command: ['true']}\n"                                                            \
	"expect: {exit: 0}\n"
/* Leaves a file if it runs; the outcome is an error. */
#define TRACE                                                                                      \
	"name: leaves a trace\n"                                                                   \
	"endpoints: {api: {faults: [refuse]}}\n"                                                   \
	"client: {command: [touch, '${dir}/trace']}\n"                                             \
	"expect: {exit: 0}\n"
#define NEXT "---\n"

static struct program *program_with_documents(void)
{
	struct program *synfault = program_new();

	program_writes(synfault, "passes.yaml", PASSES);
	program_writes(synfault, "fails.yaml", FAILS);
	program_writes(synfault, "never-fired.yaml", NEVER_FIRED);
	program_writes(synfault, "broken.yaml", BROKEN);
	program_writes(synfault, "trace.yaml", TRACE);
	program_writes(synfault, "all.yaml", PASSES NEXT FAILS NEXT NEVER_FIRED NEXT BROKEN);
	return synfault;
}

Test(run, exit_status_and_last_line_sum_up_the_scenarios)
{
	static const struct {
		const char *paths;
		int status;
		const char *last_line, *errors;
	} cases[] = {
		{"passes.yaml", STATUS_PASSED, "1 passed, 0 failed, 0 skipped", NULL},
		{"fails.yaml", STATUS_FAILED, "0 passed, 1 failed, 0 skipped", NULL},
		{"never-fired.yaml", STATUS_UNJUDGED, "0 passed, 1 failed, 0 skipped",
		 "1 error: not judged"},
		{"broken.yaml", STATUS_USAGE, "0 passed, 1 failed, 0 skipped",
		 "1 error: not judged"},
		{"passes.yaml never-fired.yaml", STATUS_UNJUDGED, "1 passed, 1 failed, 0 skipped",
		 "1 error: not judged"},
		{"never-fired.yaml broken.yaml passes.yaml", STATUS_USAGE,
		 "1 passed, 2 failed, 0 skipped", "2 errors: not judged"},
		{"never-fired.yaml fails.yaml", STATUS_FAILED, "0 passed, 2 failed, 0 skipped",
		 "1 error: not judged"},
		{"all.yaml", STATUS_FAILED, "1 passed, 3 failed, 0 skipped",
		 "2 errors: not judged"},
	};
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "run %s", cases[i].paths);
		program_exited(synfault, cases[i].status);
		program_concluded(synfault, cases[i].last_line);
		if (cases[i].errors)
			program_printed(synfault, cases[i].errors);
		else
			program_did_not_print(synfault, "counted as failed");
		program_left_nothing(synfault);
	}
}

Test(run, step_that_never_fired_is_named)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "name: stops too early\n"
		       "endpoints: {api: {faults: [refuse x2, 'delay 10ms', accept]}}\n"
		       "client: {command: [synfault-tiny, --tries, '2', '${api}']}\n"
		       "expect: {exit: 1}\n" NEXT NEVER_FIRED);
	program_runs(synfault, "run --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "stops too early", OUTCOME_ERROR, "never-fired",
		   "step 2 (\"delay 10ms\") at api never fired");
	junit_says(junit, "never-fired", OUTCOME_ERROR, "never-fired",
		   "step 2 (\"refuse\") at api never fired");
}

Test(run, verbose_shows_events_as_they_happen)
{
	static const char *const lines[] = {"client  started\n", "api 1  SYN 1\n",
					    "api 1  SYN 1 refused by step 1", "api 2  connected\n",
					    "client  exit 0\n"};
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	program_runs(synfault, "run -v passes.yaml");
	program_exited(synfault, STATUS_PASSED);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		program_printed(synfault, lines[i]);
	program_runs(synfault, "run passes.yaml");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		program_did_not_print(synfault, lines[i]);
}

/* GitHub sees our commands, and none that a client prints. */
Test(run, failures_become_github_annotations)
{
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	program_runs(synfault, "run --github always --verbose fails.yaml");
	program_exited(synfault, STATUS_FAILED);
	program_printed(synfault, "::stop-commands::synfault-");
	program_printed(synfault, "::error file=");
	program_concluded(synfault, "0 passed, 1 failed, 0 skipped");
	program_runs(synfault, "run --github never fails.yaml");
	program_did_not_print(synfault, "::");
}

/* One wrong document must not keep the others from running. */
Test(run, broken_document_does_not_stop_the_other_forty_nine)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_STRBUF struct strbuf text = {0};

	for (int i = 1; i <= 50; i++) {
		strbuf_printf(&text, "%sname: number %d\n", i > 1 ? NEXT : "", i);
		strbuf_puts(&text, "endpoints: {api: {faults: [refuse, accept]}}\n"
				   "client: {command: [synfault-tiny, --tries, '2', '${api}']}\n");
		strbuf_puts(&text, i == 25 ? "expect: {exit: zero}\n" : "expect: {exit: 0}\n");
	}
	program_writes(synfault, "fifty.yaml", "%s", strbuf_text(&text));
	program_writes(synfault, "fails.yaml", FAILS);
	program_runs(synfault, "run --junit junit.xml fifty.yaml");
	program_exited(synfault, STATUS_USAGE);
	program_concluded(synfault, "49 passed, 1 failed, 0 skipped");
	program_left_nothing_but(synfault, "junit.xml");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	cr_assert_eq(junit->n_cases, 50);
	junit_says(junit, "number 25", OUTCOME_ERROR, "scenario", "zero");

	program_runs(synfault, "run fifty.yaml fails.yaml");
	program_exited(synfault, STATUS_FAILED);
	program_concluded(synfault, "49 passed, 2 failed, 0 skipped");
}

/*
 * With one network namespace available, scenarios run one after the other: each that ends makes
 * room.
 */
Test(run, run_waits_for_a_network_namespace_if_few_are_permitted)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	program_needs(synfault, "unshare");
	for (int i = 0; i < 5; i++) {
		AUTO_FREE char *path = xasprintf("%d.yaml", i);

		program_writes(synfault, path, PASSES);
	}
	program_runs_shell(synfault,
			   "unshare --user --map-root-user sh -c "
			   "'echo 1 >/proc/sys/user/max_net_namespaces && "
			   "synfault run --jobs 5 --isolation private 0.yaml 1.yaml 2.yaml 3.yaml "
			   "4.yaml'");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "5 passed, 0 failed, 0 skipped");
	program_left_nothing(synfault);
}

Test(run, run_refuses_paths_without_scenarios)
{
	static const struct {
		const char *paths;
		int status;
		const char *complaint;
	} cases[] = {
		{"nowhere.yaml", STATUS_USAGE, "nowhere.yaml: error: there is no such file"},
		{"trace.yaml nowhere.yaml", STATUS_USAGE, "nowhere.yaml: error: there is no"},
		{"trace.yaml python3", STATUS_USAGE, "in place of it comes after --"},
		{"trace.yaml hollow", STATUS_USAGE, "hollow: error: there is no scenario file"},
		{"hollow", STATUS_NOTHING_RAN, "hollow: error: there is no scenario file"},
		{"--filter 'no*' trace.yaml", STATUS_NOTHING_RAN, "no scenario has a name that"},
	};
	AUTO_PROGRAM struct program *synfault = program_with_documents();
	AUTO_FREE char *hollow = xasprintf("%s/hollow", synfault->work);

	cr_assert_eq(mkdir(hollow, 0777), 0);
	program_writes(synfault, "hollow/readme.txt", "nothing to run\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "run %s", cases[i].paths);
		program_exited(synfault, cases[i].status);
		program_complained(synfault, cases[i].complaint);
		cr_assert(!program_has_file(synfault, "trace"), "%s: something ran",
			  cases[i].paths);
	}
	program_writes(synfault, "empty.yaml", "%s", "");
	program_runs(synfault, "run empty.yaml");
	program_exited(synfault, STATUS_USAGE);
	program_printed(synfault, "empty.yaml");
	program_concluded(synfault, "0 passed, 1 failed, 0 skipped");
}

Test(run, run_refuses_a_wrong_command_line)
{
	static const struct {
		const char *arguments, *complaint;
	} cases[] = {
		{"run --jnuit x trace.yaml", "unknown option --jnuit; did you mean --junit?"},
		{"run --frobnicate trace.yaml", "unknown option --frobnicate\n"},
		{"run -y trace.yaml", "unknown option -y"},
		{"run --jobs many trace.yaml", "--jobs: a number from 1 to 100000 is expected"},
		{"run --jobs 0 trace.yaml", "--jobs: a number from 1 to 100000 is expected"},
		{"run --seed x trace.yaml", "--seed: a number"},
		{"run --timing-scale 0 trace.yaml", "--timing-scale: a factor"},
		{"run --color sometimes trace.yaml", "--color: auto, always or never"},
		{"run --isolation some trace.yaml", "--isolation: auto, private or shared"},
		{"run --quiet=yes trace.yaml", "--quiet takes no value"},
		{"run trace.yaml --junit", "--junit needs a value"},
		{"run", "a scenario file or directory is needed"},
		{"run trace.yaml --", "a command is needed after --"},
		{"run --junit-xml=a.xml trace.yaml",
		 "unknown option --junit-xml; did you mean --junit?"},
		{"run --workers 4 trace.yaml", "unknown option --workers; did you mean --jobs?"},
		{"run -n 4 trace.yaml", "unknown option -n; did you mean --jobs?"},
		{"run -k name trace.yaml", "unknown option -k; did you mean --filter?"},
		{"run --fail-fast trace.yaml",
		 "unknown option --fail-fast; did you mean --max-fail?"},
		{"run --pcap always trace.yaml", "unknown option --pcap; did you mean --capture?"},
		{"rum trace.yaml", "unknown command \"rum\"; did you mean run?"},
		{"test trace.yaml", "unknown command \"test\"; did you mean run?"},
		{"validate trace.yaml", "unknown command \"validate\"; did you mean check?"},
		{"diff a.json b.json", "unknown command \"diff\"; did you mean compare?"},
		{"version", "unknown command \"version\"; did you mean --version?"},
		{"--verison", "unknown command \"--verison\"; did you mean --version?"},
		{"trace.yaml", "a command is needed; did you mean synfault run trace.yaml?"},
		{"frobnicate", "unknown command \"frobnicate\"; commands are run, try"},
		{"judge trace.yaml", "trace.yaml: this is a scenario, not a run"},
		{"report trace.yaml", "trace.yaml: this is a scenario, not a run"},
		{"", "synfault run"},
	};
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "%s", cases[i].arguments);
		program_exited(synfault, STATUS_USAGE);
		program_complained(synfault, cases[i].complaint);
		cr_assert_str_empty(synfault->out, "%s", cases[i].arguments);
		cr_assert(!program_has_file(synfault, "trace"), "%s: something ran",
			  cases[i].arguments);
	}
	program_runs(synfault, "run --help");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "--timing-scale");
	program_runs(synfault, "--version");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "synfault " SYNFAULT_VERSION "\n");
}

/* ---- reports ---- */

Test(report, unwritable_report_is_refused_before_anything_runs)
{
	static const char *const options[] = {
		"--junit trace.yaml/junit.xml",    "--junit .",
		"--junit /proc/nowhere/junit.xml", "--records trace.yaml",
		"--records trace.yaml/records",    "--records /proc/nowhere",
	};
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		program_runs(synfault, "run %s trace.yaml", options[i]);
		program_exited(synfault, STATUS_USAGE);
		program_complained(synfault, "can't");
		cr_assert(!program_has_file(synfault, "trace"), "%s: something ran", options[i]);
		program_left_nothing(synfault);
	}
}

/* Mounts a file system without a free block, with an old report on it. */
static void mount_full_disk(const struct program *synfault)
{
	AUTO_FREE char *directory = xasprintf("%s/mnt", synfault->host->directory);
	AUTO_FREE char *filler = xasprintf("%s/filler", directory);
	char block[4096] = {0};
	int fd;

	cr_assert_eq(mount("full", directory, "tmpfs", 0, "size=32k,mode=0777"), 0);
	program_writes(synfault, "../mnt/junit.xml", "the old report\n");
	fd = open(filler, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	cr_assert_eq(errno, ENOSPC);
	close(fd);
}

Test(report, report_on_a_full_disk_leaves_the_old_one_and_fails)
{
	AUTO_PROGRAM struct program *synfault = program_with_documents();
	AUTO_FREE char *report = NULL;

	mount_full_disk(synfault);
	program_runs(synfault, "run --junit ../mnt/junit.xml passes.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	program_complained(synfault, "../mnt/junit.xml: No space left on device");
	program_left_nothing(synfault);
	report = program_reads(synfault, "../mnt/junit.xml", NULL);
	cr_assert_str_eq(report, "the old report\n");

	program_runs(synfault, "run --junit ../mnt/junit.xml fails.yaml");
	program_exited(synfault, STATUS_FAILED);
	program_complained(synfault, "No space left on device");

	program_runs(synfault, "run --junit /dev/full passes.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	program_complained(synfault, "/dev/full: No space left on device");
	program_left_nothing(synfault);

	program_runs(synfault, "run --records ../mnt passes.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	program_complained(synfault, "No space left on device");
}

Test(report, report_is_valid_and_has_the_totals_of_the_last_line)
{
	const char *schemas = getenv("SYNFAULT_SCHEMAS");
	AUTO_PROGRAM struct program *synfault = program_with_documents();
	AUTO_FREE char *last_line = NULL;

	program_runs(synfault, "run --junit new/junit.xml passes.yaml all.yaml");
	program_exited(synfault, STATUS_FAILED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "new/junit.xml");

	cr_assert_eq(junit->n_cases, 5);
	cr_assert_eq(junit->tests, 5);
	cr_assert_eq(junit->failures, junit_count(junit, OUTCOME_FAIL));
	cr_assert_eq(junit->errors, junit_count(junit, OUTCOME_ERROR));
	cr_assert_eq(junit->skipped, junit_count(junit, OUTCOME_SKIP));
	last_line = xasprintf("%d passed, %d failed, %d skipped",
			      junit->tests - junit->failures - junit->errors - junit->skipped,
			      junit->failures + junit->errors, junit->skipped);
	program_concluded(synfault, last_line);
	cr_assert_str_eq(last_line, "2 passed, 3 failed, 0 skipped");
	junit_says(junit, "fails", OUTCOME_FAIL, "attempts", "expected 2, got 1");
	junit_says(junit, "broken", OUTCOME_ERROR, "scenario", "refuze");
	if (schemas) {
		AUTO_FREE char *schema = xasprintf("%s/surefire-test-report.xsd", schemas);

		junit_validate(synfault, "new/junit.xml", schema);
	}
}

/* Judges a record by the scenario at @index in the file. */
static enum outcome judged(const struct program *synfault, const char *scenario_path, size_t index,
			   const char *record_path)
{
	AUTO_FREE char *path = xasprintf("%s/%s", synfault->work, scenario_path);
	struct scenario_file *file = scenario_file_load(path);
	AUTO_RECORD struct record *record = program_record(synfault, record_path);
	struct judge_options options = {.timing_scale = 1};
	struct judgement judgement;
	enum outcome outcome;

	cr_assert_lt(index, file->n_scenarios);
	cr_assert_str_eq(record->scenario, file->scenarios[index]->name);
	judgement = judge(file->scenarios[index], record, &options);
	outcome = judgement.outcome;
	judgement_free(&judgement);
	scenario_file_free(file);
	return outcome;
}

Test(records, records_that_are_read_back_are_judged_the_same)
{
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	program_runs(synfault, "run --records records all.yaml");
	program_exited(synfault, STATUS_FAILED);
	program_left_nothing_but(synfault, "records");
	cr_assert_eq(judged(synfault, "all.yaml", 0, "records/0001.json"), OUTCOME_PASS);
	cr_assert_eq(judged(synfault, "all.yaml", 1, "records/0002.json"), OUTCOME_FAIL);
	cr_assert_eq(judged(synfault, "all.yaml", 2, "records/0003.json"), OUTCOME_ERROR);
	cr_assert(!program_has_file(synfault, "records/0004.json"), "a broken document ran");
}

/* Returns three delays drawn under a seed, as one text. */
static char *drawn_delays(struct program *synfault, const char *seed)
{
	program_runs(synfault, "run --records records --seed %s a.yaml", seed);
	program_exited(synfault, STATUS_PASSED);
	AUTO_RECORD struct record *record = program_record(synfault, "records/0001.json");

	cr_assert_eq(record->n_attempts, 3);
	for (size_t i = 0; i < 3; i++)
		cr_assert(record->attempts[i].delay_ns >= NS_PER_MS &&
			  record->attempts[i].delay_ns <= 200 * NS_PER_MS);
	return xasprintf("%lld %lld %lld", (long long)record->attempts[0].delay_ns,
			 (long long)record->attempts[1].delay_ns,
			 (long long)record->attempts[2].delay_ns);
}

Test(seed, same_seed_draws_the_same_delays)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "name: waits\n"
		       "endpoints: {api: {faults: [delay 1ms..200ms]}}\n"
		       "client:\n"
		       "  command: [sh, -c, 'for i in 1 2 3; do synfault-tiny ${api}; done']\n"
		       "expect: {exit: 0, attempts: 3}\n");
	AUTO_FREE char *first = drawn_delays(synfault, "42");
	AUTO_FREE char *again = drawn_delays(synfault, "0x2a");
	AUTO_FREE char *other = drawn_delays(synfault, "43");

	cr_assert_str_eq(first, again);
	cr_assert_str_neq(first, other);
}

/* ---- the terminal ---- */

Test(output, output_shows_only_scenarios_that_match_the_filter)
{
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	program_runs(synfault, "run --filter '[pf]a*s' all.yaml");
	program_exited(synfault, STATUS_FAILED);
	program_concluded(synfault, "1 passed, 1 failed, 0 skipped");
	program_runs(synfault, "run -f passes all.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "1 passed, 0 failed, 0 skipped");
	program_runs(synfault, "run --filter=broken all.yaml");
	program_exited(synfault, STATUS_USAGE);
	program_concluded(synfault, "0 passed, 1 failed, 0 skipped");
}

Test(output, output_is_longer_or_shorter_when_asked)
{
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	program_runs(synfault, "run passes.yaml fails.yaml");
	program_printed(synfault, "passes.yaml: passes\n");
	program_printed(synfault, "fails.yaml: fails\n");
	program_did_not_print(synfault, "connected after");
	program_runs(synfault, "run -q passes.yaml fails.yaml");
	program_did_not_print(synfault, "passes.yaml");
	program_printed(synfault, "fails.yaml: fails\n");
	program_concluded(synfault, "1 passed, 1 failed, 0 skipped");
	program_runs(synfault, "run -v passes.yaml");
	program_printed(synfault, "passes.yaml: passes\n");
	program_printed(synfault, "refused after");
	program_printed(synfault, "connected after");
}

Test(output, unwritable_output_makes_the_run_fail)
{
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	program_runs_shell(synfault, "synfault run passes.yaml >/dev/full");
	program_exited(synfault, STATUS_UNJUDGED);
	program_complained(synfault, "can't be written to standard output");
	program_runs_shell(synfault, "synfault list passes.yaml >/dev/full");
	program_exited(synfault, STATUS_UNJUDGED);
}

Test(output, output_has_color_only_if_wanted)
{
	static const struct {
		const char *command;
		bool color;
	} cases[] = {
		{"synfault run passes.yaml", false},
		{"synfault run --color=always passes.yaml", true},
		{"NO_COLOR=1 synfault run --color=always passes.yaml", true},
		{"synfault run --color never passes.yaml", false},
		{"TERM=xterm script -qec 'synfault run passes.yaml' /dev/null", true},
		{"TERM=xterm NO_COLOR=1 script -qec 'synfault run passes.yaml' /dev/null", false},
		{"TERM=dumb script -qec 'synfault run passes.yaml' /dev/null", false},
		{"TERM=xterm script -qec 'synfault run --color never passes.yaml' /dev/null",
		 false},
	};
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	program_needs(synfault, "script");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs_shell(synfault, "%s", cases[i].command);
		program_exited(synfault, STATUS_PASSED);
		program_printed(synfault, "1 passed");
		if (cases[i].color)
			program_printed(synfault, "\033[32m");
		else
			program_did_not_print(synfault, "\033[3");
	}
}

/* ---- the client's command ---- */

Test(client, client_after_two_dashes_replaces_that_of_every_scenario)
{
	AUTO_PROGRAM struct program *synfault = program_with_documents();

	program_runs(synfault, "run fails.yaml -- synfault-tiny --tries 2 '${api}'");
	program_exited(synfault, STATUS_FAILED);
	program_printed(synfault, "exit status");
	program_runs(synfault, "run passes.yaml fails.yaml -- sh -c "
			       "'synfault-tiny ${api}; exec synfault-tiny \"$SYNFAULT_API\"'");
	program_exited(synfault, STATUS_FAILED);
	program_concluded(synfault, "1 passed, 1 failed, 0 skipped");
	program_runs(synfault, "run passes.yaml -- --not-an-option-of-ours");
	program_exited(synfault, STATUS_UNJUDGED);
	program_printed(synfault, "--not-an-option-of-ours: not found in PATH");
}

/* Returns the rest of the first line that begins with @prefix, blanks skipped; the caller's. */
static char *line_after(const struct program *synfault, const char *prefix)
{
	const char *found = strstr(synfault->out, prefix);

	if (!found)
		program_fail(synfault, "no line \"%s\"", prefix);
	found += strlen(prefix);
	return xstrndup(found, strcspn(found, "\n"));
}

Test(repeat, printed_command_reproduces_the_scenario)
{
	static const char *const rests[] = {
		"--seed 7 --timing-scale 2.5",
		"-- sh -c 'exec synfault-tiny \"$1\"' \"it's \\$0\" '${api}'",
	};
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE char *directory = xasprintf("%s/it's a $HOME", synfault->work);

	cr_assert_eq(mkdir(directory, 0777), 0);
	program_writes(synfault, "it's a $HOME/a.yaml",
		       "name: 'it''s [a] *test* \"quoted\" $HOME \\ `backtick` ? !'\n"
		       "endpoints: {api: {faults: [refuse, accept]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 1, attempts: 2}\n" NEXT PASSES);
	for (size_t i = 0; i < ARRAY_SIZE(rests); i++) {
		AUTO_FREE char *repeat = NULL, *seed = NULL, *seed_again = NULL;

		program_runs(synfault, "run \"it's a \\$HOME\" %s", rests[i]);
		program_exited(synfault, STATUS_FAILED);
		repeat = line_after(synfault, "reproduce: ");
		seed = line_after(synfault, ", seed ");
		program_runs_shell(synfault, "%s", repeat);
		program_exited(synfault, STATUS_FAILED);
		program_concluded(synfault, "0 passed, 1 failed, 0 skipped");
		program_printed(synfault, "expected  2");
		seed_again = line_after(synfault, ", seed ");
		cr_assert_str_eq(seed, seed_again);
		AUTO_FREE char *same = line_after(synfault, "reproduce: ");

		cr_assert_str_eq(repeat, same);
	}
}

/* A daemon that ends upon TERM, and one that ignores it and has a child that does not end. */
static void daemons_are_stopped(struct program *synfault, const char *isolation)
{
	static const int ends[] = {SIGTERM, SIGKILL};

	program_writes(synfault, "a.yaml", "%s",
		       "name: ends\n"
		       "run-for: 1500ms\n"
		       "stop-timeout: 20s\n"
		       "endpoints: {api: {}}\n"
		       "client: {command: [sh, -c, 'sleep 1000 & wait']}\n"
		       "expect: {attempts: 0}\n" NEXT "name: has to be killed\n"
		       "run-for: 1500ms\n"
		       "stop-timeout: 300ms\n"
		       "endpoints: {api: {}}\n"
		       "client: {command: [sh, -c, 'trap \"\" TERM; sleep 1000; sleep 1000']}\n"
		       "expect: {attempts: 0}\n");
	program_runs(synfault, "run --isolation %s --records records a.yaml", isolation);
	program_exited(synfault, STATUS_PASSED);
	program_left_nothing_but(synfault, "records");
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		AUTO_FREE char *path = xasprintf("records/%04zu.json", i + 1);
		AUTO_RECORD struct record *record = program_record(synfault, path);
		const struct event *exit = record_exit(record), *stop = NULL;

		for (size_t k = 0; !stop && k < record->n_events; k++)
			if (record->events[k].kind == EVENT_STOP)
				stop = &record->events[k];
		cr_assert(stop && exit);
		cr_expect_geq(stop->at_ns, 1500 * NS_PER_MS);
		cr_expect_geq(exit->at_ns, stop->at_ns + (int64_t)i * 300 * NS_PER_MS);
		cr_assert(WIFSIGNALED(exit->u.exit.wait_status));
		cr_expect_eq(WTERMSIG(exit->u.exit.wait_status), ends[i]);
		cr_expect_not(record_timed_out(record));
	}
}

Test(run, run_stops_a_daemon_after_its_time)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	daemons_are_stopped(synfault, "private");
}

Test(run, run_stops_a_daemon_in_a_shared_namespace)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	daemons_are_stopped(synfault, "shared");
}
