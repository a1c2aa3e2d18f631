/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where clients run: what they see of the machine, what they can't do to it, and which privileges
 * all this needs.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "tests/lib/junit_reader.h"
#include "tests/lib/netns.h"

#define NEXT  "---\n"
#define QUIET "endpoints: {api: {}}\n"

/* Runs a.yaml, in which every scenario has to pass, and returns what the client of @name wrote. */
static char *client_output(struct program *synfault, const char *name)
{
	const struct junit_case *found;
	const char *start;

	program_runs(synfault, "run --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_left_nothing_but(synfault, "junit.xml");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	found = junit_case(junit, name);
	start = strstr(found->out, "---- client stdout");
	cr_assert(start, "the client wrote nothing: %s", found->out);
	return xstrdup(strchr(start, '\n') + 1);
}

/* ---- privileges ---- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

/* Becomes an ordinary user, in a user namespace below which no other can be made. */
static void forbid_user_namespaces(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		abort();
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "65534 0 1");
	write_file("/proc/self/gid_map", "65534 0 1");
	write_file("/proc/sys/user/max_user_namespaces", "0");
}

/* Forbids namespaces of its own, and rules in the given ones. */
static void forbid_administration(void)
{
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) < 0 ||
	    prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN, 0, 0, 0) < 0)
		abort();
}

static void write_simple(const struct program *synfault)
{
	program_writes(synfault, "a.yaml",
		       "name: simple\n"
		       "endpoints: {api: {faults: [refuse, accept]}}\n"
		       "client: {command: [synfault-tiny, --tries, '2', '${api}']}\n"
		       "expect: {exit: 0, attempts: 2}\n" NEXT "name: another\n" QUIET
		       "client: {command: ['true']}\n"
		       "expect: {attempts: 0, exit: 0}\n");
}

/* Checks that nothing ran, that the reason is given, and that commands without privileges work. */
static void nothing_ran(struct program *synfault, const char *missing)
{
	program_runs(synfault, "run --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_NOTHING_RAN);
	program_concluded(synfault, "0 passed, 0 failed, 2 skipped");
	program_printed(synfault, missing);
	program_left_nothing_but(synfault, "junit.xml");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "simple", OUTCOME_SKIP, NULL, missing);
	junit_says(junit, "another", OUTCOME_SKIP, NULL, missing);
	program_runs(synfault, "check a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_runs(synfault, "list a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "simple");
}

Test(privileges, privileges_that_an_ordinary_user_lacks_are_named)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	write_simple(synfault);
	synfault->prepare = forbid_user_namespaces;
	nothing_ran(synfault, "user.max_user_namespaces");
}

Test(privileges, privileges_that_root_lacks_are_named)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	write_simple(synfault);
	synfault->prepare = forbid_administration;
	nothing_ran(synfault, "CAP_NET_ADMIN");
}

/* With no process to spare nothing is known of the machine: do not skip. */
Test(privileges, shortage_of_processes_is_an_error_and_not_a_missing_privilege)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	synfault->uid = PROGRAM_NOBODY;
	write_simple(synfault);
	/* dash and bash differ in the option's name. A sanitizer's search for leaks needs a
	 * process. */
	program_runs_shell(synfault, "ulimit -p 1 2>/dev/null || ulimit -u 1; "
				     "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 exec synfault run "
				     "a.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	program_printed(synfault, "what can run here could not be found out: Resource temporarily "
				  "unavailable");
}

static const char ordinary[] =
	"name: as always\n"
	"endpoints:\n"
	"  api: {hostname: api.example.test, families: [ipv6, ipv4], faults: [refuse, accept]}\n"
	"client:\n"
	"  command: [sh, '${tmp}/client.sh']\n"
	"  files:\n"
	"    client.sh: |\n"
	"      echo uid $(id -ru) $(id -u), gid $(id -rg) $(id -g), home $HOME.\n"
	"      synfault-tiny [${api.ipv6}]:${api.port}; echo ipv6 $?\n"
	"      synfault-tiny ${api.ipv4}:${api.port}; echo ipv4 $?\n"
	"      getent ahosts ${api.host} | awk '$2 == \"STREAM\" {print $1}'\n"
	"expect: {exit: 0, attempts: 2}\n";

Test(privileges, privileges_of_an_ordinary_user_are_enough)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE char *output = NULL;

	program_needs_root(synfault);
	synfault->uid = PROGRAM_NOBODY;
	program_writes(synfault, "a.yaml", "%s", ordinary);
	output = client_output(synfault, "as always");
	cr_assert_str_eq(output,
			 "uid 65534 65534, gid 65534 65534, home .\n"
			 "ipv6 1\n"
			 "ipv4 0\n"
			 "2001:db8::a\n"
			 "198.18.0.10\n",
			 "%s", output);
}

Test(privileges, privileges_of_an_ordinary_user_are_enough_for_many_scenarios_with_servers)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	synfault->uid = PROGRAM_NOBODY;
	program_writes(synfault, "a.yaml",
		       "name: ${matrix.fault}, ${matrix.family}\n"
		       "matrix:\n"
		       "  fault: [refuse, 'delay 50ms then refuse', 'delay 20ms']\n"
		       "  family: [ipv4, ipv6]\n"
		       "endpoints:\n"
		       "  api:\n"
		       "    families: ['${matrix.family}']\n"
		       "    serve:\n"
		       "      command: [python3, -m, http.server, --bind, '${api.host}', "
		       "'${api.port}']\n"
		       "      ready: 20s\n"
		       "    faults: ['${matrix.fault}', accept]\n"
		       "client: {command: [synfault-tiny, --tries, '2', '${api}']}\n"
		       "expect: {exit: 0, attempts: 1..2}\n");
	program_runs(synfault, "run a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "6 passed, 0 failed, 0 skipped");
	program_left_nothing(synfault);
}

/* The value in a line "NAME:\tHEX" of /proc/PID/status. */
static unsigned long long status_mask(const char *text, const char *name)
{
	AUTO_FREE char *label = xasprintf("%s:", name);
	const char *found = strstr(text, label);

	cr_assert(found, "no %s in: %s", name, text);
	return strtoull(found + strlen(label), NULL, 16);
}

static void client_is_harmless(struct program *synfault)
{
	static const int dangerous[] = {
		CAP_NET_ADMIN,  CAP_NET_RAW,   CAP_SYS_ADMIN, CAP_SYS_PTRACE,
		CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_BOOT,  CAP_SYS_TIME,
		CAP_MAC_ADMIN,  CAP_BPF,       CAP_PERFMON,
	};
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
	AUTO_FREE char *output = NULL;

	program_writes(synfault, "a.yaml",
		       "name: harmless\n"
		       "endpoints: {api: {faults: [refuse, accept]}}\n"
		       "client:\n"
		       "  command: [sh, '${tmp}/client.sh']\n"
		       "  files:\n"
		       "    client.sh: |\n"
		       "      synfault-tiny ${api} && exit 1\n"
		       "      cat /proc/self/status\n"
		       "      ip link set lo down 2>/dev/null && echo DONE: link\n"
		       "      ip addr add 10.9.9.9/32 dev lo 2>/dev/null && echo DONE: address\n"
		       "      nft flush ruleset 2>/dev/null && echo DONE: rules\n"
		       "      unshare -n true 2>/dev/null && echo DONE: network namespace\n"
		       "      mount -t tmpfs x /mnt 2>/dev/null && echo DONE: mount\n"
		       "      nsenter -t 1 -n true 2>/dev/null && echo DONE: enter the network\n"
		       "      readlink /proc/1/fd/* 2>/dev/null && echo DONE: descriptors\n"
		       "      cat /proc/1/environ 2>/dev/null && echo DONE: environment\n"
		       "      exec synfault-tiny ${api}\n"
		       "expect: {exit: 0, attempts: 2}\n");
	output = client_output(synfault, "harmless");
	for (size_t s = 0; s < ARRAY_SIZE(sets); s++)
		for (size_t i = 0; i < ARRAY_SIZE(dangerous); i++)
			cr_expect_eq(status_mask(output, sets[s]) >> dangerous[i] & 1, 0,
				     "capability %d is in %s", dangerous[i], sets[s]);
	cr_assert(!strstr(output, "DONE"), "%s", output);
	cr_expect_eq(status_mask(output, "SigIgn"), 0);
	cr_expect_eq(status_mask(output, "SigBlk"), 0);
}

Test(client, client_of_root_has_no_power_over_its_sandbox)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "ip nft unshare nsenter");
	client_is_harmless(synfault);
}

Test(client, client_of_an_ordinary_user_has_no_power_over_its_sandbox)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	program_needs(synfault, "ip nft unshare nsenter");
	synfault->uid = PROGRAM_NOBODY;
	client_is_harmless(synfault);
}

/* ---- what a client gets from synfault ---- */

#define LIST_DESCRIPTORS                                                                           \
	"import os\\n"                                                                             \
	"for fd in range(1024):\\n"                                                                \
	"  try: os.fstat(fd); print('descriptor', fd, flush=True)\\n"                              \
	"  except OSError: pass"

Test(client, client_has_only_three_descriptors)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "name: descriptors\n"
		       "endpoints:\n"
		       "  api: {serve: {command: [python3, -c, \"" LIST_DESCRIPTORS
		       "\\nimport http.server, sys; http.server.test(port=int(sys.argv[1]))\", "
		       "'${api.port}'], ready: 20s}}\n"
		       "client:\n"
		       "  command: [python3, -c, \"" LIST_DESCRIPTORS "\"]\n"
		       "expect:\n"
		       "  attempts: 0\n"
		       "  exit: 0\n"
		       "  stdout: {matches: '\\Adescriptor 0\\ndescriptor 1\\ndescriptor "
		       "2\\n\\z'}\n");
	program_runs_shell(synfault, "exec 7</etc/passwd 9>>a.yaml; "
				     "exec synfault run --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_PASSED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	const char *server = strstr(junit_case(junit, "descriptors")->out, "---- api.stdout");

	cr_assert_not_null(server);
	cr_assert(strstr(server, "\ndescriptor 0\ndescriptor 1\ndescriptor 2\n"), "%s", server);
	cr_assert_not(strstr(server, "\ndescriptor 2\ndescriptor"), "%s", server);
}

Test(client, client_gets_the_documented_variables_and_its_own)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE char *output = NULL, *expected = NULL;

	program_writes(synfault, "a.yaml",
		       "name: variables\n"
		       "endpoints:\n"
		       "  api: {families: [ipv6, ipv4], port: 1234}\n"
		       "  the-other_1: {hostname: other.example.test}\n"
		       "client:\n"
		       "  command: [sh, -c, 'env | grep -E \"^(SYNFAULT|MINE|TMPDIR|LC_ALL)\" | "
		       "grep -vE \"TIMING|LATE\" | sort']\n"
		       "  env: {MINE: 'at ${the-other_1} $${x}', LC_ALL: C}\n"
		       "expect: {attempts: 0, exit: 0}\n");
	output = client_output(synfault, "variables");
	expected = xasprintf("LC_ALL=C\n"
			     "MINE=at other.example.test:8080 ${x}\n"
			     "SYNFAULT_API=[::1]:1234\n"
			     "SYNFAULT_API_HOST=::1\n"
			     "SYNFAULT_API_IPV4=127.0.0.1\n"
			     "SYNFAULT_API_IPV6=::1\n"
			     "SYNFAULT_API_PORT=1234\n"
			     "SYNFAULT_DIR=%s\n"
			     "SYNFAULT_INSTANCE=1\n"
			     "SYNFAULT_THE_OTHER_1=other.example.test:8080\n"
			     "SYNFAULT_THE_OTHER_1_HOST=other.example.test\n"
			     "SYNFAULT_THE_OTHER_1_IPV4=198.18.0.11\n"
			     "SYNFAULT_THE_OTHER_1_PORT=8080\n"
			     "SYNFAULT_TMP=/dev/shm/scenario\n"
			     "TMPDIR=/dev/shm/scenario\n",
			     synfault->work);
	cr_assert_str_eq(output, expected);
}

Test(client, client_gets_its_files_and_directory_and_leaves_none)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE char *directory = xasprintf("%s/sub", synfault->work);
	AUTO_FREE char *output = NULL, *expected = NULL;

	cr_assert_eq(mkdir(directory, 0777), 0);
	program_writes(synfault, "sub/here.txt", "found\n");
	program_writes(synfault, "a.yaml",
		       "name: files\n"
		       "endpoints: {api: {port: 1234}}\n"
		       "client:\n"
		       "  command: ['${tmp}/deep/run']\n"
		       "  cwd: sub\n"
		       "  files:\n"
		       "    plain: \"server=${api}\\nlast line\\n\"\n"
		       "    deep/run:\n"
		       "      executable: true\n"
		       "      content: |\n"
		       "        #!/bin/sh\n"
		       "        pwd; cat here.txt \"$SYNFAULT_TMP/plain\"\n"
		       "        touch ${tmp}/left $TMPDIR/behind /dev/shm/also; mktemp >/dev/null\n"
		       "expect: {attempts: 0, exit: 0}\n");
	output = client_output(synfault, "files");
	expected = xasprintf("%s\nfound\nserver=127.0.0.1:1234\nlast line\n", directory);
	cr_assert_str_eq(output, expected);
}

Test(client, client_has_the_users_limit_of_open_files)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(
		synfault, "a.yaml",
		"name: limit\n" QUIET "client: {command: [sh, -c, 'ulimit -Sn; umask']}\n"
		"expect: {attempts: 0, exit: 0, stdout: {matches: '\\A256\\n0037\\n\\z'}}\n");
	program_runs_shell(synfault, "ulimit -Sn 256; umask 0037; exec synfault run a.yaml");
	program_exited(synfault, STATUS_PASSED);
}

/* ---- isolation ---- */

Test(isolation, sandbox_hides_the_processes_of_others)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(
		synfault, "a.yaml",
		"name: ${matrix.n}\n"
		"matrix: {n: [1, 2, 3, 4]}\n" QUIET "client:\n"
		"  command: [python3, -c, \"import os, time; time.sleep(0.3); "
		"print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))\"]\n"
		"expect: {attempts: 0, exit: 0, stdout: {matches: '\\A\\[1, \\d+\\]\\n\\z'}}\n");
	program_runs(synfault, "run -j 4 a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "4 passed, 0 failed, 0 skipped");
}

/*
 * A client that looks at its supervisor, which goes on while the client starts, as does its thread
 * without capabilities.
 */
static void supervisor_is_confined(const char *options, const char *pid, const char *capabilities)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "name: confined\n" QUIET "client:\n"
		       "  command: [sh, '${tmp}/client.sh']\n"
		       "  files:\n"
		       "    client.sh: |\n"
		       "      until grep -q '^Seccomp:.*2' /proc/%s/status &&\n"
		       "            grep -q '^CapPrm:.*%s' /proc/%s/status &&\n"
		       "            grep -q '^CapPrm:.0000000000000000' /proc/%s/task/*/status\n"
		       "      do sleep 0.02; done\n"
		       "      grep -hE '^(NoNewPrivs|CapEff|CapPrm):' /proc/%s/status\n"
		       "      grep -hE '^(Seccomp|CapPrm):' /proc/%s/task/*/status | sort | uniq\n"
		       "timeout: 20s\n"
		       "expect:\n"
		       "  attempts: 0\n"
		       "  stdout:\n"
		       "    matches: '\\ACapPrm:\\t%s\\nCapEff:\\t%s\\nNoNewPrivs:\\t1\\n"
		       "CapPrm:\\t0{16}\\nCapPrm:\\t%s\\nSeccomp:\\t2\\n\\z'\n",
		       pid, capabilities, pid, pid, pid, pid, capabilities, capabilities,
		       capabilities);
	program_runs(synfault, "run %s a.yaml", options);
	program_exited(synfault, STATUS_PASSED);
}

Test(isolation, supervisor_is_confined_once_the_client_runs)
{
	/* DAC_READ_SEARCH, KILL, NET_ADMIN and SYS_PTRACE */
	supervisor_is_confined("", "1", "0000000000081024");
}

Test(isolation, supervisor_of_a_shared_sandbox_is_confined_too)
{
	/* and DAC_OVERRIDE and FOWNER, to remove the client's directory */
	supervisor_is_confined("--isolation shared", "$PPID", "000000000008102e");
}

Test(isolation, sandbox_protects_the_machines_devices)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	struct stat before, after;

	program_writes(synfault, "/dev/shm/witness", "%s", "");
	cr_assert_eq(stat("/dev/null", &before), 0);
	/* The witness is a file on our /dev. A client that sees it must not be let loose on it. */
	program_writes(
		synfault, "a.yaml",
		"name: damage\n" QUIET "client:\n"
		"  command: [sh, '${tmp}/client.sh']\n"
		"  files:\n"
		"    client.sh: |\n"
		"      test -e /dev/shm/witness && exit 9\n"
		"      test -c /dev/null && test -c /dev/zero && test -c /dev/urandom || exit "
		"8\n"
		"      echo x >/dev/null && head -c 4 /dev/zero >/dev/null || exit 7\n"
		"      rm -f /dev/null /dev/zero\n"
		"      mv /dev/urandom /dev/elsewhere\n"
		"      echo text >/dev/null\n"
		"      exit 0\n"
		"expect: {attempts: 0, exit: 0}\n");
	program_runs(synfault, "run a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_left_nothing(synfault);
	cr_assert_eq(stat("/dev/null", &after), 0);
	cr_assert(S_ISCHR(after.st_mode) && before.st_ino == after.st_ino);
	cr_assert_eq(access("/dev/zero", R_OK), 0);
	cr_assert_eq(access("/dev/urandom", R_OK), 0);
}

Test(isolation, sandbox_resolves_names_in_the_order_of_the_families)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(
		synfault, "a.yaml",
		"defaults:\n"
		"  client:\n"
		"    command:\n"
		"      - sh\n"
		"      - -c\n"
		"      - getent ahosts ${api.host} | awk '$2 == \"STREAM\" {print $1}'\n" NEXT
		"name: IPv6 first\n"
		"endpoints: {api: {hostname: a.example.test, families: [ipv6, ipv4]}}\n"
		"expect: {attempts: 0, exit: 0, stdout: {matches: "
		"'\\A2001:db8::a\\n198.18.0.10\\n\\z'}}\n" NEXT "name: IPv4 first\n"
		"endpoints: {api: {hostname: a.example.test, families: [ipv4, ipv6]}}\n"
		"expect: {attempts: 0, exit: 0, stdout: {matches: "
		"'\\A198.18.0.10\\n2001:db8::a\\n\\z'}}\n" NEXT "name: IPv6 alone\n"
		"endpoints: {api: {hostname: a.example.test, families: [ipv6]}}\n"
		"expect: {attempts: 0, exit: 0, stdout: {matches: '\\A2001:db8::a\\n\\z'}}\n");
	program_runs(synfault, "run a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "3 passed, 0 failed, 0 skipped");
}

Test(isolation, sandbox_looks_like_a_host_with_both_families)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "name: both\n"
		       "endpoints: {api: {hostname: a.example.test, families: [ipv6, ipv4]}}\n"
		       "client:\n"
		       "  command:\n"
		       "    - python3\n"
		       "    - -c\n"
		       "    - |\n"
		       "      import socket\n"
		       "      for entry in socket.getaddrinfo('a.example.test', 80, "
		       "type=socket.SOCK_STREAM,\n"
		       "                                      flags=socket.AI_ADDRCONFIG):\n"
		       "          print(entry[4][0])\n"
		       "expect: {attempts: 0, exit: 0, stdout: {matches: "
		       "'\\A2001:db8::a\\n198.18.0.10\\n\\z'}}\n");
	program_runs(synfault, "run a.yaml");
	program_exited(synfault, STATUS_PASSED);
}

/* ---- settings ---- */

/* Changes settings that need no further module, as an administrator might have. */
static void change_settings(void)
{
	static const struct {
		const char *name, *value;
	} changes[] = {
		{"net/ipv4/tcp_syn_retries", "3"},
		{"net/ipv4/tcp_synack_retries", "4"},
		{"net/ipv4/tcp_keepalive_time", "77"},
		{"net/ipv4/tcp_fin_timeout", "33"},
		{"net/ipv4/tcp_timestamps", "0"},
		{"net/ipv4/tcp_sack", "0"},
		{"net/ipv4/tcp_wmem", "4096	20000	5000000"},
		{"net/ipv4/tcp_rmem", "4096	30000	6000000"},
		{"net/ipv4/tcp_retries2", "9"},
		{"net/ipv4/tcp_fastopen", "3"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		netns_sysctl(changes[i].name, changes[i].value);
	/* Linux 6.5 */
	if (access("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", F_OK) == 0)
		netns_sysctl("net/ipv4/tcp_syn_linear_timeouts", "2");
}

/* Prints all readable TCP settings as lines "NAME VALUE", except tcp_fastopen_key, a secret. */
#define PRINT_SETTINGS                                                                             \
	"cd /proc/sys/net/ipv4; for name in tcp_*; do "                                            \
	"[ $name = tcp_fastopen_key ] || echo $name $(cat $name 2>/dev/null); done"

static void settings_are_those_of_the_host(struct program *synfault)
{
	AUTO_FREE char *output = NULL, *host = NULL;

	change_settings();
	program_runs_shell(synfault, PRINT_SETTINGS);
	host = xstrdup(synfault->out);
	cr_assert(strstr(host, "tcp_syn_retries 3\n"), "%s", host);
	program_writes(synfault, "a.yaml",
		       "name: settings\n" QUIET "client: {command: [sh, -c, '" PRINT_SETTINGS
		       "']}\n"
		       "expect: {attempts: 0, exit: 0}\n");
	output = client_output(synfault, "settings");
	for (char *rest = host, *line; (line = strsep(&rest, "\n")) && *line;) {
		AUTO_FREE char *whole = xasprintf("%s\n", line);

		cr_expect(strstr(output, whole), "not in force in the sandbox: %s", line);
	}
	program_runs(synfault, "run --records records a.yaml");
	AUTO_RECORD struct record *record = program_record(synfault, "records/0001.json");

	cr_assert_eq(record->syn_retries, 3);
	if (strstr(host, "tcp_syn_linear_timeouts"))
		cr_assert_eq(record->syn_linear_timeouts, 2);
}

Test(settings, settings_of_the_host_are_in_force)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	settings_are_those_of_the_host(synfault);
}

Test(settings, settings_of_the_host_are_in_force_for_an_ordinary_user)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	synfault->uid = PROGRAM_NOBODY;
	settings_are_those_of_the_host(synfault);
}

/* Checks what a client that is root, or the owner of its network namespace, can try. */
static void settings_are_out_of_reach(struct program *synfault)
{
	AUTO_FREE char *output = NULL;

	netns_sysctl("net/ipv4/tcp_syn_retries", "3");
	program_writes(synfault, "a.yaml", "%s",
		       "name: settings\n" QUIET "client:\n"
		       "  command:\n"
		       "    - sh\n"
		       "    - -c\n"
		       "    - |\n"
		       "      set=/proc/sys/net/ipv4/tcp_syn_retries\n"
		       "      echo 1 2>/dev/null >$set\n"
		       "      unshare -Urm sh -c \"umount /proc/sys; echo 1 >$set\" 2>/dev/null\n"
		       "      unshare -Urmpf sh -c \"mount -t proc proc /proc; echo 1 >$set\" "
		       "2>/dev/null\n"
		       "      cat $set\n"
		       "expect: {attempts: 0, exit: 0}\n");
	output = client_output(synfault, "settings");
	cr_expect_eq(strncmp(output, "3\n", 2), 0, "%s", output);
}

Test(settings, settings_can_not_be_changed_by_a_client)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "unshare mount");
	settings_are_out_of_reach(synfault);
}

Test(settings, settings_can_not_be_changed_by_a_client_of_an_ordinary_user)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	program_needs(synfault, "unshare mount");
	synfault->uid = PROGRAM_NOBODY;
	settings_are_out_of_reach(synfault);
}

static void mount_read_only_sysctls(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		abort();
}

Test(settings, settings_are_in_force_where_those_of_the_machine_are_read_only)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE char *output = NULL;

	program_needs_root(synfault);
	netns_sysctl("net/ipv4/tcp_syn_retries", "3");
	program_writes(
		synfault, "a.yaml", "%s",
		"name: settings\n" QUIET "client: {command: [sh, -c, "
		"'cat /proc/sys/net/ipv4/tcp_syn_retries']}\nexpect: {attempts: 0, exit: 0}\n");
	synfault->prepare = mount_read_only_sysctls;
	output = client_output(synfault, "settings");
	cr_expect_eq(strncmp(output, "3\n", 2), 0, "%s", output);
	program_runs(synfault, "doctor");
	program_printed(synfault, "a private sandbox was built");
}

/* ---- the sandbox itself ---- */

/* Makes a root directory that is not a mount point, with everything below the given one. */
static void enter_plain_chroot(void)
{
	DIR *directory = opendir("/");

	if (!directory || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/mnt", "tmpfs", 0, NULL) < 0 || mkdir("/mnt/root", 0755) < 0)
		abort();
	for (struct dirent *entry; (entry = readdir(directory));) {
		char from[512], to[512], target[512] = "";

		snprintf(from, sizeof(from), "/%s", entry->d_name);
		snprintf(to, sizeof(to), "/mnt/root/%s", entry->d_name);
		if (entry->d_name[0] == '.')
			continue;
		if (readlink(from, target, sizeof(target) - 1) > 0)
			(void)!symlink(target, to);
		else if (mkdir(to, 0755) < 0 || mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
			rmdir(to);
	}
	closedir(directory);
	if (chroot("/mnt/root") < 0)
		abort();
}

Test(sandbox, output_says_shared_and_why_if_private_is_impossible)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	write_simple(synfault);
	program_runs(synfault, "run a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_did_not_print(synfault, "isolation");
	synfault->prepare = enter_plain_chroot;
	program_runs(synfault, "run a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, ", shared isolation (mounts of a sandbox can't be kept from the "
				  "machine");
	program_runs(synfault, "doctor");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault,
			"missing  isolation      shared; no private sandbox can be built");
	program_concluded(synfault,
			  "run works: scenarios share the network namespace that is given");
}

/* Clients must not collide, since programs put files into /tmp under their pids. */
Test(sandbox, clients_have_other_pids_than_their_neighbours)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE char *first = NULL, *second = NULL;

	program_writes(synfault, "a.yaml", "%s",
		       "name: first\n" QUIET "client: {command: [sh, -c, 'echo $$; sleep 0.2']}\n"
		       "expect: {attempts: 0, exit: 0}\n" NEXT "name: second\n" QUIET
		       "client: {command: [sh, -c, 'echo $$; sleep 0.2']}\nexpect: {attempts: 0, "
		       "exit: 0}\n");
	first = client_output(synfault, "first");
	second = client_output(synfault, "second");
	cr_expect_gt(abs(atoi(first) - atoi(second)), 16, "%s%s", first, second);
}

Test(sandbox, hosts_file_has_each_address_of_a_name_once)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "getent");
	program_writes(synfault, "a.yaml", "%s",
		       "name: names\n"
		       "endpoints:\n"
		       "  a: {port: 8099, addresses: ['::1', 127.0.0.1], hostname: d.test}\n"
		       "  b: {port: 8100, addresses: ['::1', 127.0.0.1], hostname: d.test}\n"
		       "  c: {port: 8101, hostname: e.test, families: [ipv4]}\n"
		       "client: {command: [sh, -c, 'getent ahostsv4 d.test | grep -c STREAM; "
		       "getent ahostsv6 d.test | grep -c STREAM; getent ahostsv4 e.test | grep -c "
		       "STREAM']}\n"
		       "expect: {attempts: 0, stdout: {matches: '\\A1\\n1\\n1\\n\\z'}}\n");
	program_runs(synfault, "run a.yaml");
	program_exited(synfault, STATUS_PASSED);
}

/* connect() to ${api}, then the name of its error and the value of a setting. */
#define CONNECTS                                                                                   \
	"client:\n"                                                                                \
	"  command:\n"                                                                             \
	"    - python3\n"                                                                          \
	"    - -c\n"                                                                               \
	"    - |\n"                                                                                \
	"      import errno, socket\n"                                                             \
	"      status = socket.socket().connect_ex(('${api.host}', ${api.port}))\n"                \
	"      print(errno.errorcode.get(status),\n"                                               \
	"            open('/proc/sys/net/ipv4/tcp_syn_retries').read())\n"

static void kernel_settings_are_in_force(struct program *synfault)
{
	struct record *record;

	program_writes(synfault, "a.yaml", "%s",
		       "name: gives up in seconds\n"
		       "kernel: {tcp_syn_retries: 1}\n"
		       "endpoints: {api: {faults: [drop]}}\n" CONNECTS
		       "expect: {attempts: 1, retransmissions: 1..3, duration: 1s..7s,\n"
		       "         stdout: {contains: [ETIMEDOUT 1]}}\n" NEXT "name: as on the host\n"
		       "endpoints: {api: {}}\n" CONNECTS
		       "expect: {exit: 0, stdout: {contains: None, not: None 1}}\n");
	program_runs(synfault, "run --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_left_nothing_but(synfault, "records");
	record = program_record(synfault, "records/0001.json");
	cr_expect_eq(record->syn_retries, 1, "the schedule follows from what was in force");
	record_free(record);
}

Test(settings, settings_of_a_scenario_are_in_force_for_it_alone)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "python3");
	kernel_settings_are_in_force(synfault);
}

Test(settings, settings_of_a_scenario_are_in_force_for_an_ordinary_user)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	program_needs(synfault, "python3");
	synfault->uid = PROGRAM_NOBODY;
	kernel_settings_are_in_force(synfault);
}

Test(settings, impossible_settings_are_an_error_or_a_reason_to_skip)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "name: settings\n"
		       "kernel: {tcp_syn_retries: 1, tcp_congestion_control: nonesuch}\n" QUIET
		       "client: {command: ['true']}\n"
		       "expect: {exit: 0}\n");
	program_runs(synfault, "run --isolation private a.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	program_printed(synfault, "the kernel setting in line 2, tcp_congestion_control, can't be "
				  "made: the kernel does not take this value");
	program_runs(synfault, "run --isolation shared a.yaml");
	program_exited(synfault, STATUS_NOTHING_RAN);
	program_printed(synfault, "the kernel setting tcp_syn_retries is not 1 here");
}

/* Other tests that nothing is left behind prove something only if every leftover is seen. */
Test(sandbox, leftovers_of_every_kind_are_shown)
{
	static const struct {
		const char *command, *seen;
	} cases[] = {
		{"sleep 1000 >/dev/null 2>&1 &", "+ process "},
		{"setsid unshare -n sleep 1001 >/dev/null 2>&1 &", "+ network namespace "},
		{"touch $TMPDIR/left", "+ file "},
		{"touch /dev/shm/left", "+ file /dev/shm/left"},
		{"touch beside", "/beside\n"},
		{"mount -t tmpfs left ../mnt", "+ mount left "},
		{"nft add table inet left", "+ netfilter table left"},
		{"ip addr add 127.9.9.9/8 dev lo", "+ address 127.9.9.9 on lo"},
		{"ip link add left type veth peer name behind", "+ interface left"},
	};
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "ip nft unshare setsid");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *leftovers = NULL;

		program_runs_shell(synfault, "%s", cases[i].command);
		/* What runs in the background takes its time. */
		for (int k = 0; k < 1000; k++) {
			free(leftovers);
			leftovers = program_leftovers(synfault, NULL);
			if (strstr(leftovers, cases[i].seen))
				break;
			usleep(20000);
		}
		cr_expect(strstr(leftovers, cases[i].seen), "%s: only this is seen: %s\n%s",
			  cases[i].command, leftovers, synfault->err);
	}
}
