/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is freed all at once: see arena.h. */
#include "runner/scenario/arena.h"

#define BLOCK_SIZE ((size_t)64 * 1024 - 64) /* below 64 KiB even with malloc's own header */
#define ALIGNMENT  _Alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(max_align_t) char data[];
};

static struct arena_block *block_new(size_t size)
{
	struct arena_block *block;

	if (size > SIZE_MAX - sizeof(*block))
		out_of_memory();
	block = xmalloc(sizeof(*block) + size);
	block->size = size;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block;
	void *memory;

	if (size > SIZE_MAX - ALIGNMENT)
		out_of_memory();
	size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (size > arena->left) {
		if (size > BLOCK_SIZE / 4 && arena->blocks) {
			/* A large allocation gets a block of its own, behind the one in use. */
			block = block_new(size);
			block->next = arena->blocks->next;
			arena->blocks->next = block;
			return block->data;
		}
		block = block_new(MAX(size, BLOCK_SIZE));
		block->next = arena->blocks;
		arena->blocks = block;
		arena->next = block->data;
		arena->left = block->size;
	}
	memory = arena->next;
	arena->next += size;
	arena->left -= size;
	return memory;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	if (length)
		memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void arena_reset(struct arena *arena)
{
	struct arena_block *kept = arena->blocks;

	if (!kept)
		return;
	while (kept->next) {
		struct arena_block *block = kept->next;

		kept->next = block->next;
		free(block);
	}
	arena->next = kept->data;
	arena->left = kept->size;
}

void arena_adopt(struct arena *arena, struct arena *from)
{
	struct arena_block *last = from->blocks;

	if (!last)
		return;
	while (last->next)
		last = last->next;
	if (arena->blocks) {
		last->next = arena->blocks->next;
		arena->blocks->next = from->blocks;
	} else {
		*arena = *from;
	}
	*from = (struct arena){0};
}

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	*arena = (struct arena){0};
}
