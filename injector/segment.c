/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes TCP segments: see segment.h. Header fields are those of RFC 791, 8200, 9293. */
#include "injector/segment.h"

#include "common/duration.h"

#define IPV4_HEADER_SIZE 20
#define IPV6_HEADER_SIZE 40
#define TCP_HEADER_SIZE  20
#define TIMESTAMPS_SIZE  12
#define TIMESTAMP_NS     NS_PER_MS /* the tick of Linux's timestamps (include/net/tcp.h, TCP_TS_HZ) */
#define ECN_BITS         0x03
/* TCP options (IANA, TCP parameters) */
#define OPTION_END           0
#define OPTION_NOP           1
#define OPTION_MULTIPATH     30
#define OPTION_FAST_OPEN     34
#define OPTION_EXPERIMENT    254
#define EXPERIMENT_FAST_OPEN 0xf989

static void write16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void write32(uint8_t *at, uint32_t value)
{
	write16(at, value >> 16);
	write16(at + 2, value & 0xffff);
}

static uint64_t sum(const uint8_t *data, size_t length, uint64_t start)
{
	uint64_t total = start;

	for (size_t i = 0; i + 1 < length; i += 2)
		total += (uint32_t)data[i] << 8 | data[i + 1];
	if (length % 2)
		total += (uint32_t)data[length - 1] << 8;
	return total;
}

static uint16_t folded(uint64_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

static bool is_ipv4(const uint8_t *packet)
{
	return packet[0] >> 4 == 4;
}

/* Sets the lengths and checksums of a packet whose TCP header is at @tcp_offset. */
static void finish(uint8_t *packet, size_t tcp_offset, size_t length)
{
	uint8_t *tcp = packet + tcp_offset;
	size_t tcp_length = length - tcp_offset;
	uint64_t pseudo = IPPROTO_TCP + tcp_length;

	if (is_ipv4(packet)) {
		write16(packet + 2, (uint32_t)length);
		write16(packet + 10, 0);
		write16(packet + 10, folded(sum(packet, (size_t)(packet[0] & 0x0f) * 4, 0)));
		pseudo = sum(packet + 12, 8, pseudo);
	} else {
		write16(packet + 4, (uint32_t)(length - IPV6_HEADER_SIZE));
		pseudo = sum(packet + 8, 32, pseudo);
	}
	write16(tcp + 16, 0);
	write16(tcp + 16, folded(sum(tcp, tcp_length, pseudo)));
}

void segment_learn(struct segment_template *template, const uint8_t *data,
		   const struct packet *packet, int64_t at_ns)
{
	*template = (struct segment_template){
		.known = true,
		.source = packet->source,
		.destination = packet->destination,
		.window = packet->window,
		.has_timestamps = packet->has_timestamps,
		.timestamp = packet->timestamp,
		.at_ns = at_ns,
	};
	/* A SYN-ACK's window is not scaled; later ones are, rounded up (net/ipv4/tcp_output.c). */
	if (packet_is_syn_ack(packet))
		template->window = (uint16_t)((packet->window + (1U << packet->window_shift) - 1) >>
					      packet->window_shift);
	memcpy(template->ip, data, is_ipv4(data) ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE);
	if (is_ipv4(data))
		template->ip[0] = 0x45;
	else
		template->ip[6] = IPPROTO_TCP;
}

/*
 * Sets the IP identification: the next number of its socket. A SYN-ACK has none, so the first
 * packet after it gets any number (net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock). A packet that does
 * not come from a socket has none, either.
 */
static void number(struct segment_template *sender, uint8_t *ip, bool of_socket, uint32_t sequence)
{
	uint32_t last = (uint32_t)ip[4] << 8 | ip[5];

	if (!is_ipv4(ip))
		return;
	if (of_socket) {
		write16(sender->ip + 4, last ? last + 1 : sequence | 1);
		memcpy(ip + 4, sender->ip + 4, 2);
	} else {
		write16(ip + 4, 0);
	}
}

/* Clears the ECN mark: packets without data have none (RFC 3168, 6.1.4, 6.1.6). */
static void clear_ecn(uint8_t *ip)
{
	if (is_ipv4(ip))
		ip[1] &= (uint8_t)~ECN_BITS;
	else
		ip[1] &= (uint8_t) ~(ECN_BITS << 4);
}

size_t segment_control(struct segment_template *sender, const struct segment_template *receiver,
		       int64_t now_ns, uint8_t flags, uint32_t sequence, uint32_t acknowledgment,
		       uint8_t out[static SEGMENT_CONTROL_MAX])
{
	size_t ip_length = is_ipv4(sender->ip) ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE;
	bool of_socket = flags & TCP_FLAG_ACK;
	size_t options = of_socket && sender->has_timestamps ? TIMESTAMPS_SIZE : 0;
	uint8_t *tcp = out + ip_length;

	memset(out, 0, SEGMENT_CONTROL_MAX);
	memcpy(out, sender->ip, ip_length);
	number(sender, out, of_socket, sequence);
	clear_ecn(out);
	write16(tcp, sender->source.port);
	write16(tcp + 2, sender->destination.port);
	write32(tcp + 4, sequence);
	write32(tcp + 8, of_socket ? acknowledgment : 0);
	tcp[12] = (uint8_t)((TCP_HEADER_SIZE + options) / 4 << 4);
	tcp[13] = flags;
	write16(tcp + 14, of_socket ? sender->window : 0);
	if (options) {
		int64_t ticks = (now_ns - sender->at_ns) / TIMESTAMP_NS;

		/* two NOPs, kind 8, length 10 */
		write32(tcp + 20, 0x0101080a);
		write32(tcp + 24, sender->timestamp + (uint32_t)MAX(ticks, INT64_C(0)));
		write32(tcp + 28, receiver->timestamp);
	}
	finish(out, ip_length, ip_length + TCP_HEADER_SIZE + options);
	return ip_length + TCP_HEADER_SIZE + options;
}

size_t segment_trim(uint8_t *data, const struct packet *packet, uint32_t keep)
{
	size_t length = packet->data_offset + keep;

	data[packet->tcp_offset + 13] &= (uint8_t)~TCP_FLAG_FIN;
	/* it is now the last data that was written (RFC 9293, 3.9.1.2) */
	if (keep > 0)
		data[packet->tcp_offset + 13] |= TCP_FLAG_PSH;
	finish(data, packet->tcp_offset, length);
	return length;
}

bool segment_lower_mss(uint8_t *data, size_t length, const struct packet *packet, uint16_t mss)
{
	size_t at = packet->tcp_offset + TCP_HEADER_SIZE;

	if (packet->mss <= mss || length != packet->data_offset + packet->payload_length)
		return false;
	while (at + 4 <= packet->data_offset && data[at] != 0) {
		if (data[at] == 1) {
			at++;
			continue;
		}
		if (data[at] == 2 && data[at + 1] == 4) {
			write16(data + at + 2, mss);
			finish(data, packet->tcp_offset, length);
			return true;
		}
		if (data[at + 1] < 2)
			return false;
		at += data[at + 1];
	}
	return false;
}

/* Returns whether the option at @option, of this length, bypasses the handshake. */
static bool is_special(const uint8_t *option, size_t length)
{
	return option[0] == OPTION_MULTIPATH || option[0] == OPTION_FAST_OPEN ||
	       (option[0] == OPTION_EXPERIMENT && length >= 4 &&
		(option[2] << 8 | option[3]) == EXPERIMENT_FAST_OPEN);
}

size_t segment_make_plain(uint8_t *data, struct packet *packet)
{
	size_t at = packet->tcp_offset + TCP_HEADER_SIZE;

	if (!packet->multipath && !packet->fast_open && packet->payload_length == 0)
		return 0;
	while (at + 1 < packet->data_offset && data[at] != OPTION_END) {
		size_t length = data[at] == OPTION_NOP ? 1 : data[at + 1];

		if (length == 0 || length > packet->data_offset - at)
			break;
		if (length > 1 && is_special(data + at, length))
			memset(data + at, OPTION_NOP, length);
		at += length;
	}
	packet->payload_length = 0;
	packet->multipath = packet->joins = packet->fast_open = false;
	finish(data, packet->tcp_offset, packet->data_offset);
	return packet->data_offset;
}
