/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies packets for a capture file: all TCP packets, and ICMP errors, each once, no matter what
 * happens to it afterwards. No packet waits for it: the kernel logs them (NFLOG: the rules of
 * nflog_rules.h, delivered by nfnetlink_log). A few logged packets are read on the event loop. If
 * there are more, a thread takes over, so that the injector does not wait either.
 *
 * Why not a packet socket (AF_PACKET), as other capture programs use: it needs CAP_NET_RAW, and to
 * close it costs an RCU grace period (8 to 16 ms; net/packet/af_packet.c, packet_release).
 *
 * There are two logs. Packets that begin or end a connection, and ICMP errors, come at once and on
 * their own socket, so that bulk data can't crowd them out. All others come in bundles.
 */
#ifndef SYNFAULT_INJECTOR_NFLOG_H
#define SYNFAULT_INJECTOR_NFLOG_H

#include "injector/nflog_rules.h"

struct nflog_packet {
	uint32_t interface; /* index of the interface by which it came in or went out */
	bool control;       /* begins or ends a connection, or is an ICMP error */
	int64_t at_ns;      /* CLOCK_REALTIME; the kernel gives microseconds */
	uint32_t order;     /* sequence number of the logged packet; may wrap */
	bool read_late;   /* at_ns is when it was read: the kernel does not time outgoing packets */
	const void *data; /* from the IP header on */
	uint32_t captured; /* bytes at @data */
	uint32_t length;   /* bytes of the packet */
};

struct nflog;

/**
 * nflog_new() - start capturing
 * @config: what to capture; copied
 * @ret_reason: why it is impossible here: one sentence for the user, owned by the caller
 * @ret: the capture; end it with nflog_end()
 *
 * Return: 0, and every packet from now on is captured; or a negative errno with *@ret_reason.
 */
int nflog_new(const struct nflog_config *config, char **ret_reason, struct nflog **ret);

/**
 * nflog_end() - hand over everything that was logged, then end the capture and free it
 *
 * The rules stay, but their packets go nowhere.
 *
 * Return: how many packets were lost because they came in faster than they were read.
 */
uint64_t nflog_end(struct nflog *tap);

/**
 * nflog_probe() - test whether the kernel delivers logged packets to us: bind the group and
 * unbind it again
 *
 * Return: 0, -EBUSY if another process has the group, or another negative errno.
 */
int nflog_probe(uint16_t group);

#endif
