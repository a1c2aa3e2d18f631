/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's clock, as the supervisor has it: it starts the clock process (clock_process.h), and
 * goes by the same clock itself. The vDSO of the supervisor is patched as the programs' are, so
 * that all of its timers, those of the injector and of the built-in servers are on the client's
 * clock, and so are the times that it writes down.
 *
 * Before a jump the clock process asks. The question is an event of the lowest priority: it comes
 * to be read when the event loop has nothing else to do, and so when everything has been read and
 * answered. What may still be on its way inside the kernel is looked for then (quiet.h).
 */
#ifndef SYNFAULT_RUNNER_CLOCK_VIRTUAL_CLOCK_H
#define SYNFAULT_RUNNER_CLOCK_VIRTUAL_CLOCK_H

#include <event2/event.h>
#include <sys/types.h>

#include "common/util.h"

/* Of the event loop (event_base_priority_init()). The question has the lowest. */
enum { CLOCK_N_PRIORITIES = 3 };
/*
 * Timers with this priority only look what others do. The clock does not stop for them: while it
 * jumps, no process does anything.
 */
enum { CLOCK_PRIORITY_LOOKS = 0 };

/* Sockets in SYN-SENT that wait for nothing that is under way. */
struct clock_waiting {
	uint64_t *inodes;
	size_t n_inodes, capacity;
};

struct virtual_clock_config {
	struct event_base *base; /* with CLOCK_N_PRIORITIES */
	uint32_t syn_retries, syn_linear;
	/*
	 * Whether nothing is under way in the sandbox, after all events have been handled. Adds the
	 * sockets in SYN-SENT.
	 */
	bool (*is_quiet)(void *userdata, struct clock_waiting *ret);
	/*
	 * The clock is about to jump: what is measured between two looks is looked at. Returns
	 * whether it may: nothing has come in.
	 */
	bool (*before_jump)(void *userdata);
	/* It has jumped, and no program has run yet. */
	void (*after_jump)(void *userdata, int64_t at_ns, int64_t by_ns);
	/* From here on it can't be trusted; it does not jump any more. */
	void (*on_failure)(void *userdata, const char *reason);
	void *userdata;
};

struct virtual_clock;

/**
 * virtual_clock_start() - start the clock process, and put the calling process on its clock
 *
 * Return: 0, or a negative errno with *@ret_reason, the caller's.
 */
int virtual_clock_start(const struct virtual_clock_config *config, struct virtual_clock **ret,
			char **ret_reason);

/**
 * virtual_clock_join() - put the calling process on the clock, before it executes a program
 *
 * It may be a child of vfork().
 *
 * Return: 0 or a negative errno.
 */
int virtual_clock_join(const struct virtual_clock *clock);

pid_t virtual_clock_pid(const struct virtual_clock *clock);

/** virtual_clock_to_virtual() - return when that was by the client's clock, of a time of the
 * kernel's */
int64_t virtual_clock_to_virtual(const struct virtual_clock *clock, int64_t kernel_ns);

/** virtual_clock_fail() - stop trusting the clock */
void virtual_clock_fail(struct virtual_clock *clock, const char *reason);

/**
 * virtual_clock_finish() - let the clock process end when no program is left, and wait for that
 *
 * What is left of programs dies with it. Calls on_failure() when it had ended before.
 */
void virtual_clock_finish(struct virtual_clock *clock);

/** virtual_clock_obstacle() - why this machine has no virtual time; NULL: it has */
const char *virtual_clock_obstacle(void);

#endif
