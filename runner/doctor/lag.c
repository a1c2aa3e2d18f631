/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Measures how late this machine wakes a process: see lag.h. */
#include "runner/doctor/lag.h"

#include <time.h>

#include "common/duration.h"

#define STEP_NS (2 * NS_PER_MS)

static int compare_times(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return COMPARE(a, b);
}

void lag_measure(int64_t duration_ns, struct lag *ret)
{
	size_t n = (size_t)MAX(duration_ns / STEP_NS, INT64_C(1));
	AUTO_FREE int64_t *lags_ns = xzalloc(n * sizeof(*lags_ns));

	for (size_t i = 0; i < n; i++) {
		int64_t until_ns = clock_monotonic_ns() + STEP_NS;
		struct timespec until = {
			.tv_sec = until_ns / NS_PER_S,
			.tv_nsec = until_ns % NS_PER_S,
		};

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
			;
		lags_ns[i] = MAX(clock_monotonic_ns() - until_ns, INT64_C(0));
	}
	qsort(lags_ns, n, sizeof(*lags_ns), compare_times);
	*ret = (struct lag){.median_ns = lags_ns[n / 2], .longest_ns = lags_ns[n - 1]};
}
