/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at all threads of the calling process's descendants. They are found by the kernel's own
 * lists of children (/proc/PID/task/TID/children, CONFIG_PROC_CHILDREN): where all processes of a
 * machine are visible, a walk through them takes milliseconds. Orphans of the descendants have to
 * come to the calling process, which is the first of its pid namespace, or a subreaper.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_THREAD_LOOKS_H
#define SYNFAULT_RUNNER_SANDBOX_THREAD_LOOKS_H

#include "runner/sandbox/starvation.h"

struct thread_looks {
	struct thread_look *items;
	size_t n_items, capacity;
};

/**
 * thread_looks_read() - look at all descendants
 * @servers: processes that, with what comes from them or is in their sessions, go to @server; 0:
 *	none
 * @client: gets all other threads; its items are the caller's
 * @server: likewise
 *
 * Return: false when the kernel does not say, or there are too many.
 */
bool thread_looks_read(const pid_t *servers, size_t n_servers, struct thread_looks *client,
		       struct thread_looks *server);

/** thread_look_self() - look at the calling thread, which runs; return false if that failed */
bool thread_look_self(struct thread_look *ret);

/**
 * thread_look_dead() - look at a child that has ended and is not reaped yet: at its first thread
 *
 * Return: false when the kernel does not say.
 */
bool thread_look_dead(pid_t pid, struct thread_look *ret);

/**
 * thread_looks_last_pid() - return the number of the youngest thread in the pid namespace
 *
 * Return: 0 when the kernel does not say.
 */
uint64_t thread_looks_last_pid(void);

#endif
