/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the UTF-8 decoder. */
#include <criterion/criterion.h>

#include "common/utf8.h"

Test(utf8, well_formed_characters_are_decoded)
{
	static const struct {
		const char *text;
		int32_t character;
		size_t size;
	} cases[] = {
		{"a", 'a', 1},
		{"\x7f", 0x7f, 1},
		{"\xc2\x80", 0x80, 2},
		{"\xdf\xbf", 0x7ff, 2},
		{"\xe0\xa0\x80", 0x800, 3},
		{"\xed\x9f\xbf", 0xd7ff, 3},
		{"\xee\x80\x80", 0xe000, 3},
		{"\xf0\x90\x80\x80", 0x10000, 4},
		{"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int32_t character = 0;

		cr_expect_eq(utf8_decode(cases[i].text, strlen(cases[i].text), &character),
			     cases[i].size, "case %zu", i);
		cr_expect_eq(character, cases[i].character, "case %zu", i);
	}
}

/* What Unicode recommends to replace by one U+FFFD (section 3.9, table 3-8). */
Test(utf8, malformed_bytes_are_skipped_by_their_longest_part_that_could_begin_a_character)
{
	static const struct {
		const char *name, *text;
		size_t size;
	} cases[] = {
		{"a continuation byte", "\x80", 1},
		{"an overlong slash", "\xc0\xaf", 1},
		{"an overlong form of three bytes", "\xe0\x9f\x80", 1},
		{"a surrogate", "\xed\xa0\x80", 1},
		{"an overlong form of four bytes", "\xf0\x8f\xbf\xbf", 1},
		{"above U+10FFFF", "\xf4\x90\x80\x80", 1},
		{"a byte that begins nothing", "\xf5\x80\x80\x80", 1},
		{"two bytes of three", "\xe2\x82", 2},
		{"three bytes of four, then a letter", "\xf0\x9f\x98z", 3},
		{"one byte of two, then a letter", "\xc3z", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int32_t character = 0;

		cr_expect_eq(utf8_decode(cases[i].text, strlen(cases[i].text), &character),
			     cases[i].size, "%s", cases[i].name);
		cr_expect_eq(character, -1, "%s", cases[i].name);
	}
}

Test(utf8, a_cut_ends_between_two_characters)
{
	const char *text = "aж€";

	cr_expect_eq(utf8_cut(text, 6, 6), 6);
	cr_expect_eq(utf8_cut(text, 6, 9), 6);
	cr_expect_eq(utf8_cut(text, 6, 5), 3);
	cr_expect_eq(utf8_cut(text, 6, 2), 1);
	cr_expect_eq(utf8_cut(text, 6, 0), 0);
}

Test(utf8, only_the_beginning_of_a_character_is_incomplete)
{
	static const struct {
		const char *text;
		size_t whole;
	} cases[] = {
		{"", 0},          {"a", 1},
		{"a\xd0\xb6", 3}, {"a\xd0", 1},
		{"\xe2\x82", 0},  {"a\xe2\x82\xac", 4},
		{"a\xe2", 1},     {"\xf0\x9f\x98", 0},
		{"\xe2\x82z", 3}, {"\x80\x80\x80\x80\x80", 5}, /* no beginning in sight */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(utf8_complete(cases[i].text, strlen(cases[i].text)), cases[i].whole,
			     "case %zu", i);
}
