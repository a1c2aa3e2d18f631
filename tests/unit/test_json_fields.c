/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of JSON documents that tables describe: writing, reading, messages, and the schema. */
#include "runner/record/json_fields.h"

#include <criterion/criterion.h>

TestSuite(json_fields);

enum shape { CIRCLE, SQUARE, N_SHAPES };

static const char *shape_name(enum shape shape)
{
	return shape == CIRCLE ? "circle" : "square";
}

/* A union's member depends on the shape. */
struct part {
	enum shape shape;
	union {
		uint32_t radius;
		int64_t side;
	};
	uint32_t next;
};

struct inner {
	char *name;
	bool set;
};

struct document {
	uint64_t seed;
	int64_t at_ns;
	double scale;
	int status;
	char *data;
	size_t length;
	char **words;
	struct inner inner;
	struct inner *other;
	struct part *parts;
	size_t n_parts, parts_capacity;
	struct address *addresses;
	size_t n_addresses;
	char device[4];
	int64_t times[2];
	size_t n_times;
	struct address host;
};

static const struct json_field inner_fields[] = {
	{"name", JSON_TEXT(struct inner, name), .optional = true, .about = "Its name."},
	{"set", JSON_BOOL(struct inner, set), .optional = true},
};
static const struct json_type inner_type = {JSON_TYPE(struct inner, inner_fields), .name = "inner"};

static const struct json_field part_fields[] = {
	{"shape", JSON_WORD(struct part, shape, enum shape, shape_name, N_SHAPES)},
	{"radius", JSON_U32(struct part, radius), .max = 100, .tags = 1 << CIRCLE},
	{"side", JSON_DURATION(struct part, side), .tags = 1 << SQUARE},
	{"next", JSON_INDEX(struct part, next), JSON_BELOW(struct document, n_parts),
	 .optional = true},
};
static const struct json_type part_type = {JSON_TYPE(struct part, part_fields),
					   .tag = &part_fields[0], .is_closed = true};

static const struct json_field address_fields[] = {
	{NULL, .kind = JSON_KIND_ADDRESS},
};
static const struct json_type address_type = JSON_ELEMENT(struct address, address_fields);

static const struct json_field time_fields[] = {{.kind = JSON_KIND_I64}};
static const struct json_type time_type = JSON_ELEMENT(int64_t, time_fields);

static bool status_is_even(struct json_reader *reader, void *object)
{
	const struct document *document = object;

	return document->status % 2 == 0 || json_refuse(reader, "its status is odd");
}

static const struct json_field document_fields[] = {
	{"format", JSON_CONSTANT("shapes")},
	{"version", JSON_VERSION(2)},
	{"seed", JSON_DECIMAL(struct document, seed)},
	{"at_ns", JSON_TIME(struct document, at_ns)},
	{"scale", JSON_REAL(struct document, scale), .max = 1000},
	{"status", JSON_INT(struct document, status), .max = 65535},
	{"data", JSON_BYTES(struct document, data, length)},
	{"words", JSON_TEXTS(struct document, words), .optional = true},
	{"inner", JSON_OBJECT(struct document, inner, struct inner, &inner_type), .optional = true},
	{"other", JSON_POINTER(struct document, other, struct inner, &inner_type), .optional = true,
	 .about = "Another one."},
	{"parts", JSON_LIST(struct document, parts, n_parts, struct part, &part_type),
	 JSON_CAPACITY(struct document, parts_capacity)},
	{"addresses",
	 JSON_LIST(struct document, addresses, n_addresses, struct address, &address_type),
	 .optional = true},
	{"device", JSON_CHARS(struct document, device), .optional = true},
	{"times", JSON_ARRAY(struct document, times, n_times, int64_t, &time_type),
	 .optional = true},
	{"host", JSON_HOST(struct document, host), .optional = true},
};
static const struct json_type document_type = {JSON_TYPE(struct document, document_fields),
					       .is_scope = true, .check = status_is_even,
					       .about = "Shapes."};

static char *write_document(const struct document *document)
{
	struct strbuf out = {0};

	strbuf_putc(&out, '{');
	json_fields_write(&document_type, document, &out);
	strbuf_putc(&out, '}');
	return strbuf_steal(&out);
}

/* Reads a text. Returns the message, or NULL if the text is right. */
static char *read_document(const char *text, struct document *ret)
{
	struct json_reader reader = {.document = "the document"};
	json_t *json = json_loads(text, 0, NULL);

	cr_assert(json, "%s", text);
	cr_expect_eq(json_fields_read(&reader, &document_type, json, ret), !reader.message);
	json_decref(json);
	return reader.message;
}

static const char whole[] =
	"{\"format\":\"shapes\",\"version\":2,\"seed\":\"18446744073709551615\",\"at_ns\":-5,"
	"\"scale\":0.5,\"status\":512,\"data\":{\"base64\":\"/wA=\"},\"words\":[\"a\",\"b \\\"\"],"
	"\"inner\":{\"set\":true},\"other\":{\"name\":\"caf\xc3\xa9\"},"
	"\"parts\":[{\"shape\":\"circle\",\"radius\":7},"
	"{\"shape\":\"square\",\"side\":4611686018427387,\"next\":0}],"
	"\"addresses\":[\"127.0.0.1:80\",\"[::1]:443\"],\"device\":\"lo0\",\"times\":[5,-6],"
	"\"host\":\"::1\"}";

static const char smallest[] = "{\"format\":\"shapes\",\"version\":2,\"seed\":\"0\",\"at_ns\":0,"
			       "\"scale\":1.0,\"status\":0,\"data\":\"\",\"parts\":[]}";

Test(json_fields, what_is_read_is_written_unchanged)
{
	static const char *const texts[] = {whole, smallest};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct document document = {0};
		AUTO_FREE char *message = read_document(texts[i], &document), *again = NULL;

		cr_assert_null(message, "%s", message);
		again = write_document(&document);
		cr_expect_str_eq(again, texts[i]);
		json_fields_clear(&document_type, &document);
	}
}

Test(json_fields, a_list_that_was_read_can_grow)
{
	struct document document = {0};
	AUTO_FREE char *message = read_document(whole, &document);

	cr_assert_null(message);
	cr_expect_eq(document.parts[0].next, UINT32_MAX);
	for (int i = 0; i < 100; i++)
		array_append(document.parts, document.n_parts, document.parts_capacity,
			     (struct part){.radius = 3});
	cr_expect_eq(document.parts[1].side, 4611686018427387);
	json_fields_clear(&document_type, &document);
}

/* A text with the first @from replaced by @to, read. */
static char *read_changed(const char *from, const char *to)
{
	AUTO_STRBUF struct strbuf text = {0};
	struct document document = {0};
	const char *at = strstr(whole, from);
	char *message;

	cr_assert(at, "%s", from);
	strbuf_add(&text, whole, (size_t)(at - whole));
	strbuf_puts(&text, to);
	strbuf_puts(&text, at + strlen(from));
	message = read_document(strbuf_text(&text), &document);
	json_fields_clear(&document_type, &document);
	return message;
}

Test(json_fields, refuses_wrong_values_with_their_place)
{
	static const struct {
		const char *from, *to, *message;
	} cases[] = {
		{"\"format\":\"shapes\"", "\"format\":\"forms\"",
		 "the document: \"format\" is not \"shapes\""},
		{"\"version\":2", "\"version\":3",
		 "the document: format 3 was made by a newer synfault; run it again"},
		{"\"seed\":\"18446744073709551615\"", "\"seed\":\"18446744073709551616\"",
		 "the document: \"seed\" is not a whole number as text"},
		{"\"seed\":\"18446744073709551615\"", "\"seed\":5",
		 "the document: \"seed\" is not a whole number as text"},
		{"\"at_ns\":-5,", "", "the document: \"at_ns\" is missing"},
		{"\"at_ns\":-5", "\"at_ns\":-5.0", "the document: \"at_ns\" is not an integer"},
		{"\"scale\":0.5", "\"scale\":0",
		 "the document: \"scale\" is not more than 0 and at most 1000"},
		{"\"status\":512", "\"status\":65536",
		 "the document: \"status\" is out of range: 65536 is not from 0 to 65535"},
		{"\"status\":512", "\"status\":513", "the document: its status is odd"},
		{"{\"base64\":\"/wA=\"}", "{\"base64\":\"/wA\"}",
		 "the document: \"data\" is not base64"},
		{"{\"base64\":\"/wA=\"}", "7", "the document: \"data\" is not text"},
		{"\"a\",", "{\"base64\":\"AAA=\"},",
		 "the document: \"words\" is text with a NUL in it"},
		{"[\"a\",\"b \\\"\"]", "\"a\"", "the document: \"words\" is not a list"},
		{"{\"set\":true}", "{\"set\":1}", "inner: \"set\" is neither true nor false"},
		{"{\"name\":\"caf\xc3\xa9\"}", "[]", "other: not an object"},
		{"\"radius\":7", "\"radius\":101",
		 "parts[0]: \"radius\" is out of range: 101 is not from 0 to 100"},
		{"\"radius\":7", "\"radius\":7,\"side\":7",
		 "parts[0]: \"side\" is not a known key"},
		{"\"circle\"", "\"oval\"", "parts[0]: \"shape\" is not known"},
		{"\"circle\"", "\"square\"", "parts[0]: \"side\" is missing"},
		{"\"next\":0", "\"next\":-1",
		 "parts[1]: \"next\" is out of range: -1 is not from 0 to 4294967294"},
		{"\"next\":0", "\"next\":2", "parts[1]: \"next\" is 2, but there are 2"},
		{"[::1]:443", "::1:443", "addresses[1]: not an address"},
		{"[::1]:443", "[::1]:65536", "addresses[1]: not an address"},
		{"[::1]:443", "", "addresses[1]: not an address"},
		{"\"127.0.0.1:80\"", "null", "addresses[0]: not an address"},
		{"\"lo0\"", "\"eth0\"", "the document: \"device\" is too long"},
		{"[5,-6]", "[5,-6,7]", "times: too long"},
		{"\"host\":\"::1\"", "\"host\":\"[::1]\"",
		 "the document: \"host\" is not an address"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *message = read_changed(cases[i].from, cases[i].to);

		cr_expect(message && strcmp(message, cases[i].message) == 0,
			  "%s: expected \"%s\", actual \"%s\"", cases[i].to, cases[i].message,
			  message ? message : "(accepted)");
	}
}

Test(json_fields, prints_a_document_in_lines)
{
	AUTO_STRBUF struct strbuf text = {0};
	struct inner inner = {.name = (char[]){"x"}, .set = true};

	json_fields_print(&inner_type, &inner, &text);
	cr_expect_str_eq(strbuf_text(&text), "{\n  \"name\": \"x\",\n  \"set\": true\n}\n");
}

Test(json_fields, ignores_unknown_keys_of_open_types)
{
	AUTO_FREE char *message = read_changed("\"at_ns\":", "\"later\":{\"x\":1},\"at_ns\":");

	cr_expect_null(message, "%s", message);
}

Test(json_fields, the_schema_has_each_row)
{
	AUTO_STRBUF struct strbuf text = {0};
	json_t *schema, *value;

	json_fields_schema(&document_type, "shapes", &text);
	schema = json_loads(strbuf_text(&text), JSON_REJECT_DUPLICATES, NULL);
	cr_assert(schema, "%s", strbuf_text(&text));
	value = json_object_get(schema, "properties");
	cr_expect_eq(json_object_size(value), ARRAY_SIZE(document_fields));
	cr_expect_eq(json_array_size(json_object_get(schema, "required")), 8);
	value = json_object_get(json_object_get(value, "other"), "allOf");
	value = json_object_get(json_array_get(value, 0), "$ref");
	cr_expect_str_eq(json_string_value(value), "#/definitions/inner");
	value = json_object_get(json_object_get(schema, "definitions"), "inner");
	value = json_object_get(json_object_get(value, "properties"), "name");
	cr_expect_str_eq(json_string_value(json_object_get(value, "description")), "Its name.");
	json_decref(schema);
}

/* ---- rows that depend on others ---- */

struct moment {
	int64_t at_ns, early_ns, seen_ns;
	bool incomplete;
	uint32_t index;
};

struct moments {
	struct moment *items;
	size_t n_items;
	uint32_t n_names;
};

#define NEVER (-1)

static const struct json_field moment_fields[] = {
	{"earliest_ns", JSON_EARLIER(struct moment, early_ns, at_ns), .optional = true},
	{"at_ns", JSON_TIME(struct moment, at_ns)},
	{"seen_ns", JSON_TIME(struct moment, seen_ns), .absent = NEVER, .optional = true},
	{"complete", JSON_BOOL(struct moment, incomplete), .negated = true},
	{"name", JSON_INDEX(struct moment, index), JSON_BELOW(struct moments, n_names)},
};
static const struct json_type moment_type = {JSON_TYPE(struct moment, moment_fields)};

/* The list is written before the count that its indices stay below, and read after it. */
static const struct json_field moments_fields[] = {
	{"items", JSON_LIST(struct moments, items, n_items, struct moment, &moment_type),
	 .late = true},
	{"names", JSON_U32(struct moments, n_names)},
};
static const struct json_type moments_type = {JSON_TYPE(struct moments, moments_fields),
					      .is_scope = true};

static char *read_moments(const char *text, struct moments *ret)
{
	struct json_reader reader = {.document = "the document"};
	json_t *json = json_fields_parse(&reader, text, strlen(text));

	cr_assert(json, "%s: %s", text, reader.message);
	cr_expect_eq(json_fields_read(&reader, &moments_type, json, ret), !reader.message);
	json_decref(json);
	return reader.message;
}

Test(json_fields, a_value_that_depends_on_others_is_read_after_them)
{
	static const char text[] =
		"{\"items\":[{\"at_ns\":9,\"complete\":true,\"name\":1},"
		"{\"earliest_ns\":4,\"at_ns\":9,\"seen_ns\":0,\"complete\":false,\"name\":0}],"
		"\"names\":2}";
	AUTO_STRBUF struct strbuf out = {0};
	struct moments moments = {0};

	cr_assert_null(read_moments(text, &moments));
	cr_assert_eq(moments.n_items, 2);
	cr_expect_eq(moments.items[0].early_ns, 0);
	cr_expect_eq(moments.items[0].seen_ns, NEVER);
	cr_expect_not(moments.items[0].incomplete);
	cr_expect_eq(moments.items[1].early_ns, 5);
	cr_expect_eq(moments.items[1].seen_ns, 0);
	cr_expect(moments.items[1].incomplete);
	strbuf_putc(&out, '{');
	json_fields_write(&moments_type, &moments, &out);
	strbuf_putc(&out, '}');
	cr_expect_str_eq(strbuf_text(&out), text);
	json_fields_clear(&moments_type, &moments);
}

Test(json_fields, a_value_that_contradicts_another_is_refused)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"{\"items\":[{\"earliest_ns\":10,\"at_ns\":9,\"complete\":true,\"name\":0}],"
		 "\"names\":1}",
		 "items[0]: \"earliest_ns\" is out of range: 10 is not from "
		 "-2305843009213693951 to 9"},
		{"{\"items\":[{\"at_ns\":9,\"complete\":true,\"name\":1}],\"names\":1}",
		 "items[0]: \"name\" is 1, but there are 1"},
		{"{\"items\":[{\"at_ns\":9,\"complete\":true,\"name\":0}]}",
		 "the document: \"names\" is missing"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct moments moments = {0};
		AUTO_FREE char *message = read_moments(cases[i].text, &moments);

		cr_assert_not_null(message, "%s was read", cases[i].text);
		cr_expect_str_eq(message, cases[i].message);
		json_fields_clear(&moments_type, &moments);
	}
}

Test(json_fields, a_text_that_is_not_json_is_refused_with_its_place)
{
	struct json_reader reader = {.document = "the document"};
	AUTO_FREE char *message = NULL;

	cr_expect_null(json_fields_parse(&reader, "{\n,", 3));
	message = reader.message;
	cr_expect(strstr(message, "the document: line 2, column 1:"), "%s", message);
}
