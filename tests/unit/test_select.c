/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of --filter and --tag: which scenarios they let through. */
#include <criterion/criterion.h>

#include "runner/command/select.h"

TestSuite(select);

static char tag_a[] = "a", tag_b[] = "b", tag_c[] = "c";
static char *const none[] = {NULL};
static char *const a[] = {tag_a, NULL};
static char *const a_and_b[] = {tag_a, tag_b, NULL};
static char *const c[] = {tag_c, NULL};

Test(select, selects_what_filters_and_tags_match)
{
	static const struct {
		const char *globs[2], *tags[2];
		const char *name;
		char *const *of_scenario;
		bool taken;
	} cases[] = {
		{{NULL}, {NULL}, "x", none, true},
		/* names: any of the globs */
		{{"x*"}, {NULL}, "xy", none, true},
		{{"x*"}, {NULL}, "yx", none, false},
		{{"x", "y"}, {NULL}, "y", none, true},
		{{"x", "y"}, {NULL}, "z", none, false},
		{{"[xy] \\*"}, {NULL}, "x *", none, true},
		/* tags: all of one list, any of the lists */
		{{NULL}, {"a"}, "x", a_and_b, true},
		{{NULL}, {"a"}, "x", none, false},
		{{NULL}, {"a,b"}, "x", a_and_b, true},
		{{NULL}, {"a,b"}, "x", a, false},
		{{NULL}, {"a,!b"}, "x", a, true},
		{{NULL}, {"a,!b"}, "x", a_and_b, false},
		{{NULL}, {"!b"}, "x", none, true},
		{{NULL}, {"!a"}, "x", a, false},
		{{NULL}, {" a , !b "}, "x", a, true},
		{{NULL}, {"a,b", "c"}, "x", c, true},
		{{NULL}, {"a,b", "c"}, "x", a, false},
		/* a tag is a whole word */
		{{NULL}, {"aa"}, "x", a, false},
		/* both */
		{{"x"}, {"a"}, "x", a, true},
		{{"x"}, {"a"}, "y", a, false},
		{{"x"}, {"a"}, "x", c, false},
		/* a document whose tags are unknown could be selected */
		{{NULL}, {"a"}, "x", NULL, true},
		{{NULL}, {"!a"}, "x", NULL, true},
		{{"y"}, {"a"}, "x", NULL, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct selection selection = {0};

		for (size_t k = 0; k < 2 && cases[i].globs[k]; k++)
			selection_parse_glob(&selection, cases[i].globs[k], NULL);
		for (size_t k = 0; k < 2 && cases[i].tags[k]; k++)
			cr_assert(selection_parse_tags(&selection, cases[i].tags[k], NULL));
		cr_assert_eq(selection_takes(&selection, cases[i].name, cases[i].of_scenario),
			     cases[i].taken, "case %zu", i);
		selection_free(&selection);
	}
}

Test(select, refuses_invalid_tags)
{
	static const char *const lists[] = {"",    ",",     "a,",         ",a",    "a,,b",
					    "!",   "a,!",   " ",          "a, ,b", "a b",
					    "! a", "a,b c", "a and not b"};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct selection selection = {0};
		AUTO_FREE char *message = NULL;

		cr_assert(!selection_parse_tags(&selection, lists[i], &message), "\"%s\"",
			  lists[i]);
		cr_assert_not_null(message);
		cr_assert_eq(selection.n_tags, 0);
	}
}
