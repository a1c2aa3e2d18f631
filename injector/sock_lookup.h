/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the kernel about one TCP socket of the calling process's network namespace, by its addresses
 * and ports (NETLINK_SOCK_DIAG). The kernel looks into a hash table: some microseconds, whatever
 * its size (net/ipv4/inet_diag.c, inet_diag_dump_one_icsk).
 *
 * The table holds sockets from SYN-SENT on. A socket leaves it when its connection is reset or
 * refused, when connect(AF_UNSPEC) or shutdown() takes it back to CLOSED, and when both sides have
 * closed; the program may still have it open then.
 */
#ifndef SYNFAULT_INJECTOR_SOCK_LOOKUP_H
#define SYNFAULT_INJECTOR_SOCK_LOOKUP_H

#include "injector/address.h"

struct sock_lookup;

/* Returns NULL where the kernel has no socket diagnostics. Free it with sock_lookup_free(). */
struct sock_lookup *sock_lookup_new(void);
void sock_lookup_free(struct sock_lookup *lookup);

struct sock_found {
	uint64_t cookie; /* the kernel's number for the socket, never used again; more than 0 */
	uint64_t inode;  /* 0: no process has it open any more */
	uint8_t state;   /* TCP_ESTABLISHED, … (netinet/tcp.h) */
	/* Its struct tcp_info, as far as it has one. */
	bool has_counts;
	uint32_t retransmissions;
	uint64_t bytes_received, bytes_acked, bytes_sent;
	/*
	 * How long ago its last data came, in whole ticks of the kernel's clock (1 to 10 ms); less
	 * than 0: never, or not known.
	 */
	int64_t since_receive_ns;
};

/**
 * sock_lookup_find() - find the socket of one end of a connection
 * @lookup: NULL is allowed
 * @local: the socket's own end
 * @remote: the end that it is connected, or connecting, to
 *
 * Return: 0 and writes @ret; -ENOENT when the table has no such socket; another negative errno when
 * the kernel can't say (-EOPNOTSUPP for a NULL @lookup).
 */
int sock_lookup_find(struct sock_lookup *lookup, const struct address *local,
		     const struct address *remote, struct sock_found *ret);

#endif
