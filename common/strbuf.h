/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing string: always terminated, may hold NUL bytes. Zero-initialise it, free it at the end.
 */
#ifndef SYNFAULT_COMMON_STRBUF_H
#define SYNFAULT_COMMON_STRBUF_H

#include "common/util.h"

struct strbuf {
	char *data;      /* NULL while nothing was ever added */
	size_t length;   /* bytes, the terminating NUL not counted */
	size_t capacity; /* bytes allocated */
};

void strbuf_add(struct strbuf *buffer, const void *data, size_t length);
void strbuf_puts(struct strbuf *buffer, const char *text);
void strbuf_putc(struct strbuf *buffer, char character);
void strbuf_pad(struct strbuf *buffer, char character, size_t count);
void strbuf_printf(struct strbuf *buffer, const char *format, ...) PRINTF(2, 3);
void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list arguments) PRINTF(2, 0);
/* The text so far, never NULL; valid until the next change. */
const char *strbuf_text(const struct strbuf *buffer);
/* The text as malloc memory, which the caller owns; the buffer is empty after. */
char *strbuf_steal(struct strbuf *buffer);
void strbuf_free(struct strbuf *buffer);
#define AUTO_STRBUF CLEANUP(strbuf_free)

#endif
