/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Measures how late this machine wakes a process after a sleep. */
#ifndef SYNFAULT_RUNNER_DOCTOR_LAG_H
#define SYNFAULT_RUNNER_DOCTOR_LAG_H

#include "common/util.h"

struct lag {
	int64_t median_ns, longest_ns;
};

/** lag_measure() - sleep in short steps for @duration_ns, and measure how late each one ends */
void lag_measure(int64_t duration_ns, struct lag *ret);

#endif
