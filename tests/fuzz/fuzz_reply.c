/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes what libsynfault reads: replies in JSON. What is accepted can be walked to its end,
 * and each text is the same after it was written and read again.
 */
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *text)
{
	struct json_value *again;
	char *written = NULL;
	size_t length;
	FILE *stream = open_memstream(&written, &length);

	REQUIRE(stream);
	json_write_text(stream, text);
	REQUIRE(fclose(stream) == 0);
	REQUIRE(json_read(written, length, &again) == 0);
	REQUIRE(again->type == JSON_TEXT && !again->next && strcmp(again->text, text) == 0);
	free(again);
	free(written);
}

/* Returns the number of values. */
// NOLINTNEXTLINE(misc-no-recursion): json_read() limits the depth
static size_t walk(const struct json_value *value)
{
	size_t n = 1;

	REQUIRE(!value->text == (value->type == JSON_NOTHING || value->type == JSON_LIST ||
				 value->type == JSON_OBJECT));
	if (value->text)
		check_text(value->text);
	for (const struct json_value *one = value->first; one; one = one->next) {
		REQUIRE(!one->key == (value->type == JSON_LIST));
		if (one->key)
			REQUIRE(json_get(value, one->key));
		n += walk(one);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_value *value = NULL;
	int r = json_read((const char *)data, size, &value);

	if (r < 0) {
		REQUIRE(r == -EINVAL && !value);
		return 0;
	}
	REQUIRE(walk(value) <= size);
	json_number(value, "session");
	json_text(value, "name");
	free(value);
	return 0;
}
