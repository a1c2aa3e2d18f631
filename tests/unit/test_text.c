/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of nearest names, shell quoting, sanitised text, and its width. */
#include <criterion/criterion.h>

#include "common/text.h"

TestSuite(text);

Test(text, nearest_finds_what_was_meant)
{
	static const char *const keys[] = {"name",   "tags",     "timeout", "endpoints", "client",
					   "expect", "attempts", "exit",    "env",       NULL};
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{"names", "name"},         /* insertion */
		{"nme", "name"},           /* deletion */
		{"nane", "name"},          /* substitution */
		{"tgas", "tags"},          /* swap */
		{"Timeout", "timeout"},    /* capital */
		{"TAGS", "tags"},          /* capitals */
		{"endpoint", "endpoints"}, /* a prefix */
		{"endopints", "endpoints"},
		{"atempt", "attempts"}, /* two errors in a longer word */
		{"exti", "exit"},
		{"exqekt", "expect"}, /* two errors in six letters */
		{"adtamgts", NULL},   /* three in eight */
		{"evn", "env"},
		{"", NULL},
		{"x", NULL},
		{"zzzz", NULL},
		{"retries", NULL},
		{"endpointsendpointsendpointsendpointsendpointsendpointsendpointsendpoints", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *nearest = text_nearest(cases[i].word, keys);

		cr_expect((!nearest && !cases[i].nearest) || (nearest && cases[i].nearest &&
							      !strcmp(nearest, cases[i].nearest)),
			  "\"%s\": %s", cases[i].word, nearest ? nearest : "NULL");
	}
}

Test(text, nearest_takes_the_first_of_equally_near_ones)
{
	static const char *const candidates[] = {"bear", "pear", NULL};

	cr_assert_str_eq(text_nearest("gear", candidates), "bear");
}

Test(text, nearest_shares_something_with_the_word)
{
	static const char *const candidates[] = {"s", "m", NULL};

	cr_assert_null(text_nearest("x", candidates));
	cr_assert_str_eq(text_nearest("S", candidates), "s");
}

Test(text, nearest_of_no_candidates_is_none)
{
	static const char *const none[] = {NULL};

	cr_assert_null(text_nearest("name", none));
}

Test(text, nearest_passes_over_candidates_too_long_to_compare)
{
	static const char *const candidates[] = {
		"namenamenamenamenamenamenamenamenamenamenamenamenamenamenamename", "name", NULL};

	cr_assert_str_eq(text_nearest("nam", candidates), "name");
}

Test(text, shell_words_are_quoted_when_they_have_to_be)
{
	static const struct {
		const char *word, *quoted;
	} cases[] = {
		{"curl", "curl"},
		{"--retry=3", "--retry=3"},
		{"http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"},
		{"a@b%c+d,e", "a@b%c+d,e"},
		{"", "''"},
		{"two words", "'two words'"},
		{"it's", "'it'\\''s'"},
		{"'", "''\\'''"},
		{"$HOME", "'$HOME'"},
		{"a;b", "'a;b'"},
		{"*", "'*'"},
		{"~", "'~'"},
		{"#x", "'#x'"},
		{"a\nb", "'a\nb'"},
		{"\"", "'\"'"},
		{"\\", "'\\'"},
		{"A=1", "'A=1'"}, /* would be an assignment */
		{"=1", "=1"},
		{"1a=1", "1a=1"},
		{"ü", "'ü'"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf out = {0};

		text_quote_shell(&out, cases[i].word);
		cr_expect_str_eq(strbuf_text(&out), cases[i].quoted, "\"%s\": %s", cases[i].word,
				 strbuf_text(&out));
	}
}

#define E(s) s, sizeof(s) - 1
#define ESC  "\033"

Test(text, sanitized_text_is_safe_to_show)
{
	static const struct {
		const char *name, *data;
		size_t length;
		const char *expected;
	} cases[] = {
		{"plain text", E("a b\n\tc"), "a b\n\tc"},
		{"nothing", E(""), ""},
		{"UTF-8 of every length", E("aé€😀"), "aé€😀"},
		{"colours", E(ESC "[1;31mred" ESC "[0m"), "red"},
		{"private parameters", E(ESC "[?25lx"), "x"},
		{"CSI with intermediate", E(ESC "[1 qx"), "x"},
		{"CSI cut at the end", E("a" ESC "[31"), "a#x1B[31"},
		{"CSI broken by a newline", E(ESC "[31\nm"), "#x1B[31\nm"},
		{"title, ended by BEL", E(ESC "]0;title\ax"), "x"},
		{"title, ended by ST", E(ESC "]0;title" ESC "\\x"), "x"},
		{"title with UTF-8", E(ESC "]0;é\ax"), "x"},
		{"title never ended hides nothing", E(ESC "]0;secret\nerror\a"),
		 "#x1B]0;secret\nerror#x7"},
		{"title cut at the end", E(ESC "]0;t"), "#x1B]0;t"},
		{"title ended by another sequence", E(ESC "]0;t" ESC "[mx"), "#x1B]0;tx"},
		{"DCS", E(ESC "Pq#0" ESC "\\x"), "x"},
		{"DCS is not ended by BEL", E(ESC "Pq\ax"), "#x1BPq#x7x"},
		{"SOS, PM, APC", E(ESC "Xa" ESC "\\" ESC "^b" ESC "\\" ESC "_c" ESC "\\x"), "x"},
		{"two-byte sequences", E(ESC "c" ESC "7" ESC "=x"), "x"},
		{"character set", E(ESC "(Bx"), "x"},
		{"ESC at the end", E("a" ESC), "a#x1B"},
		{"ESC before a newline", E(ESC "\n"), "#x1B\n"},
		{"ESC before UTF-8", E(ESC "é"), "#x1Bé"},
		{"sequence inside a sequence", E(ESC ESC "[31m[31mx"), "#x1B[31mx"},
		{"CRLF", E("a\r\nb"), "a\nb"},
		{"lone CR", E("10%\r20%"), "10%\n20%"},
		{"CR at the end", E("a\r"), "a\n"},
		{"CR CR LF", E("a\r\r\n"), "a\n\n"},
		{"NUL", E("a\0b"), "a#x0b"},
		{"BEL and backspace", E("\a\b"), "#x7#x8"},
		{"DEL", E("\x7f"), "#x7F"},
		{"C1 control",
		 E("\xc2\x9b"
		   "31m"),
		 "#x9B31m"},
		{"next line", E("\xc2\x85"), "#x85"},
		{"no-break space is text", E("\xc2\xa0"), "\xc2\xa0"},
		{"U+FFFE and U+FFFF", E("\xef\xbf\xbe\xef\xbf\xbf"), "#xFFFE#xFFFF"},
		{"U+FFFD itself", E("\xef\xbf\xbd"), "#xFFFD"},
		{"U+10FFFF", E("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf"},
		{"above U+10FFFF", E("\xf4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80"},
		{"lone continuation byte", E("a\x80z"), "a\\x80z"},
		{"raw C1 byte",
		 E("\x9b"
		   "31m"),
		 "\\x9B31m"},
		{"overlong slash", E("\xc0\xaf"), "\\xC0\\xAF"},
		{"overlong in three bytes", E("\xe0\x80\xaf"), "\\xE0\\x80\\xAF"},
		{"overlong in four bytes", E("\xf0\x80\x80\xaf"), "\\xF0\\x80\\x80\\xAF"},
		{"surrogate", E("\xed\xa0\x80"), "\\xED\\xA0\\x80"},
		{"truncated at the end", E("a\xe2\x82"), "a\\xE2\\x82"},
		{"truncated before text", E("\xe2\x82z"), "\\xE2\\x82z"},
		{"truncated before ESC", E("\xc3" ESC "[m\xa9"), "\\xC3\\xA9"},
		{"bytes that never occur", E("\xfe\xff\xf5"), "\\xFE\\xFF\\xF5"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf out = {0};

		text_sanitize(&out, cases[i].data, cases[i].length);
		cr_expect_str_eq(strbuf_text(&out), cases[i].expected, "%s: \"%s\"", cases[i].name,
				 strbuf_text(&out));
		cr_expect_eq(out.length, strlen(cases[i].expected), "%s: length", cases[i].name);
	}
}

Test(text, sanitizing_twice_changes_nothing_more)
{
	/* All pairs of bytes, ESC before each: the output is always clean. */
	for (unsigned pair = 0; pair < 0x10000; pair++) {
		char data[] = {'\033', (char)(pair >> 8), (char)pair, 'm'};
		AUTO_STRBUF struct strbuf once = {0}, twice = {0};

		text_sanitize(&once, data, sizeof(data));
		text_sanitize(&twice, strbuf_text(&once), once.length);
		cr_assert_str_eq(strbuf_text(&once), strbuf_text(&twice), "bytes %04x", pair);
		cr_assert_null(strchr(strbuf_text(&once), '\033'), "bytes %04x", pair);
	}
}

Test(text, width_counts_terminal_columns)
{
	static const struct {
		const char *text;
		size_t width;
	} cases[] = {
		{"", 0},
		{"abc", 3},
		{"é", 1},
		{"e\xcc\x81", 1}, /* e, combining acute accent */
		{"日本", 4},
		{"한글", 4},
		{"ｆ", 2}, /* full-width letter */
		{"😀", 2},
		{"a\xe2\x80\x8b"
		 "b",
		 2}, /* zero width space */
		{"שָ", 1},
		{"नि", 2},
		{"…", 1},
		{"\xff", 1}, /* shown as U+FFFD */
		{"𠀀", 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(text_width(cases[i].text), cases[i].width, "\"%s\": %zu",
			     cases[i].text, text_width(cases[i].text));
}

Test(decimal, is_written_with_at_least_the_digits_that_were_asked_for)
{
	static const struct {
		uint64_t value;
		unsigned digits;
		const char *text;
	} cases[] = {
		{0, 1, "0"},     {0, 0, "0"},
		{0, 3, "000"},   {7, 3, "007"},
		{999, 3, "999"}, {1000, 3, "1000"},
		{10, 1, "10"},   {UINT64_MAX, 1, "18446744073709551615"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[24];
		const char *end = decimal_write(text, cases[i].value, cases[i].digits);

		cr_expect_str_eq(text, cases[i].text);
		cr_expect_eq(end, text + strlen(cases[i].text));
	}
}
