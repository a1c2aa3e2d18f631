/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks the characters of a scenario file: see utf8.h. */
#include "runner/scenario/utf8.h"

#include <errno.h>

#include "common/utf8.h"

/*
 * Returns whether a YAML stream may hold the character unescaped (YAML 1.2.2, section 5.1).
 * Excludes a byte order mark in the middle, and characters that break lines in YAML 1.1 but not in
 * 1.2: editors and parsers would count lines differently.
 */
static bool is_allowed(int32_t character)
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
	size_t i = 0, size;

	while (i < length) {
		int32_t character;

		if (text[i] >= 0x20 && text[i] < 0x7F) {
			i++;
			continue;
		}
		size = utf8_decode(text + i, length - i, &character);
		if (character < 0)
			return locate(text, i, UTF8_BAD_BYTE, (unsigned char)text[i], ret_error);
		if (!is_allowed(character))
			return locate(text, i, UTF8_CONTROL, (unsigned)character, ret_error);
		if (character == '\r' && (i + 1 == length || text[i + 1] != '\n'))
			return locate(text, i, UTF8_LONE_CR, (unsigned)character, ret_error);
		i += size;
	}
	return 0;
}
