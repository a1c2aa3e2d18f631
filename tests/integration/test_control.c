/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selection and control of a run, shards, and `synfault doctor`: each option of the real program,
 * with the simplest clients.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>

#include "common/duration.h"
#include "tests/lib/junit_reader.h"
#include "tests/lib/netns.h"

#define ENDPOINT "endpoints: {api: {faults: [refuse, accept]}}\n"
#define TWO_ATTEMPTS                                                                               \
	ENDPOINT "client: {command: [synfault-tiny, --tries, '2', '${api}']}\n"                    \
		 "expect: {exit: 0, attempts: 2}\n"
#define PASSES "name: passes\ntags: [quick, good]\n" TWO_ATTEMPTS
#define FAILS                                                                                      \
	"name: fails\ntags: [quick, bad]\n" ENDPOINT                                               \
	"client: {command: [synfault-tiny, '${api}']}\nexpect: {exit: 0}\n"
#define SLOW                                                                                       \
	"name: slow\ntags: [good]\n" ENDPOINT "client: {command: [sh, -c, 'synfault-tiny ${api}; " \
	"sleep 200; exec synfault-tiny ${api}']}\n"                                                \
	"expect: {exit: 0, attempts: 2}\n"
/* Fails in its first N runs. */
#define PASSES_IN_RUN(n)                                                                           \
	"name: flips\n" ENDPOINT "client:\n"                                                       \
	"  command: [sh, -c, 'echo >>${dir}/runs;"                                                 \
	" [ $(wc -l <${dir}/runs) -ge " n " ] && exec synfault-tiny --tries 2 ${api};"             \
	" exec synfault-tiny ${api}']\n"                                                           \
	"expect: {exit: 0, attempts: 2}\n"
#define NEXT "---\n"

static struct program *program_with(const char *text)
{
	struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", "%s", text);
	return synfault;
}

/* ---- selection ---- */

Test(control, tags_and_filters_select_scenarios)
{
	static const struct {
		const char *arguments, *last_line;
		int status;
	} cases[] = {
		{"--tag good", "1 passed, 0 failed, 0 skipped", STATUS_PASSED},
		{"--tag 'quick,!bad'", "1 passed, 0 failed, 0 skipped", STATUS_PASSED},
		{"-t bad -t good", "1 passed, 1 failed, 0 skipped", STATUS_FAILED},
		{"--filter 'p*' --filter 'f*'", "1 passed, 1 failed, 0 skipped", STATUS_FAILED},
		{"--tag quick --filter 'p*'", "1 passed, 0 failed, 0 skipped", STATUS_PASSED},
	};
	AUTO_PROGRAM struct program *synfault = program_with(PASSES NEXT FAILS);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "run %s a.yaml", cases[i].arguments);
		program_exited(synfault, cases[i].status);
		program_concluded(synfault, cases[i].last_line);
		program_left_nothing(synfault);
	}
	program_runs_shell(synfault, "SYNFAULT_TAG=good synfault run a.yaml");
	program_concluded(synfault, "1 passed, 0 failed, 0 skipped");
	program_runs_shell(synfault, "SYNFAULT_JOBS=no synfault run a.yaml");
	program_exited(synfault, STATUS_USAGE);
	program_complained(synfault, "SYNFAULT_JOBS: a number from 1");
}

Test(control, variables_set_options_for_every_run)
{
	AUTO_PROGRAM struct program *synfault = program_with(PASSES);

	program_runs_shell(synfault, "export SYNFAULT_JSON=all.json SYNFAULT_FORMAT=json;"
				     "synfault run a.yaml && synfault list a.yaml && "
				     "synfault doctor && synfault schema && test -s all.json");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "1 passed, 0 failed, 0 skipped");
	program_printed(synfault, "\"path\": \"a.yaml\"");
	program_printed(synfault, "\"can_run\": true");
}

Test(control, empty_selection_is_an_error_unless_allowed)
{
	AUTO_PROGRAM struct program *synfault = program_with(PASSES);

	program_runs(synfault, "run --tag none a.yaml");
	program_exited(synfault, STATUS_NOTHING_RAN);
	program_runs(synfault, "run --tag none --no-tests fail a.yaml");
	program_exited(synfault, STATUS_NOTHING_RAN);
	program_runs(synfault, "run --tag none --no-tests pass --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_complained(synfault, "no scenario is selected");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	cr_assert_eq(junit->n_cases, 0);
	program_runs(synfault, "run --filter '[x' a.yaml");
	program_exited(synfault, STATUS_NOTHING_RAN);
	program_complained(synfault, "matches \"[x\"; synfault list shows them all\n");
}

Test(control, list_shows_the_selection_and_runs_nothing)
{
	AUTO_PROGRAM struct program *synfault =
		program_with(PASSES NEXT FAILS NEXT PASSES_IN_RUN("1"));
	json_t *list;

	program_runs(synfault, "run --list --tag quick --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_PASSED);
	cr_assert_str_eq(synfault->out,
			 "a.yaml:1: passes [quick, good]\na.yaml:7: fails [quick, bad]\n");
	program_left_nothing(synfault);
	program_runs(synfault, "run --list --format json --timeout 7s --repeat 3 a.yaml");
	program_exited(synfault, STATUS_PASSED);
	list = json_loads(synfault->out, 0, NULL);
	cr_assert_eq(json_array_size(list), 3);
	cr_assert_eq(json_integer_value(json_object_get(json_array_get(list, 0), "timeout_ns")),
		     7 * NS_PER_S);
	json_decref(list);
	program_runs(synfault, "run --dry-run --repeat 2 --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "6 would run, 0 can't; nothing was run");
	program_left_nothing(synfault);
	program_writes(synfault, "b.yaml", "name: broken\n");
	program_runs(synfault, "run --dry-run a.yaml b.yaml");
	program_exited(synfault, STATUS_USAGE);
	program_concluded(synfault, "3 would run, 1 can't; nothing was run");
	program_runs(synfault, "run --dry-run --junit a.yaml/x a.yaml");
	program_exited(synfault, STATUS_USAGE);
}

Test(control, last_failed_runs_only_what_failed)
{
	AUTO_PROGRAM struct program *synfault = program_with(PASSES NEXT FAILS);

	program_runs(synfault, "run --last-failed --filter passes a.yaml");
	program_printed(synfault, "no known failures: all scenarios");
	program_concluded(synfault, "1 passed, 0 failed, 0 skipped");
	program_runs(synfault, "run a.yaml");
	program_left_nothing(synfault);
	program_runs(synfault, "run --last-failed ./a.yaml");
	program_exited(synfault, STATUS_FAILED);
	program_printed(synfault, "failed last time");
	program_concluded(synfault, "0 passed, 1 failed, 0 skipped");
	/* The one that fails did not run, and is still known. */
	program_runs(synfault, "run --filter passes a.yaml");
	program_runs(synfault, "run --last-failed a.yaml -- synfault-tiny --tries 2 '${api}'");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "1 passed, 0 failed, 0 skipped");
	program_runs(synfault, "run --last-failed --list a.yaml");
	cr_assert(strstr(synfault->out, "passes") && strstr(synfault->out, "fails"));
}

/* ---- retries and repetition ---- */

Test(control, scenario_that_passes_in_a_retry_is_flaky)
{
	const char *schemas = getenv("SYNFAULT_SCHEMAS");
	AUTO_PROGRAM struct program *synfault = program_with(PASSES_IN_RUN("3"));
	AUTO_FREE char *report = NULL;

	program_runs(synfault, "run --retries 2 --junit junit.xml --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "FLAKY");
	program_printed(synfault, "1 flaky");
	program_concluded(synfault, "1 passed, 0 failed, 0 skipped");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	cr_assert_eq(junit->n_cases, 1);
	junit_says(junit, "flips", OUTCOME_PASS, NULL, NULL);
	report = program_reads(synfault, "junit.xml", NULL);
	cr_assert(strstr(report, "<flakyFailure"));
	cr_assert(program_has_file(synfault, "records/0001.json") &&
		  program_has_file(synfault, "records/0001.1.json") &&
		  program_has_file(synfault, "records/0001.2.json"));
	if (schemas) {
		AUTO_FREE char *schema = xasprintf("%s/surefire-test-report.xsd", schemas);

		junit_validate(synfault, "junit.xml", schema);
	}
}

Test(control, flaky_scenario_can_count_as_a_failure)
{
	AUTO_PROGRAM struct program *synfault = program_with(PASSES_IN_RUN("2"));

	program_runs(synfault, "run --retries 2 --flaky-result fail --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_FAILED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	cr_assert_eq(junit->n_cases, 1);
	junit_says(junit, "flips", OUTCOME_FAIL, "flaky", "passed in run 2");
}

Test(control, scenario_fails_when_no_retries_are_left)
{
	AUTO_PROGRAM struct program *synfault = program_with(PASSES_IN_RUN("9"));
	AUTO_FREE char *report = NULL, *runs = NULL;

	program_runs(synfault, "run --retries 2 --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_FAILED);
	program_concluded(synfault, "0 passed, 1 failed, 0 skipped");
	report = program_reads(synfault, "junit.xml", NULL);
	cr_assert(strstr(report, "<rerunFailure"));
	runs = program_reads(synfault, "runs", NULL);
	cr_assert_str_eq(runs, "\n\n\n");
}

/*
 * Two clients wait until their supervisors are stopped. The SYNs of the first runs wait for so long
 * that their times say nothing. The client of the second run finds out whether it runs alone: the
 * other scenario has ended.
 */
#define WAITS_FOR_GO "until [ -e ${dir}/go ]; do sleep 0.01; done; "
#define MEASURES                                                                                   \
	"name: measures\n" ENDPOINT "client:\n"                                                    \
	"  command:\n"                                                                             \
	"  - sh\n  - -c\n"                                                                         \
	"  - '[ -e ${dir}/first ] && again=1; touch ${dir}/first; " WAITS_FOR_GO                   \
	"synfault-tiny ${api}; sleep 0.2; synfault-tiny ${api} || exit 1;"                         \
	" [ -z \"$again\" ] || [ -e ${dir}/other-ended ]'\n"                                       \
	"expect: {exit: 0, attempt-delay: [200ms]}\n"
#define OTHER                                                                                      \
	"name: other\n" ENDPOINT "client:\n"                                                       \
	"  command: [sh, -c, 'synfault-tiny --tries 2 ${api}; touch ${dir}/second; "               \
	"until [ -e ${dir}/over ]; do sleep 0.05; done; sleep 1.5; touch ${dir}/other-ended']\n"   \
	"expect: {exit: 0}\n"
/* Gives up an attempt whose answer is due. */
#define WAITS                                                                                      \
	"name: waits\nendpoints: {api: {faults: [delay 300ms]}}\nclient:\n"                        \
	"  command:\n"                                                                             \
	"  - sh\n  - -c\n"                                                                         \
	"  - 'touch ${dir}/third; " WAITS_FOR_GO                                                   \
	"exec synfault-backoff --base 50 --timeout 400 ${api}'\n"                                  \
	"expect: {exit: 0, attempts: 1}\n"
enum {
	N_STOPPED = 3,
	/* How long the first SYNs wait at least. */
	STANDSTILL_MS = 1000,
	SYN_SENT = 2, /* the kernel's TCP_SYN_SENT */
};

/* The ports from which the attempts of one scenario were seen to come while they waited. */
struct waiting_ports {
	unsigned first;
	bool several;
};

/* Looks for sockets in the namespace of a supervisor that wait for an answer. */
static void look_for_waiting(pid_t supervisor, struct waiting_ports *ports)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/net/tcp", supervisor), *line = NULL;
	AUTO_FCLOSE FILE *file = fopen(path, "re");
	unsigned port, state;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0)
		if (sscanf(line, " %*d: %*x:%x %*x:%*x %x", &port, &state) == 2 &&
		    state == SYN_SENT) {
			ports->several |= ports->first && ports->first != port;
			if (!ports->first)
				ports->first = port;
		}
}

/* Waits until two scenarios have an unanswered attempt, and one of them another one. */
static void wait_for_attempts(const pid_t *supervisors)
{
	struct waiting_ports ports[N_STOPPED] = {0};
	int64_t end_ns = clock_monotonic_ns() + 60 * NS_PER_S;
	size_t n_waiting;
	bool several;

	do {
		cr_assert_lt(clock_monotonic_ns(), end_ns, "the clients make no attempts");
		poll(NULL, 0, 5);
		n_waiting = 0;
		several = false;
		for (size_t i = 0; i < N_STOPPED; i++) {
			look_for_waiting(supervisors[i], &ports[i]);
			n_waiting += ports[i].first != 0;
			several = several || ports[i].several;
		}
	} while (n_waiting < 2 || !several);
}

static struct program *stands_still_in_its_first_run(const char *arguments)
{
	struct program *synfault = program_with(MEASURES NEXT OTHER NEXT WAITS);
	AUTO_FREE pid_t *pids = NULL;
	size_t n;

	program_starts(synfault, "run --jobs 3 %s a.yaml", arguments);
	program_waits_for_file(synfault, "first");
	program_waits_for_file(synfault, "second");
	program_waits_for_file(synfault, "third");
	n = program_supervisors(synfault, &pids);
	cr_assert_eq(n, N_STOPPED);
	for (size_t i = 0; i < n; i++)
		kill(pids[i], SIGSTOP);
	program_writes(synfault, "go", "%s", "");
	wait_for_attempts(pids);
	poll(NULL, 0, STANDSTILL_MS);
	for (size_t i = 0; i < n; i++)
		kill(pids[i], SIGCONT);
	program_writes(synfault, "over", "%s", "");
	program_ends(synfault);
	return synfault;
}

Test(control, scenario_with_inconclusive_timing_is_rerun_alone)
{
	AUTO_PROGRAM struct program *synfault =
		stands_still_in_its_first_run("--flaky-result fail --junit junit.xml");
	AUTO_FREE char *report = NULL;

	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "run 1: error: attempt delay 1: ");
	program_printed(synfault, "run 1: error: attempts: expected 1, got ");
	/* On a busy machine perhaps the third one, too. */
	program_printed(synfault, " run again alone: the machine was too slow at first");
	program_did_not_print(synfault, "FLAKY");
	program_concluded(synfault, "3 passed, 0 failed, 0 skipped");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "measures", OUTCOME_PASS, NULL, NULL);
	report = program_reads(synfault, "junit.xml", NULL);
	cr_assert(strstr(report, "<flakyError"));
}

Test(control, reports_error_for_inconclusive_timing_when_rerun_is_disabled)
{
	AUTO_PROGRAM struct program *synfault = stands_still_in_its_first_run("--late-retries 0");

	program_exited(synfault, STATUS_UNJUDGED);
	program_printed(synfault,
			"but the machine was too slow to tell: attempt 1 at api was answered ");
	program_printed(synfault, "but the machine was too slow to tell: attempt 1 at api");
	/* On a busy machine the third one may be inconclusive, too. */
	if (!strstr(synfault->out, "0 passed, 3 failed, 0 skipped"))
		program_concluded(synfault, "1 passed, 2 failed, 0 skipped");
}

Test(control, repeated_scenarios_have_their_own_names_and_seeds)
{
	AUTO_PROGRAM struct program *synfault = program_with(FAILS);

	program_runs(synfault,
		     "run --repeat 3 --seed 7 --junit junit.xml --records records a.yaml");
	program_exited(synfault, STATUS_FAILED);
	program_concluded(synfault, "0 passed, 3 failed, 0 skipped");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "fails (run 1 of 3)", OUTCOME_FAIL, NULL, NULL);
	junit_says(junit, "fails (run 3 of 3)", OUTCOME_FAIL, NULL, NULL);
	AUTO_RECORD struct record *first = program_record(synfault, "records/0001.json");
	AUTO_RECORD struct record *second = program_record(synfault, "records/0002.json");

	cr_assert_neq(first->seed, second->seed);
}

/* ---- the end of a run ---- */

Test(control, run_stops_after_enough_failures)
{
	AUTO_PROGRAM struct program *synfault = program_with(FAILS NEXT PASSES);

	program_runs(synfault, "run -x --jobs 1 --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_FAILED);
	program_concluded(synfault, "0 passed, 1 failed, 1 skipped");
	program_printed(synfault, "stopped at --max-fail: 1 was not run");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "passes", OUTCOME_SKIP, NULL,
		   "the run stopped at its limit of failures (--max-fail)");
	program_runs(synfault, "run --max-fail 2 --jobs 1 a.yaml");
	program_concluded(synfault, "1 passed, 1 failed, 0 skipped");
}

Test(control, timeout_option_overrides_that_of_scenarios)
{
	AUTO_PROGRAM struct program *synfault = program_with(SLOW);

	program_runs(synfault, "run --timeout 2s --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_FAILED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "slow", OUTCOME_FAIL, "timeout", NULL);
	cr_assert_lt(synfault->duration_ns, 100 * NS_PER_S);
}

Test(control, run_ends_at_its_own_time_limit)
{
	AUTO_PROGRAM struct program *synfault = program_with(PASSES NEXT SLOW NEXT FAILS);

	/* A busy machine may need longer for the first scenario. */
	for (int limit_s = 2; limit_s <= 32; limit_s *= 4) {
		program_runs(synfault, "run --global-timeout %ds --jobs 1 --junit junit.xml a.yaml",
			     limit_s);
		program_exited(synfault, STATUS_UNJUDGED);
		program_left_nothing_but(synfault, "junit.xml");
		cr_assert_lt(synfault->duration_ns, 100 * NS_PER_S);
		if (strstr(synfault->out, "1 passed, 2 failed, 0 skipped"))
			break;
	}
	program_concluded(synfault, "1 passed, 2 failed, 0 skipped");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "slow", OUTCOME_ERROR, NULL, "the run reached its time limit");
	junit_says(junit, "fails", OUTCOME_ERROR, NULL, "not run: the run reached its time limit");
}

Test(control, signal_makes_the_run_print_what_is_running)
{
	AUTO_PROGRAM struct program *synfault =
		program_with("name: slow\n" ENDPOINT
			     "client: {command: [sh, -c, 'touch ${dir}/began; sleep 200']}\n"
			     "expect: {exit: 0}\n");

	program_starts(synfault, "run a.yaml");
	program_waits_for_file(synfault, "began");
	kill(synfault->pid, SIGUSR1);
	program_waits_for_complaint(synfault, " s  a.yaml: slow\n");
	kill(synfault->pid, SIGINT);
	program_ends(synfault);
	program_exited(synfault, STATUS_INTERRUPTED);
	program_complained(synfault, "synfault: 1 running, 0 of 1 done\n");
	program_complained(synfault, " s  a.yaml: slow\n");
}

/* ---- shards ---- */

enum { N_PARTS = 4 };

static void write_suite(const struct program *synfault)
{
	AUTO_STRBUF struct strbuf text = {0};

	for (int i = 1; i <= 10; i++)
		strbuf_printf(&text, "name: number %d\n%s---\n", i, TWO_ATTEMPTS);
	program_writes(synfault, "a.yaml", "%s%s", strbuf_text(&text), FAILS);
}

static void compare_with_one_run(const struct program *synfault)
{
	AUTO_JUNIT struct junit *whole = junit_read(synfault, "whole.xml");
	AUTO_JUNIT struct junit *merged = junit_read(synfault, "merged.xml");

	cr_assert_eq(merged->tests, whole->tests);
	cr_assert_eq(merged->failures, whole->failures);
	cr_assert_eq(merged->errors, whole->errors);
	cr_assert_eq(merged->n_cases, whole->n_cases);
	for (size_t i = 0; i < whole->n_cases; i++)
		junit_says(merged, whole->cases[i].name, whole->cases[i].outcome,
			   *whole->cases[i].type ? whole->cases[i].type : NULL, NULL);
}

Test(parts, merged_shards_equal_one_run)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	write_suite(synfault);
	program_runs(synfault, "run --junit whole.xml --records whole a.yaml");
	program_exited(synfault, STATUS_FAILED);
	for (int balanced = 0; balanced < 2; balanced++) {
		for (int i = 1; i <= N_PARTS; i++) {
			program_runs_shell(synfault,
					   "rm -rf records%d; CI_NODE_INDEX=%d CI_NODE_TOTAL=%d "
					   "synfault run %s --junit junit%d.xml --records "
					   "records%d a.yaml",
					   i, i, N_PARTS, balanced ? "--durations whole.xml" : "",
					   i, i);
			program_printed(synfault, "of 11 (CI_NODE_INDEX)");
		}
		program_runs(synfault,
			     "merge merged.xml junit1.xml junit2.xml junit3.xml junit4.xml");
		program_exited(synfault, STATUS_FAILED);
		program_concluded(synfault, "10 passed, 1 failed, 0 skipped");
		compare_with_one_run(synfault);
		program_runs_shell(synfault,
				   "rm -rf merged; synfault merge merged records* && "
				   "cd merged && ls >../merged.list && cd ../whole && "
				   "ls >../whole.list && cmp ../merged.list ../whole.list");
		program_exited(synfault, 0);
	}
}

Test(parts, shards_that_are_missing_or_duplicate_are_not_merged)
{
	static const struct {
		const char *arguments, *complaint;
		int status;
	} cases[] = {
		{"merged.xml junit1.xml", "part 2 of 2 is missing", STATUS_UNJUDGED},
		{"merged.xml junit1.xml junit1.xml", "are both part 1 of 2", STATUS_UNJUDGED},
		{"merged.xml whole.xml whole.xml", "is in whole.xml and in whole.xml",
		 STATUS_UNJUDGED},
		{"merged.xml whole.xml junit1.xml", "is a part of a suite, but", STATUS_UNJUDGED},
		{"merged.xml a.yaml", "can't be read", STATUS_UNJUDGED},
		{"merged.xml records1 junit1.xml",
		 "can't merge reports with directories of records", STATUS_USAGE},
		{"merged.xml", "at least one input", STATUS_USAGE},
		{"merged records1", "part 2 of 2 is missing", STATUS_UNJUDGED},
		{"merged records1 records1", "is in records1 and in records1", STATUS_UNJUDGED},
		{"merged .", "is not a directory of records", STATUS_UNJUDGED},
	};
	AUTO_PROGRAM struct program *synfault = program_new();

	write_suite(synfault);
	program_runs(synfault, "run --junit whole.xml a.yaml");
	program_runs(synfault, "run --shard 1/2 --junit junit1.xml --records records1 a.yaml");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "merge %s", cases[i].arguments);
		program_exited(synfault, cases[i].status);
		program_complained(synfault, cases[i].complaint);
		program_left_nothing(synfault);
	}
}

Test(parts, sharding_by_an_unreadable_report_is_refused)
{
	static const struct {
		const char *path, *complaint;
	} cases[] = {
		{"missing.xml", "missing.xml can't be read: No such file or directory"},
		{"a.yaml", "a.yaml can't be read: "},
		{"other.xml", "other.xml is not a JUnit report: its outermost element"},
	};
	AUTO_PROGRAM struct program *synfault = program_with(PASSES);

	program_writes(synfault, "other.xml", "<html/>");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int parts = 0; parts < 2; parts++) {
			program_runs(synfault, "run %s --durations %s a.yaml",
				     parts ? "--shard 1/2" : "", cases[i].path);
			program_exited(synfault, STATUS_USAGE);
			program_complained(synfault, "synfault: --durations: ");
			program_complained(synfault, cases[i].complaint);
		}
	}
}

Test(parts, empty_shard_succeeds_and_says_so)
{
	AUTO_PROGRAM struct program *synfault = program_with(PASSES);

	for (int i = 1; i <= 2; i++) {
		program_runs_shell(synfault,
				   "JOB_COMPLETION_INDEX=%d SYNFAULT_SHARDS=2 synfault run --junit "
				   "junit%d.xml a.yaml",
				   i - 1, i);
		program_exited(synfault, STATUS_PASSED);
		program_printed(synfault, "(JOB_COMPLETION_INDEX)");
	}
	program_runs(synfault, "merge merged.xml junit1.xml junit2.xml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "1 passed, 0 failed, 0 skipped");
	program_runs_shell(synfault, "JOB_COMPLETION_INDEX=1 synfault run a.yaml");
	program_exited(synfault, STATUS_USAGE);
	program_complained(synfault, "put the Job's completions into SYNFAULT_SHARDS");
}

/* ---- capabilities ---- */

#define WITHOUT_CAPABILITIES "setpriv --no-new-privs --bounding-set=-sys_admin,-net_admin,-net_raw "

Test(capabilities, required_capability_fails_instead_of_skipping)
{
	AUTO_PROGRAM struct program *synfault = program_with(PASSES);

	program_needs(synfault, "setpriv");
	program_needs_root(synfault);
	program_runs_shell(synfault, WITHOUT_CAPABILITIES "synfault run a.yaml");
	program_exited(synfault, STATUS_NOTHING_RAN);
	program_concluded(synfault, "0 passed, 0 failed, 1 skipped");
	program_runs_shell(synfault, WITHOUT_CAPABILITIES "synfault run --require a.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	program_concluded(synfault, "0 passed, 1 failed, 0 skipped");
	program_printed(synfault, "CAP_");
}

Test(doctor, doctor_says_whether_run_can_work)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	json_t *report;

	program_needs(synfault, "setpriv");
	program_needs_root(synfault);
	program_runs(synfault, "doctor");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "run works: each scenario gets namespaces of its own");
	program_left_nothing(synfault);
	for (const char *line = synfault->out; *line; line += strcspn(line, "\n") + 1)
		cr_assert_leq(strcspn(line, "\n"), 80, "too wide for a terminal: %s", line);

	program_runs_shell(synfault, WITHOUT_CAPABILITIES "synfault doctor");
	program_exited(synfault, STATUS_UNJUDGED);
	program_printed(synfault, "missing  NET_ADMIN");
	program_printed(synfault, "docker run --cap-add NET_ADMIN");
	program_concluded(synfault, "run can't work here: see what is missing");

	program_runs_shell(synfault, "setpriv --bounding-set=-sys_admin synfault doctor --json");
	program_exited(synfault, STATUS_PASSED);
	report = json_loads(synfault->out, 0, NULL);
	cr_assert_str_eq(json_string_value(json_object_get(report, "isolation")), "shared");
	cr_assert(json_is_true(json_object_get(report, "can_run")));
	json_decref(report);
	program_left_nothing(synfault);
}
