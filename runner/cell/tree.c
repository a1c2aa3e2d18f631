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
	pid_t pid, parent;
	bool descends;
};

/* The parent, from the field after the name, which may hold anything; 0: no such process. */
static pid_t parent_of(int proc, const char *pid)
{
	AUTO_FREE char *path = xasprintf("%s/stat", pid);
	AUTO_CLOSE int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	const char *end;
	int parent;

	if (length <= 0)
		return 0;
	text[length] = '\0';
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

static size_t read_processes(struct kinship **ret)
{
	struct kinship *processes = NULL;
	size_t n = 0, capacity = 0;
	DIR *directory = opendir("/proc");

	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		struct kinship process;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		process = (struct kinship){.pid = atoi(entry->d_name),
					   .parent = parent_of(dirfd(directory), entry->d_name)};
		if (process.parent)
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
