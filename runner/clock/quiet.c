/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the kernel is still busy with anything: see quiet.h. */
#include "runner/clock/quiet.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include "common/duration.h"
#include "injector/netlink.h"
#include "runner/clock/net_counts.h"

/* How long quiet_pass() waits; if the machine is too busy, the clock process asks again. */
#define PASS_TIMEOUT_NS (20 * NS_PER_MS)
/* A state of handshakes that user space headers don't name (include/net/tcp_states.h). */
enum { TCP_NEW_SYN_RECEIVED = 12 };
/* idiag_timer (net/ipv4/inet_diag.c, inet_sk_diag_fill()). */
enum { TIMER_KEEP_ALIVE = 2 };

struct quiet {
	struct mnl_socket *diag;
	/* Death notices of UDP sockets; the injector receives those of TCP. */
	struct mnl_socket *deaths;
	int loop_fd; /* a socket that is connected to itself */
	uint64_t serial;
	cpu_set_t processors;
	int n_processors;
	const struct address_networks *networks; /* NULL: all sockets are the sandbox's */
	struct net_count_files files;
	struct net_counts counts; /* as they have to be if nothing was sent since the last look */
	bool was_calm;            /* the last look */
};

static int open_loop(void)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(address);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return steal_fd(&fd);
}

static int open_deaths(struct mnl_socket **ret)
{
	int r = netlink_open(NETLINK_SOCK_DIAG, ret);

	return r == 0 ? netlink_join(*ret, SKNLGRP_INET_UDP_DESTROY) : r;
}

int quiet_new(const struct address_networks *networks, struct quiet **ret)
{
	struct quiet *quiet = xzalloc(sizeof(*quiet));
	int r = net_count_files_open(&quiet->files);

	quiet->networks = networks;
	quiet->loop_fd = open_loop();
	if (r == 0)
		r = quiet->loop_fd < 0 ? quiet->loop_fd
				       : netlink_open(NETLINK_SOCK_DIAG, &quiet->diag);
	if (r == 0)
		r = open_deaths(&quiet->deaths);
	if (r == 0 && sched_getaffinity(0, sizeof(quiet->processors), &quiet->processors) < 0)
		r = -errno;
	quiet->n_processors = CPU_COUNT(&quiet->processors);
	if (r < 0) {
		quiet_free(quiet);
		return r;
	}
	*ret = quiet;
	return 0;
}

void quiet_free(struct quiet *quiet)
{
	if (!quiet)
		return;
	cleanup_close(&quiet->loop_fd);
	if (quiet->diag)
		mnl_socket_close(quiet->diag);
	if (quiet->deaths)
		mnl_socket_close(quiet->deaths);
	net_count_files_close(&quiet->files);
	free(quiet);
}

/* ---- what leaves no trace in the sockets ---- */

static bool wait_readable(int fd, int64_t until_ns)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int64_t left_ns = until_ns - clock_kernel_ns();
	const struct timespec timeout = {.tv_nsec = MAX(left_ns, 0)};

	return left_ns > 0 && ppoll(&poll_fd, 1, &timeout, NULL) > 0;
}

/* Sends a datagram behind all packets queued on this processor, and waits for it. */
static bool pass_packets(struct quiet *quiet, int64_t until_ns)
{
	const uint64_t serial = ++quiet->serial;
	uint64_t got = 0;

	if (send(quiet->loop_fd, &serial, sizeof(serial), 0) < 0)
		return false;
	do {
		if (recv(quiet->loop_fd, &got, sizeof(got), 0) < 0 &&
		    (errno != EAGAIN || !wait_readable(quiet->loop_fd, until_ns)))
			return false;
	} while (got != serial);
	return true;
}

/* Reads the next notice. Returns 1 and the socket's cookie, 0 without a notice, or -errno. */
static int read_death(const struct quiet *quiet, uint64_t *ret_cookie)
{
	char buffer[4096] __attribute__((aligned(8))) = {0};
	const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
	const struct inet_diag_msg *diag = mnl_nlmsg_get_payload(message);
	ssize_t length =
		recv(mnl_socket_get_fd(quiet->deaths), buffer, sizeof(buffer), MSG_DONTWAIT);

	if (length < 0)
		return errno == EAGAIN ? 0 : -errno;
	*ret_cookie = 0;
	if (mnl_nlmsg_ok(message, (int)length) &&
	    message->nlmsg_len >= MNL_NLMSG_HDRLEN + sizeof(*diag))
		*ret_cookie = (uint64_t)diag->id.idiag_cookie[1] << 32 | diag->id.idiag_cookie[0];
	return 1;
}

/* Closes a socket behind all that were closed on this processor, and waits for its notice. */
static bool pass_deaths(const struct quiet *quiet, int64_t until_ns)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0, reported = 0;
	socklen_t length = sizeof(cookie);
	bool known;

	if (fd < 0)
		return false;
	known = getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0;
	close(fd);
	while (known && reported != cookie) {
		int r = read_death(quiet, &reported);

		/* The notice may have been lost; the clock process will ask again. */
		if (r < 0 || (r == 0 && !wait_readable(mnl_socket_get_fd(quiet->deaths), until_ns)))
			return false;
	}
	return known;
}

bool quiet_pass(struct quiet *quiet)
{
	const int64_t until_ns = clock_kernel_ns() + PASS_TIMEOUT_NS;
	bool passed = net_counts_read(&quiet->files, &quiet->counts);

	quiet->was_calm = false;
	for (int i = 0; passed && i < CPU_SETSIZE; i++) {
		cpu_set_t one;

		if (!CPU_ISSET(i, &quiet->processors))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		if (quiet->n_processors > 1 && sched_setaffinity(0, sizeof(one), &one) < 0)
			passed = false;
		passed = passed && pass_packets(quiet, until_ns) && pass_deaths(quiet, until_ns);
	}
	if (quiet->n_processors > 1)
		(void)sched_setaffinity(0, sizeof(quiet->processors), &quiet->processors);
	return passed;
}

/* ---- what shows in the sockets ---- */

bool quiet_is_calm(const struct quiet_socket *socket, quiet_withholds_fn withholds, void *userdata)
{
	bool calm;

	if (socket->protocol != IPPROTO_TCP)
		return socket->unread == 0;
	switch (socket->state) {
	case TCP_LISTEN:
		return socket->unread == 0;
	case TCP_TIME_WAIT:
	case TCP_CLOSE:
		return true;
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT2:
		calm = socket->unread == 0 && socket->unsent == 0;
		break;
	case TCP_CLOSE_WAIT:
		/* The peer's FIN counts as 1 unread byte, and a program need not read it. */
		calm = socket->unread <= 1 && socket->unsent == 0;
		break;
	default:
		calm = false;
	}
	/* Keep-alive may end a stalled connection, by the kernel's clock. */
	return calm || (withholds(userdata, socket) && socket->timer != TIMER_KEEP_ALIVE);
}

struct look {
	const struct address_networks *networks;
	quiet_withholds_fn withholds;
	void *userdata;
	struct clock_waiting *waiting;
	uint8_t protocol;
	bool calm;
};

static int take_socket(const struct nlmsghdr *message, void *userdata)
{
	struct look *look = userdata;
	const struct inet_diag_msg *diag = mnl_nlmsg_get_payload(message);
	struct quiet_socket socket;

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*diag))
		return MNL_CB_OK;
	socket = (struct quiet_socket){
		.protocol = look->protocol,
		.state = diag->idiag_state == TCP_NEW_SYN_RECEIVED ? TCP_SYN_RECV
								   : diag->idiag_state,
		.timer = diag->idiag_timer,
		.unread = diag->idiag_rqueue,
		.unsent = diag->idiag_wqueue,
		.inode = diag->idiag_inode,
	};
	socket.local =
		address_from_socket(diag->idiag_family, diag->id.idiag_src, diag->id.idiag_sport);
	socket.remote =
		address_from_socket(diag->idiag_family, diag->id.idiag_dst, diag->id.idiag_dport);
	if (look->networks && !address_networks_have(look->networks, &socket.local) &&
	    !address_networks_have(look->networks, &socket.remote))
		return MNL_CB_OK;
	if (look->protocol == IPPROTO_TCP && socket.state == TCP_SYN_SENT && socket.inode != 0)
		array_append(look->waiting->inodes, look->waiting->n_inodes,
			     look->waiting->capacity, socket.inode);
	if (!quiet_is_calm(&socket, look->withholds, look->userdata))
		look->calm = false;
	return MNL_CB_OK;
}

static void forget(void *userdata)
{
	struct look *look = userdata;

	look->calm = true;
}

static bool look_at(struct quiet *quiet, struct look *look, uint8_t family, uint8_t protocol)
{
	char buffer[256] __attribute__((aligned(8))) = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;
	int r;

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = (uint32_t)++quiet->serial;
	request = mnl_nlmsg_put_extra_header(message, sizeof(*request));
	request->sdiag_family = family;
	request->sdiag_protocol = protocol;
	request->idiag_states = UINT32_MAX;
	look->protocol = protocol;
	r = netlink_dump(quiet->diag, message, forget, take_socket, look);
	if (r == 0 || r == -ENOENT)
		/* A kernel without this family has no sockets of it. */
		return look->calm;
	/* The rest of this answer must not be taken for the answer to the next request. */
	mnl_socket_close(quiet->diag);
	quiet->diag = NULL;
	return false;
}

static bool is_as_counted(const struct quiet *quiet)
{
	struct net_counts now;

	return net_counts_read(&quiet->files, &now) && net_counts_are_same(&now, &quiet->counts);
}

bool quiet_look(struct quiet *quiet, quiet_withholds_fn withholds, void *userdata,
		struct clock_waiting *waiting)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct look look = {
		.networks = quiet->networks,
		.withholds = withholds,
		.userdata = userdata,
		.waiting = waiting,
	};

	if (!quiet->diag && netlink_open(NETLINK_SOCK_DIAG, &quiet->diag) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (!look_at(quiet, &look, families[i], IPPROTO_TCP) ||
		    !look_at(quiet, &look, families[i], IPPROTO_UDP))
			return false;
	/* Only the datagrams of quiet_pass() may have been sent since it began. */
	quiet->counts.sent += (uint64_t)quiet->n_processors;
	quiet->was_calm = is_as_counted(quiet);
	/* In a network that others use, too, the counts are theirs as well. */
	return quiet->networks || quiet->was_calm;
}

bool quiet_stays(const struct quiet *quiet)
{
	return quiet->was_calm && is_as_counted(quiet);
}
