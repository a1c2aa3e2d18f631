/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the client's clock may jump, and how far. Pure.
 *
 * Theory of operation
 * -------------------
 * The clock runs as fast as the kernel's, and also jumps over times in which nothing can happen:
 *
 *     all threads sleep ──► the supervisor answers: no event left, nothing under way, next timer T
 *                       ──► all threads still sleep and have not run ──► jump
 *
 * It jumps to the earliest of: the client's deadlines and timers, the supervisor's timers, and what
 * the kernel will do by its own clock, which can't be moved.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_JUMP_H
#define SYNFAULT_RUNNER_CLOCK_JUMP_H

#include "common/duration.h"
#include "common/util.h"

/* A time that never comes. */
#define JUMP_NEVER INT64_MAX
/* A jump takes about this long, so a deadline that is closer is waited for. */
#define JUMP_CLOSE_NS (20 * NS_PER_US)

struct jump_view {
	/* All times are by the client's CLOCK_MONOTONIC. */
	int64_t now_ns;
	int64_t client_ns;     /* the client's earliest deadline or timer */
	int64_t chores_ns;     /* the same for threads that only do chores (jump_is_chore()) */
	int64_t supervisor_ns; /* the supervisor's next timer */
	int64_t kernel_ns;     /* when the kernel itself will end an attempt */
	/*
	 * How far before kernel_ns a jump has to end: the kernel needs this much time, by its own
	 * clock, to end the attempt.
	 */
	int64_t kernel_lead_ns;
	bool asleep; /* all threads have slept since before the supervisor was asked */
	bool quiet;  /* the supervisor said that nothing is under way */
};

enum jump_action {
	JUMP_NOT,  /* a thread runs, or something is under way */
	JUMP_DUE,  /* something is due already: let it happen */
	JUMP_STAY, /* nothing is due, ever, or next comes what the kernel does by its own clock */
	JUMP_TO,   /* jump to to_ns */
};

struct jump {
	enum jump_action action;
	int64_t to_ns;
	bool to_kernel; /* what the kernel does by its own clock comes next */
};

/** jump_decide() - decide whether the clock jumps now, and by how much */
struct jump jump_decide(const struct jump_view *view);

/**
 * jump_is_chore() - return whether a thread, by its name, only does chores of a runtime
 * @name: as in /proc/PID/comm: at most 15 characters
 *
 * A Java virtual machine has threads that wake up many times a second to check for work. The clock
 * does not stop for them; they wake up when it stops for something else.
 */
bool jump_is_chore(const char *name);

#endif
