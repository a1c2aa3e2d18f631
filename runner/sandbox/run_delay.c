/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for processors, by process: see run_delay.h. Children are found by the kernel's own lists
 * (/proc/PID/task/PID/children, CONFIG_PROC_CHILDREN): where all processes of a machine are to be
 * seen, a walk through them would take milliseconds. What is lost that way, children of other
 * threads and orphans, would only make the sum smaller.
 */
#include "runner/sandbox/run_delay.h"

#include <fcntl.h>
#include <stdio.h>

#include "runner/sandbox/process.h"

/* A client with more processes than that is looked at in part. */
enum { MAX_PROCESSES = 64 };

struct looked_at {
	pid_t pid;
	int64_t waited_ns;
	bool seen; /* in this look */
};

struct run_delay {
	pid_t leader;
	struct looked_at processes[MAX_PROCESSES];
	size_t n_processes;
	int64_t gone_ns; /* of those that are no more */
	bool known;
};

struct run_delay *run_delay_new(pid_t leader)
{
	struct run_delay *delay = xzalloc(sizeof(*delay));

	delay->leader = leader;
	return delay;
}

void run_delay_free(struct run_delay *delay)
{
	free(delay);
}

/* Returns whether there is such a process, and room for it. */
static bool look_at(struct run_delay *delay, pid_t pid)
{
	int64_t waited_ns = process_run_delay_ns(pid);
	size_t i = 0;

	if (waited_ns < 0)
		return false;
	while (i < delay->n_processes && delay->processes[i].pid != pid)
		i++;
	if (i == MAX_PROCESSES)
		return false;
	if (i == delay->n_processes)
		delay->processes[delay->n_processes++] = (struct looked_at){.pid = pid};
	/* Less than before: another one that has got its number. */
	if (waited_ns < delay->processes[i].waited_ns)
		delay->gone_ns += delay->processes[i].waited_ns;
	delay->processes[i].waited_ns = waited_ns;
	delay->processes[i].seen = true;
	delay->known = true;
	return true;
}

/* Adds the children of @pid to a list that has room for MAX_PROCESSES. */
static void add_children(pid_t pid, pid_t *pids, size_t *n_pids)
{
	char path[64], text[1024];
	AUTO_CLOSE int fd = -1;
	const char *next = text;
	ssize_t length;
	int child, used;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (length <= 0)
		return;
	text[length] = '\0';
	while (*n_pids < MAX_PROCESSES && sscanf(next, "%d%n", &child, &used) == 1) {
		pids[(*n_pids)++] = child;
		next += used;
	}
}

static void forget_the_gone(struct run_delay *delay)
{
	size_t n = 0;

	for (size_t i = 0; i < delay->n_processes; i++) {
		if (delay->processes[i].seen)
			delay->processes[n++] = delay->processes[i];
		else
			delay->gone_ns += delay->processes[i].waited_ns;
	}
	delay->n_processes = n;
}

void run_delay_look(struct run_delay *delay)
{
	pid_t pids[MAX_PROCESSES] = {delay->leader};
	size_t n_pids = 1;

	for (size_t i = 0; i < delay->n_processes; i++)
		delay->processes[i].seen = false;
	for (size_t i = 0; i < n_pids; i++)
		if (look_at(delay, pids[i]))
			add_children(pids[i], pids, &n_pids);
	forget_the_gone(delay);
}

int64_t run_delay_total_ns(const struct run_delay *delay)
{
	int64_t total_ns = delay->gone_ns;

	for (size_t i = 0; i < delay->n_processes; i++)
		total_ns += delay->processes[i].waited_ns;
	return delay->known ? total_ns : -1;
}
