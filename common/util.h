/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small things that every layer uses: cleanup at scope exit, allocation that can't fail, growable
 * arrays. Running out of memory ends the process (out_of_memory()): a process that can't allocate
 * can't judge, and its parent reports its death as an error, never as a pass.
 */
#ifndef SYNFAULT_COMMON_UTIL_H
#define SYNFAULT_COMMON_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define MAX(a, b)         ((a) > (b) ? (a) : (b))
/* What qsort() wants of two numbers; several keys: COMPARE(…) ?: COMPARE(…). */
#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))
/* The first index i below n for which a condition holds, or n; it holds for all after that one. */
#define BISECT(n, i, holds)                                                                        \
	({                                                                                         \
		size_t low_ = 0, high_ = (n);                                                      \
                                                                                                   \
		while (low_ < high_) {                                                             \
			const size_t i = low_ + (high_ - low_) / 2;                                \
                                                                                                   \
			if (holds)                                                                 \
				high_ = i;                                                         \
			else                                                                       \
				low_ = (i) + 1;                                                    \
		}                                                                                  \
		low_;                                                                              \
	})

#define PRINTF(text, first) __attribute__((format(printf, text, first)))
#define NORETURN            __attribute__((noreturn))

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define CLEANUP(function) __attribute__((cleanup(function)))
/* Frees the pointer when the scope ends, unless steal_pointer() took it. */
#define AUTO_FREE CLEANUP(cleanup_free)
/* Closes the descriptor when the scope ends, unless it is negative or steal_fd() took it. */
#define AUTO_CLOSE  CLEANUP(cleanup_close)
#define AUTO_FCLOSE CLEANUP(cleanup_fclose)

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

static inline void *steal_pointer_(void *pointer)
{
	void *stolen = *(void **)pointer;

	*(void **)pointer = NULL;
	return stolen;
}
/* Takes the pointer out of a variable, AUTO_FREE or not, and leaves NULL. */
#define steal_pointer(pointer) ((__typeof__(*(pointer)))steal_pointer_(pointer))

/** out_of_memory() - print an error and end the process with SIGABRT */
NORETURN void out_of_memory(void);

/** allocated_() - return the pointer; end the process if it is NULL (see out_of_memory()) */
void *allocated_(void *pointer) __attribute__((returns_nonnull));
/* The same with its type, for what other libraries allocate. */
#define ALLOCATED(pointer) ((__typeof__(pointer))allocated_(pointer))
/**
 * xmalloc() - allocate as the C library's functions do, but never return NULL (see out_of_memory())
 */
void *xmalloc(size_t size);
void *xzalloc(size_t size);
void *xrealloc(void *pointer, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) PRINTF(1, 2);
char *xvasprintf(const char *format, va_list arguments) PRINTF(1, 0);
/* Formats the arguments that follow the parameter @format, as xasprintf() does. */
#define FORMAT_REST(format)                                                                        \
	({                                                                                         \
		va_list rest_;                                                                     \
		char *formatted_;                                                                  \
                                                                                                   \
		va_start(rest_, format);                                                           \
		formatted_ = xvasprintf(format, rest_);                                            \
		va_end(rest_);                                                                     \
		formatted_;                                                                        \
	})
/** xmemdup() - copy @size bytes into new memory */
void *xmemdup(const void *data, size_t size);

/**
 * array_reserve_() - make room for at least one more element of @size bytes, in amortised constant
 * time
 *
 * Updates @capacity.
 *
 * Return: the array, which may have moved.
 */
void *array_reserve_(void *items, size_t count, size_t *capacity, size_t size);

/*
 * Appends an element to an array that is kept in three variables or fields. The array is malloc
 * memory: free() it.
 */
#define array_append(items, count, capacity, ...)                                                  \
	do {                                                                                       \
		(items) = array_reserve_((items), (count), &(capacity), sizeof(*(items)));         \
		(items)[(count)++] = (__VA_ARGS__);                                                \
	} while (0)

/** store_integer() - write a number into an integer of @size bytes: 1, 2, 4 or 8 */
void store_integer(void *integer, size_t size, int64_t value);

/** write_all() - call write(2) until all is written; return 0 or a negative errno */
int write_all(int fd, const void *data, size_t length);

/**
 * strv_copy() - copy a NULL-terminated array of texts, as execve() takes it
 *
 * The caller owns the copy.
 */
char **strv_copy(char *const *strv);
/** strv_free() - free such an array and its texts; NULL is allowed */
void strv_free(char **strv);
/** strv_length() - return the number of texts in such an array; NULL has none */
size_t strv_length(char *const *strv);
/** strv_freep() - call strv_free(), for AUTO_STRV */
void strv_freep(char ***strv);
#define AUTO_STRV CLEANUP(strv_freep)

#endif
