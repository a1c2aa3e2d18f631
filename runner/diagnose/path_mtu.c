/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds out whether large packets get through: see path_mtu.h. */
#include "runner/diagnose/path_mtu.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>

#include "common/duration.h"
#include "runner/diagnose/error_queue.h"

/* What traceroute uses (traceroute(8)): no program listens there. */
enum { CLOSED_PORT = 33434, SMALL = 128 };
#define ANSWER_NS (300 * NS_PER_MS)

enum outcome {
	OUTCOME_SILENT,
	OUTCOME_ARRIVED, /* the host says that no program listens */
	OUTCOME_TOO_BIG, /* a router says so */
	OUTCOME_OTHER,
};

static bool forbid_fragments(int fd, int family)
{
	int probe = family == AF_INET ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE;

	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe)) == 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof(probe)) == 0;
}

static enum outcome outcome_of(int family, const struct icmp_error *error)
{
	bool ipv4 = family == AF_INET;

	if (ipv4 ? error->type == ICMP_DEST_UNREACH && error->code == ICMP_PORT_UNREACH
		 : error->type == ICMP6_DST_UNREACH && error->code == ICMP6_DST_UNREACH_NOPORT)
		return OUTCOME_ARRIVED;
	if (ipv4 ? error->type == ICMP_DEST_UNREACH && error->code == ICMP_FRAG_NEEDED
		 : error->type == ICMP6_PACKET_TOO_BIG)
		return OUTCOME_TOO_BIG;
	return OUTCOME_OTHER;
}

/* Sends one packet of @size bytes, headers included. */
static enum outcome send_one(const struct address *to, uint32_t size, struct icmp_error *ret)
{
	static const uint8_t zeros[UINT16_MAX];
	struct address closed = *to;
	struct sockaddr_storage address;
	socklen_t length;
	AUTO_CLOSE int fd = socket(to->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd poll_fd = {.fd = fd};
	uint32_t headers = to->family == AF_INET ? 20 + 8 : 40 + 8;

	closed.port = CLOSED_PORT;
	length = address_to_sockaddr(&closed, &address);
	if (fd < 0 || !forbid_fragments(fd, to->family) || size > sizeof(zeros) ||
	    connect(fd, (const struct sockaddr *)&address, length) < 0)
		return OUTCOME_OTHER;
	error_queue_enable(fd, to->family);
	if (send(fd, zeros, size - headers, MSG_NOSIGNAL) < 0)
		return OUTCOME_OTHER;
	if (poll(&poll_fd, 1, (int)(ANSWER_NS / NS_PER_MS)) <= 0)
		return OUTCOME_SILENT;
	return error_queue_read(fd, ret) ? outcome_of(to->family, ret) : OUTCOME_OTHER;
}

void path_mtu_probe(struct address_evidence *address)
{
	/* Ethernet; PPPoE; a tunnel; VPNs; a cloud's network; the least of IPv6 and of IPv4. */
	static const uint32_t sizes[] = {1500, 1492, 1480, 1450, 1420, 1400, 1280, 576};
	struct path_mtu *mtu = &address->path_mtu;
	struct icmp_error error = {0};
	uint32_t full = address->route.mtu;
	enum outcome outcome;

	*mtu = (struct path_mtu){.tried = full};
	if (address->route.kind != ROUTE_UNICAST || full <= SMALL ||
	    send_one(&address->address, SMALL, &error) != OUTCOME_ARRIVED)
		return;
	outcome = send_one(&address->address, full, &error);
	/* One that is lost must not look like a black hole. */
	if (outcome == OUTCOME_SILENT)
		outcome = send_one(&address->address, full, &error);
	if (outcome == OUTCOME_ARRIVED)
		*mtu = (struct path_mtu){PATH_MTU_FULL, .tried = full, .bytes = full};
	if (outcome == OUTCOME_TOO_BIG)
		*mtu = (struct path_mtu){PATH_MTU_SMALLER, full, error.mtu, error.from};
	for (size_t i = 0; outcome == OUTCOME_SILENT && i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i] >= full ||
		    send_one(&address->address, sizes[i], &error) != OUTCOME_ARRIVED)
			continue;
		*mtu = (struct path_mtu){PATH_MTU_BLACK_HOLE, .tried = full, .bytes = sizes[i]};
		return;
	}
}
