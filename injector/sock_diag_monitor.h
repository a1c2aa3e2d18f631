/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receives notices of dying TCP sockets: the multicast groups SKNLGRP_INET_TCP_DESTROY and
 * SKNLGRP_INET6_TCP_DESTROY of NETLINK_SOCK_DIAG (net/core/sock_diag.c), which `ss -E` shows. A
 * client that times out closes its socket in SYN-SENT without sending a packet: only a notice shows
 * that.
 */
#ifndef SYNFAULT_INJECTOR_SOCK_DIAG_MONITOR_H
#define SYNFAULT_INJECTOR_SOCK_DIAG_MONITOR_H

#include "common/diag.h"
#include "injector/address.h"

struct socket_death {
	int64_t at_ns;   /* CLOCK_MONOTONIC: when it was read */
	uint64_t cookie; /* the kernel's number for the socket; 0: unknown */
	/* A socket that was disconnected before it died lacks its own address and the remote port.
	 */
	struct address local, remote;
	uint32_t retransmissions, segments_in;
	uint64_t bytes_received, bytes_acked;
	uint64_t bytes_sent;      /* of data, without retransmissions (Linux 4.19; before, 0) */
	int64_t since_receive_ns; /* since its last data came, or since its handshake */
};

struct nlattr;
/**
 * socket_death_set_info() - set the counts from an attribute INET_DIAG_INFO: a struct tcp_info,
 * whose size depends on the kernel
 *
 * Fields that it lacks are not changed.
 */
void socket_death_set_info(struct socket_death *death, const struct nlattr *attribute);

typedef void (*sock_diag_monitor_fn)(void *userdata, const struct socket_death *death);

struct sock_diag_monitor;

/**
 * sock_diag_monitor_open() - listen in the network namespace of the calling process
 * @networks: let the kernel drop notices of sockets without an end in one of these networks, so
 * that other processes' sockets don't wake us; NULL: receive all
 * @on_death: called for each notice
 * @userdata: for @on_death
 * @diags: gets a diagnostic for each error
 * @ret: the monitor; free it with sock_diag_monitor_free()
 *
 * Needs no privilege (net/core/sock_diag.c, NL_CFG_F_NONROOT_RECV).
 *
 * Return: 0 or a negative errno with a diagnostic.
 */
int sock_diag_monitor_open(const struct address_networks *networks, sock_diag_monitor_fn on_death,
			   void *userdata, struct diag_list *diags, struct sock_diag_monitor **ret);
/** sock_diag_monitor_fd() - return the descriptor to poll for reading; the monitor owns it */
int sock_diag_monitor_fd(const struct sock_diag_monitor *deaths);
/**
 * sock_diag_monitor_dispatch() - read notices, at most some thousands in one go
 *
 * Return: 0 if all were read, 1 if more may wait, -ENOBUFS if some were lost (later ones still
 * come), or another negative errno.
 */
int sock_diag_monitor_dispatch(struct sock_diag_monitor *deaths);
/** sock_diag_monitor_free() - stop listening; NULL is allowed */
void sock_diag_monitor_free(struct sock_diag_monitor *deaths);

#endif
