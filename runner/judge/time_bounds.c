/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See time_bounds.h. */
#include "runner/judge/time_bounds.h"

#include "runner/scenario/policy_bounds.h"

struct time_bounds expected_bounds(const struct expectation *expectation, double scale)
{
	struct time_bounds bounds = {.exact = expectation->value.range.range, .scale = scale};

	if (expectation->value.range.exact)
		bounds.tolerance = expectation->tolerance;
	return bounds;
}

struct range allowed_range(const struct time_bounds *bounds)
{
	return tolerance_apply(bounds->exact, &bounds->tolerance, bounds->scale);
}

int64_t time_miss(const struct time_bounds *bounds, int64_t time_ns)
{
	struct range range = allowed_range(bounds);

	if (time_ns < range.low)
		return time_ns - range.low;
	return time_ns > range.high ? time_ns - range.high : 0;
}

char *time_text(int64_t time_ns)
{
	char text[DURATION_TEXT_SIZE];

	return xstrdup(duration_format(time_ns, text));
}

char *time_miss_text(const struct time_bounds *bounds, int64_t time_ns)
{
	int64_t miss_ns = time_miss(bounds, time_ns);
	AUTO_FREE char *size = time_text(miss_ns < 0 ? -miss_ns : miss_ns);

	return miss_ns == 0 ? NULL : xasprintf("%s too %s", size, miss_ns < 0 ? "short" : "long");
}

char *bounds_text(const struct time_bounds *bounds)
{
	return policy_wait_text(bounds->exact, &bounds->tolerance, bounds->scale);
}
