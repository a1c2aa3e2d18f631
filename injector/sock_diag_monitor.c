/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the kernel's notices of dying TCP sockets: see sock_diag_monitor.h. Each is a struct
 * inet_diag_msg with attributes. INET_DIAG_INFO holds a struct tcp_info of the kernel's size.
 */
#include "injector/sock_diag_monitor.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/duration.h"
#include "injector/netlink.h"

#define RECEIVE_BUFFER (32 << 20)
#define BATCH          64
/* Room for a notice: tcp_info has some 250 bytes, and grows from kernel to kernel. */
#define MESSAGE_MAX 2048
/* At most this many reads before the caller's other events get their turn. */
#define MAX_ROUNDS 64

struct sock_diag_monitor {
	struct mnl_socket *socket;
	int fd; /* of the socket */
	sock_diag_monitor_fn on_death;
	void *userdata;
	struct iovec vectors[BATCH];
	struct mmsghdr datagrams[BATCH];
	uint8_t buffers[BATCH][MESSAGE_MAX] __attribute__((aligned(8)));
};

/* Places in a notice: word number @word of the address of one end, 32 bits each. */
#define SOURCE_WORD(word)                                                                          \
	(NLMSG_HDRLEN + offsetof(struct inet_diag_msg, id.idiag_src) + 4 * (size_t)(word))
#define DESTINATION_WORD(word)                                                                     \
	(NLMSG_HDRLEN + offsetof(struct inet_diag_msg, id.idiag_dst) + 4 * (size_t)(word))
#define FAMILY_BYTE (NLMSG_HDRLEN + offsetof(struct inet_diag_msg, idiag_family))

/*
 * Attaches a classic BPF program (Documentation/networking/filter.rst), which netlink runs for each
 * receiver of a multicast message. Its words are in network byte order; jumps count from the
 * following line.
 */
static int keep_networks(int fd, const struct address_networks *networks)
{
	const uint32_t ipv4 = (uint32_t)networks->ipv4[0] << 24 | networks->ipv4[1] << 16 |
			      networks->ipv4[2] << 8;
	const uint32_t high = (uint32_t)networks->ipv6[0] << 24 | networks->ipv6[1] << 16 |
			      networks->ipv6[2] << 8 | networks->ipv6[3];
	const uint32_t low = (uint32_t)networks->ipv6[4] << 24 | networks->ipv6[5] << 16;
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FAMILY_BYTE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 6, 0),
		/* IPv4 */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOURCE_WORD(0)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffffff00),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ipv4, 20, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DESTINATION_WORD(0)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffffff00),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ipv4, 17, 16),
		/* IPv6; or IPv4 in the last word, for a socket of both families */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOURCE_WORD(0)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOURCE_WORD(1)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff0000),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low, 12, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DESTINATION_WORD(0)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DESTINATION_WORD(1)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff0000),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low, 7, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOURCE_WORD(3)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffffff00),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ipv4, 4, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DESTINATION_WORD(3)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffffff00),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ipv4, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog filter = {.len = ARRAY_SIZE(program), .filter = program};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ? -errno
											 : 0;
}

static int open_all(struct sock_diag_monitor *deaths, const struct address_networks *networks)
{
	static const int groups[] = {SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY};
	int size = RECEIVE_BUFFER, r;

	r = netlink_open(NETLINK_SOCK_DIAG, &deaths->socket);
	if (r < 0)
		return r;
	deaths->fd = mnl_socket_get_fd(deaths->socket);
	/* The first needs CAP_NET_ADMIN in the initial user namespace; the second is limited. */
	if (setsockopt(deaths->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(deaths->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	r = networks ? keep_networks(deaths->fd, networks) : 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(groups); i++)
		r = netlink_join(deaths->socket, groups[i]);
	if (r < 0)
		return r;
	for (size_t i = 0; i < BATCH; i++) {
		deaths->vectors[i] = (struct iovec){deaths->buffers[i], MESSAGE_MAX};
		deaths->datagrams[i].msg_hdr.msg_iov = &deaths->vectors[i];
		deaths->datagrams[i].msg_hdr.msg_iovlen = 1;
	}
	return 0;
}

int sock_diag_monitor_open(const struct address_networks *networks, sock_diag_monitor_fn on_death,
			   void *userdata, struct diag_list *diags, struct sock_diag_monitor **ret)
{
	struct sock_diag_monitor *deaths = netlink_map(sizeof(*deaths));
	int r;

	deaths->on_death = on_death;
	deaths->userdata = userdata;
	r = open_all(deaths, networks);
	if (r < 0) {
		sock_diag_monitor_free(deaths);
		diag_add(diags, NULL,
			 "can't get notices of closed sockets (NETLINK_SOCK_DIAG, "
			 "CONFIG_INET_TCP_DIAG): %s",
			 strerror(-r));
		return r;
	}
	*ret = deaths;
	return 0;
}

void sock_diag_monitor_free(struct sock_diag_monitor *deaths)
{
	if (!deaths)
		return;
	if (deaths->socket)
		mnl_socket_close(deaths->socket);
	munmap(deaths, sizeof(*deaths));
}

int sock_diag_monitor_fd(const struct sock_diag_monitor *deaths)
{
	return deaths->fd;
}

/* Whether the kernel's struct tcp_info of @size bytes has the field. */
#define INFO_HAS(size, field)                                                                      \
	((size) >= offsetof(struct tcp_info, field) + sizeof(((struct tcp_info *)NULL)->field))

void socket_death_set_info(struct socket_death *death, const struct nlattr *attribute)
{
	struct tcp_info info = {0};
	size_t size = MIN((size_t)mnl_attr_get_payload_len(attribute), sizeof(info));

	memcpy(&info, mnl_attr_get_payload(attribute), size);
	if (INFO_HAS(size, tcpi_total_retrans))
		death->retransmissions = info.tcpi_total_retrans;
	if (INFO_HAS(size, tcpi_segs_in))
		death->segments_in = info.tcpi_segs_in;
	if (INFO_HAS(size, tcpi_bytes_received))
		death->bytes_received = info.tcpi_bytes_received;
	if (INFO_HAS(size, tcpi_bytes_acked))
		death->bytes_acked = info.tcpi_bytes_acked;
	if (INFO_HAS(size, tcpi_bytes_retrans))
		death->bytes_sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
	if (INFO_HAS(size, tcpi_last_data_recv))
		death->since_receive_ns = (int64_t)info.tcpi_last_data_recv * NS_PER_MS;
}

static void handle_notice(struct sock_diag_monitor *deaths, const struct nlmsghdr *message,
			  int64_t now_ns)
{
	const struct inet_diag_msg *diag = mnl_nlmsg_get_payload(message);
	struct socket_death death = {.at_ns = now_ns};
	struct nlattr *attribute;

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*diag) ||
	    (diag->idiag_family != AF_INET && diag->idiag_family != AF_INET6))
		return;
	death.cookie = (uint64_t)diag->id.idiag_cookie[1] << 32 | diag->id.idiag_cookie[0];
	death.local =
		address_from_socket(diag->idiag_family, diag->id.idiag_src, diag->id.idiag_sport);
	death.remote =
		address_from_socket(diag->idiag_family, diag->id.idiag_dst, diag->id.idiag_dport);
	mnl_attr_for_each(attribute, message,
			  sizeof(*diag)) if (mnl_attr_get_type(attribute) == INET_DIAG_INFO)
		socket_death_set_info(&death, attribute);
	deaths->on_death(deaths->userdata, &death);
}

static void handle_datagram(struct sock_diag_monitor *deaths, const uint8_t *data, size_t length,
			    int64_t now_ns)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)data;
	int left = (int)length;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		handle_notice(deaths, message, now_ns);
}

int sock_diag_monitor_dispatch(struct sock_diag_monitor *deaths)
{
	int result = 0;

	for (int round = 0; round < MAX_ROUNDS; round++) {
		int n = recvmmsg(deaths->fd, deaths->datagrams, BATCH, MSG_DONTWAIT, NULL);
		int64_t now_ns;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			result = -ENOBUFS;
			continue;
		}
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? result : -errno;
		now_ns = clock_monotonic_ns();
		for (int i = 0; i < n; i++)
			handle_datagram(deaths, deaths->buffers[i], deaths->datagrams[i].msg_len,
					now_ns);
		if (n < BATCH)
			return result;
	}
	return result < 0 ? result : 1;
}
