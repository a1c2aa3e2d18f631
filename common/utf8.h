/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8: decoding, and counting in characters. */
#ifndef SYNFAULT_COMMON_UTF8_H
#define SYNFAULT_COMMON_UTF8_H

#include "common/util.h"

/**
 * utf8_decode() - decode the character at @data
 * @data: the bytes
 * @length: bytes at @data, at least 1
 * @ret: the character, or -1 for bytes that are not well-formed
 *
 * Overlong forms, surrogates and anything above U+10FFFF are not well-formed.
 *
 * Source: Unicode 15, table 3-7, and section 3.9 on how many bytes one U+FFFD replaces.
 *
 * Return: the number of bytes to skip: the character's, or those of the longest part that could
 * begin one.
 */
size_t utf8_decode(const char *data, size_t length, int32_t *ret);

/* Returns whether a byte begins a character. */
static inline bool utf8_is_start(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

/** utf8_count() - count the characters in @length bytes of well-formed UTF-8 */
size_t utf8_count(const char *text, size_t length);

/**
 * utf8_offset() - return the offset of a character in bytes; @length if the text has fewer
 * characters
 */
size_t utf8_offset(const char *text, size_t length, size_t index);

/* Returns the most bytes of @text, up to @limit, that don't cut a character. */
static inline size_t utf8_cut(const char *text, size_t length, size_t limit)
{
	if (limit >= length)
		return length;
	while (limit > 0 && !utf8_is_start(text[limit]))
		limit--;
	return limit;
}

/**
 * utf8_complete() - find where a text that was cut ends in a whole character
 *
 * Return: @length without the first bytes of a character whose rest is missing.
 */
size_t utf8_complete(const char *data, size_t length);

/**
 * utf8_boundary() - move @at back (@forward: on) to where a character of well-formed UTF-8 starts
 */
size_t utf8_boundary(const char *text, size_t length, size_t at, bool forward);

#endif
