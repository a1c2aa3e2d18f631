/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches the packets between this host and a few addresses, on all interfaces, without touching
 * them: TCP to and from them, and ICMP errors that quote such a packet. Needs CAP_NET_RAW.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_PACKET_WATCH_H
#define SYNFAULT_RUNNER_DIAGNOSE_PACKET_WATCH_H

#include "injector/packet.h"

struct seen_packet {
	int64_t at_ns; /* CLOCK_REALTIME, stamped by the kernel */
	bool is_icmp;  /* an error that quotes a packet from client to server */
	struct address source, destination; /* of TCP; of ICMP those of the quoted packet */
	struct address from;                /* the sender: of ICMP who reports */
	uint8_t ttl;                        /* or hop limit, as it arrived */
	uint8_t flags;                      /* TCP: enum tcp_flag */
	uint16_t window;                    /* TCP: as in the header */
	uint8_t icmp_type, icmp_code;
};

struct packet_watch;

/**
 * packet_watch_open() - begin to watch
 * @ret: written on success; free it with packet_watch_free()
 *
 * Return: 0, -EPERM without CAP_NET_RAW, or another negative errno.
 */
int packet_watch_open(struct packet_watch **ret);
void packet_watch_free(struct packet_watch *watch);
int packet_watch_fd(const struct packet_watch *watch);

/* Reads what has come until now. Packets of others are passed over. */
void packet_watch_read(struct packet_watch *watch);

/* What was seen so far, in its order; borrowed, valid until the next read. */
const struct seen_packet *packet_watch_seen(const struct packet_watch *watch, size_t *ret_n);

/**
 * packet_watch_parse() - read a packet from its IP header on
 *
 * Pure; for tests and fuzzing, too. Return: whether it is TCP or an ICMP error about TCP.
 */
bool packet_watch_parse(const uint8_t *data, size_t length, struct seen_packet *ret);

#endif
