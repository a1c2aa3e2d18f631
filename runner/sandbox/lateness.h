/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds how late the calling thread noticed something. The thread sleeps until something happens.
 * So it is late by at most the time for which it ran, or waited for a processor, since a moment
 * before the thing happened.
 *
 * Which moment? The last one at which the thread looked and the thing had not happened yet, if that
 * was recent. Otherwise the start of an earlier turn of the event loop: what this turn handles was
 * not ready when the turn before it began.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_LATENESS_H
#define SYNFAULT_RUNNER_SANDBOX_LATENESS_H

#include <stdint.h>

/* A moment at which something had not happened yet. */
struct lateness_mark {
	int64_t at_ns;   /* CLOCK_MONOTONIC */
	int64_t busy_ns; /* how long the thread had run and waited by then; -1: unknown */
};

/* lateness_turn() can be called twice in a turn: the oldest of these lies two turns back. */
enum { LATENESS_TURNS = 6 };

/* One thread's clock. */
struct lateness_clock {
	int schedstat; /* file with the thread's counts; -1: the kernel has none */
	struct lateness_mark turns[LATENESS_TURNS]; /* the latest turns, the oldest first */
};

/** lateness_clock_open() - begin to count for the calling thread */
struct lateness_clock lateness_clock_open(void);
/** lateness_clock_close() - stop counting */
void lateness_clock_close(struct lateness_clock *clock);

/** lateness_now() - mark this moment */
struct lateness_mark lateness_now(const struct lateness_clock *clock);

/** lateness_turn() - begin a new turn of the event loop; call it at most twice in a turn */
void lateness_turn(struct lateness_clock *clock);

/**
 * lateness_since() - bound how long ago something happened that the thread noticed at @now
 * @before: a moment at which it had not happened yet
 *
 * Return: nanoseconds.
 */
int64_t lateness_since(const struct lateness_clock *clock, const struct lateness_mark *before,
		       const struct lateness_mark *now);

#endif
