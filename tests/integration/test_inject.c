/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `synfault inject` and `synfault ctl`: faults for a client that another program starts. Each test
 * is a shell script in a sandbox, with functions that start a daemon and wait until it is armed.
 */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "tests/lib/junit_reader.h"
#include "tests/lib/netns.h"

#define NEXT "---\n"
#define REFUSED                                                                                    \
	"name: refused\n"                                                                          \
	"endpoints: {api: {families: [ipv4, ipv6], faults: [refuse x2, accept]}}\n"                \
	"expect: {attempts: 3, exit: 0}\n"
#define HELD                                                                                       \
	"name: held\n"                                                                             \
	"endpoints: {api: {faults: [delay 1s]}}\n"                                                 \
	"expect: {attempts: 1}\n"
#define PLAIN                                                                                      \
	"name: plain\n"                                                                            \
	"endpoints: {api: {faults: [drop, accept]}}\n"

/*
 * start NAME ARGUMENT...: starts a daemon with socket NAME.sock and output NAME.out, and waits
 * until it is armed; its pid is in $pid. address NAME: prints the address of its endpoint "api".
 * ctl NAME COMMAND...: sends a command by ctl. destroy PID: kills a daemon and the process that
 * started it, and waits until the kernel has released what both had: only then do others see that
 * it has no owner.
 */
#define FUNCTIONS                                                                                  \
	"start() {\n"                                                                              \
	"  name=$1; shift; rm -f $name.fifo; mkfifo $name.fifo\n"                                  \
	"  synfault inject --control $name.sock --ready-fd 3 \"$@\" >$name.out 2>$name.err "       \
	"3>$name.fifo &\n"                                                                         \
	"  pid=$!; read line <$name.fifo; rm $name.fifo\n"                                         \
	"}\n"                                                                                      \
	"address() { sed -n 's/^armed: .*: api \\([0-9.:]*\\).*/\\1/p' $1.out | tail -n 1; }\n"    \
	"ctl() { name=$1; shift; synfault ctl --control $name.sock \"$@\"; }\n"                    \
	"ends() { wait $2; echo \"$1 ended with $?\"; }\n"                                         \
	"destroy() {\n"                                                                            \
	"  child=$(pgrep -P $1); kill -9 $1 $child; wait $1\n"                                     \
	"  while kill -0 $child 2>/dev/null; do sleep 0.02; done\n"                                \
	"}\n"

static struct program *program_for(const char *file)
{
	struct program *synfault = program_new();

	program_needs_root(synfault);
	program_writes(synfault, "functions", "%s", FUNCTIONS);
	program_writes(synfault, "a.yaml", "%s", file);
	return synfault;
}

static void runs(struct program *synfault, const char *script)
{
	program_writes(synfault, "script", ". ./functions\n%s", script);
	/* The script writes only below one directory, which may stay. */
	program_runs_shell(synfault,
			   "mkdir w && cp $(ls -d * | grep -v '^w$') w && cd w && sh script");
}

/* Describes the sandbox without the files in its working directory. */
static void left_nothing(const struct program *synfault)
{
	program_left_nothing_but(synfault, "w");
}

Test(inject, daemon_injects_faults_for_a_foreign_client_and_judges_it)
{
	AUTO_PROGRAM struct program *synfault = program_for(REFUSED);

	runs(synfault, "start one --junit j.xml --record r.json a.yaml\n"
		       "for i in 1 2 3; do synfault-tiny $(address one); echo client $?; done\n"
		       "ctl one stop\n"
		       "ends one $pid\n"
		       "cat one.out one.err\n");
	program_printed(synfault, "client 1\nclient 1\nclient 0\n");
	program_printed(synfault, "pass: refused\n");
	program_printed(synfault, "one ended with 0");
	program_printed(synfault, "not judged, since synfault did not start the client: exit\n");
	program_printed(synfault, "api #2  refused (step 1: refuse x2)\n");
	program_printed(synfault, "api #3  connected\n");
	program_printed(synfault, "1 passed, 0 failed, 0 skipped\n");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "w/j.xml");
	struct record *record = program_record(synfault, "w/r.json");

	cr_assert_eq(junit->n_cases, 1);
	cr_expect(record->attached);
	cr_expect_eq(record->n_attempts, 3);
	record_free(record);
	cr_expect_not(program_has_file(synfault, "w/one.sock"));
	left_nothing(synfault);
}

/* The daemon is the only child of the process that the user sees. */
#define SHOW_CONFINEMENT                                                                           \
	"read -r daemon </proc/$pid/task/$pid/children\n"                                          \
	"grep -hE '^(Seccomp|CapPrm):' /proc/$daemon/status\n"

Test(inject, daemon_is_confined_once_it_is_armed)
{
	AUTO_PROGRAM struct program *synfault =
		program_for("name: served\n"
			    "endpoints: {api: {serve: {command: [python3, -m, http.server, --bind, "
			    "'${api.host}', '${api.port}'], ready: 30s}}}\n");

	program_needs(synfault, "python3");
	runs(synfault,
	     "start one 'refuse'\n" SHOW_CONFINEMENT "ctl one reset >reset; echo reset $?\n"
	     "ctl one stop; ends one $pid\n"
	     "start two --record r.json 'refuse'\n" SHOW_CONFINEMENT "ctl two stop; ends two $pid\n"
	     "start three a.yaml; echo three\n" SHOW_CONFINEMENT
	     "ctl three stop; ends three $pid\n");
	/* NET_ADMIN, NET_RAW, NET_BIND_SERVICE, KILL, DAC_OVERRIDE and FOWNER */
	program_printed(synfault, "CapPrm:\t000000000000342a\nSeccomp:\t2\nreset 0\n");
	/* also CHOWN, FSETID and DAC_READ_SEARCH */
	program_printed(synfault, "CapPrm:\t000000000000343f\nSeccomp:\t2\n");
	program_printed(synfault, "three\nCapPrm:\t000000000000342a\nSeccomp:\t2\n");
	program_printed(synfault, "three ended with 0\n");
	cr_expect(program_has_file(synfault, "w/r.json"));
	left_nothing(synfault);
}

/* SYS_MODULE, SYS_RAWIO, SYS_PTRACE, SYS_ADMIN, SYS_BOOT, SYS_TIME, MAC_ADMIN, PERFMON, BPF */
#define GIVEN_UP "0xc2026b0000"

Test(inject, daemon_that_may_start_servers_gives_up_what_no_server_has)
{
	AUTO_PROGRAM struct program *synfault =
		program_for("name: plain\n"
			    "endpoints: {api: {}}\n" NEXT "name: served\n"
			    "endpoints: {api: {serve: {command: [python3, -m, http.server, --bind, "
			    "'${api.host}', '${api.port}'], ready: 30s}}}\n");

	program_needs(synfault, "python3");
	runs(synfault, "start one a.yaml\n"
		       "read -r daemon </proc/$pid/task/$pid/children\n"
		       "has=0x$(sed -n 's/^CapPrm:[^0-9a-f]*//p' /proc/$daemon/status)\n"
		       "echo given up $((has & " GIVEN_UP ")), rules $((has >> 12 & 1))\n"
		       "ctl one next >next; echo next $?\n"
		       "ctl one stop; ends one $pid\n");
	program_printed(synfault, "given up 0, rules 1\nnext 0\n");
	left_nothing(synfault);
}

Test(inject, daemon_has_the_exit_status_of_run)
{
	AUTO_PROGRAM struct program *synfault = program_for(
		REFUSED NEXT PLAIN NEXT "name: fails to start\n"
					"endpoints: {api: {serve: {command: ['false']}}}\n");

	runs(synfault, "start one a.yaml; kill $pid; ends failed $pid\n"
		       "start two a.yaml plain; kill -INT $pid; ends plain $pid\n"
		       "start three a.yaml 'fails to start'; ends error $pid\n"
		       "cat *.out\n");
	program_printed(synfault, "failed ended with 3\n");
	program_printed(synfault, "plain ended with 0\n");
	program_printed(synfault, "error ended with 3\n");
	program_printed(synfault, "attempts");
	program_printed(synfault, "(the scenario expects nothing)");
	program_printed(synfault, "the server of api ended with status 1 before it listened");
	left_nothing(synfault);
}

Test(inject, endpoints_need_no_file)
{
	AUTO_PROGRAM struct program *synfault = program_for(PLAIN);

	runs(synfault, "start one --port 7007 'refuse, accept'\n"
		       "server=$(sed -n 's/^armed: .*: server \\([0-9.:]*\\).*/\\1/p' one.out)\n"
		       "echo \"port ${server##*:}\"\n"
		       "for i in 1 2; do synfault-tiny $server; echo client $?; done\n"
		       "ctl one stop; ends one $pid; cat one.out\n");
	program_printed(synfault, "port 7007\nclient 1\nclient 0\n");
	program_printed(synfault, "armed: refuse, accept: server 127.");
	program_printed(synfault, "skip: refuse, accept\n");
	program_printed(synfault, "one ended with 0\n");
	program_runs_shell(synfault, "rm -r w");
	runs(synfault, "start two -e api=refuse -e db=accept\n"
		       "synfault-tiny $(address two | cut -d';' -f1); echo api $?\n"
		       "ctl two status; ctl two stop; ends two $pid\n");
	program_printed(synfault, "api 1\n");
	program_printed(synfault, "armed: command line: api: refuse; db: accept (1 of 1)");
	program_printed(synfault, "two ended with 0\n");
	left_nothing(synfault);
}

Test(inject, unwritable_capture_is_reported_before_arming)
{
	AUTO_PROGRAM struct program *synfault = program_for(PLAIN);

	program_runs(synfault, "inject --capture no/such/c.pcapng a.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	program_complained(synfault, "can't write the capture to no/such/c.pcapng: No such file");
	program_runs(synfault, "inject --capture c.pcapng --capture-size 1 a.yaml");
	program_exited(synfault, STATUS_USAGE);
	program_complained(synfault, "a size from 4K to 1G is expected");
	cr_expect_not(program_has_file(synfault, "c.pcapng"));
	program_left_nothing(synfault);
}

Test(inject, commands_show_progress_restart_and_advance)
{
	AUTO_PROGRAM struct program *synfault = program_for(REFUSED NEXT PLAIN);

	runs(synfault,
	     "start one a.yaml\n"
	     "synfault-tiny $(address one); ctl one status; ctl one status --format json\n"
	     "before=$(address one)\n"
	     "ctl one reset >/dev/null; synfault-tiny $before; echo after reset $?\n"
	     "ctl one next; echo next $?\n"
	     "[ $before = $(address one) ] && echo same address\n"
	     "ctl one next; echo last $?\n"
	     "ctl one next refused; ctl one next nonsense; echo nonsense $?\n"
	     "ctl one stop; ends one $pid\n");
	program_printed(synfault, "armed: a.yaml: refused (1 of 2)");
	program_printed(synfault, "1 attempt, 1 refused; next: step 1, refuse x2\n");
	program_printed(synfault, "\"refused\": 1");
	program_printed(synfault, "after reset 1\n");
	program_printed(synfault, "armed: a.yaml: plain (2 of 2)");
	program_printed(synfault, "next 0\nsame address\nlast 3\n");
	program_printed(synfault, "nonsense 3\n");
	program_complained(synfault, "\"plain\" is the last scenario\n");
	program_complained(synfault, "there is no scenario \"nonsense\"\n");
	program_printed(synfault,
			"error: refused\n  the client made no attempt, which proves nothing");
	program_printed(synfault, "one ended with 1\n");
	left_nothing(synfault);
}

Test(inject, connections_survive_a_reset_command)
{
	AUTO_PROGRAM struct program *synfault =
		program_for("name: kept\nendpoints: {api: {serve: echo, faults: [accept]}}\n");

	program_needs(synfault, "python3");
	program_writes(synfault, "client.py",
		       "import socket, sys\n"
		       "host, port = sys.argv[1].split(':')\n"
		       "s = socket.create_connection((host, int(port)), 60)\n"
		       "s.sendall(b'x'); s.recv(1)\n"
		       "open('connected', 'w'); input()\n"
		       "s.sendall(b'kept'); print(s.recv(4).decode())\n");
	runs(synfault, "start one a.yaml; mkfifo go\n"
		       "python3 client.py $(address one) <go & client=$!\n"
		       "exec 4>go; while [ ! -e connected ]; do sleep 0.02; done\n"
		       "ctl one reset; echo >&4; wait $client; ctl one stop; wait $pid\n");
	program_printed(synfault, "kept\n");
	left_nothing(synfault);
}

Test(inject, packets_come_late_and_get_lost_in_a_pause)
{
	AUTO_PROGRAM struct program *synfault = program_for(
		"name: paused\n"
		"endpoints:\n"
		"  api:\n"
		"    serve: echo\n"
		"    faults: [pause 900ms at 300ms from first-attempt, latency 30ms]\n"
		"expect: {attempts: 1, bytes: {sent: 2, received: 2}, ended: closed}\n");

	program_needs(synfault, "python3");
	program_writes(synfault, "client.py",
		       "import socket, sys, time\n"
		       "host, port = sys.argv[1].split(':')\n"
		       "s = socket.create_connection((host, int(port)))\n"
		       "began = time.monotonic()\n"
		       "for pause in 0, 0.4:\n"
		       "    time.sleep(pause); s.sendall(b'x'); s.recv(1)\n"
		       "s.close()\n"
		       "print(time.monotonic() - began > 0.5)\n");
	/* On a busy machine its time may pass, or the pause come late, which is an error: again. */
	runs(synfault, "for i in 1 2 3 4 5 6; do\n"
		       "  start one --record r.json a.yaml\n"
		       "  python3 client.py $(address one) >said\n"
		       "  ctl one stop >/dev/null; wait $pid; status=$?\n"
		       "  [ $status = 3 ] || break\n"
		       "done\n"
		       "cat said one.out; echo one ended with $status\n"
		       "grep -o '\"fault\":\"[a-z]*\"' r.json | sort -u\n");
	program_printed(synfault, "True\n");
	program_printed(synfault, "one ended with 0\n");
	program_printed(synfault, "\"delayed\"\n\"fault\":\"healed\"\n\"fault\":\"stalled\"\n");
	left_nothing(synfault);
}

/* If nothing got lost, the step has not fired. */
Test(inject, everything_arrives_though_packets_get_lost)
{
	AUTO_PROGRAM struct program *synfault =
		program_for("name: lossy\n"
			    "endpoints: {api: {serve: echo, faults: [packet-loss 30%]}}\n"
			    "expect: {attempts: 1, bytes: {sent: 60, received: 60}, ended: "
			    "closed}\n");

	program_needs(synfault, "python3");
	program_writes(synfault, "client.py",
		       "import socket, sys, time\n"
		       "s = socket.create_connection(sys.argv[1].split(':'))\n"
		       "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n"
		       "for i in range(60): s.sendall(b'x'); time.sleep(0.001)\n"
		       "print(len(s.recv(60, socket.MSG_WAITALL)), 'came back')\n");
	runs(synfault, "start one --record r.json a.yaml\n"
		       "python3 client.py $(address one)\n"
		       "ctl one stop; ends one $pid\n"
		       "grep -o '\"fault\":\"[a-z-]*\"' r.json | sort -u\n");
	program_printed(synfault, "60 came back\n");
	program_printed(synfault, "one ended with 0\n");
	program_printed(synfault, "\"fault\":\"packet-lost\"\n");
	left_nothing(synfault);
}

Test(inject, a_command_restarts_endpoints_one_after_the_other)
{
	AUTO_PROGRAM struct program *synfault = program_for(
		"name: rolled\n"
		"endpoints:\n"
		"  api: {serve: echo, faults: &rolling [restart 9s each from command]}\n"
		"  db: {serve: echo, faults: *rolling}\n"
		"expect: {connected: {api: 1, db: 2}}\n");
	int64_t begun_ns[3];
	uint32_t n = 0;

	program_needs(synfault, "python3");
	program_writes(
		synfault, "client.py",
		"import socket, sys\n"
		"connections = [socket.create_connection(peer.split(':'), 60) for peer in "
		"sys.argv[1:]]\n"
		"for connection in connections: connection.sendall(b'x'); connection.recv(1)\n"
		"open('connected', 'w')\n"
		"for connection in connections:\n"
		"    try: connection.recv(1)\n"
		"    except OSError as error: print(error.strerror)\n");
	runs(synfault,
	     "start one --record r.json a.yaml\n"
	     "db=$(sed -n 's/.*; db \\([0-9.:]*\\).*/\\1/p' one.out)\n"
	     "meets() {\n"
	     "  python3 client.py $* >said & client=$!\n"
	     "  while [ ! -e connected ] && kill -0 $client; do sleep 0.02; done; rm connected\n"
	     "}\n"
	     "restart() { ctl one restart \"$@\" | sed -n 1p; wait $client; cat said; }\n"
	     /* alone it has its turn at once, though it is the second one */
	     "meets $db; restart db 1ms\n"
	     "meets $(address one) $db; restart 200ms\n"
	     "ctl one stop; ends one $pid\n");
	program_printed(synfault, "ended 1 connection\nConnection reset by peer\n"
				  "ended 1 connection\nConnection reset by peer\n"
				  "Connection reset by peer\n"
				  "pass: rolled\none ended with 0\n");
	AUTO_RECORD struct record *record = program_record(synfault, "w/r.json");

	for (size_t i = 0; i < record->n_events; i++) {
		static const uint32_t endpoints[] = {1, 0, 1};
		const struct event *event = &record->events[i];

		if (event->kind != EVENT_OUTAGE)
			continue;
		cr_assert_lt(n, ARRAY_SIZE(endpoints));
		cr_expect_eq(event->u.outage.endpoint, endpoints[n]);
		begun_ns[n++] = event->at_ns;
	}
	cr_assert_eq(n, 3);
	cr_expect_geq(begun_ns[2] - begun_ns[1], 190 * NS_PER_MS);
	left_nothing(synfault);
}

Test(inject, a_command_restarts_an_endpoint)
{
	AUTO_PROGRAM struct program *synfault =
		program_for("name: restarted\n"
			    "endpoints:\n"
			    "  api: {serve: echo, faults: [restart 2s from command]}\n"
			    "  db: {serve: echo}\n"
			    "expect: {attempts: {api: 2, db: 0}}\n");

	program_needs(synfault, "python3");
	program_writes(synfault, "client.py",
		       "import socket, sys\n"
		       "host, port = sys.argv[1].split(':')\n"
		       "s = socket.create_connection((host, int(port)), 60)\n"
		       "s.sendall(b'x'); s.recv(1)\n"
		       "open('connected', 'w')\n"
		       "try: s.recv(1)\n"
		       "except OSError as error: print(error.strerror)\n"
		       "try: socket.create_connection((host, int(port)), 60)\n"
		       "except OSError as error: print(error.strerror)\n");
	runs(synfault, "start one --record r.json a.yaml\n"
		       "ctl one restart db; echo none waits $?\n"
		       "ctl one restart nowhere; ctl one restart api 5 s; echo usage $?\n"
		       "python3 client.py $(address one) >said & client=$!\n"
		       "while [ ! -e connected ]; do sleep 0.02; done\n"
		       "ctl one restart api 60s; wait $client; ctl one stop; ends one $pid\n"
		       "cat said\n"
		       "grep -o '\"kind\":\"outage\"[^}]*' r.json\n");
	program_printed(synfault, "none waits 3\nusage 4\n");
	program_printed(synfault, "ended 1 connection\n");
	program_printed(synfault, "Connection reset by peer\nConnection refused\n");
	program_printed(synfault, "pass: restarted\none ended with 0\n");
	program_printed(synfault, "\"endpoint\":0,\"lasts_ns\":60000000000");
	program_complained(synfault, "no step of db waits for a command; give it such a step");
	program_complained(synfault, "there is no endpoint \"nowhere\"\n");
	left_nothing(synfault);
}

Test(inject, attempts_beyond_the_record_get_faults_and_make_an_error)
{
	AUTO_PROGRAM struct program *synfault =
		program_for("name: many\n"
			    "endpoints: {api: {faults: [refuse x4, accept]}}\n"
			    "expect: {attempts: 1..}\n");

	runs(synfault, "start one --max-attempts 3 --record r.json a.yaml\n"
		       "for i in 1 2 3; do synfault-tiny $(address one); echo client $?; done\n"
		       "cat one.err; ctl one reset >/dev/null\n"
		       "for i in 1 2 3 4 5; do synfault-tiny $(address one); echo again $?; done\n"
		       "cat one.err; ctl one status; ctl one stop; ends one $pid; cat one.out\n"
		       "synfault inject --max-attempts 0 a.yaml; echo usage $?\n");
	program_printed(synfault, "client 1\nclient 1\nclient 1\nagain 1\n");
	program_printed(synfault, "again 1\nagain 1\nagain 1\nagain 0\n"
				  "synfault inject: more than 3 attempts: further ones"
				  " are answered and counted");
	program_printed(synfault, "3 attempts, 3 refused");
	program_printed(synfault, "more than 3 attempts: later ones are not in the record");
	program_printed(synfault, "one ended with 3\n");
	program_printed(synfault, "the record lacks 2 attempts after the first 3");
	program_printed(synfault, "usage 4\n");
	struct record *record = program_record(synfault, "w/r.json");

	cr_expect_eq(record->n_attempts, 3);
	record_free(record);
	left_nothing(synfault);
}

Test(inject, daemon_prints_one_json_object_per_line)
{
	AUTO_PROGRAM struct program *synfault = program_for(REFUSED);

	program_needs(synfault, "python3");
	program_writes(synfault, "look.py",
		       "import json\n"
		       "lines = [json.loads(line) for line in open('one.out')]\n"
		       "print(lines[0]['event'], lines[0]['endpoints']['api'][0])\n"
		       "print([(l['kind'], l['endpoint'], l['number']) for l in lines[1:-1]])\n"
		       "print(lines[-1]['event'], lines[-1]['outcome'])\n");
	runs(synfault, "start one --format json a.yaml\n"
		       "synfault-tiny $(sed -n 's/.*\"api\":\\[\"\\([0-9.:]*\\).*/\\1/p' one.out)\n"
		       "ctl one stop; wait $pid; python3 look.py\n");
	program_printed(synfault, "armed 127.");
	program_printed(synfault, "('syn', 'api', 1), ('verdict', 'api', 1)");
	program_printed(synfault, "result fail");
	left_nothing(synfault);
}

Test(inject, another_daemon_can_start_once_stop_is_answered)
{
	AUTO_PROGRAM struct program *synfault = program_for(PLAIN);

	/* What the first one still does comes later. */
	runs(synfault, "start one a.yaml; first=$pid; kill -STOP $first\n"
		       "ctl one stop >/dev/null; echo stopped $?\n"
		       "start one a.yaml; kill -CONT $first; ends first $first\n"
		       "ctl one status; ctl one stop || kill $pid; ends second $pid\n");
	program_printed(synfault, "stopped 0\nfirst ended with 0\n");
	program_printed(synfault, "armed: a.yaml: plain (1 of 1)");
	program_printed(synfault, "second ended with 0\n");
	left_nothing(synfault);
}

/* ---- killed daemons ---- */

Test(inject, killed_daemon_leaves_nothing_behind)
{
	AUTO_PROGRAM struct program *synfault = program_for(REFUSED);

	runs(synfault, "start one a.yaml; kill -9 $(pgrep -P $pid); ends session $pid\n"
		       "start two a.yaml; session=$(pgrep -P $pid); kill -9 $pid; wait $pid\n"
		       "while kill -0 $session 2>/dev/null; do sleep 0.02; done\n"
		       "cat one.err; ls *.sock\n");
	program_printed(synfault, "session ended with 3\n");
	program_printed(synfault, "was killed by signal 9");
	program_did_not_print(synfault, "one.sock");
	program_did_not_print(synfault, "two.sock");
	left_nothing(synfault);
}

Test(inject, next_daemon_removes_the_remains_of_killed_ones)
{
	AUTO_PROGRAM struct program *synfault = program_for(REFUSED);

	runs(synfault, "start one a.yaml; destroy $pid\n"
		       "start one a.yaml; ctl one stop; ends again $pid\n");
	program_printed(synfault, "again ended with 3\n");
	left_nothing(synfault);
}

Test(inject, daemons_and_a_run_side_by_side_do_not_interfere)
{
	AUTO_PROGRAM struct program *synfault = program_for(HELD NEXT PLAIN);

	program_writes(synfault, "run.yaml",
		       "name: runs beside\n"
		       "endpoints: {api: {faults: [refuse x2, accept]}}\n"
		       "client: {command: [synfault-tiny, --tries, '3', '${api}']}\n"
		       "expect: {exit: 0, attempts: 3}\n");
	runs(synfault, "start one a.yaml; one=$pid; start two a.yaml plain; two=$pid\n"
		       "synfault-tiny $(address one) & client=$!; sleep 0.2\n"
		       "destroy $two\n"
		       "synfault run --isolation shared run.yaml; echo run $?\n"
		       "wait $client; echo client $?; ctl one stop; ends one $one\n");
	program_printed(synfault, "run 0\n");
	program_printed(synfault, "client 0\n");
	program_printed(synfault, "pass: held\n");
	program_printed(synfault, "one ended with 0\n");
	left_nothing(synfault);
}

/* ---- namespaces and service managers ---- */

Test(inject, daemon_joins_the_network_namespace_of_a_process_or_file)
{
	AUTO_PROGRAM struct program *synfault = program_for(REFUSED);

	program_needs(synfault, "unshare nsenter ip");
	runs(synfault,
	     "unshare -n sh -c 'ip link set lo up; touch up; exec sleep 1000' & there=$!\n"
	     "while [ ! -e up ]; do sleep 0.02; done\n"
	     "start one --netns $there a.yaml\n"
	     "nsenter -n -t $there synfault-tiny $(address one); echo there $?\n"
	     "ctl one stop; ends one $pid\n"
	     "start two --netns /proc/$there/ns/net a.yaml\n"
	     "nsenter -n -t $there synfault-tiny $(address two); echo again $?\n"
	     "ctl two stop; ends two $pid; kill $there\n"
	     "for which in 999999999 a.yaml nowhere; do\n"
	     "  synfault inject --netns $which a.yaml; echo wrong $?; done\n");
	program_printed(synfault, "there 1\n");
	program_printed(synfault, "again 1\n");
	program_printed(synfault, "wrong 3\nwrong 3\nwrong 3\n");
	program_complained(synfault, "--netns: there is no process 999999999");
	program_complained(synfault, "--netns: a.yaml is not a network namespace");
	program_complained(synfault, "--netns: there is no file nowhere");
	left_nothing(synfault);
}

Test(inject, daemon_notifies_the_service_manager)
{
	AUTO_PROGRAM struct program *synfault = program_for(PLAIN);

	program_needs(synfault, "python3");
	program_writes(synfault, "manager.py",
		       "import os, signal, socket, subprocess\n"
		       "for name in ['notify', '\\0manager']:\n"
		       "    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
		       "    s.settimeout(60); s.bind(name)\n"
		       "    seen = os.path.abspath(name) if name[0] != '\\0' else '@manager'\n"
		       "    p = subprocess.Popen(['synfault', 'inject', '--control', 'm.sock', "
		       "'a.yaml'], env=dict(os.environ, NOTIFY_SOCKET=seen), stdout=-3)\n"
		       "    print(s.recv(100).decode(), flush=True)\n"
		       "    p.send_signal(signal.SIGTERM); print(s.recv(100).decode())\n"
		       "    print('ended', p.wait(60), flush=True)\n");
	runs(synfault, "python3 manager.py");
	program_printed(synfault, "READY=1\nSTOPPING=1\nended 0\nREADY=1\nSTOPPING=1\nended 0\n");
	left_nothing(synfault);
}

Test(inject, ctl_reaches_a_daemon_over_tcp)
{
	AUTO_PROGRAM struct program *synfault = program_for(PLAIN);

	runs(synfault,
	     "SYNFAULT_TOKEN=short synfault inject --listen 0 a.yaml 2>/dev/null; echo usage $?\n"
	     "export SYNFAULT_TOKEN=0123456789abcdef\n"
	     "synfault inject --listen 0 --control c.sock a.yaml 2>err >/dev/null & one=$!\n"
	     "until [ $(wc -l <err) -gt 0 ]; do sleep 0.05; done\n"
	     "export SYNFAULT_CONTROL=$(sed -n 's/.*\\(tcp:.*\\)/\\1/p' err)\n"
	     "until synfault ctl status | grep -q ^armed; do sleep 0.05; done\n"
	     "SYNFAULT_TOKEN= synfault ctl stop 2>&1\n"
	     "SYNFAULT_TOKEN=0 synfault ctl stop 2>&1\n"
	     "synfault ctl stop; wait $one; rm err\n");
	program_printed(synfault, "usage 4\n");
	program_printed(synfault, "synfault ctl: SYNFAULT_TOKEN is not set or empty; ");
	program_printed(synfault, "synfault ctl: the token is wrong\n");
	program_printed(synfault, "skip: plain");
	left_nothing(synfault);
}

Test(inject, ctl_finds_the_only_daemon_and_lists_several)
{
	AUTO_PROGRAM struct program *synfault = program_for(PLAIN);

	program_needs(synfault, "unshare mount");
	/* Daemons of other tests listen in /run, too. */
	runs(synfault, "[ \"$INNER\" ] || INNER=1 exec unshare -m sh script\n"
		       "mount -t tmpfs tmpfs /run\n"
		       "export XDG_RUNTIME_DIR=$PWD TMPDIR=$PWD\n"
		       "synfault ctl status; echo none $?\n"
		       "one() { mkfifo f$1; synfault inject --ready-fd 3 a.yaml 3>f$1 >/dev/null & "
		       "read line <f$1; }\n"
		       "one 1; first=$!; synfault ctl status; one 2; second=$!\n"
		       "synfault ctl status; echo several $?\n"
		       "synfault ctl stop --control synfault/$first.sock; wait $first\n"
		       "destroy $second\n"
		       "synfault ctl status; echo dead $?\n"
		       "ls synfault; one 3; synfault ctl stop; wait\n");
	program_printed(synfault, "none 3\n");
	program_printed(synfault, "armed: a.yaml: plain (1 of 1)");
	program_printed(synfault, "several 4\n");
	program_printed(synfault, "dead 3\n");
	program_complained(synfault, "no synfault inject or exec is running (looked in ");
	program_complained(synfault, "several are running; say which:\n");
	program_complained(synfault, "a.yaml: plain\n");
	left_nothing(synfault);
}

/* ---- hostile peers ---- */

#define HOSTILE                                                                                    \
	"import json, os, resource, socket, time\n"                                                \
	"resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))\n"                               \
	"def peer():\n"                                                                            \
	"    s = socket.socket(socket.AF_UNIX); s.connect('one.sock'); s.settimeout(60)\n"         \
	"    return s\n"                                                                           \
	"def line(s):\n"                                                                           \
	"    data = b''\n"                                                                         \
	"    while not data.endswith(b'\\n'):\n"                                                   \
	"        part = s.recv(1 << 16)\n"                                                         \
	"        if not part: break\n"                                                             \
	"        data += part\n"                                                                   \
	"    return data.decode()\n"                                                               \
	"def ask(text):\n"                                                                         \
	"    s = peer(); s.sendall(text); return json.loads(line(s))\n"                            \
	"for text in [b'{', b'[]', b'{}', b'3', b'\\xff\\xfe', b'\"x\"', b'{\"command\": 3}',\n"   \
	"             b'{\"command\": \"dance\"}', b'{\"command\": \"status\", \"x\": 1}',\n"      \
	"             b'{\"command\": \"status\", \"id\": {}}', b'[' * 5000,\n"                    \
	"             b'{\"command\": \"stop\", \"scenario\": \"x\"}',\n"                          \
	"             b'{\"command\": \"status\", \"command\": \"stop\"}', b'\\0\\0']:\n"          \
	"    reply = ask(text + b'\\n'); assert reply['ok'] is False, (text, reply)\n"             \
	"    print(reply['error']['text'])\n"                                                      \
	"s = peer()\n"                                                                             \
	"try:\n"                                                                                   \
	"    s.sendall(b'x' * (1 << 22))\n"                                                        \
	"except OSError: pass\n"                                                                   \
	"try: print(line(s))\n"                                                                    \
	"except OSError: print('the request is too long')\n"                                       \
	"half = peer(); half.shutdown(socket.SHUT_WR)\n"                                           \
	"s = peer(); s.sendall(b'{\"command\": \"status\", \"id\": 7}'); s.shutdown(1)\n"          \
	"deaf = peer(); deaf.setblocking(False)\n"                                                 \
	"try:\n"                                                                                   \
	"    while True: deaf.send(b'{\"command\": \"status\"}\\n' * 100)\n"                       \
	"except OSError: pass\n"                                                                   \
	"many = []\n"                                                                              \
	"for i in range(200):\n"                                                                   \
	"    try: many.append(peer())\n"                                                           \
	"    except OSError: pass\n"                                                               \
	"print(line(many[-1]))\n"                                                                  \
	"for s in many: s.close()\n"                                                               \
	"def admitted():\n"                                                                        \
	"    while True: # until it has noticed that they left\n"                                  \
	"        s = peer(); f = s.makefile()\n"                                                   \
	"        try:\n"                                                                           \
	"            s.sendall(b'{\"command\":\"status\",\"id\":1}\\n')\n"                         \
	"            reply = json.loads(f.readline())\n"                                           \
	"            if reply['ok']: return s, f, reply\n"                                         \
	"        except (OSError, ValueError): pass\n"                                             \
	"        time.sleep(0.05)\n"                                                               \
	"s, f, reply = admitted()\n"                                                               \
	"s.sendall(b'{\"command\":\"reset\",\"id\":\"two\"}\\n')\n"                                \
	"print([reply['id'], json.loads(f.readline())['id']])\n"                                   \
	"s.sendall(b'{\"command\": \"stop\"}\\n'); s.close()\n"

Test(inject, peers_can_not_block_or_crash_the_daemon)
{
	AUTO_PROGRAM struct program *synfault = program_for(REFUSED);

	program_needs(synfault, "python3");
	program_writes(synfault, "hostile.py", "%s", HOSTILE);
	runs(synfault, "start one a.yaml; python3 hostile.py; ends one $pid; cat one.err\n");
	program_printed(synfault, "a request is an object\n");
	program_printed(synfault,
			"\"command\" is missing; commands are hello, status, next, reset, "
			"restart and stop\n");
	program_printed(synfault, "unknown command \"dance\"");
	program_printed(synfault, "\"x\" is not a known key\n");
	program_printed(synfault, "\"scenario\" is not a known key\n");
	program_printed(synfault, "the request is too long");
	program_printed(synfault, "too many connections");
	program_printed(synfault, "[1, 'two']\n");
	program_printed(synfault, "one ended with 3\n");
	left_nothing(synfault);
}

Test(inject, another_user_can_not_send_commands)
{
	AUTO_PROGRAM struct program *synfault = program_for(PLAIN);

	program_needs(synfault, "setpriv");
	runs(synfault,
	     "chmod 755 .; start one a.yaml\n"
	     "unprivileged() { setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"; }\n"
	     "unprivileged synfault ctl --control one.sock stop; echo closed $?\n"
	     "chmod 666 one.sock; unprivileged synfault ctl --control one.sock stop\n"
	     "echo open $?; ctl one stop; ends one $pid\n");
	program_printed(synfault, "closed 3\nopen 3\n");
	program_complained(synfault, "no permission: only the user who runs it, and root");
	program_complained(synfault,
			   "only the user who runs synfault, and root, may send commands");
	program_printed(synfault, "one ended with 0\n");
	left_nothing(synfault);
}

/* ---- usage errors ---- */

Test(inject, wrong_usage_of_inject_and_ctl_is_reported)
{
	static const struct {
		const char *arguments;
		int status;
		const char *complaint;
	} cases[] = {
		{"inject", STATUS_USAGE,
		 "a scenario file, fault steps, or -e NAME=STEPS is needed"},
		{"inject refuze", STATUS_USAGE, "step \"refuze\": unknown step"},
		{"inject -e refuse", STATUS_USAGE,
		 "--endpoint \"refuse\": a name and steps are expected"},
		{"inject -e api=refuze", STATUS_USAGE,
		 "--endpoint \"api=refuze\": step \"refuze\": unknown step \"refuze\"; did you "
		 "mean "
		 "\"refuse\"?\n"},
		{"inject -e api=drop a.yaml", STATUS_USAGE, "-e goes without a file"},
		{"inject drop accept", STATUS_USAGE, "steps are one argument"},
		{"inject --port 80 a.yaml", STATUS_USAGE, "--port goes without a file"},
		{"inject a.yaml x y", STATUS_USAGE, "one scenario file is needed"},
		{"inject a.yaml -- curl", STATUS_USAGE, "takes no client command"},
		{"inject none.yaml", STATUS_USAGE, "can't be read"},
		{"inject bad.yaml", STATUS_USAGE, "unknown key \"faluts\""},
		{"inject a.yaml nonsense", STATUS_USAGE, "there is no scenario \"nonsense\""},
		{"inject --filter 'x*' a.yaml", STATUS_NOTHING_RAN,
		 "no scenario has a name that matches"},
		{"inject --ready-fd 77 a.yaml", STATUS_USAGE,
		 "--ready-fd \"77\": that descriptor is not open"},
		{"inject --format yaml a.yaml", STATUS_USAGE, "text or json is expected"},
		{"inject --control a.yaml a.yaml", STATUS_UNJUDGED, "or it is not a socket"},
		{"inject --control none/x a.yaml", STATUS_UNJUDGED, "No such file or directory"},
		{"inject --junit a.yaml/x a.yaml", STATUS_UNJUDGED, "a.yaml"},
		{"inject named.yaml", STATUS_UNJUDGED, "the hostname of endpoint api"},
		{"inject virtual.yaml", STATUS_UNJUDGED, "time: virtual is impossible"},
		{"ctl", STATUS_USAGE, "one command is needed"},
		{"ctl dance", STATUS_USAGE, "unknown command \"dance\""},
		{"ctl stop now", STATUS_USAGE, "stop takes no argument"},
		{"ctl --control none.sock status", STATUS_UNJUDGED, "no such socket"},
	};
	AUTO_PROGRAM struct program *synfault = program_for(PLAIN);

	program_writes(synfault, "virtual.yaml",
		       "name: x\ntime: virtual\nendpoints: {api: {faults: [drop]}}\n");
	program_writes(synfault, "bad.yaml", "name: x\nendpoints: {api: {faluts: [refuse]}}\n");
	program_writes(synfault, "named.yaml",
		       "name: x\nendpoints: {api: {hostname: api.example.test}}\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "%s", cases[i].arguments);
		program_exited(synfault, cases[i].status);
		program_complained(synfault, cases[i].complaint);
		left_nothing(synfault);
	}
}

Test(inject, only_inject_accepts_scenarios_without_a_client)
{
	AUTO_PROGRAM struct program *synfault = program_for(PLAIN);

	program_runs(synfault, "inject --check a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "1 scenario, all fine\n");
	program_runs(synfault, "check a.yaml");
	program_exited(synfault, STATUS_USAGE);
	program_complained(synfault, "a scenario needs the key \"client\"");
}
