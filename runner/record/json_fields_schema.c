/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON Schema of a document that a table describes: see json_fields.h. The schema says what the
 * writer writes. It can't express all that the reader checks, such as the range of an index.
 */
#include "runner/record/json_fields.h"

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, ALLOCATED(value)) < 0)
		out_of_memory();
}

static json_t *of_type(const char *name)
{
	json_t *schema = ALLOCATED(json_object());

	set(schema, "type", json_string(name));
	return schema;
}

static json_t *text_of_pattern(const char *pattern)
{
	json_t *schema = of_type("string");

	set(schema, "pattern", json_string(pattern));
	return schema;
}

static json_t *reference(const char *name)
{
	AUTO_FREE char *target = xasprintf("#/definitions/%s", name);
	json_t *schema = ALLOCATED(json_object());

	set(schema, "$ref", json_string(target));
	return schema;
}

/* Returns the definition of text, to which others refer. */
static json_t *text_schema(void)
{
	json_t *schema = ALLOCATED(json_object()), *encoded = of_type("object"),
	       *keys = json_object();

	set(schema, "description",
	    json_string("Text that is not UTF-8, or contains a NUL, is base64 (RFC 4648, "
			"section 4)."));
	set(ALLOCATED(keys), "base64", text_of_pattern("^[A-Za-z0-9+/]*={0,2}$"));
	set(encoded, "required", json_pack("[s]", "base64"));
	set(encoded, "properties", keys);
	set(encoded, "additionalProperties", json_false());
	set(schema, "oneOf", json_pack("[o, o]", of_type("string"), encoded));
	return schema;
}

static json_t *number_schema(const struct json_field *field)
{
	json_t *schema = of_type("integer");
	int64_t min, max;

	json_field_range(field, &min, &max);
	if (min > -JSON_TIME_LIMIT_NS)
		set(schema, "minimum", json_integer(min));
	if (field->max && max < JSON_TIME_LIMIT_NS)
		set(schema, "maximum", json_integer(max));
	return schema;
}

static json_t *real_schema(const struct json_field *field)
{
	json_t *schema = of_type("number");

	if (field->max) {
		set(schema, "exclusiveMinimum", json_integer(field->min));
		set(schema, "maximum", json_integer(field->max));
	}
	return schema;
}

static json_t *word_schema(const struct json_field *field)
{
	json_t *schema = ALLOCATED(json_object()), *words = ALLOCATED(json_array());

	for (unsigned i = 0; i < field->n_words; i++)
		if (field->word(i))
			json_array_append_new(words, ALLOCATED(json_string(field->word(i))));
	set(schema, "enum", words);
	return schema;
}

static json_t *array_schema(json_t *items)
{
	json_t *schema = of_type("array");

	set(schema, "items", items);
	return schema;
}

static json_t *type_schema(const struct json_type *type, json_t *definitions);

static json_t *value_schema(const struct json_field *field, json_t *definitions)
{
	json_t *schema;

	switch (field->kind) {
	case JSON_KIND_CONSTANT:
		schema = ALLOCATED(json_object());
		set(schema, "const",
		    field->constant ? json_string(field->constant) : json_integer(field->min));
		return schema;
	case JSON_KIND_BOOL:
		return of_type("boolean");
	case JSON_KIND_REAL:
		return real_schema(field);
	case JSON_KIND_DECIMAL:
		return text_of_pattern("^[0-9]+$");
	case JSON_KIND_WORD:
		return word_schema(field);
	case JSON_KIND_TEXT:
	case JSON_KIND_BYTES:
		return reference("text");
	case JSON_KIND_TEXTS:
		return array_schema(reference("text"));
	case JSON_KIND_ADDRESS:
		return text_of_pattern("^([0-9.]+|\\[[0-9a-f:.]+\\]):[0-9]+$");
	case JSON_KIND_HOST:
		return text_of_pattern("^([0-9.]+|[0-9a-f:.]+)$");
	case JSON_KIND_OBJECT:
	case JSON_KIND_POINTER:
		return type_schema(field->type, definitions);
	case JSON_KIND_LIST:
		return array_schema(type_schema(field->type, definitions));
	default:
		return number_schema(field);
	}
}

/* Returns the schema of a row's value; in draft 7 a description beside a reference is ignored. */
static json_t *member_schema(const struct json_field *field, json_t *definitions)
{
	json_t *schema = value_schema(field, definitions), *whole;

	if (!field->about)
		return schema;
	whole = ALLOCATED(json_object());
	set(whole, "description", json_string(field->about));
	if (json_object_get(schema, "$ref")) {
		set(whole, "allOf", json_pack("[o]", schema));
	} else {
		json_object_update_missing(whole, schema);
		json_decref(schema);
	}
	return whole;
}

/* Returns the keys that each value of the tag demands. */
static json_t *tag_schemas(const struct json_type *type)
{
	json_t *schemas = ALLOCATED(json_array());

	for (unsigned tag = 0; tag < type->tag->n_words; tag++) {
		json_t *required = ALLOCATED(json_array()), *rule;

		for (size_t i = 0; i < type->n_fields; i++)
			if (type->fields[i].tags >> tag & 1 && !type->fields[i].optional)
				json_array_append_new(required,
						      ALLOCATED(json_string(type->fields[i].key)));
		rule = json_pack("{s: {s: {s: {s: s}}}, s: {s: o}}", "if", "properties",
				 type->tag->key, "const", type->tag->word(tag), "then", "required",
				 required);
		json_array_append_new(schemas, ALLOCATED(rule));
	}
	return schemas;
}

static json_t *object_schema(const struct json_type *type, json_t *definitions)
{
	json_t *schema = ALLOCATED(json_object()), *required = ALLOCATED(json_array());
	json_t *properties = ALLOCATED(json_object());

	if (type->about)
		set(schema, "description", json_string(type->about));
	set(schema, "type", json_string("object"));
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct json_field *field = &type->fields[i];

		/* If several tags have a key, it has several rows of the same kind. */
		if (!json_object_get(properties, field->key))
			set(properties, field->key, member_schema(field, definitions));
		if (!field->optional && !field->tags)
			json_array_append_new(required, ALLOCATED(json_string(field->key)));
	}
	set(schema, "required", required);
	set(schema, "properties", properties);
	if (type->is_closed)
		set(schema, "additionalProperties", json_false());
	if (type->tag)
		set(schema, "allOf", tag_schemas(type));
	return schema;
}

static json_t *type_schema(const struct json_type *type, json_t *definitions)
{
	if (!type->fields[0].key)
		return value_schema(&type->fields[0], definitions);
	if (!type->name)
		return object_schema(type, definitions);
	if (!json_object_get(definitions, type->name)) {
		/* Define it before it is complete, for types that refer to themselves. */
		set(definitions, type->name, json_object());
		set(definitions, type->name, object_schema(type, definitions));
	}
	return reference(type->name);
}

void json_fields_schema(const struct json_type *type, const char *title, struct strbuf *out)
{
	json_t *definitions = ALLOCATED(json_object()), *schema = ALLOCATED(json_object()), *body;
	AUTO_FREE char *text = NULL;

	set(definitions, "text", text_schema());
	body = type->fields[0].key ? object_schema(type, definitions)
				   : value_schema(&type->fields[0], definitions);
	set(schema, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
	set(schema, "title", json_string(title));
	json_object_update(schema, body);
	set(schema, "definitions", definitions);
	text = ALLOCATED(json_dumps(schema, JSON_INDENT(2)));
	strbuf_puts(out, text);
	strbuf_putc(out, '\n');
	json_decref(body);
	json_decref(schema);
}
