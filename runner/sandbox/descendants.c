/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descendants of the calling process: see descendants.h. They are found by walking through /proc. A
 * walk is not atomic: a process that forks during one is found by the next.
 */
#include "runner/sandbox/descendants.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "runner/sandbox/proc_stat.h"
#include "runner/sandbox/process.h"

/* How often descendants_end() looks, and how long it waits in between. */
enum { END_ROUNDS = 500, END_WAIT_MS = 2 };

struct relative {
	struct proc_stat stat;
	bool descends; /* from us */
	bool known;    /* belongs to a known process (descendants_has_others()) */
};

/* A child can have the lower number, so one pass is not enough: repeats until nothing changes. */
static void mark_descendants(struct relative *processes, size_t n)
{
	const pid_t self = getpid();
	bool added = true;

	while (added) {
		added = false;
		for (size_t i = 0; i < n; i++) {
			bool descends = processes[i].stat.parent == self;

			for (size_t k = 0; !descends && !processes[i].descends && k < n; k++)
				descends = processes[k].descends &&
					   processes[k].stat.pid == processes[i].stat.parent;
			if (descends && !processes[i].descends)
				added = processes[i].descends = true;
		}
	}
}

/* Reads all processes, and marks those that descend from us. Returns how many there are. */
static size_t read_processes(struct relative **ret)
{
	struct relative *processes = NULL;
	size_t n = 0, capacity = 0;
	DIR *directory = opendir("/proc");

	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		struct relative process = {0};

		/* A process without a parent in this /proc can't descend from us. */
		if (proc_stat_read(dirfd(directory), entry->d_name, &process.stat) &&
		    process.stat.parent != 0)
			array_append(processes, n, capacity, process);
	}
	if (directory)
		closedir(directory);
	mark_descendants(processes, n);
	*ret = processes;
	return n;
}

static bool has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

bool descendants_signal(int number)
{
	AUTO_FREE struct relative *processes = NULL;
	size_t n;

	if (!has_children())
		return false;
	/* Numbers of another pid namespace would hit other processes. */
	if (!process_proc_is_ours())
		return true;
	n = read_processes(&processes);
	for (size_t i = 0; i < n; i++)
		if (processes[i].descends)
			kill(processes[i].stat.pid, number);
	return true;
}

static bool is_one_of(pid_t pid, const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pid != 0 && pids[i] == pid)
			return true;
	return false;
}

/* Repeats until nothing changes, as mark_descendants() does. */
static void mark_known(struct relative *processes, size_t n, const pid_t *known, size_t n_known)
{
	bool added = true;

	for (size_t i = 0; i < n; i++)
		processes[i].known = is_one_of(processes[i].stat.pid, known, n_known) ||
				     is_one_of(processes[i].stat.session, known, n_known);
	while (added) {
		added = false;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; !processes[i].known && k < n; k++)
				if (processes[k].known &&
				    processes[k].stat.pid == processes[i].stat.parent)
					added = processes[i].known = true;
	}
}

bool descendants_has_others(const pid_t *known, size_t n_known)
{
	AUTO_FREE struct relative *processes = NULL;
	size_t n;

	if (!has_children() || !process_proc_is_ours())
		return has_children();
	n = read_processes(&processes);
	mark_known(processes, n, known, n_known);
	for (size_t i = 0; i < n; i++)
		if (processes[i].descends && !processes[i].known)
			return true;
	return false;
}

void descendants_signal_others(int number, const pid_t *known, size_t n_known)
{
	AUTO_FREE struct relative *processes = NULL;
	size_t n;

	if (!process_proc_is_ours())
		return;
	n = read_processes(&processes);
	mark_known(processes, n, known, n_known);
	for (size_t i = 0; i < n; i++)
		if (processes[i].descends && !processes[i].known)
			kill(processes[i].stat.pid, number);
}

void descendants_end(void)
{
	for (int round = 0; round < END_ROUNDS; round++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (!descendants_signal(SIGKILL))
			return;
		poll(NULL, 0, END_WAIT_MS);
	}
}
