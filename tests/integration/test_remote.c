/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remote endpoints: faults on the way to servers that exist already, on another host (a network
 * namespace at the other end of a veth pair) and on this one.
 */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "runner/record/history.h"
#include "tests/lib/hosts.h"
#include "tests/lib/junit_reader.h"
#include "tests/lib/netns.h"

#define NEXT "---\n"

#define CLIENT(address)                                                                            \
	"client: {command: [sh, -c, 'for i in 1 2 3 4; do synfault-tiny " address                  \
	"; echo $?; done']}\n"                                                                     \
	"expect: {attempts: 4, stdout: {contains: \"1\\n2\\n0\\n0\\n\"}}\n"
#define FAULTS "faults: [refuse, unreachable host, delay 1500ms, accept]"

Test(remote, faults_look_real_to_the_client_of_any_server)
{
	AUTO_PROGRAM struct program *synfault = hosts_new(
		"name: there\n"
		"endpoints: {db: {remote: '192.0.2.2:5432', " FAULTS "}}\n" CLIENT("${db}") NEXT
		"name: there, IPv6\n"
		"endpoints: {db: {remote: '[2001:db8::2]:5432', " FAULTS "}}\n" CLIENT("${db}") NEXT
		"name: here\n"
		"endpoints: {db: {remote: '192.0.2.1:5433', " FAULTS "}}\n" CLIENT("${db}"));

	hosts_run(synfault, "synfault run --timing-scale 4 --records records a.yaml\n");
	program_printed(synfault, "3 passed, 0 failed, 0 skipped\n");
	for (int i = 1; i <= 3; i++) {
		AUTO_FREE char *path = xasprintf("w/records/%04d.json", i);
		struct record *record = program_record(synfault, path);
		uint32_t syns = 0;

		cr_assert_eq(record->n_attempts, 4);
		for (size_t k = 0; k < record->n_events; k++)
			syns += record->events[k].kind == EVENT_SYN &&
				record->events[k].u.net.attempt == 2;
		/* Held for 1.5 s, and retransmitted after 1 s, as on a slow network; later, too, if
		 * the answer is late. */
		cr_expect(syns >= 2 && syns <= 4, "%s: %u SYNs", record->scenario, syns);
		cr_expect_str_eq(record->isolation, "shared");
		if (i < 3)
			cr_expect_str_eq(record->endpoints[0].delays, "reinjected");
		else
			cr_expect_null(record->endpoints[0].delays);
		record_free(record);
	}
	hosts_left_nothing(synfault);
}

/*
 * One attempt for each step. The client sends a header and 200,000 bytes; the server answers with a
 * header and 100,000 bytes.
 */
#define LATER_STEPS                                                                                \
	"half-open, backlog-full abort, reset after accept, reset after 5000 bytes, stall after "  \
	"5000 bytes, close after accept, close after 5000 bytes, reset after 30000 bytes "         \
	"to-server, stall after 30000 bytes to-server, slow 200 KB/s, slow 400 KB/s to-server, "   \
	"latency 30ms, stall from-server after 5000 bytes for 100ms, "                             \
	"delay 100ms then reset after 5000 bytes"
#define LATER_ENDS                                                                                 \
	"stalled, reset, reset, reset, stalled, closed, closed, reset, stalled, closed, closed, "  \
	"closed, closed, reset"
#define LATER(address)                                                                             \
	"name: '" address "'\n"                                                                    \
	"endpoints: {db: {remote: '" address "'}}\n"

/* Compares what the kernel says about each attempt with its step. */
static void assert_connections(const struct record *record)
{
	static const struct {
		const char *step;
		int64_t least_ns, received; /* received: -1: ended before all was read */
	} cases[] = {
		/* Until curl gives up, after a second that begins before it connects. */
		{"half-open", NS_PER_S / 2, -1},
		{"backlog-full abort", 0, 0},
		{"reset after accept", 0, 0},
		{"reset after 5000 bytes", 0, 5000},
		{"stall after 5000 bytes", NS_PER_S / 2, -1},
		/* A FIN counts as 1 byte. */
		{"close after accept", 0, 1},
		{"close after 5000 bytes", 0, 5001},
		{"reset after 30000 bytes to-server", 0, 0},
		{"stall after 30000 bytes to-server", NS_PER_S / 2, -1},
		{"slow 200 KB/s", 490 * NS_PER_MS, -1},
		{"slow 400 KB/s to-server", 490 * NS_PER_MS, -1},
		{"latency 30ms", 60 * NS_PER_MS, -1},
		{"stall from-server after 5000 bytes for 100ms", 100 * NS_PER_MS, -1},
		{"delay 100ms then reset after 5000 bytes", 100 * NS_PER_MS, 5000},
	};
	struct history history = history_make(record);

	cr_assert_eq(history.n_attempts, ARRAY_SIZE(cases));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct attempt_history *attempt = &history.attempts[i];

		if (attempt->closed_ns == INT64_MAX)
			continue;
		cr_expect_geq(attempt->closed_ns - attempt->started_ns, cases[i].least_ns,
			      "%s, %s: %lld ns", record->scenario, cases[i].step,
			      (long long)(attempt->closed_ns - attempt->started_ns));
		cr_expect(cases[i].received < 0 ||
				  attempt->details->bytes_received == (uint64_t)cases[i].received,
			  "%s, %s: %llu bytes", record->scenario, cases[i].step,
			  (unsigned long long)attempt->details->bytes_received);
	}
	history_free(&history);
}

Test(remote, connections_break_as_the_script_says)
{
	AUTO_PROGRAM struct program *synfault = hosts_new(
		"defaults:\n"
		"  endpoints: {db: {faults: [" LATER_STEPS "]}}\n"
		"  client:\n"
		"    command:\n"
		"    - sh\n"
		"    - -c\n"
		"    - 'for limit in 1 20 20 20 1 20 20 20 1 20 20 20 20 20; do\n"
		"         curl -s -m $limit -T big -H Expect: -o /dev/null http://${db}/;\n"
		"         echo $?; done'\n"
		"  expect: {connected: 14, ended: [" LATER_ENDS "]}\n" NEXT LATER("192.0.2.2:8000")
			NEXT LATER("[2001:db8::2]:8000") NEXT LATER("192.0.2.1:8000"));

	program_needs(synfault, "curl nft");
	hosts_run(synfault, "head -c 200000 /dev/zero >big\n"
			    "synfault run -v --timing-scale 4 --records records a.yaml\n"
			    "nft list ruleset\n");
	program_printed(synfault, "3 passed, 0 failed, 0 skipped\n");
	program_did_not_print(synfault, "table");
	for (int i = 1; i <= 3; i++) {
		AUTO_FREE char *path = xasprintf("w/records/%04d.json", i);
		struct record *record = program_record(synfault, path);

		assert_connections(record);
		record_free(record);
	}
	hosts_left_nothing(synfault);
}

Test(remote, server_on_another_host_gets_exactly_the_bytes_that_the_script_allows)
{
	AUTO_PROGRAM struct program *synfault = hosts_new(
		"matrix: {to: ['192.0.2.2:9000', '[2001:db8::2]:9000']}\n"
		"name: ${matrix.to}\n"
		"endpoints:\n"
		"  db:\n"
		"    remote: '${matrix.to}'\n"
		"    faults: [close after 30000 bytes to-server, reset after 17 MiB to-server]\n"
		"client: {command: [python3, pour.py, '${db.host}', '${db.port}']}\n"
		"expect: {ended: [closed, reset]}\n");

	program_writes(synfault, "pour.py",
		       "import socket, sys\n"
		       "for i in range(2):\n"
		       "    s = socket.create_connection(sys.argv[1:3])\n"
		       "    try:\n"
		       "        for k in range(40): s.sendall(b'x' * (1 << 20))\n"
		       "    except OSError: pass\n");
	hosts_run(synfault, "synfault run -j 1 --timing-scale 4 a.yaml\n"
			    "until [ $(wc -l <sunk) = 4 ]; do sleep 0.05; done; cat sunk\n");
	program_printed(synfault, "2 passed, 0 failed, 0 skipped\n");
	program_printed(synfault, "30000 bytes\n17825792 bytes\n30000 bytes\n17825792 bytes\n");
	hosts_left_nothing(synfault);
}

/* If nothing got lost, the step has not fired. */
Test(remote, everything_arrives_though_packets_get_lost)
{
	AUTO_PROGRAM struct program *synfault =
		hosts_new("matrix: {to: ['192.0.2.2:9000', '[2001:db8::2]:9000']}\n"
			  "name: ${matrix.to}\n"
			  "endpoints:\n"
			  "  db: {remote: '${matrix.to}', faults: [packet-loss 15% to-server]}\n"
			  "client: {command: [python3, drip.py, '${db.host}', '${db.port}']}\n"
			  "expect: {attempts: 1, ended: closed, bytes: {sent: 6000}}\n");

	program_writes(
		synfault, "drip.py",
		"import socket, struct, sys, time\n"
		"s = socket.create_connection(sys.argv[1:3])\n"
		"s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n"
		"s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 20))\n"
		"for i in range(60): s.sendall(b'x' * 100); time.sleep(0.001)\n"
		"s.close()\n");
	hosts_run(synfault, "synfault run --timing-scale 4 a.yaml\n"
			    "until [ $(wc -l <sunk) = 2 ]; do sleep 0.05; done; cat sunk\n");
	program_printed(synfault, "2 passed, 0 failed, 0 skipped\n");
	program_printed(synfault, "6000 bytes\n6000 bytes\n");
	hosts_left_nothing(synfault);
}

Test(remote, servers_restart_and_networks_pause_on_the_way_to_them)
{
	AUTO_PROGRAM struct program *synfault =
		hosts_new("defaults:\n"
			  "  client: {command: [python3, stay.py, '${db.host}', '${db.port}']}\n"
			  "---\n"
			  "name: restarts\n"
			  "endpoints:\n"
			  "  db: {remote: '192.0.2.2:9000', faults: [restart 300ms at 200ms from "
			  "first-attempt]}\n"
			  "expect: {connected: 2, reconnects: 1, stdout: {contains: lost}}\n"
			  "---\n"
			  "name: pauses\n"
			  "endpoints:\n"
			  "  db: {remote: '[2001:db8::2]:9000', faults: [pause 300ms at 200ms from "
			  "first-attempt]}\n"
			  "expect: {attempts: 1, bytes: {sent: 6000}, stdout: {not: lost}}\n");

	/* Sends for more than half a second, and begins anew if the connection is lost. */
	program_writes(
		synfault, "stay.py",
		"import socket, struct, sys, time\n"
		"def stay():\n"
		"    s = socket.create_connection(sys.argv[1:3])\n"
		"    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 20))\n"
		"    for i in range(60): s.sendall(b'x' * 100); time.sleep(0.01)\n"
		"    s.close()\n"
		"while True:\n"
		"    try: stay(); break\n"
		"    except ConnectionRefusedError: time.sleep(0.1)\n"
		"    except OSError: print('lost')\n");
	hosts_run(synfault, "synfault run --timing-scale 4 a.yaml\n");
	program_printed(synfault, "2 passed, 0 failed, 0 skipped\n");
	hosts_left_nothing(synfault);
}

Test(remote, without_net_raw_delayed_syns_are_held_and_the_report_says_so)
{
	AUTO_PROGRAM struct program *synfault =
		hosts_new("name: held\n"
			  "endpoints: {db: {remote: '192.0.2.2:5432', faults: [delay 1500ms]}}\n"
			  "client: {command: [synfault-tiny, '${db}']}\n"
			  "expect: {exit: 0, attempts: 1, retransmissions: 0}\n");

	program_needs(synfault, "setpriv");
	hosts_run(synfault, "setpriv --bounding-set=-net_raw --inh-caps=-net_raw synfault run -v "
			    "--records records a.yaml\n");
	program_printed(synfault, "1 passed, 0 failed, 0 skipped\n");
	program_printed(synfault, "delayed SYNs were held in place");
	struct record *record = program_record(synfault, "w/records/0001.json");

	cr_expect_str_eq(record->endpoints[0].delays, "held");
	record_free(record);
	hosts_left_nothing(synfault);
}

Test(remote, traffic_to_other_addresses_is_not_touched)
{
	AUTO_PROGRAM struct program *synfault = hosts_new(
		"name: outage\n"
		"endpoints: {db: {remote: '192.0.2.2:5432', faults: [drop, reset after 1 KB]}}\n");

	program_needs(synfault, "nft");
	hosts_run(synfault,
		  "nft 'table inet foreign { chain out { type filter hook output priority 0; "
		  "tcp dport { 5432, 5433 } tcp flags syn / syn,ack counter; }; }'\n"
		  "nft list ruleset >before; mkfifo f\n"
		  "synfault inject --control c.sock --ready-fd 3 a.yaml 3>f >out & pid=$!\n"
		  "read line <f\n"
		  "timeout 1 synfault-tiny 192.0.2.2:5432; echo faulty $?\n"
		  "for a in 192.0.2.2:5433 192.0.2.1:5432 '[2001:db8::2]:5432' 127.0.0.1:5432; do\n"
		  "  synfault-tiny $a; echo other $?; done\n"
		  "synfault ctl --control c.sock status; synfault ctl --control c.sock stop\n"
		  "wait $pid; echo ended $?; nft list ruleset >after\n"
		  "sed -i 's/packets.*//' before after; cmp before after && echo same rules\n"
		  "nft delete table inet foreign\n");
	program_printed(synfault, "faulty 124\nother 0\nother 0\nother 0\nother 0\n");
	program_printed(synfault, "1 attempt, 1 abandoned; next: step 2, reset after 1 KB\n");
	program_printed(synfault, "ended 0\nsame rules\n");
	hosts_left_nothing(synfault);
}

Test(remote, killed_run_does_not_cut_clients_off)
{
	AUTO_PROGRAM struct program *synfault = hosts_new(
		"name: outage\n"
		"endpoints: {db: {remote: '192.0.2.2:5432', faults: [drop, half-open]}}\n" NEXT
		"name: none of it\n"
		"endpoints: {api: {faults: [refuse]}}\n");

	hosts_run(synfault, "start() { mkfifo f; synfault inject --capture c.pcapng --control "
			    "c.sock --ready-fd 3 "
			    "a.yaml 3>f >out &\n"
			    "  pid=$!; read line <f; rm f; }\n"
			    "await_end() { while kill -0 $1 2>/dev/null; do sleep 0.02; done; }\n"
			    "try() { timeout 20 synfault-tiny 192.0.2.2:5432; echo $1 $?; }\n"
			    "start; kill -9 $(pgrep -P $pid); wait $pid; try session\n"
			    "start; session=$(pgrep -P $pid); kill -9 $pid; wait $pid\n"
			    "await_end $session; try guard\n"
			    "start; session=$(pgrep -P $pid); kill -9 $pid $session; wait $pid\n"
			    "await_end $session; start\n"
			    "synfault ctl --control c.sock next >/dev/null; try swept\n"
			    "synfault ctl --control c.sock stop; wait $pid\n");
	program_printed(synfault, "session 0\n");
	program_printed(synfault, "guard 0\n");
	program_printed(synfault, "swept 0\n");
	hosts_left_nothing(synfault);
}

Test(remote, scenarios_with_the_same_remote_endpoint_run_one_after_the_other)
{
	AUTO_PROGRAM struct program *synfault = hosts_new(
		"defaults:\n"
		"  endpoints: {db: {remote: '192.0.2.2:5432', faults: [delay 300ms, refuse]}}\n"
		"  client: {command: [sh, -c, 'synfault-tiny ${db}; synfault-tiny ${db}']}\n"
		"  expect: {exit: 1, attempts: 2}\n" NEXT "name: one\n" NEXT "name: two\n" NEXT
		"name: three\n" NEXT "name: another\n"
		"endpoints: {db: {remote: '192.0.2.2:5433'}}\n");

	hosts_run(synfault, "synfault run --timing-scale 4 a.yaml\n");
	program_printed(synfault, "4 passed, 0 failed, 0 skipped\n");
	hosts_left_nothing(synfault);
}

Test(remote, impossible_remote_endpoints_are_reported_with_their_place)
{
	AUTO_PROGRAM struct program *synfault =
		hosts_new("name: nowhere\n"
			  "endpoints:\n"
			  "  db: {remote: 'no.such.host.invalid:5432'}\n"
			  "client: {command: ['true']}\n"
			  "expect: {exit: 0}\n" NEXT "name: no IPv6\n"
			  "endpoints:\n"
			  "  db: {remote: '192.0.2.2:5432', families: [ipv6]}\n"
			  "client: {command: ['true']}\n"
			  "expect: {exit: 0}\n" NEXT "name: twice\n"
			  "endpoints:\n"
			  "  db: {remote: '192.0.2.2:5432'}\n"
			  "  other: {remote: '192.0.2.2:5432'}\n"
			  "client: {command: ['true']}\n"
			  "expect: {exit: 0}\n");

	program_runs(synfault, "run a.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	program_printed(synfault, "the remote endpoint db: no address is found for "
				  "no.such.host.invalid: ");
	program_printed(synfault, "the remote endpoint db: 192.0.2.2 has no IPv6 address");
	program_printed(synfault, "the remote endpoint other: 192.0.2.2:5432: another scenario, or "
				  "another endpoint, injects there already");
	program_runs(synfault, "run --isolation private a.yaml");
	program_exited(synfault, STATUS_NOTHING_RAN);
	program_printed(synfault, "a remote endpoint needs shared isolation");
	program_left_nothing(synfault);
}
