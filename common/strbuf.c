/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing string: see strbuf.h. */
#include "common/strbuf.h"

/* Room for formatted text before its length is known. */
#define USUAL_LENGTH ((size_t)40)

static void reserve(struct strbuf *buffer, size_t more)
{
	size_t needed = buffer->length + more + 1;

	if (needed < more)
		out_of_memory();
	if (needed <= buffer->capacity)
		return;
	buffer->capacity = MAX(needed, MAX(buffer->capacity * 2, (size_t)64));
	buffer->data = xrealloc(buffer->data, buffer->capacity);
}

void strbuf_add(struct strbuf *buffer, const void *data, size_t length)
{
	reserve(buffer, length);
	if (length)
		memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

void strbuf_puts(struct strbuf *buffer, const char *text)
{
	strbuf_add(buffer, text, strlen(text));
}

void strbuf_putc(struct strbuf *buffer, char character)
{
	strbuf_add(buffer, &character, 1);
}

void strbuf_pad(struct strbuf *buffer, char character, size_t count)
{
	reserve(buffer, count);
	memset(buffer->data + buffer->length, character, count);
	buffer->length += count;
	buffer->data[buffer->length] = '\0';
}

void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list arguments)
{
	va_list copy;
	size_t room;
	int length;

	/* Most texts are short, and fit at the first try. */
	reserve(buffer, USUAL_LENGTH);
	room = buffer->capacity - buffer->length;
	va_copy(copy, arguments);
	length = vsnprintf(buffer->data + buffer->length, room, format, copy);
	va_end(copy);
	if (length < 0)
		out_of_memory();
	if ((size_t)length >= room) {
		reserve(buffer, (size_t)length);
		vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
	}
	buffer->length += (size_t)length;
}

void strbuf_printf(struct strbuf *buffer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	strbuf_vprintf(buffer, format, arguments);
	va_end(arguments);
}

const char *strbuf_text(const struct strbuf *buffer)
{
	return buffer->data ? buffer->data : "";
}

char *strbuf_steal(struct strbuf *buffer)
{
	char *text;

	reserve(buffer, 0);
	buffer->data[buffer->length] = '\0';
	text = buffer->data;
	*buffer = (struct strbuf){0};
	return text;
}

void strbuf_free(struct strbuf *buffer)
{
	free(buffer->data);
	*buffer = (struct strbuf){0};
}
