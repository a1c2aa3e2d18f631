/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All processes that descend from the calling one. Does what kill(-1) does in a pid namespace,
 * where none is available. The caller has to be a child subreaper (PR_SET_CHILD_SUBREAPER), so that
 * orphans become its children and no descendant gets lost.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_DESCENDANTS_H
#define SYNFAULT_RUNNER_SANDBOX_DESCENDANTS_H

#include <sys/types.h>

#include "common/util.h"

/**
 * descendants_signal() - send a signal to every descendant
 *
 * A process that forks during the walk can be missed: after SIGKILL, call this again while it
 * returns true.
 *
 * Return: whether there is a child, dead ones that are not reaped included.
 */
bool descendants_signal(int number);

/**
 * descendants_has_others() - find out whether there are descendants that belong to no known process
 * @known: processes; 0 in place of one that does not exist
 *
 * A process belongs to a known one if it descends from it or is in the session that it leads. A
 * dead process counts until it is reaped. If /proc belongs to another pid namespace, any child
 * counts.
 */
bool descendants_has_others(const pid_t *known, size_t n_known);

/**
 * descendants_signal_others() - send a signal to those that descendants_has_others() looks for
 *
 * If /proc belongs to another pid namespace, no process gets the signal.
 */
void descendants_signal_others(int number, const pid_t *known, size_t n_known);

/** descendants_end() - kill and reap all descendants; give up after a second */
void descendants_end(void);

#endif
