/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims in a network namespace. A claim is an abstract Unix socket (unix(7)) bound to a name. Such
 * names belong to the network namespace, as tables, queues and addresses do. The kernel releases a
 * name when the last process that has the socket ends, even by `kill -9`.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_NETNS_LOCK_H
#define SYNFAULT_RUNNER_SANDBOX_NETNS_LOCK_H

#include "common/util.h"

enum netns_lock_kind {
	NETNS_LOCK_SANDBOX, /* number of a shared sandbox (shared_sandbox.h), 1 to
			       NETNS_LOCK_LAST_SANDBOX */
	NETNS_LOCK_SPACE,   /* a run that has shared sandboxes (netns_tables.h) */
	NETNS_LOCK_LOCK,    /* work that only one process may do at a time (netns_tables.h) */
	NETNS_LOCK_PORT,    /* a TCP port, on all addresses */
};

/* IPv4 addresses have 14 bits for the number. */
#define NETNS_LOCK_LAST_SANDBOX 16383

/**
 * netns_lock_take() - claim a number in the network namespace of the calling process
 *
 * Return: a descriptor that holds the claim, or a negative errno; -EADDRINUSE if another process
 * holds it.
 */
int netns_lock_take(enum netns_lock_kind kind, uint32_t number);

/**
 * netns_lock_parse() - return the number of a sandbox in a name, such as 17 in "synfault-17"
 * @prefix: what precedes the number
 * @end: what follows it; NUL is allowed
 *
 * Return: 0 if the name has another form.
 */
uint32_t netns_lock_parse(const char *name, const char *prefix, char end);

#endif
