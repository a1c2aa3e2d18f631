/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of fitting: known policies by their figures, and generated ones, with noise, by their
 * family. The noise is what a client on a busy machine shows: each wait is up to 8 ms late and up
 * to 1 % off.
 * Figures are those that are in use: factors from 1.5, steps from half of the base, 25 ms at least.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "common/random.h"
#include "runner/judge/fit.h"

TestSuite(fit);

#define MS NS_PER_MS
#define S  NS_PER_S

enum { MAX_WAITS = 12, MAX_INSTANCES = 40, RUNS = 4000 };

static struct fit fit_one(const int64_t *waits_ns, size_t n_waits)
{
	return fit_waits(&(struct fit_sequence){waits_ns, n_waits}, 1);
}

Test(fit, numbers_are_written_as_by_people)
{
	static const struct {
		int64_t waits_ms[MAX_WAITS];
		size_t n;
		const char *text;
	} cases[] = {
		{{2003, 2001, 2004, 2002}, 4, "fixed, 2.00 s"},
		{{2003, 2001}, 2, "fixed, 2.00 s"},
		{{0, 1, 0, 2, 0}, 5, "no wait at all"},
		{{504, 1003, 2004, 4008, 8011}, 5, "exponential, base 500 ms, factor 2, no cap"},
		{{1004, 1604, 2566, 4101, 6560}, 5, "exponential, base 1.00 s, factor 1.6, no cap"},
		{{101, 203, 402, 402, 401, 403},
		 6,
		 "exponential, base 100 ms, factor 2, cap 400 ms"},
		{{251, 501, 501, 502}, 4, "exponential, base 250 ms, factor 2, cap 500 ms"},
		{{102, 202, 303, 401, 503}, 5, "linear, base 100 ms, step 100 ms, no cap"},
		{{1002, 1503, 2002, 2502, 2501, 2503, 2502},
		 7,
		 "linear, base 1.00 s, step 500 ms, cap 2.50 s"},
		{{3000, 100, 2500, 7, 9000, 1, 30, 40000, 5, 300}, 10, "no pattern"},
		{{1000, 2000}, 2, "too few waits to tell"},
		{{1000}, 1, "too few waits to tell"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t waits_ns[MAX_WAITS];
		struct fit fit;

		for (size_t k = 0; k < cases[i].n; k++)
			waits_ns[k] = cases[i].waits_ms[k] * MS;
		fit = fit_one(waits_ns, cases[i].n);
		cr_expect_str_eq(fit.text, cases[i].text, "case %zu: %s, misfit %.2f", i, fit.text,
				 fit.misfit);
		fit_free(&fit);
	}
}

Test(fit, survives_any_input)
{
	static const int64_t odd[][5] = {
		{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
		{INT64_MIN, -1, 0, 1, INT64_MAX},
		{0, 0, 0, 0, 0},
		{0, 1, INT64_MAX, 0, 1},
		{INT64_MAX, 0, 0, 0, 0},
	};
	struct fit fit = fit_waits(NULL, 0);

	cr_expect_not(fit.found);
	fit_free(&fit);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		fit = fit_one(odd[i], 5);
		cr_expect_not_null(fit.text);
		fit_free(&fit);
	}
}

/* A number in [0, 1) for each run and purpose. */
static double draw(uint64_t run, uint64_t a, uint64_t b)
{
	return (double)random_between(random_draw(77, run, a, b), 0, 999999) / 1e6;
}

static int64_t pick(uint64_t run, uint64_t a, const int64_t *choices, size_t n)
{
	return choices[random_between(random_draw(78, run, a, 0), 0, (int64_t)n - 1)];
}

static struct policy draw_policy(uint64_t run)
{
	static const int64_t bases_ms[] = {50, 100, 200, 250, 500, 1000, 1500, 2000, 5000, 30000};
	static const int64_t factors[] = {150, 160, 200, 250, 300, 400};
	static const int64_t steps[] = {50, 100, 200};
	static const enum policy_kind kinds[] = {POLICY_FIXED, POLICY_LINEAR, POLICY_EXPONENTIAL};
	struct policy policy = policy_plain(kinds[run % 3], 0);

	policy.base_ns = pick(run, 1, bases_ms, ARRAY_SIZE(bases_ms)) * MS;
	policy.factor = (double)pick(run, 2, factors, ARRAY_SIZE(factors)) / 100;
	policy.step_ns = policy.base_ns * pick(run, 3, steps, ARRAY_SIZE(steps)) / 100;
	return policy;
}

/* Wait @k (from 0) without jitter, cap not looked at. */
static double grown(const struct policy *policy, size_t k)
{
	if (policy->kind == POLICY_LINEAR)
		return (double)(policy->base_ns + policy->step_ns * (int64_t)k);
	if (policy->kind == POLICY_EXPONENTIAL)
		return (double)policy->base_ns * pow(policy->factor, (double)k);
	return (double)policy->base_ns;
}

static double noisy(double wait, uint64_t run, size_t copy, size_t k)
{
	return wait * (1 + 0.02 * (draw(run, 10 + copy, 2 * k) - 0.5)) +
	       8e6 * draw(run, 10 + copy, 2 * k + 1);
}

Test(fit, names_the_family_of_99_in_100_noisy_policies)
{
	size_t n_right = 0;

	for (uint64_t run = 0; run < RUNS; run++) {
		struct policy policy = draw_policy(run);
		size_t n = 5 + run % (MAX_WAITS - 4);
		/* Four waits have to show how it grows: 1, 2, 3, 3, 3 may be doubled and capped. */
		size_t capped = draw(run, 4, 0) < 0.5 ? 4 + (size_t)(draw(run, 5, 0) * 4) : n;
		int64_t waits_ns[MAX_WAITS];
		struct fit fit;

		for (size_t k = 0; k < n; k++)
			waits_ns[k] = (int64_t)noisy(
				fmin(grown(&policy, k), grown(&policy, capped - 1)), run, 0, k);
		fit = fit_one(waits_ns, n);
		if (fit.found && fit.policy.kind == policy.kind && fit.policy.jitter == JITTER_NONE)
			n_right++;
		fit_free(&fit);
	}
	cr_expect_geq(n_right, RUNS * 99 / 100, "%zu of %d", n_right, RUNS);
	cr_log_info("%zu of %d", n_right, RUNS);
}

/* One wait with jitter. */
static double jittered(const struct policy *policy, double wait, double before, double u)
{
	switch (policy->jitter) {
	case JITTER_FULL:
		return wait * u;
	case JITTER_EQUAL:
		return wait * (0.5 + u / 2);
	case JITTER_PERCENT:
		return wait * (1 + policy->jitter_percent / 100 * (2 * u - 1));
	case JITTER_DECORRELATED:
		return (double)policy->base_ns + (3 * before - (double)policy->base_ns) * u;
	default:
		return wait;
	}
}

Test(fit, names_the_jitter_when_many_clients_show_it)
{
	size_t n_right = 0, n_family = 0, n_runs = 400;

	for (uint64_t run = 0; run < n_runs; run++) {
		static int64_t waits_ns[MAX_INSTANCES][MAX_WAITS];
		struct fit_sequence sequences[MAX_INSTANCES];
		struct policy policy = draw_policy(run);
		struct fit fit;

		policy.jitter = (enum jitter_kind)(1 + run / 3 % 4);
		policy.jitter_percent = 20;
		policy.step_ns = policy.base_ns;
		policy.base_ns = MAX(policy.base_ns, 200 * MS);
		policy.step_ns = policy.base_ns;
		if (policy.jitter == JITTER_DECORRELATED)
			policy.kind = POLICY_EXPONENTIAL;
		for (size_t copy = 0; copy < MAX_INSTANCES; copy++) {
			double before = (double)policy.base_ns;

			for (size_t k = 0; k < 6; k++) {
				before = jittered(&policy, grown(&policy, k), before,
						  draw(run, 100 + copy, k));
				waits_ns[copy][k] = (int64_t)noisy(before, run, 200 + copy, k);
			}
			sequences[copy] = (struct fit_sequence){waits_ns[copy], 6};
		}
		fit = fit_waits(sequences, MAX_INSTANCES);
		n_family += fit.found && fit.policy.kind == policy.kind;
		n_right += fit.found && fit.policy.kind == policy.kind &&
			   fit.policy.jitter == policy.jitter;
		fit_free(&fit);
	}
	cr_expect_geq(n_family, n_runs * 99 / 100, "family: %zu of %zu", n_family, n_runs);
	cr_expect_geq(n_right, n_runs * 99 / 100, "jitter: %zu of %zu", n_right, n_runs);
}
