/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Separates a forked process from what it inherited. */
#ifndef SYNFAULT_RUNNER_SANDBOX_DETACH_H
#define SYNFAULT_RUNNER_SANDBOX_DETACH_H

#include <stddef.h>

/**
 * detach_from_parent() - start a session of its own and drop the parent's signals and descriptors
 * @kept: descriptors to keep; each is renumbered from 3 on, -1 stays -1
 *
 * Descriptors 0 to 2 stay. Terminal signals are ignored, since the program speaks to its children
 * through sockets. Exits if a descriptor can't be kept.
 */
void detach_from_parent(int *const kept[], size_t n_kept);

#endif
