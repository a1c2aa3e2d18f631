/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for one test, as synfault sees it: network, mount and pid namespaces in which nothing
 * else happens. So a test finds exactly what a run leaves behind while other tests run beside it.
 * The test process shares the network and the mounts and sees the host's pids; test_host_fork()
 * starts programs inside.
 *
 * Everything ends with the test process, even if that is killed.
 */
#ifndef SYNFAULT_TESTS_LIB_TEST_HOST_H
#define SYNFAULT_TESTS_LIB_TEST_HOST_H

#include <sys/types.h>

#include "common/strbuf.h"

struct test_host {
	char *directory; /* a tmpfs: bin (in PATH), tmp ($TMPDIR), work, mnt; every user may enter
			  */
	pid_t init;      /* first process of its pid namespace */
	int lifeline;    /* closing it ends the namespace's processes */
};

/* Where namespaces are not permitted the test is skipped, or fails (netns.h). */
struct test_host *test_host_new(void);
void test_host_free(struct test_host *host);

/* As fork(); the child is inside, in the directory "work". Never fails. */
pid_t test_host_fork(const struct test_host *host);

/* Makes @path known as bin/@name, whoever may enter the directories above @path. */
void test_host_add_program(const struct test_host *host, const char *name, const char *path);

/*
 * Adds what there is, a line each and sorted: processes, network namespaces, mounts, interfaces and
 * addresses, netfilter tables and queues, files in tmp, work and /dev/shm.
 */
void test_host_describe(const struct test_host *host, struct strbuf *out);

/*
 * Children of a process, in the order of their pids; the array is the caller's. Pids are those that
 * the test process knows.
 */
size_t test_host_children(pid_t parent, pid_t **ret);

#endif
