/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Until when a system call waits, and what it returns at that time. Pure: the caller
 * reads the other process's memory.
 *
 * A wait ends on its own when the kernel's clock reaches the deadline. The client's clock, which is
 * ahead by all jumps so far, never reaches it later. So the kernel can be left with the client's
 * own arguments: a wait never ends too early, and one that would end too late is ended from
 * outside.
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

/* The form in which a call writes back the time that was left. */
enum wait_left {
	WAIT_LEFT_NONE,
	WAIT_LEFT_TIMESPEC,
	WAIT_LEFT_TIMEVAL,
};

struct wait {
	struct wait_call call;
	int64_t deadline_ns; /* by the client's CLOCK_MONOTONIC */
	bool absolute;       /* the argument is a point in time, not a duration */
	int result;          /* what the call returns at its deadline: 0 or a negative errno */
	enum wait_left left;
	uint64_t left_at; /* the address to write the time left to */
	/*
	 * select() and pselect(): the addresses of the sets to empty, and the bytes of each, for as
	 * many descriptors as the call names. The kernel ignores those beyond the process's table.
	 */
	uint64_t sets[3];
	size_t set_size;
};

/* Reads @size bytes at @address of the calling process. Returns 0 or a negative errno. */
typedef int (*wait_read_fn)(void *userdata, uint64_t address, void *data, size_t size);

/**
 * wait_decode() - find out until when a system call waits
 * @read: reads the arguments that are in memory
 * @userdata: for @read
 * @now: the client's clocks
 *
 * Return: 1 and @ret for a call with a finite deadline; 0 for any other call, or one that the
 * kernel will refuse; -EFAULT if its arguments can't be read.
 */
int wait_decode(const struct wait_call *call, wait_read_fn read, void *userdata,
		const struct wait_clocks *now, struct wait *ret);

/** wait_limit_sets() - leave out descriptors beyond a table of @n_descriptors */
void wait_limit_sets(struct wait *wait, size_t n_descriptors);

/**
 * wait_ends_late() - return whether the kernel will end a wait after its deadline
 * @began_ns: how far the client's clock was ahead of the kernel's when the wait began
 * @ahead_ns: how far it is ahead now
 *
 * The deadline is by the client's clock.
 */
bool wait_ends_late(const struct wait *wait, int64_t began_ns, int64_t ahead_ns);

/**
 * wait_goes_on() - return whether a thread is still in the call that it began
 * @begun: the call
 * @now: the call that its registers show
 *
 * A call that a signal without a handler has cut short continues as restart_syscall(2), with the
 * same arguments in its registers.
 */
bool wait_goes_on(const struct wait_call *begun, const struct wait_call *now);

/**
 * wait_may_sleep() - return whether a sleeping thread in this call waits for others or for time
 * @number: of the system call
 *
 * In all other calls it may be waiting for a disk, or for a server outside the sandbox.
 */
bool wait_may_sleep(long number);

/**
 * wait_split() - split nanoseconds into the two fields of a struct timespec or timeval
 * @ns: negative counts as 0
 * @form: which of the two
 * @ret: the fields, as in the kernel's 64-bit structures
 */
void wait_split(int64_t ns, enum wait_left form, int64_t ret[static 2]);

#endif
