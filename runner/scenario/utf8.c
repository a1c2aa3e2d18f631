/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 as scenario files may hold it: see utf8.h. */
#include "runner/scenario/utf8.h"

#include <errno.h>

/* The character at @text, 0xFFFFFFFF for bytes that are none; *ret_size: how many bytes it takes.
 */
static uint32_t decode(const unsigned char *text, size_t length, size_t *ret_size)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = text[0] < 0x80             ? 1
		      : (text[0] & 0xE0) == 0xC0 ? 2
		      : (text[0] & 0xF0) == 0xE0 ? 3
		      : (text[0] & 0xF8) == 0xF0 ? 4
						 : 0;
	uint32_t character;

	*ret_size = 1;
	if (!size || size > length)
		return UINT32_MAX;
	character = size == 1 ? text[0] : text[0] & (0x7Fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xC0) != 0x80)
			return UINT32_MAX;
		character = character << 6 | (text[i] & 0x3F);
	}
	if (character < lowest[size] || character > 0x10FFFF ||
	    (character >= 0xD800 && character <= 0xDFFF))
		return UINT32_MAX;
	*ret_size = size;
	return character;
}

/*
 * What may stand in a YAML stream as it is (YAML 1.2.2, section 5.1), but no byte order mark in the
 * middle, and none of the characters that break lines in YAML 1.1 and don't in 1.2: editors and
 * parsers would count lines differently.
 */
static bool is_allowed(uint32_t character)
{
	if (character < 0x20)
		return character == '\t' || character == '\n' || character == '\r';
	if (character >= 0x7F && character < 0xA0)
		return false;
	return character != 0x2028 && character != 0x2029 && character != 0xFEFF &&
	       character != 0xFFFE && character != 0xFFFF;
}

static int locate(const char *text, size_t offset, enum utf8_error_kind kind, unsigned value,
		  struct utf8_error *ret_error)
{
	size_t start = offset;
	unsigned line = 0;

	while (start && text[start - 1] != '\n')
		start--;
	for (size_t i = 0; i < start; i++)
		line += text[i] == '\n';
	*ret_error = (struct utf8_error){
		.kind = kind,
		.value = value,
		.line = line,
		.column = (unsigned)utf8_count(text + start, offset - start),
	};
	return -EINVAL;
}

int utf8_check(const char *text, size_t length, struct utf8_error *ret_error)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t i = 0, size;

	while (i < length) {
		uint32_t character;

		if (bytes[i] >= 0x20 && bytes[i] < 0x7F) {
			i++;
			continue;
		}
		character = decode(bytes + i, length - i, &size);
		if (character == UINT32_MAX)
			return locate(text, i, UTF8_BAD_BYTE, bytes[i], ret_error);
		if (!is_allowed(character))
			return locate(text, i, UTF8_CONTROL, character, ret_error);
		if (character == '\r' && (i + 1 == length || bytes[i + 1] != '\n'))
			return locate(text, i, UTF8_LONE_CR, character, ret_error);
		i += size;
	}
	return 0;
}

size_t utf8_count(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += utf8_is_start(text[i]);
	return count;
}

size_t utf8_offset(const char *text, size_t length, size_t index)
{
	size_t offset = 0;

	while (offset < length && index) {
		offset++;
		while (offset < length && !utf8_is_start(text[offset]))
			offset++;
		index--;
	}
	return offset;
}
