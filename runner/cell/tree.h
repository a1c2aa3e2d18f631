/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All processes that descend from the calling one: what kill(-1) is where a pid namespace is not to
 * be had. The caller has to be a child subreaper (PR_SET_CHILD_SUBREAPER): then orphans become its
 * children, and no descendant is ever lost.
 */
#ifndef SYNFAULT_RUNNER_CELL_TREE_H
#define SYNFAULT_RUNNER_CELL_TREE_H

#include "common/util.h"

/*
 * Sends a signal to every descendant, new ones that appear meanwhile included as far as they are
 * seen: after SIGKILL, call it again for as long as there are children. Returns whether there is a
 * child at all, dead and not yet reaped ones included.
 */
bool tree_signal(int number);

/* Kills and reaps all descendants; gives up on those that don't end within a second. */
void tree_end(void);

#endif
