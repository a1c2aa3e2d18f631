/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of documents and nodes: how a file is cut, what becomes a node, which YAML is refused. */
#include <criterion/criterion.h>
#include <errno.h>

#include "common/utf8.h"
#include "runner/scenario/document.h"
#include "runner/scenario/utf8.h"

TestSuite(node);

struct parsed {
	struct arena arena;
	struct diag_list diags;
	struct document document;
	int result;
};

static void parsed_free(struct parsed *parsed)
{
	arena_free(&parsed->arena);
	diag_list_free(&parsed->diags);
}
#define AUTO_PARSED CLEANUP(parsed_free)

static struct parsed parse_bytes(const char *text, size_t length)
{
	struct document_text whole = {text, length, 1};
	struct parsed parsed = {0};

	parsed.result =
		document_parse(&whole, "a.yaml", &parsed.arena, &parsed.diags, &parsed.document);
	return parsed;
}

static struct parsed parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

/* The only diagnostic is at this place and says this. */
static void expect_error(const struct parsed *parsed, unsigned line, unsigned column,
			 const char *message, const char *what)
{
	const struct diag *diag = parsed->diags.items;

	cr_assert_eq(parsed->result, -EINVAL, "%s: accepted", what);
	cr_expect_eq(parsed->diags.n_items, 1, "%s: %zu errors", what, parsed->diags.n_items);
	cr_expect(diag->line == line && diag->column == column, "%s: at %u:%u", what, diag->line,
		  diag->column);
	cr_expect(strstr(diag->message, message), "%s: \"%s\"", what, diag->message);
	cr_expect_str_eq(diag->path, "a.yaml", "%s", what);
}

Test(node, cuts_a_file_between_documents)
{
	static const struct {
		const char *text;
		const char *documents[4];
		unsigned lines[4];
	} cases[] = {
		{"", {0}, {0}},
		{"a\n", {"a\n"}, {1}},
		{"a", {"a"}, {1}},
		{"---\na\n---\nb\n", {"---\na\n", "---\nb\n"}, {1, 3}},
		{"a\n---\nb\n---", {"a\n", "---\nb\n", "---"}, {1, 2, 4}},
		{"# c\n\n---\na\n", {"# c\n\n---\na\n"}, {1}},
		{"%YAML 1.1\n---\na\n...\n%YAML 1.1\n---\nb\n",
		 {"%YAML 1.1\n---\na\n...\n", "%YAML 1.1\n---\nb\n"},
		 {1, 5}},
		{"a\n...\n# c\n", {"a\n...\n", "# c\n"}, {1, 3}},
		{"a: |\n  x\n---\nb\n", {"a: |\n  x\n", "---\nb\n"}, {1, 3}},
		{"---a\n --- b\n----\n", {"---a\n --- b\n----\n"}, {1}},
		{"a\r\n---\r\nb\r\n", {"a\r\n", "---\r\nb\r\n"}, {1, 2}},
		{"--- a\n---\tb\n", {"--- a\n", "---\tb\n"}, {1, 2}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct document_cursor cursor = {cases[i].text, strlen(cases[i].text), 1};
		struct document_text text;
		size_t n = 0;

		for (; document_next(&cursor, &text); n++) {
			cr_assert(n < 4 && cases[i].documents[n], "\"%s\": too many",
				  cases[i].text);
			cr_expect(strlen(cases[i].documents[n]) == text.length &&
					  !memcmp(cases[i].documents[n], text.text, text.length),
				  "\"%s\": document %zu is \"%.*s\"", cases[i].text, n,
				  (int)text.length, text.text);
			cr_expect_eq(text.line, cases[i].lines[n], "\"%s\": document %zu: line %u",
				     cases[i].text, n, text.line);
		}
		cr_expect(n == 4 || !cases[i].documents[n], "\"%s\": too few", cases[i].text);
	}
}

Test(node, keeps_the_place_of_each_node)
{
	AUTO_PARSED struct parsed parsed = parse("a: b\n"
						 "ключ: [\"два\", {x: 1}]\n"
						 "c:\n"
						 "  d: |\n"
						 "    text\n");
	const struct node *root = parsed.document.root, *list;
	struct place place;

	cr_assert_eq(parsed.result, 0);
	cr_assert_eq(root->count, 3);
	cr_expect_eq(root->pairs[1].key->line, 2);
	cr_expect_eq(root->pairs[1].key->column, 1);
	cr_expect_eq(root->pairs[1].key->length, 4, "characters, not bytes");
	list = root->pairs[1].value;
	cr_expect_eq(list->column, 7);
	cr_expect_eq(list->length, 15);
	cr_expect_eq(list->items[0]->column, 8);
	cr_expect_eq(list->items[0]->length, 5, "with its quotes");
	place = node_place_within(list->items[0], "p", strlen("д"), strlen("ва"));
	cr_expect_eq(place.column, 10);
	cr_expect_eq(place.length, 2);
	place = node_place(node_get(root->pairs[2].value, "d"), "p");
	cr_expect_eq(place.line, 4);
	cr_expect_eq(place.length, 0, "not in one line");
	cr_expect_str_eq(place.path, "p");
}

Test(node, text_with_escapes_is_marked_as_a_whole)
{
	AUTO_PARSED struct parsed parsed = parse("[\"a\\tb\", 'it''s', plain]\n");
	const struct node *root = parsed.document.root;
	struct place place;

	cr_assert_eq(parsed.result, 0);
	for (size_t i = 0; i < 2; i++) {
		place = node_place_within(root->items[i], "p", 2, 1);
		cr_expect_eq(place.column, root->items[i]->column, "item %zu", i);
		cr_expect_eq(place.length, root->items[i]->length, "item %zu", i);
	}
	place = node_place_within(root->items[2], "p", 2, 100);
	cr_expect_eq(place.column, root->items[2]->column + 2);
	cr_expect_eq(place.length, 3, "not beyond the text");
}

Test(node, empty_text_differs_from_no_value)
{
	static const struct {
		const char *text;
		enum node_kind kind;
		const char *value;
	} cases[] = {
		{"- a", NODE_TEXT, "a"},
		{"- ", NODE_NULL, ""},
		{"- ~", NODE_NULL, "~"},
		{"- null", NODE_NULL, "null"},
		{"- Null", NODE_NULL, "Null"},
		{"- NULL", NODE_NULL, "NULL"},
		{"- nULL", NODE_TEXT, "nULL"},
		{"- \"\"", NODE_TEXT, ""},
		{"- '~'", NODE_TEXT, "~"},
		{"- \"null\"", NODE_TEXT, "null"},
		{"- 012", NODE_TEXT, "012"},
		{"- yes", NODE_TEXT, "yes"},
		{"- 1.50", NODE_TEXT, "1.50"},
		{"- !!str ~", NODE_TEXT, "~"},
		{"- !!int 1", NODE_TEXT, "1"},
		{"- ! a", NODE_TEXT, "a"},
		{"- |\n  a\n", NODE_TEXT, "a\n"},
		{"- []", NODE_LIST, NULL},
		{"- {}", NODE_MAPPING, NULL},
		{"- !!seq []", NODE_LIST, NULL},
		{"- !!map {}", NODE_MAPPING, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_PARSED struct parsed parsed = parse(cases[i].text);
		const struct node *item;

		cr_assert_eq(parsed.result, 0, "\"%s\"", cases[i].text);
		item = parsed.document.root->items[0];
		cr_expect_eq(item->kind, cases[i].kind, "\"%s\"", cases[i].text);
		if (cases[i].value)
			cr_expect_str_eq(item->text, cases[i].value, "\"%s\"", cases[i].text);
	}
}

Test(node, skips_empty_documents)
{
	static const char *const cases[] = {"",      "\n\n",       "# only\n# comments\n",
					    "---\n", "---\n...\n", "--- # nothing\n"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_PARSED struct parsed parsed = parse(cases[i]);

		cr_expect_eq(parsed.result, 0, "\"%s\"", cases[i]);
		cr_expect_null(parsed.document.root, "\"%s\"", cases[i]);
	}
}

Test(node, unreadable_text_is_refused)
{
	static const struct {
		const char *what, *text;
		size_t length; /* 0: up to the NUL */
		unsigned line, column;
		const char *message;
	} cases[] = {
		{"NUL", "a: b\nc: \0d\n", 11, 2, 4, "U+0000"},
		{"control character", "a: b\a\n", 0, 1, 5, "U+0007"},
		{"DEL", "a: \x7f\n", 0, 1, 4, "U+007F"},
		{"C1 control", "a: \xC2\x9F\n", 0, 1, 4, "U+009F"},
		{"next line", "a: \xC2\x85\n", 0, 1, 4, "U+0085"},
		{"line separator", "a: ж\xE2\x80\xA8\n", 0, 1, 5, "U+2028"},
		{"paragraph separator", "a: \xE2\x80\xA9\n", 0, 1, 4, "U+2029"},
		{"byte order mark in the middle", "a: \xEF\xBB\xBF\n", 0, 1, 4, "U+FEFF"},
		{"no character", "a: \xEF\xBF\xBF\n", 0, 1, 4, "U+FFFF"},
		{"a byte that starts nothing", "a: \xFF\n", 0, 1, 4, "0xFF is not UTF-8"},
		{"a byte that only follows", "\n a: \x80\n", 0, 2, 5, "0x80 is not UTF-8"},
		{"cut at the end", "a: \xC3", 0, 1, 4, "0xC3 is not UTF-8"},
		{"cut in the middle", "a: \xE2\x80 b\n", 0, 1, 4, "0xE2 is not UTF-8"},
		{"overlong, two bytes", "a: \xC0\xAF\n", 0, 1, 4, "0xC0 is not UTF-8"},
		{"overlong, three bytes", "a: \xE0\x80\xAF\n", 0, 1, 4, "0xE0 is not UTF-8"},
		{"overlong, four bytes", "a: \xF0\x80\x80\xAF\n", 0, 1, 4, "0xF0 is not UTF-8"},
		{"surrogate", "a: \xED\xA0\x80\n", 0, 1, 4, "0xED is not UTF-8"},
		{"beyond Unicode", "a: \xF4\x90\x80\x80\n", 0, 1, 4, "0xF4 is not UTF-8"},
		{"UTF-16", "\xFF\xFE\x61\0", 4, 1, 1, "0xFF is not UTF-8"},
		{"lone carriage return", "a: b\rc: d\n", 0, 1, 5, "carriage return"},
		{"carriage return at the end", "a: b\r", 0, 1, 5, "carriage return"},
		{"escaped NUL", "a: \"x\\0y\"\n", 0, 1, 4, "can't hold the character NUL"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t length = cases[i].length ? cases[i].length : strlen(cases[i].text);
		AUTO_PARSED struct parsed parsed = parse_bytes(cases[i].text, length);

		expect_error(&parsed, cases[i].line, cases[i].column, cases[i].message,
			     cases[i].what);
	}
}

Test(node, accepts_every_other_character)
{
	AUTO_PARSED struct parsed parsed =
		parse("a: \"\xC2\xA0 \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBD\"\r\nb: c\r\n");

	cr_assert_eq(parsed.result, 0);
	cr_expect_eq(parsed.document.root->pairs[0].value->length, 9);
	cr_expect_eq(parsed.document.root->pairs[1].key->line, 2);
}

Test(node, refuses_yaml_that_a_scenario_can_not_use)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *message;
	} cases[] = {
		{"a: 1\nb: 2\na: 3\n", 3, 1, "\"a\" is given twice"},
		{"a: 1\n\"a\": 2\n", 2, 1, "\"a\" is given twice"},
		{"{1: a, 2: a, 3: a, 4: a, 5: a, 6: a, 7: a, 8: a, 9: a, 10: a, 11: a, 12: a, "
		 "13: a, 2: b}",
		 1, 84, "\"2\" is given twice"},
		{"a: !x b\n", 1, 4, "the tag \"!x\""},
		{"a: !!binary b\n", 1, 4, "the tag \"tag:yaml.org,2002:binary\""},
		{"a: !!map b\n", 1, 4, "the tag"},
		{"a: !!str [b]\n", 1, 4, "the tag"},
		{"a: !!seq {b: c}\n", 1, 4, "the tag"},
		{"? [a]\n: b\n", 1, 3, "a key must be a text, not a list"},
		{"? {a: b}\n: c\n", 1, 3, "a key must be a text, not a mapping"},
		{"~: b\n", 1, 1, "a key must be a text"},
		{"a: *b\n", 1, 4, "this alias has no anchor \"&b\""},
		{"a: &a [*a]\n", 1, 8, "part of what it refers to"},
		{"a: &a {b: [c, *a]}\n", 1, 15, "part of what it refers to"},
		{"a: {<<: {b: c}}\n", 1, 5, "merge keys"},
		{"a: [b\n", 1, 4, "that starts here"},
		{"a: {b: c\nd: e\n", 2, 2, "that starts in line 1"},
		{"a: 'b\n", 1, 4, "that starts here"},
		{"a\nb: c\n", 2, 2, "not valid YAML"},
		{"[a]\nb: c\n", 2, 1, "not valid YAML"},
		{"%YAML 3.0\n--- a\n", 1, 1, "not valid YAML"},
		{"%FOO\n", 1, 5, "not valid YAML"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_PARSED struct parsed parsed = parse(cases[i].text);

		expect_error(&parsed, cases[i].line, cases[i].column, cases[i].message,
			     cases[i].text);
	}
}

Test(node, reports_every_error_in_valid_yaml)
{
	AUTO_PARSED struct parsed parsed = parse("a: 1\na: !x 2\nb: *c\nc: \"\\0\"\n");

	cr_expect_eq(parsed.result, -EINVAL);
	cr_expect_eq(parsed.diags.n_items, 4);
	cr_assert_not_null(parsed.document.root, "the rest can be examined");
	cr_expect_eq(node_get(parsed.document.root, "b")->kind, NODE_WRONG);
	cr_expect_eq(node_get(parsed.document.root, "c")->kind, NODE_WRONG);
}

Test(node, invalid_yaml_gets_a_suggestion)
{
	static const struct {
		const char *text, *hint;
	} cases[] = {
		{"a: [${b}]\n", "put quotes around a text with ${…}"},
		{"a: [b/${c}/d, e]\n", "put quotes around a text with ${…}"},
		{"a:\n\tb: c\n", "no tabs"},
		{"a: @b\n", "put quotes around"},
		{"a: `b`\n", "put quotes around"},
		{"a: %b\n", "starts with \"%\""},
		{"a: b: c\n", "holds \": \""},
		{"a: *b\n", "starts with \"*\""},
		{"a: !b c\n", "starts with \"!\""},
		{"a: {<<: *b}\n", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_PARSED struct parsed parsed = parse(cases[i].text);

		cr_assert(parsed.diags.n_items, "\"%s\"", cases[i].text);
		if (cases[i].hint)
			cr_expect(parsed.diags.items[0].hint &&
					  strstr(parsed.diags.items[0].hint, cases[i].hint),
				  "\"%s\": %s", cases[i].text, parsed.diags.items[0].hint);
	}
}

Test(node, reads_the_name_of_a_document_that_is_broken_after_it)
{
	static const struct {
		const char *text, *name;
		unsigned line;
	} cases[] = {
		{"name: a\nb: [\n", "a", 1},
		{"---\n\nb: {c: d}\nname: a\ne: [f, {g: [\n", "a", 3},
		{"name: a\nname: b\n", "a", 1},
		{"b: {name: a}\nc: [\n", NULL, 1},
		{"b: [name, a\n", NULL, 1},
		{"- name\n- a\n- [\n", NULL, 1},
		{"name: [\n", NULL, 1},
		{"# comment\n@\n", NULL, 2},
		{"name: a\n\tb: c\n", "a", 1},
		{"---\n# c\n\nname: 'a b' \r\n\xFF\n", "a b", 4},
		{"b: \xFF\nname: c", "c", 1},
		{"name: \xFF\n", NULL, 1},
		{"\xFF", NULL, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_PARSED struct parsed parsed = parse(cases[i].text);
		const char *name = parsed.document.name;

		cr_expect_eq(parsed.result, -EINVAL, "\"%s\"", cases[i].text);
		cr_expect(cases[i].name ? name && !strcmp(name, cases[i].name) : !name,
			  "\"%s\": %s", cases[i].text, name);
		cr_expect_eq(parsed.document.line, cases[i].line, "\"%s\": %u", cases[i].text,
			     parsed.document.line);
	}
}

Test(node, shares_what_an_alias_refers_to)
{
	AUTO_PARSED struct parsed parsed =
		parse("a: &x {b: [c, d]}\ne: *x\nf: &y g\nh: &y i\nj: *y\n*y : k\n");
	const struct node *root = parsed.document.root;

	cr_assert_eq(parsed.result, 0);
	cr_expect_eq(node_get(root, "a"), node_get(root, "e"));
	cr_expect_str_eq(node_get(root, "j")->text, "i", "the latest anchor of that name");
	cr_expect_not_null(node_get(root, "i"), "an alias as a key");
	/* root, a: {b: [c, d]} twice with its key, f, h, j, i with theirs */
	cr_expect_eq(root->size, 1 + 2 * (1 + 5) + 4 * 2);
}

/* Level n is a list of ten of level n - 1; the last line follows. */
static char *levels(unsigned n, const char *last)
{
	struct strbuf text = {0};

	strbuf_puts(&text, "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (unsigned i = 1; i <= n; i++) {
		strbuf_printf(&text, "l%u: &l%u [", i, i);
		for (unsigned k = 0; k < 10; k++)
			strbuf_printf(&text, "*l%u%s", i - 1, k < 9 ? ", " : "]\n");
	}
	strbuf_puts(&text, last);
	return strbuf_steal(&text);
}

Test(node, follows_aliases_up_to_100000_nodes)
{
	/* 11,111 nodes in the fourth level; 12,349 up to there with keys. */
	AUTO_FREE char *good = levels(3, "z: [*l3, *l3, *l3, *l3, *l3, *l3, *l3]\n");
	AUTO_FREE char *bad = levels(3, "z: [*l3, *l3, *l3, *l3, *l3, *l3, *l3, *l3]\n");
	AUTO_FREE char *bomb = levels(40, "");
	AUTO_PARSED struct parsed first = parse(good), second = parse(bad), third = parse(bomb);

	cr_expect_eq(first.result, 0);
	cr_expect_eq(first.document.root->size, 12349 + 2 + 7 * 11111);
	expect_error(&second, 5, 40, "grows beyond 100000 nodes", "eight times");
	cr_expect_eq(third.diags.n_items, 1);
}

Test(node, follows_aliases_up_to_16_mebibytes_of_text)
{
	AUTO_STRBUF struct strbuf text = {0};
	AUTO_FREE char *word = xmalloc(1000001);

	memset(word, 'x', 1000000);
	word[1000000] = '\0';
	strbuf_printf(&text, "- &a %s\n", word);
	for (size_t i = 0; i < 20; i++)
		strbuf_puts(&text, "- *a\n");
	{
		AUTO_PARSED struct parsed parsed = parse(strbuf_text(&text));

		expect_error(&parsed, 17, 3, "grows beyond 16777216 bytes", "twenty times");
	}
}

Test(node, nests_64_levels_deep)
{
	AUTO_STRBUF struct strbuf good = {0}, bad = {0}, alias = {0};

	for (size_t i = 0; i < 64; i++)
		strbuf_putc(&good, '[');
	strbuf_add(&bad, good.data, good.length);
	strbuf_putc(&bad, '[');
	for (size_t i = 0; i < 64; i++)
		strbuf_putc(&good, ']');
	/* Forty levels within forty. */
	strbuf_puts(&alias, "- &a ");
	for (size_t i = 0; i < 40; i++)
		strbuf_putc(&alias, '[');
	for (size_t i = 0; i < 40; i++)
		strbuf_putc(&alias, ']');
	strbuf_puts(&alias, "\n- ");
	for (size_t i = 0; i < 40; i++)
		strbuf_putc(&alias, '[');
	strbuf_puts(&alias, "*a");
	{
		AUTO_PARSED struct parsed first = parse(strbuf_text(&good));
		AUTO_PARSED struct parsed second = parse(strbuf_text(&bad));
		AUTO_PARSED struct parsed third = parse(strbuf_text(&alias));

		cr_expect_eq(first.result, 0);
		cr_expect_eq(first.document.root->height, 64);
		expect_error(&second, 1, 65, "nested more than 64 levels", "65 levels");
		expect_error(&third, 2, 43, "nested more than 64 levels", "through an alias");
	}
}

Test(node, compares_values)
{
	static const struct {
		const char *text;
		bool equal;
	} cases[] = {
		{"[a, a]", true},
		{"[a, \"a\"]", true},
		{"[a, b]", false},
		{"[a, ab]", false},
		{"[[a, b], [a, b]]", true},
		{"[[a, b], [b, a]]", false},
		{"[[a], [a, a]]", false},
		{"[{a: b, c: d}, {c: d, a: b}]", true},
		{"[{a: b}, {a: c}]", false},
		{"[{a: b}, {c: b}]", false},
		{"[a, [a]]", false},
		{"[~, null]", false},
		{"[~, ~]", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_PARSED struct parsed parsed = parse(cases[i].text);
		const struct node *root = parsed.document.root;

		cr_expect_eq(node_equal(root->items[0], root->items[1]), cases[i].equal, "%s",
			     cases[i].text);
		cr_expect(node_equal(root, root), "%s", cases[i].text);
	}
}

Test(node, writes_values_in_one_line)
{
	AUTO_PARSED struct parsed parsed = parse("a: [b, {c: d, e: [f]}, ~]\ng: {}\n");
	AUTO_STRBUF struct strbuf text = {0};

	node_format(parsed.document.root, &text);
	cr_expect_str_eq(strbuf_text(&text), "{a: [b, {c: d, e: [f]}, ~], g: {}}");
}

Test(node, finds_values_only_in_mappings)
{
	AUTO_PARSED struct parsed parsed = parse("a: [b]\n");

	cr_expect_not_null(node_get(parsed.document.root, "a"));
	cr_expect_null(node_get(parsed.document.root, "b"));
	cr_expect_null(node_get(node_get(parsed.document.root, "a"), "b"));
	cr_expect_null(node_get(NULL, "a"));
}

Test(node, counts_characters)
{
	cr_expect_eq(utf8_count("aж€😀", strlen("aж€😀")), 4);
	cr_expect_eq(utf8_offset("aж€😀", strlen("aж€😀"), 2), 3);
	cr_expect_eq(utf8_offset("aж", 3, 9), 3);
}

Test(node, arena_keeps_what_it_adopts_and_reuses_what_it_resets)
{
	CLEANUP(arena_free) struct arena arena = {0}, other = {0}, empty = {0};
	char *first, *large, *adopted;

	arena_reset(&arena);
	first = arena_strndup(&arena, "first", 5);
	large = arena_alloc(&arena, 1000000);
	memset(large, 'x', 1000000);
	for (size_t i = 0; i < 10000; i++)
		memset(arena_alloc(&arena, i % 100), 'y', i % 100);
	cr_expect_str_eq(first, "first");
	cr_expect(large[0] == 'x' && large[999999] == 'x');
	adopted = arena_strndup(&other, "42", 2);
	arena_adopt(&arena, &other);
	arena_adopt(&arena, &empty);
	arena_adopt(&empty, &arena);
	cr_expect_str_eq(adopted, "42");
	cr_expect_str_eq(first, "first");
	cr_expect_null(arena.blocks);
	arena_reset(&empty);
	cr_expect_str_eq(arena_strndup(&empty, "abc", 2), "ab");
}
