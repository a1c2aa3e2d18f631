/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses of either family with TCP ports. */
#ifndef SYNFAULT_INJECTOR_ADDRESS_H
#define SYNFAULT_INJECTOR_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/util.h"

/* An address and a port. Without padding, so that it can be hashed and compared as memory. */
struct address {
	uint16_t family;   /* AF_INET or AF_INET6 */
	uint16_t port;     /* host byte order */
	uint8_t bytes[16]; /* network byte order; IPv4 in the first four, the others zero */
};
_Static_assert(sizeof(struct address) == 20, "addresses are hashed as memory");

/* The networks of a user of a shared network namespace: all its addresses are in one of them. */
struct address_networks {
	uint8_t ipv4[3]; /* of /24 */
	uint8_t ipv6[6]; /* of /48 */
};

/** address_networks_have() - return whether an address is in one of them */
bool address_networks_have(const struct address_networks *networks, const struct address *address);

/** address_equal() - return whether both have the same family, bytes and port */
bool address_equal(const struct address *a, const struct address *b);
/** address_size() - return the bytes of @address->bytes in use: 4 or 16 */
size_t address_size(const struct address *address);
/** address_parse() - read an address such as "127.0.0.1" or "2001:db8::1"; return 0 or -EINVAL */
int address_parse(const char *text, uint16_t port, struct address *ret);
/**
 * address_format_host() - write the address without port and brackets: "127.0.0.1", "::1"
 *
 * Return: @buffer.
 */
char *address_format_host(const struct address *address, char buffer[static INET6_ADDRSTRLEN]);
#define ADDRESS_TEXT_SIZE (INET6_ADDRSTRLEN + 8)
/** address_format() - write address and port: "127.0.0.1:8080", "[::1]:8080"; return @buffer */
char *address_format(const struct address *address, char buffer[static ADDRESS_TEXT_SIZE]);
/**
 * address_from_socket() - make an address of what the kernel says of a socket
 * @family: of the socket
 * @bytes: 16 for IPv6, otherwise 4, in network byte order
 * @port: in network byte order
 *
 * An IPv6 socket with a mapped IPv4 address (RFC 4291, 2.5.5.2) sends IPv4 packets: it gets an
 * IPv4 address.
 */
struct address address_from_socket(uint8_t family, const void *bytes, in_port_t port);
/**
 * address_to_sockaddr() - convert an address for bind() and connect()
 *
 * Return: the length of @ret.
 */
socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret);
/**
 * address_from_sockaddr() - convert an address from the kernel
 *
 * Return: 0, or -EINVAL for another family.
 */
int address_from_sockaddr(const struct sockaddr *sockaddr, struct address *ret);

#endif
