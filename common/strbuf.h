/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing string: always terminated, may hold NUL bytes. Zero-initialise it, and free it with
 * strbuf_free(). Running out of memory ends the process (common/util.h).
 */
#ifndef SYNFAULT_COMMON_STRBUF_H
#define SYNFAULT_COMMON_STRBUF_H

#include "common/util.h"

struct strbuf {
	char *data;      /* NULL until something is added */
	size_t length;   /* bytes, without the terminating NUL */
	size_t capacity; /* bytes allocated */
};

/** strbuf_add() - add @length bytes */
void strbuf_add(struct strbuf *buffer, const void *data, size_t length);
/** strbuf_puts() - add a terminated text */
void strbuf_puts(struct strbuf *buffer, const char *text);
/** strbuf_putc() - add a byte */
void strbuf_putc(struct strbuf *buffer, char character);
/** strbuf_pad() - add a byte @count times */
void strbuf_pad(struct strbuf *buffer, char character, size_t count);
/** strbuf_printf() - add formatted text */
void strbuf_printf(struct strbuf *buffer, const char *format, ...) PRINTF(2, 3);
void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list arguments) PRINTF(2, 0);
/**
 * strbuf_text() - return the text, never NULL
 *
 * It is valid until the buffer changes.
 */
const char *strbuf_text(const struct strbuf *buffer);
/**
 * strbuf_steal() - return the text as malloc memory, which the caller owns
 *
 * The buffer is empty afterwards.
 */
char *strbuf_steal(struct strbuf *buffer);
/** strbuf_free() - free the text; the buffer is empty afterwards */
void strbuf_free(struct strbuf *buffer);
#define AUTO_STRBUF CLEANUP(strbuf_free)

#endif
