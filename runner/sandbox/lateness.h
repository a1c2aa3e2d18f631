/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds how late the calling thread noticed something. It sleeps until something happens. So it is
 * late by at most the time for which it has run, or waited for a processor, since a moment before.
 *
 * Which moment? One at which the thing was looked for and not there, if that was not long ago. Else
 * a turn of the event loop before the last one: what is handled in this turn was not ready when the
 * one before it began.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_LATENESS_H
#define SYNFAULT_RUNNER_SANDBOX_LATENESS_H

#include <stdint.h>

/* A moment at which something had not happened yet. */
struct lateness_mark {
	int64_t at_ns;   /* CLOCK_MONOTONIC */
	int64_t busy_ns; /* what the thread had run and waited until then; -1: not known */
};

/* In one turn lateness_turn() can be called twice: of these the oldest lies two turns back. */
enum { LATENESS_TURNS = 6 };

/* Of one thread. */
struct lateness_clock {
	int schedstat; /* the thread's counts; -1: the kernel has none */
	struct lateness_mark turns[LATENESS_TURNS]; /* the last ones, the oldest first */
};

/** lateness_clock_open() - begin to count for the calling thread */
struct lateness_clock lateness_clock_open(void);
void lateness_clock_close(struct lateness_clock *clock);

/** lateness_now() - mark this moment */
struct lateness_mark lateness_now(const struct lateness_clock *clock);

/** lateness_turn() - say that the event loop is in a new turn; call it at most twice in one */
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
