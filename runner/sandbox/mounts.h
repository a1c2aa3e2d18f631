/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a sandbox's client sees of the file system. It is the host's, with these exceptions: its own
 * /dev (a server that runs as root could damage the host's), a /proc with the sandbox's processes,
 * an /etc/hosts that resolves the endpoints' names, and a temporary directory that disappears with
 * the sandbox.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_MOUNTS_H
#define SYNFAULT_RUNNER_SANDBOX_MOUNTS_H

#include "runner/scenario/scenario.h"

/* The scenario's temporary directory inside its sandbox. */
#define MOUNTS_TMP "/dev/shm/scenario"

/**
 * mounts_setup() - mount everything; call it in the sandbox's mount namespace
 *
 * Containers that mask parts of /proc don't let it be mounted: then the old one stays.
 *
 * Return: 0, or a negative errno with a diagnostic.
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
