/* SPDX-License-Identifier: MIT */
/*
 * A synfault of a session's own, for a test that no `synfault exec` runs: it injects in the network
 * namespace of this process, which takes NET_ADMIN, and ends with this process, however that ends.
 */
#ifndef LIB_DAEMON_H
#define LIB_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

/** daemon_is_possible() - return whether this process has NET_ADMIN, and may trust its PATH. */
bool daemon_is_possible(void);

/**
 * daemon_start() - start the synfault that is found in PATH
 * @path: gets the path of its control socket
 * @size: of @path
 *
 * Return: a descriptor for daemon_end(); -ENOENT if there is no synfault in PATH; -ECHILD if it has
 * printed on the standard error why it can't work; or another negative errno.
 */
int daemon_start(char *path, size_t size);

/** daemon_end() - end synfault, wait until it has left nothing, and close the descriptor */
void daemon_end(int fd);

#endif
