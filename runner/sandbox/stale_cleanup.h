/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes what dead shared sandboxes left: a supervising process that is killed can't clean up. The
 * number of a dead sandbox can be claimed (netns_lock.h); as long as it is held here, no new
 * sandbox can have it, so that nothing is taken from a living one. Things that bear no number of a
 * sandbox are never touched.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_STALE_CLEANUP_H
#define SYNFAULT_RUNNER_SANDBOX_STALE_CLEANUP_H

/*
 * In the namespaces of the calling process: processes of this user, parts of the common table
 * (netns_tables.h), IPv6 addresses on lo, temporary directories. What can't be removed stays.
 */
void stale_cleanup_shared(void);
/* Only the parts of the common table whose sandboxes are gone. */
void stale_cleanup_rules(void);

#endif
