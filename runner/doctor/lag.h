/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How late this machine wakes a process that asked to be woken. */
#ifndef SYNFAULT_RUNNER_DOCTOR_LAG_H
#define SYNFAULT_RUNNER_DOCTOR_LAG_H

#include "common/util.h"

struct lag {
	int64_t median_ns, longest_ns;
};

/* Sleeps in short steps for @duration_ns in all. */
void lag_measure(int64_t duration_ns, struct lag *ret);

#endif
