/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the kernel about a TCP socket of the calling process's network namespace, by its addresses
 * and ports (NETLINK_SOCK_DIAG). The kernel uses a hash table: it takes some microseconds, however
 * many sockets there are (net/ipv4/inet_diag.c, inet_diag_dump_one_icsk).
 *
 * The table holds sockets from SYN-SENT on. A socket leaves it when its connection is reset or
 * refused, when connect(AF_UNSPEC) or shutdown() returns it to CLOSED, and when both sides have
 * closed. The program may still have it open then.
 */
#ifndef SYNFAULT_INJECTOR_SOCK_LOOKUP_H
#define SYNFAULT_INJECTOR_SOCK_LOOKUP_H

#include "injector/address.h"

struct sock_lookup;

/** sock_lookup_new() - open a lookup; return NULL if the kernel has no socket diagnostics */
struct sock_lookup *sock_lookup_new(void);
/** sock_lookup_free() - close it; NULL is allowed */
void sock_lookup_free(struct sock_lookup *lookup);

struct sock_found {
	uint64_t cookie; /* the kernel's number for the socket, never reused; more than 0 */
	uint64_t inode;  /* 0: no process has it open any more */
	uint8_t state;   /* TCP_ESTABLISHED, … (netinet/tcp.h) */
	/* Connected: bytes that it sent and that are not acknowledged, FIN included. */
	uint32_t unacked;
	/* Of its struct tcp_info; false: it has none. */
	bool has_counts;
	uint32_t retransmissions;
	uint64_t bytes_received, bytes_acked, bytes_sent;
	/*
	 * How long ago its last data came, in whole ticks of the kernel's clock (1 to 10 ms);
	 * negative: never, or unknown.
	 */
	int64_t since_receive_ns;
};

/**
 * sock_lookup_find() - find the socket of one end of a connection
 * @lookup: NULL is allowed
 * @local: the socket's own end
 * @remote: the end that it is connected, or connecting, to
 * @ret: the socket
 *
 * Return: 0; -ENOENT if the table has no such socket; another negative errno if the kernel can't
 * say
 * (-EOPNOTSUPP for a NULL @lookup).
 */
int sock_lookup_find(struct sock_lookup *lookup, const struct address *local,
		     const struct address *remote, struct sock_found *ret);

#endif
