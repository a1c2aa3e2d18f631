/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that only sleeps. How late it wakes shows what none of the kernel's counters shows: that
 * the control group was stopped or frozen, or that the virtual machine did not run.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_CANARY_H
#define SYNFAULT_RUNNER_SANDBOX_CANARY_H

#include <stdint.h>

struct canary;

/** canary_new() - start the thread; return NULL if that failed */
struct canary *canary_new(void);
/** canary_free() - let the thread end and free itself; NULL is allowed */
void canary_free(struct canary *canary);

/**
 * canary_late_ns() - return how late the thread has woken so far, all wake-ups together
 *
 * Less than 1 ms late counts as punctual, and time in its run queue does not count. If the thread
 * is late at this moment, its whole lateness so far counts, so a later call can return less.
 */
int64_t canary_late_ns(const struct canary *canary);

#endif
