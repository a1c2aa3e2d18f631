/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descendants of the calling process: see tree.h. They are found through /proc/PID/stat, whose
 * fourth field is the parent: unlike /proc/PID/task/TID/children it is in every kernel. A walk is
 * not atomic; what forks while it goes on is found by the next one.
 */
#include "runner/cell/tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "runner/cell/process.h"

/* How often tree_end() looks again, and how long it waits in between. */
enum { END_ROUNDS = 500, END_WAIT_MS = 2 };

struct kinship {
	pid_t pid, parent, session;
	bool descends; /* from us */
	bool known;    /* tree_has_others(): belongs to one that is known */
};

/* Fields after the name, which may hold anything: state, parent, group, session. */
static bool read_kinship(int proc, const char *pid, struct kinship *ret)
{
	AUTO_FREE char *path = xasprintf("%s/stat", pid);
	AUTO_CLOSE int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	const char *end;
	int parent, session;

	if (length <= 0)
		return false;
	text[length] = '\0';
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %*c %d %*d %d", &parent, &session) != 2 || parent == 0)
		return false;
	*ret = (struct kinship){.pid = atoi(pid), .parent = parent, .session = session};
	return true;
}

static size_t read_processes(struct kinship **ret)
{
	struct kinship *processes = NULL;
	size_t n = 0, capacity = 0;
	DIR *directory = opendir("/proc");

	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		struct kinship process;

		if (isdigit((unsigned char)entry->d_name[0]) &&
		    read_kinship(dirfd(directory), entry->d_name, &process))
			array_append(processes, n, capacity, process);
	}
	if (directory)
		closedir(directory);
	*ret = processes;
	return n;
}

/* A parent's number may be the higher one: again and again, until nothing is added. */
static void mark_descendants(struct kinship *processes, size_t n)
{
	const pid_t self = getpid();
	bool added = true;

	while (added) {
		added = false;
		for (size_t i = 0; i < n; i++) {
			bool descends = processes[i].parent == self;

			for (size_t k = 0; !descends && !processes[i].descends && k < n; k++)
				descends = processes[k].descends &&
					   processes[k].pid == processes[i].parent;
			if (descends && !processes[i].descends)
				added = processes[i].descends = true;
		}
	}
}

static bool has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

bool tree_signal(int number)
{
	AUTO_FREE struct kinship *processes = NULL;
	size_t n;

	if (!has_children())
		return false;
	/* Numbers of another pid namespace would be somebody else's. */
	if (!process_proc_is_ours())
		return true;
	n = read_processes(&processes);
	mark_descendants(processes, n);
	for (size_t i = 0; i < n; i++)
		if (processes[i].descends)
			kill(processes[i].pid, number);
	return true;
}

static bool is_one_of(pid_t pid, const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pid != 0 && pids[i] == pid)
			return true;
	return false;
}

/* As mark_descendants(): again and again, until nothing is added. */
static void mark_known(struct kinship *processes, size_t n, const pid_t *known, size_t n_known)
{
	bool added = true;

	for (size_t i = 0; i < n; i++)
		processes[i].known = is_one_of(processes[i].pid, known, n_known) ||
				     is_one_of(processes[i].session, known, n_known);
	while (added) {
		added = false;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; !processes[i].known && k < n; k++)
				if (processes[k].known && processes[k].pid == processes[i].parent)
					added = processes[i].known = true;
	}
}

bool tree_has_others(const pid_t *known, size_t n_known)
{
	AUTO_FREE struct kinship *processes = NULL;
	size_t n;

	if (!has_children() || !process_proc_is_ours())
		return has_children();
	n = read_processes(&processes);
	mark_descendants(processes, n);
	mark_known(processes, n, known, n_known);
	for (size_t i = 0; i < n; i++)
		if (processes[i].descends && !processes[i].known)
			return true;
	return false;
}

void tree_end(void)
{
	for (int round = 0; round < END_ROUNDS; round++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (!tree_signal(SIGKILL))
			return;
		poll(NULL, 0, END_WAIT_MS);
	}
}
