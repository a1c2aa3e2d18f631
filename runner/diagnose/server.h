/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this host says about a server on it: listeners on a port, and its kernel's drops. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_SERVER_H
#define SYNFAULT_RUNNER_DIAGNOSE_SERVER_H

#include "runner/diagnose/evidence.h"

/* The kernel's counters of drops, to find out their growth; -1 if one is missing. */
struct server_counters {
	int64_t listen_overflows, request_drops, path_filtered, conntrack_drops;
};

/** server_read_counters() - read the counters */
void server_read_counters(struct server_counters *ret);

/**
 * server_list() - find only the listeners on a port of this network namespace
 * @ret: free it with server_free()
 */
void server_list(uint16_t port, struct server_evidence *ret);

/**
 * server_look() - find listeners on a port of this network namespace, and the kernel's limits
 * @before: the counters before the trials
 * @ret: gets listeners, limits, and the growth of the counters; free it with server_free()
 *
 * Names programs only if /proc/PID/fd is readable (root: all of them). Sends nothing.
 * Source: net/ipv4/inet_diag.c (of a listener, idiag_rqueue and idiag_wqueue are the accept queue
 * and its limit), net/ipv4/proc.c (TcpExt).
 */
void server_look(uint16_t port, const struct server_counters *before, struct server_evidence *ret);
/** server_forget_listeners() - keep only what a client's own kernel limits: it is not the server */
void server_forget_listeners(struct server_evidence *server);
void server_free(struct server_evidence *server);

#endif
