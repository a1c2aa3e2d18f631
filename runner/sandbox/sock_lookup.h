/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One TCP socket of the calling process's network namespace, asked for by its addresses and ports
 * (NETLINK_SOCK_DIAG): a look into the kernel's hash table, some microseconds whatever its size.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SOCK_LOOKUP_H
#define SYNFAULT_RUNNER_SANDBOX_SOCK_LOOKUP_H

#include "injector/address.h"

struct sock_lookup;

/* Returns NULL where the kernel has no socket diagnostics. Free it with sock_lookup_free(). */
struct sock_lookup *sock_lookup_new(void);
void sock_lookup_free(struct sock_lookup *lookup);

struct sock_found {
	uint64_t inode; /* 0: no process has it any more */
	uint8_t state;  /* TCP_ESTABLISHED, … (netinet/tcp.h) */
	/* What is known of a socket's death, too: its counts until now. */
	bool has_counts;
	uint32_t retransmissions;
	uint64_t bytes_received, bytes_acked, bytes_sent;
};
/*
 * The socket whose own end is @local, connected (or connecting) to @remote. Returns false when
 * there is none, and when the kernel does not answer. @lookup may be NULL: then nothing is found.
 */
bool sock_lookup_find(struct sock_lookup *lookup, const struct address *local,
		      const struct address *remote, struct sock_found *ret);

#endif
