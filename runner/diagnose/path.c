/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the path to an address: see path.h. */
#include "runner/diagnose/path.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>

#include "common/duration.h"
#include "runner/diagnose/error_queue.h"

/* How long a router may take to report that a packet's hops ran out; most limit their rate. */
#define HOP_NS (400 * NS_PER_MS)
/* After this many silent hops in a row, nothing more can be seen. */
enum { MAX_SILENT_HOPS = 3 };

static bool set_hop_count(int fd, int family, int count)
{
	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_TTL, &count, sizeof(count)) == 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &count, sizeof(count)) == 0;
}

static bool is_time_exceeded(int family, uint32_t type)
{
	return family == AF_INET ? type == ICMP_TIME_EXCEEDED : type == ICMP6_TIME_EXCEEDED;
}

/* Reads what became of a SYN. */
static void read_hop(int fd, const struct address *to, struct hop *ret)
{
	struct icmp_error icmp;
	int error = 0;
	socklen_t length = sizeof(error);

	if (error_queue_read(fd, &icmp)) {
		ret->from = icmp.from;
		ret->kind = is_time_exceeded(to->family, icmp.type) ? HOP_ROUTER : HOP_REJECTED;
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return;
	ret->kind = error == 0 ? HOP_CONNECTED : error == ECONNREFUSED ? HOP_REFUSED : HOP_SILENT;
}

/* Sends a SYN that can pass @count - 1 routers. */
static struct hop try_hop(const struct address *to, int count)
{
	struct sockaddr_storage address;
	socklen_t length = address_to_sockaddr(to, &address);
	AUTO_CLOSE int fd = socket(to->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	struct hop hop = {.kind = HOP_SILENT};

	if (fd < 0 || !set_hop_count(fd, to->family, count))
		return hop;
	error_queue_enable(fd, to->family);
	if (connect(fd, (const struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS)
		return hop;
	if (poll(&poll_fd, 1, (int)(HOP_NS / NS_PER_MS)) > 0)
		read_hop(fd, to, &hop);
	return hop;
}

void path_walk(struct address_evidence *address)
{
	unsigned silent = 0;

	address->n_hops = 0;
	if (address->route.kind != ROUTE_UNICAST)
		return;
	while (address->n_hops < MAX_HOPS && silent < MAX_SILENT_HOPS) {
		struct hop hop = try_hop(&address->address, (int)address->n_hops + 1);

		address->hops[address->n_hops++] = hop;
		silent = hop.kind == HOP_SILENT ? silent + 1 : 0;
		if (hop.kind != HOP_SILENT && hop.kind != HOP_ROUTER)
			return;
	}
}
