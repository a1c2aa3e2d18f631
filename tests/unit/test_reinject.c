/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of copies of SYNs that are sent again: which can be, and their checksums. */
#include <criterion/criterion.h>
#include <errno.h>

#include "injector/reinject.h"

/* A SYN from 192.0.2.1 port 40000 to 192.0.2.2 port 5432, its TCP checksum left to the card. */
static const uint8_t ipv4_syn[] = {
	0x45, 0, 0,   40, 0x12, 0x34, 0x40, 0,    64,   6,    0, 0, 192, 0,
	2,    1, 192, 0,  2,    2,    0x9c, 0x40, 0x15, 0x38, 0, 0, 0,   1,
	0,    0, 0,   0,  0x50, 0x02, 0xff, 0xff, 0xab, 0xcd, 0, 0,
};
/* The same over IPv6, from 2001:db8::1 to 2001:db8::2. */
static const uint8_t ipv6_syn[] = {
	0x60, 0, 0, 0, 0, 20, 6, 64,   0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,
	0,    0, 0, 0, 0, 0,  0, 0,    1,    0x20, 0x01, 0x0d, 0xb8, 0,    0,
	0,    0, 0, 0, 0, 0,  0, 0,    0,    2,    0x9c, 0x40, 0x15, 0x38, 0,
	0,    0, 1, 0, 0, 0,  0, 0x50, 0x02, 0xff, 0xff, 0xab, 0xcd, 0,    0,
};

/* What a receiver computes: 0xffff when the checksum is right (RFC 1071). */
static uint32_t verify(const uint8_t *data, size_t addresses, size_t size, size_t header,
		       size_t length)
{
	uint32_t sum = 6 + (uint32_t)(length - header);

	for (size_t i = addresses; i < addresses + size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	for (size_t i = header; i + 1 < length; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if ((length - header) % 2)
		sum += (uint32_t)data[length - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

Test(reinject, sets_the_checksum_that_was_left_to_the_network_card)
{
	uint8_t ipv4[sizeof(ipv4_syn) + 3], ipv6[sizeof(ipv6_syn)];

	memcpy(ipv4, ipv4_syn, sizeof(ipv4_syn));
	cr_assert_eq(reinject_prepare(ipv4, sizeof(ipv4_syn)), 0);
	cr_expect_eq(verify(ipv4, 12, 8, 20, sizeof(ipv4_syn)), 0xffff);
	memcpy(ipv6, ipv6_syn, sizeof(ipv6_syn));
	cr_assert_eq(reinject_prepare(ipv6, sizeof(ipv6)), 0);
	cr_expect_eq(verify(ipv6, 8, 32, 40, sizeof(ipv6)), 0xffff);
	/* Fast Open: an odd number of bytes of data. */
	memcpy(ipv4 + sizeof(ipv4_syn), "abc", 3);
	ipv4[3] += 3;
	cr_assert_eq(reinject_prepare(ipv4, sizeof(ipv4)), 0);
	cr_expect_eq(verify(ipv4, 12, 8, 20, sizeof(ipv4)), 0xffff);
}

Test(reinject, refuses_what_can_not_be_sent_again)
{
	uint8_t data[sizeof(ipv6_syn)];

	for (size_t length = 0; length < sizeof(ipv4_syn); length++) {
		memcpy(data, ipv4_syn, sizeof(ipv4_syn));
		cr_expect_eq(reinject_prepare(data, length), -EINVAL, "%zu bytes", length);
	}
	for (size_t length = 0; length < sizeof(ipv6_syn); length++) {
		memcpy(data, ipv6_syn, sizeof(ipv6_syn));
		cr_expect_eq(reinject_prepare(data, length), -EINVAL, "%zu bytes", length);
	}
	memcpy(data, ipv6_syn, sizeof(ipv6_syn));
	data[6] = 0; /* hop-by-hop options */
	cr_expect_eq(reinject_prepare(data, sizeof(data)), -EINVAL);
	memcpy(data, ipv4_syn, sizeof(ipv4_syn));
	data[9] = 17; /* UDP */
	cr_expect_eq(reinject_prepare(data, sizeof(ipv4_syn)), -EINVAL);
}
