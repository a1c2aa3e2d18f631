/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that only sleeps. How late it wakes shows what none of the kernel's counters shows: that
 * the control group was stopped or frozen, or that the virtual machine did not run.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_CANARY_H
#define SYNFAULT_RUNNER_SANDBOX_CANARY_H

#include "common/util.h"

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
/**
 * canary_is_late() - return whether the thread has been late since the last call
 * @canary: NULL: there is none, and it never was
 * @late_ns: as canary_late_ns(), brought up to date
 */
bool canary_is_late(const struct canary *canary, int64_t *late_ns);

#endif
