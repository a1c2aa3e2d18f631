/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How late the calling thread can have noticed something: it sleeps until something happens, so by
 * what it has run since, or waited for a processor.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_LATENESS_H
#define SYNFAULT_RUNNER_SANDBOX_LATENESS_H

#include <stdint.h>

/* A moment at which something had not happened yet. */
struct lateness_mark {
	int64_t at_ns;   /* CLOCK_MONOTONIC */
	int64_t busy_ns; /* what the thread had run and waited until then; -1: not known */
};

/** lateness_now() - mark this moment; @schedstat: what lateness_open() returned */
struct lateness_mark lateness_now(int schedstat);

/** lateness_open() - return a descriptor of the thread's counts, or -1 */
int lateness_open(void);

/**
 * lateness_since() - bound how long ago something happened that is noticed at @now
 * @before: when it had not happened yet
 */
int64_t lateness_since(const struct lateness_mark *before, const struct lateness_mark *now);

#endif
