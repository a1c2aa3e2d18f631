/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8: see utf8.h. */
#include "common/utf8.h"

size_t utf8_decode(const char *data, size_t length, int32_t *ret)
{
	const unsigned char *bytes = (const unsigned char *)data;
	unsigned char lead = bytes[0], low = 0x80, high = 0xbf;
	size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	int32_t character;

	*ret = -1;
	if (lead < 0x80) {
		*ret = lead;
		return 1;
	}
	if (lead < 0xc2 || lead > 0xf4)
		return 1;
	if (lead == 0xe0)
		low = 0xa0; /* no overlong forms */
	else if (lead == 0xed)
		high = 0x9f; /* no surrogates */
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f; /* nothing above U+10FFFF */
	character = lead & (0x7f >> size);
	for (size_t i = 1; i < size; i++) {
		if (i >= length || bytes[i] < low || bytes[i] > high)
			return i;
		character = character << 6 | (bytes[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*ret = character;
	return size;
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

size_t utf8_complete(const char *data, size_t length)
{
	size_t begun = 1; /* bytes of the last character */
	int32_t character;

	while (begun < length && begun < 4 && !utf8_is_start(data[length - begun]))
		begun++;
	if (begun > length)
		return length;
	return utf8_decode(data + length - begun, begun, &character) == begun && character < 0
		       ? length - begun
		       : length;
}

size_t utf8_boundary(const char *text, size_t length, size_t at, bool forward)
{
	while (at > 0 && at < length && !utf8_is_start(text[at]))
		at += forward ? 1 : (size_t)-1;
	return at;
}
