/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what the client's output must hold: the values of "stdout" and "stderr". */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "runner/scenario/decode_output.h"

#include <pcre2.h>

#include "runner/scenario/decode_value.h"
#include "runner/scenario/expectation.h"

/* What the keys of "stdout" and "stderr" need to know. */
struct output {
	enum expectation_kind kind;
	bool negated;
};

static bool check_pattern(struct loader *loader, const struct node *node)
{
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	pcre2_code *code;
	int error;

	code = pcre2_compile((PCRE2_SPTR)node->text, node->count, PCRE2_UTF, &error, &offset, NULL);
	if (code) {
		pcre2_code_free(code);
		return true;
	}
	pcre2_get_error_message(error, message, sizeof(message));
	return loader_error_within(loader, node, MIN((size_t)offset, node->count), 1,
				   "the pattern is wrong at offset %zu: %s", (size_t)offset,
				   (const char *)message);
}

static void add_text(struct loader *loader, const struct node *node, const struct output *output,
		     enum text_match_kind match)
{
	struct expectation *expectation;
	const char *text;

	if (!decode_text(loader, node, &text))
		return;
	if (!*text) {
		loader_error(loader, node, "an empty text is found everywhere");
		return;
	}
	if (match == TEXT_MATCHES && !check_pattern(loader, node))
		return;
	expectation = add_expectation(loader, output->kind, node);
	expectation->value.text.match = match;
	expectation->value.text.negated = output->negated;
	expectation->value.text.text = xstrdup(text);
}

/* Adds an expectation for a text, or for each of a list. */
static void add_texts(struct loader *loader, const struct field *field, const struct output *output,
		      enum text_match_kind match)
{
	const struct node *value = field->value;

	if (value->kind == NODE_TEXT) {
		add_text(loader, value, output, match);
		return;
	}
	if (!value->count)
		loader_error(loader, value, "\"%s\" is empty", field->key->text);
	for (size_t i = 0; i < value->count; i++)
		add_text(loader, value->items[i], output, match);
}

static void decode_contains(struct loader *loader, const struct field *field, void *target)
{
	add_texts(loader, field, target, TEXT_CONTAINS);
}

static void decode_matches(struct loader *loader, const struct field *field, void *target)
{
	add_texts(loader, field, target, TEXT_MATCHES);
}

/* Reads a mapping of texts. One that expects nothing is an error. */
static void decode_texts(struct loader *loader, const struct schema *schema,
			 const struct field *field, struct output *output)
{
	if (!field->value->count) {
		loader_error(loader, field->value, "\"%s\" is empty", field->key->text);
		loader_hint(loader, "for example: %s: %s", field->key->text,
			    field->schema->example);
	}
	decode_mapping(loader, schema, field->value, field->key, output);
}

#define CONTAINS_KEY                                                                               \
	{                                                                                          \
		.name = "contains", .value = "a text or a list of texts",                          \
		.description = "Each of these texts occurs in the output.",                        \
		.example = "\"Connection refused\"", .forms = SCHEMA_SCALAR | SCHEMA_LIST,         \
		.type = SCHEMA_TEXT, .decode = decode_contains,                                    \
	}
#define MATCHES_KEY                                                                                \
	{                                                                                          \
		.name = "matches", .value = "a pattern or a list of patterns",                     \
		.description = "Each of these patterns (PCRE2) matches somewhere in the output.",  \
		.example = "'attempt \\d+'", .forms = SCHEMA_SCALAR | SCHEMA_LIST,                 \
		.type = SCHEMA_PATTERN, .decode = decode_matches,                                  \
	}

static const struct schema_key not_keys[] = {CONTAINS_KEY, MATCHES_KEY};
static const struct schema schema_not = {"what must not be in an output", not_keys,
					 ARRAY_SIZE(not_keys)};

static void decode_not(struct loader *loader, const struct field *field, void *target)
{
	struct output output = *(const struct output *)target;

	output.negated = true;
	if (field->value->kind == NODE_MAPPING)
		decode_texts(loader, &schema_not, field, &output);
	else
		add_texts(loader, field, &output, TEXT_CONTAINS);
}

static const struct schema_key output_keys[] = {
	CONTAINS_KEY,
	MATCHES_KEY,
	{"not", "a text, a list of texts, or a mapping of contains and matches",
	 "None of these texts occurs in the output.", .example = "panic",
	 .forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING, .type = SCHEMA_TEXT,
	 .mapping = &schema_not, .decode = decode_not},
};
const struct schema schema_output = {"an output", output_keys, ARRAY_SIZE(output_keys)};

void decode_output(struct loader *loader, const struct field *field, void *target)
{
	decode_texts(loader, &schema_output, field,
		     &(struct output){.kind = field->schema->expectation});
}
