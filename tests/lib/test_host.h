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
	char *directory; /* a tmpfs: bin (in PATH), tmp ($TMPDIR), run ($XDG_RUNTIME_DIR), work,
			    mnt; every user may enter */
	pid_t init;      /* first process of its pid namespace */
	int lifeline;    /* closing it ends the namespace's processes */
};

/* Skips or fails the test where namespaces are not permitted (netns.h). */
struct test_host *test_host_new(void);
void test_host_free(struct test_host *host);

/* Like fork(), but the child is inside, in the directory "work". Never fails. */
pid_t test_host_fork(const struct test_host *host);

/* Makes @path available as bin/@name, also to users who can't reach @path. */
void test_host_add_program(const struct test_host *host, const char *name, const char *path);

/*
 * Lists processes, network namespaces, mounts, interfaces and addresses, netfilter tables and
 * queues, and files in tmp, work and /dev/shm: sorted, a line each. Lines about processes that have
 * ended, or have been killed and are about to, begin with TEST_HOST_DYING.
 */
#define TEST_HOST_DYING "dying "
void test_host_describe(const struct test_host *host, struct strbuf *out);

/*
 * Finds the children of a process in the order of their pids, as the test process numbers them; the
 * caller frees the array.
 */
size_t test_host_children(pid_t parent, pid_t **ret);

#endif
