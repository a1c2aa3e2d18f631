/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock process of a sandbox: it follows the client and server commands with ptrace(2), moves
 * their clocks forward when all of them sleep, and ends what they wait for. When it dies, they die
 * (PTRACE_O_EXITKILL); when its supervisor dies, so does it.
 *
 * Theory of operation
 * -------------------
 * Nothing in the programs is changed but a page of code that the kernel gives each of them, the
 * vDSO (vdso.h): it reads the clocks, and adds how far they are ahead. System calls that wait for a
 * finite time stop for us as they begin (filter.h); we note until when, and they go on with their
 * own arguments, so that wake-ups, signals and errors are the kernel's own. A wait that
 * has ended by the client's clock is interrupted, and made to return what it returns at its
 * deadline (wait.h, calls.c). When to jump, and to when, is in jump.h; who has to agree, in
 * protocol.h.
 *
 * Sources: kernel/ptrace.c, kernel/seccomp.c, kernel/signal.c (do_jobctl_trap), ptrace(2).
 */
#ifndef SYNFAULT_RUNNER_CLOCK_CLOCK_PROCESS_H
#define SYNFAULT_RUNNER_CLOCK_CLOCK_PROCESS_H

#include "common/util.h"

struct clock_process_config {
	int control_fd; /* messages of protocol.h */
	int join_fd;    /* programs that are to be followed say so here (clock_process_join()) */
	uint32_t syn_linear;
	int64_t connect_ns; /* how long the kernel goes on with an unanswered connect() */
};

/** clock_process_run() - be the clock process, in a child of the supervisor */
NORETURN void clock_process_run(const struct clock_process_config *config);

struct filter;

/**
 * clock_process_join() - put the calling process on the clock; it may be a child of vfork()
 * @join_fd: the other end of the clock process's
 *
 * Return: 0 or a negative errno.
 */
int clock_process_join(int join_fd, const struct filter *filter);

#endif
