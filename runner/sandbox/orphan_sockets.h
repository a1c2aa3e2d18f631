/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client leaves behind when it ends: connections that another process keeps open, and
 * connections that the kernel keeps for a while because the other side does not answer. The
 * kernel reports the death of a socket, but a closed connection can outlive close() by minutes, so
 * the death does not show when it was closed. The socket's state does: as long as some process has
 * an established connection open, no FIN has been sent for the client.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_ORPHAN_SOCKETS_H
#define SYNFAULT_RUNNER_SANDBOX_ORPHAN_SOCKETS_H

#include "runner/record/record.h"

struct sock_found;

/*
 * When to look at the sockets for the first time after the client's end. This leaves more time than
 * a process that ends along with the client takes, and than judge_leaks() allows for. The second
 * look comes when leftover processes are ended.
 */
#define LEFTOVER_LOOK_NS (100 * NS_PER_MS)

/**
 * orphan_sockets_look() - report the attempts whose sockets a process still has open
 * @record: attempts whose death it has are left out
 * @on_still_open: called with the id of each such attempt
 *
 * Call it in the sandbox's network namespace.
 */
void orphan_sockets_look(const struct record *record,
			 void (*on_still_open)(void *userdata, uint32_t attempt), void *userdata);

/**
 * orphan_sockets_count() - report what sockets have carried that no process has open any more
 * @record: attempts whose death it has are left out
 * @on_orphan: called for each such attempt; the client can add nothing to what @socket says
 *
 * Call it in the sandbox's network namespace.
 */
void orphan_sockets_count(const struct record *record,
			  void (*on_orphan)(void *userdata, uint32_t attempt,
					    const struct sock_found *socket),
			  void *userdata);

/**
 * orphan_sockets_n_gone() - count the established connections whose socket the kernel no longer
 * has, though the record lacks its death: the notice is still to come, or lost
 *
 * Call it in the sandbox's network namespace.
 */
size_t orphan_sockets_n_gone(const struct record *record);

#endif
