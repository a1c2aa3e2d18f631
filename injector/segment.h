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
	uint8_t ip[40]; /* without options and extension headers */
	uint16_t window;
	bool has_timestamps;
	uint32_t timestamp, timestamp_echo;
};

/* Takes the looks of a packet, whose first bytes, up to its data, are at @data. */
void segment_learn(struct segment_template *template, const uint8_t *data,
		   const struct packet *packet);

/* Writes a segment without data. Returns its length. */
size_t segment_control(const struct segment_template *template, uint8_t flags, uint32_t sequence,
		       uint32_t acknowledgment, uint8_t out[static SEGMENT_CONTROL_MAX]);

/*
 * Shortens a packet to its first @keep bytes of data and takes its FIN away. @data holds the packet
 * at least so far, and is changed in place. Returns the new length.
 */
size_t segment_trim(uint8_t *data, const struct packet *packet, uint32_t keep);

/*
 * Lowers the maximum segment size that a SYN or SYN-ACK announces, if it is higher. The packet is
 * changed in place. Returns whether it was.
 */
bool segment_lower_mss(uint8_t *data, size_t length, const struct packet *packet, uint16_t mss);

#endif
