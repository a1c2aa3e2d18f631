/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of `synfault try` and `synfault record`, which observe clients without judging them. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>

#include "common/duration.h"
#include "tests/lib/program.h"

Test(try, try_shows_attempts_policy_and_end)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault,
		     "try 'refuse x3, accept' -- synfault-backoff --base 200 '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "refuse x3, accept");
	program_printed(synfault, "  attempts      4\n");
	/* Whether the policy can be named depends on the machine's load; fits have their own tests.
	 */
	program_printed(synfault, "  backoff       ");
	program_printed(synfault, "  end           exit 0 after ");
	program_left_nothing(synfault);
}

/* Nothing is judged: observing the client is enough. */
Test(try, try_succeeds_when_the_client_fails_or_never_ends)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try refuse -- synfault-tiny '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "  attempts      1\n");
	program_runs(synfault,
		     "try drop --timeout 700ms -- sh -c 'synfault-tiny $SYNFAULT_SERVER'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "still running when its time ran out");
	program_left_nothing(synfault);
}

Test(try, try_shows_events_live_with_verbose)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try -v refuse -- synfault-tiny '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "server 1  SYN 1 refused");
}

Test(try, try_takes_its_endpoint_from_options)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try --family ipv6 --serve none --port 4711 --seed 3 --isolation "
			       "private 'delay 100ms..200ms' -- synfault-tiny '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "server at [::1]:4711: delay 100ms..200ms");
	program_runs(synfault, "try --isolation shared refuse -- synfault-tiny '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "  attempts      1\n");
}

Test(try, try_explains_a_client_that_never_connects)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try refuse -- true");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "write ${server} there");
}

Test(try, try_writes_the_numbers_as_json)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try --json /dev/null/seen refuse -- synfault-tiny '${server}'");
	program_exited(synfault, STATUS_USAGE);
	program_complained(synfault, "/dev/null/seen");
	program_runs(synfault, "try --json seen.json refuse -- synfault-tiny '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_runs_shell(synfault, "cat seen.json");
	program_printed(synfault, "\"format\": \"synfault-observation\"");
	program_printed(synfault, "\"steps\": \"refuse\"");
	program_printed(synfault, "\"attempts\": 1");
}

/* A daemon forks away, and its parent is done. */
Test(try, try_follows_what_the_client_leaves_behind)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try --timeout 5s 'refuse x2, accept' -- sh -c 'setsid "
			       "synfault-backoff --base 300 $1 & ' sh '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "  attempts      3\n");
	program_printed(synfault, "  left behind   processes that made ");
	program_left_nothing(synfault);
}

Test(try, try_shows_several_endpoints)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try -e api=refuse -e backup=accept -- synfault-backoff --base 100 "
			       "--tries 2 '${api}' '${backup}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "  api at ");
	program_printed(synfault, "  backup at ");
	program_printed(synfault, "  attempts      2\n");
	program_runs(synfault, "try -e api -- true");
	program_exited(synfault, STATUS_USAGE);
	program_runs(synfault, "try -e api=refus -- true");
	program_exited(synfault, STATUS_USAGE);
	program_complained(synfault, "refus");
	program_runs(synfault, "try -e api=refuse drop -- true");
	program_exited(synfault, STATUS_USAGE);
	program_complained(synfault, "the steps are needed, as one text in quotes");
}

Test(try, try_names_the_proxy_that_may_explain_silence)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try --timeout 2s accept -- sh -c ': $1' sh '${server}'");
	program_printed(synfault, "Connections over QUIC");
	setenv("http_proxy", "http://192.0.2.1:3128", 1);
	program_runs(synfault, "try --timeout 2s accept -- sh -c ': $1' sh '${server}'");
	program_printed(synfault, "The environment sets http_proxy: the client");
	setenv("ALL_PROXY", "http://192.0.2.1:3128", 1);
	program_runs(synfault, "try --timeout 2s accept -- sh -c ': $1' sh '${server}'");
	program_printed(synfault, "The environment sets http_proxy ALL_PROXY: the client");
	program_printed(synfault, "\"env -u http_proxy -u ALL_PROXY\"");
}

Test(try, try_says_that_the_client_is_in_another_network_namespace)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault,
		     "try --timeout 2s accept -- unshare -U -r -n sh -c 'sleep 1; : $1' sh "
		     "'${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "The client has a process in another network namespace");
	/* Connections came: nothing is to be explained. */
	program_runs(synfault, "try --timeout 2s accept -- sh -c 'unshare -U -r -n sleep 1; "
			       "synfault-tiny $1' sh '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_did_not_print(synfault, "another network namespace");
}

Test(try, try_explains_a_client_that_can_not_start)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try refuse -- no-such-program");
	program_exited(synfault, STATUS_UNJUDGED);
	program_complained(synfault, "no-such-program: not found in PATH");
}

Test(try, try_refuses_a_wrong_command_line)
{
	static const struct {
		const char *arguments, *complaint;
	} cases[] = {
		{"", "a command is needed after --"},
		{"-- true", "the steps are needed, as one text in quotes"},
		{"refuse accept -- true", "the steps are needed, as one text in quotes"},
		{"refuse", "a command is needed after --"},
		{"refuse true '${server}'", "a command is needed after --"},
		{"refuse --", "a command is needed after --"},
		{"' , ' -- true", "a step is needed"},
		{"'refuse, refus' -- true", "step \"refus\": unknown step \"refus\"; did you mean"},
		{"'refuse x0' -- true", "step \"refuse x0\": "},
		{"'refuse, accept' -- true '${servr}'", "did you mean \"${server}\"?"},
		{"'{when: {familie: ipv6}, do: drop}, accept' -- true", "unknown key \"familie\""},
		{"'{when: {}' -- true", "unknown step"},
		{"--family ipv5 refuse -- true", "ipv4, ipv6, or both"},
		{"--family ipv4,ipv4 refuse -- true", "ipv4, ipv6, or both"},
		{"--serve smtp refuse -- true", "http, echo, accept or none"},
		{"--port 0 refuse -- true", "a number from 1 to 65535 is expected"},
		{"--timeout 3 refuse -- true", "timeout"},
		{"--seed x refuse -- true", "a number such as"},
		{"--isolation none refuse -- true", "auto, private or shared"},
	};
	AUTO_PROGRAM struct program *synfault = program_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "try %s", cases[i].arguments);
		program_exited(synfault, STATUS_USAGE);
		program_complained(synfault, cases[i].complaint);
	}
}

/* ---- record ---- */

/* Runs the baseline that `record` has just written: it passes. */
static void written_passes(struct program *synfault, size_t fewest)
{
	AUTO_FREE char *summary = NULL;
	size_t n = 0;

	program_exited(synfault, STATUS_PASSED);
	program_left_nothing_but(synfault, "base.yaml");
	for (const char *at = strstr(synfault->out, "written to"); at > synfault->out; at--)
		if (at[-1] == '\n') {
			n = (size_t)atoi(at);
			break;
		}
	cr_assert_geq(n, fewest, "%zu scenarios were written\n%s", n, synfault->out);
	summary = xasprintf("%zu passed, 0 failed, 0 skipped", n);
	program_runs(synfault, "check base.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_runs(synfault, "run base.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, summary);
}

/* Records a client and runs the baseline. */
static void baseline_passes(struct program *synfault, const char *options, const char *client,
			    size_t fewest)
{
	program_runs(synfault, "record %s -o base.yaml -- %s", options, client);
	written_passes(synfault, fewest);
}

static void expect_written(const struct program *synfault, const char *text)
{
	size_t length;
	AUTO_FREE char *written = program_reads(synfault, "base.yaml", &length);

	cr_expect(strstr(written, text), "\"%s\" is not in what was written:\n%s", text, written);
}

Test(record, baseline_of_a_client_with_backoff_passes)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	baseline_passes(synfault, "--timeout 10s",
			"synfault-backoff --base 300 --tries 4 --timeout 600 '${server}'", 8);
	expect_written(synfault, "connect-timeout: 600ms");
	expect_written(synfault, "fallback: {from: ipv6, to: ipv4, within: ");
	expect_written(synfault, "backoff: {exponential: {base: 300ms, factor: 2}}");
	expect_written(synfault, "contains: Connection refused");
}

/*
 * Every synfault process except the first is stopped once the clients run: the answer that is due
 * after 500 ms comes when they have given up.
 */
Test(record, record_repeats_runs_that_the_machine_held_up)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE pid_t *pids = NULL;
	size_t n;

	program_writes(
		synfault, "client",
		"touch begun\nexec synfault-backoff --base 200 --tries 2 --timeout 600 $1\n");
	program_starts(synfault,
		       "record --timeout 10s --runs 2 -o base.yaml -- sh client '${server}'");
	program_waits_for_file(synfault, "begun");
	/* Twice: the first time, all that run may be waiting. */
	for (int k = 0; k < 2; k++) {
		poll(NULL, 0, 200);
		free(pids);
		n = program_supervisors(synfault, &pids);
		for (size_t i = 0; i < n; i++)
			kill(pids[i], SIGSTOP);
		poll(NULL, 0, 700);
		for (size_t i = 0; i < n; i++)
			kill(pids[i], SIGCONT);
	}
	program_ends(synfault);
	program_complained(synfault,
			   "runs may have been held up by other processes: they run again");
	program_did_not_print(synfault, "not seen");
	program_removes(synfault, "begun");
	written_passes(synfault, 8);
	expect_written(synfault, "faults: [delay 500ms]}\nexpect:\n  tolerance: {absolute: 250ms, "
				 "relative: 10%}\n  exit: 0\n  attempts: 1\n");
	expect_written(synfault, "attempts: 2\n  backoff: [200ms]\n");
}

Test(record, baseline_of_a_client_that_never_stops_says_so)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	baseline_passes(synfault, "--timeout 3s --runs 2",
			"synfault-backoff --base 200 --factor 1 --tries 100000 '${server}'", 7);
	expect_written(synfault, "Whether it would give up is unknown");
	expect_written(synfault, "run-for: 3s\n");
}

/* A daemon forks away, and its parent is done before it connects. */
Test(record, record_follows_what_the_client_leaves_behind)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault,
		     "record --runs 1 --timeout 4s -o base.yaml -- sh -c 'setsid synfault-backoff "
		     "--base 100 --tries 2 --timeout 300 $1 & ' sh '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "  left behind   processes that made ");
	program_did_not_print(synfault, "  gives up");
	expect_written(synfault, "leftover-timeout: 4s\n");
}

Test(record, baseline_of_a_client_with_random_backoff_passes)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	baseline_passes(synfault, "--timeout 10s",
			"synfault-backoff --base 400 --jitter full --tries 3 --timeout 600 "
			"'${server}'",
			7);
}

Test(record, baseline_of_curl_passes)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "curl python3");
	baseline_passes(
		synfault, "--timeout 5s",
		"curl -sS --retry 3 --retry-delay 1 --retry-connrefused 'http://${server}/'", 7);
}

Test(record, baseline_of_a_python_client_passes)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	const char *source = getenv("SYNFAULT_SOURCE");
	AUTO_FREE char *client = NULL;

	cr_assert_not_null(source);
	client = xasprintf("env RETRY_DELAY=0.5 python3 %s/targets/clients/fetch.py "
			   "'http://${server}/'",
			   source);
	program_needs(synfault, "python3");
	baseline_passes(synfault, "--timeout 6s --runs 2 --jobs 6", client, 7);
}

/* An argument that looks like YAML, a comment and a reference. */
Test(record, baseline_keeps_hostile_arguments)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	baseline_passes(synfault, "--timeout 2s --runs 1",
			"sh -c 'printf \"%%s\" \"$2\" > \"$SYNFAULT_TMP/x\"; exec synfault-tiny "
			"$1' sh '${server}' \"$(printf 'a: b\\n# c\\n---\\n\\t\"\\\\ {$$''{x}')\"",
			4);
	expect_written(synfault, "\\n# c\\n---\\n\\t\\\"\\\\ {$${x}\"");
}

/* Where no server listens, nothing can be reset: the other parts keep their own results. */
Test(record, record_leaves_out_a_part_that_can_not_be)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	const char *part;

	program_runs(synfault, "record --serve none --timeout 3s --runs 1 -o base.yaml -- "
			       "synfault-backoff --base 100 --tries 2 --timeout 300 '${server}'");
	program_exited(synfault, STATUS_PASSED);
	part = strstr(synfault->out, "reset after accept: ");
	cr_assert(part && (part = strchr(part, '\n')));
	cr_expect(strncmp(part, "\n  not seen: ", 13) == 0, "%s", synfault->out);
	program_printed(synfault, "by IPv6)");
	program_did_not_print(synfault, "it was interrupted");
	expect_written(synfault, "down 2s from first-attempt");
}

Test(record, record_explains_a_client_that_never_connects)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "record --timeout 2s --runs 1 -o base.yaml -- true");
	program_exited(synfault, STATUS_UNJUDGED);
	program_complained(synfault, "never tried to connect: its arguments do not say");
	program_runs(synfault, "record --timeout 2s --runs 1 -o base.yaml -- no-such-program");
	program_exited(synfault, STATUS_UNJUDGED);
	program_complained(synfault, "no-such-program: not found in PATH");
	program_left_nothing(synfault);
}

Test(record, record_refuses_a_wrong_command_line)
{
	static const struct {
		const char *arguments, *complaint;
	} cases[] = {
		{"", "a command is needed after --"},
		{"--", "a command is needed after --"},
		{"refuse -- true", "takes only the client, after --"},
		{"--runs 0 -- true", "a number from 1 to 20"},
		{"--jobs 0 -- true", "a number from 1 to 1000"},
		{"-o '' -- true", "a name is expected"},
		{"-o /dev/null/x -- true", "can't write the scenarios /dev/null/x"},
		{"-- true '${srver}'", "did you mean \"${server}\"?"},
		{"-o a.yaml -- true \"$(printf '\\377')\"",
		 "argument 1 of the client is not UTF-8"},
	};
	AUTO_PROGRAM struct program *synfault = program_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "record %s", cases[i].arguments);
		program_exited(synfault, STATUS_USAGE);
		program_complained(synfault, cases[i].complaint);
	}
	program_left_nothing(synfault);
}
