/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel counts in a network namespace: packets that were sent, and sockets. When none of
 * the counts has changed, nothing can have got under way since: a packet is counted before its
 * sender goes on (drivers/net/loopback.c, loopback_xmit()), and a socket that is closed is no
 * longer in use (net/socket.c, socket_seq_show(); net/ipv4/proc.c).
 */
#ifndef SYNFAULT_RUNNER_CLOCK_NET_COUNTS_H
#define SYNFAULT_RUNNER_CLOCK_NET_COUNTS_H

#include "common/util.h"

struct net_counts {
	uint64_t sent;    /* packets, by all devices */
	uint64_t sockets; /* of all families */
	uint64_t tcp, tcp_waiting, udp, tcp6, udp6;
};

/** net_counts_add_devices() - add what /proc/net/dev says; return false if it is another format */
bool net_counts_add_devices(struct net_counts *counts, const char *text);
/** net_counts_add_sockets() - add what /proc/net/sockstat or sockstat6 says */
void net_counts_add_sockets(struct net_counts *counts, const char *text);
bool net_counts_are_same(const struct net_counts *a, const struct net_counts *b);

/* The files, which stay open. */
struct net_count_files {
	int devices_fd, sockets_fd, sockets6_fd; /* the last one is -1 without IPv6 */
};

/** net_count_files_open() - open them in the caller's network namespace; return 0 or -errno */
int net_count_files_open(struct net_count_files *ret);
void net_count_files_close(struct net_count_files *files);
/** net_counts_read() - read all counts; return false if that is impossible */
bool net_counts_read(const struct net_count_files *files, struct net_counts *ret);

#endif
