/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP segments of our own making: see segment.h. Header fields are those of RFC 791, 8200, 9293. */
#include "injector/segment.h"

#define IPV4_HEADER_SIZE 20
#define IPV6_HEADER_SIZE 40
#define TCP_HEADER_SIZE  20
#define TIMESTAMPS_SIZE  12

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
		   const struct packet *packet)
{
	*template = (struct segment_template){
		.known = true,
		.source = packet->source,
		.destination = packet->destination,
		.window = packet->window,
		.has_timestamps = packet->has_timestamps,
		.timestamp = packet->timestamp,
		.timestamp_echo = packet->timestamp_echo,
	};
	memcpy(template->ip, data, is_ipv4(data) ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE);
	if (is_ipv4(data))
		template->ip[0] = 0x45;
	else
		template->ip[6] = IPPROTO_TCP;
}

size_t segment_control(const struct segment_template *template, uint8_t flags, uint32_t sequence,
		       uint32_t acknowledgment, uint8_t out[static SEGMENT_CONTROL_MAX])
{
	size_t ip_length = is_ipv4(template->ip) ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE;
	size_t options = template->has_timestamps ? TIMESTAMPS_SIZE : 0;
	uint8_t *tcp = out + ip_length;

	memset(out, 0, SEGMENT_CONTROL_MAX);
	memcpy(out, template->ip, ip_length);
	write16(tcp, template->source.port);
	write16(tcp + 2, template->destination.port);
	write32(tcp + 4, sequence);
	write32(tcp + 8, flags & TCP_FLAG_ACK ? acknowledgment : 0);
	tcp[12] = (uint8_t)((TCP_HEADER_SIZE + options) / 4 << 4);
	tcp[13] = flags;
	write16(tcp + 14, flags & TCP_FLAG_ACK ? template->window : 0);
	if (options) {
		/* two NOPs, kind 8, length 10 */
		write32(tcp + 20, 0x0101080a);
		write32(tcp + 24, template->timestamp);
		write32(tcp + 28, template->timestamp_echo);
	}
	finish(out, ip_length, ip_length + TCP_HEADER_SIZE + options);
	return ip_length + TCP_HEADER_SIZE + options;
}

size_t segment_trim(uint8_t *data, const struct packet *packet, uint32_t keep)
{
	size_t length = packet->data_offset + keep;

	data[packet->tcp_offset + 13] &= (uint8_t)~TCP_FLAG_FIN;
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
