/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the kernel is still busy with anything in a sandbox whose threads all sleep.
 *
 * Theory of operation
 * -------------------
 * Most of what is under way shows in the sockets (sock_diag(7)): a sender keeps the bytes that are
 * not acknowledged, a socket in SYN-SENT has no answer yet, one in FIN-WAIT-1 no acknowledgment of
 * its FIN. If a step of the script withholds what such a socket waits for, the clock may jump.
 * Otherwise it may not: timers of the kernel's are running (Nagle's algorithm and delayed
 * acknowledgments, for example).
 *
 * A RST, a datagram and the notice of a socket's death leave no trace in the sockets. They wait in
 * queues, and each processor has its own (net/core/dev.c, softnet_data; net/core/sock_diag.c,
 * broadcast_wq). So on each processor we queue a datagram of our own behind them, over the loopback
 * device, and the death of a socket of our own, and wait until both arrive.
 *
 * A socket that waits for its last packet may die after that, and before its state is looked at. So
 * nothing may have been sent or closed in between, by the kernel's counts (net_counts.h). Where
 * these count what others do, too, its state is looked at before, as well.
 *
 * Most jumps are those of clients that only wait: since the last look they have sent nothing and
 * closed nothing. The counts show that, and spare us another look.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_QUIET_H
#define SYNFAULT_RUNNER_CLOCK_QUIET_H

#include "injector/address.h"
#include "runner/clock/virtual_clock.h"

struct quiet;

/**
 * quiet_new() - open the sockets for looking, in the calling process's network namespace
 * @networks: ignore sockets without an end in one of these, which others use; borrowed. NULL: look
 * at all sockets, since the namespace is the sandbox's own
 * @ret: owned by the caller; quiet_free() frees it
 *
 * The loopback device has to be up.
 *
 * Return: 0 or a negative errno.
 */
int quiet_new(const struct address_networks *networks, struct quiet **ret);
void quiet_free(struct quiet *quiet);

/**
 * quiet_pass() - wait until everything queued on any processor has arrived
 *
 * Waits at most 20 ms, and moves the calling thread from processor to processor.
 *
 * Return: whether everything has arrived; false also if that could not be found out.
 */
bool quiet_pass(struct quiet *quiet);

/* A socket as quiet_is_calm() sees it. */
struct quiet_socket {
	uint8_t protocol;        /* IPPROTO_TCP, IPPROTO_UDP */
	uint8_t state;           /* TCP_ESTABLISHED, … */
	uint8_t timer;           /* idiag_timer: 0 none, 1 retransmission, 2 keep-alive, … */
	uint32_t unread, unsent; /* bytes; of a listening socket: connections not accepted */
	struct address local, remote;
	uint64_t inode;
};

/* Returns whether a step of the script withholds what the socket waits for. */
typedef bool (*quiet_withholds_fn)(void *userdata, const struct quiet_socket *socket);

/**
 * quiet_is_calm() - return whether nothing is under way at a socket
 * @withholds: is asked about a socket that waits for its peer
 * @userdata: for @withholds
 *
 * Pure.
 */
bool quiet_is_calm(const struct quiet_socket *socket, quiet_withholds_fn withholds, void *userdata);

/**
 * quiet_look() - look at all TCP and UDP sockets of the namespace
 * @withholds: as for quiet_is_calm()
 * @userdata: for @withholds
 * @waiting: the inodes of the sockets in SYN-SENT are appended to it
 *
 * Return: whether nothing is under way at any of them, and unless others use the network, too,
 * nothing was sent or closed since the last quiet_pass() began; false also if the kernel does not
 * answer.
 */
bool quiet_look(struct quiet *quiet, quiet_withholds_fn withholds, void *userdata,
		struct clock_waiting *waiting);

/**
 * quiet_stays() - find out whether nothing was sent or closed since the last look
 *
 * Return: false also if quiet_pass() or quiet_look() found then that something was under way.
 */
bool quiet_stays(const struct quiet *quiet);

#endif
