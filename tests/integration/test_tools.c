/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Well-known clients with documented retries: attempts are counted correctly, and retransmissions
 * don't count as retries.
 */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "tests/lib/program.h"

#define NEXT "---\n"

/*
 * Checks that all scenarios of a.yaml pass. Beside other tests, programs of this size are easily
 * late by some tenths of a second.
 */
static void all_pass(struct program *synfault, const char *last_line)
{
	program_runs(synfault, "run -v --timing-scale 2.5 a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, last_line);
	program_left_nothing(synfault);
}

Test(tools, curl_behaves_as_its_man_page_says)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "curl");
	program_writes(
		synfault, "a.yaml",
		"name: refuse\n"
		"endpoints: {api: {faults: [refuse x2, accept]}}\n"
		"client:\n"
		"  command: [curl, -sS, --retry, '3', --retry-connrefused, --retry-delay, '1',\n"
		"            'http://${api}/']\n"
		"expect: {exit: 0, attempts: 3, retransmissions: 0, backoff: {fixed: 1s}}\n" NEXT
		"name: refuse for ever\n"
		"endpoints: {api: {faults: [refuse]}}\n"
		"client:\n"
		"  command: [curl, -sS, --retry, '2', --retry-connrefused, --retry-delay, '1',\n"
		"            'http://${api}/']\n"
		"expect: {exit: 7, attempts: 3, backoff: {fixed: 1s}}\n" NEXT "name: drop\n"
		"endpoints: {api: {faults: [drop x1, accept]}}\n"
		"client:\n"
		"  command: [curl, -sS, --retry, '2', --retry-delay, '1', --connect-timeout, "
		"'1.5',\n"
		"            'http://${api}/']\n"
		"expect: {exit: 0, attempts: 2, retransmissions: 1, backoff: {fixed: 1s}}\n" NEXT
		"name: lose\n"
		"endpoints: {api: {faults: [lose 2]}}\n"
		"client: {command: [curl, -sS, 'http://${api}/']}\n"
		"expect: {exit: 0, attempts: 1, retransmissions: 2}\n" NEXT "name: delay\n"
		"endpoints: {api: {faults: ['delay 400ms']}}\n"
		"client: {command: [curl, -sS, 'http://${api}/']}\n"
		"expect: {exit: 0, attempts: 1, retransmissions: 0}\n" NEXT
		"name: the other family at once\n"
		"endpoints:\n"
		"  api: {hostname: api.example.test, families: [ipv6, ipv4], faults: [refuse, "
		"accept]}\n"
		"client: {command: [curl, -sS, 'http://${api}/']}\n"
		"expect: {exit: 0, attempts: 2}\n");
	all_pass(synfault, "6 passed, 0 failed, 0 skipped");
}

Test(tools, wget_behaves_as_its_man_page_says)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "wget");
	program_writes(
		synfault, "a.yaml",
		"defaults:\n"
		"  client:\n"
		"    command: [wget, -nv, -O, /dev/null, --tries=3, --waitretry=1, "
		"--retry-connrefused,\n"
		"              --connect-timeout=1.5, 'http://${api}/']\n" NEXT "name: refuse\n"
		"endpoints: {api: {faults: [refuse x2, accept]}}\n"
		"expect: {exit: 0, attempts: 3, retransmissions: 0, backoff: {fixed: 1s}}\n" NEXT
		"name: refuse for ever\n"
		"endpoints: {api: {faults: [refuse]}}\n"
		"expect: {exit: 4, attempts: 3, backoff: {fixed: 1s}}\n" NEXT "name: drop\n"
		"endpoints: {api: {faults: [drop x1, accept]}}\n"
		"expect: {exit: 0, attempts: 2, retransmissions: 1, backoff: {fixed: 1s}}\n" NEXT
		"name: lose\n"
		"endpoints: {api: {faults: [lose 1]}}\n"
		"expect: {exit: 0, attempts: 1, retransmissions: 1}\n");
	all_pass(synfault, "4 passed, 0 failed, 0 skipped");
}

Test(tools, ssh_behaves_as_its_man_page_says)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "ssh");
	program_writes(
		synfault, "a.yaml",
		"defaults:\n"
		"  client:\n"
		"    command: [ssh, -F, /dev/null, -o, BatchMode=yes, -o, "
		"ConnectionAttempts=3,\n"
		"              -o, ConnectTimeout=3, -p, '${api.port}', '${api.host}', "
		"'true']\n" NEXT "name: refuse\n"
		"endpoints: {api: {faults: [refuse]}}\n"
		"expect: {exit: 255, attempts: 3, retransmissions: 0, backoff: {fixed: 1s},\n"
		"         stderr: {contains: Connection refused}}\n" NEXT
		"name: connected in the second attempt\n"
		"endpoints: {api: {faults: [refuse, accept]}}\n"
		"expect: {exit: 255, attempts: 2, backoff: {fixed: 1s},\n"
		"         stderr: {not: Connection refused}}\n" NEXT "name: lose\n"
		"endpoints: {api: {faults: [lose 1]}}\n"
		"expect: {exit: 255, attempts: 1, retransmissions: 1}\n");
	all_pass(synfault, "3 passed, 0 failed, 0 skipped");
}

Test(tools, urllib_behaves_as_documented)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "python3");
	program_writes(
		synfault, "a.yaml",
		"defaults:\n"
		"  client:\n"
		"    command: [python3, '${tmp}/client.py']\n"
		"    files:\n"
		"      client.py: |\n"
		"        import time, urllib.request\n"
		"        for n in range(3):\n"
		"            try:\n"
		"                print(urllib.request.urlopen('http://${api}/', "
		"timeout=1.5).status)\n"
		"                break\n"
		"            except OSError as error:\n"
		"                print(error.reason)\n"
		"                time.sleep(0.5)\n" NEXT "name: refuse\n"
		"endpoints: {api: {faults: [refuse x2, accept]}}\n"
		"expect: {exit: 0, attempts: 3, retransmissions: 0, backoff: {fixed: 500ms},\n"
		"         stdout: {contains: [Connection refused, '200']}}\n" NEXT "name: drop\n"
		"endpoints: {api: {faults: [drop x1, accept]}}\n"
		"expect: {exit: 0, attempts: 2, retransmissions: 1, backoff: {fixed: 500ms},\n"
		"         stdout: {contains: [timed out, '200']}}\n" NEXT "name: lose\n"
		"endpoints: {api: {faults: [lose 1]}}\n"
		"expect: {exit: 0, attempts: 1, retransmissions: 1, stdout: {contains: "
		"'200'}}\n");
	all_pass(synfault, "3 passed, 0 failed, 0 skipped");
}

/* Packs that compare well-known clients with their documentation. */
Test(tools, known_clients_pass_their_packs)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	const char *source = getenv("SYNFAULT_SOURCE");
	const char *required = getenv("SYNFAULT_REQUIRE_PRIVILEGES");

	cr_assert_not_null(source);
	/* Elsewhere some clients may be missing; this test needs all of them, in one version. */
	program_runs(synfault, "run %s --tag '!version' --timing-scale 2.5 %s/scenarios/clients",
		     required && strcmp(required, "1") == 0 ? "--require" : "", source);
	program_exited(synfault, STATUS_PASSED);
	program_left_nothing(synfault);
}
