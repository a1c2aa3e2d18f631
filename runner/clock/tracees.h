/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads and processes on the client's clock: what is known of each, and whether all of them
 * sleep.
 *
 * Theory of operation
 * -------------------
 * The kernel counts for each thread how often it was given a processor
 * (/proc/PID/task/TID/schedstat, CONFIG_SCHED_INFO). tracees_sleep() reads the counts of all
 * threads, then the states of all, then the counts again. A thread that slept when its state was
 * read, and whose count was the same before and after, slept from the first reading on: to fall
 * asleep later it would have had to run. So at the moment between the first round and the second,
 * all threads slept. Later, tracees_still_sleep() finds out in the same way whether any has run
 * since.
 *
 * A sleeping thread may be waiting for a disk, or for a server outside the sandbox. So it counts as
 * asleep only in calls that wait for other threads, for sockets or for time.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_TRACEES_H
#define SYNFAULT_RUNNER_CLOCK_TRACEES_H

#include <sys/types.h>
#include <uthash.h>

#include "runner/clock/wait.h"

/* Room for a line of schedstat: three numbers of at most 20 digits. */
enum { SCHEDSTAT_SIZE = 72 };

struct process {
	UT_hash_handle hh;
	pid_t pid;
	int memory_fd; /* /proc/PID/mem; reopened after execve(2); -1: not open */
	/* Addresses in its vDSO of struct vdso_ahead and of a syscall instruction; 0: not patched.
	 */
	uint64_t ahead_at, syscall_at;
	size_t n_threads;
};

struct thread {
	UT_hash_handle hh;
	pid_t tid;
	struct process *process;
	int stat_fd, schedstat_fd;
	char counts[SCHEDSTAT_SIZE];  /* schedstat as last read */
	char checked[SCHEDSTAT_SIZE]; /* schedstat when asleep_in and may_sleep were determined */
	bool may_sleep;               /* asleep_in is a call in which it counts as asleep */
	struct wait_call asleep_in;
	bool waits; /* it has begun `wait`, and may be in it still */
	struct wait wait;
	int64_t began_ahead_ns; /* how far the clock was ahead when the wait began */
	bool forced;      /* the kernel no longer knows the deadline: we have to end the wait */
	bool ending;      /* it was interrupted because its wait was due */
	bool missed;      /* … but had already begun another call */
	bool stopping;    /* it was interrupted to make a call on our behalf */
	bool kept;        /* its next call is the same wait again, and keeps the deadline */
	bool reads_clock; /* it is in a call that returns a time, to which jumps are added */
	struct wait_call call; /* the last one that the filter stopped */
	bool chore;            /* jump_is_chore() */
	uint8_t n_named;       /* how often its name was read */
};

struct tracees {
	struct thread *threads;
	struct process *processes;
	size_t n_threads;
	pid_t awake_tid;  /* the thread that tracees_sleep() found awake; 0: none */
	char awake_state; /* as in /proc/PID/stat; c, e, s: see tracees_sleep() */
};

/** tracees_find() - return the thread, or NULL if it is unknown; tracees own it */
struct thread *tracees_find(const struct tracees *self, pid_t tid);
/**
 * tracees_add() - add a thread, and its process if that is new
 *
 * Return: the thread, also if it was there before; NULL if its files in /proc can't be opened.
 */
struct thread *tracees_add(struct tracees *self, pid_t tid);
/** tracees_remove() - free the thread, and its process with the last thread */
void tracees_remove(struct tracees *self, struct thread *thread);
/** tracees_executed() - forget what ended with execve(2): other threads, and the patched vDSO */
void tracees_executed(struct tracees *self, struct process *process);

/**
 * tracees_sleep() - find out whether all threads slept at one moment
 *
 * If so, asleep_in and may_sleep of each thread are up to date. If not, awake_tid is a thread that
 * did not sleep, and awake_state its state, or why it does not count as asleep: 'c' it reads a
 * clock, 'e' its wait is being ended, 's' it sleeps in a call that may wait for anything.
 *
 * Return: whether they slept; false if there are no threads.
 */
bool tracees_sleep(struct tracees *self);
/** tracees_still_sleep() - return whether no thread has run since tracees_sleep() */
bool tracees_still_sleep(const struct tracees *self);
/** thread_still_sleeps() - return whether the thread has not run since tracees_sleep() */
bool thread_still_sleeps(const struct thread *thread);
/** thread_is_in() - return whether the call that the thread was last seen asleep in is @call */
bool thread_is_in(const struct thread *thread, const struct wait_call *call);
/** thread_sleeps() - return whether the thread sleeps now */
bool thread_sleeps(const struct thread *thread);
/** thread_has_signal() - return whether a signal is pending that the thread does not block */
bool thread_has_signal(const struct thread *thread);
/** thread_is_dead() - return whether the thread has ended: it is a zombie, or gone */
bool thread_is_dead(const struct thread *thread);
/** thread_name() - return the thread's name; empty if the thread is gone */
void thread_name(const struct thread *thread, char ret[static 32]);

/**
 * process_read() - read a process's memory
 * @address: in the process
 * @size: bytes to read
 *
 * Return: 0 or a negative errno; -EFAULT if only a part can be read.
 */
int process_read(const struct process *process, uint64_t address, void *data, size_t size);
/** process_write() - write a process's memory; parameters and errors as for process_read() */
int process_write(const struct process *process, uint64_t address, const void *data, size_t size);

/**
 * process_patch() - replace the code in a process's vDSO (vdso.h) and set its clock
 * @ahead_ns: how far its clock is to be ahead
 *
 * Return: 0 or a negative errno: -ENOENT if the process has no vDSO, else as vdso_plan() and
 * process_write().
 */
int process_patch(struct process *process, int64_t ahead_ns);
/**
 * process_move() - set a process's clock
 * @ahead_ns: how far it is to be ahead
 *
 * Does nothing if the vDSO is not patched.
 *
 * Return: 0 or a negative errno, as process_write().
 */
int process_move(const struct process *process, int64_t ahead_ns);

/** process_socket() - return the inode of the socket behind a process's descriptor; 0: not one */
uint64_t process_socket(pid_t pid, int fd);
/**
 * process_fd_number() - read a number from /proc/PID/fdinfo/FD (proc(5))
 * @fd: a descriptor of the process
 * @key: what its line begins with: "flags:"
 * @base: of the number: 8, 10 or 16
 *
 * Return: the number, or -1 if it can't be read.
 */
long process_fd_number(pid_t pid, int fd, const char *key, int base);
/** thread_n_descriptors() - return the size of a thread's table of descriptors; 0: not known */
size_t thread_n_descriptors(pid_t tid);

#endif
