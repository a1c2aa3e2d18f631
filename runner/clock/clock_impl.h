/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the clock process share. No other module includes it. */
#ifndef SYNFAULT_RUNNER_CLOCK_CLOCK_IMPL_H
#define SYNFAULT_RUNNER_CLOCK_CLOCK_IMPL_H

#include "injector/address.h"
#include "runner/clock/client_timers.h"
#include "runner/clock/connects.h"
#include "runner/clock/registers.h"
#include "runner/clock/tracees.h"

struct clock_process {
	int control_fd, join_fd, signal_fd;
	int64_t ahead_ns; /* how far the client's clock is ahead of the kernel's */
	struct tracees tracees;
	struct client_timers timers;
	struct connects connects;
	uint32_t syn_linear;
	int64_t connect_ns; /* how long the kernel goes on with an unanswered connect() */
	const struct address_networks *networks; /* NULL: all addresses are on the clock */
	uint64_t n_stops;                        /* how often a thread has stopped */
	bool failed;    /* the clock can't be trusted; the supervisor knows why */
	bool finishing; /* end as soon as no thread is left */
};

/** clock_process_now_ns() - return the client's CLOCK_MONOTONIC */
int64_t clock_process_now_ns(const struct clock_process *self);
/** clock_process_clocks() - return all of the client's clocks */
struct wait_clocks clock_process_clocks(const struct clock_process *self);
/**
 * clock_process_fail() - report to the supervisor that the clock can't be trusted from now on
 * @format: the reason, one phrase
 *
 * Only the first reason is reported.
 */
void clock_process_fail(struct clock_process *self, const char *format, ...) PRINTF(2, 3);

/* ---- stops.c: threads that have stopped ---- */

/**
 * stops_take() - handle a change of a thread's state, and resume the thread
 * @tid: may be unknown so far
 * @status: as waitpid(2) returned it: a stop or the end
 */
void stops_take(struct clock_process *self, pid_t tid, int status);

/* ---- calls.c: system calls that stop ---- */

/**
 * calls_take() - handle a thread that the filter has stopped before a system call
 *
 * Notes what the thread will wait for, or answers in the kernel's place. The caller resumes the
 * thread.
 */
void calls_take(struct clock_process *self, struct thread *thread);
/** calls_move_answer() - add the jumps to the time that a call of a stopped thread returns */
void calls_move_answer(struct clock_process *self, struct thread *thread);
/**
 * calls_end_wait() - let the wait of an interrupted thread time out
 *
 * If the thread has left that wait in the meantime, the call that it is in begins again.
 */
void calls_end_wait(struct clock_process *self, struct thread *thread);
/** calls_is_in_wait() - return whether a stopped thread is still in the wait noted for it */
bool calls_is_in_wait(const struct thread *thread, const struct registers *registers);
/** calls_correct_left() - correct the remaining time that a sleep cut by a signal reports */
void calls_correct_left(const struct clock_process *self, const struct thread *thread);
/** calls_find_socket_waits() - note the waits that SO_RCVTIMEO and SO_SNDTIMEO limit */
void calls_find_socket_waits(struct clock_process *self);

/* ---- remote_call.c: calls that a client's thread makes on our behalf ---- */

/**
 * remote_call() - make a sleeping thread of a process execute a system call
 * @number: of the system call
 * @arguments: of the call
 * @data: what the call reads from memory, or NULL
 * @size: bytes at @data
 * @data_argument: which argument becomes the address of the copy of @data, from 0
 *
 * Afterwards the thread continues the call that it slept in.
 *
 * Return: what the call returned; -ESRCH if no thread sleeps or it has ended; -EFAULT if the
 * process's memory can't be written.
 */
long remote_call(struct clock_process *self, struct process *process, long number,
		 const uint64_t arguments[static 6], const void *data, size_t size,
		 unsigned data_argument);

/* ---- due.c: what is due by the client's clock ---- */

/**
 * due_next_ns() - return the client's earliest deadline, or INT64_MAX
 * @ret_chores: the earliest deadline of threads that only do chores (jump_is_chore())
 *
 * Both are times of the client's CLOCK_MONOTONIC.
 */
int64_t due_next_ns(const struct clock_process *self, int64_t *ret_chores);
/**
 * due_woke() - return whether a thread has run since tracees_sleep() though the kernel has not
 * ended its wait
 */
bool due_woke(const struct clock_process *self);
/** due_take() - end the waits and fire the timers that are due; return whether any was */
bool due_take(struct clock_process *self);
/**
 * due_hurry() - make the kernel end an attempt when it would next retransmit the SYN
 *
 * Sets TCP_USER_TIMEOUT on the client's socket (net/ipv4/tcp_timer.c, tcp_write_timeout()).
 */
void due_hurry(struct clock_process *self, struct connecting *connecting);

#endif
