/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of addresses of both families. */
#include <criterion/criterion.h>
#include <errno.h>

#include "injector/address.h"

TestSuite(address);

static struct address address_of(const char *text, uint16_t port)
{
	struct address address;

	cr_assert_eq(address_parse(text, port, &address), 0, "%s", text);
	return address;
}

Test(address, is_read_and_written)
{
	static const struct {
		const char *text;
		uint16_t family;
		size_t size;
		const char *host, *full;
	} cases[] = {
		{"127.0.0.1", AF_INET, 4, "127.0.0.1", "127.0.0.1:80"},
		{"255.255.255.255", AF_INET, 4, "255.255.255.255", "255.255.255.255:80"},
		{"::1", AF_INET6, 16, "::1", "[::1]:80"},
		{"2001:DB8:0::1", AF_INET6, 16, "2001:db8::1", "[2001:db8::1]:80"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", AF_INET6, 16,
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:80"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct address address = address_of(cases[i].text, 80);
		char host[INET6_ADDRSTRLEN], full[ADDRESS_TEXT_SIZE];

		cr_expect_eq(address.family, cases[i].family, "%s", cases[i].text);
		cr_expect_eq(address.port, 80);
		cr_expect_eq(address_size(&address), cases[i].size, "%s", cases[i].text);
		cr_expect_str_eq(address_format_host(&address, host), cases[i].host);
		cr_expect_str_eq(address_format(&address, full), cases[i].full);
	}
}

Test(address, refuses_text_that_is_not_an_address)
{
	static const char *const cases[] = {
		"",       "localhost",  "127.0.0", "127.0.0.256", "127.0.0.1:80", "[::1]",
		"::1%lo", " 127.0.0.1", "1:2:3",   "::g",         "0x7f.0.0.1"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct address address = {.port = 7};

		cr_expect_eq(address_parse(cases[i], 80, &address), -EINVAL, "\"%s\"", cases[i]);
		cr_expect_eq(address.port, 7, "\"%s\" wrote its output", cases[i]);
	}
}

Test(address, unused_bytes_are_zero)
{
	static const uint8_t zero[12];
	struct address address;

	memset(&address, 0xff, sizeof(address));
	cr_assert_eq(address_parse("127.0.0.1", 80, &address), 0);
	cr_assert_arr_eq(address.bytes + 4, zero, 12);
}

Test(address, equality_looks_at_family_port_and_bytes)
{
	struct address address = address_of("127.0.0.1", 80);
	const struct {
		const char *name;
		struct address other;
		bool equal;
	} cases[] = {
		{"same", address_of("127.0.0.1", 80), true},
		{"port", address_of("127.0.0.1", 81), false},
		{"bytes", address_of("127.0.0.2", 80), false},
		{"family", address_of("7f00:1::", 80), false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(address_equal(&address, &cases[i].other), cases[i].equal, "%s",
			     cases[i].name);
}

Test(address, survives_conversion_to_a_sockaddr_and_back)
{
	static const char *const cases[] = {"127.0.0.1", "10.1.2.3", "::1", "2001:db8::1:2"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct address address = address_of(cases[i], 0x1234), back;
		struct sockaddr_storage storage;
		socklen_t length = address_to_sockaddr(&address, &storage);

		cr_expect_eq(length, address.family == AF_INET ? sizeof(struct sockaddr_in)
							       : sizeof(struct sockaddr_in6));
		cr_expect_eq(storage.ss_family, address.family);
		memset(&back, 0xff, sizeof(back));
		cr_expect_eq(address_from_sockaddr((struct sockaddr *)&storage, &back), 0);
		cr_expect(address_equal(&address, &back), "%s", cases[i]);
	}
}

Test(address, port_of_a_sockaddr_is_in_network_order)
{
	struct address address = address_of("127.0.0.1", 0x1234);
	struct sockaddr_storage storage;
	struct sockaddr_in in;

	address_to_sockaddr(&address, &storage);
	memcpy(&in, &storage, sizeof(in));
	cr_assert_eq(in.sin_port, htons(0x1234));
	cr_assert_eq(in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

Test(address, ipv4_mapped_sockaddr_is_the_ipv4_address_on_the_wire)
{
	struct address mapped = address_of("::ffff:192.0.2.7", 80), expected, address;
	struct sockaddr_storage storage;

	expected = address_of("192.0.2.7", 80);
	address_to_sockaddr(&mapped, &storage);
	cr_assert_eq(address_from_sockaddr((struct sockaddr *)&storage, &address), 0);
	cr_assert(address_equal(&address, &expected));
}

Test(address, refuses_a_sockaddr_of_another_family)
{
	struct sockaddr sockaddr = {.sa_family = AF_UNIX};
	struct address address = {.port = 7};

	cr_assert_eq(address_from_sockaddr(&sockaddr, &address), -EAFNOSUPPORT);
	cr_assert_eq(address.port, 7);
}
