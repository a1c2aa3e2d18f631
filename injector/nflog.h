/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of TCP packets, for a capture file: whole flows, and ICMP, each packet once, whatever
 * becomes of it afterwards. Nothing of it holds up the packets: the kernel logs them (NFLOG: rules
 * of nflog_rules.h, taken up by nfnetlink_log). What it logs is read on the event loop while it is
 * a few packets; a thread of its own takes over when it is more, so that the injector isn't held up
 * either.
 *
 * Not a packet socket (AF_PACKET), as other programs that capture use: that needs CAP_NET_RAW, and
 * its end costs an RCU grace period (8 to 16 ms; net/packet/af_packet.c, packet_release).
 *
 * There are two logs. Packets that begin or end a connection, and ICMP errors, come at once and on
 * a socket of their own, so that no bulk of data makes them be lost; all others come in bundles.
 */
#ifndef SYNFAULT_INJECTOR_NFLOG_H
#define SYNFAULT_INJECTOR_NFLOG_H

#include "injector/nflog_rules.h"

struct nflog_packet {
	uint32_t interface; /* index of the interface that it came in by, or went out by */
	bool control;       /* begins or ends a connection, or is an ICMP error */
	int64_t at_ns;      /* CLOCK_REALTIME; the kernel gives microseconds */
	uint32_t order;     /* 1 more for each packet that the kernel logged; may wrap */
	bool read_late;     /* at_ns is when it was read: the kernel gives no time on the way out */
	const void *data;   /* from the IP header on */
	uint32_t captured;  /* bytes at @data */
	uint32_t length;    /* bytes of the packet */
};

struct nflog;

/*
 * From when it returns 0 on, every packet is captured. Returns a negative errno with *@ret_reason
 * (one sentence for the user, who owns it) when that can't be had here.
 */
int nflog_new(const struct nflog_config *config, char **ret_reason, struct nflog **ret);

/*
 * Ends it, when all that was logged has been handed over. Returns how many packets were lost: they
 * came in faster than they were read. Frees the tap. The rules stay, with nobody to log to.
 */
uint64_t nflog_end(struct nflog *tap);

/*
 * Whether the kernel hands logged packets over to us: takes the group and leaves it again. Returns
 * 0, -EBUSY when somebody has the group, or another negative errno.
 */
int nflog_probe(uint16_t group);

#endif
