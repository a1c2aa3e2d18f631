/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See base64.h. */
#include <errno.h>

#include "runner/record/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *data, size_t length, struct strbuf *out)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < length; i += 3) {
		size_t count = MIN(length - i, (size_t)3);
		uint32_t group = (uint32_t)bytes[i] << 16;
		char text[4];

		if (count > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (count > 2)
			group |= bytes[i + 2];
		for (size_t k = 0; k < 4; k++)
			text[k] = k <= count ? alphabet[group >> (18 - 6 * k) & 63] : '=';
		strbuf_add(out, text, sizeof(text));
	}
}

int base64_decode(const char *text, size_t length, struct strbuf *out)
{
	if (length % 4 != 0)
		return -EINVAL;
	for (size_t i = 0; i < length; i += 4) {
		size_t count = 3;
		uint32_t group = 0;
		unsigned char bytes[3];

		if (i + 4 == length && text[i + 3] == '=')
			count = text[i + 2] == '=' ? 1 : 2;
		for (size_t k = 0; k <= count; k++) {
			const char *at = memchr(alphabet, text[i + k], sizeof(alphabet) - 1);

			if (!at)
				return -EINVAL;
			group |= (uint32_t)(at - alphabet) << (18 - 6 * k);
		}
		bytes[0] = (unsigned char)(group >> 16);
		bytes[1] = (unsigned char)(group >> 8);
		bytes[2] = (unsigned char)group;
		if ((count < 3 && bytes[2] != 0) || (count < 2 && bytes[1] != 0))
			return -EINVAL;
		strbuf_add(out, bytes, count);
	}
	return 0;
}
