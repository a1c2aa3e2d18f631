/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to write into the vDSO: see vdso.h. */
#include "runner/clock/vdso.h"

#include <elf.h>
#include <errno.h>

#include "common/duration.h"
#include "runner/clock/vdso_code.h"

struct vdso_ahead vdso_ahead_of(int64_t ahead_ns)
{
	return (struct vdso_ahead){
		.seconds = ahead_ns / NS_PER_S,
		.nanoseconds = ahead_ns % NS_PER_S,
		.microseconds = ahead_ns % NS_PER_S / NS_PER_US,
	};
}

#ifdef __x86_64__

/* A jump is the byte E9 and a 32-bit distance from the next instruction. */
enum { JUMP_SIZE = 5, ALIGNMENT = 16 };

struct function {
	const char *name;
	size_t code; /* offset of its replacement in vdso_code */
	size_t offset, size;
};

struct image {
	const uint8_t *data;
	size_t length;
	const Elf64_Ehdr *header;
	const Elf64_Sym *symbols;
	size_t n_symbols;
	const char *strings;
	size_t strings_length;
};

/* Returns a part of the image, or NULL if it is not within the image. */
static const void *at(const struct image *image, uint64_t offset, uint64_t size)
{
	return offset <= image->length && size <= image->length - offset ? image->data + offset
									 : NULL;
}

static bool find_symbols(struct image *image)
{
	const Elf64_Shdr *sections = at(image, image->header->e_shoff,
					(uint64_t)image->header->e_shnum * sizeof(*sections));

	for (size_t i = 0; sections && i < image->header->e_shnum; i++) {
		const Elf64_Shdr *names;

		if (sections[i].sh_type != SHT_DYNSYM ||
		    sections[i].sh_link >= image->header->e_shnum)
			continue;
		names = &sections[sections[i].sh_link];
		image->symbols = at(image, sections[i].sh_offset, sections[i].sh_size);
		image->n_symbols = sections[i].sh_size / sizeof(*image->symbols);
		image->strings = at(image, names->sh_offset, names->sh_size);
		image->strings_length = names->sh_size;
		return image->symbols && image->strings && names->sh_size > 0 &&
		       image->strings[names->sh_size - 1] == '\0';
	}
	return false;
}

static bool find_function(const struct image *image, struct function *function)
{
	for (size_t i = 0; i < image->n_symbols; i++) {
		const Elf64_Sym *symbol = &image->symbols[i];

		if (symbol->st_name >= image->strings_length ||
		    strcmp(image->strings + symbol->st_name, function->name) != 0)
			continue;
		function->offset = symbol->st_value;
		function->size = symbol->st_size;
		return at(image, symbol->st_value, symbol->st_size) != NULL;
	}
	return false;
}

/*
 * Finds room for the code: behind the image, up to the end of its last page; otherwise inside the
 * first function, which is replaced anyway. Returns an offset, or 0.
 */
static size_t find_room(const struct image *image, const struct function *first, size_t size)
{
	size_t end = image->header->e_shoff +
		     (size_t)image->header->e_shnum * image->header->e_shentsize;
	size_t room = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

	for (size_t i = 0; i < image->header->e_shnum; i++) {
		const Elf64_Shdr *section =
			at(image, image->header->e_shoff + i * sizeof(*section), sizeof(*section));

		if (section && section->sh_type != SHT_NOBITS)
			room = MAX(room, (section->sh_offset + section->sh_size + ALIGNMENT - 1) /
						 ALIGNMENT * ALIGNMENT);
	}
	if (room + size <= image->length)
		return room;
	room = (first->offset + JUMP_SIZE + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	return room + size <= first->offset + first->size ? room : 0;
}

static void add_jump(struct vdso_patch *patch, size_t number, const struct function *function,
		     size_t room)
{
	int32_t distance = (int32_t)(room + function->code - function->offset - JUMP_SIZE);

	patch->jumps[number][0] = 0xe9;
	memcpy(patch->jumps[number] + 1, &distance, sizeof(distance));
	patch->pieces[patch->n_pieces++] = (struct vdso_piece){
		.offset = function->offset, .length = JUMP_SIZE, .data = patch->jumps[number]};
}

int vdso_plan(const uint8_t *image_data, size_t length, struct vdso_patch *ret)
{
	struct image image = {.data = image_data, .length = length};
	struct function functions[] = {
		{"__vdso_clock_gettime", (size_t)(vdso_code_clock_gettime - vdso_code), 0, 0},
		{"__vdso_gettimeofday", (size_t)(vdso_code_gettimeofday - vdso_code), 0, 0},
		{"__vdso_time", (size_t)(vdso_code_time - vdso_code), 0, 0},
	};
	const size_t size = (size_t)(vdso_code_end - vdso_code);
	size_t room;

	image.header = at(&image, 0, sizeof(*image.header));
	if (!image.header || memcmp(image.header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    image.header->e_ident[EI_CLASS] != ELFCLASS64 || image.header->e_machine != EM_X86_64 ||
	    image.header->e_shentsize != sizeof(Elf64_Shdr) || !find_symbols(&image))
		return -ENOEXEC;
	*ret = (struct vdso_patch){0};
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (!find_function(&image, &functions[i]) || functions[i].size < JUMP_SIZE)
			return -ENOEXEC;
	room = find_room(&image, &functions[0], size);
	if (room == 0)
		return -ENOSPC;
	/* Write the code before the jumps to it. */
	ret->pieces[ret->n_pieces++] =
		(struct vdso_piece){.offset = room, .length = size, .data = vdso_code};
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		add_jump(ret, i, &functions[i], room);
	ret->ahead_offset = room + (size_t)(vdso_code_ahead - vdso_code);
	ret->syscall_offset = room + (size_t)(vdso_code_syscall - vdso_code);
	return 0;
}

#else

int vdso_plan(const uint8_t *image, size_t length, struct vdso_patch *ret)
{
	return -EOPNOTSUPP;
}

#endif
