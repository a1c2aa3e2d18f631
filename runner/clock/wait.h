/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a system call waits for: until when, and what it returns when that time has come. Pure: the
 * caller reads the other process's memory.
 *
 * A wait ends on its own when the kernel's clock has reached its deadline, which is never before
 * the client's clock has: that one is ahead by all jumps so far. So the kernel keeps the client's
 * own arguments, and only what is due by the client's clock has to be ended from outside.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_WAIT_H
#define SYNFAULT_RUNNER_CLOCK_WAIT_H

#include "common/util.h"

/* A system call as it is entered. */
struct wait_call {
	long number;
	uint64_t arguments[6];
};

/* The client's clocks at one moment, in nanoseconds. */
struct wait_clocks {
	int64_t monotonic_ns, realtime_ns, boottime_ns, tai_ns;
};

/* What a call writes back: the time that was left, in the form of its argument. */
enum wait_left {
	WAIT_LEFT_NONE,
	WAIT_LEFT_TIMESPEC,
	WAIT_LEFT_TIMEVAL,
};

struct wait {
	struct wait_call call;
	int64_t deadline_ns; /* by the client's CLOCK_MONOTONIC */
	bool absolute;       /* the argument is a time, not a length of time */
	int result; /* what the call returns when the time has come: 0 or a negative errno */
	enum wait_left left;
	uint64_t left_at; /* where that is written */
	/* select() and its kind: the sets to empty, and how many bytes each has. */
	uint64_t sets[3];
	size_t set_size;
};

/* Reads @size bytes at @address of the process that called. Returns 0 or a negative errno. */
typedef int (*wait_read_fn)(void *userdata, uint64_t address, void *data, size_t size);

/**
 * wait_decode() - find out what a system call waits for
 * @read: for arguments that are in memory
 *
 * Return: 1 and @ret, of a call with a finite deadline; 0 of any other, or of one that the kernel
 * will refuse; -EFAULT when its arguments can't be read.
 */
int wait_decode(const struct wait_call *call, wait_read_fn read, void *userdata,
		const struct wait_clocks *now, struct wait *ret);

/**
 * wait_ends_late() - whether the kernel will end a wait later than the client's clock asks for
 * @began_ns: how far the client's clock was ahead of the kernel's when the wait began
 * @ahead_ns: how far it is now
 */
bool wait_ends_late(const struct wait *wait, int64_t began_ns, int64_t ahead_ns);

/**
 * wait_goes_on() - whether a thread is still in the call that it began
 * @begun: the call
 * @now: the one that it is in, by its registers
 *
 * One that a signal without a handler has cut short goes on under another number
 * (restart_syscall(2)), with its arguments where they were.
 */
bool wait_goes_on(const struct wait_call *begun, const struct wait_call *now);

/**
 * wait_may_sleep() - whether a thread that sleeps in this system call waits for others, or for time
 *
 * Elsewhere a sleeping thread may be waiting for a disk or a server outside.
 */
bool wait_may_sleep(long number);

/* Splits nanoseconds into a struct timespec, or a struct timeval, as the kernel has them. */
void wait_split(int64_t ns, enum wait_left form, int64_t ret[static 2]);

#endif
