/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files and the directories above them. */
#ifndef SYNFAULT_COMMON_FILES_H
#define SYNFAULT_COMMON_FILES_H

#include "common/strbuf.h"

/**
 * file_read() - add what a descriptor still has, up to its end
 * @limit: -EFBIG if @out becomes longer than this
 *
 * Return: 0 or a negative errno.
 */
int file_read(int fd, size_t limit, struct strbuf *out);

/** file_make_parents() - make the directories above a file; return 0 or a negative errno */
int file_make_parents(const char *path, unsigned mode);

#endif
