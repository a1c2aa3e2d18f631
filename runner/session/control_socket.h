/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a daemon listens for commands: a Unix socket, by default PID.sock in the first
 * available directory of $XDG_RUNTIME_DIR/synfault, /run/synfault, ${TMPDIR:-/tmp}/synfault-UID.
 * Only its user may enter it.
 */
#ifndef SYNFAULT_RUNNER_SESSION_CONTROL_SOCKET_H
#define SYNFAULT_RUNNER_SESSION_CONTROL_SOCKET_H

#include "common/diag.h"

/**
 * control_socket_listen() - listen for commands
 * @path: NULL: the default
 * @ret_path: owned by the caller; only on success
 *
 * Replaces a socket on which no process listens.
 *
 * Return: a descriptor, or a negative errno with a diagnostic.
 */
int control_socket_listen(const char *path, struct diag_list *diags, char **ret_path);

/**
 * control_socket_listen_tcp() - listen for commands over TCP
 * @address: "PORT", on 127.0.0.1, or "HOST:PORT", "[HOST]:PORT"; port 0: a free one
 * @ret_address: "tcp:HOST:PORT", owned by the caller; only on success
 *
 * Return: a descriptor, or a negative errno with a diagnostic: -EINVAL unless it is such an
 * address.
 */
int control_socket_listen_tcp(const char *address, struct diag_list *diags, char **ret_address);

/**
 * control_socket_token() - return the token of the environment, SYNFAULT_TOKEN
 *
 * Return: the token, borrowed; or NULL with a diagnostic if there is none or it is too short.
 */
const char *control_socket_token(struct diag_list *diags);

/** control_socket_remove() - remove a socket, unless a process listens on it */
void control_socket_remove(const char *path);

/** control_socket_is_tcp() - return whether it is "tcp:HOST:PORT", and no path */
bool control_socket_is_tcp(const char *path);
/**
 * control_socket_connect() - connect to a path, or to "tcp:HOST:PORT"
 * @patience_ns: how long to wait for a daemon that takes no connections, and to send to it later
 *
 * Over TCP the daemon expects "hello" with the token.
 *
 * Return: a descriptor, or a negative errno: -ETIMEDOUT after @patience_ns.
 */
int control_socket_connect(const char *path, int64_t patience_ns);

/**
 * control_socket_find() - find the daemons that the caller may send commands to
 *
 * Looks in the default directories, and removes the sockets of dead daemons. It waits for none.
 *
 * Return: paths of sockets, NULL-terminated, owned by the caller.
 */
char **control_socket_find(void);
/** control_socket_describe() - return the default directories as text; owned by the caller */
char *control_socket_describe(void);

#endif
