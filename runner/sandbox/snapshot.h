/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a sandbox's network looked like when its client ended: which sockets listen, which
 * connections exist and in which states, addresses, routes, and whether each endpoint can be
 * reached. It is for people who have to find out why a client failed; judging uses none of it.
 *
 * It is taken at the end of every client, since only the judge finds out whether the client failed,
 * and by then the sandbox is gone. All sockets are shown if the client's end looks bad: it timed
 * out, a server died, or the exit status is not the expected one. Dumping them walks the kernel's
 * hash table, which has half a million entries on a large machine. So for a client that ended well,
 * only the sockets of its endpoints and of its last attempts are looked up, one by one.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SNAPSHOT_H
#define SYNFAULT_RUNNER_SANDBOX_SNAPSHOT_H

#include "runner/record/record.h"
#include "runner/sandbox/sandbox.h"

/**
 * snapshot_take() - add the sections to the record; never fails
 *
 * Call it in the sandbox's network namespace. For a shared sandbox only what belongs to its
 * endpoints is shown: the rest is the host's. What the kernel does not report is said to be
 * missing.
 */
void snapshot_take(const struct sandbox *sandbox, struct record *record);

#endif
