/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON. Every value but the outermost one follows a bracket, a brace or a comma, so the
 * number of these is an upper bound of the number of values: one allocation holds all values and,
 * behind them, a copy of the text in which strings are unescaped in place, since unescaping never
 * makes one longer.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

#define MAX_DEPTH 32

struct reader {
	char *at;
	struct json_value *unused;
	int depth;
};

static void skip_space(struct reader *reader)
{
	reader->at += strspn(reader->at, " \t\r\n");
}

/* Takes a character if it is the next one after white space. */
static bool take(struct reader *reader, char wanted)
{
	skip_space(reader);
	if (*reader->at != wanted)
		return false;
	reader->at++;
	return true;
}

static bool read_hex(const char *digits, unsigned int *ret_number)
{
	unsigned int number = 0;

	for (int i = 0; i < 4; i++) {
		const char *hex = "0123456789abcdef0123456789ABCDEF";
		const char *found = digits[i] ? strchr(hex, digits[i]) : NULL;

		if (!found)
			return false;
		number = number * 16 + (unsigned int)(found - hex) % 16;
	}
	*ret_number = number;
	return true;
}

/* Writes a character as UTF-8; returns the end. */
static char *put_utf8(char *out, unsigned int c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* Reads what follows "\u": four digits, and a second escape if it is the first half of a pair. */
static bool read_code_point(struct reader *reader, unsigned int *ret_c)
{
	unsigned int c, low;

	if (!read_hex(reader->at, &c) || c == 0)
		return false;
	reader->at += 4;
	if (c >= 0xdc00 && c < 0xe000)
		return false;
	if (c >= 0xd800 && c < 0xdc00) {
		if (reader->at[0] != '\\' || reader->at[1] != 'u' ||
		    !read_hex(reader->at + 2, &low) || low < 0xdc00 || low >= 0xe000)
			return false;
		reader->at += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	*ret_c = c;
	return true;
}

/* Reads a string, whose opening quote is taken. */
static bool read_string(struct reader *reader, const char **ret_text)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	char *start = reader->at, *out = start;

	while (*reader->at != '"') {
		const char *name;
		unsigned int c;

		if ((unsigned char)*reader->at < 0x20)
			return false;
		if (*reader->at != '\\') {
			*out++ = *reader->at++;
			continue;
		}
		reader->at++;
		if (*reader->at == 'u') {
			reader->at++;
			if (!read_code_point(reader, &c))
				return false;
			out = put_utf8(out, c);
			continue;
		}
		name = *reader->at ? strchr(names, *reader->at) : NULL;
		if (!name)
			return false;
		*out++ = values[name - names];
		reader->at++;
	}
	reader->at++;
	*out = '\0';
	*ret_text = start;
	return true;
}

static bool read_value(struct reader *reader, struct json_value *value);

/* Reads the values of a list or an object, whose opening bracket is taken. */
// NOLINTNEXTLINE(misc-no-recursion): no deeper than MAX_DEPTH
static bool read_members(struct reader *reader, struct json_value *parent, char end)
{
	struct json_value **next = &parent->first;

	if (++reader->depth > MAX_DEPTH)
		return false;
	if (take(reader, end)) {
		reader->depth--;
		return true;
	}
	do {
		struct json_value *value = reader->unused++;

		if (end == '}' &&
		    (!take(reader, '"') || !read_string(reader, &value->key) || !take(reader, ':')))
			return false;
		if (!read_value(reader, value))
			return false;
		*next = value;
		next = &value->next;
	} while (take(reader, ','));
	reader->depth--;
	return take(reader, end);
}

static bool is_number(const char *text)
{
	text += *text == '-';
	if (*text == '0')
		text++;
	else if (*text >= '1' && *text <= '9')
		text += strspn(text, "0123456789");
	else
		return false;
	if (*text == '.') {
		size_t n = strspn(++text, "0123456789");

		if (n == 0)
			return false;
		text += n;
	}
	if (*text == 'e' || *text == 'E') {
		size_t n;

		text++;
		text += *text == '+' || *text == '-';
		n = strspn(text, "0123456789");
		if (n == 0)
			return false;
		text += n;
	}
	return *text == '\0';
}

/* Reads a number, true, false or null. What follows is kept until the word has been looked at. */
static bool read_word(struct reader *reader, struct json_value *value)
{
	char *start = reader->at, after;

	reader->at += strcspn(start, " \t\r\n,]}");
	after = *reader->at;
	*reader->at = '\0';
	value->text = start;
	if (strcmp(start, "true") == 0 || strcmp(start, "false") == 0)
		value->type = JSON_WORD;
	else if (strcmp(start, "null") == 0)
		value->text = NULL;
	else if (is_number(start))
		value->type = JSON_NUMBER;
	else
		return false;
	/* The word needs its end, and the caller what follows it: they are one character apart. */
	memmove(start - 1, start, (size_t)(reader->at - start) + 1);
	if (value->text)
		value->text--;
	*reader->at = after;
	return true;
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than MAX_DEPTH
static bool read_value(struct reader *reader, struct json_value *value)
{
	if (take(reader, '{')) {
		value->type = JSON_OBJECT;
		return read_members(reader, value, '}');
	}
	if (take(reader, '[')) {
		value->type = JSON_LIST;
		return read_members(reader, value, ']');
	}
	if (take(reader, '"')) {
		value->type = JSON_TEXT;
		return read_string(reader, &value->text);
	}
	return read_word(reader, value);
}

int json_read(const char *text, size_t length, struct json_value **ret_value)
{
	struct json_value *values;
	struct reader reader = {0};
	size_t n = 1;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\0')
			return -EINVAL;
		n += text[i] == ',' || text[i] == '{' || text[i] == '[';
	}
	/* A byte before the text: a word moves there to make room for its end. */
	values = calloc(1, n * sizeof(*values) + length + 2);
	if (!values)
		return -ENOMEM;
	reader.unused = values + 1;
	reader.at = (char *)(values + n) + 1;
	memcpy(reader.at, text, length);
	if (!read_value(&reader, values) || (skip_space(&reader), *reader.at != '\0')) {
		free(values);
		return -EINVAL;
	}
	*ret_value = values;
	return 0;
}

const struct json_value *json_get(const struct json_value *object, const char *key)
{
	const struct json_value *value =
		object && object->type == JSON_OBJECT ? object->first : NULL;

	while (value && strcmp(value->key, key) != 0)
		value = value->next;
	return value;
}

const char *json_text(const struct json_value *object, const char *key)
{
	const struct json_value *value = json_get(object, key);

	return value && value->type == JSON_TEXT ? value->text : NULL;
}

long long json_number(const struct json_value *object, const char *key)
{
	const struct json_value *value = json_get(object, key);

	return value && value->type == JSON_NUMBER ? strtoll(value->text, NULL, 10) : 0;
}

void json_write_text(FILE *stream, const char *text)
{
	putc('"', stream);
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20) {
			fprintf(stream, "\\u%04x", (unsigned int)*text);
			continue;
		}
		if (*text == '"' || *text == '\\')
			putc('\\', stream);
		putc(*text, stream);
	}
	putc('"', stream);
}
