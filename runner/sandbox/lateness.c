/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How late a thread notices things: see lateness.h. */
#include "runner/sandbox/lateness.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "common/duration.h"
#include "common/util.h"

/* How long a thread that another processor wakes takes to get into its run queue. */
#define WAKE_UP_NS (100 * NS_PER_US)

/* Returns how long the thread has waited for a processor (schedstat), or -1 if unknown. */
static int64_t waited_ns(int schedstat)
{
	char text[128];
	ssize_t length = schedstat >= 0 ? pread(schedstat, text, sizeof(text) - 1, 0) : -1;
	long long waited;

	if (length <= 0)
		return -1;
	text[length] = '\0';
	return sscanf(text, "%*d %lld", &waited) == 1 ? waited : -1;
}

struct lateness_mark lateness_now(const struct lateness_clock *clock)
{
	struct lateness_mark mark = {.at_ns = clock_monotonic_ns(), .busy_ns = -1};
	int64_t waited = waited_ns(clock->schedstat);
	struct timespec ran;

	/* Not from schedstat: its run time is only brought up to date at ticks. */
	if (waited >= 0 && clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ran) == 0)
		mark.busy_ns = waited + ran.tv_sec * NS_PER_S + ran.tv_nsec;
	return mark;
}

struct lateness_clock lateness_clock_open(void)
{
	struct lateness_clock clock = {
		.schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC),
	};

	for (size_t i = 0; i < LATENESS_TURNS; i++)
		clock.turns[i] = lateness_now(&clock);
	return clock;
}

void lateness_clock_close(struct lateness_clock *clock)
{
	cleanup_close(&clock->schedstat);
}

void lateness_turn(struct lateness_clock *clock)
{
	memmove(&clock->turns[0], &clock->turns[1], sizeof(clock->turns) - sizeof(clock->turns[0]));
	clock->turns[LATENESS_TURNS - 1] = lateness_now(clock);
}

int64_t lateness_since(const struct lateness_clock *clock, const struct lateness_mark *before,
		       const struct lateness_mark *now)
{
	int64_t passed_ns;

	if (clock->turns[0].at_ns > before->at_ns)
		before = &clock->turns[0];
	passed_ns = MAX(now->at_ns - before->at_ns, INT64_C(0));
	if (before->busy_ns < 0 || now->busy_ns < 0)
		return passed_ns;
	return MIN(passed_ns, MAX(now->busy_ns - before->busy_ns, INT64_C(0)) + WAKE_UP_NS);
}
