/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses of either family and TCP ports, in the one form that the injector works with. */
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

/* Two networks that hold all addresses of somebody who shares a network namespace with others. */
struct address_networks {
	uint8_t ipv4[3]; /* of /24 */
	uint8_t ipv6[6]; /* of /48 */
};

bool address_equal(const struct address *a, const struct address *b);
/* Bytes of @address->bytes in use: 4 or 16. */
size_t address_size(const struct address *address);
/* From text such as "127.0.0.1" or "2001:db8::1". Returns 0 or -EINVAL. */
int address_parse(const char *text, uint16_t port, struct address *ret);
/* "127.0.0.1" or "::1", no brackets, no port. Returns @buffer. */
char *address_format_host(const struct address *address, char buffer[static INET6_ADDRSTRLEN]);
/* "127.0.0.1:8080" or "[::1]:8080". Returns @buffer. */
#define ADDRESS_TEXT_SIZE (INET6_ADDRSTRLEN + 8)
char *address_format(const struct address *address, char buffer[static ADDRESS_TEXT_SIZE]);
/* For bind() and connect(). Returns the length. */
socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret);
int address_from_sockaddr(const struct sockaddr *sockaddr, struct address *ret);

#endif
