/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The namespaces of a sandbox. A sandbox's supervising process is the first process of its own pid
 * namespace, so the kernel ends everything in the sandbox when it ends, however it ends; network
 * and mount namespace disappear with their last process. Root gets them directly, any other user
 * through two user namespaces, one inside the other:
 *
 *     outer, supervising process   uid 0 is the user: it owns the sandbox's network, whose files
 * below /proc (the queue's counters of losses) only uid 0 may read inner, client and servers    the
 * user's own ids are kept: a client sees itself as always, and has no say over the network, which
 * belongs to the outer one
 *
 * Root gets no user namespace: in one, servers could not change to users of their own, and the
 * client loses the dangerous capabilities anyway (process.h).
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_NAMESPACE_H
#define SYNFAULT_RUNNER_SANDBOX_NAMESPACE_H

#include <sys/types.h>

#include "common/util.h"

/*
 * Forks with flags of clone(2), such as CLONE_NEWNET. Returns 0 in the child, the pid (and in
 * *@ret_pidfd a pid descriptor) in the parent, or a negative errno.
 */
pid_t namespace_clone(unsigned long flags, int *ret_pidfd);

/*
 * Forks a child into a pid namespace of its own, and a user namespace where it needs one; for the
 * others it calls namespace_enter(). As fork(): returns 0 in the child, the pid (and in *@ret_pidfd
 * a pid descriptor) in the parent, or a negative errno. The child dies with its parent.
 */
pid_t namespace_fork(int *ret_pidfd);

/*
 * Moves a child of namespace_fork() into a network and a mount namespace of its own. Not a part of
 * the fork: it takes the kernel longer than all the rest of it, and this way sandboxes do that side
 * by side, not the one process that starts them all.
 *
 * Where there are too many network namespaces (user.max_net_namespaces) or too little memory, it
 * waits for so long that others end. Returns 0 or a negative errno.
 */
int namespace_enter(int64_t patience_ns);

/*
 * Makes the inner user namespace: moves the calling process, uid and gid 0 of the outer one, into a
 * new one in which it has the ids @uid and @gid. Returns 0 or a negative errno.
 */
int namespace_enter_inner(uid_t uid, gid_t gid);

/**
 * namespace_outer_pid() - return the calling process's pid where the mounted /proc is from
 *
 * In a child of namespace_fork() that is the pid namespace outside, until a /proc of its own is
 * mounted. Return: 0 when unknown.
 */
pid_t namespace_outer_pid(void);

/**
 * namespace_spread_pids() - let the pid namespace's numbers go on from others than its neighbours'
 * @outer_pid: of its first process outside, which no neighbour has; 0: nothing is done
 *
 * Programs that run side by side rely on different pids for their files in /tmp, such as Java's
 * hsperfdata. Not vital: where it isn't allowed, the numbers begin at 2.
 */
void namespace_spread_pids(pid_t outer_pid);

#endif
