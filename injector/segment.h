/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes TCP segments: ones without data that look as if the sender of an earlier packet had sent
 * them, and shorter ones out of longer ones. Pure: bytes in, bytes out, checksums (RFC 1071)
 * included.
 */
#ifndef SYNFAULT_INJECTOR_SEGMENT_H
#define SYNFAULT_INJECTOR_SEGMENT_H

#include "injector/packet.h"

/* IPv6 header, TCP header, timestamps with padding. */
#define SEGMENT_CONTROL_MAX (40 + 20 + 12)

/* How one side's packets look: its latest IP header, and what it last said of itself. */
struct segment_template {
	bool known;
	struct address source, destination;
	uint8_t ip[40];  /* without options and extension headers */
	uint16_t window; /* as in the header of a packet without SYN */
	bool has_timestamps;
	uint32_t timestamp;
	int64_t at_ns; /* when that was its clock */
};

/* Takes the looks of a packet of time @at_ns, whose first bytes, up to its data, are at @data. */
void segment_learn(struct segment_template *template, const uint8_t *data,
		   const struct packet *packet, int64_t at_ns);

/*
 * Writes a segment without data from the sender to the receiver, as Linux would send it at @now_ns.
 * One with ACK is of the sender's socket: the next of its packets. One without is of a kernel that
 * knows no such socket (net/ipv4/tcp_ipv4.c, tcp_v4_send_reset): no window, no options. Returns its
 * length.
 */
size_t segment_control(struct segment_template *sender, const struct segment_template *receiver,
		       int64_t now_ns, uint8_t flags, uint32_t sequence, uint32_t acknowledgment,
		       uint8_t out[static SEGMENT_CONTROL_MAX]);

/*
 * Shortens a packet to its first @keep bytes of data, which become the last there are, without FIN.
 * @data holds the packet at least so far, and is changed in place. Returns the new length.
 */
size_t segment_trim(uint8_t *data, const struct packet *packet, uint32_t keep);

/*
 * Lowers the maximum segment size that a SYN or SYN-ACK announces, if it is higher. The packet is
 * changed in place. Returns whether it was.
 */
bool segment_lower_mss(uint8_t *data, size_t length, const struct packet *packet, uint16_t mss);

/**
 * segment_make_plain() - take out of a SYN what leads past TCP's handshake
 * @data: the packet up to its data at least; changed in place
 * @packet: updated
 *
 * Removes the data and the options of TCP Fast Open (RFC 7413) and Multipath TCP (RFC 8684), as
 * middleboxes do: the client sends the data again after the handshake, and falls back to plain TCP.
 *
 * Return: the new length; 0 when there was nothing to remove.
 */
size_t segment_make_plain(uint8_t *data, struct packet *packet);

#endif
