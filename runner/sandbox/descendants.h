/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All processes that descend from the calling one: what kill(-1) is where a pid namespace is not to
 * be had. The caller has to be a child subreaper (PR_SET_CHILD_SUBREAPER): then orphans become its
 * children, and no descendant is ever lost.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_DESCENDANTS_H
#define SYNFAULT_RUNNER_SANDBOX_DESCENDANTS_H

#include <sys/types.h>

#include "common/util.h"

/*
 * Sends a signal to every descendant, new ones that appear meanwhile included as far as they are
 * seen: after SIGKILL, call it again for as long as there are children. Returns whether there is a
 * child at all, dead and not yet reaped ones included.
 */
bool descendants_signal(int number);

/*
 * Whether there is a descendant besides the processes of @known (0: none), and besides what belongs
 * to one of these: comes from it, or is in the session that it leads. One that is dead and not yet
 * reaped counts. Where /proc counts processes in another way than we do, any child counts.
 */
bool descendants_has_others(const pid_t *known, size_t n_known);

/**
 * descendants_signal_others() - send a signal to those for which descendants_has_others() looks
 *
 * Where /proc counts processes in another way than we do, none gets it.
 */
void descendants_signal_others(int number, const pid_t *known, size_t n_known);

/* Kills and reaps all descendants; gives up on those that don't end within a second. */
void descendants_end(void);

#endif
