/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The namespaces of a sandbox: see namespace.h. */
#include "runner/sandbox/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/duration.h"
#include "runner/sandbox/mounts.h"
#include "runner/sandbox/network.h"

/* When there are too many network namespaces, it is tried again after so long. */
#define FULL_PAUSE_NS (20 * NS_PER_MS)

static int write_file(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* Of a user namespace just made: one uid and one gid inside stand for one each outside. */
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
	 * The raw system call: glibc has no fork() with flags. We have no threads. Not clone3(),
	 * which containers' filters of system calls don't let through (they can't see its flags).
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
	 * A process that dies between fork and prctl() is missed by the kernel. Its death can't be
	 * seen by getppid(), which is 0 in a new pid namespace; the supervisor's control socket
	 * tells it too (supervise.c).
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Before there is a network: its files belong to the uid 0 that there is when it is made.
	 */
	if (uid != 0 && map_ids(0, uid, 0, gid) < 0)
		_exit(EXIT_FAILURE);
	return 0;
}

/* Whether others that end may make room. */
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

/*
 * What the probe's child finds out goes through a pipe as lines: an errno (0: all well), a message
 * for it or nothing, the form of queueing, then the settings.
 */
static void probe_in_child(int fd)
{
	const struct address nobody = {.family = AF_INET, .port = 1, .bytes = {127, 0, 0, 1}};
	const struct nft_rules_config config = {
		.table = "synfault", .queue_number = 1, .endpoints = &nobody, .n_endpoints = 1};
	AUTO_DIAG struct diag_list diags = {0};
	struct rules *rules = NULL;
	struct sysctls fresh;
	FILE *out = fdopen(fd, "w");
	int status = namespace_enter(0);

	if (!out)
		_exit(EXIT_FAILURE);
	if (!status)
		status = network_lo_up();
	if (!status)
		status = mounts_detach(&diags);
	if (!status)
		status = nft_rules_install(&config, &diags, &rules);
	sysctls_read(&fresh);
	fprintf(out, "%d\n", -status);
	for (size_t i = 0; i < diags.n_items; i++)
		fprintf(out, "%s%s%s%s", i ? "; " : "", diags.items[i].message,
			diags.items[i].hint ? "; " : "",
			diags.items[i].hint ? diags.items[i].hint : "");
	fprintf(out, "\n%d\n", rules ? (int)nft_rules_queue_form(rules) : 0);
	for (size_t i = 0; i < fresh.n_items; i++)
		fprintf(out, "%s %s\n", fresh.items[i].name, fresh.items[i].value);
	fflush(out);
	_exit(EXIT_SUCCESS);
}

/* The next line without its end; NULL when there is none. */
static char *read_line(FILE *in, char **line, size_t *size)
{
	ssize_t length = getline(line, size, in);

	if (length <= 0)
		return NULL;
	if ((*line)[length - 1] == '\n')
		(*line)[length - 1] = '\0';
	return *line;
}

static int read_probe(FILE *in, struct namespace_traits *ret, char **ret_message)
{
	struct namespace_traits traits = {0};
	struct sysctls *fresh = &traits.fresh;
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	int status;

	if (!read_line(in, &line, &size))
		return -EPERM;
	status = -atoi(line);
	if (read_line(in, &line, &size) && *line)
		*ret_message = xstrdup(line);
	if (status < 0 || !read_line(in, &line, &size))
		return status < 0 ? status : -EPERM;
	traits.queue_form = (enum nft_rules_queue_form)atoi(line);
	while (read_line(in, &line, &size)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		array_append(fresh->items, fresh->n_items, fresh->capacity,
			     (struct sysctl){.name = xstrdup(line), .value = xstrdup(blank + 1)});
	}
	*ret = traits;
	return 0;
}

static char *explain_refusal(int error)
{
	if (geteuid() == 0)
		return xasprintf("private network namespaces can't be made here (%s): give the "
				 "container CAP_SYS_ADMIN, or run on the host",
				 strerror(error));
	return xasprintf("user namespaces can't be used here (%s): run as root, or allow them "
			 "(sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces, or "
			 "kernel.apparmor_restrict_unprivileged_userns=0)",
			 strerror(error));
}

int namespace_probe(struct namespace_traits *ret, char **ret_message)
{
	int pidfd = -1, pipe_fds[2], status;
	AUTO_FREE char *message = NULL;
	AUTO_FCLOSE FILE *in = NULL;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
		*ret_message = xasprintf("no pipe: %s", strerror(errno));
		return -errno;
	}
	pid = namespace_fork(&pidfd);
	if (pid == 0)
		probe_in_child(pipe_fds[1]);
	close(pipe_fds[1]);
	if (pid < 0) {
		close(pipe_fds[0]);
		*ret_message = explain_refusal(-pid);
		return pid;
	}
	in = fdopen(pipe_fds[0], "r");
	status = in ? read_probe(in, ret, &message) : -errno;
	close(pidfd);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (status < 0)
		*ret_message = message ? steal_pointer(&message) : explain_refusal(-status);
	return status;
}
