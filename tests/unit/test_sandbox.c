/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what follows from a shared sandbox's number, of claims, and of temporary directories. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runner/inject/netns_enter.h"
#include "runner/sandbox/capability_hint.h"
#include "runner/sandbox/descendants.h"
#include "runner/sandbox/isolation.h"
#include "runner/sandbox/netns_lock.h"
#include "runner/sandbox/proc_stat.h"
#include "runner/sandbox/remote.h"
#include "runner/sandbox/requirements.h"
#include "runner/sandbox/shared_sandbox.h"
#include "runner/sandbox/sysctl.h"
#include "runner/sandbox/tmpdir.h"

TestSuite(sandbox);

Test(sandbox, reads_numbers_from_names)
{
	static const struct {
		const char *name, *prefix;
		char end;
		uint32_t number;
	} cases[] = {
		{"synfault-1", "synfault-", '\0', 1},
		{"synfault-16383", "synfault-", '\0', 16383},
		{"synfault-17-abcdef", "synfault-", '-', 17},
		{"synfault-16384", "synfault-", '\0', 0},
		{"synfault-0", "synfault-", '\0', 0},
		{"synfault-017", "synfault-", '\0', 0},
		{"synfault-", "synfault-", '\0', 0},
		{"synfault--1", "synfault-", '\0', 0},
		{"synfault- 1", "synfault-", '\0', 0},
		{"synfault-1x", "synfault-", '\0', 0},
		{"synfault-1", "synfault-", '-', 0},
		{"synfaulted-1", "synfault-", '\0', 0},
		{"synfault-99999999999999999999", "synfault-", '\0', 0},
		{"", "synfault-", '\0', 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(netns_lock_parse(cases[i].name, cases[i].prefix, cases[i].end),
			     cases[i].number, "%s", cases[i].name);
}

Test(sandbox, gives_a_claim_to_one_process_at_a_time)
{
	/* Far from those that runs on this machine take first. */
	const uint32_t number = NETNS_LOCK_LAST_SANDBOX - 7;
	int claim = netns_lock_take(NETNS_LOCK_SANDBOX, number), other;

	cr_assert_geq(claim, 0);
	cr_expect_eq(netns_lock_take(NETNS_LOCK_SANDBOX, number), -EADDRINUSE);
	other = netns_lock_take(NETNS_LOCK_SANDBOX, number + 1);
	cr_expect_geq(other, 0);
	close(other);
	close(claim);
	claim = netns_lock_take(NETNS_LOCK_SANDBOX, number);
	cr_expect_geq(claim, 0);
	close(claim);
}

Test(sandbox, has_addresses_that_no_other_sandbox_has)
{
	char text[INET6_ADDRSTRLEN];
	struct address address;

	address = shared_sandbox_address(1, 0, FAMILY_IPV4, 80);
	cr_expect_str_eq(address_format_host(&address, text), "127.64.1.1");
	address = shared_sandbox_address(256, 2, FAMILY_IPV4, 80);
	cr_expect_str_eq(address_format_host(&address, text), "127.65.0.3");
	address = shared_sandbox_address(NETNS_LOCK_LAST_SANDBOX, 249, FAMILY_IPV4, 80);
	cr_expect_str_eq(address_format_host(&address, text), "127.127.255.250");
	address = shared_sandbox_address(NETNS_LOCK_LAST_SANDBOX, 249, FAMILY_IPV6, 80);
	cr_expect_str_eq(address_format_host(&address, text), "fd73:796e:3fff::fa");
	for (uint32_t number = 1; number <= NETNS_LOCK_LAST_SANDBOX; number++) {
		struct address_networks networks = shared_sandbox_networks(number);

		address = shared_sandbox_address(number, 7, FAMILY_IPV6, 0);
		cr_assert_eq(shared_sandbox_number_of(&address), number);
		cr_assert_eq(memcmp(networks.ipv6, address.bytes, sizeof(networks.ipv6)), 0);
		address = shared_sandbox_address(number, 7, FAMILY_IPV4, 0);
		cr_assert_eq(memcmp(networks.ipv4, address.bytes, sizeof(networks.ipv4)), 0);
		cr_assert_eq(shared_sandbox_queue(number), 16384 + number);
	}
}

Test(sandbox, does_not_take_foreign_addresses_for_its_own)
{
	static const char *const foreign[] = {
		"::1",
		"fd73:796e::2",  /* of a private sandbox */
		"fd73:796e:1::", /* no endpoint's */
		"fd73:796e:1::1:1",
		"fd73:796e:1::101",
		"fd73:796e:4000::1", /* beyond the last number */
		"fd73:796f:1::1",
		"2001:db8:1::1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		struct address address;

		cr_assert_eq(address_parse(foreign[i], 0, &address), 0);
		cr_expect_eq(shared_sandbox_number_of(&address), 0, "%s", foreign[i]);
	}
}

Test(sandbox, says_what_a_shared_sandbox_lacks)
{
	struct endpoint_spec endpoints[SHARED_MAX_SLOTS + 1] = {
		{.name = (char[]){"api"}, .families = {FAMILY_IPV4}, .n_families = 1}};
	struct scenario scenario = {.endpoints = endpoints, .n_endpoints = 1};
	char off[] = "it is off";
	struct isolation isolation = {.mode = ISOLATION_SHARED};
	static const struct {
		const char *hostname;
		enum family family;
		size_t n_endpoints;
		bool no_ipv6;
		const char *obstacle;
	} cases[] = {
		{NULL, FAMILY_IPV4, 1, false, NULL},
		{NULL, FAMILY_IPV6, 1, false, NULL},
		{NULL, FAMILY_IPV4, 1, true, NULL},
		{NULL, FAMILY_IPV6, 1, true, "api has an IPv6 address, but it is"},
		{"a.test", FAMILY_IPV4, 1, false, "the hostname of endpoint api"},
		{NULL, FAMILY_IPV4, SHARED_MAX_SLOTS, false, NULL},
		{NULL, FAMILY_IPV4, SHARED_MAX_SLOTS + 1, false, "more than 250 addresses"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *obstacle = NULL, *in_private = NULL;
		AUTO_FREE char *hostname = cases[i].hostname ? xstrdup(cases[i].hostname) : NULL;

		endpoints[0].hostname = hostname;
		endpoints[0].families[0] = cases[i].family;
		scenario.n_endpoints = cases[i].n_endpoints;
		for (size_t k = 1; k < cases[i].n_endpoints; k++)
			endpoints[k] = (struct endpoint_spec){.n_families = 1};
		scenario_set_slots(&scenario);
		isolation.no_ipv6 = cases[i].no_ipv6 ? off : NULL;
		isolation.mode = ISOLATION_SHARED;
		obstacle = isolation_obstacle(&isolation, &scenario);
		if (cases[i].obstacle)
			cr_expect(obstacle && strstr(obstacle, cases[i].obstacle), "%s", obstacle);
		else
			cr_expect_null(obstacle, "%s", obstacle);
		isolation.mode = ISOLATION_PRIVATE;
		in_private = isolation_obstacle(&isolation, &scenario);
		cr_expect_null(in_private);
	}
}

Test(sandbox, shared_one_has_only_the_kernel_settings_of_its_namespace)
{
	struct kernel_spec kernel = {.path = (char[]){"net/ipv4/tcp_syn_retries"},
				     .value = (char[]){"120"}};
	AUTO_FREE char *actual = NULL;
	struct scenario scenario = {.kernel = &kernel, .n_kernel = 1};
	struct isolation isolation = {.mode = ISOLATION_SHARED};
	AUTO_FREE char *obstacle = isolation_obstacle(&isolation, &scenario);

	cr_assert_not_null(obstacle);
	cr_expect(strstr(obstacle, "the kernel setting tcp_syn_retries is not 120 here"));
	isolation.mode = ISOLATION_PRIVATE;
	cr_expect_null(isolation_obstacle(&isolation, &scenario));
	isolation.mode = ISOLATION_SHARED;
	actual = xasprintf("%u", sysctls_read_number(kernel.path, 0));
	kernel.value = actual;
	cr_expect_null(isolation_obstacle(&isolation, &scenario));
}

/* ---- temporary directories ---- */

/* A fresh TMPDIR of the test's own. */
static void set_tmpdir(char template[static 1])
{
	cr_assert_not_null(mkdtemp(template));
	setenv("TMPDIR", template, 1);
}

static void make_file(const char *directory, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s", path);
}

Test(sandbox, removes_its_directory_with_all_in_it_and_nothing_else)
{
	char template[] = "/tmp/test_sandbox.XXXXXX";
	AUTO_FREE char *path = NULL, *locked = NULL, *link = NULL, *kept = NULL;
	struct stat status;
	int fd;

	set_tmpdir(template);
	fd = tmpdir_make(17, &path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0700);
	make_file(path, "file");
	locked = xasprintf("%s/locked", path);
	cr_assert_eq(mkdir(locked, 0700), 0);
	make_file(locked, "file");
	cr_assert_eq(chmod(locked, 0), 0);
	make_file(template, "kept");
	link = xasprintf("%s/link", path);
	cr_assert_eq(symlink(template, link), 0);

	tmpdir_remove(path, fd);
	close(fd);
	cr_expect(access(path, F_OK) < 0);
	kept = xasprintf("%s/kept", template);
	cr_expect_eq(unlink(kept), 0, "a link was followed");
	cr_expect_eq(rmdir(template), 0);
}

Test(sandbox, cleanup_removes_directories_without_an_owner)
{
	char template[] = "/tmp/test_sandbox.XXXXXX";
	static const char *const foreign[] = {"synfault-17", "synfault-0-abcdef",
					      "synfault-17-abcdefg", "synfault-x-abcdef",
					      "synfault-1-report"};
	AUTO_FREE char *path = NULL, *left = NULL, *unmarked = NULL;
	int fd;

	set_tmpdir(template);
	fd = tmpdir_make(NETNS_LOCK_LAST_SANDBOX - 9, &path);
	/* Its owner was killed before it marked it, or while it removed it. */
	unmarked = xasprintf("%s/.synfault-%d-abcdef", template, NETNS_LOCK_LAST_SANDBOX - 11);
	cr_assert_eq(mkdir(unmarked, 0700), 0);
	make_file(unmarked, "file");
	left = xasprintf("%s/synfault-%d-abcdef", template, NETNS_LOCK_LAST_SANDBOX - 10);
	cr_assert_eq(mkdir(left, 0700), 0);
	make_file(left, "file");
	make_file(left, ".synfault-sandbox");
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		AUTO_FREE char *name = xasprintf("%s/%s", template, foreign[i]);

		cr_assert_eq(mkdir(name, 0700), 0);
	}

	tmpdir_sweep();
	cr_expect(access(left, F_OK) < 0, "a leftover is still there");
	cr_expect(access(unmarked, F_OK) < 0, "an unmarked leftover is still there");
	cr_expect_eq(access(path, F_OK), 0, "one that is held was removed");
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		AUTO_FREE char *name = xasprintf("%s/%s", template, foreign[i]);

		cr_expect_eq(rmdir(name), 0, "%s was removed", foreign[i]);
	}
	close(fd);
	tmpdir_sweep();
	cr_expect(access(path, F_OK) < 0);
	cr_expect_eq(rmdir(template), 0);
}

Test(sandbox, ends_orphans_of_its_children_too)
{
	int alive[2];
	char byte;

	cr_assert_eq(pipe2(alive, O_CLOEXEC), 0);
	cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	if (fork() == 0) {
		if (fork() == 0) {
			signal(SIGTERM, SIG_IGN);
			setsid();
			if (fork() == 0)
				signal(SIGTERM, SIG_IGN);
			if (write(alive[1], "x", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		_exit(0);
	}
	close(alive[1]);
	cr_assert_eq(read(alive[0], &byte, 1), 1);
	cr_assert_eq(read(alive[0], &byte, 1), 1);
	cr_expect(descendants_signal(SIGTERM));
	descendants_end();
	/* All processes that had the other end are dead. */
	cr_expect_eq(read(alive[0], &byte, 1), 0);
	cr_expect_not(descendants_signal(SIGTERM));
}

Test(sandbox, parents_are_found_for_every_process_name)
{
	AUTO_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *name = NULL;
	int ready[2];
	struct proc_stat kin;
	char byte;
	pid_t pid;

	cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "a) R 1 2 3 (b");
		setsid();
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	name = xasprintf("%d", pid);
	cr_assert(proc_stat_read(proc, name, &kin));
	cr_expect_eq(kin.pid, pid);
	cr_expect_eq(kin.parent, getpid());
	cr_expect_eq(kin.session, pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_expect_not(proc_stat_read(proc, name, &kin), "a process that is gone");
	cr_expect_not(proc_stat_read(proc, "self", &kin), "not a number");
	cr_expect_not(proc_stat_read(proc, "..", &kin));
}

Test(sandbox, says_why_another_network_namespace_cannot_be_entered)
{
	static const struct {
		const char *which, *message;
	} cases[] = {
		{"999999999", "--netns: there is no process 999999999"},
		{"/no/such/file", "--netns: there is no file /no/such/file"},
		{"/dev/null", "--netns: /dev/null is not a network namespace"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_DIAG struct diag_list diags = {0};

		cr_expect_lt(netns_enter(cases[i].which, &diags), 0);
		cr_assert_eq(diags.n_items, 1u);
		cr_expect_str_eq(diags.items[0].message, cases[i].message);
		cr_expect(strstr(diags.items[0].hint, "the pid of a process, or a path"));
	}
}

Test(sandbox, finds_required_programs_as_the_client_would)
{
	char *environment[] = {(char[]){"HOME=/"}, (char[]){"PATH=/no/such/dir:/bin"}, NULL};
	char *no_path[] = {(char[]){"HOME=/"}, NULL};
	static const struct {
		const char *program;
		bool found, found_without_path;
	} cases[] = {
		{"sh", true, false},
		{"/bin/sh", true, true},
		{"no-such-program", false, false},
		{"/bin/no-such-program", false, false},
		{"/bin", false, false},
		{"/etc/passwd", false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *program = xstrdup(cases[i].program);
		const struct requirements_spec spec = {.programs = (char *[]){program, NULL}};
		AUTO_FREE char *missing = requirements_missing(&spec, environment, NULL);
		AUTO_FREE char *without = requirements_missing(&spec, no_path, NULL);

		cr_expect_eq(!missing, cases[i].found, "%s: %s", program, missing);
		cr_expect_eq(!without, cases[i].found_without_path, "%s: %s", program, without);
		cr_expect(!missing || strstr(missing, program), "%s", missing);
	}
}

/* Returns how many addresses a remote endpoint has; @families: its restriction, -1 ends it. */
static int resolve(const char *host, const int *families, struct address *addresses, size_t most,
		   struct diag_list *diags)
{
	AUTO_FREE char *remote = xstrdup(host);
	struct endpoint_spec spec = {.name = (char[]){"api"}, .remote = remote, .port = 80};
	size_t n = 0;
	int status;

	while (families[spec.n_families] >= 0) {
		spec.families[spec.n_families] = (enum family)families[spec.n_families];
		spec.n_families++;
	}
	status = remote_resolve(&spec, addresses, most, &n, diags);
	return status < 0 ? status : (int)n;
}

Test(sandbox, gives_a_remote_endpoint_its_addresses_of_the_families_asked_for)
{
	static const struct {
		const char *host;
		int families[3], n;
		const char *message;
	} cases[] = {
		{"192.0.2.1", {-1}, 1, NULL},
		{"192.0.2.1", {FAMILY_IPV4, -1}, 1, NULL},
		{"2001:db8::1", {FAMILY_IPV6, -1}, 1, NULL},
		{"192.0.2.1", {FAMILY_IPV6, -1}, -EAFNOSUPPORT, "192.0.2.1 has no IPv6 address"},
		{"2001:db8::1",
		 {FAMILY_IPV4, -1},
		 -EAFNOSUPPORT,
		 "2001:db8::1 has no IPv4 address"},
		{"192.0.2.1", {FAMILY_IPV4, FAMILY_IPV6, -1}, -EAFNOSUPPORT, "has no IPv6 address"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_DIAG struct diag_list diags = {0};
		struct address addresses[2];
		char text[ADDRESS_TEXT_SIZE];
		int n = resolve(cases[i].host, cases[i].families, addresses, 2, &diags);

		cr_assert_eq(n, cases[i].n, "%s: %d", cases[i].host, n);
		if (n > 0)
			cr_expect(strstr(address_format(&addresses[0], text), cases[i].host) &&
					  addresses[0].port == 80,
				  "%s", text);
		else
			cr_expect(strstr(diags.items[0].message, cases[i].message), "%s",
				  diags.items[0].message);
	}
}

Test(sandbox, hints_how_each_platform_gives_capabilities)
{
	static const char *const two[] = {
		"docker run --cap-add NET_ADMIN --cap-add NET_RAW",
		"podman run --cap-add NET_ADMIN --cap-add NET_RAW",
		"securityContext: {capabilities: {add: [NET_ADMIN, NET_RAW]}}",
		"container: {options: --cap-add NET_ADMIN --cap-add NET_RAW}",
		"[runners.docker] cap_add = [\"NET_ADMIN\", \"NET_RAW\"]",
	};
	size_t n = 0;

	for (; capability_hint_platform(n); n++) {
		AUTO_FREE char *text =
			capability_hint_text(n, CAPABILITY_HINT_CONTAINER, "NET_ADMIN NET_RAW");
		AUTO_FREE char *as_root =
			capability_hint_text(n, CAPABILITY_HINT_USER, "NET_ADMIN NET_RAW");

		cr_assert_lt(n, ARRAY_SIZE(two));
		cr_expect_str_eq(text, two[n]);
		cr_expect_null(strstr(as_root, "NET_ADMIN"), "%s", as_root);
	}
	cr_expect_eq(n, ARRAY_SIZE(two));
}
