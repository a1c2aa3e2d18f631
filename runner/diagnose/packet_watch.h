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
	struct address source, destination; /* of TCP, or of what the ICMP error quotes */
	struct address from;                /* the sender; of an ICMP error the host that reports */
	uint8_t ttl;                        /* or hop limit, as it arrived */
	uint8_t flags;                      /* TCP: enum tcp_flag */
	uint16_t window;                    /* TCP: as in the header */
	uint8_t icmp_type, icmp_code;
	uint32_t interface;        /* index: a packet is seen on each device that it passes */
	uint8_t *data;             /* from the IP header on; NULL: not kept */
	uint32_t captured, length; /* bytes at @data, and of the packet */
};

struct packet_watch;

/* How much of a packet is looked at, and kept. */
#define PACKET_WATCH_SNAP_LENGTH 256

/**
 * packet_watch_open() - begin to watch
 * @keep: keep the first bytes of each packet, too
 * @ret: on success; free it with packet_watch_free()
 *
 * Return: 0, -EPERM without CAP_NET_RAW, or another negative errno.
 */
int packet_watch_open(bool keep, struct packet_watch **ret);
void packet_watch_free(struct packet_watch *watch);
/** packet_watch_fd() - return the descriptor to poll for input */
int packet_watch_fd(const struct packet_watch *watch);

/** packet_watch_read() - read what has come so far; ignore packets of other traffic */
void packet_watch_read(struct packet_watch *watch);

/**
 * packet_watch_seen() - return what was seen, in its order
 *
 * Return: borrowed, valid until the next read; its data may be taken.
 */
struct seen_packet *packet_watch_seen(struct packet_watch *watch, size_t *ret_n);

/**
 * packet_watch_parse() - parse a packet that starts at its IP header; pure, also for fuzzing
 *
 * Return: false if it is neither TCP nor an ICMP error about TCP.
 */
bool packet_watch_parse(const uint8_t *data, size_t length, struct seen_packet *ret);

#endif
