/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads and processes on the clock: what is known of each, and whether all of them sleep.
 *
 * Theory of operation
 * -------------------
 * The kernel counts for each thread how often it has got a processor (/proc/PID/task/TID/schedstat,
 * CONFIG_SCHED_INFO). tracees_sleep() reads the counts of all, then the state of all, then the
 * counts again. A thread that slept when its state was read, and whose count was the same before
 * and after, slept from the first reading on: to fall asleep it would have had to run. So between
 * the first two rounds there was a moment at which all of them slept. Later tracees_still_sleep()
 * finds in the same way whether any has run since.
 *
 * A thread that sleeps may be waiting for a disk, or for a server outside of the sandbox: it counts
 * as asleep only in calls that wait for other threads, for sockets or for time.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_TRACEES_H
#define SYNFAULT_RUNNER_CLOCK_TRACEES_H

#include <sys/types.h>
#include <uthash.h>

#include "runner/clock/wait.h"

/* A line of schedstat: three numbers of at most 20 digits. */
enum { SCHEDSTAT_SIZE = 72 };

struct process {
	UT_hash_handle hh;
	pid_t pid;
	int memory_fd; /* /proc/PID/mem of the program that it executes; -1: not opened */
	uint64_t ahead_at, syscall_at; /* in its vDSO; 0: it is as the kernel made it */
	size_t n_threads;
};

struct thread {
	UT_hash_handle hh;
	pid_t tid;
	struct process *process;
	int stat_fd, schedstat_fd;
	char counts[SCHEDSTAT_SIZE];  /* as last read */
	char checked[SCHEDSTAT_SIZE]; /* when it was last found out what it sleeps in */
	bool may_sleep;               /* what came of that */
	struct wait_call asleep_in;
	bool waits; /* `wait` is what it is in, if it is still in it */
	struct wait wait;
	int64_t began_ahead_ns; /* of the wait */
	bool forced;            /* the kernel has lost the wait's deadline: it has to be ended */
	bool ending;            /* it was interrupted, since its wait was due */
	bool missed;            /* … and had begun another call before */
	bool kept;              /* the call that comes next is the same one, with its deadline */
	bool reads_clock;       /* in a system call of its own whose answer has to be moved */
	struct wait_call call;  /* the last one that stopped */
	bool chore;             /* jump_is_chore() */
	uint8_t n_named;        /* how often its name was looked at */
};

struct tracees {
	struct thread *threads;
	struct process *processes;
	size_t n_threads;
	pid_t awake_tid;  /* the last that did not sleep; 0: all did */
	char awake_state; /* as in /proc/PID/stat */
};

struct thread *tracees_find(const struct tracees *self, pid_t tid);
/** tracees_add() - return the thread, added if it is new; NULL: its files can't be opened */
struct thread *tracees_add(struct tracees *self, pid_t tid);
void tracees_remove(struct tracees *self, struct thread *thread);
/** tracees_executed() - take away the other threads of a process that has executed a program */
void tracees_executed(struct tracees *self, struct process *process);

/**
 * tracees_sleep() - find out whether all threads slept at one moment
 *
 * What each of them sleeps in is known then: ->asleep_in, ->may_sleep.
 */
bool tracees_sleep(struct tracees *self);
/** tracees_still_sleep() - find out whether none has run since */
bool tracees_still_sleep(const struct tracees *self);
/** thread_is_in() - whether a sleeping thread is still in the call, or was so when it fell asleep
 */
bool thread_is_in(const struct thread *thread, const struct wait_call *call);
/** thread_sleeps() - whether it sleeps just now */
bool thread_sleeps(const struct thread *thread);
/** thread_has_signal() - whether a signal that it does not block waits for it */
bool thread_has_signal(const struct thread *thread);
/** thread_is_dead() - whether it has ended, and its parent has not asked for it yet */
bool thread_is_dead(const struct thread *thread);
/** thread_name() - read its name; empty if it is gone */
void thread_name(const struct thread *thread, char ret[static 32]);

/* Reads and writes a process's memory. Return 0 or a negative errno. */
int process_read(const struct process *process, uint64_t address, void *data, size_t size);
int process_write(const struct process *process, uint64_t address, const void *data, size_t size);

/**
 * process_patch() - put the code into its vDSO that moves its clock (vdso.h)
 * @ahead_ns: how far the clock is ahead
 *
 * Return: 0 or a negative errno.
 */
int process_patch(struct process *process, int64_t ahead_ns);
/** process_move() - write how far the clock is ahead; nothing where there is no code */
int process_move(const struct process *process, int64_t ahead_ns);

/** process_socket() - return the inode of a socket by its descriptor, or 0 */
uint64_t process_socket(pid_t pid, int fd);
/** process_fd_number() - return the number behind @key in a descriptor's fdinfo, or -1 */
long process_fd_number(pid_t pid, int fd, const char *key, int base);

#endif
