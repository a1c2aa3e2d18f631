/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes TCP segments: segments without data that look as if the sender of an earlier packet had
 * sent them, and shortened copies of others. Pure: bytes in, bytes out, with checksums (RFC 1071).
 */
#ifndef SYNFAULT_INJECTOR_SEGMENT_H
#define SYNFAULT_INJECTOR_SEGMENT_H

#include "injector/packet.h"

/* IPv6 header, TCP header, timestamps with padding. */
#define SEGMENT_CONTROL_MAX (40 + 20 + 12)

/* What one side's packets look like: its latest IP header, window and timestamp. */
struct segment_template {
	bool known;
	struct address source, destination;
	uint8_t ip[40];  /* without options and extension headers */
	uint16_t window; /* as in the header of a packet without SYN */
	bool has_timestamps;
	uint32_t timestamp;
	int64_t at_ns; /* when its clock showed .timestamp */
};

/**
 * segment_learn() - update a template from a packet
 * @data: its headers at least
 * @at_ns: when it was sent
 */
void segment_learn(struct segment_template *template, const uint8_t *data,
		   const struct packet *packet, int64_t at_ns);

/**
 * segment_control() - make a segment without data, as Linux would send it
 * @sender: what its packets look like; counts the new packet
 * @receiver: what the other side's packets look like
 * @now_ns: when it is sent
 * @flags: with ACK, it is the next packet of the sender's socket; without, it comes from a kernel
 *         without such a socket (net/ipv4/tcp_ipv4.c, tcp_v4_send_reset): no window, no options
 * @sequence: its sequence number
 * @acknowledgment: its acknowledgment number
 * @out: the segment, from its IP header on
 *
 * Return: its length.
 */
size_t segment_control(struct segment_template *sender, const struct segment_template *receiver,
		       int64_t now_ns, uint8_t flags, uint32_t sequence, uint32_t acknowledgment,
		       uint8_t out[static SEGMENT_CONTROL_MAX]);

/**
 * segment_trim() - shorten a packet in place to its first @keep bytes of data, without FIN
 * @data: the packet, at least up to there
 *
 * Return: the new length.
 */
size_t segment_trim(uint8_t *data, const struct packet *packet, uint32_t keep);

/**
 * segment_lower_mss() - lower the maximum segment size that a SYN or SYN-ACK announces, in place,
 * if it is higher
 *
 * Return: whether it changed the packet.
 */
bool segment_lower_mss(uint8_t *data, size_t length, const struct packet *packet, uint16_t mss);

/**
 * segment_make_plain() - remove from a SYN what bypasses TCP's handshake
 * @data: the packet, at least up to its data; changed in place
 * @packet: its headers; updated
 *
 * Removes the data and the options of TCP Fast Open (RFC 7413) and Multipath TCP (RFC 8684), as
 * middleboxes do: the client sends the data again after the handshake, and falls back to plain TCP.
 *
 * Return: the new length; 0 if there was nothing to remove.
 */
size_t segment_make_plain(uint8_t *data, struct packet *packet);

#endif
