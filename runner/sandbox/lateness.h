/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds how late the calling thread noticed something. It sleeps until something happens. So it is
 * late by at most the time for which it has run, or waited for a processor, since a moment before.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_LATENESS_H
#define SYNFAULT_RUNNER_SANDBOX_LATENESS_H

#include <stdint.h>

/* A moment at which something had not happened yet. */
struct lateness_mark {
	int64_t at_ns;   /* CLOCK_MONOTONIC */
	int64_t busy_ns; /* what the thread had run and waited until then; -1: not known */
};

/**
 * lateness_now() - mark this moment
 * @schedstat: what lateness_open() returned
 */
struct lateness_mark lateness_now(int schedstat);

/** lateness_open() - open the calling thread's schedstat; return a descriptor, or -1 */
int lateness_open(void);

/**
 * lateness_since() - bound how long ago something happened that the thread noticed at @now
 * @before: a moment at which it had not happened yet
 *
 * Return: nanoseconds.
 */
int64_t lateness_since(const struct lateness_mark *before, const struct lateness_mark *now);

#endif
