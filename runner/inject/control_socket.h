/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where `synfault inject` listens for commands: a Unix socket, by default PID.sock in the first
 * available directory of $XDG_RUNTIME_DIR/synfault, /run/synfault,
 * ${TMPDIR:-/tmp}/synfault-UID. Only its user may enter it.
 */
#ifndef SYNFAULT_RUNNER_INJECT_CONTROL_SOCKET_H
#define SYNFAULT_RUNNER_INJECT_CONTROL_SOCKET_H

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

/* Connects to @path. Returns a descriptor or a negative errno. */
int control_socket_connect(const char *path);

/*
 * Finds the sockets in the default directories on which a daemon listens that the caller may send
 * commands to; NULL-terminated, owned by the caller. Removes the sockets of dead daemons.
 */
char **control_socket_find(void);
/* Returns the directories that control_socket_find() looks in, as text; owned by the caller. */
char *control_socket_describe(void);

#endif
