/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends datagrams that become other packets: see udp_inject.h. */
#include "injector/udp_inject.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>

/* The discard port (RFC 863), in case a carrier ever arrives. */
#define DISCARD_PORT 9
#define UDP_SIZE     8
/* For about a thousand carriers, as the kernel counts them. */
#define SEND_ROOM (1 << 20)

enum { SOCKET_IPV4, SOCKET_IPV6, N_SOCKETS };

/* A carrier's data. The random number distinguishes it from other programs' datagrams. */
struct load {
	uint8_t nonce[16];
	uint32_t serial;
};

struct udp_inject {
	int fds[N_SOCKETS]; /* -1: the host lacks the family */
	uint8_t nonce[16];
};

static int open_socket(int family, uint32_t mark)
{
	const int room = SEND_ROOM;
	AUTO_CLOSE int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		return -errno;
	/* A carrier counts until its verdict. Not all namespaces allow more than the limit. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return steal_fd(&fd);
}

int udp_inject_new(uint32_t mark, struct udp_inject **ret)
{
	struct udp_inject *carrier = xzalloc(sizeof(*carrier));

	carrier->fds[SOCKET_IPV4] = open_socket(AF_INET, mark);
	carrier->fds[SOCKET_IPV6] = open_socket(AF_INET6, mark);
	if (carrier->fds[SOCKET_IPV4] < 0 || getrandom(carrier->nonce, sizeof(carrier->nonce), 0) !=
						     (ssize_t)sizeof(carrier->nonce)) {
		int r = carrier->fds[SOCKET_IPV4] < 0 ? carrier->fds[SOCKET_IPV4] : -EIO;

		udp_inject_free(carrier);
		return r;
	}
	*ret = carrier;
	return 0;
}

void udp_inject_free(struct udp_inject *carrier)
{
	if (!carrier)
		return;
	for (size_t i = 0; i < N_SOCKETS; i++)
		if (carrier->fds[i] >= 0)
			close(carrier->fds[i]);
	free(carrier);
}

int udp_inject_send(struct udp_inject *carrier, const struct address *to, uint32_t serial)
{
	int fd = carrier->fds[to->family == AF_INET ? SOCKET_IPV4 : SOCKET_IPV6];
	struct address discard = *to;
	struct sockaddr_storage storage;
	struct load load = {.serial = serial};
	socklen_t length;

	if (fd < 0)
		return fd;
	memcpy(load.nonce, carrier->nonce, sizeof(load.nonce));
	discard.port = DISCARD_PORT;
	length = address_to_sockaddr(&discard, &storage);
	if (sendto(fd, &load, sizeof(load), 0, (const struct sockaddr *)&storage, length) < 0)
		return -errno;
	return 0;
}

bool udp_inject_match(const struct udp_inject *carrier, const uint8_t *data, size_t length,
		      uint32_t *ret_serial)
{
	size_t ip_length = length > 0 && data[0] >> 4 == 4 ? (size_t)(data[0] & 0x0f) * 4 : 40;
	struct load load;

	if (length != ip_length + UDP_SIZE + sizeof(load))
		return false;
	memcpy(&load, data + ip_length + UDP_SIZE, sizeof(load));
	if (memcmp(load.nonce, carrier->nonce, sizeof(load.nonce)) != 0)
		return false;
	*ret_serial = load.serial;
	return true;
}
