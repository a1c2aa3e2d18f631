/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes what makes foreign text safe to show: text_sanitize(), and diagnostics with an excerpt of
 * their source. The first three bytes of the input say what to mark; the rest is the text.
 */
#include "common/diag.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

/* If the buffer contains a NUL, something was not replaced by "#x0". */
static void check_clean(const struct strbuf *text)
{
	AUTO_STRBUF struct strbuf again = {0};

	for (size_t i = 0; i < text->length; i++) {
		unsigned char byte = (unsigned char)text->data[i];

		REQUIRE((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\t');
	}
	text_sanitize(&again, strbuf_text(text), text->length);
	REQUIRE(again.length == text->length);
	REQUIRE(!memcmp(strbuf_text(&again), strbuf_text(text), text->length));
	REQUIRE(text_width(strbuf_text(text)) <= text->length);
}

static void check_diag(const uint8_t *data, size_t size)
{
	AUTO_STRBUF struct strbuf plain = {0}, colored = {0};
	AUTO_FREE char *text = xstrndup((const char *)data + 3, size - 3);
	AUTO_DIAG struct diag_list list = {0};
	struct place place = {
		.path = "f", .line = data[0] % 8, .column = data[1], .length = data[2]};
	struct diag_source source = {.text = (const char *)data + 3, .length = size - 3};

	diag_add(&list, &place, "%s", text);
	diag_hint(&list, "%s", text);
	diag_format(&list.items[0], &source, false, &plain);
	check_clean(&plain);
	diag_format(&list.items[0], &source, true, &colored);
	REQUIRE(colored.length > plain.length);
}

static void check_quoting(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xstrndup((const char *)data, size);
	AUTO_STRBUF struct strbuf quoted = {0};
	static const char *const names[] = {"accept", "refuse", "x", NULL};

	text_quote_shell(&quoted, text);
	REQUIRE(quoted.length >= MAX(strlen(text), (size_t)1));
	text_nearest(text, names);
	text_width(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STRBUF struct strbuf clean = {0};

	text_sanitize(&clean, (const char *)data, size);
	check_clean(&clean);
	check_quoting(data, size);
	if (size >= 3)
		check_diag(data, size);
	return 0;
}
