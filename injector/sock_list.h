/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists the TCP sockets of the calling process's network namespace (NETLINK_SOCK_DIAG). To find one
 * of them by its addresses alone: sock_lookup.h.
 */
#ifndef SYNFAULT_INJECTOR_SOCK_LIST_H
#define SYNFAULT_INJECTOR_SOCK_LIST_H

#include "injector/address.h"

struct sock_entry {
	struct address local, remote;
	uint8_t state;  /* TCP_ESTABLISHED, … (netinet/tcp.h) */
	bool ipv6_only; /* LISTEN */
	uint32_t inode;
	uint32_t unread, unacknowledged; /* LISTEN: waiting to be accepted, the backlog */
	uint8_t timer;                   /* 1: the retransmission timer (net/ipv4/inet_diag.c) */
	uint32_t expires_ms, n_retransmissions;
};

typedef void (*sock_list_fn)(void *userdata, const struct sock_entry *entry);

/**
 * sock_list() - hand over all TCP sockets, of both families
 * @states: a bit for each state that is wanted, 1 << TCP_LISTEN
 * @port: of their own end; 0: any
 *
 * Return: 0 or a negative errno. Sockets that come or go during the call may be missing.
 */
int sock_list(uint32_t states, uint16_t port, sock_list_fn take, void *userdata);

struct mnl_socket;
/**
 * sock_list_one() - hand over the socket that would get a packet with these addresses
 * @socket: of NETLINK_SOCK_DIAG
 * @local: the socket's own end
 * @remote: if it has only a family: look for a listening socket
 *
 * Return: 0, -ENOENT when there is none, or another negative errno.
 */
int sock_list_one(struct mnl_socket *socket, const struct address *local,
		  const struct address *remote, sock_list_fn take, void *userdata);

#endif
