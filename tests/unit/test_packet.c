/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the packet parser. Small builders put packets together from headers; then one thing is
 * made wrong. Each is parsed from a buffer of exactly its length, so that a sanitizer sees every
 * byte read too many.
 */
#include <criterion/criterion.h>

#include "injector/packet.h"

TestSuite(packet);

/* A packet under construction. */
struct bytes {
	uint8_t data[512];
	size_t length;
};

static void put(struct bytes *bytes, const void *data, size_t length)
{
	cr_assert_leq(bytes->length + length, sizeof(bytes->data));
	memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

static void put16(struct bytes *bytes, size_t offset, size_t value)
{
	bytes->data[offset] = (uint8_t)(value >> 8);
	bytes->data[offset + 1] = (uint8_t)value;
}

/* 192.0.2.1 to 198.51.100.2; @options_length a multiple of 4. Total length is set by finish(). */
static void put_ipv4(struct bytes *bytes, size_t options_length)
{
	const uint8_t header[20] = {
		[0] = (uint8_t)(0x45 + options_length / 4),
		[8] = 64,
		[9] = IPPROTO_TCP,
		[12] = 192,
		0,
		2,
		1,
		198,
		51,
		100,
		2,
	};
	static const uint8_t options[40] = {1, 1, 1, 1};

	put(bytes, header, sizeof(header));
	put(bytes, options, options_length);
}

/* 2001:db8::1 to 2001:db8::2 */
static void put_ipv6(struct bytes *bytes, uint8_t next)
{
	const uint8_t header[40] = {
		[0] = 0x60, [6] = next,  [7] = 64, [8] = 0x20, 0x01, 0x0d,     0xb8,
		[23] = 1,   [24] = 0x20, 0x01,     0x0d,       0xb8, [39] = 2,
	};

	put(bytes, header, sizeof(header));
}

/* An extension header of 8 * (@units + 1) bytes. */
static void put_extension(struct bytes *bytes, uint8_t next, uint8_t units)
{
	uint8_t header[8 * 8] = {next, units};

	put(bytes, header, 8U * (units + 1U));
}

/* Port 40000 to 8080, sequence number 0x01020304, acknowledgment 0x0a0b0c0d. */
static void put_tcp(struct bytes *bytes, uint8_t flags, const void *options, size_t options_length)
{
	const uint8_t header[20] = {
		0x9c,
		0x40,
		0x1f,
		0x90,
		1,
		2,
		3,
		4,
		10,
		11,
		12,
		13,
		(uint8_t)((5 + options_length / 4) << 4),
		flags,
		0xff,
		0xff,
	};

	put(bytes, header, sizeof(header));
	put(bytes, options, options_length);
}

/* Makes the IP header say how long the packet is. */
static void finish(struct bytes *bytes)
{
	if (bytes->data[0] >> 4 == 4)
		put16(bytes, 2, bytes->length);
	else
		put16(bytes, 4, bytes->length - 40);
}

static struct bytes ipv4_syn(void)
{
	struct bytes bytes = {0};

	put_ipv4(&bytes, 0);
	put_tcp(&bytes, TCP_FLAG_SYN, "", 0);
	finish(&bytes);
	return bytes;
}

static struct bytes ipv6_syn(void)
{
	struct bytes bytes = {0};

	put_ipv6(&bytes, IPPROTO_TCP);
	put_tcp(&bytes, TCP_FLAG_SYN, "", 0);
	finish(&bytes);
	return bytes;
}

static enum packet_error parse(const struct bytes *bytes, struct packet *ret)
{
	AUTO_FREE uint8_t *exact = xmemdup(bytes->data, bytes->length);

	return packet_parse(exact, bytes->length, ret);
}

static void assert_error(const struct bytes *bytes, enum packet_error expected, const char *name)
{
	struct packet packet, before;
	enum packet_error error;

	memset(&packet, 0x5a, sizeof(packet));
	before = packet;
	error = parse(bytes, &packet);
	cr_expect_eq(error, expected, "%s: \"%s\" instead of \"%s\"", name,
		     packet_error_text(error), packet_error_text(expected));
	if (expected != PACKET_OK && expected != PACKET_TCP_OPTION)
		cr_expect(!memcmp(&packet, &before, sizeof(packet)), "%s wrote its output", name);
}

static void assert_endpoints(const struct packet *packet, const char *source,
			     const char *destination)
{
	char buffer[ADDRESS_TEXT_SIZE];

	cr_expect_str_eq(address_format(&packet->source, buffer), source);
	cr_expect_str_eq(address_format(&packet->destination, buffer), destination);
}

Test(packet, reads_every_field_of_an_ipv4_syn)
{
	struct bytes bytes = ipv4_syn();
	struct packet packet;

	cr_assert_eq(parse(&bytes, &packet), PACKET_OK);
	assert_endpoints(&packet, "192.0.2.1:40000", "198.51.100.2:8080");
	cr_expect_eq(packet.sequence, 0x01020304);
	cr_expect_eq(packet.acknowledgment, 0x0a0b0c0d);
	cr_expect_eq(packet.flags, TCP_FLAG_SYN);
	cr_expect_eq(packet.payload_length, 0);
	cr_expect_eq(packet.mss, 0);
	cr_expect(!packet.fast_open && !packet.multipath);
}

Test(packet, reads_every_field_of_an_ipv6_syn)
{
	struct bytes bytes = ipv6_syn();
	struct packet packet;

	cr_assert_eq(parse(&bytes, &packet), PACKET_OK);
	assert_endpoints(&packet, "[2001:db8::1]:40000", "[2001:db8::2]:8080");
	cr_expect_eq(packet.sequence, 0x01020304);
	cr_expect_eq(packet.acknowledgment, 0x0a0b0c0d);
	cr_expect_eq(packet.flags, TCP_FLAG_SYN);
	cr_expect_eq(packet.payload_length, 0);
}

Test(packet, unused_address_bytes_are_zero)
{
	static const uint8_t zero[12];
	struct bytes bytes = ipv4_syn();
	struct packet packet;

	memset(&packet, 0xff, sizeof(packet));
	cr_assert_eq(parse(&bytes, &packet), PACKET_OK);
	cr_assert_arr_eq(packet.source.bytes + 4, zero, 12);
	cr_assert_arr_eq(packet.destination.bytes + 4, zero, 12);
}

Test(packet, skips_ipv4_options)
{
	for (size_t length = 0; length <= 40; length += 4) {
		struct bytes bytes = {0};
		struct packet packet;

		put_ipv4(&bytes, length);
		put_tcp(&bytes, TCP_FLAG_SYN, "", 0);
		finish(&bytes);
		cr_assert_eq(parse(&bytes, &packet), PACKET_OK, "%zu bytes", length);
		cr_assert_eq(packet.sequence, 0x01020304, "%zu bytes", length);
	}
}

Test(packet, skips_ipv6_extension_headers)
{
	static const struct {
		const char *name;
		uint8_t kinds[5]; /* in their order, ended by TCP */
		uint8_t units;
	} cases[] = {
		{"hop-by-hop", {IPPROTO_HOPOPTS, IPPROTO_TCP}, 0},
		{"routing", {IPPROTO_ROUTING, IPPROTO_TCP}, 2},
		{"destination options", {IPPROTO_DSTOPTS, IPPROTO_TCP}, 7},
		{"all in the usual order",
		 {IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_TCP},
		 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes bytes = {0};
		struct packet packet;
		size_t n = 0;

		put_ipv6(&bytes, cases[i].kinds[0]);
		while (cases[i].kinds[n] != IPPROTO_TCP)
			put_extension(&bytes, cases[i].kinds[++n], cases[i].units);
		put_tcp(&bytes, TCP_FLAG_SYN, "", 0);
		put(&bytes, "data", 4);
		finish(&bytes);
		cr_expect_eq(parse(&bytes, &packet), PACKET_OK, "%s", cases[i].name);
		cr_expect_eq(packet.sequence, 0x01020304, "%s", cases[i].name);
		cr_expect_eq(packet.payload_length, 4, "%s", cases[i].name);
	}
}

Test(packet, skips_an_authentication_header)
{
	static const uint8_t header[24] = {IPPROTO_TCP, 4}; /* (4 + 2) * 4 bytes */
	struct bytes bytes = {0};
	struct packet packet;

	put_ipv6(&bytes, IPPROTO_AH);
	put(&bytes, header, sizeof(header));
	put_tcp(&bytes, TCP_FLAG_SYN, "", 0);
	finish(&bytes);
	cr_assert_eq(parse(&bytes, &packet), PACKET_OK);
	cr_assert_eq(packet.sequence, 0x01020304);
}

Test(packet, takes_first_fragments)
{
	struct bytes bytes = ipv4_syn();
	struct bytes bytes6 = {0};

	bytes.data[6] = 0x20; /* more fragments, offset 0 */
	assert_error(&bytes, PACKET_OK, "IPv4");
	bytes.data[6] = 0x40; /* don't fragment */
	assert_error(&bytes, PACKET_OK, "IPv4, not fragmented");

	put_ipv6(&bytes6, IPPROTO_FRAGMENT);
	put(&bytes6, ((uint8_t[]){IPPROTO_TCP, 0, 0, 1, 0, 0, 0, 9}), 8);
	put_tcp(&bytes6, TCP_FLAG_SYN, "", 0);
	finish(&bytes6);
	assert_error(&bytes6, PACKET_OK, "IPv6");
	/* The length field of a fragment header is reserved: it may hold anything. */
	bytes6.data[41] = 0xff;
	assert_error(&bytes6, PACKET_OK, "IPv6, reserved field set");
}

Test(packet, reads_tcp_options)
{
	static const struct {
		const char *name;
		uint8_t options[40];
		size_t length;
		uint16_t mss;
		bool fast_open, multipath;
	} cases[] = {
		{"none", {0}, 0, 0, false, false},
		{"a usual SYN of Linux",
		 {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7},
		 20,
		 1460,
		 false,
		 false},
		{"MSS after padding", {1, 1, 1, 1, 2, 4, 0x40, 0}, 8, 0x4000, false, false},
		{"Fast Open asking for a cookie", {34, 2, 1, 1}, 4, 0, true, false},
		{"Fast Open with a cookie",
		 {34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1},
		 12,
		 0,
		 true,
		 false},
		{"Fast Open, experimental", {254, 4, 0xf9, 0x89}, 4, 0, true, false},
		{"another experiment", {254, 4, 0xe2, 0xd4}, 4, 0, false, false},
		{"experiment without a magic number", {254, 2, 1, 1}, 4, 0, false, false},
		{"Multipath", {30, 4, 1, 0x81, 2, 4, 5, 0xb4}, 8, 1460, false, true},
		{"data after the end is not read", {0, 0, 0, 0, 2, 4, 5, 0xb4}, 8, 0, false, false},
		{"MSS of a wrong length is ignored", {2, 3, 5, 1}, 4, 0, false, false},
		{"unknown option", {77, 6, 2, 4, 5, 0xb4, 1, 1}, 8, 0, false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes bytes = {0};
		struct packet packet;
		enum packet_error error;

		put_ipv4(&bytes, 0);
		put_tcp(&bytes, TCP_FLAG_SYN, cases[i].options, cases[i].length);
		finish(&bytes);
		error = parse(&bytes, &packet);
		cr_expect_eq(error, PACKET_OK, "%s: %s", cases[i].name, packet_error_text(error));
		cr_expect_eq(packet.mss, cases[i].mss, "%s: %u", cases[i].name, packet.mss);
		cr_expect_eq(packet.fast_open, cases[i].fast_open, "%s", cases[i].name);
		cr_expect_eq(packet.multipath, cases[i].multipath, "%s", cases[i].name);
	}
}

Test(packet, reports_bad_tcp_options_and_reads_the_rest)
{
	static const struct {
		const char *name;
		uint8_t options[8];
	} cases[] = {
		{"length 0", {2, 4, 5, 0xb4, 3, 0, 1, 1}},
		{"length 1", {2, 4, 5, 0xb4, 3, 1, 1, 1}},
		{"length beyond the header", {2, 4, 5, 0xb4, 3, 5, 1, 1}},
		{"length missing", {2, 4, 5, 0xb4, 1, 1, 1, 3}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes bytes = {0};
		struct packet packet;

		put_ipv4(&bytes, 0);
		put_tcp(&bytes, TCP_FLAG_SYN, cases[i].options, 8);
		finish(&bytes);
		cr_expect_eq(parse(&bytes, &packet), PACKET_TCP_OPTION, "%s", cases[i].name);
		assert_endpoints(&packet, "192.0.2.1:40000", "198.51.100.2:8080");
		cr_expect_eq(packet.sequence, 0x01020304, "%s", cases[i].name);
		cr_expect_eq(packet.mss, 1460, "%s", cases[i].name);
	}
}

Test(packet, counts_the_data_of_a_syn)
{
	struct bytes bytes = {0};
	struct packet packet;

	put_ipv4(&bytes, 8);
	put_tcp(&bytes, TCP_FLAG_SYN, "\x22\x02\x01\x01", 4);
	put(&bytes, "GET / HTTP/1.1", 14);
	finish(&bytes);
	cr_assert_eq(parse(&bytes, &packet), PACKET_OK);
	cr_assert_eq(packet.payload_length, 14);
}

Test(packet, data_that_was_not_captured_counts_too)
{
	struct bytes bytes = ipv4_syn();
	struct packet packet;

	put16(&bytes, 2, bytes.length + 1000);
	cr_assert_eq(parse(&bytes, &packet), PACKET_OK);
	cr_assert_eq(packet.payload_length, 1000);
}

Test(packet, bytes_after_the_packet_are_padding)
{
	struct bytes bytes = ipv4_syn();
	struct bytes bytes6 = ipv6_syn();
	struct packet packet;

	put(&bytes, "padding", 7);
	cr_assert_eq(parse(&bytes, &packet), PACKET_OK);
	cr_assert_eq(packet.payload_length, 0);
	put(&bytes6, "padding", 7);
	cr_assert_eq(parse(&bytes6, &packet), PACKET_OK);
	cr_assert_eq(packet.payload_length, 0);
}

Test(packet, rejects_an_empty_packet)
{
	assert_error(&(struct bytes){0}, PACKET_EMPTY, "no bytes");
}

Test(packet, rejects_other_ip_versions)
{
	for (unsigned version = 0; version < 16; version++) {
		struct bytes bytes = ipv4_syn();

		if (version == 4 || version == 6)
			continue;
		bytes.data[0] = (uint8_t)(version << 4 | 5);
		assert_error(&bytes, PACKET_BAD_VERSION, "version");
	}
}

Test(packet, rejects_every_truncation_with_the_header_that_is_cut)
{
	struct bytes whole[3] = {{.length = 0}, ipv6_syn(), {.length = 0}};
	static const struct {
		size_t end; /* lengths below it give the error */
		enum packet_error error;
	} parts[3][3] = {
		{{28, PACKET_IPV4_TRUNCATED}, {52, PACKET_TCP_TRUNCATED}},
		{{40, PACKET_IPV6_TRUNCATED}, {60, PACKET_TCP_TRUNCATED}},
		{{40, PACKET_IPV6_TRUNCATED},
		 {56, PACKET_IPV6_EXTENSION},
		 {76, PACKET_TCP_TRUNCATED}},
	};

	put_ipv4(&whole[0], 8);
	put_tcp(&whole[0], TCP_FLAG_SYN, "\2\4\5\xb4", 4);
	finish(&whole[0]);
	put_ipv6(&whole[2], IPPROTO_HOPOPTS);
	put_extension(&whole[2], IPPROTO_TCP, 1);
	put_tcp(&whole[2], TCP_FLAG_SYN, "", 0);
	finish(&whole[2]);

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		size_t part = 0;

		for (size_t length = 1; length < whole[i].length; length++) {
			struct bytes cut = whole[i];
			char name[64];

			while (length >= parts[i][part].end)
				part++;
			cut.length = length;
			snprintf(name, sizeof(name), "packet %zu, %zu bytes", i, length);
			assert_error(&cut, parts[i][part].error, name);
		}
		assert_error(&whole[i], PACKET_OK, "whole");
	}
}

Test(packet, rejects_ipv4_header_below_20_bytes)
{
	for (uint8_t words = 0; words < 5; words++) {
		struct bytes bytes = ipv4_syn();

		bytes.data[0] = (uint8_t)(0x40 | words);
		assert_error(&bytes, PACKET_IPV4_HEADER_LENGTH, "IHL");
	}
}

Test(packet, rejects_ipv4_total_length_below_its_header)
{
	static const size_t lengths[] = {0, 1, 19, 27};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct bytes bytes = {0};

		put_ipv4(&bytes, 8);
		put_tcp(&bytes, TCP_FLAG_SYN, "", 0);
		put16(&bytes, 2, lengths[i]);
		assert_error(&bytes, PACKET_IPV4_TOTAL_LENGTH, "total length");
	}
}

Test(packet, rejects_later_ipv4_fragments)
{
	static const size_t fields[] = {0x0001, 0x2001, 0x1fff, 0x1000};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		struct bytes bytes = ipv4_syn();

		put16(&bytes, 6, fields[i]);
		assert_error(&bytes, PACKET_IPV4_FRAGMENT, "fragment");
	}
}

Test(packet, rejects_other_protocols)
{
	static const uint8_t protocols[] = {IPPROTO_UDP,  IPPROTO_ICMP, IPPROTO_ESP,
					    IPPROTO_NONE, IPPROTO_SCTP, 255};

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		struct bytes bytes = ipv4_syn(), bytes6 = ipv6_syn();

		bytes.data[9] = protocols[i];
		assert_error(&bytes, PACKET_NOT_TCP, "IPv4");
		/* A later fragment of another protocol is reported as another protocol. */
		put16(&bytes, 6, 5);
		assert_error(&bytes, PACKET_NOT_TCP, "IPv4, fragment");
		bytes6.data[6] = protocols[i];
		assert_error(&bytes6, PACKET_NOT_TCP, "IPv6");
	}
}

Test(packet, rejects_other_protocols_after_extension_headers)
{
	struct bytes bytes = {0};

	put_ipv6(&bytes, IPPROTO_DSTOPTS);
	put_extension(&bytes, IPPROTO_UDP, 0);
	put_tcp(&bytes, TCP_FLAG_SYN, "", 0);
	finish(&bytes);
	assert_error(&bytes, PACKET_NOT_TCP, "UDP");
}

Test(packet, rejects_jumbograms)
{
	struct bytes bytes = ipv6_syn();

	put16(&bytes, 4, 0);
	assert_error(&bytes, PACKET_IPV6_PAYLOAD_LENGTH, "length 0");
}

Test(packet, rejects_ipv6_payload_shorter_than_its_extension_headers)
{
	static const size_t lengths[] = {1, 7, 15};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct bytes bytes = {0};

		put_ipv6(&bytes, IPPROTO_DSTOPTS);
		put_extension(&bytes, IPPROTO_TCP, 1);
		put_tcp(&bytes, TCP_FLAG_SYN, "", 0);
		put16(&bytes, 4, lengths[i]);
		assert_error(&bytes, PACKET_IPV6_PAYLOAD_LENGTH, "payload length");
	}
}

Test(packet, rejects_later_ipv6_fragments)
{
	struct bytes bytes = {0};

	put_ipv6(&bytes, IPPROTO_FRAGMENT);
	put(&bytes, ((uint8_t[]){IPPROTO_TCP, 0, 0, 8, 0, 0, 0, 9}), 8);
	put_tcp(&bytes, TCP_FLAG_SYN, "", 0);
	finish(&bytes);
	assert_error(&bytes, PACKET_IPV6_EXTENSION, "offset 1");
	put16(&bytes, 42, 0x8000);
	assert_error(&bytes, PACKET_IPV6_EXTENSION, "highest bit of the offset");
}

Test(packet, rejects_hop_by_hop_options_that_do_not_come_first)
{
	struct bytes bytes = {0};

	put_ipv6(&bytes, IPPROTO_DSTOPTS);
	put_extension(&bytes, IPPROTO_HOPOPTS, 0);
	put_extension(&bytes, IPPROTO_TCP, 0);
	put_tcp(&bytes, TCP_FLAG_SYN, "", 0);
	finish(&bytes);
	assert_error(&bytes, PACKET_IPV6_EXTENSION, "second");
}

Test(packet, rejects_endless_extension_headers)
{
	struct bytes many = {0}, too_many = {0};

	put_ipv6(&many, IPPROTO_DSTOPTS);
	for (int i = 0; i < 15; i++)
		put_extension(&many, IPPROTO_DSTOPTS, 0);
	too_many = many;
	put_extension(&many, IPPROTO_TCP, 0);
	put_tcp(&many, TCP_FLAG_SYN, "", 0);
	finish(&many);
	assert_error(&many, PACKET_OK, "16");

	put_extension(&too_many, IPPROTO_DSTOPTS, 0);
	put_extension(&too_many, IPPROTO_TCP, 0);
	put_tcp(&too_many, TCP_FLAG_SYN, "", 0);
	finish(&too_many);
	assert_error(&too_many, PACKET_IPV6_EXTENSION, "17");
}

Test(packet, rejects_a_segment_shorter_than_a_tcp_header)
{
	for (size_t length = 0; length < 20; length++) {
		struct bytes bytes = ipv4_syn(), bytes6 = ipv6_syn();

		put16(&bytes, 2, 20 + length);
		assert_error(&bytes, PACKET_TCP_TRUNCATED, "IPv4");
		if (length == 0)
			continue;
		put16(&bytes6, 4, length);
		assert_error(&bytes6, PACKET_TCP_TRUNCATED, "IPv6");
	}
}

Test(packet, rejects_tcp_data_offset_outside_the_segment)
{
	for (uint8_t words = 0; words < 16; words++) {
		struct bytes bytes = ipv4_syn();

		if (words == 5)
			continue;
		bytes.data[32] = (uint8_t)(words << 4);
		/* Captured or not: the IP header says that the segment ends before. */
		put(&bytes, "padding padding padding padding padding ", 40);
		assert_error(&bytes, PACKET_TCP_DATA_OFFSET, "data offset");
	}
}

Test(packet, every_error_has_a_text_of_its_own)
{
	for (int i = 0; i < PACKET_N_ERRORS; i++) {
		const char *text = packet_error_text((enum packet_error)i);

		cr_assert(text && *text, "error %d", i);
		cr_assert_neq(text[strlen(text) - 1], '.', "%s", text);
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(text, packet_error_text((enum packet_error)j));
	}
}

Test(packet, flags_show_what_opens_a_connection)
{
	enum {
		S = TCP_FLAG_SYN,
		A = TCP_FLAG_ACK,
		R = TCP_FLAG_RST,
		F = TCP_FLAG_FIN,
		ECN = TCP_FLAG_ECE | TCP_FLAG_CWR,
	};
	static const struct {
		unsigned flags;
		bool syn, syn_ack;
	} cases[] = {
		{S, true, false},
		{S | ECN, true, false},
		{S | TCP_FLAG_PSH, true, false}, /* with data, Fast Open */
		{S | TCP_FLAG_URG, true, false},
		{S | A, false, true},
		{S | A | TCP_FLAG_ECE, false, true},
		{S | A | R, false, false},
		{S | R, false, false},
		{S | F, false, false},
		{A, false, false},
		{R, false, false},
		{R | A, false, false},
		{F | A, false, false},
		{0, false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct packet packet = {.flags = (uint8_t)cases[i].flags};

		cr_expect_eq(packet_is_syn(&packet), cases[i].syn, "flags %x", cases[i].flags);
		cr_expect_eq(packet_is_syn_ack(&packet), cases[i].syn_ack, "flags %x",
			     cases[i].flags);
	}
}
