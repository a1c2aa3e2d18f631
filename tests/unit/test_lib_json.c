/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON of libsynfault: what replies can contain is read, and what is not JSON is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

static struct json_value *read_json(const char *text)
{
	struct json_value *value = NULL;

	cr_assert_eq(json_read(text, strlen(text), &value), 0, "%s", text);
	return value;
}

Test(lib_json, values_keep_their_types_and_order)
{
	struct json_value *value =
		read_json(" {\"a\" : [1, -2.5e3,true,null , \"x\",{}], \"b\":[]} ");
	const struct json_value *list = json_get(value, "a"), *one = list->first;
	const char *texts[] = {"1", "-2.5e3", "true", NULL, "x", NULL};
	const enum json_type types[] = {JSON_NUMBER,  JSON_NUMBER, JSON_WORD,
					JSON_NOTHING, JSON_TEXT,   JSON_OBJECT};

	cr_assert_eq(value->type, JSON_OBJECT);
	cr_assert_eq(list->type, JSON_LIST);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++, one = one->next) {
		cr_assert_eq(one->type, types[i], "value %zu", i);
		if (texts[i])
			cr_assert_str_eq(one->text, texts[i]);
		else
			cr_assert_null(one->text);
	}
	cr_assert_null(one);
	cr_assert_null(json_get(value, "b")->first);
	free(value);
}

Test(lib_json, escapes_are_undone)
{
	struct json_value *value = read_json(
		"{\"t\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u0041\\u00e4\\u20AC\\ud83d\\ude00\"}");

	cr_assert_str_eq(json_text(value, "t"), "\"\\/\b\f\n\r\t A\u00e4\u20ac\U0001F600");
	free(value);
}

Test(lib_json, a_missing_or_different_value_is_nothing)
{
	struct json_value *value = read_json("{\"text\":\"1\",\"number\":42}");

	cr_assert_null(json_get(value, "other"));
	cr_assert_null(json_get(NULL, "text"));
	cr_assert_null(json_get(json_get(value, "text"), "text"));
	cr_assert_null(json_text(value, "number"));
	cr_assert_eq(json_number(value, "text"), 0);
	cr_assert_eq(json_number(value, "number"), 42);
	free(value);
}

Test(lib_json, numbers_and_words_may_touch_what_follows)
{
	struct json_value *value = read_json("[1,2]"), *word = read_json("7");

	cr_assert_str_eq(value->first->text, "1");
	cr_assert_str_eq(value->first->next->text, "2");
	cr_assert_str_eq(word->text, "7");
	free(value);
	free(word);
}

Test(lib_json, what_is_not_json_is_refused)
{
	static const char *const texts[] = {
		"",
		" ",
		"{",
		"[",
		"[1",
		"[1,",
		"[1,]",
		"[1 2]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{1:1}",
		"\"",
		"\"\\",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u0000\"",
		"\"\\ud800\"",
		"\"\\udc00\"",
		"\"\\ud800\\u0041\"",
		"\"\n\"",
		"tru",
		"nul",
		"01",
		"+1",
		"1.",
		".5",
		"1e",
		"-",
		"1 1",
		"[}",
		"{]",
		"'a'",
		"[1]]",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct json_value *value = NULL;

		cr_expect_eq(json_read(texts[i], strlen(texts[i]), &value), -EINVAL, "%s",
			     texts[i]);
		cr_expect_null(value);
	}
}

Test(lib_json, a_nul_byte_is_refused)
{
	struct json_value *value;

	cr_assert_eq(json_read("[1]\0", 4, &value), -EINVAL);
}

Test(lib_json, deep_nesting_is_refused)
{
	char text[200];
	struct json_value *value;

	memset(text, '[', 100);
	memset(text + 100, ']', 100);
	cr_assert_eq(json_read(text, sizeof(text), &value), -EINVAL);
	cr_assert_eq(json_read(text + 80, 40, &value), 0);
	free(value);
}

Test(lib_json, what_is_written_is_read_as_it_was)
{
	const char *text = "a \"quoted\" \\ line\n\ttab \001 \u00e4";
	char *written = NULL;
	size_t length;
	FILE *stream = open_memstream(&written, &length);
	struct json_value *value;

	json_write_text(stream, text);
	fclose(stream);
	value = read_json(written);
	cr_assert_str_eq(value->text, text);
	free(value);
	free(written);
}
