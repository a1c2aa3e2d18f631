/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client leaves behind: it is watched for the time of "leftover-timeout", and then ended. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "runner/record/record.h"
#include "tests/lib/junit_reader.h"

#define NEXT "---\n"

/* Connects, and leaves a process behind that keeps the connection open or closes it. */
#define LEAVES_CONNECTION(close)                                                                   \
	"[python3, -c, \"import os, socket, time; s = socket.create_connection(("                  \
	"os.environ['SYNFAULT_API_HOST'], int(os.environ['SYNFAULT_API_PORT']))); " close          \
	"os.fork() or time.sleep(60)\"]"
/* Tries once, and leaves a process behind that tries again some seconds later, and goes on or ends.
 */
#define LEAVES_ATTEMPT(seconds, then)                                                              \
	"[sh, -c, '(sleep " seconds "; synfault-tiny ${api}; " then ") & synfault-tiny ${api}; "   \
	"exit 0']"

#define RETRIES_SOON    LEAVES_ATTEMPT("0.2", "true")
#define RETRIES_LATE    LEAVES_ATTEMPT("1.5", "true")
#define RETRIES_UNSEEN  LEAVES_ATTEMPT("60", "sleep 60")
#define STAYS_CONNECTED LEAVES_CONNECTION("")
#define DISCONNECTS     LEAVES_CONNECTION("s.close(); ")

#define SCENARIOS                                                                                  \
	"name: tries again\n"                                                                      \
	"leftover-timeout: 30s\n"                                                                  \
	"repeat: 2\n"                                                                              \
	"endpoints: {api: {faults: [refuse]}}\n"                                                   \
	"client: {command: " RETRIES_SOON "}\n"                                                    \
	"expect: {gives-up: {attempts: 9}}\n" NEXT "name: tries again too late to be seen\n"       \
	"endpoints: {api: {faults: [refuse]}}\n"                                                   \
	"client: {command: " RETRIES_UNSEEN "}\n"                                                  \
	"expect: {gives-up: {attempts: 9}, attempts: 1}\n" NEXT                                    \
	"name: tries again late, and is waited for\n"                                              \
	"leftover-timeout: 30s\n"                                                                  \
	"endpoints: {api: {faults: [refuse]}}\n"                                                   \
	"client: {command: " RETRIES_LATE "}\n"                                                    \
	"expect: {gives-up: {attempts: 9}}\n" NEXT "name: is not waited for\n"                     \
	"leftover-timeout: 0s\n"                                                                   \
	"endpoints: {api: {faults: [refuse]}}\n"                                                   \
	"client: {command: " RETRIES_UNSEEN "}\n"                                                  \
	"expect: {gives-up: {attempts: 9}, attempts: 1}\n" NEXT "name: keeps its connection\n"     \
	"endpoints: {api: {serve: accept, faults: [accept]}}\n"                                    \
	"client: {command: " STAYS_CONNECTED "}\n"                                                 \
	"expect: {leaks: 0}\n" NEXT "name: closes its connection\n"                                \
	"endpoints: {api: {serve: accept, faults: [accept]}}\n"                                    \
	"client: {command: " DISCONNECTS "}\n"                                                     \
	"expect: {leaks: 0}\n"

static void what_is_left_is_watched(const char *isolation)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "python3");
	program_writes(synfault, "a.yaml", SCENARIOS);
	program_runs(synfault, "run -j 6 --isolation %s --junit junit.xml a.yaml", isolation);
	program_exited(synfault, STATUS_FAILED);
	program_left_nothing_but(synfault, "junit.xml");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	/* Each instance's attempts are told apart, although they go on while the next ones run. */
	junit_says(junit, "tries again", OUTCOME_FAIL, "gives-up", "giving up of instance 1");
	junit_says(junit, "tries again", OUTCOME_FAIL, "gives-up", "giving up of instance 2");
	junit_says(junit, "tries again late, and is waited for", OUTCOME_FAIL, "gives-up",
		   "no attempt after the client's end");
	junit_says(junit, "keeps its connection", OUTCOME_FAIL, "leaks",
		   "1 of them after the client had ended");
	program_printed(synfault, "3 passed, 3 failed");
}

Test(leftover, leftover_is_watched_and_ended)
{
	what_is_left_is_watched("private");
}

Test(leftover, leftover_is_watched_and_ended_in_a_shared_namespace)
{
	what_is_left_is_watched("shared");
}

/* The server's processes are not the client's, so there is nothing to wait for. */
Test(leftover, server_process_is_not_a_leftover)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	struct record *record;
	int64_t began_ns;

	program_needs(synfault, "python3");
	program_writes(
		synfault, "a.yaml",
		"name: well behaved\n"
		"leftover-timeout: 1m\n"
		"endpoints: {api: {serve: {ready: 30s, command: [sh, -c, 'python3 -m http.server "
		"--bind ${api.host} ${api.port}; true']}}}\n"
		"client: {command: [synfault-tiny, '${api}']}\n"
		"expect: {exit: 0, leaks: 0}\n");
	began_ns = clock_monotonic_ns();
	program_runs(synfault, "run --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	cr_expect_lt(clock_monotonic_ns() - began_ns, 30 * NS_PER_S);
	record = program_record(synfault, "records/0001.json");
	for (size_t i = 0; i < record->n_events; i++)
		cr_expect_neq(record->events[i].kind, EVENT_STILL_OPEN);
	record_free(record);
}
