/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Temporary directories of shared sandboxes: synfault-N-XXXXXX in $TMPDIR or, if that is not
 * writable, in one of the usual places; .synfault-N-XXXXXX while it is made or removed. The
 * supervisor locks its directory (flock(2)) as long as it lives. A directory without a lock is a
 * leftover; unlike the number in its name, the lock is reliable even if several network namespaces
 * or containers share the place.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_TMPDIR_H
#define SYNFAULT_RUNNER_SANDBOX_TMPDIR_H

#include "common/util.h"

/**
 * tmpdir_make() - make the directory of sandbox @number, for this user only
 * @ret_path: owned by the caller
 *
 * Return: a descriptor that holds the lock, or a negative errno.
 */
int tmpdir_make(uint32_t number, char **ret_path);

/** tmpdir_remove() - remove the directory with everything in it, as far as permitted */
void tmpdir_remove(const char *path, int fd);

/** tmpdir_sweep() - remove what dead sandboxes of this user left in all usual places */
void tmpdir_sweep(void);

#endif
