/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether anything is under way in the kernel of a sandbox whose threads all sleep.
 *
 * Theory of operation
 * -------------------
 * Most of what is on its way shows in the sockets (sock_diag(7)): a sender keeps what is not
 * acknowledged, a SYN-SENT has no answer yet, a FIN-WAIT-1 no acknowledgment of its FIN. Each such
 * socket has to be explained by a step that withholds the answer; else time goes on as it is: there
 * are timers of the kernel's behind it (Nagle's algorithm and delayed acknowledgments, for one).
 *
 * A RST, a datagram, and the notice of a socket's death leave no trace in the sockets. They wait in
 * queues of one processor each (net/core/dev.c, softnet_data; net/core/sock_diag.c, broadcast_wq):
 * so a datagram of our own through the loopback device, and a socket of our own that we close, are
 * sent after them on each processor, and waited for.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_QUIET_H
#define SYNFAULT_RUNNER_CLOCK_QUIET_H

#include "injector/address.h"
#include "runner/clock/virtual_clock.h"

struct quiet;

/**
 * quiet_new() - prepare to look, in the network namespace of the calling process
 *
 * It has to be the sandbox's own, with the loopback device up.
 *
 * Return: 0 or a negative errno.
 */
int quiet_new(struct quiet **ret);
void quiet_free(struct quiet *quiet);

/**
 * quiet_pass() - wait until what was on its way has arrived
 *
 * Return: whether it has, for all that we know.
 */
bool quiet_pass(struct quiet *quiet);

/* A socket as quiet_is_calm() sees it. */
struct quiet_socket {
	uint8_t protocol;        /* IPPROTO_TCP, IPPROTO_UDP */
	uint8_t state;           /* TCP_ESTABLISHED, … */
	uint8_t timer;           /* idiag_timer: 0 none, 1 retransmission, 2 keep-alive, … */
	uint32_t unread, unsent; /* bytes; of one that listens: connections to accept */
	struct address local, remote;
	uint64_t inode;
};

/* Whether a step of the script withholds what the socket waits for. */
typedef bool (*quiet_withholds_fn)(void *userdata, const struct quiet_socket *socket);

/** quiet_is_calm() - whether nothing is under way at a socket; pure */
bool quiet_is_calm(const struct quiet_socket *socket, quiet_withholds_fn withholds, void *userdata);

/**
 * quiet_look() - look at all sockets
 * @waiting: gets the inodes of those in SYN-SENT
 *
 * Return: whether nothing is under way at any.
 */
bool quiet_look(struct quiet *quiet, quiet_withholds_fn withholds, void *userdata,
		struct clock_waiting *waiting);

#endif
