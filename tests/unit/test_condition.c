/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of conditions: how sets and windows are read and written, and for what they hold. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>

#include "common/duration.h"
#include "common/random.h"
#include "injector/condition.h"

TestSuite(condition);

/* "1,3,5" of the numbers up to 12. */
static char *members(const struct attempt_range *range)
{
	struct strbuf out = {0};

	for (uint32_t number = 1; number <= 12; number++)
		if (attempt_range_holds(range, number))
			strbuf_printf(&out, "%s%u", out.length ? "," : "", number);
	return strbuf_steal(&out);
}

Test(condition, sets_of_attempts_are_read_and_written)
{
	static const struct {
		const char *text, *members, *written;
	} cases[] = {
		{"2", "2", "2"},
		{"1..3", "1,2,3", "1..3"},
		{" 1 .. 3 ", "1,2,3", "1..3"},
		{"2+", "2,3,4,5,6,7,8,9,10,11,12", "2+"},
		{"2..", "2,3,4,5,6,7,8,9,10,11,12", "2+"},
		{"..3", "1,2,3", "1..3"},
		{"1..9+2", "1,3,5,7,9", "1..9+2"},
		{"1..10+2", "1,3,5,7,9", "1..9+2"},
		{"2+3", "2,5,8,11", "2+3"},
		{"2..+3", "2,5,8,11", "2+3"},
		{"3..3", "3", "3"},
		{"3..4+2", "3", "3"},
		{"1000000", "", "1000000"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf out = {0};
		struct condition_error error = {0};
		struct attempt_range range;

		cr_assert_eq(attempt_range_parse(cases[i].text, &range, &error), 0, "%s: %s",
			     cases[i].text, error.message);
		{
			AUTO_FREE char *found = members(&range);

			cr_expect_str_eq(found, cases[i].members, "%s", cases[i].text);
		}
		attempt_range_format(&range, &out);
		cr_expect_str_eq(strbuf_text(&out), cases[i].written);
	}
}

Test(condition, invalid_set_of_attempts_is_refused_with_a_remedy)
{
	static const struct {
		const char *text, *message, *hint;
	} cases[] = {
		{"", "is not a set of attempts", "1..9+2"},
		{"x", "is not a set of attempts", ""},
		{"..", "is not a set of attempts", ""},
		{"+", "is not a set of attempts", ""},
		{"1,3", "is not a set of attempts", "a list"},
		{"1-3", "is not a set of attempts", "did you mean \"1..3\"?"},
		{"1..9+", "is not a set of attempts", ""},
		{"1..3 4", "is not a set of attempts", ""},
		{"1 3", "is not a set of attempts", ""},
		{"-1", "is not a set of attempts", ""},
		{"1.5", "is not a set of attempts", ""},
		{"0", "counted from 1", "the first is 1"},
		{"0..3", "counted from 1", ""},
		{"..0", "counted from 1", ""},
		{"3..1", "ends before it begins", "did you mean \"1..3\"?"},
		{"1..9+0", "the step of a set must be at least 1", ""},
		{"1000001", "at most 1000000", "2+"},
		{"99999999999999999999", "at most 1000000", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct attempt_range range = {.first = 77};
		struct condition_error error = {0};

		cr_expect_eq(attempt_range_parse(cases[i].text, &range, &error), -EINVAL, "%s",
			     cases[i].text);
		cr_expect(strstr(error.message, cases[i].message), "%s: %s", cases[i].text,
			  error.message);
		cr_expect(strstr(error.hint, cases[i].hint), "%s: %s", cases[i].text, error.hint);
		cr_expect(*error.hint, "%s", cases[i].text);
		cr_expect_eq(range.first, 77);
	}
}

Test(condition, windows_are_read_and_written)
{
	static const struct {
		const char *text;
		bool lone_end;
		const char *written;
		int64_t inside_ms[4], outside_ms[4]; /* -1: no more */
	} cases[] = {
		{"0s..5s", false, "0s..5s", {0, 4999, -1}, {5000, 90000, -1}},
		{"..5s", false, "0s..5s", {0, 4999, -1}, {5000, -1}},
		{"2s..", false, "2s..", {2000, 1000000, -1}, {0, 1999, -1}},
		{" 2s .. 3s ", false, "2s..3s", {2000, 2999, -1}, {0, 3000, -1}},
		{"5s", true, "5s", {0, 4999, -1}, {5000, -1}},
		{"0s..5s every 20s",
		 false,
		 "0s..5s every 20s",
		 {0, 20000, 44999, -1},
		 {5000, 19999, 25000, -1}},
		{"5s every 20s", true, "5s every 20s", {20000, -1}, {5000, -1}},
		{"2s..3s every 3s", true, "2s..3s every 3s", {2000, 5999, -1}, {0, 3000, 6000, -1}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf out = {0};
		struct condition_error error = {0};
		struct time_window window;

		cr_assert_eq(time_window_parse(cases[i].text, cases[i].lone_end, &window, &error),
			     0, "%s: %s", cases[i].text, error.message);
		time_window_format(&window, cases[i].lone_end, &out);
		cr_expect_str_eq(strbuf_text(&out), cases[i].written);
		for (size_t k = 0; cases[i].inside_ms[k] >= 0; k++)
			cr_expect(time_window_holds(&window, cases[i].inside_ms[k] * NS_PER_MS),
				  "%s at %d ms", cases[i].text, (int)cases[i].inside_ms[k]);
		for (size_t k = 0; cases[i].outside_ms[k] >= 0; k++)
			cr_expect_not(
				time_window_holds(&window, cases[i].outside_ms[k] * NS_PER_MS),
				"%s at %d ms", cases[i].text, (int)cases[i].outside_ms[k]);
		cr_expect_not(time_window_holds(&window, -1), "before the client's start");
	}
}

Test(condition, window_knows_when_it_begins_next)
{
	static const struct {
		const char *text;
		int64_t since_s, next_s; /* negative: it does not */
	} cases[] = {
		{"2s..3s", 0, 2},
		{"2s..3s", 2, 2},
		{"2s..3s", 3, -1},
		{"2s..", 1, 2},
		{"2s..", 5, -1},
		{"2s..3s every 10s", 0, 2},
		{"2s..3s every 10s", 2, 2},
		{"2s..3s every 10s", 3, 12},
		{"2s..3s every 10s", 12, 12},
		{"2s..3s every 10s", 95, 102},
		{"..3s every 10s", 1, 10},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct condition_error error;
		struct time_window window;
		int64_t next_ns;

		cr_assert_eq(time_window_parse(cases[i].text, false, &window, &error), 0);
		next_ns = time_window_next(&window, cases[i].since_s * NS_PER_S);
		cr_expect_eq(next_ns, cases[i].next_s < 0 ? INT64_MAX : cases[i].next_s * NS_PER_S,
			     "%s from %" PRId64 " s", cases[i].text, cases[i].since_s);
	}
}

Test(condition, command_says_how_long_each_turn_lasts)
{
	static const struct {
		int64_t from_s, to_s, lasts_s, then_from_s, then_to_s;
	} cases[] = {
		{0, 5, 0, 0, 5},  {0, 5, 2, 0, 2},     {0, 5, 60, 0, 60},
		{5, 10, 2, 2, 4}, {10, 15, 0, 10, 15}, {10, 15, 60, 120, 180},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct time_window window = {.from = TIME_FROM_COMMAND,
						   .from_ns = cases[i].from_s * NS_PER_S,
						   .to_ns = cases[i].to_s * NS_PER_S};
		struct time_window commanded =
			time_window_commanded(&window, cases[i].lasts_s * NS_PER_S);

		cr_expect_eq(commanded.from_ns, cases[i].then_from_s * NS_PER_S, "%zu", i);
		cr_expect_eq(commanded.to_ns, cases[i].then_to_s * NS_PER_S, "%zu", i);
	}
}

Test(condition, turn_after_others_of_the_longest_time_waits_as_long)
{
	for (int64_t n = 1; n <= 1024; n++) {
		const struct time_window window = {.from = TIME_FROM_COMMAND,
						   .from_ns = n * NS_PER_S,
						   .to_ns = (n + 1) * NS_PER_S};
		struct time_window commanded = time_window_commanded(&window, COMMANDED_MAX_NS);

		cr_expect_eq(commanded.from_ns, COMMANDED_MAX_NS, "%" PRId64, n);
		cr_expect_eq(commanded.to_ns, 2 * COMMANDED_MAX_NS, "%" PRId64, n);
	}
}

Test(condition, invalid_window_is_refused_with_a_remedy)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"", "is not a window"},
		{"5s", "is not a window"},
		{"..", "at least one end"},
		{" .. every 5s", "at least one end"},
		{"5s..2s", "ends before it begins"},
		{"5s..5s", "is empty"},
		{"0s..", "includes all times"},
		{"0s..5s every 5s", "includes all times"},
		{"0s..5s every 4s", "does not end within its period"},
		{"2s.. every 4s", "does not end within its period"},
		{"0s..5s every 0s", "can't be 0"},
		{"0s..5s every", "the duration \"\""},
		{"0s..5", "has no unit"},
		{"0..5s", "has no unit"},
		{"0s..5s..6s", "the duration"},
		{"0s..25h", "the duration"},
		{"0s..5s from first-attempt", "a separate key"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct time_window window = {.every_ns = 77};
		struct condition_error error = {0};

		cr_expect_eq(time_window_parse(cases[i].text, false, &window, &error), -EINVAL,
			     "%s", cases[i].text);
		cr_expect(strstr(error.message, cases[i].message), "%s: %s", cases[i].text,
			  error.message);
		cr_expect(*error.hint, "%s", cases[i].text);
		cr_expect_eq(window.every_ns, 77);
	}
}

static struct condition condition_of(const char *ranges, const char *window, uint16_t family,
				     uint32_t chance)
{
	struct condition condition = {.given = true, .family = family, .chance = chance};
	AUTO_FREE char *copy = xstrdup(ranges);
	char *rest = copy, *word;
	struct condition_error error;

	while ((word = strsep(&rest, ",")) && *word)
		cr_assert_eq(
			attempt_range_parse(word, &condition.ranges[condition.n_ranges++], &error),
			0);
	condition.has_window = *window;
	if (*window)
		cr_assert_eq(time_window_parse(window, false, &condition.window, &error), 0);
	return condition;
}

Test(condition, holds_only_if_all_of_its_parts_do)
{
	struct condition condition = condition_of("2..3,7+", "0s..5s", AF_INET6, CHANCE_ALWAYS);
	static const struct {
		struct condition_facts facts;
		bool due;
	} cases[] = {
		{{2, AF_INET6, 0}, true},  {{9, AF_INET6, 4 * NS_PER_S}, true},
		{{1, AF_INET6, 0}, false}, {{5, AF_INET6, 0}, false},
		{{2, AF_INET, 0}, false},  {{2, AF_INET6, 5 * NS_PER_S}, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(condition_is_due(&condition, &cases[i].facts), cases[i].due, "%zu", i);
	condition.window.from = TIME_FROM_FIRST_ATTEMPT;
	cr_expect(condition_is_due(
		&condition, &(struct condition_facts){2, AF_INET6, 9 * NS_PER_S, 4 * NS_PER_S}));
	cr_expect_not(condition_is_due(&condition,
				       &(struct condition_facts){2, AF_INET6, 0, 5 * NS_PER_S}));
	cr_expect_eq(condition_first_attempt(&condition), 2);
	cr_expect(condition_is_due(&(struct condition){0}, &cases[3].facts), "without a condition");
}

Test(condition, chance_holds_as_often_as_it_says)
{
	static const uint32_t chances[] = {1, 10000, 300000, 999999, CHANCE_ALWAYS};
	enum { DRAWS = 200000 };

	for (size_t i = 0; i < ARRAY_SIZE(chances); i++) {
		struct condition condition = {.given = true, .chance = chances[i]};
		double expected = (double)chances[i] / CHANCE_ALWAYS, share;
		int hits = 0;

		for (uint64_t n = 0; n < DRAWS; n++)
			hits += condition_is_hit(&condition, random_draw(1, n, 0, 0));
		share = (double)hits / DRAWS;
		/* five standard deviations at most */
		cr_expect_lt(share - expected, 0.006, "%u: %f", chances[i], share);
		cr_expect_lt(expected - share, 0.006, "%u: %f", chances[i], share);
	}
	cr_expect(condition_is_hit(&(struct condition){.given = true, .chance = CHANCE_ALWAYS},
				   UINT64_MAX));
	cr_expect_not(
		condition_is_hit(&(struct condition){.given = true, .chance = 999999}, UINT64_MAX));
	cr_expect(condition_is_hit(&(struct condition){.given = true, .chance = 1}, 0));
}

Test(condition, covers_a_condition_that_holds_only_when_it_does)
{
	static const struct {
		const char *outer_set, *outer_window;
		int outer_family;
		uint32_t outer_chance;
		const char *inner_set, *inner_window;
		int inner_family;
		bool covers;
	} cases[] = {
		{"2+", "", 0, CHANCE_ALWAYS, "3", "", 0, true},
		{"2+", "", 0, 999999, "3", "", 0, false},
		{"2+", "", 0, CHANCE_ALWAYS, "1..3", "", 0, false},
		{"2+", "", 0, CHANCE_ALWAYS, "", "", 0, false},
		{"1+", "", 0, CHANCE_ALWAYS, "", "", 0, true},
		{"1..9+2", "", 0, CHANCE_ALWAYS, "3", "", 0, true},
		{"1..9+2", "", 0, CHANCE_ALWAYS, "4", "", 0, false},
		{"1..9+2", "", 0, CHANCE_ALWAYS, "1..9+4", "", 0, true},
		{"1..9+2", "", 0, CHANCE_ALWAYS, "1..9+3", "", 0, false},
		{"1..9+2", "", 0, CHANCE_ALWAYS, "1+2", "", 0, false},
		{"1,2", "", 0, CHANCE_ALWAYS, "1..2", "", 0,
		 false}, /* in doubt, it does not hold */
		{"1..3,7", "", 0, CHANCE_ALWAYS, "7,2", "", 0, true},
		{"", "", AF_INET6, CHANCE_ALWAYS, "", "", AF_INET6, true},
		{"", "", AF_INET6, CHANCE_ALWAYS, "", "", 0, false},
		{"", "", AF_INET6, CHANCE_ALWAYS, "", "", AF_INET, false},
		{"", "0s..5s", 0, CHANCE_ALWAYS, "2", "1s..5s", AF_INET, true},
		{"", "0s..5s", 0, CHANCE_ALWAYS, "2", "1s..6s", 0, false},
		{"", "0s..5s", 0, CHANCE_ALWAYS, "2", "", 0, false},
		{"", "1s..", 0, CHANCE_ALWAYS, "", "2s..3s every 9s", 0, true},
		{"", "1s..4s", 0, CHANCE_ALWAYS, "", "2s..3s every 9s", 0, false},
		{"", "1s..4s every 9s", 0, CHANCE_ALWAYS, "", "2s..3s every 9s", 0, true},
		{"", "1s..4s every 8s", 0, CHANCE_ALWAYS, "", "2s..3s every 9s", 0, false},
		{"", "1s..4s every 8s", 0, CHANCE_ALWAYS, "", "2s..3s", 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct condition outer =
			condition_of(cases[i].outer_set, cases[i].outer_window,
				     (uint16_t)cases[i].outer_family, cases[i].outer_chance);
		struct condition inner =
			condition_of(cases[i].inner_set, cases[i].inner_window,
				     (uint16_t)cases[i].inner_family, CHANCE_ALWAYS);

		cr_expect_eq(condition_covers(&outer, &inner), cases[i].covers, "%zu", i);
		if (!*cases[i].outer_window || !*cases[i].inner_window)
			continue;
		inner.window.from = TIME_FROM_FIRST_ATTEMPT;
		cr_expect_not(condition_covers(&outer, &inner), "%zu: another origin", i);
		outer.window.from = TIME_FROM_FIRST_ATTEMPT;
		cr_expect_eq(condition_covers(&outer, &inner), cases[i].covers, "%zu", i);
	}
}

Test(condition, is_written_for_people)
{
	static const struct {
		const char *set, *window;
		int family;
		uint32_t chance;
		const char *written;
	} cases[] = {
		{"1..3,7+", "0s..5s every 20s", AF_INET6, 300000,
		 "attempt 1..3 or 7+ and time 0s..5s every 20s and ipv6 and chance 30%"},
		{"", "", AF_INET, CHANCE_ALWAYS, "ipv4"},
		{"", "", 0, 1, "chance 0.0001%"},
		{"", "", 0, 505000, "chance 50.5%"},
		{"", "2s..", 0, CHANCE_ALWAYS, "time 2s.."},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct condition condition = condition_of(
			cases[i].set, cases[i].window, (uint16_t)cases[i].family, cases[i].chance);
		AUTO_STRBUF struct strbuf out = {0};

		condition_format(&condition, &out);
		cr_expect_str_eq(strbuf_text(&out), cases[i].written);
	}
}
