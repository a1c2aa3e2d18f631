/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The namespaces of a sandbox: see namespace.h. */
#include "runner/sandbox/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/duration.h"

/*
 * Each sandbox's first pids begin PIDS_EACH after those of the sandbox before. Below FIRST_PID they
 * would be given out only once: when the kernel starts over, it skips those numbers
 * (RESERVED_PIDS). PIDS_AT_END stay free so that it rarely has to start over.
 */
enum { FIRST_PID = 300, PIDS_EACH = 64, PIDS_AT_END = 8192 };
/* The pause between tries while there are too many network namespaces. */
#define FULL_PAUSE_NS (20 * NS_PER_MS)

static int write_file(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* Maps one uid and one gid of a new user namespace to one of each outside. */
static int map_ids(uid_t uid, uid_t outer_uid, gid_t gid, gid_t outer_gid)
{
	char map[64];
	int status;

	/* user_namespaces(7): a gid map without privilege needs setgroups(2) switched off. */
	status = write_file("/proc/self/setgroups", "deny");
	if (status < 0)
		return status;
	snprintf(map, sizeof(map), "%u %u 1", uid, outer_uid);
	status = write_file("/proc/self/uid_map", map);
	if (status < 0)
		return status;
	snprintf(map, sizeof(map), "%u %u 1", gid, outer_gid);
	return write_file("/proc/self/gid_map", map);
}

int namespace_enter_inner(uid_t uid, gid_t gid)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return -errno;
	return map_ids(uid, 0, gid, 0);
}

pid_t namespace_clone(unsigned long flags, int *ret_pidfd)
{
	int pidfd = -1;
	long pid;

	/*
	 * The raw system call, since glibc has no fork() with flags; we have no threads. Not
	 * clone3(): the seccomp filters of containers reject it, as they can't see its flags.
	 */
	flags |= CLONE_PIDFD | SIGCHLD;
#if defined(__s390x__)
	pid = syscall(SYS_clone, NULL, flags, &pidfd, NULL, NULL);
#else
	pid = syscall(SYS_clone, flags, NULL, &pidfd, NULL, NULL);
#endif
	if (pid < 0)
		return -errno;
	if (pid > 0)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

pid_t namespace_fork(int *ret_pidfd)
{
	unsigned long flags = CLONE_NEWPID | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
	uid_t uid = geteuid();
	gid_t gid = getegid();
	pid_t pid = namespace_clone(flags, ret_pidfd);

	if (pid != 0)
		return pid;
	/*
	 * If the parent dies between fork and prctl(), the kernel sends no signal. getppid() does
	 * not show it either: it is 0 in a new pid namespace. The supervisor's control socket does
	 * (supervise.c).
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Now, since a network's files belong to the uid 0 that exists when the network is made. */
	if (uid != 0 && map_ids(0, uid, 0, gid) < 0)
		_exit(EXIT_FAILURE);
	return 0;
}

/* Returns whether there may be room once others have ended. */
static bool is_full(int error)
{
	return error == ENOSPC || error == ENOMEM || error == EAGAIN;
}

int namespace_enter(int64_t patience_ns)
{
	const struct timespec pause = {.tv_nsec = FULL_PAUSE_NS};

	while (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
		if (!is_full(errno) || patience_ns <= 0)
			return -errno;
		nanosleep(&pause, NULL);
		patience_ns -= FULL_PAUSE_NS;
	}
	return 0;
}

pid_t namespace_outer_pid(void)
{
	char target[16];
	ssize_t length = readlink("/proc/self", target, sizeof(target) - 1);

	if (length <= 0)
		return 0;
	target[length] = '\0';
	return atoi(target);
}

static long read_max_pid(void)
{
	AUTO_FCLOSE FILE *file = fopen("/proc/sys/kernel/pid_max", "re");
	long max;

	return file && fscanf(file, "%ld", &max) == 1 ? max : 0;
}

void namespace_spread_pids(pid_t outer_pid)
{
	long n_places = (read_max_pid() - FIRST_PID - PIDS_AT_END) / PIDS_EACH;
	AUTO_FREE char *last = NULL;

	if (outer_pid <= 0 || n_places <= 0)
		return;
	last = xasprintf("%ld", FIRST_PID + outer_pid % n_places * PIDS_EACH);
	(void)write_file("/proc/sys/kernel/ns_last_pid", last);
}
