/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clang-format off */
/*
 * The namespaces of a sandbox. A sandbox's supervisor is the first process of its own pid
 * namespace: when it ends, for any reason, the kernel ends everything in the sandbox. Network
 * and mount namespace disappear with their last process. Root enters them directly, any other user
 * through two user namespaces, one inside the other:
 *
 *     outer   supervisor          the user is uid 0 and owns the sandbox's network: only uid 0 may
 *                                 read its files below /proc (the queue's counters of losses)
 *     inner   client, servers     the user's own ids: a client sees itself as always, and has no
 *                                 power over the network, which belongs to the outer namespace
 *
 * Root gets no user namespace: servers could not change to other users in one, and the client loses
 * the dangerous capabilities anyway (process.h).
 */
/* clang-format on */
#ifndef SYNFAULT_RUNNER_SANDBOX_NAMESPACE_H
#define SYNFAULT_RUNNER_SANDBOX_NAMESPACE_H

#include <sys/types.h>

#include "common/util.h"

/**
 * namespace_clone() - fork with flags of clone(2), such as CLONE_NEWNET
 * @ret_pidfd: in the parent, a pid descriptor of the child
 *
 * Return: 0 in the child, its pid in the parent, or a negative errno.
 */
pid_t namespace_clone(unsigned long flags, int *ret_pidfd);

/**
 * namespace_fork() - fork a child into a pid namespace, and a user namespace if the user needs one
 * @ret_pidfd: in the parent, a pid descriptor of the child
 *
 * The child dies with its parent. It calls namespace_enter() for the other namespaces.
 *
 * Return: 0 in the child, its pid in the parent, or a negative errno.
 */
pid_t namespace_fork(int *ret_pidfd);

/**
 * namespace_enter() - move a child of namespace_fork() into its own network and mount namespace
 * @patience_ns: how long to wait for others to end when there are too many network namespaces
 *	(user.max_net_namespaces) or too little memory
 *
 * This is separate from the fork because it takes the kernel longer than the rest. In the children
 * it happens side by side; in the process that starts them, it would happen one after the other.
 *
 * Return: 0 or a negative errno.
 */
int namespace_enter(int64_t patience_ns);

/**
 * namespace_enter_inner() - make the inner user namespace and move the calling process into it
 * @uid: of the process in it; it is uid 0 of the outer one
 * @gid: likewise
 *
 * Return: 0 or a negative errno.
 */
int namespace_enter_inner(uid_t uid, gid_t gid);

/**
 * namespace_outer_pid() - return the calling process's pid in the mounted /proc
 *
 * In a child of namespace_fork() that is its pid outside, until it mounts a /proc of its own.
 *
 * Return: 0 if unknown.
 */
pid_t namespace_outer_pid(void);

/**
 * namespace_spread_pids() - make the pid namespace use other pids than its neighbours
 * @outer_pid: of its first process outside, which no neighbour has; 0: do nothing
 *
 * Programs rely on different pids for their files in /tmp, such as Java's hsperfdata. If this isn't
 * permitted, pids begin at 2; that is not an error.
 */
void namespace_spread_pids(pid_t outer_pid);

#endif
