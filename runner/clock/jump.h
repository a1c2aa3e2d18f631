/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the client's clock may jump, and to when: pure.
 *
 * Theory of operation
 * -------------------
 * The clock goes as the kernel's does, and also jumps over times in which nothing can happen:
 *
 *     all threads asleep ──► the supervisor, asked: drained, nothing under way, next timer at T
 *                        ──► all threads still asleep, and have not run ──► jump
 *
 * to the earliest of all that is to come: the client's deadlines and timers, the supervisor's
 * timers, and what the kernel will do by its own clock, which nothing can hurry.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_JUMP_H
#define SYNFAULT_RUNNER_CLOCK_JUMP_H

#include "common/util.h"

/* Nothing is to come. */
#define JUMP_NEVER INT64_MAX

struct jump_view {
	int64_t now_ns;        /* by the client's CLOCK_MONOTONIC, as all of these */
	int64_t client_ns;     /* its earliest deadline or timer */
	int64_t chores_ns;     /* the same of threads that only look after the runtime */
	int64_t supervisor_ns; /* its next timer */
	int64_t kernel_ns;     /* when the kernel itself will end an attempt */
	/*
	 * How much before that the clock has to stop, since the kernel needs as much of its own
	 * time for it.
	 */
	int64_t kernel_lead_ns;
	bool asleep; /* all threads, from before the supervisor was asked until now */
	bool quiet;  /* what the supervisor said */
};

enum jump_action {
	JUMP_NOT,  /* something runs, or is under way */
	JUMP_DUE,  /* something is due already: let it happen */
	JUMP_STAY, /* nothing is to come, or only what the kernel does by its own clock */
	JUMP_BY,
};

struct jump {
	enum jump_action action;
	int64_t by_ns;
	bool to_kernel; /* the kernel's own deadline is next */
};

/** jump_decide() - decide whether the clock jumps now, and by how much */
struct jump jump_decide(const struct jump_view *view);

/**
 * jump_is_chore() - whether a thread only looks after the runtime, by its name
 *
 * A Java virtual machine has threads that wake up many times a second to look whether there is
 * something to do. They are woken with others, and never for their own sake.
 */
bool jump_is_chore(const char *name);

#endif
