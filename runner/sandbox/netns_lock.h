/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims in a network namespace. A claim is an abstract Unix socket (unix(7)) that is bound to a
 * name: such names belong to the network namespace, as tables, queues and addresses do, and the
 * kernel gives them back when the last process that has the socket ends, `kill -9` included.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_NETNS_LOCK_H
#define SYNFAULT_RUNNER_SANDBOX_NETNS_LOCK_H

#include "common/util.h"

enum netns_lock_kind {
	NETNS_LOCK_CELL,  /* the number of a shared sandbox (shared_sandbox.h), from 1 to
			     NETNS_LOCK_LAST_CELL */
	NETNS_LOCK_SPACE, /* a run that has shared sandboxes (netns_tables.h) */
	NETNS_LOCK_LOCK,  /* what is to be done by one process at a time (netns_tables.h) */
	NETNS_LOCK_PORT,  /* a TCP port, on all addresses */
};

/* IPv4 addresses have 14 bits for the number. */
#define NETNS_LOCK_LAST_CELL 16383

/*
 * Returns a descriptor that holds the claim, or a negative errno: -EADDRINUSE when it is
 * somebody's.
 */
int netns_lock_take(enum netns_lock_kind kind, uint32_t number);

/* The number of a sandbox in a name, such as 17 in "synfault-17", after @prefix and before @end; 0:
 * none.
 */
uint32_t netns_lock_parse(const char *name, const char *prefix, char end);

#endif
