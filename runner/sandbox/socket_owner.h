/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which instance of the client an attempt belongs to, where several run in one sandbox. The client
 * is not touched for it: while an attempt's SYN is held in the queue its socket exists, so that the
 * kernel says the socket's inode (NETLINK_SOCK_DIAG, one socket by its addresses and ports), and
 * /proc/PID/fd says which process has it.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SOCKET_OWNER_H
#define SYNFAULT_RUNNER_SANDBOX_SOCKET_OWNER_H

#include "injector/address.h"

struct socket_owners;

/*
 * For instances 0 to @n_instances - 1, none of which runs yet. Never fails: where the kernel does
 * not answer, or /proc counts processes in another way than we do, nobody owns anything. Free it
 * with socket_owners_free().
 */
struct socket_owners *socket_owners_new(uint32_t n_instances);
void socket_owners_free(struct socket_owners *owners);

/* The first process of an instance, which leads a session of its own. */
void socket_owners_add(struct socket_owners *owners, uint32_t instance, pid_t pid);

/*
 * The instance that has the client's end of this connection, among its processes the first and all
 * that come from it; UINT32_MAX when none is found. Takes some 10 us, and 10 more for each process
 * that has to be looked at: sockets that are passed on the way are remembered.
 */
uint32_t socket_owners_find(struct socket_owners *owners, const struct address *client,
			    const struct address *server);

#endif
