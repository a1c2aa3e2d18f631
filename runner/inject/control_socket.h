/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where `synfault inject` listens for commands: a Unix socket, by default PID.sock in the first of
 * these directories that can be had: $XDG_RUNTIME_DIR/synfault, /run/synfault,
 * ${TMPDIR:-/tmp}/synfault-UID. Only its user may enter it.
 */
#ifndef SYNFAULT_RUNNER_INJECT_CONTROL_SOCKET_H
#define SYNFAULT_RUNNER_INJECT_CONTROL_SOCKET_H

#include "common/diag.h"

/*
 * Listens at @path, or at the default place when it is NULL. A socket that is there and nobody
 * listens on is replaced. Returns a listening descriptor with *@ret_path (owned by the caller), or
 * a negative errno with a diagnostic.
 */
int control_socket_listen(const char *path, struct diag_list *diags, char **ret_path);

/* Connects to @path. Returns a descriptor or a negative errno. */
int control_socket_connect(const char *path);

/*
 * The sockets in the default places on which somebody listens whom the caller may give orders;
 * NULL-terminated, owned by the caller. What dead ones left is removed.
 */
char **control_socket_find(void);
/* The directories that control_socket_find() looks in, for a message; owned by the caller. */
char *control_socket_describe(void);

#endif
