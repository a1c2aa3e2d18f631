/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which attempts a fault is for: by number, time, family, chance and address. With real clients, in
 * private and in shared sandboxes.
 */
#include <criterion/criterion.h>

#include "tests/lib/netns.h"
#include "tests/lib/program.h"

#define NEXT "---\n"

/* Returns the steps that served the attempts of a record, from 1: "2112". Owned by the caller. */
static char *steps_of(const struct program *synfault, const char *path)
{
	AUTO_RECORD struct record *record = program_record(synfault, path);
	struct strbuf steps = {0};

	for (size_t i = 0; i < record->n_attempts; i++)
		strbuf_printf(&steps, "%u", record->attempts[i].step + 1);
	return strbuf_steal(&steps);
}

#define TRIES(n)                                                                                   \
	"client: {command: [sh, -c, 'for i in $(seq " n                                            \
	"); do synfault-tiny ${api}; done; true']}\n"

Test(conditions, conditions_of_number_and_family_choose_attempts)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	static const char *const isolations[] = {"private", "shared"};

	program_writes(
		synfault, "a.yaml", "%s",
		"name: numbers\n"
		"endpoints: {api: {faults: [refuse x2, {when: {attempt: 2..4+2}, do: drop},\n"
		"                           delay 1ms then refuse]}}\n"
		"client: {command: [sh, -c, 'for i in 1 2 3 4 5; do timeout 1.5 "
		"synfault-tiny ${api}; done; true']}\n"
		"expect: {exit: 0, attempts: 5}\n" NEXT "name: families\n"
		"endpoints: {api: {families: [ipv4, ipv6], faults: [refuse,\n"
		"                  {when: {family: ipv6}, do: delay 1ms}, accept]}}\n"
		"client: {command: [sh, -c, 'synfault-tiny ${api.ipv4}:${api.port}; "
		"synfault-tiny [${api.ipv6}]:${api.port} && synfault-tiny "
		"${api.ipv4}:${api.port}']}\n"
		"expect: {exit: 0, attempts: 3}\n");
	for (size_t i = 0; i < ARRAY_SIZE(isolations); i++) {
		program_runs(synfault, "run --records records --isolation %s a.yaml",
			     isolations[i]);
		program_exited(synfault, STATUS_PASSED);
		AUTO_FREE char *numbers = steps_of(synfault, "records/0001.json");
		AUTO_FREE char *families = steps_of(synfault, "records/0002.json");

		cr_expect_str_eq(numbers, "12123", "%s", isolations[i]);
		cr_expect_str_eq(families, "123", "%s", isolations[i]);
	}
}

Test(conditions, conditions_of_time_count_from_the_clients_start)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", "%s",
		       "name: outage\n"
		       "endpoints: {api: {faults: [down 2s]}}\n"
		       "client: {command: [sh, -c, 'synfault-tiny ${api} || sleep 2.5; "
		       "synfault-tiny ${api}']}\n"
		       "expect: {exit: 0, attempts: 2}\n" NEXT "name: flapping\n"
		       "endpoints: {api: {faults: [flap up 10s down 1s]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 0}\n" NEXT "name: long over\n"
		       "endpoints: {api: {faults: [down 1ms]}}\n"
		       "client: {command: [sh, -c, 'sleep 0.1; synfault-tiny ${api}']}\n"
		       "expect: {exit: 0, attempts: 1..}\n");
	program_runs(synfault, "run --records records a.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	program_concluded(synfault, "1 passed, 2 failed, 0 skipped");
	AUTO_FREE char *outage = steps_of(synfault, "records/0001.json");

	cr_expect_str_eq(outage, "12");
	program_printed(synfault, "(\"down 10s..11s every 11s\") at api never fired");
	program_printed(synfault,
			"(\"down 1ms\") at api never fired: no attempt met its condition");
}

/* A client that is late, or refused, meets the next round. */
Test(conditions, restarts_of_each_endpoint_come_in_turn)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(
		synfault, "a.yaml", "%s",
		"name: rolling\n"
		"endpoints:\n"
		"  a: {serve: accept, faults: &rolling [restart 300ms each at 500ms every 2s]}\n"
		"  b: {serve: accept, faults: *rolling}\n"
		"client:\n"
		"  command: [python3, '${tmp}/waits.py', '${a}', '${b}']\n"
		"  files:\n"
		"    waits.py: |\n"
		"      import socket, sys, time\n"
		"      def connect(target):\n"
		"          while True:\n"
		"              try:\n"
		"                  return socket.create_connection(target.split(':'))\n"
		"              except ConnectionRefusedError:\n"
		"                  time.sleep(0.1)\n"
		"      for peer in [connect(target) for target in sys.argv[1:]]:\n"
		"          try:\n"
		"              sys.exit(f'got {peer.recv(1)}')\n"
		"          except ConnectionResetError:\n"
		"              pass\n"
		"expect: {exit: 0, connected: {a: 1, b: 1}}\n");
	program_runs(synfault, "run --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	AUTO_RECORD struct record *record = program_record(synfault, "records/0001.json");

	/* The judge has checked that none was ended before its time. */
	cr_expect_str_eq(record->endpoints[0].script, "restart 300ms at 500ms every 2s, accept");
	cr_expect_str_eq(record->endpoints[1].script, "restart 300ms at 800ms every 2s, accept");
}

Test(conditions, chance_depends_on_the_seed_alone)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE char *first = NULL;

	program_writes(synfault, "a.yaml", "%s",
		       "name: chance\n"
		       "endpoints: {api: {faults: [{when: {chance: 40%}, do: refuse}]}}\n" TRIES(
			       "12") "expect: {exit: 0, attempts: 12}\n");
	for (int run = 0; run < 3; run++) {
		AUTO_FREE char *steps = NULL;

		program_runs(synfault, "run --seed 5 --isolation %s --records records a.yaml",
			     run == 1 ? "shared" : "private");
		program_exited(synfault, STATUS_PASSED);
		steps = steps_of(synfault, "records/0001.json");
		cr_expect(strchr(steps, '1') && strchr(steps, '2'), "%s", steps);
		if (first)
			cr_expect_str_eq(steps, first);
		else
			first = steal_pointer(&steps);
	}
	program_runs(synfault, "run --seed 6 --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	AUTO_FREE char *other = steps_of(synfault, "records/0001.json");

	cr_expect_str_neq(other, first);
}

/* ---- addresses ---- */

#define RESOLVES                                                                                   \
	"client:\n"                                                                                \
	"  command:\n"                                                                             \
	"    - python3\n"                                                                          \
	"    - -c\n"                                                                               \
	"    - |\n"                                                                                \
	"      import socket\n"                                                                    \
	"      for entry in socket.getaddrinfo('${api.host}', 80, type=socket.SOCK_STREAM):\n"     \
	"          print(entry[4][0])\n"

Test(addresses, addresses_of_a_name_resolve_in_order)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	/* As in the file, and on a host whose host.conf lacks "multi on". */
	static const char *const host_confs[] = {"multi on\n", "order hosts\n"};

	program_needs(synfault, "python3");
	program_writes(synfault, "a.yaml", "%s",
		       "name: in turn\n"
		       "endpoints: {api: {hostname: a.test, addresses: [ipv4, ipv6, ipv4, "
		       "ipv6]}}\n" RESOLVES "expect: {attempts: 0, exit: 0, stdout: {matches: "
		       "'\\A198.18.0.10\\n2001:db8::a\\n198.18.0.11\\n2001:db8::b\\n\\z'}}\n" NEXT
		       "name: of one family\n"
		       "endpoints: {other: {}, api: {hostname: b.test, addresses: [ipv6, ipv6, "
		       "ipv6]}}\n" RESOLVES "expect: {attempts: 0, exit: 0, stdout: {matches: "
		       "'\\A2001:db8::b\\n2001:db8::c\\n2001:db8::d\\n\\z'}}\n" NEXT
		       "name: IPv6 first\n"
		       "endpoints: {api: {hostname: c.test, addresses: [ipv6, ipv6, ipv4, "
		       "ipv4]}}\n" RESOLVES "expect: {attempts: 0, exit: 0, stdout: {matches: "
		       "'\\A2001:db8::a\\n2001:db8::b\\n198.18.0.10\\n198.18.0.11\\n\\z'}}\n");
	for (size_t i = 0; i < ARRAY_SIZE(host_confs); i++) {
		program_writes(synfault, "host.conf", "%s", host_confs[i]);
		program_runs_shell(synfault, "mount --bind host.conf /etc/host.conf; "
					     "synfault run a.yaml; s=$?; umount /etc/host.conf; "
					     "exit $s");
		program_exited(synfault, STATUS_PASSED);
	}
}

Test(addresses, written_addresses_are_used_in_a_private_sandbox)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", "%s",
		       "name: written\n"
		       "endpoints:\n"
		       "  other: {port: 80, families: [ipv4, ipv6]}\n"
		       "  api:\n"
		       "    port: 80\n"
		       "    addresses: [127.0.0.1, 'fd00::7', ipv4, '::1', 127.9.8.7]\n"
		       "    faults: {127.9.8.7: [refuse], '::1': [refuse, accept], ipv6: [drop]}\n"
		       "client:\n"
		       "  command:\n"
		       "    - sh\n"
		       "    - -c\n"
		       "    - |\n"
		       "      synfault-tiny ${other}; echo $?\n"
		       "      for to in 127.0.0.1 127.9.8.7 [::1] [::1]; do\n"
		       "          synfault-tiny $to:80; echo $to $?\n"
		       "      done\n"
		       "      echo ${api.ipv4} ${api.ipv4.3} ${api.ipv6} ${api.ipv6.2}\n"
		       "      timeout 1.5 synfault-tiny [fd00::7]:80; echo $?\n"
		       "expect: {exit: 0, attempts: {api: 5, other: 1}, stdout: {matches: '\\A0\\n"
		       "127.0.0.1 0\\n127.9.8.7 1\\n\\[::1\\] 1\\n\\[::1\\] 0\\n"
		       "127.0.0.1 127.9.8.7 fd00::7 ::1\\n124\\n\\z'}}\n");
	program_writes(synfault, "b.yaml", "%s",
		       "name: written for a name\n"
		       "endpoints: {api: {hostname: a.test, addresses: ['fd00::9', 127.0.0.44, "
		       "'::1']}}\n" RESOLVES "expect: {attempts: 0, exit: 0, stdout: {matches: "
		       "'\\Afd00::9\\n127.0.0.44\\n::1\\n\\z'}}\n");
	program_needs(synfault, "python3");
	program_runs(synfault, "run a.yaml b.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_runs(synfault, "run --isolation shared a.yaml");
	program_exited(synfault, STATUS_NOTHING_RAN);
	program_printed(synfault, "the addresses of endpoint api need private isolation");
	program_left_nothing(synfault);
}

Test(addresses, each_address_has_its_own_faults)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	static const char *const isolations[] = {"private", "shared"};

	program_writes(synfault, "a.yaml", "%s",
		       "name: addresses\n"
		       "endpoints:\n"
		       "  other: {families: [ipv4, ipv6]}\n"
		       "  api:\n"
		       "    addresses: [ipv6, ipv4, ipv4, ipv4]\n"
		       "    faults:\n"
		       "      ipv4.2: [refuse, accept]\n"
		       "      ipv6: [{when: {attempt: 2}, do: refuse}]\n"
		       "      ipv4: [refuse x2, accept]\n"
		       "client:\n"
		       "  command:\n"
		       "    - sh\n"
		       "    - -c\n"
		       "    - |\n"
		       "      for to in ${api.ipv4} ${api.ipv4.2} [${api.ipv6}] ${api.ipv4.3}"
		       " [$SYNFAULT_API_IPV6] $SYNFAULT_API_IPV4_2 $SYNFAULT_API_IPV4_3; do\n"
		       "          synfault-tiny $to:${api.port}; echo -n $?\n"
		       "      done\n"
		       "expect: {exit: 0, attempts: 7, stdout: {matches: "
		       "'\\A1101100\\z'}}\n");
	for (size_t i = 0; i < ARRAY_SIZE(isolations); i++) {
		program_runs(synfault, "run --records records --isolation %s a.yaml",
			     isolations[i]);
		program_exited(synfault, STATUS_PASSED);
		program_left_nothing_but(synfault, "records");
		AUTO_FREE char *steps = steps_of(synfault, "records/0001.json");

		cr_expect_str_eq(steps, "5145326", "%s", isolations[i]);
	}
}
