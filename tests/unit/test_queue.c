/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of arrival times while the clock of the kernel's time stamps is being set. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "injector/queue.h"

#define STARTED_NS (INT64_C(1700000000) * NS_PER_S)
/* The monotonic clock starts anywhere. */
#define MONOTONIC_NS (5000 * NS_PER_S)

TestSuite(queue);

/* Both clocks @at_ns after the start; the real one was set by @set_by_ns. */
static struct queue_clocks clocks_at(int64_t elapsed_ns, int64_t set_by_ns)
{
	return (struct queue_clocks){
		.realtime_ns = STARTED_NS + elapsed_ns + set_by_ns,
		.monotonic_ns = MONOTONIC_NS + elapsed_ns,
	};
}

/* Steps of the clock, forward and backward. */
static const int64_t steps[] = {
	2 * NS_PER_MS,
	50 * NS_PER_MS,
	NS_PER_S,
	3600 * NS_PER_S,
	INT64_C(1000000000) * NS_PER_S,
	-(2 * NS_PER_MS),
	-(50 * NS_PER_MS),
	-NS_PER_S,
	-(3600 * NS_PER_S),
	-(INT64_C(1000000000) * NS_PER_S),
};

Test(queue, takes_the_arrival_from_the_stamp_while_the_clock_is_steady)
{
	static const int64_t ages[] = {0, 1, 3 * NS_PER_MS, 2 * NS_PER_S};
	struct queue_clocks steady = clocks_at(0, 0), now = clocks_at(7 * NS_PER_S, 0);

	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		bool known = false;

		cr_expect_eq(queue_arrival_ns(now.realtime_ns - ages[i], &steady, &now, &known),
			     now.monotonic_ns - ages[i], "age %lld", (long long)ages[i]);
		cr_expect(known, "age %lld", (long long)ages[i]);
	}
}

Test(queue, notices_that_the_clock_was_set)
{
	struct queue_clocks before = clocks_at(0, 0);

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct queue_clocks now = clocks_at(NS_PER_S, steps[i]);

		cr_expect(queue_clock_was_set(&before, &now), "step %lld", (long long)steps[i]);
	}
}

Test(queue, does_not_take_a_slewed_clock_for_one_that_was_set)
{
	static const struct {
		int64_t elapsed_ns, set_by_ns;
	} cases[] = {
		{0, 0},
		{NS_PER_S, 500 * NS_PER_US},
		{NS_PER_S, -500 * NS_PER_US},
		{100 * NS_PER_S, 50 * NS_PER_MS},
		{100 * NS_PER_S, -50 * NS_PER_MS},
	};
	struct queue_clocks before = clocks_at(0, 0);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct queue_clocks now = clocks_at(cases[i].elapsed_ns, cases[i].set_by_ns);

		cr_expect_not(queue_clock_was_set(&before, &now), "case %zu", i);
	}
}

Test(queue, does_not_take_a_pause_between_its_two_looks_for_a_step)
{
	struct queue_clocks before = clocks_at(0, 0), now = clocks_at(NS_PER_S, -2 * NS_PER_MS);

	now.error_ns = NS_PER_MS;
	cr_expect_not(queue_clock_was_set(&before, &now));
	now.error_ns = 0;
	before.error_ns = NS_PER_MS;
	cr_expect_not(queue_clock_was_set(&before, &now));
}

/* It did not run for 600 ms between its looks: a SYN of that age would seem to have just come. */
Test(queue, trusts_no_stamp_after_a_long_pause_between_its_two_looks)
{
	struct queue_clocks before = clocks_at(0, 0);
	struct queue_clocks now = clocks_at(NS_PER_S, -600 * NS_PER_MS);
	bool known = true;

	now.error_ns = 600 * NS_PER_MS;
	cr_expect(queue_clock_was_set(&before, &now));
	cr_expect(queue_clock_was_set(&now, &before));
	cr_expect_eq(queue_arrival_ns(now.realtime_ns - 1, &before, &now, &known),
		     now.monotonic_ns);
	cr_expect_not(known);
}

/* A packet from before the step is read after it, and both looks come later. */
Test(queue, ignores_stamps_from_before_a_step_forward)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct queue_clocks steady = clocks_at(2 * NS_PER_MS, steps[i]);
		struct queue_clocks now = clocks_at(3 * NS_PER_MS, steps[i]);
		bool known = true;

		if (steps[i] < 0)
			continue;
		cr_expect_eq(queue_arrival_ns(STARTED_NS, &steady, &now, &known), now.monotonic_ns,
			     "step %lld", (long long)steps[i]);
		cr_expect_not(known, "step %lld", (long long)steps[i]);
	}
}

Test(queue, ignores_stamps_from_before_a_step_backward)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct queue_clocks now = clocks_at(NS_PER_MS, steps[i]);
		bool known = true;

		if (steps[i] > 0)
			continue;
		cr_expect_eq(queue_arrival_ns(STARTED_NS, &now, &now, &known), now.monotonic_ns,
			     "step %lld", (long long)steps[i]);
		cr_expect_not(known, "step %lld", (long long)steps[i]);
	}
}

Test(queue, uses_stamps_again_after_a_step)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct queue_clocks steady = clocks_at(NS_PER_S, steps[i]);
		struct queue_clocks now = clocks_at(2 * NS_PER_S, steps[i]);
		bool known = false;

		cr_expect_eq(queue_arrival_ns(now.realtime_ns - NS_PER_MS, &steady, &now, &known),
			     now.monotonic_ns - NS_PER_MS, "step %lld", (long long)steps[i]);
		cr_expect(known, "step %lld", (long long)steps[i]);
	}
}

Test(queue, ignores_stamps_older_than_any_wait)
{
	struct queue_clocks steady = clocks_at(0, 0), now = clocks_at(60 * NS_PER_S, 0);
	bool known = true;

	cr_expect_eq(queue_arrival_ns(STARTED_NS + NS_PER_S, &steady, &now, &known),
		     now.monotonic_ns);
	cr_expect_not(known);
}
