/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that only sleeps: how late it wakes shows what no count of the kernel does, a stopped or
 * frozen control group, or a virtual machine that did not run.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_CANARY_H
#define SYNFAULT_RUNNER_SANDBOX_CANARY_H

#include <stdint.h>

struct canary;

/** canary_new() - start the thread; return NULL if that failed */
struct canary *canary_new(void);
/** canary_free() - stop and free it; NULL is allowed */
void canary_free(struct canary *canary);

/** canary_late_ns() - return how late it woke in all so far; less than 1 ms at a time is left out
 */
int64_t canary_late_ns(const struct canary *canary);

#endif
