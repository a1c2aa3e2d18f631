/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notices of dying TCP sockets: the multicast groups SKNLGRP_INET_TCP_DESTROY and
 * SKNLGRP_INET6_TCP_DESTROY of NETLINK_SOCK_DIAG (net/core/sock_diag.c; what `ss -E` shows). A
 * client that times out closes its socket in SYN-SENT without sending a packet: only this tells.
 */
#ifndef SYNFAULT_INJECTOR_SOCK_DIAG_MONITOR_H
#define SYNFAULT_INJECTOR_SOCK_DIAG_MONITOR_H

#include "common/diag.h"
#include "injector/address.h"

struct socket_death {
	int64_t at_ns;   /* CLOCK_MONOTONIC, when it was read */
	uint64_t cookie; /* the kernel's number for the socket; 0: not known */
	/* A socket that was disconnected before has lost its own address and the remote port. */
	struct address local, remote;
	uint32_t retransmissions, segments_in;
	uint64_t bytes_received, bytes_acked;
	uint64_t bytes_sent;      /* of data, without repetitions (Linux 4.19; else 0) */
	int64_t since_receive_ns; /* since its last data came; counts from its handshake if none did
				   */
};

struct nlattr;
/*
 * Sets the counts by an attribute INET_DIAG_INFO, a struct tcp_info of whatever size the kernel
 * gives it; what it does not hold stays as it was.
 */
void socket_death_set_info(struct socket_death *death, const struct nlattr *attribute);

typedef void (*sock_diag_monitor_fn)(void *userdata, const struct socket_death *death);

struct sock_diag_monitor;

/*
 * Listens in the network namespace of the calling process, which needs no privilege (net/core/
 * sock_diag.c, NL_CFG_F_NONROOT_RECV). Where others use the namespace too, the notices of all their
 * sockets come in; with @networks the kernel itself leaves out those that have no end in one of
 * them, so that they wake nobody. NULL: all sockets. Returns 0 or a negative errno with a
 * diagnostic.
 */
int sock_diag_monitor_open(const struct address_networks *networks, sock_diag_monitor_fn on_death,
			   void *userdata, struct diag_list *diags, struct sock_diag_monitor **ret);
int sock_diag_monitor_fd(const struct sock_diag_monitor *deaths);
/*
 * Reads all notices that are there. Returns 0, -ENOBUFS when some were lost (reading goes on), or
 * another negative errno.
 */
int sock_diag_monitor_dispatch(struct sock_diag_monitor *deaths);
void sock_diag_monitor_free(struct sock_diag_monitor *deaths);

#endif
