/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at all threads of the calling process's descendants. It finds them through the kernel's
 * lists of children (/proc/PID/task/TID/children, CONFIG_PROC_CHILDREN), because a walk through
 * /proc takes milliseconds if it shows all processes of the machine. Orphaned descendants have to
 * become children of the calling process: it has to be the first of its pid namespace, or a
 * subreaper.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_THREAD_LOOKS_H
#define SYNFAULT_RUNNER_SANDBOX_THREAD_LOOKS_H

#include "runner/sandbox/starvation.h"

struct thread_looks {
	struct thread_look *items;
	size_t n_items, capacity;
	bool other_netns; /* a thread is in another network namespace than the calling one */
};

/* A descendant. Its threads follow one another in the list of the servers' or the others'. */
struct looked_process {
	pid_t pid;
	size_t parent; /* index of a process before it; SIZE_MAX: the calling process */
	bool server;
	size_t first, n_threads; /* in that list */
};

/* All descendants; each comes after its parent. */
struct thread_tree {
	struct thread_looks client, server;
	struct looked_process *processes;
	size_t n_processes, capacity;
};

/**
 * thread_tree_read() - look at all descendants, and at which process has which threads
 * @servers: as for thread_looks_read()
 * @ret: free it with thread_tree_free() in any case
 *
 * Return: as thread_looks_read().
 */
bool thread_tree_read(const pid_t *servers, size_t n_servers, struct thread_tree *ret);
void thread_tree_free(struct thread_tree *tree);

/**
 * thread_looks_read() - look at all descendants
 * @servers: processes whose threads, and those of their descendants and sessions, go to @server; 0
 *	for one that does not exist
 * @client: gets all other threads; empty before, and the caller owns its items
 * @server: empty before; the caller owns its items
 *
 * Return: false if the kernel does not list them, or if there are too many.
 */
bool thread_looks_read(const pid_t *servers, size_t n_servers, struct thread_looks *client,
		       struct thread_looks *server);

/** thread_look_self() - look at the calling thread, which is running; return false if that failed
 */
bool thread_look_self(struct thread_look *ret);

/**
 * thread_look_dead() - look at the first thread of a child that has ended but is not reaped yet
 *
 * Return: false if the kernel does not say.
 */
bool thread_look_dead(pid_t pid, struct thread_look *ret);

/**
 * machine_look_read() - read what the kernel says about all threads of the machine
 *
 * From /proc/loadavg (fs/proc/loadavg.c) and /proc/pressure/cpu (psi_show() in kernel/sched/psi.c,
 * which brings its totals up to date before it prints them).
 */
struct machine_look machine_look_read(void);

/**
 * machine_look_saw_all() - return whether all threads that began between two looks were seen
 * @n_taken: how many more were counted when they died
 *
 * Only in a pid namespace of our own: otherwise others start threads, too, and reaped children
 * count (starvation.c).
 */
bool machine_look_saw_all(const struct machine_look *before, const struct machine_look *now,
			  uint64_t n_taken, const struct thread_looks *client,
			  const struct thread_looks *server);

/** machine_processors() - return how many processors the calling thread may use */
unsigned machine_processors(void);

#endif
