/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is freed all at once. A document has many small nodes that die together, so they are
 * cut from large blocks. Zero-initialise an arena; nothing in it is freed on its own.
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

/**
 * arena_alloc() - allocate memory for any type; it is not initialised
 *
 * Ends the process if memory runs out.
 */
void *arena_alloc(struct arena *arena, size_t size);
/**
 * arena_strndup() - copy @length bytes of @text and terminate them
 *
 * The arena owns the copy.
 */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
/** arena_reset() - drop everything in the arena, but keep one block for later allocations */
void arena_reset(struct arena *arena);
/**
 * arena_adopt() - move everything in @from to @arena
 *
 * Pointers stay valid; @from is empty afterwards.
 */
void arena_adopt(struct arena *arena, struct arena *from);
/**
 * arena_free() - free all blocks
 *
 * The arena itself belongs to the caller.
 */
void arena_free(struct arena *arena);
#define AUTO_ARENA CLEANUP(arena_free)

#endif
