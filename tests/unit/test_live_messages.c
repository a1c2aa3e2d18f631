/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a supervisor reports to its parent, in pieces as a socket delivers it. */
#include "runner/schedule/live_messages.h"

#include <criterion/criterion.h>

TestSuite(live_messages);

struct heard {
	struct strbuf events;
	unsigned n_starts;
};

static void note_event(void *userdata, const char *line)
{
	struct heard *heard = userdata;

	strbuf_printf(&heard->events, "[%s]", line);
}

static void note_start(void *userdata)
{
	((struct heard *)userdata)->n_starts++;
}

Test(live_messages, are_taken_in_pieces_of_any_size)
{
	static const char all[] = "uefirst\nesecond\n";

	for (size_t piece = 1; piece <= strlen(all); piece++) {
		AUTO_STRBUF struct strbuf text = {0};
		struct heard heard = {0};

		for (size_t at = 0; at < strlen(all); at += piece) {
			strbuf_add(&text, all + at, MIN(piece, strlen(all) - at));
			live_messages_take(&text, note_event, note_start, &heard);
		}
		cr_expect_str_eq(strbuf_text(&heard.events), "[first][second]", "by %zu", piece);
		cr_expect_eq(heard.n_starts, 1, "by %zu", piece);
		cr_expect_eq(text.length, 0);
		strbuf_free(&heard.events);
	}
}

Test(live_messages, without_an_end_wait_for_it)
{
	AUTO_STRBUF struct strbuf text = {0};
	struct heard heard = {0};

	strbuf_puts(&text, "eone\netw");
	live_messages_take(&text, note_event, note_start, &heard);
	cr_expect_str_eq(strbuf_text(&heard.events), "[one]");
	cr_expect_str_eq(strbuf_text(&text), "etw");
	strbuf_free(&heard.events);
}
