/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of reading and writing durations. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>

#include "common/duration.h"

TestSuite(duration);

Test(duration, reads_numbers_with_units)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{"0s", 0},
		{"0ms", 0},
		{"1us", NS_PER_US},
		{"300ms", 300 * NS_PER_MS},
		{"2s", 2 * NS_PER_S},
		{"3m", 180 * NS_PER_S},
		{"2h", 7200 * NS_PER_S},
		{"1m30s", 90 * NS_PER_S},
		{"1h1m1s1ms1us", 3661 * NS_PER_S + NS_PER_MS + NS_PER_US},
		{"1.5s", 1500 * NS_PER_MS},
		{"0.1s", 100 * NS_PER_MS},
		{"0.001us", 1},
		{"0.0001us", 0},
		{"1.000000001s", NS_PER_S + 1},
		{"0.25h", 900 * NS_PER_S},
		{"1h0.5s", 3600 * NS_PER_S + 500 * NS_PER_MS},
		{"007s", 7 * NS_PER_S},
		{"24h", DURATION_MAX_NS},
		{"86400s", DURATION_MAX_NS},
		{"1.00000000000000000000000000000000001s", NS_PER_S},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ns = -1;

		cr_expect_eq(duration_parse(cases[i].text, &ns, NULL), 0, "%s", cases[i].text);
		cr_expect_eq(ns, cases[i].ns, "%s: %lld", cases[i].text, (long long)ns);
	}
}

Test(duration, refuses_invalid_text_with_a_reason)
{
	static const struct {
		const char *text;
		int error;
		const char *reason;
	} cases[] = {
		{"", -EINVAL, "is empty"},
		{"0", -EINVAL, "has no unit"},
		{"300", -EINVAL, "has no unit"},
		{"1.5", -EINVAL, "has no unit"},
		{"1m30", -EINVAL, "has no unit"},
		{"-1s", -EINVAL, "is negative"},
		{"+1s", -EINVAL, "does not start with a number"},
		{"s", -EINVAL, "does not start with a number"},
		{" 1s", -EINVAL, "does not start with a number"},
		{".5s", -EINVAL, "does not start with a number"},
		{"1.s", -EINVAL, "has a point with no digit"},
		{"1s.5ms", -EINVAL, "has a point with no digit"},
		{"1..2s", -EINVAL, "has a point with no digit"},
		{"1.2.3s", -EINVAL, "has an unknown unit"},
		{"1 s", -EINVAL, "has a blank"},
		{"1s ", -EINVAL, "has an unknown unit"},
		{"1sec", -EINVAL, "has an unknown unit"},
		{"1S", -EINVAL, "has an unknown unit"},
		{"1ns", -EINVAL, "has an unknown unit"},
		{"1e3s", -EINVAL, "has an unknown unit"},
		{"30s1m", -EINVAL, "wrong order"},
		{"1s1s", -EINVAL, "wrong order"},
		{"24h1us", -ERANGE, "longer than 24h"},
		{"25h", -ERANGE, "longer than 24h"},
		{"99999999999999999999999999h", -ERANGE, "longer than 24h"},
		{"99999999999999999999999999h1x", -EINVAL, "has an unknown unit"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *reason = "";
		int64_t ns = 42;

		cr_expect_eq(duration_parse(cases[i].text, &ns, &reason), cases[i].error, "\"%s\"",
			     cases[i].text);
		cr_expect(strstr(reason, cases[i].reason), "\"%s\": %s", cases[i].text, reason);
		cr_expect_eq(ns, 42, "\"%s\" wrote its output", cases[i].text);
	}
}

Test(duration, guesses_what_a_refused_text_means)
{
	static const struct {
		const char *text, *meant;
	} cases[] = {
		{"5", "\"5s\" or \"5ms\""},
		{"0.5", "\"0.5s\" or \"0.5ms\""},
		{"5 s", "\"5s\""},
		{"5sec", "\"5s\""},
		{"5 seconds", "\"5s\""},
		{"250 msec", "\"250ms\""},
		{"2min", "\"2m\""},
		{"1 hour", "\"1h\""},
		/* A valid duration: something else is wrong. */
		{"5s", NULL},
		{"5 parsecs", NULL},
		{"soon", NULL},
		{"-5", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *meant = duration_meant(cases[i].text);

		cr_expect_str_eq(meant ? meant : "nothing",
				 cases[i].meant ? cases[i].meant : "nothing", "%s", cases[i].text);
	}
}

Test(duration, is_written_with_as_many_digits_as_matter)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{0, "0"},
		{1, "1 ns"},
		{999, "999 ns"},
		{1000, "1.00 us"},
		{12345, "12.3 us"},
		{999499, "999 us"},
		{999500, "1.00 ms"},
		{1270000, "1.27 ms"},
		{9994999, "9.99 ms"},
		{9995000, "10.0 ms"},
		{99950000, "100 ms"},
		{300 * NS_PER_MS, "300 ms"},
		{999499999, "999 ms"},
		{999500000, "1.00 s"},
		{2 * NS_PER_S, "2.00 s"},
		{12340 * NS_PER_MS, "12.3 s"},
		{59949 * NS_PER_MS, "59.9 s"},
		{59950 * NS_PER_MS, "1 m 0.0 s"},
		{90 * NS_PER_S, "1 m 30.0 s"},
		{3599949 * NS_PER_MS, "59 m 59.9 s"},
		{3599950 * NS_PER_MS, "1 h 0 m 0 s"},
		{DURATION_MAX_NS, "24 h 0 m 0 s"},
		{-1270000, "-1.27 ms"},
		{INT64_MAX, "2562047 h 47 m 17 s"},
		{INT64_MIN, "-2562047 h 47 m 17 s"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buffer[DURATION_TEXT_SIZE];

		cr_expect_str_eq(duration_format(cases[i].ns, buffer), cases[i].text,
				 "%lld: \"%s\" instead of \"%s\"", (long long)cases[i].ns, buffer,
				 cases[i].text);
	}
}

Test(duration, is_written_exactly_in_its_largest_whole_unit)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{0, "0s"},
		{499, "0s"},
		{500, "1us"},
		{1500 * NS_PER_US, "1500us"},
		{300 * NS_PER_MS, "300ms"},
		{2 * NS_PER_S, "2s"},
		{90 * NS_PER_S, "90s"},
		{120 * NS_PER_S, "2m"},
		{DURATION_MAX_NS, "24h"},
		{-2 * NS_PER_S, "-2s"},
		{-400, "0s"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buffer[DURATION_TEXT_SIZE];

		cr_expect_str_eq(duration_format_exact(cases[i].ns, buffer), cases[i].text,
				 "%lld: \"%s\"", (long long)cases[i].ns, buffer);
	}
}

Test(duration, exact_form_reads_back_equal)
{
	/* A multiplicative walk over six orders of magnitude, in whole microseconds. */
	for (int64_t us = 1; us * NS_PER_US <= DURATION_MAX_NS; us = us * 7 / 5 + 1) {
		char buffer[DURATION_TEXT_SIZE];
		int64_t ns = -1;

		duration_format_exact(us * NS_PER_US, buffer);
		cr_assert_eq(duration_parse(buffer, &ns, NULL), 0, "%s", buffer);
		cr_assert_eq(ns, us * NS_PER_US, "%s", buffer);
	}
}

Test(duration, becomes_a_timer_that_is_never_early_and_always_valid)
{
	static const struct {
		int64_t ns, s, us;
	} cases[] = {
		{-NS_PER_S, 0, 0},
		{-1, 0, 0},
		{0, 0, 0},
		{1, 0, 1},
		{NS_PER_US, 0, 1},
		{NS_PER_US + 1, 0, 2},
		{NS_PER_S, 1, 0},
		{NS_PER_S - 1, 1, 0},
		{1500 * NS_PER_MS, 1, 500000},
		{INT64_MAX, 9223372036, 854776},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct timeval timer = duration_timeval(cases[i].ns);

		cr_expect_eq(timer.tv_sec, cases[i].s, "%" PRId64, cases[i].ns);
		cr_expect_eq(timer.tv_usec, cases[i].us, "%" PRId64, cases[i].ns);
	}
}

Test(duration, monotonic_clock_does_not_go_back)
{
	int64_t before = clock_monotonic_ns();

	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_monotonic_ns();

		cr_assert_geq(now, before);
		before = now;
	}
}

Test(duration, realtime_clock_counts_from_1970)
{
	/* 2020-01-01 */
	cr_assert_gt(clock_realtime_ns(), INT64_C(1577836800) * NS_PER_S);
}
