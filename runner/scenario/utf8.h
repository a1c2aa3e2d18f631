/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks the characters of a scenario file. */
#ifndef SYNFAULT_RUNNER_SCENARIO_UTF8_H
#define SYNFAULT_RUNNER_SCENARIO_UTF8_H

#include "common/util.h"

enum utf8_error_kind {
	UTF8_BAD_BYTE, /* not UTF-8: overlong forms, surrogates and beyond U+10FFFF included */
	UTF8_CONTROL,  /* a character that must be escaped */
	UTF8_LONE_CR,
};

struct utf8_error {
	enum utf8_error_kind kind;
	unsigned value;        /* the byte, or the character */
	unsigned line, column; /* from 0; in characters */
};

/**
 * utf8_check() - check @length bytes of a text
 *
 * Return: 0, or -EINVAL with the first error in @ret_error.
 */
int utf8_check(const char *text, size_t length, struct utf8_error *ret_error);

#endif
