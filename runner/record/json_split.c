/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the elements of a list in JSON: see json_split.h. Texts end where RFC 8259, section 7,
 * says. */
#include "runner/record/json_split.h"

#include <errno.h>

static size_t skip_blanks(const char *text, size_t at, size_t end)
{
	while (at < end && memchr(" \t\r\n", text[at], 4))
		at++;
	return at;
}

/* Returns where the text that starts at @at ends, after its quotes, or 0 if it has no end. */
static size_t skip_text(const char *text, size_t at, size_t end)
{
	for (at++; at < end; at++) {
		if (text[at] == '"')
			return at + 1;
		if (text[at] == '\\')
			at++;
	}
	return 0;
}

/* Returns where the object or list that starts at @at ends, or 0. Brackets may be of either kind.
 */
static size_t skip_nested(const char *text, size_t at, size_t end)
{
	size_t depth = 0;

	while (at < end) {
		const char c = text[at];

		if (c == '"') {
			at = skip_text(text, at, end);
			if (at == 0)
				return 0;
			continue;
		}
		at++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return at;
	}
	return 0;
}

/* Returns where the value that starts at @at ends, or 0 if there is none. */
static size_t skip_value(const char *text, size_t at, size_t end)
{
	const size_t start = at;

	if (at == end)
		return 0;
	if (text[at] == '"')
		return skip_text(text, at, end);
	if (text[at] == '{' || text[at] == '[')
		return skip_nested(text, at, end);
	while (at < end && !memchr(",:]} \t\r\n", text[at], 8))
		at++;
	return at > start ? at : 0;
}

/* Takes a key and its colon; returns where its value starts, or 0. */
static size_t skip_key(const char *text, size_t at, size_t end, size_t *ret_key, size_t *ret_length)
{
	*ret_key = at + 1;
	if (at == end || text[at] != '"')
		return 0;
	at = skip_text(text, at, end);
	if (at == 0)
		return 0;
	*ret_length = at - 1 - *ret_key;
	at = skip_blanks(text, at, end);
	if (at == end || text[at] != ':')
		return 0;
	return skip_blanks(text, at + 1, end);
}

bool json_split_find(const char *text, size_t length, const char *key, struct json_split *ret)
{
	size_t at = skip_blanks(text, 0, length), name = 0, n = 0;

	if (at == length || text[at] != '{')
		return false;
	do {
		const size_t value =
			skip_key(text, skip_blanks(text, at + 1, length), length, &name, &n);

		if (value == 0)
			return false;
		at = skip_value(text, value, length);
		if (at == 0)
			return false;
		if (text[value] == '[' && n == strlen(key) && memcmp(text + name, key, n) == 0) {
			*ret = (struct json_split){text,   length,    value + 1,
						   at - 1, value + 1, false};
			return true;
		}
		at = skip_blanks(text, at, length);
	} while (at < length && text[at] == ',');
	return false;
}

int json_split_next(struct json_split *split, const char **ret, size_t *ret_length)
{
	size_t at = skip_blanks(split->text, split->at, split->end), after;

	if (at == split->end)
		return split->comma ? -EINVAL : 0;
	after = skip_value(split->text, at, split->end);
	if (after == 0)
		return -EINVAL;
	*ret = split->text + at;
	*ret_length = after - at;
	at = skip_blanks(split->text, after, split->end);
	if (at < split->end && split->text[at] != ',')
		return -EINVAL;
	split->comma = at < split->end;
	split->at = split->comma ? at + 1 : at;
	return 1;
}
