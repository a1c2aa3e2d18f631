/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads IP and TCP headers: see packet.h. Each function removes one header from a cursor, which has
 * two lengths: how many bytes the packet has left by its IP header, and how many of these were
 * copied to us. Nothing is read beyond the second, and nothing is valid beyond the first. Fields
 * are read byte by byte, since packets are not aligned.
 */
#include "injector/packet.h"

#define IPV4_HEADER_SIZE     20
#define IPV6_HEADER_SIZE     40
#define IPV6_FRAGMENT_SIZE   8
#define IPV6_EXTENSION_UNIT  8
#define IPV6_MAX_EXTENSIONS  16
#define TCP_HEADER_SIZE      20
#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV6_FRAGMENT_OFFSET 0xfff8

/* TCP options (IANA, TCP parameters). */
enum tcp_option {
	TCP_OPTION_END = 0,
	TCP_OPTION_NOP = 1,
	TCP_OPTION_MSS = 2,
	TCP_OPTION_WINDOW_SCALE = 3,
	TCP_OPTION_TIMESTAMPS = 8,
	TCP_OPTION_MULTIPATH = 30,
	TCP_OPTION_FAST_OPEN = 34,
	TCP_OPTION_EXPERIMENT = 254, /* RFC 6994: a magic number says which experiment */
};
#define TCP_EXPERIMENT_FAST_OPEN 0xf989
#define MULTIPATH_JOIN           1  /* RFC 8684, 3.2: the subtype */
#define TCP_MAX_WINDOW_SHIFT     14 /* RFC 7323, 2.3 */

struct cursor {
	const uint8_t *data;
	size_t captured; /* bytes at @data */
	size_t length;   /* bytes of the packet; at least .captured */
};

static uint16_t read16(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

static uint32_t read32(const uint8_t *data)
{
	return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

static void advance(struct cursor *cursor, size_t bytes)
{
	cursor->data += bytes;
	cursor->captured -= bytes;
	cursor->length -= bytes;
}

/* Ends the packet @length bytes from here: captured bytes after that are padding. */
static void limit(struct cursor *cursor, size_t length)
{
	cursor->length = length;
	cursor->captured = MIN(cursor->captured, length);
}

static enum packet_error parse_ipv4(struct cursor *cursor, struct packet *packet)
{
	const uint8_t *header = cursor->data;
	size_t header_length, total_length;

	if (cursor->captured < IPV4_HEADER_SIZE)
		return PACKET_IPV4_TRUNCATED;
	header_length = (size_t)(header[0] & 0x0f) * 4;
	total_length = read16(header + 2);
	if (header_length < IPV4_HEADER_SIZE)
		return PACKET_IPV4_HEADER_LENGTH;
	if (total_length < header_length)
		return PACKET_IPV4_TOTAL_LENGTH;
	if (cursor->captured < header_length)
		return PACKET_IPV4_TRUNCATED;
	if (header[9] != IPPROTO_TCP)
		return PACKET_NOT_TCP;
	if (read16(header + 6) & IPV4_FRAGMENT_OFFSET)
		return PACKET_IPV4_FRAGMENT;

	packet->source.family = packet->destination.family = AF_INET;
	memcpy(packet->source.bytes, header + 12, 4);
	memcpy(packet->destination.bytes, header + 16, 4);
	limit(cursor, total_length);
	advance(cursor, header_length);
	return PACKET_OK;
}

/* Returns the length of an extension header with at least two bytes; 0 if it can't be skipped. */
static size_t extension_length(uint8_t kind, const uint8_t *header)
{
	switch (kind) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return ((size_t)header[1] + 1) * IPV6_EXTENSION_UNIT;
	case IPPROTO_FRAGMENT:
		return IPV6_FRAGMENT_SIZE;
	case IPPROTO_AH: /* RFC 4302, 2.2 */
		return ((size_t)header[1] + 2) * 4;
	default:
		return 0;
	}
}

static bool is_extension(uint8_t kind)
{
	return kind == IPPROTO_HOPOPTS || kind == IPPROTO_ROUTING || kind == IPPROTO_DSTOPTS ||
	       kind == IPPROTO_FRAGMENT || kind == IPPROTO_AH;
}

/* Skips the extension headers (RFC 8200, section 4) up to the TCP header. */
static enum packet_error skip_extensions(struct cursor *cursor, uint8_t kind)
{
	for (size_t n = 0; is_extension(kind); n++) {
		const uint8_t *header = cursor->data;
		size_t length;

		/* Hop-by-hop options may only come first (4.1). */
		if (n == IPV6_MAX_EXTENSIONS || (n > 0 && kind == IPPROTO_HOPOPTS))
			return PACKET_IPV6_EXTENSION;
		if (cursor->captured < 2)
			return cursor->length < 2 ? PACKET_IPV6_PAYLOAD_LENGTH
						  : PACKET_IPV6_EXTENSION;
		length = extension_length(kind, header);
		if (length > cursor->length)
			return PACKET_IPV6_PAYLOAD_LENGTH;
		if (length > cursor->captured)
			return PACKET_IPV6_EXTENSION;
		if (kind == IPPROTO_FRAGMENT && (read16(header + 2) & IPV6_FRAGMENT_OFFSET))
			return PACKET_IPV6_EXTENSION;
		kind = header[0];
		advance(cursor, length);
	}
	return kind == IPPROTO_TCP ? PACKET_OK : PACKET_NOT_TCP;
}

static enum packet_error parse_ipv6(struct cursor *cursor, struct packet *packet)
{
	const uint8_t *header = cursor->data;
	size_t payload_length;

	if (cursor->captured < IPV6_HEADER_SIZE)
		return PACKET_IPV6_TRUNCATED;
	payload_length = read16(header + 4);
	/* 0 means a jumbogram (RFC 2675) or no payload, and a SYN is neither. */
	if (payload_length == 0)
		return PACKET_IPV6_PAYLOAD_LENGTH;

	packet->source.family = packet->destination.family = AF_INET6;
	memcpy(packet->source.bytes, header + 8, 16);
	memcpy(packet->destination.bytes, header + 24, 16);
	limit(cursor, IPV6_HEADER_SIZE + payload_length);
	advance(cursor, IPV6_HEADER_SIZE);
	return skip_extensions(cursor, header[6]);
}

static void take_option(const uint8_t *option, size_t length, struct packet *packet)
{
	switch (option[0]) {
	case TCP_OPTION_MSS:
		if (length == 4)
			packet->mss = read16(option + 2);
		break;
	case TCP_OPTION_WINDOW_SCALE:
		if (length == 3)
			packet->window_shift = MIN(option[2], TCP_MAX_WINDOW_SHIFT);
		break;
	case TCP_OPTION_TIMESTAMPS:
		if (length == 10) {
			packet->has_timestamps = true;
			packet->timestamp = read32(option + 2);
			packet->timestamp_echo = read32(option + 6);
		}
		break;
	case TCP_OPTION_MULTIPATH:
		packet->multipath = true;
		packet->joins = length >= 3 && option[2] >> 4 == MULTIPATH_JOIN;
		break;
	case TCP_OPTION_FAST_OPEN:
		packet->fast_open = true;
		break;
	case TCP_OPTION_EXPERIMENT:
		if (length >= 4 && read16(option + 2) == TCP_EXPERIMENT_FAST_OPEN)
			packet->fast_open = true;
		break;
	}
}

static enum packet_error parse_options(const uint8_t *options, size_t size, struct packet *packet)
{
	size_t at = 0;

	while (at < size) {
		size_t length;

		if (options[at] == TCP_OPTION_END)
			return PACKET_OK;
		if (options[at] == TCP_OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= size)
			return PACKET_TCP_OPTION;
		length = options[at + 1];
		if (length < 2 || length > size - at)
			return PACKET_TCP_OPTION;
		take_option(options + at, length, packet);
		at += length;
	}
	return PACKET_OK;
}

static enum packet_error parse_tcp(const struct cursor *cursor, struct packet *packet)
{
	const uint8_t *header = cursor->data;
	size_t header_length;

	if (cursor->captured < TCP_HEADER_SIZE)
		return PACKET_TCP_TRUNCATED;
	header_length = (size_t)(header[12] >> 4) * 4;
	if (header_length < TCP_HEADER_SIZE || header_length > cursor->length)
		return PACKET_TCP_DATA_OFFSET;
	if (header_length > cursor->captured)
		return PACKET_TCP_TRUNCATED;

	packet->source.port = read16(header);
	packet->destination.port = read16(header + 2);
	packet->sequence = read32(header + 4);
	packet->acknowledgment = read32(header + 8);
	packet->flags = header[13];
	packet->window = read16(header + 14);
	packet->data_offset = packet->tcp_offset + (uint32_t)header_length;
	packet->payload_length = (uint32_t)(cursor->length - header_length);
	return parse_options(header + TCP_HEADER_SIZE, header_length - TCP_HEADER_SIZE, packet);
}

enum packet_error packet_parse(const void *data, size_t captured, struct packet *ret)
{
	struct cursor cursor = {.data = data, .captured = captured, .length = captured};
	struct packet packet = {0};
	enum packet_error error;

	if (captured == 0)
		return PACKET_EMPTY;
	switch (cursor.data[0] >> 4) {
	case 4:
		error = parse_ipv4(&cursor, &packet);
		break;
	case 6:
		error = parse_ipv6(&cursor, &packet);
		break;
	default:
		return PACKET_BAD_VERSION;
	}
	packet.tcp_offset = (uint32_t)(cursor.data - (const uint8_t *)data);
	if (error == PACKET_OK)
		error = parse_tcp(&cursor, &packet);
	if (error == PACKET_OK || error == PACKET_TCP_OPTION)
		*ret = packet;
	return error;
}

const char *packet_error_text(enum packet_error error)
{
	static const char *const texts[] = {
		[PACKET_OK] = "no error",
		[PACKET_EMPTY] = "empty packet",
		[PACKET_BAD_VERSION] = "neither IPv4 nor IPv6",
		[PACKET_IPV4_TRUNCATED] = "IPv4 header cut off",
		[PACKET_IPV4_HEADER_LENGTH] = "IPv4 header length below 20 bytes",
		[PACKET_IPV4_TOTAL_LENGTH] = "IPv4 total length below the header length",
		[PACKET_IPV4_FRAGMENT] = "IPv4 fragment other than the first",
		[PACKET_IPV6_TRUNCATED] = "IPv6 header cut off",
		[PACKET_IPV6_PAYLOAD_LENGTH] = "IPv6 payload length below its extension headers",
		[PACKET_IPV6_EXTENSION] = "IPv6 extension headers that can't be skipped",
		[PACKET_NOT_TCP] = "not TCP",
		[PACKET_TCP_TRUNCATED] = "TCP header cut off",
		[PACKET_TCP_DATA_OFFSET] = "TCP data offset outside the segment",
		[PACKET_TCP_OPTION] = "TCP option with a bad length",
	};
	_Static_assert(ARRAY_SIZE(texts) == PACKET_N_ERRORS, "one text per error");

	return texts[error];
}

bool packet_is_syn(const struct packet *packet)
{
	return (packet->flags & (TCP_FLAG_FIN | TCP_FLAG_SYN | TCP_FLAG_RST | TCP_FLAG_ACK)) ==
	       TCP_FLAG_SYN;
}

bool packet_is_syn_ack(const struct packet *packet)
{
	return (packet->flags & (TCP_FLAG_SYN | TCP_FLAG_RST | TCP_FLAG_ACK)) ==
	       (TCP_FLAG_SYN | TCP_FLAG_ACK);
}
