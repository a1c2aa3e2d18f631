/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests whether jitter is distinguished from waits that only look like it: how often a client with
 * right jitter is blamed (the stated error is 1 in 10,000), and that a client with wrong jitter is
 * caught.
 */
#include <criterion/criterion.h>

#include "common/random.h"
#include "runner/judge/jitter_test.h"

TestSuite(spread);

enum { MAX_INSTANCES = 50, MAX_WAITS = 8, FAIR_RUNS = 40000, UNFAIR_RUNS = 200 };

/* In [0, 1). */
static double draw(uint64_t run, uint64_t a, uint64_t b)
{
	return (double)(random_draw(2027, run, a, b) >> 11) / 9007199254740992.0;
}

/* How the clients of a test draw their places. */
enum habit {
	FAIR,
	CONSTANT,  /* all waits are the same share of their band */
	SAME_SEED, /* all instances draw the same numbers */
	NARROW,    /* from a tenth of the band only */
	LATE_HALF, /* from its upper half only */
};

static double place(enum habit habit, uint64_t run, size_t instance, size_t k)
{
	switch (habit) {
	case CONSTANT:
		return draw(run, 1000, 0);
	case SAME_SEED:
		return draw(run, 1000, k);
	case NARROW:
		return 0.3 + 0.1 * draw(run, instance, k);
	case LATE_HALF:
		return 0.5 + 0.5 * draw(run, instance, k);
	default:
		return draw(run, instance, k);
	}
}

/*
 * @late: by what part of its band a wait may be longer than drawn; the test knows of half of that.
 */
static struct jitter_test test(enum habit habit, uint64_t run, size_t n_instances, size_t n_waits,
			       double late)
{
	struct jitter_test_sample samples[MAX_INSTANCES * MAX_WAITS];
	size_t n = 0;

	for (size_t instance = 0; instance < n_instances; instance++) {
		for (size_t k = 0; k < n_waits; k++) {
			struct jitter_test_sample sample = {.number = k + 1};

			sample.place = place(habit, run, instance, k) +
				       late * draw(run, 2000 + instance, k);
			sample.earliest = sample.place - late;
			sample.latest = sample.place;
			samples[n++] = sample;
		}
	}
	return jitter_test(samples, n);
}

Test(spread, blames_a_right_client_in_at_most_1_of_10000_runs)
{
	size_t n_blamed = 0;

	for (uint64_t run = 0; run < FAIR_RUNS; run++) {
		size_t n_instances = 2 + run % 24, n_waits = 1 + run / 24 % MAX_WAITS;
		double late = run % 3 == 0 ? 0 : 0.3 * draw(run, 3000, 0);

		n_blamed += test(FAIR, run, n_instances, n_waits, late).wrong;
	}
	/* At most 4 are expected; 13 would show a larger error (p = 0.0003). */
	cr_expect_lt(n_blamed, 13, "%zu of %d", n_blamed, FAIR_RUNS);
}

Test(spread, catches_missing_jitter)
{
	static const struct {
		enum habit habit;
		const char *name;
		size_t n_instances, n_waits;
		double late;
	} cases[] = {
		{CONSTANT, "constant", 6, 3, 0.03},   {CONSTANT, "constant", 20, 1, 0.05},
		{SAME_SEED, "same seed", 6, 4, 0.03}, {SAME_SEED, "same seed", 20, 8, 0.2},
		{NARROW, "narrow", 8, 4, 0.02},       {NARROW, "narrow", 50, 1, 0.2},
		{LATE_HALF, "late half", 30, 4, 0.1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n_caught = 0;

		for (uint64_t run = 0; run < UNFAIR_RUNS; run++)
			n_caught += test(cases[i].habit, run, cases[i].n_instances,
					 cases[i].n_waits, cases[i].late)
					    .wrong;
		cr_expect_geq(n_caught, UNFAIR_RUNS * 99 / 100, "%s, %zu instances: %zu of %d",
			      cases[i].name, cases[i].n_instances, n_caught, UNFAIR_RUNS);
	}
}

Test(spread, says_nothing_about_too_few_waits)
{
	struct jitter_test_sample few[] = {{1, 0.5, 0.5, 0.5, false}, {1, 0.5, 0.5, 0.5, false}};

	cr_expect_not(jitter_test(few, 0).wrong);
	for (uint64_t run = 0; run < UNFAIR_RUNS; run++)
		cr_expect_not(test(CONSTANT, run, 2, 2, 0.01).wrong);
}
