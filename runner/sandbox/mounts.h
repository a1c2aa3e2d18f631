/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a sandbox's client sees of the file system: the host's, but with a /dev of its own (a server
 * that runs as root can damage the host's), a /proc that shows the sandbox's processes, an
 * /etc/hosts in which the endpoints' names resolve, and a temporary directory that disappears with
 * the sandbox.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_MOUNTS_H
#define SYNFAULT_RUNNER_SANDBOX_MOUNTS_H

#include "runner/scenario/scenario.h"

/* The scenario's temporary directory inside its sandbox. */
#define MOUNTS_TMP "/dev/shm/scenario"

/*
 * Sees to it that nothing that is mounted from here on reaches the host; part of mounts_setup().
 * Returns 0 or a negative errno, with a diagnostic: -EINVAL in a chroot.
 */
int mounts_detach(struct diag_list *diags);

/*
 * To be called in the sandbox's mount namespace. Returns 0 or a negative errno, with a diagnostic.
 * A /proc that can't be mounted (containers that mask parts of it) is left as it is.
 */
int mounts_setup(const struct scenario *scenario, struct diag_list *diags);

/**
 * mounts_seal_sysctls() - make /proc/sys read-only in the mount namespace of the calling process
 *
 * A client that is root, or the user who started synfault, owns the sysctls of its network
 * namespace and needs no capability to change them.
 *
 * Return: 0 or a negative errno.
 */
int mounts_seal_sysctls(void);

#endif
