/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of patterns: where they match, and that their work is bounded. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "runner/judge/pattern.h"

static enum pattern_result search(const char *pattern, const struct haystack *haystack,
				  struct pattern_limits *limits, size_t *ret_offset)
{
	AUTO_FREE char *reason = NULL;
	enum pattern_result result = pattern_search(pattern, haystack, limits, ret_offset, &reason);

	cr_expect_eq(result == PATTERN_IMPOSSIBLE, reason != NULL, "%s", pattern);
	return result;
}

Test(pattern, finds_the_first_match)
{
	static const struct {
		const char *pattern, *text;
		enum pattern_result result;
		size_t offset;
	} cases[] = {
		{"b+", "aabb", PATTERN_FOUND, 2},
		{"^b", "aabb", PATTERN_NOT_FOUND, 0},
		{"(?m)^b", "a\nb", PATTERN_FOUND, 2},
		{"(", "a", PATTERN_IMPOSSIBLE, 0},
		{"^.$", "€", PATTERN_FOUND, 0},
		{"^..$", "\xff.", PATTERN_FOUND, 0}, /* not UTF-8: bytes */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct haystack haystack = {.data = cases[i].text, strlen(cases[i].text)};
		struct pattern_limits limits = pattern_default_limits;
		size_t offset = 0;

		cr_expect_eq(search(cases[i].pattern, &haystack, &limits, &offset), cases[i].result,
			     "%s", cases[i].pattern);
		cr_expect_eq(offset, cases[i].offset, "%s: %zu", cases[i].pattern, offset);
	}
}

/* A harmless pattern, but each starting place takes a few steps, and the limit is lower. */
Test(pattern, steps_are_counted_over_all_starting_places)
{
	char text[1000];
	struct haystack haystack = {.data = text, .length = sizeof(text)};
	struct pattern_limits few = {.steps = 500, .cpu_ns = NS_PER_S, .all_ns = NS_PER_S},
			      enough = {.steps = 100000, .cpu_ns = NS_PER_S, .all_ns = NS_PER_S};
	size_t offset;

	memset(text, 'a', sizeof(text));
	cr_expect_eq(search("[ab][ac]x", &haystack, &few, &offset), PATTERN_NOT_FOUND,
		     "what no x can match needs no steps");
	text[sizeof(text) - 1] = 'x';
	cr_expect_not(few.reached);
	cr_expect_eq(search("[ab][ac]y?xx", &haystack, &few, &offset), PATTERN_IMPOSSIBLE);
	cr_expect(few.reached);
	cr_expect_eq(search("[ab][ac]y?xx", &haystack, &enough, &offset), PATTERN_NOT_FOUND);
	cr_expect_eq(search("[ab][ac]y?x", &haystack, &enough, &offset), PATTERN_FOUND);
	cr_expect_eq(offset, sizeof(text) - 3);
	cr_expect_eq(search("(", &haystack, &enough, &offset), PATTERN_IMPOSSIBLE);
	cr_expect_not(enough.reached, "more time would not help");
}

Test(pattern, time_is_limited_too)
{
	char text[1000];
	struct haystack haystack = {.data = text, .length = sizeof(text)};
	struct pattern_limits none = {.steps = 100000, .cpu_ns = 0, .all_ns = NS_PER_S};
	size_t offset;

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = 'x';
	cr_expect_eq(search("[ab][ac]y?xx", &haystack, &none, &offset), PATTERN_IMPOSSIBLE);
}

/* A scenario may have many patterns, and many instances. */
Test(pattern, searches_have_a_limit_in_common)
{
	char text[20000];
	struct haystack haystack = {.data = text, .length = sizeof(text)};
	struct pattern_limits limits = pattern_default_limits;
	unsigned n = 0;
	size_t offset;

	limits.all_ns = 5 * NS_PER_MS;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = 'x';
	while (n < 100000 &&
	       search("[ab][ac]y?xx", &haystack, &limits, &offset) == PATTERN_NOT_FOUND)
		n++;
	cr_expect(n < 100000, "%u searches", n);
	cr_expect(limits.all_ns < 5 * NS_PER_MS);
	limits.all_ns = 0;
	cr_expect_eq(search("x", &haystack, &limits, &offset), PATTERN_IMPOSSIBLE);
	limits.all_ns = NS_PER_S;
	cr_expect_eq(search("x", &haystack, &limits, &offset), PATTERN_FOUND, "each begins anew");
}
