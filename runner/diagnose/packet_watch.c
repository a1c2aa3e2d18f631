/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches packets on an AF_PACKET socket: see packet_watch.h. */
#include "runner/diagnose/packet_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include "common/duration.h"

/* Far more packets than a diagnosis sends; on a busy host later ones are dropped. */
enum { MAX_SEEN = 20000 };

struct packet_watch {
	int fd;
	bool keep;
	struct seen_packet *seen;
	size_t n_seen, capacity;
};

enum {
	IPV4_TTL = 8,
	IPV4_PROTOCOL = 9,
	IPV6_NEXT_HEADER = 6,
	IPV6_HOP_LIMIT = 7,
	IPV6_HEADER = 40,
	ICMP_HEADER = 8,
};

/* Parses addresses and ports of the packet that an ICMP error quotes: 8 bytes of TCP (RFC 792). */
static bool parse_quoted(const uint8_t *data, size_t length, struct seen_packet *ret)
{
	size_t header, address = 16, at = 8;
	int family = AF_INET6;

	if (length >= 20 && data[0] >> 4 == 4) {
		header = (size_t)(data[0] & 15) * 4;
		family = AF_INET;
		address = 4;
		at = 12;
		if (data[IPV4_PROTOCOL] != IPPROTO_TCP || header < 20)
			return false;
	} else if (length >= IPV6_HEADER && data[0] >> 4 == 6) {
		header = IPV6_HEADER;
		if (data[IPV6_NEXT_HEADER] != IPPROTO_TCP)
			return false;
	} else {
		return false;
	}
	if (length < header + 4)
		return false;
	ret->source = (struct address){.family = (uint16_t)family};
	ret->destination = ret->source;
	memcpy(ret->source.bytes, data + at, address);
	memcpy(ret->destination.bytes, data + at + address, address);
	ret->source.port = (uint16_t)(data[header] << 8 | data[header + 1]);
	ret->destination.port = (uint16_t)(data[header + 2] << 8 | data[header + 3]);
	return true;
}

static bool is_error(int family, uint8_t type)
{
	if (family == AF_INET)
		return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED;
	return type >= ICMP6_DST_UNREACH && type <= ICMP6_PARAM_PROB;
}

static bool parse_icmp(const uint8_t *data, size_t length, size_t header, struct seen_packet *ret)
{
	if (length < header + ICMP_HEADER || !is_error(ret->from.family, data[header]))
		return false;
	ret->is_icmp = true;
	ret->icmp_type = data[header];
	ret->icmp_code = data[header + 1];
	return parse_quoted(data + header + ICMP_HEADER, length - header - ICMP_HEADER, ret);
}

static bool parse_tcp(const uint8_t *data, size_t length, struct seen_packet *ret)
{
	struct packet packet;
	enum packet_error error = packet_parse(data, length, &packet);

	if (error != PACKET_OK && error != PACKET_TCP_OPTION)
		return false;
	ret->source = packet.source;
	ret->destination = packet.destination;
	ret->flags = packet.flags;
	ret->window = packet.window;
	return true;
}

bool packet_watch_parse(const uint8_t *data, size_t length, struct seen_packet *ret)
{
	size_t header;

	*ret = (struct seen_packet){0};
	if (length >= 20 && data[0] >> 4 == 4) {
		header = (size_t)(data[0] & 15) * 4;
		ret->ttl = data[IPV4_TTL];
		ret->from.family = AF_INET;
		memcpy(ret->from.bytes, data + 12, 4);
		if (data[IPV4_PROTOCOL] == IPPROTO_ICMP)
			return header >= 20 && parse_icmp(data, length, header, ret);
		return parse_tcp(data, length, ret);
	}
	if (length < IPV6_HEADER || data[0] >> 4 != 6)
		return false;
	ret->ttl = data[IPV6_HOP_LIMIT];
	ret->from.family = AF_INET6;
	memcpy(ret->from.bytes, data + 8, 16);
	if (data[IPV6_NEXT_HEADER] == IPPROTO_ICMPV6)
		return parse_icmp(data, length, IPV6_HEADER, ret);
	return parse_tcp(data, length, ret);
}

/* Makes the kernel pass only TCP and ICMP of both families: other traffic must not wake us. */
static int attach_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 2, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IPV4_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IPV6_NEXT_HEADER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, PACKET_WATCH_SNAP_LENGTH),
	};
	const struct sock_fprog program = {ARRAY_SIZE(code), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

int packet_watch_open(bool keep, struct packet_watch **ret)
{
	const int on = 1, size = 4 << 20;
	AUTO_CLOSE int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int r;

	if (fd < 0)
		return -errno;
	r = attach_filter(fd);
	if (r < 0)
		return r;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&all, sizeof(all)) < 0)
		return -errno;
	*ret = xzalloc(sizeof(**ret));
	(*ret)->fd = steal_fd(&fd);
	(*ret)->keep = keep;
	return 0;
}

void packet_watch_free(struct packet_watch *watch)
{
	if (!watch)
		return;
	close(watch->fd);
	for (size_t i = 0; i < watch->n_seen; i++)
		free(watch->seen[i].data);
	free(watch->seen);
	free(watch);
}

int packet_watch_fd(const struct packet_watch *watch)
{
	return watch->fd;
}

static int64_t stamp_of(struct msghdr *message)
{
	struct timespec stamp;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
			return stamp.tv_sec * NS_PER_S + stamp.tv_nsec;
		}
	return clock_realtime_ns();
}

/* Keeps what was read of a packet, without padding of its link. */
static void keep(struct seen_packet *packet, const uint8_t *data, uint32_t read)
{
	bool ipv4 = data[0] >> 4 == 4;
	uint32_t length = ipv4 ? data[2] << 8 | data[3] : IPV6_HEADER + (data[4] << 8 | data[5]);

	packet->captured = MIN(read, length);
	packet->length = length;
	packet->data = xmemdup(data, packet->captured);
}

void packet_watch_read(struct packet_watch *watch)
{
	uint8_t data[PACKET_WATCH_SNAP_LENGTH];
	char control[128];
	struct sockaddr_ll from;

	for (;;) {
		struct iovec part = {data, sizeof(data)};
		struct msghdr message = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		struct seen_packet packet;
		ssize_t length = recvmsg(watch->fd, &message, 0);

		if (length < 0)
			return;
		/* On lo each packet is seen twice, on its way out and in: ignore the first. */
		if (from.sll_hatype == ARPHRD_LOOPBACK && from.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (!packet_watch_parse(data, (size_t)length, &packet) || watch->n_seen >= MAX_SEEN)
			continue;
		packet.at_ns = stamp_of(&message);
		packet.interface = (uint32_t)from.sll_ifindex;
		if (watch->keep)
			keep(&packet, data, (uint32_t)length);
		array_append(watch->seen, watch->n_seen, watch->capacity, packet);
	}
}

struct seen_packet *packet_watch_seen(struct packet_watch *watch, size_t *ret_n)
{
	*ret_n = watch->n_seen;
	return watch->seen;
}
