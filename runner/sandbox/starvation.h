/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds the time for which threads were ready without a processor, from looks at all of them.
 * Pure: thread_looks.h reads what it is given.
 *
 * Theory of operation
 * -------------------
 * The kernel counts how long a thread waited in its run queue, but only once the wait is over. So a
 * thread that is ready at a look has waited for longer than it says: by at most the time since the
 * look before, less what it ran and waited in it. Usually it is not waiting but running, which the
 * next look tells: then nothing was added to what it waited. Until then the bound for the look is
 * provisional.
 *
 * What waits at the same time delays a program only once: no interval adds more than its length.
 *
 * A thread that has ended unseen is another matter: the kernel does not say how long it waited. If
 * the machine was calm it was not for long: no thread that was seen had to wait, nor had any other
 * (/proc/pressure/cpu; where there is none, no more threads were ready than there are processors).
 * Else it may have been for the whole interval.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_STARVATION_H
#define SYNFAULT_RUNNER_SANDBOX_STARVATION_H

#include <sys/types.h>

#include "common/util.h"

/* A thread at one look. */
struct thread_look {
	pid_t tid;
	uint64_t started; /* ticks since boot: a number can be used again */
	int64_t run_ns;   /* as /proc/PID/task/TID/schedstat has it, as the next two */
	int64_t wait_ns;
	uint64_t slices;
	bool ready;      /* runs, or waits for a processor */
	uint64_t reaped; /* of a first thread: grows when its process reaps a child */
};

/* What the kernel says of all threads of the machine. */
struct machine_look {
	uint64_t last_pid;  /* the youngest thread's number in the pid namespace; 0: not known */
	unsigned n_running; /* threads that run or are ready; UINT_MAX: not known */
	int64_t waited_ns;  /* for which some thread was ready without a processor; -1: not known */
};

struct thread_state {
	struct thread_look look;
	int64_t pending_ns; /* it may be waiting for this long, not counted yet */
	int64_t certain_ns; /* it is certainly waiting for this long, not counted yet */
	int64_t before_ns;  /* of pending_ns: certain at the look before */
};

struct starvation {
	struct thread_state *threads; /* at the last look, by tid */
	size_t n_threads;
	int64_t began_ns, ended_ns;         /* of the last look */
	int64_t bound_ns;                   /* until the last look, without what is pending */
	int64_t room_ns;                    /* how much the last interval can still add */
	int64_t taken_ns, taken_pending_ns; /* of threads taken since the last look */
	int64_t counted_ns;                 /* by the kernel, of all threads seen, until now */
};

/** starvation_begin() - begin to count at @now_ns, before there is a thread */
void starvation_begin(struct starvation *self, int64_t now_ns);
void starvation_end(struct starvation *self);

/**
 * starvation_look() - count a look
 * @looks: all threads there are; sorted by this
 * @began_ns: when the look began, CLOCK_MONOTONIC
 * @ended_ns: when it ended
 * @unseen: a thread began and ended since the look before, as far as the caller knows
 * @calm: machine_was_calm() since the look before
 *
 * bound_ns is then the bound until this look.
 *
 * Return: how much higher the bound until the look before is than was known then; bound_ns has it.
 */
int64_t starvation_look(struct starvation *self, struct thread_look *looks, size_t n_looks,
			int64_t began_ns, int64_t ended_ns, bool unseen, bool calm);

/**
 * machine_was_calm() - ask whether threads got a processor at once between two looks
 * @length_ns: of the time between them
 * @n_processors: that the caller may use
 */
bool machine_was_calm(const struct machine_look *before, const struct machine_look *now,
		      int64_t length_ns, unsigned n_processors);

/** starvation_take_last() - count a dead thread that is about to be reaped */
void starvation_take_last(struct starvation *self, const struct thread_look *look);

#endif
