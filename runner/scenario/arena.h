/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is given back all at once. A document's nodes are many, small, and die together, so
 * they are cut from large blocks. Zero-initialise an arena; nothing in it is freed on its own.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_ARENA_H
#define SYNFAULT_RUNNER_SCENARIO_ARENA_H

#include "common/util.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* the one in use first */
	char *next;
	size_t left;
};

/* Memory for any type, not initialised. */
void *arena_alloc(struct arena *arena, size_t size);
/* A terminated copy of @length bytes. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF(2, 3);
/* Everything in the arena is gone; one block is kept for what comes next. */
void arena_reset(struct arena *arena);
/* Moves all that is in @from to @arena, pointers stay valid; @from is empty after. */
void arena_adopt(struct arena *arena, struct arena *from);
void arena_free(struct arena *arena);
#define AUTO_ARENA CLEANUP(arena_free)

#endif
