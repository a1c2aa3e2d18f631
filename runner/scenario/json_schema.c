/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes JSON Schema from the loader's tables. Each kind of mapping is a definition. A value has one
 * of its forms, or is a reference to the matrix, which can appear anywhere. The loader reads
 * numbers and booleans as texts, so they are allowed if their text matches the type's pattern.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "runner/scenario/json_schema.h"

#include <jansson.h>
#include <pcre2.h>

#include "runner/scenario/decode_policy.h"
#include "runner/scenario/document.h"

/* A text with ${matrix.KEY}, whose value is unknown until it is replaced. */
#define MATRIX_PATTERN "\\$\\{matrix\\.[A-Za-z_][A-Za-z0-9_-]*\\}"

/* A mapping in one of the places where it can appear. */
struct definition {
	const struct schema *schema;
	const struct schema_key *named; /* what its other keys take, or NULL */
	bool whole; /* defaults are not merged into it, so its required keys must be present */
	char *name;
};

struct generator {
	struct definition *definitions; /* those referred to so far; making one may add others */
	size_t n_definitions, capacity;
};

/* ---- values ---- */

static void put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, ALLOCATED(value)) < 0)
		out_of_memory();
}

/* Returns whether a text matches a pattern. NULL matches all texts. */
static bool matches(const char *pattern, const char *text)
{
	PCRE2_SIZE offset;
	pcre2_match_data *match;
	pcre2_code *code;
	int error, result;

	if (!pattern)
		return true;
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &error, &offset, NULL);
	if (!code)
		abort();
	match = pcre2_match_data_create_from_pattern(code, NULL);
	result = pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0, match, NULL);
	pcre2_match_data_free(match);
	pcre2_code_free(code);
	return result >= 0;
}

/* Converts an example's value as YAML's core schema resolves it (YAML 1.2.2, section 10.3.2). */
static json_t *node_json(const struct node *node)
{
	const char *text = node->kind == NODE_TEXT ? node->text : "";
	json_t *made_value;

	switch (node->kind) {
	case NODE_LIST:
		made_value = ALLOCATED(json_array());
		for (size_t i = 0; i < node->count; i++)
			json_array_append_new(made_value, node_json(node->items[i]));
		return made_value;
	case NODE_MAPPING:
		made_value = ALLOCATED(json_object());
		for (size_t i = 0; i < node->count; i++)
			put(made_value, node->pairs[i].key->text, node_json(node->pairs[i].value));
		return made_value;
	case NODE_TEXT:
	case NODE_NULL:
	case NODE_WRONG:
		break;
	}
	if (node->style == NODE_PLAIN && matches("^-?(0|[1-9][0-9]*)$", text))
		return json_integer(strtoll(text, NULL, 10));
	if (node->style == NODE_PLAIN && matches("^-?(0|[1-9][0-9]*)\\.[0-9]+$", text))
		return json_real(strtod(text, NULL));
	if (node->style == NODE_PLAIN && matches("^(true|false)$", text))
		return json_boolean(strcmp(text, "true") == 0);
	return json_string(text);
}

/* Parses an example or default of the tables, which is YAML. */
static json_t *parse_value(const char *yaml)
{
	AUTO_FREE char *line = xasprintf("value: %s", yaml);
	const struct document_text text = {line, strlen(line), 1};
	AUTO_DIAG struct diag_list diags = {0};
	struct arena arena = {0};
	struct document document;
	json_t *value = NULL;

	if (document_parse(&text, "example", &arena, &diags, &document) == 0)
		value = node_json(node_get(document.root, "value"));
	arena_free(&arena);
	return value ? value : ALLOCATED(json_string(yaml));
}

/* ---- definitions ---- */

/* Turns "an endpoint" into "endpoint"; what is not a letter becomes "-". */
static char *slug(const char *name)
{
	struct strbuf out = {0};

	if (strncmp(name, "a ", 2) == 0 || strncmp(name, "an ", 3) == 0)
		name = strchr(name, ' ') + 1;
	for (; *name; name++) {
		if ((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z'))
			strbuf_putc(&out, *name);
		else if (*name == ' ' && out.length > 0)
			strbuf_putc(&out, '-');
	}
	return strbuf_steal(&out);
}

static bool name_taken(const struct generator *generator, const char *name)
{
	for (size_t i = 0; i < generator->n_definitions; i++)
		if (strcmp(generator->definitions[i].name, name) == 0)
			return true;
	return false;
}

/* Refers to the definition of such a mapping; adds the definition at the first reference. */
static json_t *refer(struct generator *generator, const struct schema *schema,
		     const struct schema_key *named, bool whole)
{
	struct definition definition = {.schema = schema, .named = named, .whole = whole};
	AUTO_FREE char *target = NULL;

	for (size_t i = 0; i < generator->n_definitions; i++) {
		const struct definition *known = &generator->definitions[i];

		if (known->schema == schema && known->named == named && known->whole == whole)
			definition = *known;
	}
	if (!definition.name) {
		AUTO_FREE char *base = slug(schema ? schema->name : named->name);

		definition.name = xstrdup(base);
		for (unsigned i = 2; name_taken(generator, definition.name); i++) {
			free(definition.name);
			definition.name = xasprintf("%s-%u", base, i);
		}
		array_append(generator->definitions, generator->n_definitions, generator->capacity,
			     definition);
	}
	target = xasprintf("#/definitions/%s", definition.name);
	return json_pack("{s:s}", "$ref", target);
}

/* ---- what a key takes ---- */

static void add_choice(json_t *forms, json_t *form)
{
	json_array_append_new(forms, ALLOCATED(form));
}

/* Adds the numbers and booleans whose text the type accepts: they need no quotes. */
static void add_plain(json_t *forms, enum schema_type type)
{
	const struct schema_type_info *info = schema_type_info(type);
	bool integer = matches(info->pattern, "7"), number = matches(info->pattern, "7.5");
	json_t *form = ALLOCATED(json_object());

	if (integer || number) {
		put(form, "type", json_string(number ? "number" : "integer"));
		if (!matches(info->pattern, "-7"))
			put(form, "minimum", json_integer(0));
		if (info->maximum > 0) {
			put(form, "minimum", json_integer(info->minimum));
			put(form, "maximum", json_integer(info->maximum));
		}
		add_choice(forms, form);
	} else {
		json_decref(form);
	}
	if (matches(info->pattern, "true"))
		add_choice(forms, json_pack("{s:s}", "type", "boolean"));
}

/* Makes a pattern for a fault step's first word; the rest has a grammar of its own. */
static json_t *step_form(void)
{
	AUTO_STRBUF struct strbuf pattern = {0};

	/* Outages are steps, too (injector/step_text.h). */
	strbuf_puts(&pattern, "^ *(down|flap|restart");
	for (int action = 0; action < STEP_N_ACTIONS; action++)
		strbuf_printf(&pattern, "|%s", step_action_name((enum step_action)action));
	strbuf_puts(&pattern, ")( .*)?$");
	return json_pack("{s:s, s:s}", "type", "string", "pattern", strbuf_text(&pattern));
}

static void add_scalar(json_t *forms, enum schema_type type, const char *const *choices)
{
	const struct schema_type_info *info = schema_type_info(type);
	json_t *words;

	if (type == SCHEMA_CHOICE && choices) {
		words = ALLOCATED(json_array());
		for (; *choices; choices++)
			json_array_append_new(words, json_string(*choices));
		add_choice(forms, json_pack("{s:o}", "enum", words));
		return;
	}
	if (type == SCHEMA_STEP)
		add_choice(forms, step_form());
	else if (info->pattern)
		add_choice(forms,
			   json_pack("{s:s, s:s}", "type", "string", "pattern", info->pattern));
	else
		add_choice(forms, json_pack("{s:s}", "type", "string"));
	add_plain(forms, type);
}

static void add_reference(json_t *forms)
{
	add_choice(forms, json_pack("{s:s}", "$ref", "#/definitions/matrix-reference"));
}

/* Makes a schema that accepts any of the forms. */
static json_t *any_of(json_t *forms)
{
	return json_pack("{s:o}", "anyOf", forms);
}

static json_t *item_of(struct generator *generator, const struct schema_key *key)
{
	json_t *forms = ALLOCATED(json_array());

	if (key->type == SCHEMA_ANY) {
		json_decref(forms);
		return json_pack("{s:{s:s}}", "not", "type", "null");
	}
	add_scalar(forms, key->type == SCHEMA_POLICY ? SCHEMA_DURATION_RANGE : key->type,
		   key->choices);
	if (key->mapping_item)
		add_choice(forms, refer(generator, key->mapping_item, NULL, true));
	add_reference(forms);
	return any_of(forms);
}

static bool of_endpoints(const struct schema_key *named)
{
	return named && strcmp(named->name, "ENDPOINT") == 0;
}

/* Makes the schema of a key's value. @whole: as in struct definition. */
static json_t *value_of(struct generator *generator, const struct schema_key *key, bool whole)
{
	json_t *forms = ALLOCATED(json_array()), *list;
	bool policy = key->type == SCHEMA_POLICY;
	bool empty = key->fallback && strcmp(key->fallback, "[]") == 0;

	if (schema_forms(key) & SCHEMA_SCALAR)
		add_scalar(forms, key->type, key->choices);
	if (key->forms & SCHEMA_LIST) {
		list = json_pack("{s:s, s:i, s:o}", "type", "array", "minItems", empty ? 0 : 1,
				 "items", item_of(generator, key));
		add_choice(forms, list);
	}
	if (key->forms & SCHEMA_MAPPING) {
		bool either = key->mapping && of_endpoints(key->named);

		/* It is a value, or a mapping of endpoints to values, never half of each. */
		add_choice(forms, refer(generator, key->mapping, either ? NULL : key->named,
					whole || policy));
		if (either)
			add_choice(forms, refer(generator, NULL, key->named, whole));
	}
	add_reference(forms);
	return any_of(forms);
}

/* Makes the same schema with the description, the examples and the default of the key. */
static json_t *described(struct generator *generator, const struct schema_key *key, bool whole)
{
	json_t *form = value_of(generator, key, whole), *list;
	AUTO_FREE char *text = xasprintf("%s Takes %s.", key->description, key->value);

	put(form, "description", json_string(text));
	if (key->fallback)
		put(form, "default", parse_value(key->fallback));
	if (key->example) {
		list = ALLOCATED(json_array());
		json_array_append_new(list, ALLOCATED(parse_value(key->example)));
		put(form, "examples", list);
	}
	return form;
}

/* Returns a pattern (ECMA-262) of the possible names; NULL: any. Owned by the caller. */
static char *names_of(const struct schema *schema, const struct schema_key *named)
{
	AUTO_STRBUF struct strbuf taken = {0};

	if (strcmp(named->name, "NAME") == 0)
		return xstrdup("^[^=]+$");
	if (strcmp(named->name, "KEY") == 0) {
		/* JSON Schema also applies a pattern to keys with a definition of their own. */
		for (size_t i = 0; schema && i < schema->n_keys; i++)
			strbuf_printf(&taken, "%s%s", i > 0 ? "|" : "", schema->keys[i].name);
		return xasprintf("^(?!(%s)$)[A-Za-z_][A-Za-z0-9_-]*$", strbuf_text(&taken));
	}
	if (!of_endpoints(named))
		return NULL;
	strbuf_puts(&taken, "tmp|dir|matrix");
	for (size_t i = 0; policy_words[i]; i++)
		strbuf_printf(&taken, "|%s", policy_words[i]);
	return xasprintf("^(?!(%s)$)[a-z][a-z0-9_-]*$", strbuf_text(&taken));
}

/* Adds freely named keys: their possible names, and what they take. */
static void put_named(struct generator *generator, const struct definition *definition,
		      json_t *object)
{
	const struct schema_key *named = definition->named;
	AUTO_FREE char *pattern = named ? names_of(definition->schema, named) : NULL;
	json_t *patterns;

	if (!named) {
		put(object, "additionalProperties", json_false());
	} else if (pattern) {
		patterns = ALLOCATED(json_object());
		put(patterns, pattern, described(generator, named, definition->whole));
		put(object, "patternProperties", patterns);
		put(object, "additionalProperties", json_false());
	} else {
		put(object, "additionalProperties", described(generator, named, definition->whole));
	}
}

static json_t *mapping_of(struct generator *generator, const struct definition *definition)
{
	const struct schema *schema = definition->schema;
	json_t *object = json_pack("{s:s}", "type", "object");
	json_t *properties = ALLOCATED(json_object()), *required = ALLOCATED(json_array());

	for (size_t i = 0; schema && i < schema->n_keys; i++) {
		const struct schema_key *key = &schema->keys[i];

		put(properties, key->name, described(generator, key, definition->whole));
		if (key->required && definition->whole)
			json_array_append_new(required, json_string(key->name));
	}
	if (schema)
		put(object, "properties", properties);
	else
		json_decref(properties);
	put_named(generator, definition, object);
	if (json_array_size(required) > 0)
		put(object, "required", required);
	else
		json_decref(required);
	return object;
}

/* ---- the whole ---- */

/* A document is a scenario with a name, or holds only defaults. */
static json_t *document_kinds(void)
{
	return json_pack("[{s:[s], s:{s:[s]}}, {s:[s], s:i}]", "required", "name", "not",
			 "required", "defaults", "required", "defaults", "maxProperties", 1);
}

void scenario_json_schema(struct strbuf *out)
{
	struct generator generator = {0};
	json_t *top = ALLOCATED(json_object()), *definitions = ALLOCATED(json_object());
	AUTO_FREE char *text = NULL;

	put(top, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
	put(top, "title", json_string("synfault scenario"));
	put(top, "description",
	    json_string("One document of a scenario file: TCP connections that fail, the client "
			"that meets them, and what is expected of it (synfault-scenario(5))."));
	json_decref(refer(&generator, &schema_document, NULL, false));
	put(top, "allOf",
	    json_pack("[{s:s}, {s:o}]", "$ref", "#/definitions/scenario", "anyOf",
		      document_kinds()));
	put(top, "definitions", definitions);
	put(definitions, "matrix-reference",
	    json_pack("{s:s, s:s, s:s}", "description",
		      "A value of the document's matrix, which takes the place of this text.",
		      "type", "string", "pattern", MATRIX_PATTERN));
	/* Making a definition may add others at the end. */
	for (size_t i = 0; i < generator.n_definitions; i++) {
		struct definition definition = generator.definitions[i];

		put(definitions, definition.name, mapping_of(&generator, &definition));
	}
	text = ALLOCATED(json_dumps(top, JSON_INDENT(2)));
	json_decref(top);
	strbuf_puts(out, text);
	strbuf_putc(out, '\n');
	for (size_t i = 0; i < generator.n_definitions; i++)
		free(generator.definitions[i].name);
	free(generator.definitions);
}
