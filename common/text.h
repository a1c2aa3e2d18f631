/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for people and for machines: nearest names, shell quoting, UTF-8 that is safe to print. */
#ifndef SYNFAULT_COMMON_TEXT_H
#define SYNFAULT_COMMON_TEXT_H

#include "common/strbuf.h"

/* The ending of a noun after a count: "1 byte", "2 bytes". */
#define PLURAL(count) ((count) == 1 ? "" : "s")

/**
 * text_nearest() - find the candidate (NULL-terminated list) nearest to @word by edit distance:
 * insertions, deletions, substitutions, swaps
 *
 * Return: NULL if none is near enough to be what was meant.
 */
const char *text_nearest(const char *word, const char *const *candidates);

/** text_quote_shell() - add @word as a POSIX shell takes it, with quotes only if it needs them */
void text_quote_shell(struct strbuf *out, const char *word);

/**
 * text_sanitize() - add @length bytes as well-formed UTF-8 that can't disturb a terminal or an XML
 * parser
 *
 * Removes ANSI escape sequences (CSI, OSC, two-byte). Shows bytes that are not UTF-8 as "\xFF", and
 * characters that XML 1.0 forbids (section 2.2), DEL and C1 controls as "#x1B". Keeps newlines and
 * tabs; removes a carriage return before a newline, and turns any other into a newline.
 */
void text_sanitize(struct strbuf *out, const char *data, size_t length);

/**
 * decimal_write() - write @value to @at with at least @digits decimal digits, and terminate it
 *
 * 21 bytes are enough if @digits is at most 20. It is faster than snprintf(), for reports with
 * hundreds of thousands of numbers.
 *
 * Return: the end.
 */
char *decimal_write(char *at, uint64_t value, unsigned digits);

/**
 * text_wrap() - add a text and a newline, with lines broken at blanks before column @columns
 *
 * The first line starts at column @indent, where @out already is; later lines are indented to it.
 */
void text_wrap(struct strbuf *out, size_t indent, size_t columns, const char *text);

/**
 * text_to_integer() - read a whole number
 * @text: decimal, or hexadecimal with 0x
 * @low: the smallest number allowed
 * @high: the largest number allowed
 * @ret: the number; not written on an error
 *
 * Return: whether the text is such a number.
 */
bool text_to_integer(const char *text, int64_t low, int64_t high, int64_t *ret);

/**
 * text_width() - return the columns that @text, well-formed UTF-8, takes on a terminal
 *
 * Knows wide and combining characters.
 */
size_t text_width(const char *text);

/** text_hash() - return a hash of the text, the same everywhere and for ever (FNV-1a) */
uint64_t text_hash(const char *text);

#endif
