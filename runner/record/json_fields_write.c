/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes JSON documents that tables describe: see json_fields.h. */
#include "runner/record/json_fields_impl.h"

#include <inttypes.h>

#include "runner/record/base64.h"

static int add_dumped(const char *data, size_t length, void *out)
{
	strbuf_add(out, data, length);
	return 0;
}

static void write_bytes(struct strbuf *out, const char *text, size_t length)
{
	json_t *value = memchr(text, '\0', length) ? NULL : json_stringn(text, length);

	if (!value) {
		strbuf_puts(out, "{\"base64\":\"");
		base64_encode(text, length, out);
		strbuf_puts(out, "\"}");
		return;
	}
	if (json_dump_callback(value, add_dumped, out, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		out_of_memory();
	json_decref(value);
}

static void write_text(struct strbuf *out, const char *text)
{
	write_bytes(out, text, strlen(text));
}

static void write_texts(struct strbuf *out, char *const *texts)
{
	strbuf_putc(out, '[');
	for (size_t i = 0; texts && texts[i]; i++) {
		if (i > 0)
			strbuf_putc(out, ',');
		write_text(out, texts[i]);
	}
	strbuf_putc(out, ']');
}

/* Writes it with jansson, which ignores the locale. */
static void write_real(struct strbuf *out, double number)
{
	json_t *value = json_real(number);

	if (!value || json_dump_callback(value, add_dumped, out, JSON_ENCODE_ANY) < 0)
		out_of_memory();
	json_decref(value);
}

static void write_address(struct strbuf *out, const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	strbuf_printf(out, "\"%s\"", address_format(address, text));
}

static int64_t number(const struct json_field *field, const void *object)
{
	uint32_t index;

	switch (field->kind) {
	case JSON_KIND_I64:
	case JSON_KIND_U64:
	case JSON_KIND_DECIMAL:
		return VALUE(int64_t, object, field->offset);
	case JSON_KIND_INT:
		return VALUE(int, object, field->offset);
	case JSON_KIND_INDEX:
		index = VALUE(uint32_t, object, field->offset);
		return index == UINT32_MAX ? -1 : (int64_t)index;
	case JSON_KIND_EARLIER:
		return VALUE(int64_t, object, field->count_offset) -
		       VALUE(int64_t, object, field->offset);
	case JSON_KIND_CONSTANT:
		return field->min;
	default:
		return VALUE(uint32_t, object, field->offset);
	}
}

static bool is_empty(const struct json_type *type, const void *object);

/* Returns whether an optional member is left out. */
static bool is_absent(const struct json_field *field, const void *object)
{
	char *const *texts;

	switch (field->kind) {
	case JSON_KIND_TEXT:
	case JSON_KIND_BYTES:
	case JSON_KIND_POINTER:
		return field->embedded ? !VALUE(char, object, field->offset)
				       : !VALUE(void *, object, field->offset);
	case JSON_KIND_TEXTS:
		texts = VALUE(char **, object, field->offset);
		return !texts || !texts[0];
	case JSON_KIND_LIST:
		return VALUE(size_t, object, field->count_offset) == 0;
	case JSON_KIND_OBJECT:
		return is_empty(field->type, (const char *)object + field->offset);
	case JSON_KIND_INDEX:
		return number(field, object) < 0;
	case JSON_KIND_BOOL:
		return !VALUE(bool, object, field->offset);
	case JSON_KIND_REAL:
		return VALUE(double, object, field->offset) == 0;
	case JSON_KIND_EARLIER:
		return VALUE(int64_t, object, field->offset) == 0;
	case JSON_KIND_HOST:
		return !VALUE(struct address, object, field->offset).family;
	case JSON_KIND_CONSTANT:
	case JSON_KIND_ADDRESS:
		return false;
	default:
		return number(field, object) == field->absent;
	}
}

static bool is_empty(const struct json_type *type, const void *object)
{
	for (size_t i = 0; i < type->n_fields; i++)
		if (!is_absent(&type->fields[i], object))
			return false;
	return true;
}

/* The first element of a list, or the first character of a text. */
static const char *start_of(const struct json_field *field, const void *object)
{
	return field->embedded ? (const char *)object + field->offset
			       : VALUE(char *, object, field->offset);
}

static void write_value(const struct json_field *field, const void *object, struct strbuf *out);

static void write_object(const struct json_type *type, const void *object, struct strbuf *out)
{
	if (!type->fields[0].key) {
		write_value(&type->fields[0], object, out);
		return;
	}
	strbuf_putc(out, '{');
	json_fields_write(type, object, out);
	strbuf_putc(out, '}');
}

static void write_list(const struct json_field *field, const void *object, struct strbuf *out)
{
	const char *items = start_of(field, object);
	size_t count = VALUE(size_t, object, field->count_offset);

	strbuf_putc(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			strbuf_putc(out, ',');
		write_object(field->type, items + i * field->type->size, out);
	}
	strbuf_putc(out, ']');
}

static void write_value(const struct json_field *field, const void *object, struct strbuf *out)
{
	char host[INET6_ADDRSTRLEN];
	const char *text;

	switch (field->kind) {
	case JSON_KIND_CONSTANT:
		if (field->constant)
			write_text(out, field->constant);
		else
			strbuf_printf(out, "%" PRId64, field->min);
		break;
	case JSON_KIND_BOOL:
		strbuf_puts(out, VALUE(bool, object, field->offset) != field->negated ? "true"
										      : "false");
		break;
	case JSON_KIND_REAL:
		write_real(out, VALUE(double, object, field->offset));
		break;
	case JSON_KIND_DECIMAL:
		strbuf_printf(out, "\"%" PRIu64 "\"", VALUE(uint64_t, object, field->offset));
		break;
	case JSON_KIND_WORD:
		strbuf_printf(out, "\"%s\"", field->word(VALUE(unsigned, object, field->offset)));
		break;
	case JSON_KIND_TEXT:
		text = start_of(field, object);
		write_text(out, text ? text : "");
		break;
	case JSON_KIND_BYTES:
		text = VALUE(char *, object, field->offset);
		write_bytes(out, text ? text : "", VALUE(size_t, object, field->count_offset));
		break;
	case JSON_KIND_TEXTS:
		write_texts(out, VALUE(char **, object, field->offset));
		break;
	case JSON_KIND_ADDRESS:
		write_address(out, &VALUE(struct address, object, field->offset));
		break;
	case JSON_KIND_HOST:
		strbuf_printf(
			out, "\"%s\"",
			address_format_host(&VALUE(struct address, object, field->offset), host));
		break;
	case JSON_KIND_OBJECT:
		write_object(field->type, (const char *)object + field->offset, out);
		break;
	case JSON_KIND_POINTER:
		write_object(field->type, VALUE(void *, object, field->offset), out);
		break;
	case JSON_KIND_LIST:
		write_list(field, object, out);
		break;
	default:
		strbuf_printf(out, "%" PRId64, number(field, object));
		break;
	}
}

void json_fields_write(const struct json_type *type, const void *object, struct strbuf *out)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct json_field *field = &type->fields[i];

		if (!json_applies(type, field, object) ||
		    (field->optional && is_absent(field, object)))
			continue;
		if (out->length > 0 && out->data[out->length - 1] != '{')
			strbuf_putc(out, ',');
		strbuf_putc(out, '"');
		strbuf_puts(out, field->key);
		strbuf_puts(out, "\":");
		write_value(field, object, out);
	}
}

void json_fields_print(const struct json_type *type, const void *object, struct strbuf *out)
{
	AUTO_STRBUF struct strbuf compact = {0};
	json_t *json;

	write_object(type, object, &compact);
	json = json_loadb(compact.data, compact.length, 0, NULL);
	if (!json ||
	    json_dump_callback(json, add_dumped, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) < 0)
		out_of_memory();
	strbuf_putc(out, '\n');
	json_decref(json);
}
