/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a forked process independent of what it inherited. */
#ifndef SYNFAULT_RUNNER_SANDBOX_DETACH_H
#define SYNFAULT_RUNNER_SANDBOX_DETACH_H

#include <stddef.h>

/**
 * detach_from_parent() - begin a session of its own, without the parent's signals and descriptors
 * @kept: descriptors to keep, which get new numbers from 3 on; -1 stays
 *
 * Descriptors 0 to 2 stay. Terminal signals are ignored: the program speaks to its children through
 * sockets. Exits when a descriptor can't be kept.
 */
void detach_from_parent(int *const kept[], size_t n_kept);

#endif
