/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes addresses: see address.h. A mapped IPv4 address of an AF_INET6 socket
 * (::ffff:a.b.c.d, RFC 4291, 2.5.5.2) becomes the IPv4 address on the wire: Java and Go connect
 * that way, and their packets must be found.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "injector/address.h"

bool address_networks_have(const struct address_networks *networks, const struct address *address)
{
	return address->family == AF_INET
		       ? memcmp(address->bytes, networks->ipv4, sizeof(networks->ipv4)) == 0
		       : memcmp(address->bytes, networks->ipv6, sizeof(networks->ipv6)) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return !memcmp(a, b, sizeof(*a));
}

size_t address_size(const struct address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

int address_parse(const char *text, uint16_t port, struct address *ret)
{
	struct address address = {.port = port};

	if (inet_pton(AF_INET, text, address.bytes) == 1)
		address.family = AF_INET;
	else if (inet_pton(AF_INET6, text, address.bytes) == 1)
		address.family = AF_INET6;
	else
		return -EINVAL;
	*ret = address;
	return 0;
}

char *address_format_host(const struct address *address, char buffer[static INET6_ADDRSTRLEN])
{
	if (!inet_ntop(address->family, address->bytes, buffer, INET6_ADDRSTRLEN))
		memcpy(buffer, "?", sizeof("?"));
	return buffer;
}

char *address_format(const struct address *address, char buffer[static ADDRESS_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN];

	snprintf(buffer, ADDRESS_TEXT_SIZE, address->family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 address_format_host(address, host), address->port);
	return buffer;
}

socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (address->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;

		in->sin_family = AF_INET;
		in->sin_port = htons(address->port);
		memcpy(&in->sin_addr, address->bytes, 4);
		return sizeof(*in);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(address->port);
		memcpy(&in6->sin6_addr, address->bytes, 16);
		return sizeof(*in6);
	}
}

struct address address_from_socket(uint8_t family, const void *bytes, in_port_t port)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct address address = {.family = AF_INET, .port = ntohs(port)};

	if (family == AF_INET) {
		memcpy(address.bytes, bytes, 4);
	} else if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		memcpy(address.bytes, (const uint8_t *)bytes + sizeof(mapped), 4);
	} else {
		address.family = AF_INET6;
		memcpy(address.bytes, bytes, 16);
	}
	return address;
}

int address_from_sockaddr(const struct sockaddr *sockaddr, struct address *ret)
{
	if (sockaddr->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sockaddr, sizeof(in));
		*ret = address_from_socket(AF_INET, &in.sin_addr, in.sin_port);
	} else if (sockaddr->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sockaddr, sizeof(in6));
		*ret = address_from_socket(AF_INET6, &in6.sin6_addr, in6.sin6_port);
	} else {
		return -EAFNOSUPPORT;
	}
	return 0;
}
