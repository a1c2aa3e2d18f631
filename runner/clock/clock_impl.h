/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the clock process share, and no one else sees. */
#ifndef SYNFAULT_RUNNER_CLOCK_CLOCK_IMPL_H
#define SYNFAULT_RUNNER_CLOCK_CLOCK_IMPL_H

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
	uint64_t n_stops;   /* of threads, so far */
	bool failed;        /* the supervisor knows why */
	bool finishing;
};

/* The client's CLOCK_MONOTONIC. */
int64_t clock_process_now_ns(const struct clock_process *self);
/* All of its clocks. */
struct wait_clocks clock_process_clocks(const struct clock_process *self);
/* Reports to the supervisor, once, that the clock can't be trusted from now on. */
void clock_process_fail(struct clock_process *self, const char *format, ...) PRINTF(2, 3);

/* ---- stops.c: threads that have stopped ---- */

/* Takes what waitpid() said of a thread, and lets it go on. */
void stops_take(struct clock_process *self, pid_t tid, int status);

/* ---- calls.c: system calls that stop ---- */

/* A thread has stopped before a system call that the filter names. */
void calls_take(struct clock_process *self, struct thread *thread);
/* A call that reads a clock is about to return: its answer is moved. */
void calls_move_answer(struct clock_process *self, struct thread *thread);
/* Ends the wait of a thread that was interrupted because its wait was due, unless it has ended. */
void calls_end_wait(struct clock_process *self, struct thread *thread);
/* Returns whether a thread that has stopped is still in the wait that is noted for it. */
bool calls_is_in_wait(const struct thread *thread, const struct registers *registers);
/* A signal is delivered: what is left of a sleep is by the client's clock. */
void calls_correct_left(const struct clock_process *self, const struct thread *thread);
/* Finds waits on sockets that have times of their own. */
void calls_find_socket_waits(struct clock_process *self);

/* ---- remote_call.c: calls that a thread makes for us ---- */

/**
 * remote_call() - let a sleeping thread of a process make a system call
 * @data: memory that the call reads, or NULL; its address becomes the argument @data_argument
 *
 * Its own call goes on after that.
 *
 * Return: what the call returned; -ESRCH when no thread sleeps.
 */
long remote_call(struct clock_process *self, struct process *process, long number,
		 const uint64_t arguments[static 6], const void *data, size_t size,
		 unsigned data_argument);

/* ---- due.c: what is due by the client's clock ---- */

/* The earliest deadline of the client's; of threads that only do chores in *@ret_chores. */
int64_t due_next_ns(const struct clock_process *self, int64_t *ret_chores);
/* Ends waits and sets off timers that are due. Returns whether there were any. */
bool due_take(struct clock_process *self);
/* Lets the kernel end an attempt at its next repetition. */
void due_hurry(struct clock_process *self, struct connecting *connecting);

#endif
