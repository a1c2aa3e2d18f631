/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the network of a sandbox looked like when its client ended: who listens, which connections
 * there are and in which states, addresses, routes, and whether each endpoint can be reached. For
 * people who have to find out why a client failed; judgement looks at none of it.
 *
 * It is taken at the end of every client, whatever became of it: whether it failed is known only
 * when its record has been judged, and by then the sandbox is gone. All sockets are shown when the
 * client's end looks bad: its time ran out, a server died, or its exit status is not as expected. A
 * dump of them walks the kernel's hash table, half a million entries on a large machine, so that of
 * a client that ended well only the sockets of its endpoints and of its last attempts are asked
 * for, one by one.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SNAPSHOT_H
#define SYNFAULT_RUNNER_SANDBOX_SNAPSHOT_H

#include "runner/record/record.h"
#include "runner/sandbox/sandbox.h"

/*
 * Adds the sections to the record. To be called in the sandbox's network namespace. Of a shared
 * sandbox only what belongs to its endpoints is shown: the rest is the host's. What the kernel does
 * not tell is said to be missing; nothing here fails.
 */
void snapshot_take(const struct sandbox *sandbox, struct record *record);

#endif
