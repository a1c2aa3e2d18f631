/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a time is expected to be, tolerance included, and times as text. */
#ifndef SYNFAULT_RUNNER_JUDGE_TIME_BOUNDS_H
#define SYNFAULT_RUNNER_JUDGE_TIME_BOUNDS_H

#include "runner/judge/delays.h"

struct time_bounds {
	struct range exact; /* before tolerance */
	struct tolerance tolerance;
	double scale; /* of the tolerance: --timing-scale */
};

/* Of an expectation's range: one value has tolerance, a range is taken as written. */
struct time_bounds expected_bounds(const struct expectation *expectation, double scale);
/* What is allowed, tolerance included. */
struct range allowed_range(const struct time_bounds *bounds);
/* By how much a time misses them: negative when too short, 0 when inside. */
int64_t time_miss(const struct time_bounds *bounds, int64_t time_ns);
/* These texts are owned by the caller: "2.00 s", "780 ms too short", "2.00 s ± 200 ms". */
char *time_text(int64_t time_ns);
char *miss_text(int64_t miss_ns);
char *bounds_text(const struct time_bounds *bounds);

#endif
