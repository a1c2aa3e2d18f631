/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients and servers that misbehave: each ends in the right outcome, and none outlives its
 * scenario.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/duration.h"
#include "tests/lib/junit_reader.h"

#define NEXT "---\n"
/* An endpoint without a fault, so that the outcome depends on the client alone. */
#define QUIET "endpoints: {api: {}}\n"

/* Runs a.yaml and reads the report. */
static struct junit *run(struct program *synfault, int status)
{
	program_runs(synfault, "run --junit junit.xml a.yaml");
	program_exited(synfault, status);
	program_left_nothing_but(synfault, "junit.xml");
	return junit_read(synfault, "junit.xml");
}

/* ---- clients ---- */

Test(client, client_that_can_not_start_is_an_error)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE char *script = xasprintf("%s/script", synfault->work);

	program_writes(synfault, "plain.txt", "no program\n");
	program_writes(synfault, "script", "#!/no/such/interpreter\n");
	cr_assert_eq(chmod(script, 0755), 0);
	program_writes(
		synfault, "a.yaml",
		"defaults: {endpoints: {api: {}}, expect: {exit: 0}}\n" NEXT "name: missing\n"
		"client: {command: [no-such-program, '${api}']}\n" NEXT "name: missing path\n"
		"client: {command: [/no/such/program]}\n" NEXT "name: missing interpreter\n"
		"client: {command: ['${dir}/script']}\n" NEXT "name: not executable\n"
		"client: {command: ['${dir}/plain.txt']}\n" NEXT "name: a directory\n"
		"client: {command: [/etc]}\n" NEXT "name: no directory to start in\n"
		"client: {command: ['true'], cwd: nowhere}\n");
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_UNJUDGED);

	program_concluded(synfault, "0 passed, 6 failed, 0 skipped");
	junit_says(junit, "missing", OUTCOME_ERROR, "harness",
		   "the client can't be started: no-such-program: not found in PATH");
	junit_says(junit, "missing path", OUTCOME_ERROR, "harness",
		   "/no/such/program: no such file");
	junit_says(junit, "missing interpreter", OUTCOME_ERROR, "harness",
		   "/script: no such file (or its interpreter is missing)");
	junit_says(junit, "not executable", OUTCOME_ERROR, "harness", "plain.txt: not executable");
	junit_says(junit, "a directory", OUTCOME_ERROR, "harness", "/etc: not executable");
	junit_says(junit, "no directory to start in", OUTCOME_ERROR, "harness",
		   "can't change to the directory");
}

Test(client, client_killed_by_a_signal_is_judged_by_it)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "defaults:\n"
		       "  endpoints: {api: {}}\n"
		       "  client: {command: [sh, -c, 'synfault-tiny ${api}; kill -KILL $$']}\n" NEXT
		       "name: as expected\n"
		       "expect: {exit: {signal: KILL}}\n" NEXT "name: another signal\n"
		       "expect: {exit: {signal: TERM}}\n" NEXT "name: success expected\n"
		       "expect: {exit: 0}\n" NEXT "name: any failure expected\n"
		       "expect: {exit: nonzero}\n");
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_FAILED);

	junit_says(junit, "as expected", OUTCOME_PASS, NULL, NULL);
	junit_says(junit, "another signal", OUTCOME_FAIL, "exit", "KILL");
	junit_says(junit, "success expected", OUTCOME_FAIL, "exit", "KILL");
}

/* A proper daemon, and one that ignores SIGTERM. */
#define DAEMONS                                                                                    \
	"import os, signal, sys, time\n"                                                           \
	"alive = os.pipe()\n"                                                                      \
	"for stubborn in (False, True):\n"                                                         \
	"    if os.fork() == 0:\n"                                                                 \
	"        os.setsid()\n"                                                                    \
	"        if os.fork() > 0:\n"                                                              \
	"            os._exit(0)\n"                                                                \
	"        if stubborn:\n"                                                                   \
	"            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):\n"              \
	"                signal.signal(number, signal.SIG_IGN)\n"                                  \
	"        os.write(1, b'alive\\n')\n"                                                       \
	"        os.write(alive[1], b'x')\n"                                                       \
	"        while True:\n"                                                                    \
	"            time.sleep(1000)\n"                                                           \
	"for stubborn in (False, True):\n"                                                         \
	"    os.read(alive[0], 1)\n"

static void indented(struct strbuf *out, const char *text, size_t indent)
{
	for (size_t length; *text; text += length) {
		length = strcspn(text, "\n") + 1;
		strbuf_pad(out, ' ', indent);
		strbuf_add(out, text, length);
	}
}

Test(client, daemons_of_a_client_end_with_it)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_STRBUF struct strbuf daemons = {0};

	indented(&daemons, DAEMONS, 6);
	program_writes(
		synfault, "a.yaml",
		"name: daemons\n" QUIET "client:\n"
		"  command: [python3, '${tmp}/daemons.py']\n"
		"  files:\n"
		"    daemons.py: |\n%s"
		"expect: {attempts: 0, exit: 0, stdout: {matches: '\\Aalive\\nalive\\n\\z'}}\n",
		strbuf_text(&daemons));
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_PASSED);

	junit_says(junit, "daemons", OUTCOME_PASS, NULL, NULL);
	/* The one that ignores SIGTERM gets a second. */
	cr_assert_lt(synfault->duration_ns, 60 * NS_PER_S);
}

Test(client, gigabyte_of_client_output_takes_little_memory)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(
		synfault, "a.yaml",
		"defaults:\n"
		"  timeout: 3m\n"
		"  endpoints: {api: {}}\n"
		"  client:\n"
		"    command: [sh, -c, 'echo start; yes line | head -c 50000000; echo end']\n" NEXT
		"name: head and tail\n"
		"client:\n"
		"  command: [sh, -c, 'echo start; head -c 1000000000 /dev/zero; echo end']\n"
		"expect: {attempts: 0, exit: 0, stdout: {contains: [start, end]}}\n" NEXT
		"name: what was cut\n"
		"expect: {attempts: 0, exit: 0, stdout: {contains: middle}}\n" NEXT
		"name: never there\n"
		"expect: {attempts: 0, exit: 0, stdout: {not: middle}}\n");
	synfault->patience_ns = 150 * NS_PER_S;
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_UNJUDGED);
	AUTO_FREE char *report = program_reads(synfault, "junit.xml", NULL);

	junit_says(junit, "head and tail", OUTCOME_PASS, NULL, NULL);
	cr_assert(strstr(junit_case(junit, "head and tail")->out, "bytes left out"),
		  "nothing is said of what was cut: %s", junit_case(junit, "head and tail")->out);
	junit_says(junit, "what was cut", OUTCOME_ERROR, "stdout", NULL);
	junit_says(junit, "never there", OUTCOME_ERROR, "stdout", NULL);
	cr_assert_lt(strlen(report), 1000000);
	cr_assert_lt(synfault->peak_memory, INT64_C(256) << 20, "%lld MiB",
		     (long long)synfault->peak_memory >> 20);
}

Test(client, client_that_closes_its_output_is_still_awaited)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(
		synfault, "a.yaml",
		"name: closes\n"
		"endpoints: {api: {faults: [refuse, accept]}}\n"
		"client:\n"
		"  command:\n"
		"    - sh\n"
		"    - -c\n"
		"    - exec >&- 2>&- <&-; synfault-tiny --tries 2 --sleep 300 ${api}; exit 6\n"
		"expect: {exit: 6, attempts: 2}\n");
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_PASSED);

	junit_says(junit, "closes", OUTCOME_PASS, NULL, NULL);
}

Test(client, client_that_never_ends_fails_at_its_timeout)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(
		synfault, "a.yaml",
		"defaults: {timeout: 3s, endpoints: {api: {}}, expect: {attempts: 0, exit: "
		"0}}\n" NEXT "name: sleeps\n"
		"client: {command: [sleep, '1000']}\n" NEXT "name: ignores the order to end\n"
		"client: {command: [sh, -c, 'trap \"\" TERM; while :; do sleep 1; done']}\n" NEXT
		"name: has stopped itself\n"
		"client: {command: [sh, -c, 'kill -STOP $$']}\n" NEXT
		"name: ends well when told to\n"
		"client: {command: [sh, -c, 'trap \"exit 0\" TERM; while :; do sleep 1; "
		"done']}\n");
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_FAILED);

	program_concluded(synfault, "0 passed, 4 failed, 0 skipped");
	junit_says(junit, "sleeps", OUTCOME_FAIL, "timeout", "3.00 s");
	junit_says(junit, "ignores the order to end", OUTCOME_FAIL, "timeout", NULL);
	junit_says(junit, "has stopped itself", OUTCOME_FAIL, "timeout", NULL);
	junit_says(junit, "ends well when told to", OUTCOME_FAIL, "timeout", NULL);
	cr_assert_lt(synfault->duration_ns, 90 * NS_PER_S);
}

Test(client, client_reads_its_stdin_text_up_to_eof)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "defaults: {endpoints: {api: {}}, client: {command: [cat]}}\n" NEXT
		       "name: text\n"
		       "client: {stdin: \"to ${api}\\nsecond line\"}\n"
		       "expect: {attempts: 0, exit: 0, stdout: {matches: '\\Ato "
		       "127\\.0\\.0\\.1:\\d+\\nsecond "
		       "line\\z'}}\n" NEXT "name: no text\n"
		       "expect: {attempts: 0, exit: 0, stdout: {matches: '\\A\\z'}}\n");
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_PASSED);

	junit_says(junit, "text", OUTCOME_PASS, NULL, NULL);
	junit_says(junit, "no text", OUTCOME_PASS, NULL, NULL);
}

/* In a private sandbox it can reach only its own processes. */
Test(client, client_that_kills_every_process_does_not_reach_the_harness)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(
		synfault, "a.yaml",
		"defaults:\n"
		"  endpoints: {api: {faults: [refuse, accept]}}\n"
		"  expect: {exit: 0, attempts: 2}\n" NEXT "name: the first process\n"
		"client: {command: [sh, -c, 'synfault-tiny ${api}; kill -KILL 1; kill -TERM 1; "
		"kill -INT 1; kill -STOP 1; exec synfault-tiny ${api}']}\n" NEXT "name: everybody\n"
		"client: {command: [sh, -c, 'trap \"\" TERM HUP; synfault-tiny ${api}; kill "
		"-TERM -1; kill -HUP -1; exec synfault-tiny ${api}']}\n");
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_PASSED);

	junit_says(junit, "the first process", OUTCOME_PASS, NULL, NULL);
	junit_says(junit, "everybody", OUTCOME_PASS, NULL, NULL);
}

/* ---- servers ---- */

#define SERVER_DEFAULTS                                                                            \
	"defaults: {client: {command: [touch, '${dir}/trace']}, expect: {exit: 0}}\n" NEXT

/* Runs a.yaml: each scenario is an error, and no client was started. */
static struct junit *run_without_client(struct program *synfault)
{
	struct junit *junit = run(synfault, STATUS_UNJUDGED);

	cr_assert(!program_has_file(synfault, "trace"), "a client was started");
	cr_assert_eq(junit_count(junit, OUTCOME_ERROR), (int)junit->n_cases);
	return junit;
}

Test(server, missing_server_prevents_the_client_from_starting)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       SERVER_DEFAULTS
		       "name: never listens\n"
		       "endpoints:\n"
		       "  api: {serve: {command: [sleep, '1000'], ready: 300ms}}\n" NEXT
		       "name: never listens and ignores the order to end\n"
		       "endpoints:\n"
		       "  api:\n"
		       "    serve:\n"
		       "      command: [sh, -c, 'trap \"\" TERM; while :; do sleep 1; done']\n"
		       "      ready: 300ms\n" NEXT "name: dies at once\n"
		       "endpoints:\n"
		       "  api: {serve: {command: [sh, -c, 'echo why >&2; exit 7']}}\n" NEXT
		       "name: is killed\n"
		       "endpoints:\n"
		       "  api: {serve: {command: [sh, -c, 'kill -KILL $$']}}\n" NEXT
		       "name: is missing\n"
		       "endpoints:\n"
		       "  api: {serve: {command: [no-such-server]}}\n");
	AUTO_JUNIT struct junit *junit = run_without_client(synfault);

	junit_says(junit, "never listens", OUTCOME_ERROR, "harness",
		   "the server of api did not listen on 127.0.0.1:8080 within 0.3 s");
	junit_says(junit, "dies at once", OUTCOME_ERROR, "harness",
		   "the server of api ended with status 7 before it listened");
	cr_assert(strstr(junit_case(junit, "dies at once")->out, "why"), "%s",
		  junit_case(junit, "dies at once")->out);
	junit_says(junit, "is killed", OUTCOME_ERROR, "harness",
		   "the server of api was killed by signal 9 before it listened");
	junit_says(junit, "is missing", OUTCOME_ERROR, "harness",
		   "the server of api can't be started: no-such-server: not found in PATH");
	cr_assert_lt(synfault->duration_ns, 90 * NS_PER_S);
}

/* A Python server on the given host, which answers @n connections and then exits with 9. */
#define LISTEN(host, n)                                                                            \
	"[python3, -c, \"import socket, sys\\n\\\n"                                                \
	"         s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, "      \
	"1)\\n\\\n"                                                                                \
	"         s.bind(('" host "', int(sys.argv[1]))); s.listen()\\n\\\n"                       \
	"         print('I listen', flush=True)\\n\\\n"                                            \
	"         for i in range(" n "): s.accept()[0].sendall(b'served')\\n\\\n"                  \
	"         sys.exit(9)\""

Test(server, server_that_dies_while_the_client_runs_is_an_error)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(
		synfault, "a.yaml",
		"name: dies\n"
		"endpoints:\n"
		"  api: {serve: {ready: 30s, command: " LISTEN(
			"127.0.0.1",
			"1") ", '${api.port}']}}\n"
			     "client: {command: [sh, -c, 'synfault-tiny ${api}; sleep 1000']}\n"
			     "expect: {exit: 0}\n");
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_UNJUDGED);

	junit_says(junit, "dies", OUTCOME_ERROR, "harness",
		   "the server of api ended with status 9 while the client ran");
	cr_assert_lt(synfault->duration_ns, 90 * NS_PER_S);
}

Test(server, server_command_serves_and_its_output_is_reported)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(
		synfault, "a.yaml",
		"name: serves\n"
		"endpoints:\n"
		"  api:\n"
		"    serve: {ready: 30s, command: " LISTEN(
			"127.0.0.1",
			"1000") ", '${api.port}']}\n"
				"    faults: [refuse x2, accept]\n"
				"client: {command: [synfault-tiny, --tries, '3', '${api}']}\n"
				"expect: {exit: 0, attempts: 3}\n");
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_PASSED);

	junit_says(junit, "serves", OUTCOME_PASS, NULL, NULL);
	cr_assert(strstr(junit_case(junit, "serves")->out, "I listen"));
}

Test(server, server_that_finds_its_port_taken_is_an_error)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       SERVER_DEFAULTS
		       "name: two servers on one port\n"
		       "endpoints:\n"
		       "  first:\n"
		       "    port: 9000\n"
		       "    serve: {command: " LISTEN(
			       "0.0.0.0",
			       "9") ", '9000']}\n"
				    "  second:\n"
				    "    port: 9000\n"
				    "    serve: {command: " LISTEN(
					    "0.0.0.0",
					    "9") ", '9000']}\n" NEXT
						 "name: built in and on all addresses\n"
						 "endpoints:\n"
						 "  first: {port: 9000, serve: http}\n"
						 "  second:\n"
						 "    port: 9000\n"
						 "    serve: {command: " LISTEN(
							 "0.0.0.0",
							 "9") ", '9000']}\n" NEXT
							      "name: at the other's port\n"
							      "endpoints:\n"
							      "  first: {port: 9000, serve: http}\n"
							      "  second:\n"
							      "    serve:\n"
							      "      command: " LISTEN(
								      "127.0.0.2",
								      "9") ", '9000']\n"
									   "      ready: 500ms\n");
	AUTO_JUNIT struct junit *junit = run_without_client(synfault);

	junit_says(junit, "two servers on one port", OUTCOME_ERROR, "harness",
		   "ended with status 1 before it listened");
	junit_says(junit, "built in and on all addresses", OUTCOME_ERROR, "harness",
		   "the server of second ended with status 1 before it listened");
	junit_says(junit, "at the other's port", OUTCOME_ERROR, "harness",
		   "the server of second did not listen on 127.0.0.2:8080 within 0.5 s");
}

/* ---- requirements ---- */

/* The same client meets a full accept queue and its imitation. */
Test(client, full_accept_queue_and_its_imitation_look_the_same)
{
	const char *source = getenv("SYNFAULT_SOURCE");
	AUTO_PROGRAM struct program *synfault = program_new();

	cr_assert_not_null(source);
	program_needs(synfault, "python3");
	program_writes(
		synfault, "a.yaml",
		"defaults:\n"
		"  client:\n"
		"    command: [sh, -c, 'first=$SYNFAULT_TMP/first; "
		"python3 \"$0\" \"$1\" --timeout 10 >$first & "
		"until grep -q ok $first; do sleep 0.05; done; "
		"exec python3 \"$0\" \"$1\" --timeout 2.5', '%s/targets/clients/narrate.py', "
		"'${api}']\n"
		"  expect: {exit: 1, attempts: 2, connected: 1, retransmissions: 1..2,\n"
		"    stdout: {contains: \"connect: timeout\\n\"}}\n" NEXT "name: imitated\n"
		"endpoints: {api: {serve: accept, faults: [accept, backlog-full]}}\n" NEXT
		"name: real\n"
		"endpoints: {api: {faults: [accept], serve: {ready: 30s, command: [python3, "
		"'%s/targets/servers/full.py', '${api.host}', '${api.port}']}}}\n",
		source, source);
	program_runs(synfault, "run --timing-scale 3 a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "2 passed, 0 failed, 0 skipped");
}

Test(requirement, unmet_requirement_skips_and_names_what_is_missing)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "defaults:\n"
		       "  endpoints: {api: {}}\n"
		       "  client: {command: [no-such-client]}\n"
		       "  expect: {attempts: 0, exit: 0}\n" NEXT "name: program\n"
		       "requires: {programs: [sh, no-such-client]}\n" NEXT "name: file\n"
		       "requires: {programs: [/etc/passwd]}\n" NEXT "name: command\n"
		       "requires: {command: [sh, -c, 'exit 3', '${api}']}\n" NEXT
		       "name: no command\n"
		       "requires: {command: [no-such-command]}\n");
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_NOTHING_RAN);

	program_concluded(synfault, "0 passed, 0 failed, 4 skipped");
	junit_says(junit, "program", OUTCOME_SKIP, NULL,
		   "requires the program no-such-client, which is not installed");
	junit_says(junit, "file", OUTCOME_SKIP, NULL, "/etc/passwd, which is not installed");
	junit_says(junit, "command", OUTCOME_SKIP, NULL, "it ended with status 3");
	junit_says(junit, "no command", OUTCOME_SKIP, NULL, "no-such-command: not found in PATH");
	/* With --require it is an error. */
	program_runs(synfault, "run --require a.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	/* A client from the command line does not need the scenario's programs. */
	program_runs(synfault, "run a.yaml -- true");
	program_concluded(synfault, "4 passed, 0 failed, 0 skipped");
}

Test(requirement, met_requirement_changes_nothing)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "name: met\n"
		       "requires: {programs: [sh, /bin/sh], command: [sh, -c, 'echo noise; test -n "
		       "\"$SYNFAULT_API\"']}\n"
		       "endpoints: {api: {faults: [refuse]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 1, attempts: 1, stdout: {matches: '\\A\\z'}}\n");
	AUTO_JUNIT struct junit *junit = run(synfault, STATUS_PASSED);

	junit_says(junit, "met", OUTCOME_PASS, NULL, NULL);
}
