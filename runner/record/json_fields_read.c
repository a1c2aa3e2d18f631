/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads JSON documents that tables describe: see json_fields.h. It trusts nothing. */
#include <inttypes.h>
#include <limits.h>

#include "runner/record/base64.h"
#include "runner/record/json_fields_impl.h"

bool json_refuse(struct json_reader *reader, const char *format, ...)
{
	AUTO_FREE char *message = NULL;

	if (reader->message)
		return false;
	message = FORMAT_REST(format);
	reader->message =
		xasprintf("%s: %s", *reader->where ? reader->where : reader->document, message);
	return false;
}

static bool wrong(struct json_reader *reader, const struct json_field *field, const char *what)
{
	return field->key ? json_refuse(reader, "\"%s\" is %s", field->key, what)
			  : json_refuse(reader, "%s", what);
}

void json_field_range(const struct json_field *field, int64_t *ret_min, int64_t *ret_max)
{
	bool any = field->min == 0 && field->max == 0;

	if (field->kind == JSON_KIND_EARLIER) {
		*ret_min = -JSON_TIME_LIMIT_NS;
		*ret_max = JSON_TIME_LIMIT_NS;
		return;
	}
	*ret_min = any && field->kind == JSON_KIND_I64   ? INT64_MIN
		   : any && field->kind == JSON_KIND_INT ? INT_MIN
							 : field->min;
	*ret_max = !any                             ? field->max
		   : field->kind == JSON_KIND_INT   ? INT_MAX
		   : field->kind == JSON_KIND_U32   ? UINT32_MAX
		   : field->kind == JSON_KIND_INDEX ? UINT32_MAX - 1
						    : INT64_MAX;
	if (field->kind == JSON_KIND_INDEX && field->may_be_none && !field->optional)
		*ret_min = -1;
}

static bool read_number(struct json_reader *reader, const struct json_field *field,
			const json_t *json, void *object)
{
	int64_t value = json_integer_value(json), min, max;

	json_field_range(field, &min, &max);
	if (field->kind == JSON_KIND_EARLIER)
		max = VALUE(int64_t, object, field->count_offset);
	if (!json_is_integer(json))
		return wrong(reader, field, "not an integer");
	if (value < min || value > max)
		return json_refuse(reader,
				   "\"%s\" is out of range: %" PRId64 " is not from %" PRId64
				   " to %" PRId64,
				   field->key, value, min, max);
	if (field->scope_offset && value >= 0) {
		size_t at = field->scope_offset - 1;
		size_t count = field->scope_size == sizeof(uint32_t)
				       ? VALUE(uint32_t, reader->scope, at)
				       : VALUE(size_t, reader->scope, at);

		if ((uint64_t)value >= count)
			return json_refuse(reader, "\"%s\" is %" PRId64 ", but there are %zu",
					   field->key, value, count);
	}
	if (field->kind == JSON_KIND_EARLIER)
		*MEMBER(int64_t, object, field->offset) = max - value;
	else if (field->kind == JSON_KIND_I64 || field->kind == JSON_KIND_U64)
		*MEMBER(int64_t, object, field->offset) = value;
	else if (field->kind == JSON_KIND_INT)
		*MEMBER(int, object, field->offset) = (int)value;
	else
		*MEMBER(uint32_t, object, field->offset) = (uint32_t)value;
	return true;
}

static bool read_real(struct json_reader *reader, const struct json_field *field,
		      const json_t *json, void *object)
{
	double value = json_number_value(json);

	if (!json_is_number(json))
		return wrong(reader, field, "not a number");
	if (field->max && !(value > (double)field->min && value <= (double)field->max))
		return json_refuse(reader,
				   "\"%s\" is not more than %" PRId64 " and at most %" PRId64,
				   field->key, field->min, field->max);
	*MEMBER(double, object, field->offset) = value;
	return true;
}

/* Accepts only what the writer writes: no sign, no blank, no overflow. */
static bool read_decimal(struct json_reader *reader, const struct json_field *field,
			 const json_t *json, void *object)
{
	const char *text = json_string_value(json);
	uint64_t value = text ? strtoull(text, NULL, 10) : 0;
	char again[24];

	snprintf(again, sizeof(again), "%" PRIu64, value);
	if (!text || strcmp(text, again) != 0)
		return wrong(reader, field, "not a whole number as text");
	*MEMBER(uint64_t, object, field->offset) = value;
	return true;
}

static bool read_word(struct json_reader *reader, const struct json_field *field,
		      const json_t *json, void *object)
{
	const char *text = json_string_value(json);

	for (unsigned i = 0; text && i < field->n_words; i++) {
		if (!field->word(i) || strcmp(text, field->word(i)) != 0)
			continue;
		*MEMBER(unsigned, object, field->offset) = i;
		return true;
	}
	return wrong(reader, field, "not known");
}

/* Returns the bytes, from malloc(), with a NUL after them, or NULL. */
static char *read_bytes(struct json_reader *reader, const struct json_field *field,
			const json_t *json, size_t *ret_length)
{
	const json_t *encoded = json_is_object(json) ? json_object_get(json, "base64") : NULL;
	AUTO_STRBUF struct strbuf decoded = {0};

	if (json_is_string(json)) {
		strbuf_add(&decoded, json_string_value(json), json_string_length(json));
	} else if (!json_is_string(encoded) || json_object_size(json) != 1) {
		wrong(reader, field, "not text");
		return NULL;
	} else if (base64_decode(json_string_value(encoded), json_string_length(encoded),
				 &decoded) < 0) {
		wrong(reader, field, "not base64");
		return NULL;
	}
	*ret_length = decoded.length;
	return strbuf_steal(&decoded);
}

static char *read_text(struct json_reader *reader, const struct json_field *field,
		       const json_t *json)
{
	size_t length = 0;
	AUTO_FREE char *text = read_bytes(reader, field, json, &length);

	if (text && strlen(text) != length) {
		wrong(reader, field, "text with a NUL in it");
		return NULL;
	}
	return steal_pointer(&text);
}

static bool read_string(struct json_reader *reader, const struct json_field *field,
			const json_t *json, void *object)
{
	AUTO_FREE char *text = read_text(reader, field, json);

	if (!text)
		return false;
	if (!field->embedded) {
		*MEMBER(char *, object, field->offset) = steal_pointer(&text);
		return true;
	}
	if (strlen(text) >= (size_t)field->max)
		return wrong(reader, field, "too long");
	strcpy(MEMBER(char, object, field->offset), text);
	return true;
}

static bool read_texts(struct json_reader *reader, const struct json_field *field,
		       const json_t *json, void *object)
{
	char **texts;
	json_t *item;
	size_t i;

	if (!json_is_array(json))
		return wrong(reader, field, "not a list");
	texts = xzalloc((json_array_size(json) + 1) * sizeof(*texts));
	*MEMBER(char **, object, field->offset) = texts;
	json_array_foreach(json, i, item)
	{
		texts[i] = read_text(reader, field, item);
		if (!texts[i])
			return false;
	}
	return true;
}

/* Parses "127.0.0.1:8080" or "[::1]:8080". */
static bool parse_address(const char *text, struct address *ret)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	size_t length;
	char *end;
	unsigned long port;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtoul(colon + 1, &end, 10);
	if (*end || end - colon > 6 || port > UINT16_MAX)
		return false;
	length = (size_t)(colon - text);
	if (text[0] == '[') {
		if (text[length - 1] != ']' || !memchr(text, ':', length))
			return false;
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return false;
	}
	if (length >= sizeof(host))
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	return address_parse(host, (uint16_t)port, ret) == 0;
}

static bool read_version(struct json_reader *reader, const struct json_field *field,
			 const json_t *json)
{
	json_int_t version = json_integer_value(json);

	if (!json_is_integer(json))
		return wrong(reader, field, "not an integer");
	return version == field->min ||
	       json_refuse(reader, "format %" PRId64 " was made by %s synfault; run it again",
			   (int64_t)version, version < field->min ? "an older" : "a newer");
}

static bool read_constant(struct json_reader *reader, const struct json_field *field,
			  const json_t *json)
{
	const char *text = json_string_value(json);

	if (!field->constant)
		return read_version(reader, field, json);
	return (text && strcmp(text, field->constant) == 0) ||
	       json_refuse(reader, "\"%s\" is not \"%s\"", field->key, field->constant);
}

static bool read_value(struct json_reader *reader, const struct json_field *field, json_t *json,
		       void *object);

/*
 * Appends an element to a list. Counts it before it reads it, so that clearing finds all of them.
 * @capacity: of the list so far; not used if it is embedded
 */
static bool append_element(struct json_reader *reader, const struct json_field *field, json_t *json,
			   size_t *capacity, void *object)
{
	const struct json_type *type = field->type;
	char *embedded = MEMBER(char, object, field->offset), *item;
	char **items = field->embedded ? &embedded : MEMBER(char *, object, field->offset);
	size_t *count = MEMBER(size_t, object, field->count_offset);
	const size_t length = strlen(reader->where), i = *count;
	bool good;

	if (!field->embedded)
		*items = array_reserve_(*items, *count, capacity, type->size);
	if (field->capacity_offset)
		*MEMBER(size_t, object, field->capacity_offset) = *capacity;
	item = *items + i * type->size;
	memset(item, 0, type->size);
	++*count;
	snprintf(reader->where + length, sizeof(reader->where) - length, "[%zu]", i);
	good = type->fields[0].key ? json_fields_read(reader, type, json, item)
				   : read_value(reader, &type->fields[0], json, item);
	reader->where[length] = '\0';
	return good;
}

static bool read_list(struct json_reader *reader, const struct json_field *field, json_t *json,
		      void *object)
{
	/* An index to an element has 32 bits. */
	size_t limit = field->embedded ? (size_t)field->max + 1 : UINT32_MAX;
	size_t capacity = 0, i;
	json_t *item;

	if (!json_is_array(json) || json_array_size(json) >= limit)
		return json_refuse(reader, json_is_array(json) ? "too long" : "not a list");
	json_array_foreach(json, i, item)
	{
		if (!append_element(reader, field, item, &capacity, object))
			return false;
	}
	return true;
}

/* Reads values that have a place of their own in messages. */
static bool read_nested(struct json_reader *reader, const struct json_field *field, json_t *json,
			void *object)
{
	size_t length = strlen(reader->where);
	void *inner = MEMBER(void, object, field->offset);
	bool good;

	snprintf(reader->where + length, sizeof(reader->where) - length, "%s%s",
		 length > 0 ? "." : "", field->key);
	if (field->kind == JSON_KIND_LIST) {
		good = read_list(reader, field, json, object);
	} else {
		if (field->kind == JSON_KIND_POINTER)
			inner = *MEMBER(void *, object, field->offset) = xzalloc(field->type->size);
		good = json_fields_read(reader, field->type, json, inner);
	}
	reader->where[length] = '\0';
	return good;
}

static bool read_value(struct json_reader *reader, const struct json_field *field, json_t *json,
		       void *object)
{
	char *text;

	switch (field->kind) {
	case JSON_KIND_CONSTANT:
		return read_constant(reader, field, json);
	case JSON_KIND_BOOL:
		*MEMBER(bool, object, field->offset) = json_is_true(json) != field->negated;
		return json_is_boolean(json) || wrong(reader, field, "neither true nor false");
	case JSON_KIND_REAL:
		return read_real(reader, field, json, object);
	case JSON_KIND_DECIMAL:
		return read_decimal(reader, field, json, object);
	case JSON_KIND_WORD:
		return read_word(reader, field, json, object);
	case JSON_KIND_TEXT:
		return read_string(reader, field, json, object);
	case JSON_KIND_BYTES:
		text = read_bytes(reader, field, json, MEMBER(size_t, object, field->count_offset));
		*MEMBER(char *, object, field->offset) = text;
		return text != NULL;
	case JSON_KIND_TEXTS:
		return read_texts(reader, field, json, object);
	case JSON_KIND_ADDRESS:
		return (json_is_string(json) &&
			parse_address(json_string_value(json),
				      MEMBER(struct address, object, field->offset))) ||
		       wrong(reader, field, "not an address");
	case JSON_KIND_HOST:
		return (json_is_string(json) &&
			address_parse(json_string_value(json), 0,
				      MEMBER(struct address, object, field->offset)) == 0) ||
		       wrong(reader, field, "not an address");
	case JSON_KIND_OBJECT:
	case JSON_KIND_POINTER:
	case JSON_KIND_LIST:
		return read_nested(reader, field, json, object);
	default:
		return read_number(reader, field, json, object);
	}
}

static bool refuse_unknown_key(struct json_reader *reader, const struct json_type *type,
			       json_t *json, const void *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(json, key, value)
	{
		bool known = false;

		for (size_t i = 0; i < type->n_fields && !known; i++)
			known = strcmp(type->fields[i].key, key) == 0 &&
				json_applies(type, &type->fields[i], object);
		if (!known)
			return json_refuse(reader, "\"%s\" is not a known key", key);
	}
	return true;
}

static void leave_out(const struct json_field *field, void *object)
{
	if (field->kind == JSON_KIND_INDEX)
		*MEMBER(uint32_t, object, field->offset) = UINT32_MAX;
	else if (field->absent)
		*MEMBER(int64_t, object, field->offset) = field->absent;
}

/* Reads the late rows, or all others. */
static bool read_rows(struct json_reader *reader, const struct json_type *type, json_t *json,
		      bool late, void *object, size_t *n_known)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct json_field *field = &type->fields[i];
		json_t *value;

		if (field->late != late || !json_applies(type, field, object))
			continue;
		value = json_object_get(json, field->key);
		if (!value && !field->optional)
			return wrong(reader, field, "missing");
		if (!value)
			leave_out(field, object);
		else if (!read_value(reader, field, value, object))
			return false;
		*n_known += value != NULL;
	}
	return true;
}

bool json_fields_read(struct json_reader *reader, const struct json_type *type, json_t *json,
		      void *ret)
{
	const void *outer_scope = reader->scope;
	size_t n_known = 0;
	bool good;

	if (!json_is_object(json))
		return json_refuse(reader, "not an object");
	if (type->is_scope)
		reader->scope = ret;
	if (!read_rows(reader, type, json, false, ret, &n_known) ||
	    !read_rows(reader, type, json, true, ret, &n_known))
		return false;
	if (type->is_closed && json_object_size(json) > n_known &&
	    !refuse_unknown_key(reader, type, json, ret))
		return false;
	good = !type->check || type->check(reader, ret);
	reader->scope = outer_scope;
	return good;
}

json_t *json_fields_parse(struct json_reader *reader, const char *text, size_t length)
{
	json_error_t error;
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		json_refuse(reader, "line %d, column %d: %s", error.line, error.column, error.text);
	return json;
}

json_t *json_fields_parse_head(struct json_reader *reader, const char *text, size_t length,
			       const char *key, struct json_split *ret)
{
	AUTO_STRBUF struct strbuf head = {0};
	json_t *json;

	*ret = (struct json_split){.text = text, .length = length};
	if (!json_split_find(text, length, key, ret))
		return json_fields_parse(reader, text, length);
	strbuf_add(&head, text, ret->start);
	strbuf_add(&head, text + ret->end, length - ret->end);
	json = json_loadb(strbuf_text(&head), head.length, JSON_REJECT_DUPLICATES, NULL);
	if (json)
		return json;
	/* For the place of the error in the whole text. */
	*ret = (struct json_split){.text = text, .length = length};
	return json_fields_parse(reader, text, length);
}

/* Refuses a text that has a wrong element, with the place of the error. */
static bool refuse_elements(struct json_reader *reader, const struct json_split *elements)
{
	json_t *whole = json_fields_parse(reader, elements->text, elements->length);

	json_decref(whole);
	return whole ? json_refuse(reader, "not JSON") : false;
}

bool json_fields_read_elements(struct json_reader *reader, const struct json_type *type,
			       const char *key, struct json_split *elements, void *ret)
{
	const void *outer_scope = reader->scope;
	const struct json_field *field = type->fields;
	const size_t place = strlen(reader->where);
	size_t length, capacity = 0;
	bool good = true;
	const char *text;
	int next;

	while (strcmp(field->key, key) != 0)
		field++;
	if (type->is_scope)
		reader->scope = ret;
	while (good && (next = json_split_next(elements, &text, &length)) != 0) {
		json_t *json = next < 0
				       ? NULL
				       : json_loadb(text, length,
						    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

		snprintf(reader->where + place, sizeof(reader->where) - place, "%s%s",
			 place > 0 ? "." : "", key);
		if (json)
			good = append_element(reader, field, json, &capacity, ret);
		reader->where[place] = '\0';
		json_decref(json);
		if (!json)
			good = refuse_elements(reader, elements);
	}
	reader->scope = outer_scope;
	return good;
}

void json_fields_clear(const struct json_type *type, void *object)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct json_field *field = &type->fields[i];
		void *member = (char *)object + field->offset;

		if (!json_applies(type, field, object))
			continue;
		if (field->kind == JSON_KIND_OBJECT) {
			json_fields_clear(field->type, member);
		} else if (field->kind == JSON_KIND_POINTER && *(void **)member) {
			json_fields_clear(field->type, *(void **)member);
		} else if (field->kind == JSON_KIND_LIST) {
			char *items = field->embedded ? member : *(char **)member;

			for (size_t k = 0; k < VALUE(size_t, object, field->count_offset); k++)
				json_fields_clear(field->type, items + k * field->type->size);
		} else if (field->kind == JSON_KIND_TEXTS) {
			strv_free(*(char ***)member);
			continue;
		}
		if (!field->embedded &&
		    (field->kind == JSON_KIND_TEXT || field->kind == JSON_KIND_BYTES ||
		     field->kind == JSON_KIND_POINTER || field->kind == JSON_KIND_LIST))
			free(*(void **)member);
	}
}
