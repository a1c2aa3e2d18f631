/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 as scenario files may hold it: where it is wrong, and counting in characters. */
#ifndef SYNFAULT_RUNNER_SCENARIO_UTF8_H
#define SYNFAULT_RUNNER_SCENARIO_UTF8_H

#include "common/util.h"

enum utf8_error_kind {
	UTF8_BAD_BYTE, /* not UTF-8: overlong forms, surrogates and beyond U+10FFFF included */
	UTF8_CONTROL,  /* a character that has to be written as an escape */
	UTF8_LONE_CR,
};

struct utf8_error {
	enum utf8_error_kind kind;
	unsigned value;        /* the byte, or the character */
	unsigned line, column; /* from 0; in characters */
};

/* Checks a text. Returns 0, or -EINVAL and writes @ret_error. */
int utf8_check(const char *text, size_t length, struct utf8_error *ret_error);

static inline bool utf8_is_start(char byte)
{
	return ((unsigned char)byte & 0xC0) != 0x80;
}
/* The characters in @length bytes of well-formed UTF-8. */
size_t utf8_count(const char *text, size_t length);
/* The offset in bytes of the character with this index; @length when there are not so many. */
size_t utf8_offset(const char *text, size_t length, size_t index);

#endif
