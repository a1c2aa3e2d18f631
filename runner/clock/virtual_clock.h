/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's clock in the supervisor, which starts the clock process (clock_process.h) and uses
 * the same clock itself. The supervisor's vDSO is patched like those of the programs, so all of its
 * timers are by the client's clock, those of the injector and of the built-in servers included, and
 * so are the times in the record.
 *
 * Before each jump the clock process asks. The question is an event of the lowest priority: the
 * event loop reads it when it has nothing else to do, so when everything else has been read and
 * answered. Only then does the supervisor look for what may be under way in the kernel (quiet.h).
 */
#ifndef SYNFAULT_RUNNER_CLOCK_VIRTUAL_CLOCK_H
#define SYNFAULT_RUNNER_CLOCK_VIRTUAL_CLOCK_H

#include <event2/event.h>
#include <sys/types.h>

#include "common/util.h"
#include "injector/address.h"

/* Priorities of the event loop (event_base_priority_init()). The question has the lowest. */
enum { CLOCK_N_PRIORITIES = 3 };
/*
 * The priority of timers that only watch other processes. The clock does not stop for them: while
 * it jumps, no process does anything.
 */
enum { CLOCK_PRIORITY_LOOKS = 0 };

/* Sockets in SYN-SENT whose answer a step of the script withholds. */
struct clock_waiting {
	uint64_t *inodes;
	size_t n_inodes, capacity;
};

struct virtual_clock_config {
	struct event_base *base; /* with CLOCK_N_PRIORITIES; outlives the clock */
	uint32_t syn_retries;    /* net.ipv4.tcp_syn_retries */
	uint32_t syn_linear;     /* net.ipv4.tcp_syn_linear_timeouts */
	/* Which addresses are on the clock, in a network that others use, too; NULL: all. */
	const struct address_networks *networks;
	/*
	 * Returns whether nothing is under way in the sandbox; called after all events have been
	 * handled. Appends the sockets in SYN-SENT to @ret.
	 */
	bool (*is_quiet)(void *userdata, struct clock_waiting *ret);
	/* Returns whether nothing was sent or closed since is_quiet() returned true. */
	bool (*stays_quiet)(void *userdata);
	/*
	 * Called when the clock is about to jump: takes the measurements that must not span a jump.
	 * Returns whether the clock may jump, that is, nothing has come in.
	 */
	bool (*before_jump)(void *userdata);
	/*
	 * Called after a jump, before any program is woken.
	 * @at_ns: when, by the client's clock before the jump
	 * @kernel_ns: the same time by the kernel's clock
	 */
	void (*after_jump)(void *userdata, int64_t at_ns, int64_t by_ns, int64_t kernel_ns);
	/* Called once, when the clock can't be trusted any more. It does not jump from then on. */
	void (*on_failure)(void *userdata, const char *reason);
	void *userdata;
};

struct virtual_clock;

/**
 * virtual_clock_start() - start the clock process, and put the calling process on its clock
 * @config: copied
 * @ret: set in any case; to be ended with virtual_clock_finish()
 * @ret_reason: on failure, what failed; owned by the caller
 *
 * Return: 0, or a negative errno of fork(2), socketpair(2) or process_patch().
 */
int virtual_clock_start(const struct virtual_clock_config *config, struct virtual_clock **ret,
			char **ret_reason);

/**
 * virtual_clock_join() - put the calling process on the clock, before it executes a program
 *
 * Async-signal-safe: the caller may be a child of vfork(2).
 *
 * Return: 0 or a negative errno, as clock_process_join().
 */
int virtual_clock_join(const struct virtual_clock *clock);

/** virtual_clock_pid() - return the clock process; 0 without a clock, or after its end */
pid_t virtual_clock_pid(const struct virtual_clock *clock);

/**
 * virtual_clock_to_virtual() - convert a time of the kernel's clock to the client's
 * @kernel_ns: CLOCK_MONOTONIC of the kernel, now or in the past
 *
 * Return: what the client's CLOCK_MONOTONIC showed then.
 */
int64_t virtual_clock_to_virtual(const struct virtual_clock *clock, int64_t kernel_ns);

/**
 * virtual_clock_fail() - stop trusting the clock: it does not jump any more
 * @reason: passed to on_failure(), unless the clock has failed before
 */
void virtual_clock_fail(struct virtual_clock *clock, const char *reason);

/**
 * virtual_clock_finish() - make the clock process end, and wait for it
 * @clock: may be NULL
 *
 * The clock process waits a moment for programs that are ending; it kills those that remain. Calls
 * on_failure() if the clock process had already ended, or leaves programs behind.
 */
void virtual_clock_finish(struct virtual_clock *clock);

/** virtual_clock_obstacle() - return why this machine can't provide virtual time; NULL: it can */
const char *virtual_clock_obstacle(void);

#endif
