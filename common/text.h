/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for people and for machines: nearest names, shell quoting, UTF-8 that is safe to show. */
#ifndef SYNFAULT_COMMON_TEXT_H
#define SYNFAULT_COMMON_TEXT_H

#include "common/strbuf.h"

/* The ending of a noun after a count: "1 byte", "2 bytes". */
#define PLURAL(count) ((count) == 1 ? "" : "s")

/*
 * The entry of @candidates (NULL-terminated) nearest to @word by edit distance (insertions,
 * deletions, substitutions, swaps), or NULL when none is near enough to be what was meant.
 */
const char *text_nearest(const char *word, const char *const *candidates);

/* Adds @word quoted for a POSIX shell, unquoted when it needs no quotes. */
void text_quote_shell(struct strbuf *out, const char *word);

/*
 * Adds @length bytes so that they are well-formed UTF-8 and can't disturb a terminal or an XML
 * parser: ANSI escape sequences (CSI, OSC, two-byte) are removed, bytes that are not UTF-8
 * become "\xFF", and
 * characters that XML 1.0 forbids (section 2.2) as well as DEL and C1 controls are shown as
 * "#x1B". Newlines and tabs stay; a carriage return before a newline is removed, a lone one becomes
 * a newline.
 */
void text_sanitize(struct strbuf *out, const char *data, size_t length);

/*
 * Writes @value to @at in at least @digits decimal digits and terminates it: 20 bytes and the
 * terminating one are enough where @digits is less. Returns where it ends. For the texts of
 * reports, which hold hundreds of thousands of numbers.
 */
char *decimal_write(char *at, uint64_t value, unsigned digits);

/*
 * Adds words and a newline, broken at blanks before column @columns; the text begins at column
 * @indent, which was reached already, and so do its further lines.
 */
void text_wrap(struct strbuf *out, size_t indent, size_t columns, const char *text);

/**
 * text_to_integer() - read a whole number
 * @text: decimal, or with 0x hexadecimal
 *
 * Return: false, without a value, for anything else, and for a number outside of @low to @high.
 */
bool text_to_integer(const char *text, int64_t low, int64_t high, int64_t *ret);

/* The columns @text takes on a terminal (well-formed UTF-8; wide and combining characters known).
 */
size_t text_width(const char *text);

#endif
