/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds the time for which threads were ready without a processor, from looks at all of them.
 * Pure: thread_looks.h does the reading.
 *
 * Theory of operation
 * -------------------
 * The kernel counts how long a thread waited in its run queue, but only when the wait ends. So a
 * thread that is ready at a look may have waited for longer than the count says: by at most the
 * time since the previous look, less what it ran and waited in that time. Usually it is running,
 * not waiting. The next look shows that, because then its count has not grown. Until then the bound
 * for the look is provisional.
 *
 * Threads that wait at the same time delay a program only once: no interval adds more than its
 * length. Threads that only look after the runtime delay nothing: the compilers of a Java virtual
 * machine wait in the background for most of its start, while the program itself goes on.
 *
 * If a thread ended unseen, the kernel does not say how long it waited. On a calm machine it did
 * not wait for long: no thread that was seen had to wait, the canary was in time, and no other
 * thread had to wait either (/proc/pressure/cpu; if that is missing, no more threads were ready
 * than there are processors). Otherwise it may have waited for the whole interval.
 *
 * The pressure's total alone would not do. It says too little to those who read it more often than
 * the kernel's clock ticks, as many runs side by side do: each reading adds the time since the one
 * before, weighted by busy ticks (collect_percpu_times() in kernel/sched/psi.c), and less than a
 * tick counts as none.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_STARVATION_H
#define SYNFAULT_RUNNER_SANDBOX_STARVATION_H

#include <sys/types.h>

#include "common/util.h"

/* A thread at one look. */
struct thread_look {
	pid_t tid;
	uint64_t started; /* ticks since boot: a tid can be reused */
	int64_t run_ns;   /* from /proc/PID/task/TID/schedstat, like the next two */
	int64_t wait_ns;
	uint64_t slices;
	bool ready;      /* runs, or waits for a processor */
	bool chore;      /* only looks after the runtime: nothing waits for it */
	uint64_t reaped; /* of a process's first thread: grows when the process reaps a child */
};

/* What the kernel says about all threads of the machine. */
struct machine_look {
	uint64_t last_pid;  /* the youngest thread's tid in the pid namespace; 0: unknown */
	unsigned n_running; /* threads that run or are ready; UINT_MAX: unknown */
	/* For how long some thread was ready without a processor, as an average over processors,
	 * weighted by how long each was busy; -1: unknown. */
	int64_t waited_ns;
};

struct thread_state {
	struct thread_look look;
	int64_t pending_ns; /* for how long it may have been waiting, not counted yet */
	int64_t certain_ns; /* for how long it has certainly been waiting, not counted yet */
	int64_t before_ns;  /* the part of pending_ns that was certain at the previous look */
};

struct starvation {
	struct thread_state *threads; /* at the last look, by tid */
	size_t n_threads;
	int64_t began_ns, ended_ns; /* the last look */
	int64_t bound_ns;           /* the bound at the last look, without pending waits */
	int64_t room_ns;            /* how much the last interval can still add */
	/* What starvation_take_last() and starvation_take_delay() have added since the last look.
	 */
	int64_t taken_ns, taken_pending_ns;
	int64_t counted_ns; /* the kernel's count for all threads seen so far */
};

/** starvation_begin() - begin to count at @now_ns, before the first thread starts */
void starvation_begin(struct starvation *self, int64_t now_ns);
/** starvation_end() - free what starvation_look() has allocated */
void starvation_end(struct starvation *self);

/**
 * starvation_look() - count a look
 * @looks: all existing threads; this function sorts them
 * @began_ns: when the look began, CLOCK_MONOTONIC
 * @ended_ns: when it ended
 * @unseen: whether, as far as the caller knows, a thread began and ended since the previous look
 * @calm: machine_was_calm() since the previous look
 *
 * Sets bound_ns to the bound until this look.
 *
 * Return: by how many ns the bound until the previous look has to be raised; bound_ns includes it.
 */
int64_t starvation_look(struct starvation *self, struct thread_look *looks, size_t n_looks,
			int64_t began_ns, int64_t ended_ns, bool unseen, bool calm);

/**
 * machine_was_calm() - ask whether threads got a processor at once between two looks
 * @length_ns: the time between them
 * @n_processors: how many the caller may use
 */
bool machine_was_calm(const struct machine_look *before, const struct machine_look *now,
		      int64_t length_ns, unsigned n_processors);

/**
 * machine_wait_ns() - estimate how long a thread that no look sees may have waited between two
 * looks
 * @length_ns: the time between them
 * @n_processors: how many the caller may use
 *
 * Return: nanoseconds, at most @length_ns. Exact if all processors were equally busy; the canary
 * has to say the rest.
 */
int64_t machine_wait_ns(const struct machine_look *before, const struct machine_look *now,
			int64_t length_ns, unsigned n_processors);

/**
 * starvation_pending_ns() - bound how long threads may have been waiting at the last look
 *
 * Return: by how much bound_ns can still have to be raised.
 */
int64_t starvation_pending_ns(const struct starvation *self);

/** starvation_take_delay() - count a delay since the last look that no thread's counts show */
void starvation_take_delay(struct starvation *self, int64_t delay_ns);

/** starvation_take_last() - count a dead thread that is about to be reaped */
void starvation_take_last(struct starvation *self, const struct thread_look *look);

#endif
