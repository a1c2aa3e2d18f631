/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time: the client's clock jumps while it sleeps (docs/time.md). Verdicts are those of real
 * time, waits end when they should by the client's own clocks, and what can't be trusted runs again
 * in real time.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "common/duration.h"
#include "tests/lib/junit_reader.h"

#define NEXT "---\n"

/* Five minutes and ten seconds of backoff. */
#define LONG                                                                                       \
	"name: long\n"                                                                             \
	"timeout: 10m\n"                                                                           \
	"endpoints: {api: {faults: [refuse x5, accept]}}\n"                                        \
	"client: {command: [synfault-backoff, --base, '10000', --cap, '1000000', --tries, '6', "   \
	"'${api}']}\n"                                                                             \
	"expect: {exit: 0, attempts: 6, backoff: {exponential: {base: 10s}}, duration: 310s}\n"

/* Virtual time needs a machine that has it, and a sandbox of its own. */
static struct program *virtual_program(void)
{
	struct program *synfault = program_new();
	const char *before = getenv("ASAN_OPTIONS");
	AUTO_FREE char *options = xasprintf("%s:detect_leaks=0", before ? before : "");

	/* LeakSanitizer does not work under ptrace, and ends its program with status 1. */
	setenv("ASAN_OPTIONS", options, 1);

#ifndef __x86_64__
	cr_skip_test("virtual time is available on x86-64 only");
#endif
	return synfault;
}

static struct record *first_record(const struct program *synfault)
{
	return program_record(synfault, "records/0001.json");
}

Test(virtual_time, judges_five_minutes_of_backoff_in_a_fraction_of_them)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();
	AUTO_RECORD struct record *record = NULL;

	program_writes(synfault, "a.yaml", LONG);
	program_runs(synfault, "run --time virtual --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "1 passed, 0 failed, 0 skipped");
	record = first_record(synfault);
	cr_assert(record->virtual_time);
	cr_assert_null(record->clock_failure);
	cr_assert_geq(record->n_jumps, 5, "%zu jumps", record->n_jumps);
	cr_assert_lt(synfault->duration_ns, 100 * NS_PER_S);
}

Test(virtual_time, can_be_asked_for_by_the_scenario_and_the_environment)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();
	AUTO_RECORD struct record *record = NULL;

	program_writes(synfault, "a.yaml", LONG "time: virtual\n");
	program_runs(synfault, "run --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	record = first_record(synfault);
	cr_assert(record->virtual_time);
	program_writes(synfault, "b.yaml", LONG);
	program_runs_shell(synfault, "SYNFAULT_TIME=virtual synfault run b.yaml");
	program_exited(synfault, STATUS_PASSED);
}

Test(real_time, is_the_default_and_leaves_the_client_alone)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_RECORD struct record *record = NULL;

	program_writes(synfault, "a.yaml",
		       "name: alone\n"
		       "endpoints: {api: {}}\n"
		       "client: {command: [sh, -c, 'synfault-tiny ${api}; grep -E "
		       "\"TracerPid|Seccomp:\" /proc/self/status']}\n"
		       "expect: {exit: 0}\n");
	program_runs(synfault, "run --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	record = first_record(synfault);
	cr_assert_not(record->virtual_time);
	cr_assert_not_null(strstr(record->streams[0].head, "TracerPid:\t0"));
	cr_assert_not_null(strstr(record->streams[0].head, "Seccomp:\t0"));
}

Test(virtual_time, fails_a_wrong_client_as_real_time_does)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	program_writes(synfault, "a.yaml",
		       "name: linear\n"
		       "timeout: 10m\n"
		       "endpoints: {api: {faults: [refuse x3, accept]}}\n"
		       "client: {command: [synfault-backoff, --base, '20000', --factor, '1', "
		       "'${api}']}\n"
		       "expect: {exit: 0, backoff: {exponential: {base: 20s}}}\n");
	program_runs(synfault, "run --time virtual --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_FAILED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "linear", OUTCOME_FAIL, "backoff", "40.0 s");
}

Test(virtual_time, has_the_timers_of_faults_and_limits_on_the_clients_clock)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	program_writes(
		synfault, "a.yaml",
		"name: delayed\n"
		"timeout: 10m\n"
		"endpoints: {api: {faults: [delay 40s then refuse, delay 20s]}}\n"
		"client: {command: [synfault-backoff, --base, '1000', --timeout, '100000', "
		"'${api}']}\n"
		"expect: {exit: 0, attempts: 2, duration: 61s}\n" NEXT "name: outage\n"
		"timeout: 10m\n"
		"endpoints: {api: {faults: [down 100s, accept]}}\n"
		"client: {command: [synfault-backoff, --base, '30000', --factor, '1', --cap, "
		"'30000', --tries, '9', '${api}']}\n"
		"expect: {exit: 0, attempts: 5, duration: 120s}\n" NEXT "name: timeout\n"
		"timeout: 100s\n"
		"endpoints: {api: {}}\n"
		"client: {command: [sh, -c, 'synfault-tiny ${api}; sleep 1000']}\n"
		"expect: {exit: 0}\n" NEXT "name: stopped\n"
		"timeout: 10m\n"
		"run-for: 90s\n"
		"endpoints: {api: {}}\n"
		"client: {command: [sh, -c, 'while :; do synfault-tiny ${api}; sleep 20; done']}\n"
		"expect: {attempts: 5}\n");
	program_runs(synfault, "run --time virtual --junit junit.xml a.yaml");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "delayed", OUTCOME_PASS, NULL, NULL);
	junit_says(junit, "outage", OUTCOME_PASS, NULL, NULL);
	junit_says(junit, "timeout", OUTCOME_FAIL, "timeout", NULL);
	junit_says(junit, "stopped", OUTCOME_PASS, NULL, NULL);
	cr_assert_lt(synfault->duration_ns, 80 * NS_PER_S);
}

/* The end of an unanswered connect() is computed. */
Test(virtual_time, ends_a_connect_when_the_kernel_would)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	program_writes(synfault, "a.yaml",
		       "name: unanswered\n"
		       "timeout: 10m\n"
		       "kernel: {tcp_syn_retries: 3, tcp_syn_linear_timeouts: 0}\n"
		       "endpoints: {api: {faults: [drop]}}\n"
		       "client: {command: [sh, -c, 'synfault-tiny ${api}']}\n"
		       "expect: {exit: nonzero, attempts: 1, connect-timeout: 15s}\n");
	program_runs(synfault, "run --time virtual a.yaml");
	program_exited(synfault, STATUS_PASSED);
}

/* The clock process makes a call in a thread that sleeps without a limit, and the thread sleeps on.
 */
Test(virtual_time, ends_a_connect_that_the_client_polls_without_a_limit)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	program_writes(synfault, "client.py",
		       "import select, socket, sys\n"
		       "s = socket.socket()\n"
		       "s.setblocking(False)\n"
		       "s.connect_ex((sys.argv[1], int(sys.argv[2])))\n"
		       "p = select.poll()\n"
		       "p.register(s, select.POLLOUT)\n"
		       "p.poll()\n"
		       "sys.exit(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))\n");
	program_writes(synfault, "a.yaml",
		       "name: unanswered\n"
		       "timeout: 10m\n"
		       "kernel: {tcp_syn_retries: 3, tcp_syn_linear_timeouts: 0}\n"
		       "endpoints: {api: {faults: [drop]}}\n"
		       "client: {command: [python3, client.py, '${api.host}', '${api.port}']}\n"
		       "expect: {exit: %d, attempts: 1, connect-timeout: 15s}\n",
		       ETIMEDOUT);
	program_runs(synfault, "run --time virtual a.yaml");
	program_exited(synfault, STATUS_PASSED);
}

/*
 * Each wait of 20 s may take 10 s longer: the first use of a library, such as Java's HTTP client,
 * may compute for seconds on a busy machine, and a wait that ends by the wrong clock takes no time
 * at all, or another 20 s.
 */
static void waits_are_right(struct program *synfault, const char *client, int n_attempts)
{
	program_writes(synfault, "a.yaml",
		       "name: waits\n"
		       "timeout: 1h\n"
		       "endpoints: {api: {faults: [drop]}}\n"
		       "client: {command: [%s, '20', '10000', '${api}']}\n"
		       "expect: {exit: 0, attempts: %d}\n",
		       client, n_attempts);
	program_runs(synfault, "run --time virtual a.yaml");
	program_exited(synfault, STATUS_PASSED);
}

Test(virtual_time, ends_each_kind_of_wait_in_time_and_with_the_right_result)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	waits_are_right(synfault, "synfault-waits", 1);
}

Test(virtual_time, ends_those_of_static_programs_too)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	waits_are_right(synfault, "synfault-waits-static", 1);
}

/* Waits by the libraries of languages: a program of targets/clients, with its interpreter. */
static void waits_of_are_right(const char *interpreter, const char *file, int n_attempts)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();
	AUTO_FREE char *client = xasprintf("%s, '%s/targets/clients/%s'", interpreter,
					   getenv("SYNFAULT_SOURCE"), file);

	program_needs(synfault, interpreter);
	waits_are_right(synfault, client, n_attempts);
}

Test(virtual_time, ends_those_of_python)
{
	waits_of_are_right("python3", "waits.py", 3);
}

Test(virtual_time, ends_those_of_node)
{
	waits_of_are_right("node", "waits.js", 1);
}

/* What Go has compiled of its library is kept, for other tests too: it takes longer than the waits.
 */
Test(virtual_time, ends_those_of_go)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	program_needs(synfault, "go");
	program_runs_shell(synfault,
			   "GOPATH=\"$PWD/go\" GOCACHE=\"$TESTS_GO_CACHE\" GO111MODULE=off "
			   "GOTOOLCHAIN=local CGO_ENABLED=0 "
			   "go build -o waits '%s/targets/clients/waits.go'",
			   getenv("SYNFAULT_SOURCE"));
	program_exited(synfault, 0);
	waits_are_right(synfault, "'${dir}/waits'", 2);
}

Test(virtual_time, ends_those_of_java)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	program_needs(synfault, "java javac");
	program_runs_shell(synfault, "javac -d . '%s/targets/clients/Waits.java'",
			   getenv("SYNFAULT_SOURCE"));
	program_exited(synfault, 0);
	waits_are_right(synfault, "java, '-XX:TieredStopAtLevel=1', -cp, '${dir}', Waits", 2);
}

/* ---- shared networks ---- */

Test(virtual_time, is_available_in_a_shared_network)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();
	AUTO_RECORD struct record *record = NULL;

	program_writes(synfault, "a.yaml", LONG);
	program_runs(synfault, "run --time virtual --isolation shared --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	record = first_record(synfault);
	cr_assert(record->virtual_time);
	cr_assert_null(record->clock_failure);
}

/* The server there has another clock. */
Test(virtual_time, in_a_shared_network_ends_when_the_client_talks_to_others)
{
	static const char *const clients[] = {
		"socket.socket(type=socket.SOCK_DGRAM).connect(to)",
		"socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', to)",
		"socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, to)",
		"socket.socket().connect_ex(to)",
	};
	AUTO_PROGRAM struct program *synfault = virtual_program();

	program_needs(synfault, "python3");
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		AUTO_RECORD struct record *record = NULL;

		program_writes(
			synfault, "client.py",
			"import socket, subprocess, sys\n"
			"to = ('127.0.0.1', 9)\n"
			"%s\n"
			"sys.exit(subprocess.run(['synfault-tiny', sys.argv[1]]).returncode)\n",
			clients[i]);
		program_writes(synfault, "a.yaml",
			       "name: elsewhere\n"
			       "endpoints: {api: {}}\n"
			       "client: {command: [python3, '${dir}/client.py', '${api}']}\n"
			       "expect: {exit: 0, attempts: 1}\n");
		program_runs(synfault,
			     "run --time auto --isolation shared --records records a.yaml");
		program_exited(synfault, STATUS_PASSED);
		program_printed(synfault, "a program talks to 127.0.0.1:9");
		record = first_record(synfault);
		cr_assert_not(record->virtual_time, "case %zu", i);
	}
}

Test(virtual_time, skips_what_is_impossible_with_the_reason)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	program_writes(synfault, "a.yaml",
		       "name: lossy\n"
		       "endpoints: {api: {faults: [lose 1]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 0}\n");
	program_runs(synfault, "run --time virtual --junit junit.xml a.yaml");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "lossy", OUTCOME_SKIP, NULL, "depends on the kernel's retransmissions");
	program_runs(synfault, "run --time auto a.yaml");
	program_exited(synfault, STATUS_PASSED);
}

Test(virtual_time, skips_stalls_after_which_kernels_retransmit)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	program_writes(synfault, "a.yaml",
		       "name: heals\n"
		       "endpoints: {api: {faults: [stall after accept for 1s]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 0}\n"
		       "---\n"
		       "name: loses packets\n"
		       "endpoints: {api: {faults: [packet-loss 2%% burst 3]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {attempts: 1}\n"
		       "---\n"
		       "name: paused\n"
		       "endpoints: {api: {faults: [pause 1s]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 0}\n"
		       "---\n"
		       "name: one way\n"
		       "endpoints: {api: {faults: [stall from-server after accept]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 0}\n");
	program_runs(synfault, "run --time virtual --junit junit.xml a.yaml");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "heals", OUTCOME_SKIP, NULL, "after a stall that heals");
	junit_says(junit, "loses packets", OUTCOME_SKIP, NULL, "lost packets come again");
	junit_says(junit, "paused", OUTCOME_SKIP, NULL, "after a pause");
	junit_says(junit, "one way", OUTCOME_SKIP, NULL, "a stall of one direction");
}

/* The server of a Unix socket has another clock. */
Test(virtual_time, that_can_not_be_trusted_is_followed_by_real_time)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();
	AUTO_RECORD struct record *record = NULL;

	program_needs(synfault, "python3");
	program_writes(synfault, "client.py",
		       "import socket, subprocess, sys\n"
		       "server = socket.socket(socket.AF_UNIX)\n"
		       "server.bind(sys.argv[2])\n"
		       "server.listen()\n"
		       "socket.socket(socket.AF_UNIX).connect(sys.argv[2])\n"
		       "sys.exit(subprocess.run(['synfault-tiny', sys.argv[1]]).returncode)\n");
	program_writes(synfault, "a.yaml",
		       "name: elsewhere\n"
		       "endpoints: {api: {}}\n"
		       "client: {command: [python3, '${dir}/client.py', '${api}', "
		       "'${tmp}/socket']}\n"
		       "expect: {exit: 0, attempts: 1}\n");
	program_runs(synfault, "run --time auto --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "a program connects to a Unix socket");
	record = first_record(synfault);
	cr_assert_not(record->virtual_time);
}

Test(auto_time, confirms_a_failure_in_real_time)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();
	AUTO_RECORD struct record *record = NULL;

	program_writes(synfault, "a.yaml",
		       "name: wrong\n"
		       "endpoints: {api: {faults: [refuse, accept]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 0, attempts: 2}\n");
	program_runs(synfault, "run --time auto --records records a.yaml");
	program_exited(synfault, STATUS_FAILED);
	record = first_record(synfault);
	cr_assert_not(record->virtual_time);
}

/* ---- the packs ---- */

/* Runs packs that need no more than the targets. */
static void packs_run(struct program *synfault, const char *environment, const char *options)
{
	const char *source = getenv("SYNFAULT_SOURCE");

	program_runs_shell(synfault,
			   "cd '%s/scenarios' && %s exec synfault run --timing-scale 3 %s "
			   "refused/backoff.yaml dropped/backoff.yaml slow/backoff.yaml "
			   "recovering/backoff.yaml behaviour",
			   source, environment, options);
}

Test(auto_time, passes_right_clients_in_a_fifth_of_the_packs)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();

	packs_run(synfault, "", "--time auto");
	/* On a busy machine some may be inconclusive, in real time, too. */
	if (WEXITSTATUS(synfault->wait_status) != STATUS_UNJUDGED)
		program_exited(synfault, STATUS_PASSED);
}

/* The last line counts what passed and failed. */
static char *last_line(const struct program *synfault)
{
	const char *end = strrchr(synfault->out, '\n'), *begin = end;

	cr_assert_not_null(end);
	while (begin > synfault->out && begin[-1] != '\n')
		begin--;
	return xstrndup(begin, (size_t)(end - begin));
}

Test(auto_time, fails_wrong_clients_in_the_packs_as_real_time_does)
{
	static const char *const mistakes[] = {"retries-nothing", "one-too-many", "swallows-error"};
	AUTO_PROGRAM struct program *synfault = virtual_program();

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		AUTO_FREE char *mistake = xasprintf("SYNFAULT_MISTAKE=%s", mistakes[i]);
		AUTO_FREE char *real = NULL, *virtual = NULL;

		/* On a busy machine some may be inconclusive, which counts as failed: again. */
		for (int k = 0; k < 4 && (!real || strcmp(virtual, real) != 0); k++) {
			free(real);
			free(virtual);
			packs_run(synfault, mistake, "--time real");
			program_exited(synfault, STATUS_FAILED);
			real = last_line(synfault);
			packs_run(synfault, mistake, "--time auto");
			virtual = last_line(synfault);
		}
		cr_assert_str_eq(virtual, real, "%s: %s instead of %s", mistakes[i], virtual, real);
	}
}

/* ---- killed ---- */

/* Finds the clock process of the only supervisor. */
static pid_t find_clock(const struct program *synfault)
{
	AUTO_FREE pid_t *supervisors = NULL;
	AUTO_FREE char *path = NULL;
	AUTO_FCLOSE FILE *children = NULL;
	int pid;

	cr_assert_eq(program_supervisors(synfault, &supervisors), 1);
	path = xasprintf("/proc/%d/task/%d/children", supervisors[0], supervisors[0]);
	children = fopen(path, "re");
	while (children && fscanf(children, "%d", &pid) == 1) {
		AUTO_FREE char *name_path = xasprintf("/proc/%d/comm", pid);
		AUTO_FCLOSE FILE *name_file = fopen(name_path, "re");
		char name[32] = "";

		if (name_file && fgets(name, sizeof(name), name_file) &&
		    strncmp(name, "synfault-clock", 14) == 0)
			return pid;
	}
	return 0;
}

#define BUSY                                                                                       \
	"name: busy\n"                                                                             \
	"timeout: 1h\n"                                                                            \
	"endpoints: {api: {}}\n"                                                                   \
	"client: {command: [sh, -c, 'touch ${dir}/ready; while :; do :; done']}\n"                 \
	"expect: {attempts: 0}\n"

Test(clock_process, that_is_killed_makes_an_error_and_takes_its_client_along)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();
	pid_t clock;

	program_writes(synfault, "a.yaml",
		       "name: once\n"
		       "timeout: 1h\n"
		       "endpoints: {api: {}}\n"
		       "client: {command: [sh, -c, 'synfault-tiny ${api}; test -e ${dir}/ready || "
		       "{ touch ${dir}/ready; while :; do :; done; }']}\n"
		       "expect: {exit: 0}\n");
	program_starts(synfault, "run --time virtual --records records a.yaml");
	program_waits_for_file(synfault, "ready");
	clock = find_clock(synfault);
	cr_assert_gt(clock, 0);
	cr_assert_eq(kill(clock, SIGKILL), 0);
	program_ends(synfault);
	/* It ran again, in real time. */
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "the clock process has ended");
	program_removes(synfault, "ready");
	program_left_nothing_but(synfault, "records");
}

Test(supervisor, that_is_killed_takes_clock_and_client_along)
{
	AUTO_PROGRAM struct program *synfault = virtual_program();
	AUTO_FREE pid_t *pids = NULL;

	program_writes(synfault, "a.yaml", BUSY);
	program_starts(synfault, "run --time virtual --junit junit.xml a.yaml");
	program_waits_for_file(synfault, "ready");
	cr_assert_eq(program_supervisors(synfault, &pids), 1);
	cr_assert_eq(kill(pids[0], SIGKILL), 0);
	program_ends(synfault);
	program_exited(synfault, STATUS_UNJUDGED);
	program_removes(synfault, "ready");
	program_left_nothing_but(synfault, "junit.xml");
}
