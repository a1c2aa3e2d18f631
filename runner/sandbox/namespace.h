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

#include "injector/nft_rules.h"
#include "runner/sandbox/sysctl.h"

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

/* What a private namespace is like on this machine. */
struct namespace_traits {
	struct sysctls fresh; /* what its settings start with */
	enum nft_rules_queue_form queue_form;
};

/*
 * Tries out in a child whether private namespaces can be had and packets be queued in them. Returns
 * 0 and writes @ret (free its settings), or a negative errno with *@ret_message (owned by the
 * caller): what is missing, as one sentence.
 */
int namespace_probe(struct namespace_traits *ret, char **ret_message);

#endif
