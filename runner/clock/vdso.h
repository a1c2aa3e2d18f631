/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vDSO: code of the kernel's in each process, with which programs read the clocks without a
 * system call (vdso(7)). Where its functions begin, and what to put there so that they add how far
 * the client's clock is ahead. Static programs and Go's read it, too. Pure.
 *
 * The code that goes there makes the system call, with a third argument that the kernel ignores and
 * the filter (filter.h) lets through, and adds what lies beside it. In the kernel's own functions
 * jumps lead to it.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_VDSO_H
#define SYNFAULT_RUNNER_CLOCK_VDSO_H

#include "common/util.h"

/* The third argument of clock_gettime() and gettimeofday() where the code of ours calls. */
#define VDSO_MAGIC UINT32_C(0x73796e66)

/* No vDSO is larger: two pages now. */
enum { VDSO_MAX = 65536 };

/* What lies beside the code: how far the clock is ahead. */
struct vdso_ahead {
	int64_t seconds, nanoseconds, microseconds;
};
struct vdso_ahead vdso_ahead_of(int64_t ahead_ns);

/* A piece of the image to be written. */
struct vdso_piece {
	size_t offset, length;
	const uint8_t *data; /* in struct vdso_patch, or static */
};

struct vdso_patch {
	struct vdso_piece pieces[4];
	size_t n_pieces;
	uint8_t jumps[3][8];
	size_t ahead_offset;   /* where struct vdso_ahead lies */
	size_t syscall_offset; /* of an instruction that makes a system call, followed by others */
};

/**
 * vdso_plan() - find out what to write where
 * @image: as it is in the process
 * @length: bytes at @image: all that is mapped
 *
 * Return: 0; -EOPNOTSUPP on a machine for which there is no code; -ENOEXEC when it is not an image
 * of this machine's; -ENOSPC when there is no room.
 */
int vdso_plan(const uint8_t *image, size_t length, struct vdso_patch *ret);

#endif
