/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a client waited for processors: its first process and all that come from it, such as the
 * programs that a shell runs. The kernel counts for each process (/proc/PID/schedstat) and forgets
 * when it is reaped, which a shell does at once: so they are looked at every now and then.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_RUN_DELAY_H
#define SYNFAULT_RUNNER_SANDBOX_RUN_DELAY_H

#include <sys/types.h>

#include "common/util.h"

struct run_delay;

/* For the client whose first process is @leader. Free it with run_delay_free(). */
struct run_delay *run_delay_new(pid_t leader);
void run_delay_free(struct run_delay *delay);

/*
 * Looks at the processes that there are. What one of them waits after the last look at it is
 * missed. Some 20 us for each process.
 */
void run_delay_look(struct run_delay *delay);

/*
 * The sum over all processes that were seen, in ns, which is too much where they ran side by side;
 * -1 when the kernel says nothing, or /proc counts processes in another way than we do.
 */
int64_t run_delay_total_ns(const struct run_delay *delay);

#endif
