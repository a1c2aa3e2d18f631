/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends a copy of a SYN that was dropped in the output hook: see reinject.h. */
#include "injector/reinject.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* RFC 791, RFC 8200, RFC 9293. */
enum {
	IPV4_MIN_HEADER = 20,
	IPV4_LENGTH = 2,
	IPV4_PROTOCOL = 9,
	IPV4_SOURCE = 12,
	IPV4_DESTINATION = 16,
	IPV6_HEADER = 40,
	IPV6_LENGTH = 4,
	IPV6_NEXT_HEADER = 6,
	IPV6_SOURCE = 8,
	IPV6_DESTINATION = 24,
	TCP_MIN_HEADER = 20,
	TCP_CHECKSUM = 16,
};

struct reinject {
	int ipv4, ipv6; /* raw sockets; .ipv6 is -1 without IPv6 */
};

int reinject_open(struct reinject **ret)
{
	AUTO_CLOSE int ipv4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct reinject *reinject;

	if (ipv4 < 0)
		return -errno;
	reinject = xzalloc(sizeof(*reinject));
	reinject->ipv4 = steal_fd(&ipv4);
	reinject->ipv6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	*ret = reinject;
	return 0;
}

void reinject_free(struct reinject *reinject)
{
	if (!reinject)
		return;
	close(reinject->ipv4);
	if (reinject->ipv6 >= 0)
		close(reinject->ipv6);
	free(reinject);
}

static unsigned version(const uint8_t *data)
{
	return data[0] >> 4;
}

/* Adds up words as in RFC 1071, without the complement. @sum: of earlier data. */
static uint32_t add_up(uint32_t sum, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (length % 2)
		sum += (uint32_t)data[length - 1] << 8;
	return sum;
}

/* Sets the checksum of the pseudo-header (addresses, protocol, length) and the segment. */
static void set_checksum(const uint8_t *addresses, size_t addresses_length, uint8_t *segment,
			 size_t length)
{
	uint32_t sum = IPPROTO_TCP + (uint32_t)length;

	segment[TCP_CHECKSUM] = segment[TCP_CHECKSUM + 1] = 0;
	sum = add_up(sum, addresses, addresses_length);
	sum = add_up(sum, segment, length);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	segment[TCP_CHECKSUM] = (uint8_t)(sum >> 8);
	segment[TCP_CHECKSUM + 1] = (uint8_t)sum;
}

static size_t read_16(const uint8_t *data)
{
	return (size_t)data[0] << 8 | data[1];
}

int reinject_prepare(uint8_t *data, size_t length)
{
	size_t header, addresses, size;

	if (length >= IPV4_MIN_HEADER && version(data) == 4) {
		header = (size_t)(data[0] & 0xf) * 4;
		addresses = IPV4_SOURCE;
		size = 8;
		if (header < IPV4_MIN_HEADER || data[IPV4_PROTOCOL] != IPPROTO_TCP ||
		    read_16(data + IPV4_LENGTH) != length)
			return -EINVAL;
	} else if (length >= IPV6_HEADER && version(data) == 6) {
		header = IPV6_HEADER;
		addresses = IPV6_SOURCE;
		size = 32;
		if (data[IPV6_NEXT_HEADER] != IPPROTO_TCP ||
		    read_16(data + IPV6_LENGTH) + IPV6_HEADER != length)
			return -EINVAL;
	} else {
		return -EINVAL;
	}
	if (length < header + TCP_MIN_HEADER)
		return -EINVAL;
	set_checksum(data + addresses, size, data + header, length - header);
	return 0;
}

int reinject_send(const struct reinject *reinject, const uint8_t *data, size_t length,
		  uint32_t mark)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
	bool is_ipv4 = version(data) == 4;
	int fd = is_ipv4 ? reinject->ipv4 : reinject->ipv6;
	const struct sockaddr *address = (const struct sockaddr *)&ipv6;
	socklen_t address_length = sizeof(ipv6);

	if (is_ipv4) {
		memcpy(&ipv4.sin_addr, data + IPV4_DESTINATION, sizeof(ipv4.sin_addr));
		address = (const struct sockaddr *)&ipv4;
		address_length = sizeof(ipv4);
	} else {
		memcpy(&ipv6.sin6_addr, data + IPV6_DESTINATION, sizeof(ipv6.sin6_addr));
	}
	if (fd < 0)
		return -EAFNOSUPPORT;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		return -errno;
	/* EPERM means that the rules answered and dropped it, as they should. */
	if (sendto(fd, data, length, MSG_DONTWAIT, address, address_length) < 0 && errno != EPERM)
		return -errno;
	return 0;
}
