/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts drawn along an axis of time, in text. */
#include <criterion/criterion.h>

#include "common/text.h"
#include "runner/report/ascii_timeline.h"
#include "tests/lib/record_builder.h"

static char *drawn(const struct record_builder *b, bool ascii, size_t columns)
{
	const struct ascii_timeline_style style = {
		.ascii = ascii, .columns = columns, .indent = "  "};
	struct history history = history_make(b->record);
	AUTO_FREE struct backoff_view *backoffs = backoff_views_make(b->scenario, &history, 1);
	struct strbuf text = {0};

	ascii_timeline_format(&history, backoffs, &style, &text);
	history_free(&history);
	return text.data ? strbuf_steal(&text) : xstrdup("");
}

/* Refused at 0 and 1 s, connected at 2 s; the client ends at 4 s. */
static struct record_builder *three_attempts(void)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse x2, accept");

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_refused(b, api, 1000);
	record_builder_attempt_connected(b, api, 2000);
	record_builder_client_exits(b, 4000, 0);
	return b;
}

Test(ascii_timeline, draws_a_line_for_each_attempt_along_the_axis)
{
	AUTO_RECORD_BUILDER struct record_builder *b = three_attempts();
	AUTO_FREE char *text = drawn(b, true, 50);

	/* 41 columns of drawing for 4 s: ten columns a second. */
	cr_assert(strstr(text, "  api 1  x\n"), "%s", text);
	cr_assert(strstr(text, "  api 2  ..........x\n"), "%s", text);
	cr_assert(strstr(text, "  api 3            ..........+"), "%s", text);
	cr_assert(strstr(text, "|0s"), "%s", text);
	cr_assert(strstr(text, ". backoff"), "%s", text);
	cr_assert(strstr(text, "+ connected"), "%s", text);
	cr_assert_not(strstr(text, "given up"), "a key of what is not there: %s", text);
}

Test(ascii_timeline, draws_the_backoff_that_tables_and_pictures_show)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	size_t db = record_builder_endpoint(b, "db", "accept");
	AUTO_FREE char *text = NULL;

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_connected(b, db, 2000);
	record_builder_client_exits(b, 4000, 0);
	text = drawn(b, true, 50);
	/* Without an expectation it is the backoff since the last attempt at any endpoint. */
	cr_assert(strstr(text, "  db 1   ...................."), "%s", text);
}

Test(ascii_timeline, keeps_to_its_width)
{
	AUTO_RECORD_BUILDER struct record_builder *b = three_attempts();

	for (size_t columns = 40; columns <= 200; columns += 7)
		for (int ascii = 0; ascii <= 1; ascii++) {
			AUTO_FREE char *text = drawn(b, ascii, columns);

			for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
				cr_assert(text_width(line) <= columns, "%zu: %s", columns, line);
		}
}

Test(ascii_timeline, ascii_uses_only_ascii_characters)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "äpi", "refuse");
	AUTO_FREE char *text = NULL;

	record_builder_attempt_refused(b, api, 0);
	record_builder_client_exits(b, 100, 1);
	text = drawn(b, true, 80);
	for (const char *c = text; *c; c++)
		cr_assert(*c == '\n' || (*c >= ' ' && *c <= '~'), "%s", text);
}

Test(ascii_timeline, many_attempts_are_shortened_in_the_middle)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	AUTO_FREE char *text = NULL;
	size_t n_lines = 0;

	for (int i = 0; i < 1000; i++)
		record_builder_attempt_refused(b, api, i * 10);
	record_builder_client_exits(b, 10000, 1);
	text = drawn(b, false, 80);
	for (const char *c = text; *c; c++)
		n_lines += *c == '\n';
	cr_assert(n_lines <= 22, "%zu lines", n_lines);
	cr_assert(strstr(text, "… 982 more"), "%s", text);
	cr_assert(strstr(text, "api 1000"), "%s", text);
}

Test(ascii_timeline, draws_nothing_without_attempts)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	AUTO_FREE char *text = drawn(b, false, 80);

	cr_assert_str_empty(text);
}
