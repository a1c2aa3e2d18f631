/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock process of a sandbox: it traces the client and server commands with ptrace(2), moves
 * their clocks forward when all of them sleep, and ends the waits that are due then. If it dies,
 * they die (PTRACE_O_EXITKILL); if its supervisor dies, it dies.
 *
 * Theory of operation
 * -------------------
 * The only thing changed in the programs is the vDSO, the page of code that the kernel maps into
 * each of them (vdso.h): the new code reads the clocks and adds how far they are ahead. System
 * calls that wait for a finite time stop as they begin (filter.h). The clock process notes their
 * deadline, and they go on with their own arguments, so that wake-ups, signals and errors stay the
 * kernel's own. When the deadline of a wait has passed by the client's clock, the clock process
 * interrupts the call, and makes it return what it returns at its deadline (wait.h, calls.c).
 * jump.h decides when to jump, and how far; protocol.h says who has to agree.
 *
 * Sources: kernel/ptrace.c, kernel/seccomp.c, kernel/signal.c (do_jobctl_trap), ptrace(2).
 */
#ifndef SYNFAULT_RUNNER_CLOCK_CLOCK_PROCESS_H
#define SYNFAULT_RUNNER_CLOCK_CLOCK_PROCESS_H

#include "common/util.h"

struct clock_process_config {
	int control_fd;      /* messages of protocol.h */
	int join_fd;         /* programs ask here to be traced (clock_process_join()) */
	uint32_t syn_linear; /* net.ipv4.tcp_syn_linear_timeouts */
	int64_t connect_ns;  /* after how long the kernel gives up an unanswered connect() */
	const struct address_networks *networks; /* as in struct virtual_clock_config */
};

/** clock_process_run() - run the clock process, in a child of the supervisor, until it exits */
NORETURN void clock_process_run(const struct clock_process_config *config);

struct syscall_filter;

/**
 * clock_process_join() - put the calling process on the client's clock
 * @join_fd: the supervisor's end of the clock process's join_fd
 * @filter: the filter to install
 *
 * Async-signal-safe: the caller may be a child of vfork(2).
 *
 * Return: 0 or a negative errno: -EPERM if ptrace(2) is not allowed; -EOPNOTSUPP if /proc lacks
 * the thread's files; -EPIPE if the clock process is gone.
 */
int clock_process_join(int join_fd, const struct syscall_filter *filter);

#endif
