/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Temporary directories of shared sandboxes: synfault-N-XXXXXX in $TMPDIR or, where that can't be
 * written to, in one of the usual places. Each is locked (flock(2)) for as long as its sandbox's
 * supervising process lives, and one that nobody holds is a leftover: unlike the number in its name
 * that is also true where several network namespaces or containers share the place.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_TMPDIR_H
#define SYNFAULT_RUNNER_SANDBOX_TMPDIR_H

#include "common/util.h"

/*
 * Makes the directory of sandbox @number, for us alone. Returns a descriptor that holds the lock,
 * with
 * *@ret_path (owned by the caller), or a negative errno.
 */
int tmpdir_make(uint32_t number, char **ret_path);

/* Removes the directory with all that is in it, as far as that is permitted. */
void tmpdir_remove(const char *path, int fd);

/* Removes what dead sandboxes of this user left in all places where tmpdir_make() makes any. */
void tmpdir_sweep(void);

#endif
