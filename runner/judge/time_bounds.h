/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounds of an expected time, with tolerance, and times as text. */
#ifndef SYNFAULT_RUNNER_JUDGE_TIME_BOUNDS_H
#define SYNFAULT_RUNNER_JUDGE_TIME_BOUNDS_H

#include "runner/judge/delays.h"

struct time_bounds {
	struct range exact; /* before tolerance */
	struct tolerance tolerance;
	double scale; /* of the tolerance: --timing-scale */
};

/**
 * expected_bounds() - get the bounds that an expectation sets
 * @scale: multiplies the tolerance
 *
 * A single value has tolerance; a range is taken as written.
 */
struct time_bounds expected_bounds(const struct expectation *expectation, double scale);

/** allowed_range() - return the allowed times, tolerance included */
struct range allowed_range(const struct time_bounds *bounds);

/** time_miss() - return how far, in ns, a time is out of bounds: negative if too short */
int64_t time_miss(const struct time_bounds *bounds, int64_t time_ns);

/** time_text() - format a time: "2.00 s"; owned by the caller */
char *time_text(int64_t time_ns);
/**
 * time_miss_text() - say how far a time is out of bounds
 *
 * Return: "780 ms too short", or NULL; owned by the caller.
 */
char *time_miss_text(const struct time_bounds *bounds, int64_t time_ns);
/** bounds_text() - format bounds: "2.00 s ± 200 ms"; owned by the caller */
char *bounds_text(const struct time_bounds *bounds);

#endif
