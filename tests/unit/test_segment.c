/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of segments that synfault makes: read back by the parser, and by their checksums. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "injector/segment.h"

TestSuite(segment);

enum { DATA = 11 };

/* 10.0.0.1:1000 to 10.0.0.2:80, with MSS and timestamps, FIN, and 11 bytes. */
static const uint8_t ipv4[] = {
	0x45, 0x10, 0, 67,   0,    1,   0x40, 0,   61,   6,    0,   0,   10,  0,   0,   1,    10,
	0,    0,    2, 0x03, 0xe8, 0,   80,   1,   2,    3,    4,   5,   6,   7,   8,   0x90, 0x11,
	0x12, 0x34, 0, 0,    0,    0,   2,    4,   0x05, 0xb4, 1,   1,   8,   10,  0,   0,    0,
	7,    0,    0, 0,    9,    'h', 'e',  'l', 'l',  'o',  ' ', 'w', 'o', 'r', 'l', 'd',
};

/* Makes the same over IPv6, ::1 to ::2. */
static size_t make_ipv6(uint8_t out[static 128])
{
	static const uint8_t header[40] = {0x60, 0, 0, 0, 0, 47, 6, 61, [23] = 1, [39] = 2};

	memcpy(out, header, sizeof(header));
	memcpy(out + sizeof(header), ipv4 + 20, sizeof(ipv4) - 20);
	return sizeof(header) + sizeof(ipv4) - 20;
}

static uint32_t add_up(const uint8_t *data, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* RFC 1071: a header with its checksum adds up to all ones. */
static void expect_checksums(const uint8_t *packet, size_t length)
{
	size_t ip = packet[0] >> 4 == 4 ? 20 : 40;
	uint32_t pseudo = IPPROTO_TCP + (uint32_t)(length - ip);

	if (ip == 20)
		cr_expect_eq(add_up(packet, ip, 0), 0xffff);
	pseudo = ip == 20 ? add_up(packet + 12, 8, pseudo) : add_up(packet + 8, 32, pseudo);
	cr_expect_eq(add_up(packet + ip, length - ip, pseudo), 0xffff);
}

static struct packet parse(const uint8_t *data, size_t length)
{
	struct packet packet;

	cr_assert_eq(packet_parse(data, length, &packet), PACKET_OK);
	return packet;
}

static size_t make(bool ipv6, uint8_t out[static 128])
{
	if (ipv6)
		return make_ipv6(out);
	memcpy(out, ipv4, sizeof(ipv4));
	return sizeof(ipv4);
}

Test(segment, parser_finds_the_data)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		uint8_t data[128];
		struct packet packet = parse(data, make(ipv6, data));

		cr_expect_eq(packet.tcp_offset, ipv6 ? 40 : 20);
		cr_expect_eq(packet.data_offset, ipv6 ? 76 : 56);
		cr_expect_eq(packet.payload_length, DATA);
		cr_expect_eq(packet.window, 0x1234);
		cr_expect(packet.has_timestamps);
		cr_expect_eq(packet.timestamp, 7);
		cr_expect_eq(packet.timestamp_echo, 9);
	}
}

Test(segment, cuts_data_and_removes_the_fin)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		for (uint32_t keep = 0; keep <= DATA; keep++) {
			uint8_t data[128];
			size_t whole = make(ipv6, data);
			struct packet packet = parse(data, whole), cut;
			size_t length = segment_trim(data, &packet, keep);

			cr_expect_eq(length, whole - DATA + keep);
			expect_checksums(data, length);
			cut = parse(data, length);
			cr_expect_eq(cut.payload_length, keep);
			cr_expect_eq(cut.sequence, packet.sequence);
			cr_expect_eq(cut.flags, TCP_FLAG_ACK | (keep ? TCP_FLAG_PSH : 0));
			cr_expect_eq(memcmp(data + cut.data_offset, "hello world", keep), 0);
		}
	}
}

/* Made a tenth of a second after the packet; the other side's clock showed 99. */
static struct packet make_control(struct segment_template *sender, uint8_t flags,
				  uint8_t out[static SEGMENT_CONTROL_MAX])
{
	const struct segment_template receiver = {.timestamp = 99};
	size_t length = segment_control(sender, &receiver, NS_PER_S / 10, flags, 77, 88, out);

	expect_checksums(out, length);
	return parse(out, length);
}

Test(segment, looks_like_the_senders_own_segment)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		uint8_t data[128], out[SEGMENT_CONTROL_MAX];
		struct segment_template template = {0};
		struct packet packet, made;

		packet = parse(data, make(ipv6, data));
		data[1] |= ipv6 ? 0x20 : 0x02; /* ECT(0) */
		segment_learn(&template, data, &packet, 0);
		made = make_control(&template, TCP_FLAG_FIN | TCP_FLAG_ACK, out);
		cr_expect(address_equal(&made.source, &packet.source));
		cr_expect(address_equal(&made.destination, &packet.destination));
		cr_expect_eq(made.sequence, 77);
		cr_expect_eq(made.acknowledgment, 88);
		cr_expect_eq(made.flags, TCP_FLAG_FIN | TCP_FLAG_ACK);
		cr_expect_eq(made.window, packet.window);
		cr_expect_eq(made.payload_length, 0);
		cr_expect(made.has_timestamps);
		cr_expect_eq(made.timestamp, 7 + 100, "by the sender's clock");
		cr_expect_eq(made.timestamp_echo, 99);
		cr_expect_eq(out[ipv6 ? 7 : 8], 61, "the hop limit");
		cr_expect_eq(out[1], ipv6 ? 0 : 0x10, "no data, no ECT");
		if (ipv6)
			continue;
		cr_expect_eq(out[5], 2, "the next number");
		make_control(&template, TCP_FLAG_ACK, out);
		cr_expect_eq(out[5], 3);
	}
}

Test(segment, windows_are_scaled_after_the_handshake)
{
	uint8_t data[128];
	struct packet packet = parse(data, make(false, data));
	struct segment_template template = {0};

	packet.flags = TCP_FLAG_SYN | TCP_FLAG_ACK;
	packet.window = 65483;
	packet.window_shift = 10;
	segment_learn(&template, data, &packet, 0);
	cr_expect_eq(template.window, 64);
	packet.window_shift = 0;
	segment_learn(&template, data, &packet, 0);
	cr_expect_eq(template.window, 65483);
}

Test(segment, a_reset_without_ack_comes_from_a_kernel_without_a_socket)
{
	uint8_t data[128], out[SEGMENT_CONTROL_MAX];
	struct packet packet = parse(data, make(false, data)), made;
	struct segment_template template = {0};

	segment_learn(&template, data, &packet, 0);
	made = make_control(&template, TCP_FLAG_RST, out);
	cr_expect_eq(made.flags, TCP_FLAG_RST);
	cr_expect_eq(made.acknowledgment, 0);
	cr_expect_eq(made.window, 0);
	cr_expect_eq(made.data_offset, 40, "no options");
	cr_expect_eq(out[4] << 8 | out[5], 0, "no number");
}

Test(segment, lowers_a_segment_size_and_never_raises_it)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		uint8_t data[128];
		size_t length = make(ipv6, data);
		struct packet packet = parse(data, length);

		cr_expect_not(segment_lower_mss(data, length, &packet, 1460));
		cr_expect_not(segment_lower_mss(data, length - 1, &packet, 500),
			      "not all is there");
		cr_expect(segment_lower_mss(data, length, &packet, 500));
		expect_checksums(data, length);
		cr_expect_eq(parse(data, length).mss, 500);
	}
}

Test(segment, plain_syn_has_neither_data_nor_special_options)
{
	/* MSS, MP_CAPABLE, a Fast Open cookie, its experimental form, then 3 bytes of data */
	static const uint8_t syn[] = {
		0x45, 0,    0,    75,   0,    1,    0x40, 0, 61, 6, 0, 0, 10,  0,    0,
		1,    10,   0,    0,    2,    0x03, 0xe8, 0, 80, 1, 2, 3, 4,   0,    0,
		0,    0,    0xd0, 2,    0x12, 0x34, 0,    0, 0,  0, 2, 4, 5,   0xb4, 30,
		4,    0x01, 0x81, 34,   10,   1,    2,    3, 4,  5, 6, 7, 8,   1,    1,
		254,  12,   0xf9, 0x89, 1,    2,    3,    4, 5,  6, 7, 8, 'a', 'b',  'c',
	};
	uint8_t data[sizeof(syn)];
	struct packet packet, again;
	size_t length;

	memcpy(data, syn, sizeof(syn));
	packet = parse(data, sizeof(data));
	cr_assert(packet.multipath && packet.fast_open && !packet.joins);
	cr_assert_eq(packet.payload_length, 3);
	length = segment_make_plain(data, &packet);
	cr_assert_eq(length, sizeof(syn) - 3);
	again = parse(data, length);
	cr_expect(!again.multipath && !again.fast_open);
	cr_expect_eq(again.payload_length, 0);
	cr_expect_eq(again.mss, 1460, "other options stay");
	cr_expect_eq(again.sequence, packet.sequence);
	expect_checksums(data, length);
	cr_expect_eq(segment_make_plain(data, &packet), 0, "nothing is left to remove");
}
