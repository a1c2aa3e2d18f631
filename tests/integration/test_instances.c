/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several instances of a client in one sandbox: side by side, one after the other, and in herds.
 */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "runner/record/record.h"
#include "tests/lib/junit_reader.h"

#define NEXT "---\n"

/* Prints the port it tries from, twice; the second time in a child with a session of its own. */
#define TELLS_PORTS                                                                                \
	"import os, socket\n"                                                                      \
	"def attempt():\n"                                                                         \
	"    s = socket.socket()\n"                                                                \
	"    s.bind(('', 0))\n"                                                                    \
	"    print(s.getsockname()[1], flush=True)\n"                                              \
	"    s.connect_ex((os.environ['SYNFAULT_API_HOST'], "                                      \
	"int(os.environ['SYNFAULT_API_PORT'])))\n"                                                 \
	"attempt()\n"                                                                              \
	"if os.fork() == 0:\n"                                                                     \
	"    os.setsid()\n"                                                                        \
	"    attempt()\n"                                                                          \
	"    os._exit(0)\n"                                                                        \
	"os.wait()\n"

static bool says_port(const struct stream *stream, uint16_t port)
{
	AUTO_FREE char *text = xasprintf("\n%.*s", (int)stream->head_length, stream->head);
	AUTO_FREE char *line = xasprintf("\n%u\n", port);

	return strstr(text, line) != NULL;
}

static void each_attempt_has_its_instance(struct program *synfault, const char *isolation)
{
	struct record *record;

	program_needs(synfault, "python3");
	program_writes(synfault, "client.py", TELLS_PORTS);
	program_writes(synfault, "a.yaml",
		       "name: six of them\n"
		       "clients: 6\n"
		       "endpoints: {api: {faults: [delay 20ms then refuse]}}\n"
		       "client: {command: [python3, '${dir}/client.py']}\n"
		       "expect: {attempts: 1..}\n");
	program_runs(synfault, "run --isolation %s --records records a.yaml", isolation);
	program_exited(synfault, STATUS_PASSED);
	record = program_record(synfault, "records/0001.json");
	cr_assert_eq(record->n_instances, 6);
	cr_assert_eq(record->n_attempts, 12);
	for (size_t i = 0; i < record->n_attempts; i++) {
		const struct record_attempt *attempt = &record->attempts[i];

		cr_assert_lt(attempt->instance, 6, "attempt %zu has no instance", i);
		cr_expect(says_port(&record->streams[STREAMS_EACH * attempt->instance],
				    attempt->client.port),
			  "attempt %zu is not of instance %u", i, attempt->instance);
	}
	record_free(record);
}

Test(instances, attempts_are_attributed_to_their_instances)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	each_attempt_has_its_instance(synfault, "private");
}

Test(instances, attempts_are_attributed_to_their_instances_in_a_shared_namespace)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	each_attempt_has_its_instance(synfault, "shared");
}

/* Each instance leaves a daemon: in a session of its own, and its parent has ended. */
static void daemons_belong_to_their_instances(struct program *synfault, const char *isolation)
{
	uint32_t counts[2] = {0};

	program_needs(synfault, "setsid");
	program_writes(
		synfault, "a.yaml",
		"name: daemons\n"
		"clients: 2\n"
		"leftover-timeout: 20s\n"
		"endpoints: {api: {faults: [refuse]}}\n"
		"client:\n"
		"  command:\n"
		"    - sh\n"
		"    - -c\n"
		"    - setsid sh -c '(sleep 0.3; synfault-tiny --tries 2 ${api}) & exit' & wait\n"
		"expect: {attempts: 1..}\n");
	program_runs(synfault, "run --isolation %s --records records a.yaml", isolation);
	program_exited(synfault, STATUS_PASSED);
	AUTO_RECORD struct record *record = program_record(synfault, "records/0001.json");

	cr_assert_eq(record->n_attempts, 4);
	for (size_t i = 0; i < record->n_attempts; i++) {
		cr_assert_lt(record->attempts[i].instance, 2, "attempt %zu has no instance", i);
		counts[record->attempts[i].instance]++;
	}
	cr_expect_eq(counts[0], 2);
	cr_expect_eq(counts[1], 2);
}

Test(instances, attempts_of_daemons_are_attributed_to_their_instances)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	daemons_belong_to_their_instances(synfault, "private");
}

Test(instances, attempts_of_daemons_are_attributed_to_their_instances_in_a_shared_namespace)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	daemons_belong_to_their_instances(synfault, "shared");
}

Test(instances, successive_instances_share_one_sandbox)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	struct record *record;
	int64_t ended_ns = 0;

	program_writes(synfault, "a.yaml",
		       "name: three runs of two\n"
		       "clients: 2\n"
		       "repeat: 3\n"
		       "endpoints: {api: {faults: [refuse x6]}}\n"
		       "client: {command: [sh, -c, 'echo >> ${tmp}/runs; synfault-tiny ${api}; "
		       "wc -l < ${tmp}/runs']}\n"
		       "expect: {attempts: 6, exit: 0}\n");
	program_runs(synfault, "run --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	record = program_record(synfault, "records/0001.json");
	cr_assert_eq(record->n_instances, 6);
	for (uint32_t instance = 0; instance < 6; instance += 2) {
		cr_assert_not_null(record_instance_start(record, instance));
		cr_expect_geq(record_instance_start(record, instance)->at_ns, ended_ns);
		ended_ns = MAX(record_instance_exit(record, instance)->at_ns,
			       record_instance_exit(record, instance + 1)->at_ns);
	}
	for (uint32_t i = 0; i < 6; i++)
		cr_expect_eq(record->attempts[i].number, i + 1);
	cr_expect_str_eq(record->streams[10].name, "stdout.6");
	record_free(record);
}

Test(instances, each_instance_has_to_meet_the_expectations)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "defaults:\n"
		       "  clients: 4\n"
		       "  endpoints: {api: {faults: [refuse x2, accept]}}\n"
		       "  client: {command: [sh, -c, 'sleep 0.1; synfault-tiny ${api}']}\n" NEXT
		       "name: exit status\n"
		       "expect: {exit: 0, attempts: 4}\n" NEXT "name: duration\n"
		       "expect: {duration: 30s.., attempts: 4}\n" NEXT "name: output\n"
		       "expect: {stderr: {contains: refused}, attempts: 4}\n" NEXT "name: stays\n"
		       "timeout: 2s\n"
		       "endpoints: {api: {}}\n"
		       "client: {command: [sleep, '60']}\n"
		       "expect: {attempts: 0}\n");
	program_runs(synfault, "run --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_FAILED);
	program_left_nothing_but(synfault, "junit.xml");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "exit status", OUTCOME_FAIL, "exit", "wrong in 2 of 4 instances");
	junit_says(junit, "duration", OUTCOME_FAIL, "duration", "duration of instance ");
	junit_says(junit, "output", OUTCOME_FAIL, "stderr", "stderr of instance ");
	junit_says(junit, "stays", OUTCOME_FAIL, "timeout", "still running");
}

/* An outage that all notice at once: instances with jitter come back one by one. */
Test(instances, instances_that_come_back_together_are_a_herd)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "defaults:\n"
		       "  clients: 16\n"
		       "  endpoints: {api: {faults: [refuse x16, accept]}}\n"
		       "  expect: {exit: 0, attempts: 32, herd: {max: 12, within: 2s, of: "
		       "retries}}\n" NEXT "name: all together\n"
		       "client: {command: [synfault-backoff, --base, '800', '${api}']}\n" NEXT
		       "name: spread\n"
		       "client: {command: [synfault-backoff, --base, '10000', --jitter, full, "
		       "'${api}']}\n");
	program_runs(synfault, "run --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_FAILED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "all together", OUTCOME_FAIL, "herd", "got 16 in ");
	junit_says(junit, "spread", OUTCOME_PASS, NULL, NULL);
}
