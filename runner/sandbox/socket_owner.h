/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the instance of the client that made an attempt, where several run in one sandbox, without
 * touching the client. While an attempt's SYN is held in the queue, its socket exists. So the
 * kernel reports the socket's inode (NETLINK_SOCK_DIAG, looked up by addresses and ports), and
 * /proc/PID/fd shows which process has that inode.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SOCKET_OWNER_H
#define SYNFAULT_RUNNER_SANDBOX_SOCKET_OWNER_H

#include "injector/address.h"

struct socket_owners;

/**
 * socket_owners_new() - prepare for instances 0 to @n_instances - 1, before the first one runs
 *
 * Never fails: where the kernel does not answer, or /proc is of another pid namespace, no owner is
 * ever found. Free it with socket_owners_free().
 */
struct socket_owners *socket_owners_new(uint32_t n_instances);
void socket_owners_free(struct socket_owners *owners);

/**
 * socket_owners_add() - add a started instance
 * @pid: of its first process, which leads a session of its own
 */
void socket_owners_add(struct socket_owners *owners, uint32_t instance, pid_t pid);

/**
 * socket_owners_find() - find the instance that has the client's end of a connection
 *
 * The socket can be in the instance's first process or any that descends from it. This takes about
 * 10 us, and 10 more for each process that is looked at. Sockets found on the way are remembered.
 *
 * Return: UINT32_MAX if none is found.
 */
uint32_t socket_owners_find(struct socket_owners *owners, const struct address *client,
			    const struct address *server);

#endif
