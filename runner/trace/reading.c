/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what became of an attempt from its packets: see reading.h. */
#include "runner/trace/reading.h"

#include "common/text.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

/* An ICMP error has this header before the packet that it quotes (RFC 792, RFC 4443). */
#define ICMP_HEADER_SIZE 8

const char *reading_kind_text(enum reading_kind kind)
{
	static const char *const texts[] = {
		[READING_NO_ANSWER] = "no answer",
		[READING_REFUSED] = "refused by RST",
		[READING_ICMP_ERROR] = "ICMP error",
		[READING_UNFINISHED] = "SYN-ACK never answered",
		[READING_TOO_LATE] = "SYN-ACK too late: the client had given up",
		[READING_COMPLETED] = "completed",
		[READING_RESET] = "reset after SYN-ACK",
	};
	_Static_assert(ARRAY_SIZE(texts) == READING_N_KINDS, "one text per kind");

	return texts[kind];
}

/* ---- packets ---- */

static uint32_t read32(const uint8_t *data)
{
	return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

/* Parses the quote: the IP header and at least eight bytes of TCP (ports, sequence number). */
static bool parse_quote(const uint8_t *data, size_t length, struct packet *ret)
{
	struct packet packet = {0};
	size_t header;

	if (length >= 20 && data[0] >> 4 == 4 && data[9] == IPPROTO_TCP) {
		header = (size_t)(data[0] & 0x0f) * 4;
		packet.source.family = packet.destination.family = AF_INET;
		memcpy(packet.source.bytes, data + 12, 4);
		memcpy(packet.destination.bytes, data + 16, 4);
	} else if (length >= 40 && data[0] >> 4 == 6 && data[6] == IPPROTO_TCP) {
		header = 40;
		packet.source.family = packet.destination.family = AF_INET6;
		memcpy(packet.source.bytes, data + 8, 16);
		memcpy(packet.destination.bytes, data + 24, 16);
	} else {
		return false;
	}
	if (length < header + 8)
		return false;
	packet.source.port = (uint16_t)(data[header] << 8 | data[header + 1]);
	packet.destination.port = (uint16_t)(data[header + 2] << 8 | data[header + 3]);
	packet.sequence = read32(data + header + 4);
	*ret = packet;
	return true;
}

static bool is_error_type(bool ipv6, uint8_t type)
{
	if (ipv6)
		return type >= ICMP6_DST_UNREACH && type <= ICMP6_PARAM_PROB;
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

bool segment_parse(const void *data, size_t captured, struct segment *ret)
{
	const uint8_t *bytes = data;
	struct segment segment = {.kind = SEGMENT_TCP};
	enum packet_error error = packet_parse(data, captured, &segment.tcp);
	bool ipv6;
	size_t header;

	if (error == PACKET_OK || error == PACKET_TCP_OPTION) {
		*ret = segment;
		return true;
	}
	if (error != PACKET_NOT_TCP)
		return false;
	ipv6 = bytes[0] >> 4 == 6;
	header = ipv6 ? 40 : (bytes[0] & 0x0fU) * 4;
	if (bytes[ipv6 ? 6 : 9] != (ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) ||
	    captured < header + ICMP_HEADER_SIZE || !is_error_type(ipv6, bytes[header]))
		return false;
	segment.kind = SEGMENT_ICMP_ERROR;
	segment.icmp_type = bytes[header];
	segment.icmp_code = bytes[header + 1];
	if (!parse_quote(bytes + header + ICMP_HEADER_SIZE, captured - header - ICMP_HEADER_SIZE,
			 &segment.tcp))
		return false;
	*ret = segment;
	return true;
}

/* ---- reading ---- */

void reader_begin(struct reader *reader, const struct attempt_key *key)
{
	*reader = (struct reader){.key = *key};
}

/* Counts data up to the end of a segment, starting at the initial sequence number. */
static void count_bytes(uint64_t *bytes, uint32_t isn, const struct packet *packet)
{
	uint32_t end = packet->sequence + packet->payload_length - isn - 1;

	/* Sequence numbers wrap every 4 GiB: take the nearest value. */
	if (packet->payload_length && (int32_t)(end - (uint32_t)*bytes) > 0)
		*bytes += (uint32_t)(end - (uint32_t)*bytes);
}

static void take_from_client(struct reader *reader, const struct packet *packet)
{
	struct reading *reading = &reader->reading;

	if (packet->flags & TCP_FLAG_SYN) {
		reading->syns += packet->sequence == reader->key.isn;
		reader->syn_bytes = packet->payload_length;
		return;
	}
	if (packet->flags & TCP_FLAG_RST) {
		if (reading->syn_acks && !reader->acknowledged)
			reading->kind = READING_TOO_LATE;
		reading->client_rst = reading->client_rst || reader->acknowledged;
		return;
	}
	if (!(packet->flags & TCP_FLAG_ACK) || !reading->syn_acks)
		return;
	reader->acknowledged = true;
	if (reading->kind == READING_UNFINISHED)
		reading->kind = READING_COMPLETED;
	reading->client_fin = reading->client_fin || packet->flags & TCP_FLAG_FIN;
	count_bytes(&reading->client_bytes, reader->key.isn, packet);
}

/* Counts data that came with the SYN (Fast Open) as far as the SYN-ACK acknowledges it. */
static void take_syn_data(struct reader *reader, const struct packet *syn_ack)
{
	uint32_t accepted = syn_ack->acknowledgment - reader->key.isn - 1;

	if (accepted <= reader->syn_bytes)
		reader->reading.client_bytes = MAX(reader->reading.client_bytes, accepted);
}

static void take_from_server(struct reader *reader, const struct packet *packet)
{
	struct reading *reading = &reader->reading;

	if (packet_is_syn_ack(packet)) {
		take_syn_data(reader, packet);
		reading->syn_acks++;
		reader->server_isn = packet->sequence;
		if (reading->kind == READING_NO_ANSWER)
			reading->kind = READING_UNFINISHED;
		return;
	}
	if (packet->flags & TCP_FLAG_RST) {
		/* An RST in answer to a SYN must acknowledge it (RFC 9293, 3.10.7.3). */
		if (!reading->syn_acks && packet->flags & TCP_FLAG_ACK &&
		    packet->acknowledgment != reader->key.isn)
			reading->kind = READING_REFUSED;
		else if (reading->syn_acks && !reading->server_fin && !reading->client_rst)
			reading->kind = READING_RESET;
		return;
	}
	reading->server_fin = reading->server_fin || packet->flags & TCP_FLAG_FIN;
	if (reading->syn_acks)
		count_bytes(&reading->server_bytes, reader->server_isn, packet);
}

void reader_take(struct reader *reader, const struct segment *segment)
{
	struct reading *reading = &reader->reading;

	if (segment->kind == SEGMENT_ICMP_ERROR) {
		if (reading->kind != READING_NO_ANSWER)
			return;
		reading->kind = READING_ICMP_ERROR;
		reading->family = segment->tcp.source.family;
		reading->icmp_type = segment->icmp_type;
		reading->icmp_code = segment->icmp_code;
	} else if (address_equal(&segment->tcp.source, &reader->key.client)) {
		take_from_client(reader, &segment->tcp);
	} else {
		take_from_server(reader, &segment->tcp);
	}
}

/* ---- in words ---- */

static const char *unreachable_text(uint16_t family, uint8_t code)
{
	static const char *const ipv4[] = {
		[ICMP_NET_UNREACH] = "net unreachable",
		[ICMP_HOST_UNREACH] = "host unreachable",
		[ICMP_PROT_UNREACH] = "protocol unreachable",
		[ICMP_PORT_UNREACH] = "port unreachable",
		[ICMP_NET_ANO] = "net prohibited",
		[ICMP_HOST_ANO] = "host prohibited",
		[ICMP_PKT_FILTERED] = "administratively prohibited",
	};
	static const char *const ipv6[] = {
		[ICMP6_DST_UNREACH_NOROUTE] = "no route",
		[ICMP6_DST_UNREACH_ADMIN] = "administratively prohibited",
		[ICMP6_DST_UNREACH_BEYONDSCOPE] = "beyond scope",
		[ICMP6_DST_UNREACH_ADDR] = "address unreachable",
		[ICMP6_DST_UNREACH_NOPORT] = "port unreachable",
	};

	if (family == AF_INET)
		return code < ARRAY_SIZE(ipv4) ? ipv4[code] : NULL;
	return code < ARRAY_SIZE(ipv6) ? ipv6[code] : NULL;
}

void reading_format(const struct reading *reading, struct strbuf *out)
{
	bool unreachable = reading->icmp_type ==
			   (reading->family == AF_INET ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH);
	const char *text =
		unreachable ? unreachable_text(reading->family, reading->icmp_code) : NULL;

	strbuf_puts(out, reading_kind_text(reading->kind));
	if (reading->kind == READING_ICMP_ERROR && text)
		strbuf_printf(out, " (%s)", text);
	else if (reading->kind == READING_ICMP_ERROR)
		strbuf_printf(out, " (type %u, code %u)", reading->icmp_type, reading->icmp_code);
	if (reading->kind < READING_COMPLETED)
		return;
	strbuf_printf(out, ", %llu byte%s from the client, %llu from the server",
		      (unsigned long long)reading->client_bytes, PLURAL(reading->client_bytes),
		      (unsigned long long)reading->server_bytes);
	if (reading->kind == READING_COMPLETED && reading->client_rst)
		strbuf_puts(out, ", reset by the client");
	else if (reading->kind == READING_COMPLETED && !reading->client_fin && !reading->server_fin)
		strbuf_puts(out, ", not closed");
}
