/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocation that can't fail, growable arrays, and arrays of texts: see util.h. */
#include "common/util.h"

#include <errno.h>

void out_of_memory(void)
{
	static const char message[] = "synfault: out of memory\n";

	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		abort();
	abort();
}

void *allocated_(void *pointer)
{
	if (!pointer)
		out_of_memory();
	return pointer;
}

void *xmalloc(size_t size)
{
	return allocated_(malloc(size ? size : 1));
}

void *xzalloc(size_t size)
{
	return allocated_(calloc(1, size ? size : 1));
}

void *xrealloc(void *pointer, size_t size)
{
	return allocated_(realloc(pointer, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return xmemdup(text, strlen(text) + 1);
}

char *xstrndup(const char *text, size_t length)
{
	char *copy = xmalloc(length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *xvasprintf(const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0)
		out_of_memory();
	return text;
}

char *xasprintf(const char *format, ...)
{
	return FORMAT_REST(format);
}

void *xmemdup(const void *data, size_t size)
{
	void *copy = xmalloc(size);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

void *array_reserve_(void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity ? *capacity * 2 : 8;
	if (*capacity > SIZE_MAX / size)
		out_of_memory();
	return xrealloc(items, *capacity * size);
}

void store_integer(void *integer, size_t size, int64_t value)
{
	switch (size) {
	case sizeof(uint8_t):
		*(uint8_t *)integer = (uint8_t)value;
		break;
	case sizeof(uint16_t):
		*(uint16_t *)integer = (uint16_t)value;
		break;
	case sizeof(uint32_t):
		*(uint32_t *)integer = (uint32_t)value;
		break;
	case sizeof(uint64_t):
		*(uint64_t *)integer = (uint64_t)value;
		break;
	default:
		abort();
	}
}

int write_all(int fd, const void *data, size_t length)
{
	const char *next = data;

	while (length > 0) {
		ssize_t written = write(fd, next, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		next += written;
		length -= (size_t)written;
	}
	return 0;
}

size_t strv_length(char *const *strv)
{
	size_t length = 0;

	while (strv && strv[length])
		length++;
	return length;
}

char **strv_copy(char *const *strv)
{
	size_t length = strv_length(strv);
	char **copy = xzalloc((length + 1) * sizeof(*copy));

	for (size_t i = 0; i < length; i++)
		copy[i] = xstrdup(strv[i]);
	return copy;
}

void strv_free(char **strv)
{
	for (size_t i = 0; strv && strv[i]; i++)
		free(strv[i]);
	free(strv);
}

void strv_freep(char ***strv)
{
	strv_free(*strv);
}
