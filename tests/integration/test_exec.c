/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault exec`: a command drives the faults from its own code. exec.py is what it runs. */
#include <criterion/criterion.h>
#include <signal.h>

#include "tests/lib/confine.h"
#include "tests/lib/junit_reader.h"
#include "tests/lib/program.h"

/* Statuses of exec itself. */
enum { EXEC_FAILED = 125, EXEC_NOT_FOUND = 127 };

#define SCENARIO                                                                                   \
	"name: once\n"                                                                             \
	"endpoints: {api: {faults: [refuse, accept]}}\n"                                           \
	"expect: {attempts: 2}\n"

static struct program *program_with_python(void)
{
	struct program *synfault = program_new();

	program_needs(synfault, "python3");
	return synfault;
}

static const char *source(void)
{
	return getenv("SYNFAULT_SOURCE");
}

/* Runs exec.py under `synfault exec` with these options. */
static void runs_client(struct program *synfault, const char *options, const char *client)
{
	program_runs(synfault,
		     "exec --control c.sock %s -- python3 %s/tests/integration/exec.py %s", options,
		     source(), client);
}

Test(exec, exit_status_is_that_of_the_command)
{
	static const struct {
		const char *arguments;
		int status;
		const char *complaint;
	} cases[] = {
		{"-- true", 0, NULL},
		{"-- sh -c 'exit 7'", 7, NULL},
		{"-- sh -c 'kill -9 $$'", 137, NULL},
		{"-- no-such-command", EXEC_NOT_FOUND, "not found in PATH"},
		{"true", STATUS_USAGE, "a command is needed after --"},
		{"true -q", STATUS_USAGE, "unknown option -q (the command comes after --)"},
		{"-q -- true", STATUS_USAGE, "unknown option -q\n"},
		{"-e api -- true", STATUS_USAGE, "a name and steps are expected"},
		{"-e api=drop a.yaml -- true", STATUS_USAGE, "-e goes without a file"},
		{"none.yaml -- true", STATUS_USAGE, "can't be read"},
		{"twice.yaml --filter zzz -- true", STATUS_USAGE, "a name that matches \"zzz\""},
		{"twice.yaml -- true", STATUS_USAGE, "both have an endpoint api"},
		{"named.yaml --isolation private -- true", EXEC_FAILED, "hostname of endpoint api"},
		{"-e api=drop -- true", EXEC_FAILED, "the client made no attempt"},
		{"--time virtual -- true", STATUS_USAGE, "--time \"virtual\": only the clock"},
		{"--time auto -- true", 0, NULL},
		{"virtual.yaml -- true", EXEC_FAILED, "time: virtual is impossible"},
	};
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", SCENARIO);
	program_writes(synfault, "twice.yaml",
		       SCENARIO "---\nname: two\n"
				"endpoints: {api: {faults: [drop]}}\n");
	program_writes(synfault, "virtual.yaml",
		       "name: x\ntime: virtual\nendpoints: {api: {faults: [drop]}}\n");
	program_writes(synfault, "named.yaml",
		       "name: x\nendpoints: {api: {hostname: api.example.test}}\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "exec %s", cases[i].arguments);
		program_exited(synfault, cases[i].status);
		if (cases[i].complaint)
			program_complained(synfault, cases[i].complaint);
	}
	program_left_nothing(synfault);
}

/* Beside the command, a session is the only child of the process that started both. */
Test(exec, sessions_are_confined_once_they_are_armed)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "exec -e api=refuse -- sh -c '"
			       "for pid in $(cat /proc/$PPID/task/$PPID/children); do "
			       "[ $pid = $$ ] || grep -E \"^(Seccomp|CapPrm):\" /proc/$pid/status; "
			       "done; synfault-tiny $SYNFAULT_API'");
	/* as of a supervisor of a shared sandbox */
	program_printed(synfault, "CapPrm:\t000000000008102e\nSeccomp:\t2\n");
	program_left_nothing(synfault);
}

/* SYS_MODULE, SYS_RAWIO, SYS_ADMIN, SYS_BOOT, SYS_TIME, MAC_ADMIN, PERFMON and BPF */
#define GIVEN_UP "0xc202630000"

Test(exec, host_of_sessions_has_only_what_sessions_and_servers_need)
{
	/* In a container it lacks CAP_SYS_PTRACE from the beginning. */
	static const struct {
		const char *isolation;
		void (*prepare)(void);
	} cases[] = {{"private", NULL}, {"shared", NULL}, {"shared", confine_as_docker}};
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		synfault->prepare = cases[i].prepare;
		program_runs(synfault,
			     "exec --isolation %s -e api=accept -- sh -c '"
			     "has=0x$(sed -n \"s/^CapPrm:[^0-9a-f]*//p\" /proc/$PPID/status); "
			     "echo given up $((has & " GIVEN_UP ")), "
			     "rules $((has >> 12 & 1)), packets $((has >> 13 & 1)); "
			     "synfault-tiny $SYNFAULT_API'",
			     cases[i].isolation);
		program_exited(synfault, STATUS_PASSED);
		program_printed(synfault, "given up 0, rules 1, packets 1\n");
		program_left_nothing(synfault);
	}
}

Test(exec, sessions_of_the_command_line_are_armed_before_the_command_and_judged)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", SCENARIO);
	program_runs(synfault, "exec --junit j.xml a.yaml -- sh -c '"
			       "synfault-tiny $SYNFAULT_API; synfault-tiny $SYNFAULT_API'");
	program_exited(synfault, STATUS_PASSED);
	program_runs(synfault, "exec a.yaml -- sh -c 'synfault-tiny $SYNFAULT_API; true'");
	program_exited(synfault, STATUS_FAILED);
	program_complained(synfault, "once");
	program_complained(synfault, "attempts");
	program_runs(synfault, "exec -e api=refuse -e db=accept -- sh -c '"
			       "synfault-tiny $SYNFAULT_DB && ! synfault-tiny $SYNFAULT_API'");
	program_exited(synfault, STATUS_PASSED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "j.xml");

	cr_assert_eq(junit->n_cases, 1);
	program_left_nothing_but(synfault, "j.xml");
}

Test(exec, command_works_unprivileged_and_in_shared_isolation)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	program_runs(synfault, "exec --control c.sock --isolation shared -e api=refuse -- sh -c '"
			       "echo $SYNFAULT_API; ! synfault-tiny $SYNFAULT_API'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "127.");
	program_left_nothing(synfault);
	synfault->uid = PROGRAM_NOBODY;
	/* The first run makes the directory of its socket, which stays. */
	for (size_t i = 0; i < 2; i++) {
		program_runs(synfault, "exec -e api=refuse -- sh -c '"
				       "id -u; ! synfault-tiny $SYNFAULT_API'");
		program_exited(synfault, STATUS_PASSED);
		program_printed(synfault, "65534\n");
	}
	program_left_nothing(synfault);
}

Test(exec, protocol_is_as_its_transcript)
{
	AUTO_PROGRAM struct program *synfault = program_with_python();
	AUTO_FREE char *client =
		xasprintf("play %s/docs/protocol.transcript %s/docs/protocol.schema.json", source(),
			  source());

	runs_client(synfault, "", client);
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "replies as in the transcript\n");
	program_left_nothing_but(synfault, "artefacts");
	program_runs_shell(synfault,
			   "ls artefacts | wc -l; grep -l '\"synfault-record\"' artefacts/*.json; "
			   "grep -l '<svg' artefacts/*.svg");
	program_printed(synfault, "2\nartefacts/0002-first.json\nartefacts/0002-first.svg\n");
}

Test(exec, hostile_clients_harm_no_other)
{
	AUTO_PROGRAM struct program *synfault = program_with_python();

	runs_client(synfault, "", "hostile");
	/* Some opened sessions, and left them without a single attempt. */
	program_exited(synfault, EXEC_FAILED);
	program_printed(synfault, "all is well\n");
	program_left_nothing(synfault);
}

Test(exec, sessions_work_side_by_side)
{
	AUTO_PROGRAM struct program *synfault = program_with_python();

	program_runs_shell(synfault, "mkdir out");
	runs_client(synfault, "--junit out/j.xml --json out/r.json", "many 24");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "24 sessions, all right\n");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "out/j.xml");

	cr_assert_eq(junit->n_cases, 24);
	program_left_nothing_but(synfault, "out");
	/* The stored records can be judged again, under the names of the sessions. */
	program_runs(synfault, "judge out/r.json --verbose");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "session: session 23\n");
	program_concluded(synfault, "24 passed, 0 failed, 0 skipped");
}

Test(exec, delays_of_a_busy_machine_are_not_the_clients)
{
	static const char *const modes[] = {"private", "shared"};
	AUTO_PROGRAM struct program *synfault = program_with_python();

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		AUTO_FREE char *options = xasprintf("--isolation %s --timing-scale 1", modes[i]);

		runs_client(synfault, options, "busy");
		program_exited(synfault, STATUS_PASSED);
		program_printed(synfault, "no delay was mistaken\n");
	}
	program_left_nothing(synfault);
}

Test(exec, faults_are_replaced_and_attempts_held_while_the_client_goes_on)
{
	AUTO_PROGRAM struct program *synfault = program_with_python();

	program_runs_shell(synfault, "mkdir out");
	runs_client(synfault, "--json out/r.json", "changes");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "every attempt had its fault\n");
	/* Judged again, the record has the same outcomes. */
	program_runs(synfault, "judge out/r.json --verbose");
	program_exited(synfault, STATUS_UNJUDGED);
	program_concluded(synfault, "1 passed, 1 failed, 0 skipped");
	program_printed(synfault, "from attempt");
	program_left_nothing_but(synfault, "out");
}

Test(exec, events_reach_those_who_follow_and_never_wait_for_those_who_do_not_read)
{
	AUTO_PROGRAM struct program *synfault = program_with_python();

	runs_client(synfault, "", "follow");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "every event came, or is known to be lost\n");
	program_left_nothing(synfault);
}

Test(exec, tests_beside_a_sidecar_reach_it_over_tcp)
{
	AUTO_PROGRAM struct program *synfault = program_with_python();

	program_needs_root(synfault);
	program_runs(synfault, "exec --listen 0 -- true");
	program_exited(synfault, STATUS_USAGE);
	program_complained(synfault, "at least 16 characters in SYNFAULT_TOKEN");
	program_runs_shell(synfault, "SYNFAULT_TOKEN=0123456789abcdef "
				     "synfault exec --listen example.test:0 -- true");
	program_exited(synfault, STATUS_USAGE);
	program_complained(synfault, "--listen takes PORT, HOST:PORT or [HOST]:PORT");
	program_runs(synfault, "exec --listen 0 --isolation private -- true");
	program_exited(synfault, STATUS_USAGE);
	program_runs_shell(synfault,
			   "export SYNFAULT_TOKEN=0123456789abcdef; mkdir out; "
			   "synfault exec --listen 0 --control c.sock -- "
			   "sh -c 'while [ ! -e out/done ]; do sleep 0.05; done' 2>out/err & "
			   "until [ $(wc -l <out/err) -gt 0 ]; do sleep 0.05; done; "
			   "export SYNFAULT_CONTROL=$(sed -n 's/.*\\(tcp:.*\\)/\\1/p' out/err); "
			   "python3 %s/tests/integration/exec.py remote; synfault ctl status; "
			   "SYNFAULT_TOKEN=0 synfault ctl status 2>&1; "
			   "touch out/done; wait $!; echo status $?; rm -r out",
			   source());
	program_printed(synfault, "the sidecar served\nno session is open\n"
				  "synfault ctl: the token is wrong\nstatus 0\n");
	program_left_nothing(synfault);
}

Test(exec, client_from_outside_is_known_as_such)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	program_runs_shell(synfault,
			   "mkdir out; synfault exec --isolation shared --json out/0.json "
			   "-e api=refuse -- sh -c 'echo $SYNFAULT_API >out/new; "
			   "mv out/new out/api; while [ ! -e out/tried ]; do sleep 0.05; done' & "
			   "while [ ! -e out/api ]; do sleep 0.05; done; "
			   "synfault-tiny $(cat out/api); touch out/tried; wait");
	program_runs(synfault, "exec --isolation shared --json out/1.json -e api=refuse -- "
			       "sh -c 'synfault-tiny $SYNFAULT_API; true'");
	program_exited(synfault, STATUS_PASSED);
	program_runs_shell(synfault, "grep -c '\"outside\": *true' out/0.json out/1.json");
	program_printed(synfault, "out/0.json:1\nout/1.json:0\n");
	program_left_nothing_but(synfault, "out");
}

Test(exec, session_left_open_is_judged_unless_its_judgement_was_asked_for)
{
	AUTO_PROGRAM struct program *synfault = program_with_python();

	runs_client(synfault, "", "leave open");
	program_exited(synfault, EXEC_FAILED);
	program_complained(synfault, "session: left open");
	program_complained(synfault, "fired for 1 of 2 attempts");
	runs_client(synfault, "", "leave checked");
	program_exited(synfault, STATUS_PASSED);
	runs_client(synfault, "", "leave killed");
	program_exited(synfault, 137);
	program_complained(synfault, "session: left open");
	program_left_nothing(synfault);
}

/* Kills one of the two processes of exec. @inner: that which injects, the child of the other. */
static void kill_while_it_runs(struct program *synfault, bool inner)
{
	AUTO_FREE char *inner_path =
		xasprintf("/proc/%d/task/%d/children", synfault->pid, synfault->pid);
	pid_t victim = synfault->pid;

	program_waits_for_file(synfault, "started");
	if (inner) {
		AUTO_FCLOSE FILE *file = fopen(inner_path, "re");

		cr_assert(file && fscanf(file, "%d", &victim) == 1);
	}
	cr_assert_eq(kill(victim, SIGKILL), 0);
	program_ends(synfault);
	program_removes(synfault, "started");
}

Test(exec, nothing_is_left_when_a_process_is_killed)
{
	static const char *const modes[] = {"private", "shared"};
	AUTO_PROGRAM struct program *synfault = program_new();

	for (size_t i = 0; i < 2 * ARRAY_SIZE(modes); i++) {
		const bool inner = i % 2;

		program_starts(synfault,
			       "exec --control c.sock --isolation %s -e api=drop -- "
			       "sh -c 'touch started; sleep 60; true'",
			       modes[i / 2]);
		kill_while_it_runs(synfault, inner);
		if (inner) {
			program_exited(synfault, EXEC_FAILED);
			program_complained(synfault,
					   "the process that injects was killed by signal 9");
		} else {
			program_was_killed(synfault, SIGKILL);
		}
		program_removes(synfault, "c.sock");
		program_left_nothing(synfault);
	}
}

Test(exec, client_from_outside_notices_that_a_process_was_killed)
{
	AUTO_PROGRAM struct program *synfault = program_with_python();

	program_needs_root(synfault);
	program_runs_shell(
		synfault,
		"synfault exec --isolation shared --control c.sock -- "
		"sh -c 'touch started; exec sleep 60' 2>/dev/null & "
		"until [ -e started ]; do sleep 0.05; done; rm started; "
		"SYNFAULT_CONTROL=c.sock python3 %s/tests/integration/exec.py orphan $!; "
		"wait $!; echo status $?",
		source());
	program_printed(synfault, "the end was noticed\nstatus 125\n");
	program_left_nothing(synfault);
}

Test(exec, another_user_can_not_send_commands)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	program_runs(synfault, "exec --isolation shared --control c.sock -- sh -c '"
			       "setpriv --reuid 65534 --clear-groups synfault ctl status; "
			       "chmod 666 c.sock; "
			       "setpriv --reuid 65534 --clear-groups synfault ctl status'");
	program_exited(synfault, STATUS_UNJUDGED);
	program_complained(synfault, "no permission: only the user who runs it");
	program_complained(synfault, "only the user who runs synfault, and root, may send");
	program_left_nothing(synfault);
}

Test(exec, signals_reach_the_command)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_starts(synfault, "exec -- sh -c 'trap \"echo got it; exit 9\" TERM; touch started; "
				 "while :; do sleep 0.05; done'");
	program_waits_for_file(synfault, "started");
	cr_assert_eq(kill(synfault->pid, SIGTERM), 0);
	program_ends(synfault);
	program_exited(synfault, 9);
	program_printed(synfault, "got it\n");
}
