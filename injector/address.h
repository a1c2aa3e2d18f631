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

/* Whether both have the same family, bytes and port. */
bool address_equal(const struct address *a, const struct address *b);
/* The bytes of @address->bytes in use: 4 or 16. */
size_t address_size(const struct address *address);
/* Reads an address such as "127.0.0.1" or "2001:db8::1". Returns 0 or -EINVAL. */
int address_parse(const char *text, uint16_t port, struct address *ret);
/* Writes the address without port and brackets: "127.0.0.1", "::1". Returns @buffer. */
char *address_format_host(const struct address *address, char buffer[static INET6_ADDRSTRLEN]);
#define ADDRESS_TEXT_SIZE (INET6_ADDRSTRLEN + 8)
/* Writes address and port: "127.0.0.1:8080", "[::1]:8080". Returns @buffer. */
char *address_format(const struct address *address, char buffer[static ADDRESS_TEXT_SIZE]);
/* Converts an address for bind() and connect(). Returns the length of @ret. */
socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret);
/* Converts an address from the kernel. Returns 0, or -EINVAL for another family. */
int address_from_sockaddr(const struct sockaddr *sockaddr, struct address *ret);

#endif
