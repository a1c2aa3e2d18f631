/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of draws that can be repeated. */
#include <criterion/criterion.h>

#include "common/random.h"

TestSuite(random);

Test(random, same_arguments_give_the_same_draw)
{
	/* Reports name a seed: what is drawn from it must never change. */
	cr_assert_eq(random_draw(1, 2, 3, 4), random_draw(1, 2, 3, 4));
	cr_assert_eq(random_draw(0, 0, 0, 0), UINT64_C(0x2130748aaac80268));
	cr_assert_eq(random_draw(1, 2, 3, 4), UINT64_C(0x336c3255cbcc01fe));
}

Test(random, every_argument_counts)
{
	uint64_t draw = random_draw(1, 1, 1, 1);

	cr_expect_neq(draw, random_draw(2, 1, 1, 1));
	cr_expect_neq(draw, random_draw(1, 2, 1, 1));
	cr_expect_neq(draw, random_draw(1, 1, 2, 1));
	cr_expect_neq(draw, random_draw(1, 1, 1, 2));
	cr_expect_neq(random_draw(1, 0, 1, 0), random_draw(0, 1, 0, 1));
	cr_expect_neq(random_draw(1, 2, 0, 0), random_draw(1, 0, 2, 0));
}

Test(random, each_bit_of_successive_draws_is_set_half_of_the_time)
{
	enum { N = 10000 };
	unsigned set[64] = {0};

	for (uint64_t i = 0; i < N; i++) {
		uint64_t draw = random_draw(7, 3, i, 0);

		for (int bit = 0; bit < 64; bit++)
			set[bit] += draw >> bit & 1;
	}
	/* Five standard deviations: 5 * sqrt(N) / 2. */
	for (int bit = 0; bit < 64; bit++)
		cr_expect(set[bit] > N / 2 - 250 && set[bit] < N / 2 + 250, "bit %d: %u", bit,
			  set[bit]);
}

Test(random, between_reaches_both_ends_and_nothing_outside)
{
	static const struct {
		uint64_t draw;
		int64_t low, high, expected;
	} cases[] = {
		{0, 5, 5, 5},
		{UINT64_MAX, 5, 5, 5},
		{0, 10, 20, 10},
		{UINT64_MAX, 10, 20, 20},
		{UINT64_C(1) << 63, 0, 1, 1},
		{(UINT64_C(1) << 63) - 1, 0, 1, 0},
		{0, -5, 5, -5},
		{UINT64_MAX, -5, 5, 5},
		{0, INT64_MIN, INT64_MAX, INT64_MIN},
		{UINT64_MAX, INT64_MIN, INT64_MAX, INT64_MAX},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(random_between(cases[i].draw, cases[i].low, cases[i].high),
			     cases[i].expected, "case %zu", i);
}

Test(random, between_spreads_evenly)
{
	enum { N = 10000 };
	unsigned hits[10] = {0};

	for (uint64_t i = 0; i < N; i++)
		hits[random_between(random_draw(99, i, 0, 0), 0, 9)]++;
	/* Expected 1000 each, standard deviation 30. */
	for (int i = 0; i < 10; i++)
		cr_expect(hits[i] > 850 && hits[i] < 1150, "%d: %u", i, hits[i]);
}

Test(random, seeds_are_never_zero_and_differ)
{
	uint64_t first = random_seed();

	cr_assert_neq(first, 0);
	cr_assert_neq(first, random_seed());
}
