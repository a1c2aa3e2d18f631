/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vDSO: code that the kernel maps into each process, with which programs read the clocks
 * without a system call (vdso(7)). Static programs use it, too, and so does Go. This module finds
 * its functions, and plans what to write there so that they add how far the client's clock is
 * ahead. Pure.
 *
 * The new code makes the system call and adds a number that is stored beside the code. It passes a
 * third argument to the call, which the kernel ignores, and by which the filter (filter.h) lets the
 * call through. The kernel's own functions become jumps to the new code.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_VDSO_H
#define SYNFAULT_RUNNER_CLOCK_VDSO_H

#include "common/util.h"

/* The third argument of clock_gettime() and gettimeofday() when the new code calls them. */
#define VDSO_MAGIC UINT32_C(0x73796e66)

/* No vDSO is larger: today's has two pages. */
enum { VDSO_MAX = 65536 };

/* What is stored beside the code: how far the clock is ahead. */
struct vdso_ahead {
	int64_t seconds;
	int64_t nanoseconds, microseconds; /* the same fraction of a second */
};

/** vdso_ahead_of() - convert nanoseconds to the form that the code reads */
struct vdso_ahead vdso_ahead_of(int64_t ahead_ns);

/* A part of the image to be overwritten. */
struct vdso_piece {
	size_t offset, length;
	const uint8_t *data; /* static, or in the struct vdso_patch */
};

struct vdso_patch {
	struct vdso_piece pieces[4];
	size_t n_pieces;
	uint8_t jumps[3][8];
	size_t ahead_offset;   /* of the struct vdso_ahead */
	size_t syscall_offset; /* of a syscall instruction that is not the last */
};

/**
 * vdso_plan() - plan what to write into a vDSO
 * @image: a copy of the vDSO, all of its pages
 * @length: bytes at @image
 * @ret: must stay where it is, as pieces point into it
 *
 * Return: 0; -EOPNOTSUPP on a machine for which there is no code; -ENOEXEC if @image is not a vDSO
 * of this machine; -ENOSPC if it has no room for the code.
 */
int vdso_plan(const uint8_t *image, size_t length, struct vdso_patch *ret);

#endif
