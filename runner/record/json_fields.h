/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON documents described by tables. A row names a key and the member of a C struct that holds
 * its value; writing, reading and the JSON Schema all follow from the rows, so that they can't
 * differ. The reader trusts nothing: the text may come from anywhere.
 *
 *	static const struct json_field section_fields[] = {
 *		{"title", JSON_TEXT(struct section, title)},
 *		{"text", JSON_TEXT(struct section, text), .about = "Lines, each with its newline."},
 *	};
 *	const struct json_type section_type = JSON_TYPE(struct section, section_fields);
 */
#ifndef SYNFAULT_RUNNER_RECORD_JSON_FIELDS_H
#define SYNFAULT_RUNNER_RECORD_JSON_FIELDS_H

#include <jansson.h>

#include "common/strbuf.h"
#include "injector/address.h"
#include "runner/record/json_split.h"

/* Readers refuse times beyond this (some 70 years): sums of a few of them can't overflow. */
#define JSON_TIME_LIMIT_NS (INT64_MAX / 4)

enum json_kind {
	JSON_KIND_CONSTANT, /* a word that is always the same; a number if there is none: @min */
	JSON_KIND_BOOL,
	JSON_KIND_I64,
	JSON_KIND_U64,
	JSON_KIND_U32,
	JSON_KIND_INT,
	JSON_KIND_INDEX,   /* UINT32_MAX is none */
	JSON_KIND_EARLIER, /* a time; the member says how much earlier than another one it is */
	JSON_KIND_REAL,    /* a double */
	JSON_KIND_DECIMAL, /* 64 bits as text: JSON readers lose integers beyond 2^53 */
	JSON_KIND_WORD,    /* an enum */
	JSON_KIND_TEXT,    /* UTF-8 as it is; otherwise {"base64": …} */
	JSON_KIND_BYTES,   /* the same with a length: may hold NUL */
	JSON_KIND_TEXTS,   /* NULL-terminated */
	JSON_KIND_ADDRESS,
	JSON_KIND_HOST,    /* an address without its port; a family of 0 is none */
	JSON_KIND_OBJECT,  /* embedded */
	JSON_KIND_POINTER, /* an object; NULL is none */
	JSON_KIND_LIST,
};

struct json_type;

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which rows are read */
struct json_field {
	const char *key; /* NULL: the only row of a type whose values are not objects */
	enum json_kind kind;
	size_t offset;
	size_t count_offset;    /* BYTES, LIST: of a size_t; EARLIER: of the other time */
	size_t capacity_offset; /* LIST: of a size_t; 0: the list can't grow */
	int64_t min, max;       /* numbers; both 0: all of the kind's */
	/*
	 * INDEX: offset + 1, in the nearest outer object whose type has @is_scope, of the count of
	 * @scope_size bytes that the index stays below; 0: any index will do.
	 */
	size_t scope_offset, scope_size;
	/* WORD: the enum's names, NULL for gaps. GCC and Clang make it an unsigned int. */
	const char *(*word)(unsigned value);
	unsigned n_words;
	const char *constant;
	const struct json_type *type; /* OBJECT, POINTER, LIST: of an element */
	/*
	 * The writer leaves out what is zero, NULL, an index to nothing or empty; the reader
	 * leaves the member as it is. An INDEX that is not optional is -1 for none if @may_be_none.
	 */
	bool optional;
	bool may_be_none;
	bool embedded;  /* TEXT, LIST: the member is an array of @max elements, not a pointer */
	int64_t absent; /* I64: the value of what is left out, if not 0 */
	bool negated;   /* BOOL: the key says the opposite of the member */
	bool late;      /* is read after the rows that are not, because its value depends on them */
	/*
	 * Only objects whose tag (see struct json_type) is among these bits have the row; 0: all.
	 */
	uint32_t tags;
	const char *about; /* description for the schema, or NULL */
};

struct json_reader {
	const char *document; /* "the record": in messages about its outermost object */
	char *message;        /* the first error, with its place; owned by the caller */
	char where[96];       /* "events[3].client" */
	const void *scope;
};

struct json_type {
	const char *name;  /* of a definition in the schema; NULL: written in place */
	const char *about; /* description for the schema, or NULL */
	const struct json_field *fields;
	size_t n_fields;
	size_t size;
	bool is_closed; /* unknown keys are errors; otherwise they are ignored */
	bool is_scope;
	const struct json_field *tag; /* the WORD row that selects rows, or NULL */
	/* Checks what was read as a whole; calls json_refuse(); NULL: nothing to check. */
	bool (*check)(struct json_reader *reader, void *object);
};

/* Offset of a member after a check of its C type. */
#define JSON_AT(S, member, T) (offsetof(S, member) + 0 * sizeof(&((S *)NULL)->member == (T *)NULL))

/* What follows is part of an initializer. NOLINTBEGIN(bugprone-macro-parentheses) */
#define JSON_CONSTANT(text)  .kind = JSON_KIND_CONSTANT, .constant = (text)
#define JSON_VERSION(number) .kind = JSON_KIND_CONSTANT, .min = (number)
#define JSON_BOOL(S, member) .kind = JSON_KIND_BOOL, .offset = JSON_AT(S, member, bool)
#define JSON_I64(S, member)  .kind = JSON_KIND_I64, .offset = JSON_AT(S, member, int64_t)
/* A time in nanoseconds: any, or one that is not negative. */
#define JSON_TIME(S, member)                                                                       \
	JSON_I64(S, member), .min = -JSON_TIME_LIMIT_NS, .max = JSON_TIME_LIMIT_NS
#define JSON_DURATION(S, member) JSON_I64(S, member), .max = JSON_TIME_LIMIT_NS
#define JSON_U64(S, member)      .kind = JSON_KIND_U64, .offset = JSON_AT(S, member, uint64_t)
#define JSON_SIZE(S, member)     .kind = JSON_KIND_U64, .offset = JSON_AT(S, member, size_t)
#define JSON_U32(S, member)      .kind = JSON_KIND_U32, .offset = JSON_AT(S, member, uint32_t)
#define JSON_INT(S, member)      .kind = JSON_KIND_INT, .offset = JSON_AT(S, member, int)
#define JSON_INDEX(S, member)    .kind = JSON_KIND_INDEX, .offset = JSON_AT(S, member, uint32_t)
#define JSON_BELOW(S, count)                                                                       \
	.scope_offset = 1 + offsetof(S, count), .scope_size = sizeof(((S *)NULL)->count)
#define JSON_EARLIER(S, member, base)                                                              \
	.kind = JSON_KIND_EARLIER, .offset = JSON_AT(S, member, int64_t),                          \
	.count_offset = JSON_AT(S, base, int64_t), .late = true
#define JSON_REAL(S, member)    .kind = JSON_KIND_REAL, .offset = JSON_AT(S, member, double)
#define JSON_DECIMAL(S, member) .kind = JSON_KIND_DECIMAL, .offset = JSON_AT(S, member, uint64_t)
#define JSON_WORD(S, member, E, name, count)                                                       \
	.kind = JSON_KIND_WORD, .offset = JSON_AT(S, member, E), .word = (name), .n_words = (count)
#define JSON_TEXT(S, member)                                                                       \
	.kind = JSON_KIND_TEXT,                                                                    \
	.offset = offsetof(S, member) +                                                            \
		  _Generic(&((S *)NULL)->member, char ** : 0, const char ** : 0)
#define JSON_CHARS(S, member)                                                                      \
	.kind = JSON_KIND_TEXT, .offset = offsetof(S, member), .embedded = true,                   \
	.max = sizeof(((S *)NULL)->member)
#define JSON_BYTES(S, member, length)                                                              \
	.kind = JSON_KIND_BYTES, .offset = JSON_AT(S, member, char *),                             \
	.count_offset = JSON_AT(S, length, size_t)
#define JSON_TEXTS(S, member) .kind = JSON_KIND_TEXTS, .offset = JSON_AT(S, member, char **)
#define JSON_ADDRESS(S, member)                                                                    \
	.kind = JSON_KIND_ADDRESS, .offset = JSON_AT(S, member, struct address)
#define JSON_HOST(S, member) .kind = JSON_KIND_HOST, .offset = JSON_AT(S, member, struct address)
#define JSON_OBJECT(S, member, T, object_type)                                                     \
	.kind = JSON_KIND_OBJECT, .offset = JSON_AT(S, member, T), .type = (object_type)
#define JSON_POINTER(S, member, T, object_type)                                                    \
	.kind = JSON_KIND_POINTER, .offset = JSON_AT(S, member, T *), .type = (object_type)
#define JSON_LIST(S, member, count, T, element_type)                                               \
	.kind = JSON_KIND_LIST, .offset = JSON_AT(S, member, T *),                                 \
	.count_offset = JSON_AT(S, count, size_t), .type = (element_type)
#define JSON_ARRAY(S, member, count, T, element_type)                                              \
	.kind = JSON_KIND_LIST, .offset = JSON_AT(S, member[0], T), .embedded = true,              \
	.max = ARRAY_SIZE(((S *)NULL)->member), .count_offset = JSON_AT(S, count, size_t),         \
	.type = (element_type)
#define JSON_CAPACITY(S, member) .capacity_offset = JSON_AT(S, member, size_t)

/* NOLINTEND(bugprone-macro-parentheses) */

/* The beginning of a struct json_type's initializer. */
#define JSON_TYPE(S, rows) .fields = (rows), .n_fields = ARRAY_SIZE(rows), .size = sizeof(S)
/* A type whose values are not objects: one row without a key. */
#define JSON_ELEMENT(T, rows)                                                                      \
	{                                                                                          \
		.fields = (rows), .n_fields = 1, .size = sizeof(T)                                 \
	}

/**
 * json_fields_write() - add an object's members, without braces
 * @out: a comma comes first unless @out ends in "{" or is empty
 */
void json_fields_write(const struct json_type *type, const void *object, struct strbuf *out);

/** json_fields_print() - add a whole document, indented, with a final newline */
void json_fields_print(const struct json_type *type, const void *object, struct strbuf *out);

/**
 * json_fields_read() - read an object into a zeroed struct
 * @json: may be anything
 * @ret: owns what was read; on failure, too
 *
 * Return: whether all of it is right; otherwise @reader->message says what is wrong.
 */
bool json_fields_read(struct json_reader *reader, const struct json_type *type, json_t *json,
		      void *ret);

/**
 * json_fields_parse() - parse a document
 *
 * Return: NULL if it is not JSON; then @reader has a message.
 */
json_t *json_fields_parse(struct json_reader *reader, const char *text, size_t length);
/**
 * json_fields_parse_head() - parse a document but for the elements of one list
 * @key: of a list of the outermost object; it is empty in what is returned
 * @ret: the elements, for json_fields_read_elements(); without any if there is no such list
 *
 * A parsed document needs many times the memory of its text.
 *
 * Return: NULL if that part of it is not JSON; then @reader has a message.
 */
json_t *json_fields_parse_head(struct json_reader *reader, const char *text, size_t length,
			       const char *key, struct json_split *ret);
/**
 * json_fields_read_elements() - parse and read the elements that json_fields_parse_head() left out
 * @type: of the outermost object
 * @ret: that object, into which json_fields_read() has read the rest
 *
 * Return: as json_fields_read().
 */
bool json_fields_read_elements(struct json_reader *reader, const struct json_type *type,
			       const char *key, struct json_split *elements, void *ret);

/** json_fields_clear() - free what json_fields_read() put into a struct, but not the struct */
void json_fields_clear(const struct json_type *type, void *object);

/** json_refuse() - keep the first message, after the place where the reader is; return false */
bool json_refuse(struct json_reader *reader, const char *format, ...) PRINTF(2, 3);

/** json_field_range() - return the range of numbers that a row allows */
void json_field_range(const struct json_field *field, int64_t *ret_min, int64_t *ret_max);

/** json_fields_schema() - add a document's JSON Schema (draft 7), indented, with a final newline */
void json_fields_schema(const struct json_type *type, const char *title, struct strbuf *out);

#endif
