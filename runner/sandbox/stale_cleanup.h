/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes what dead shared sandboxes left: a supervisor that is killed can't clean up. The number
 * of a dead sandbox can be claimed (netns_lock.h). While we hold it, no new sandbox can get it, so
 * nothing is taken from a living one. What bears no sandbox's number is never touched.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_STALE_CLEANUP_H
#define SYNFAULT_RUNNER_SANDBOX_STALE_CLEANUP_H

#include <stddef.h>

/**
 * stale_cleanup_shared() - remove everything, in the namespaces of the calling process
 *
 * That is: processes of this user, parts of the common table (netns_tables.h), IPv6 addresses on
 * lo, temporary directories. What can't be removed stays.
 */
void stale_cleanup_shared(void);
/**
 * stale_cleanup_after() - remove what the supervisor of a shared sandbox left on purpose, or could
 * not remove
 * @wait_status: of the supervisor
 * @n_left: how many have left rules since these were last removed; 0 at first
 *
 * The rules of many are removed at once.
 */
void stale_cleanup_after(int wait_status, size_t *n_left);

#endif
