/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the search for a list's elements in the text of a JSON document. */
#include <criterion/criterion.h>
#include <errno.h>

#include "common/strbuf.h"
#include "runner/record/json_split.h"

TestSuite(json_split);

/* Joins the elements of the list "a" by bars; an error is "!"; no such list is "-". */
static char *elements(const char *text)
{
	AUTO_STRBUF struct strbuf joined = {0};
	struct json_split split;
	const char *element;
	size_t length;
	int r;

	if (!json_split_find(text, strlen(text), "a", &split))
		return xstrdup("-");
	while ((r = json_split_next(&split, &element, &length)) > 0) {
		strbuf_add(&joined, element, length);
		strbuf_putc(&joined, '|');
	}
	if (r < 0)
		strbuf_putc(&joined, '!');
	return xstrdup(strbuf_text(&joined));
}

Test(json_split, finds_the_elements_of_a_list)
{
	static const struct {
		const char *text, *joined;
	} cases[] = {
		{"{\"a\":[]}", ""},
		{" { \"a\" : [ ] } ", ""},
		{"{\"a\":[1,\"b\",null]}", "1|\"b\"|null|"},
		{"{\"x\":{\"a\":[0]},\"a\":[ {\"c\":[1,2]} ,\n[3] ],\"y\":1}",
		 "{\"c\":[1,2]}|[3]|"},
		{"{\"x\":\"]\\\\\",\"a\":[\"a,b\",\"\\\"]\"]}", "\"a,b\"|\"\\\"]\"|"},
		{"{\"a\":1,\"a\":[2]}", "2|"}, /* the parser refuses that */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *joined = elements(cases[i].text);

		cr_expect_str_eq(joined, cases[i].joined, "%s: %s", cases[i].text, joined);
	}
}

Test(json_split, does_not_read_beyond_what_is_not_json)
{
	static const struct {
		const char *text, *joined;
	} cases[] = {
		{"", "-"},
		{"[1]", "-"},
		{"{", "-"},
		{"{}", "-"},
		{"{\"a", "-"},
		{"{\"a\\", "-"},
		{"{\"a\"", "-"},
		{"{\"a\":", "-"},
		{"{\"a\":[", "-"},
		{"{\"a\":[\"", "-"},
		{"{\"a\":[1", "-"},
		{"{\"a\":{}}", "-"},
		{"{\"b\":[1]}", "-"},
		{"{\"b\" [1],\"a\":[1]}", "-"},
		{"{\"b\":[1] \"a\":[1]}", "-"},
		{"{b:1,\"a\":[1]}", "-"},
		{"{\"\\u0061\":[1]}", "-"},
		{"{\"a\":[1,]}", "1|!"},
		{"{\"a\":[,1]}", "!"},
		{"{\"a\":[,]}", "!"},
		{"{\"a\":[1 2]}", "!"},
		{"{\"a\":[1:2]}", "!"},
		{"{\"a\":[1}", "1|"}, /* the parser refuses that */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* without its NUL, for the sanitizers */
		size_t length = strlen(cases[i].text);
		AUTO_FREE char *text = xmemdup(cases[i].text, length + 1), *joined = elements(text);
		AUTO_FREE char *bare = xmemdup(cases[i].text, MAX(length, (size_t)1));
		struct json_split split;

		cr_expect_str_eq(joined, cases[i].joined, "%s: %s", cases[i].text, joined);
		cr_expect_eq(json_split_find(bare, length, "a", &split), strcmp(joined, "-") != 0,
			     "%s", cases[i].text);
	}
}
