/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of collecting diagnostics and of showing them. */
#include <criterion/criterion.h>
#include <errno.h>

#include "common/diag.h"
#include "common/text.h"

TestSuite(diag);

#define PLACE(...) (&(struct place){__VA_ARGS__})

Test(diag, add_copies_everything_and_returns_einval)
{
	AUTO_DIAG struct diag_list list = {0};
	char path[] = "a.yaml", word[] = "foo";

	cr_assert_eq(diag_add(&list, PLACE(path, 3, 5, 2), "unknown key \"%s\"", word), -EINVAL);
	memset(path, 'X', 6);
	memset(word, 'X', 3);
	cr_assert_eq(list.n_items, 1);
	cr_assert_str_eq(list.items[0].path, "a.yaml");
	cr_assert_eq(list.items[0].line, 3);
	cr_assert_eq(list.items[0].column, 5);
	cr_assert_eq(list.items[0].length, 2);
	cr_assert_str_eq(list.items[0].message, "unknown key \"foo\"");
	cr_assert_null(list.items[0].hint);
}

Test(diag, add_accepts_no_place)
{
	AUTO_DIAG struct diag_list list = {0};

	diag_add(&list, NULL, "no place");
	cr_assert_null(list.items[0].path);
	cr_assert_eq(list.items[0].line, 0);
}

Test(diag, hint_belongs_to_the_last_one_and_can_be_replaced)
{
	AUTO_DIAG struct diag_list list = {0};

	diag_hint(&list, "unused");
	diag_add(&list, NULL, "first");
	diag_add(&list, NULL, "second");
	diag_hint(&list, "old");
	diag_hint(&list, "did you mean \"%s\"?", "x");
	cr_assert_null(list.items[0].hint);
	cr_assert_str_eq(list.items[1].hint, "did you mean \"x\"?");
}

Test(diag, move_appends_and_empties_the_source)
{
	AUTO_DIAG struct diag_list list = {0}, from = {0};

	diag_add(&list, NULL, "a");
	diag_add(&from, NULL, "b");
	diag_add(&from, NULL, "c");
	diag_move(&list, &from);
	cr_assert_eq(list.n_items, 3);
	cr_assert_str_eq(list.items[2].message, "c");
	cr_assert_eq(from.n_items, 0);
	diag_move(&list, &from);
	cr_assert_eq(list.n_items, 3);
}

Test(diag, sort_is_by_path_line_column_and_keeps_equal_ones_in_order)
{
	static const char expected[] = "0123456789";
	AUTO_DIAG struct diag_list list = {0};

	diag_add(&list, PLACE("b", 1, 1), "9");
	diag_add(&list, PLACE("a", 7, 2), "5");
	diag_add(&list, PLACE("a", 7, 1), "4");
	diag_add(&list, PLACE("a", 7, 2), "6");
	diag_add(&list, PLACE("a", 10, 1), "8");
	diag_add(&list, PLACE("a"), "2");
	diag_add(&list, NULL, "0");
	diag_add(&list, PLACE("a", 7, 2), "7");
	diag_add(&list, PLACE("a", 2, 9), "3");
	diag_add(&list, NULL, "1");
	diag_sort(&list);
	for (size_t i = 0; i < list.n_items; i++)
		cr_expect_eq(list.items[i].message[0], expected[i], "%zu: %s", i,
			     list.items[i].message);
}

Test(diag, sort_of_nothing_is_nothing)
{
	AUTO_DIAG struct diag_list list = {0};

	diag_sort(&list);
	cr_assert_eq(list.n_items, 0);
}

struct format_case {
	const char *name;
	const char *path;
	unsigned line, column, length;
	const char *message, *hint, *source, *expected;
};

static void format(const struct format_case *format_case, bool color, struct strbuf *out)
{
	AUTO_DIAG struct diag_list list = {0};
	const char *text = format_case->source;
	struct diag_source source = {.text = text, .length = text ? strlen(text) : 0};

	diag_add(&list,
		 PLACE(format_case->path, format_case->line, format_case->column,
		       format_case->length),
		 "%s", format_case->message);
	if (format_case->hint)
		diag_hint(&list, "%s", format_case->hint);
	diag_format(&list.items[0], &source, color, out);
}

Test(diag, is_formatted_as_by_a_compiler)
{
	static const char *const source = "one: 1\n    faluts: [refuse]\n\tkey: value\n"
					  "日本: [語x]\nlast";
	const struct format_case cases[] = {
		{"as documented", "api.yaml", 2, 5, 6, "unknown key \"faluts\"",
		 "did you mean \"faults\"?", source,
		 "api.yaml:2:5: error: unknown key \"faluts\"\n"
		 "   2 |     faluts: [refuse]\n"
		 "     |     ^~~~~~\n"
		 "  help: did you mean \"faults\"?\n"},
		{"no path, no line", NULL, 0, 0, 0, "it broke", NULL, NULL,
		 "synfault: error: it broke\n"},
		{"no path, with hint", NULL, 0, 0, 0, "it broke", "mend it", NULL,
		 "synfault: error: it broke\n  help: mend it\n"},
		{"path only", "a.yaml", 0, 0, 0, "m", NULL, source, "a.yaml: error: m\n"},
		{"no source to show", "a.yaml", 2, 5, 6, "m", NULL, NULL, "a.yaml:2:5: error: m\n"},
		{"line only", "a.yaml", 1, 0, 0, "m", NULL, source,
		 "a.yaml:1: error: m\n   1 | one: 1\n     | ^\n"},
		{"length 0 marks one column", "a.yaml", 1, 6, 0, "m", NULL, source,
		 "a.yaml:1:6: error: m\n   1 | one: 1\n     |      ^\n"},
		{"tab before the mark", "a.yaml", 3, 2, 3, "m", NULL, source,
		 "a.yaml:3:2: error: m\n   3 |         key: value\n     |         ^~~\n"},
		{"tab to the next stop", "a.yaml", 1, 5, 1, "m", NULL, "ab:\tx",
		 "a.yaml:1:5: error: m\n   1 | ab:     x\n     |         ^\n"},
		{"wide characters before the mark", "a.yaml", 4, 6, 1, "m", NULL, source,
		 "a.yaml:4:6: error: m\n   4 | 日本: [語x]\n     |        ^~\n"},
		{"mark behind wide characters", "a.yaml", 4, 7, 1, "m", NULL, source,
		 "a.yaml:4:7: error: m\n   4 | 日本: [語x]\n     |          ^\n"},
		{"mark beyond the end of the line is cut", "a.yaml", 5, 3, 99, "m", NULL, source,
		 "a.yaml:5:3: error: m\n   5 | last\n     |   ^~\n"},
		{"column beyond the end marks the end", "a.yaml", 5, 99, 3, "m", NULL, source,
		 "a.yaml:5:99: error: m\n   5 | last\n     |     ^\n"},
		{"huge mark", "a.yaml", 5, 2, -1U, "m", NULL, source,
		 "a.yaml:5:2: error: m\n   5 | last\n     |  ^~~\n"},
		{"line beyond the end of the source", "a.yaml", 6, 1, 1, "m", NULL, source,
		 "a.yaml:6:1: error: m\n"},
		{"empty line at the end", "a.yaml", 2, 1, 1, "m", NULL, "x\n",
		 "a.yaml:2:1: error: m\n   2 |\n     | ^\n"},
		{"empty source", "a.yaml", 1, 1, 1, "m", NULL, "",
		 "a.yaml:1:1: error: m\n   1 |\n     | ^\n"},
		{"CRLF", "a.yaml", 2, 1, 1, "m", NULL, "a\r\nb\r\n",
		 "a.yaml:2:1: error: m\n   2 | b\n     | ^\n"},
		{"the other line ends of YAML", "a.yaml", 5, 1, 1, "m", NULL,
		 "a\rb\xc2\x85"
		 "c\xe2\x80\xa8"
		 "d\xe2\x80\xa9"
		 "e\n",
		 "a.yaml:5:1: error: m\n   5 | e\n     | ^\n"},
		{"byte order mark takes no column", "a.yaml", 1, 1, 1, "m", NULL, "\xef\xbb\xbfkey",
		 "a.yaml:1:1: error: m\n   1 | key\n     | ^\n"},
		{"escape sequences are made harmless", "a\033[2J.yaml", 1, 6, 2,
		 "bad \"\033[31mkey\"", "not \a", "k: \033[31mred",
		 "a.yaml:1:6: error: bad \"key\"\n"
		 "   1 | k: #x1B[31mred\n"
		 "     |         ^~\n"
		 "  help: not #x7\n"},
		{"bad UTF-8", "a.yaml", 1, 2, 1, "m", NULL, "\xffx\xc3",
		 "a.yaml:1:2: error: m\n   1 | \\xFFx\\xC3\n     |     ^\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf out = {0};

		format(&cases[i], false, &out);
		cr_expect_str_eq(strbuf_text(&out), cases[i].expected, "%s:\n%s", cases[i].name,
				 strbuf_text(&out));
	}
}

Test(diag, many_are_shown_in_any_order)
{
	AUTO_STRBUF struct strbuf text = {0};
	struct diag_source source;

	for (unsigned i = 1; i <= 20000; i++)
		strbuf_printf(&text, "line %u\r\n", i);
	source = (struct diag_source){.text = strbuf_text(&text), .length = text.length};
	/* In rising order no line is read twice; in falling order each search begins again. */
	for (unsigned i = 1; i <= 20100; i++) {
		unsigned line = i <= 20002 ? i : (20100 - i) * 7 + 1;
		AUTO_DIAG struct diag_list list = {0};
		AUTO_STRBUF struct strbuf out = {0};
		AUTO_FREE char *shown = xasprintf("| line %u\n", line);

		diag_add(&list, PLACE("f", line, 1, 1), "no");
		diag_format(&list.items[0], &source, false, &out);
		if (line <= 20000)
			cr_assert(strstr(strbuf_text(&out), shown), "%s", strbuf_text(&out));
		else
			cr_assert_eq(strstr(strbuf_text(&out), " |") == NULL, line > 20001);
	}
}

/*
 * Each error looks as if it were the only one: what is remembered of the previous one changes
 * nothing.
 */
static void expect_alike(const struct strbuf *line, unsigned n, unsigned apart)
{
	struct diag_source source = {.text = strbuf_text(line), .length = line->length};
	char path[] = "f", message[] = "no";

	for (unsigned i = 0; i < n; i++) {
		/* To the right, and at last back and forth. */
		unsigned number = i < n * 9 / 10 ? i : (i * 7919) % n;
		struct diag diag = {.path = path,
				    .line = 1,
				    .column = 1 + number * apart,
				    .length = apart,
				    .message = message};
		struct diag_source fresh = {.text = source.text, .length = source.length};
		AUTO_STRBUF struct strbuf alone = {0}, out = {0};

		diag_format(&diag, &source, false, &out);
		diag_format(&diag, &fresh, false, &alone);
		cr_assert_str_eq(strbuf_text(&out), strbuf_text(&alone), "column %u", diag.column);
		cr_assert_leq(out.length, 1200, "column %u: %zu bytes", diag.column, out.length);
	}
}

Test(diag, many_in_one_long_line_are_shown_as_each_alone)
{
	AUTO_STRBUF struct strbuf words = {0}, accents = {0};

	for (unsigned i = 0; i < 4000; i++)
		strbuf_puts(&words, i % 5 ? "refus, " : "\t日本, \xff ");
	expect_alike(&words, 1000, 7);
	/* They take no column, but are cut, too. */
	for (unsigned i = 0; i < 20000; i++)
		strbuf_puts(&accents, "\xcc\x81");
	expect_alike(&accents, 100, 200);
}

Test(diag, each_of_ten_thousand_in_one_line_gets_an_excerpt)
{
	enum { N = 10000, EACH = 100 };
	AUTO_STRBUF struct strbuf line = {0}, out = {0};
	char path[] = "f", message[] = "no";
	struct diag_source source;

	strbuf_pad(&line, 'x', N * EACH);
	source = (struct diag_source){.text = strbuf_text(&line), .length = line.length};
	for (unsigned i = 0; i < N; i++) {
		struct diag diag = {.path = path,
				    .line = 1,
				    .column = 1 + i * EACH,
				    .length = 5,
				    .message = message};

		diag_format(&diag, &source, false, &out);
		/* The line is read as far as it is shown; the next search continues there. */
		cr_assert_eq(source.mark.offset, i * EACH);
		cr_assert_leq(source.mark.offset - source.before.offset, 40);
	}
	cr_expect_leq(out.length, N * 300);
}

Test(diag, marks_line_up_from_any_line_number_on)
{
	AUTO_STRBUF struct strbuf source = {0}, out = {0};

	strbuf_pad(&source, '\n', 12344);
	strbuf_puts(&source, "key");
	format(&(struct format_case){.path = "a.yaml",
				     .line = 12345,
				     .column = 2,
				     .length = 1,
				     .message = "m",
				     .source = strbuf_text(&source)},
	       false, &out);
	cr_assert_str_eq(strbuf_text(&out), "a.yaml:12345:2: error: m\n12345 | key\n      |  ^\n",
			 "%s", strbuf_text(&out));
}

/* Source line and mark line of the diagnostic in @text, without the gutter. */
static void split_excerpt(char *text, const char **ret_source, const char **ret_mark)
{
	char *source = strchr(text, '\n') + 1;
	char *mark = strchr(source, '\n') + 1;

	mark[-1] = '\0';
	mark[strcspn(mark, "\n")] = '\0';
	*ret_source = source + strlen("   1 | ");
	*ret_mark = mark + strlen("     | ");
}

Test(diag, long_lines_are_cut_around_the_mark)
{
	static const struct {
		const char *name;
		size_t before, after; /* columns beside the marked word */
		bool cut_left, cut_right;
	} cases[] = {
		{"just fits", 48, 46, false, false},
		{"far left", 3, 500, false, true},
		{"in the middle", 300, 300, true, true},
		{"far right", 500, 0, true, false},
		{"far right, some after", 500, 20, true, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf line = {0}, out = {0};
		const char *source, *mark, *word;
		bool cut_left, cut_right;

		strbuf_pad(&line, '-', cases[i].before);
		strbuf_puts(&line, "faluts");
		strbuf_pad(&line, '+', cases[i].after);
		format(&(struct format_case){.path = "a.yaml",
					     .line = 1,
					     .column = (unsigned)cases[i].before + 1,
					     .length = 6,
					     .message = "m",
					     .source = strbuf_text(&line)},
		       false, &out);
		split_excerpt(out.data, &source, &mark);

		word = strstr(source, "faluts");
		cr_assert_not_null(word, "%s: %s", cases[i].name, source);
		cut_left = !strncmp(source, "…", strlen("…"));
		cut_right = strstr(word, "…");
		cr_expect_eq(cut_left, cases[i].cut_left, "%s: %s", cases[i].name, source);
		cr_expect_eq(cut_right, cases[i].cut_right, "%s: %s", cases[i].name, source);
		cr_expect_leq(text_width(source), 102, "%s: %s", cases[i].name, source);
		/* An ellipsis takes three bytes, one column. */
		cr_expect_eq(strspn(mark, " "), (size_t)(word - source) - (cut_left ? 2 : 0),
			     "%s:\n%s\n%s", cases[i].name, source, mark);
		cr_expect_str_eq(mark + strspn(mark, " "), "^~~~~~", "%s", cases[i].name);
	}
}

Test(diag, long_marks_end_where_the_line_is_cut)
{
	AUTO_STRBUF struct strbuf line = {0}, out = {0};
	const char *source, *mark;

	strbuf_pad(&line, 'x', 1000);
	format(&(struct format_case){.path = "a.yaml",
				     .line = 1,
				     .column = 201,
				     .length = 700,
				     .message = "m",
				     .source = strbuf_text(&line)},
	       false, &out);
	split_excerpt(out.data, &source, &mark);
	cr_assert_leq(strlen(mark), 102);
	cr_assert_geq(strlen(mark), 80);
}

Test(diag, colours_change_nothing_but_colours)
{
	const struct format_case format_case = {
		.path = "a.yaml",
		.line = 1,
		.column = 1,
		.length = 2,
		.message = "m",
		.hint = "h",
		.source = "key",
	};
	AUTO_STRBUF struct strbuf plain = {0}, colored = {0}, stripped = {0};

	format(&format_case, false, &plain);
	format(&format_case, true, &colored);
	cr_assert_not_null(strstr(strbuf_text(&colored), "\033[1;31m"));
	text_sanitize(&stripped, colored.data, colored.length);
	cr_assert_str_eq(strbuf_text(&stripped), strbuf_text(&plain));
}
