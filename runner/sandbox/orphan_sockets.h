/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client leaves behind when it ends: connections that another process keeps open, or that
 * the kernel keeps by itself for a while, since the other side does not answer. The end of
 * the client's own sockets is seen by their deaths; but the kernel keeps an established connection
 * that was closed for a while by itself, so that its death says little. What does is its state: as
 * long as some process has it open, nobody has sent a FIN for the client.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_ORPHAN_SOCKETS_H
#define SYNFAULT_RUNNER_SANDBOX_ORPHAN_SOCKETS_H

#include "runner/record/record.h"

struct sock_found;

/*
 * When the sockets are looked at for the first time after the client's end: later than a process
 * that ends along with it takes, and than judgement allows for (judge_leaks()). The second time is
 * when what was left behind is ended.
 */
#define LEFTOVER_LOOK_NS (100 * NS_PER_MS)

/*
 * Looks for the sockets of all attempts whose deaths are not in the record and calls @on_standing
 * with the id of each that a process still has open. To be called in the sandbox's network
 * namespace.
 */
void orphan_sockets_look(const struct record *record,
			 void (*on_standing)(void *userdata, uint32_t attempt), void *userdata);

/*
 * The same for the sockets that no process has open any more: calls @on_orphan with what they have
 * carried. Nothing can be added to that by the client.
 */
void orphan_sockets_count(const struct record *record,
			  void (*on_orphan)(void *userdata, uint32_t attempt,
					    const struct sock_found *socket),
			  void *userdata);

#endif
