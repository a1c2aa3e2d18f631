/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of retry policies: bounds of each wait, tolerance, their text. */
#include <criterion/criterion.h>
#include <math.h>

#include "runner/scenario/policy_bounds.h"

TestSuite(waits);

#define MS NS_PER_MS
#define S  NS_PER_S

static struct policy exponential(int64_t base_ns, double factor, int64_t cap_ns)
{
	return (struct policy){
		.kind = POLICY_EXPONENTIAL, .base_ns = base_ns, .factor = factor, .cap_ns = cap_ns};
}

Test(waits, fixed_is_the_same_for_every_wait)
{
	struct policy policy = {.kind = POLICY_FIXED, .base_ns = 2 * S, .factor = 2};

	for (size_t k = 1; k < 100; k++) {
		cr_expect_eq(policy_wait(&policy, k).low, 2 * S);
		cr_expect_eq(policy_wait(&policy, k).high, 2 * S);
	}
}

Test(waits, exponential_grows_to_its_cap)
{
	static const struct {
		int64_t base;
		double factor;
		int64_t cap;
		size_t k;
		int64_t wait;
	} cases[] = {
		{100 * MS, 2, INT64_MAX, 1, 100 * MS},
		{100 * MS, 2, INT64_MAX, 2, 200 * MS},
		{100 * MS, 2, INT64_MAX, 11, 102400 * MS},
		{100 * MS, 1, INT64_MAX, 50, 100 * MS},
		{1 * S, 1.5, INT64_MAX, 3, 2250 * MS},
		{1 * S, 2, 5 * S, 3, 4 * S},
		{1 * S, 2, 5 * S, 4, 5 * S},
		{1 * S, 2, 5 * S, SIZE_MAX, 5 * S},
		{8 * S, 2, 5 * S, 1, 5 * S},
		{0, 2, INT64_MAX, SIZE_MAX, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy policy = exponential(cases[i].base, cases[i].factor, cases[i].cap);
		struct range range = policy_wait(&policy, cases[i].k);

		cr_expect(range.low == cases[i].wait && range.high == cases[i].wait,
			  "case %zu: %jd .. %jd", i, (intmax_t)range.low, (intmax_t)range.high);
	}
}

Test(waits, exponential_without_cap_never_overflows)
{
	static const enum jitter_kind jitters[] = {JITTER_NONE, JITTER_FULL, JITTER_EQUAL,
						   JITTER_PERCENT};
	struct tolerance tolerance = {.absolute_ns = DURATION_MAX_NS, .relative = 1e9};

	for (size_t i = 0; i < ARRAY_SIZE(jitters); i++) {
		struct policy policy = exponential(24 * 3600 * S, 1000, INT64_MAX);
		int64_t before = 0;

		policy.jitter = jitters[i];
		policy.jitter_percent = 100;
		for (size_t k = 1; k < 2000; k++) {
			struct range range = policy_wait(&policy, k);
			struct range wide = tolerance_apply(range, &tolerance, 1e9);

			cr_assert_geq(range.low, 0);
			cr_assert_geq(range.high, before);
			cr_assert_geq(wide.high, range.high);
			cr_assert_leq(wide.low, range.low);
			cr_assert_geq(wide.low, 0);
			before = range.high;
		}
	}
}

Test(waits, jitter_gives_bounds)
{
	static const struct {
		enum jitter_kind jitter;
		double percent;
		int64_t low, high;
	} cases[] = {
		{JITTER_NONE, 0, 4 * S, 4 * S},    {JITTER_FULL, 0, 0, 4 * S},
		{JITTER_EQUAL, 0, 2 * S, 4 * S},   {JITTER_PERCENT, 25, 3 * S, 5 * S},
		{JITTER_PERCENT, 0, 4 * S, 4 * S}, {JITTER_PERCENT, 100, 0, 8 * S},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy policy = exponential(1 * S, 2, INT64_MAX);
		struct range range;

		policy.jitter = cases[i].jitter;
		policy.jitter_percent = cases[i].percent;
		range = policy_wait(&policy, 3);
		cr_expect(range.low == cases[i].low && range.high == cases[i].high,
			  "case %zu: %jd .. %jd", i, (intmax_t)range.low, (intmax_t)range.high);
	}
}

Test(waits, added_jitter_only_lengthens)
{
	struct policy policy = exponential(1 * S, 2, 3 * S);
	struct policy huge = exponential(24 * 3600 * S, 1000, INT64_MAX);

	policy.jitter = huge.jitter = JITTER_PLUS;
	policy.jitter_plus_ns = 200 * MS;
	huge.jitter_plus_ns = DURATION_MAX_NS;
	cr_expect_eq(policy_wait(&policy, 1).low, S);
	cr_expect_eq(policy_wait(&policy, 1).high, S + 200 * MS);
	cr_expect_eq(policy_wait(&policy, 3).low, 3 * S, "the cap comes first");
	cr_expect_eq(policy_wait(&policy, 3).high, 3 * S + 200 * MS);
	cr_expect_gt(policy_wait(&huge, 1999).high, policy_wait(&huge, 1999).low);
}

Test(waits, a_policy_that_begins_at_once_is_one_wait_behind)
{
	struct range list[] = {{S, S}, {2 * S, 3 * S}};
	struct policy policies[] = {
		exponential(1 * S, 2, INT64_MAX),
		{.kind = POLICY_LIST, .list = list, .n_list = 2},
		{.kind = POLICY_FIXED, .base_ns = S, .cap_ns = INT64_MAX},
		{.kind = POLICY_LINEAR, .base_ns = S, .step_ns = S, .cap_ns = INT64_MAX},
	};

	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		struct policy late = policies[i];

		late.first_at_once = true;
		cr_expect_eq(policy_wait(&late, 1).low, 0, "%zu", i);
		cr_expect_eq(policy_wait(&late, 1).high, 0, "%zu", i);
		for (size_t k = 2; k < 5; k++) {
			cr_expect_eq(policy_wait(&late, k).low,
				     policy_wait(&policies[i], k - 1).low);
			cr_expect_eq(policy_wait(&late, k).high,
				     policy_wait(&policies[i], k - 1).high);
		}
	}
	policies[0].jitter = JITTER_DECORRELATED;
	policies[0].factor = 3;
	policies[0].first_at_once = true;
	cr_expect_eq(policy_wait_after(&policies[0], 2, 0).high, 3 * S, "as the first");
	cr_expect_eq(policy_wait_after(&policies[0], 3, 2 * S).high, 6 * S);
}

Test(waits, list_has_no_wait_beyond_its_end)
{
	struct range list[] = {{S, S}, {2 * S, 3 * S}};
	struct policy policy = {.kind = POLICY_LIST, .list = list, .n_list = 2};

	cr_expect_eq(policy_wait(&policy, 1).low, S);
	cr_expect_eq(policy_wait(&policy, 2).high, 3 * S);
	cr_expect_eq(policy_wait(&policy, 3).low, -1);
	cr_expect_eq(policy_wait(&policy, 3).high, -1);
	cr_expect_eq(policy_wait(&policy, 0).low, -1);
}

Test(waits, tolerance_widens_late_in_full_and_early_by_half_at_most)
{
	static const struct {
		const char *name;
		struct range bounds;
		struct tolerance tolerance;
		double scale;
		struct range wide;
	} cases[] = {
		{"absolute", {S, S}, {200 * MS, 0}, 1, {800 * MS, 1200 * MS}},
		{"relative", {S, S}, {0, 0.1}, 1, {900 * MS, 1100 * MS}},
		{"both", {2 * S, 2 * S}, {100 * MS, 0.05}, 1, {1800 * MS, 2200 * MS}},
		{"scaled", {2 * S, 2 * S}, {100 * MS, 0.05}, 2, {1600 * MS, 2400 * MS}},
		{"none", {S, S}, {0, 0}, 1, {S, S}},
		{"scaled to nothing", {S, S}, {100 * MS, 1}, 0, {S, S}},
		{"half", {100 * MS, 100 * MS}, {90 * MS, 0}, 1, {50 * MS, 190 * MS}},
		{"zero", {0, 0}, {100 * MS, 0.05}, 1, {0, 100 * MS}},
		{"a range", {S, 3 * S}, {0, 0.1}, 1, {900 * MS, 3300 * MS}},
		{"no end", {S, INT64_MAX}, {0, 0.1}, 1, {900 * MS, INT64_MAX}},
		{"near the largest time", {S, INT64_MAX - 1}, {S, 0}, 1, {500 * MS, INT64_MAX}},
		{"beyond a list", {-1, -1}, {S, 0.1}, 1, {-1, -1}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct range wide =
			tolerance_apply(cases[i].bounds, &cases[i].tolerance, cases[i].scale);

		cr_expect(wide.low == cases[i].wide.low && wide.high == cases[i].wide.high,
			  "%s: %jd .. %jd", cases[i].name, (intmax_t)wide.low, (intmax_t)wide.high);
	}
}

Test(waits, text_says_what_is_allowed)
{
	static const struct {
		struct range bounds;
		struct tolerance tolerance;
		const char *text;
	} cases[] = {
		{{2 * S, 2 * S}, {200 * MS, 0}, "2.00 s ± 200 ms"},
		{{2 * S, 2 * S}, {0, 0}, "2.00 s"},
		{{500 * MS, S}, {0, 0}, "500 ms .. 1.00 s"},
		{{0, S}, {0, 0}, "at most 1.00 s"},
		{{S, INT64_MAX}, {0, 0}, "at least 1.00 s"},
		{{100 * MS, 100 * MS}, {100 * MS, 0}, "100 ms (with tolerance 50.0 ms .. 200 ms)"},
		{{0, S}, {100 * MS, 0}, "at most 1.00 s (with tolerance at most 1.10 s)"},
		{{S, INT64_MAX}, {100 * MS, 0}, "at least 1.00 s (with tolerance at least 900 ms)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text = policy_wait_text(cases[i].bounds, &cases[i].tolerance, 1);

		cr_expect_str_eq(text, cases[i].text);
	}
}
