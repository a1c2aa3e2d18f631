/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads packets that the kernel logs: see nflog.h. Each of the two logs is a group of nfnetlink_log
 * with its own netlink socket. At the end the groups are unbound. The kernel then delivers what it
 * has gathered before sendmsg() returns (net/netfilter/nfnetlink_log.c, __instance_destroy), so
 * there is nothing to wait for.
 */
#include "injector/nflog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "common/confine.h"
#include "common/duration.h"
#include "injector/event_loop.h"
#include "injector/netlink.h"
#include "injector/nflog_rules.h"

/* Room for a message with a bundle of packets: the kernel's 64 KiB, rounded up by its allocator. */
#define MESSAGE_MAX    (160 * 1024)
#define RECEIVE_BUFFER (16 << 20)
/* The largest payload that a netlink attribute can hold. */
#define COPY_RANGE UINT32_C(0xfffb)
/* Limits of a bundle: packets, bytes, and how long to gather them (in 1/100 s). */
#define BUNDLE_PACKETS 256
#define BUNDLE_BYTES   UINT32_C(65536)
#define BUNDLE_TIME    1
/* The most messages to read from one log before the other gets its turn. */
#define TURN 64
/*
 * The most messages to read on the loop. To start a thread takes longer than everything else in a
 * capture of a few packets, and most scenarios send no more.
 */
#define LOOP_MESSAGES 64
/* The most messages to read at the end, since other programs may keep sending. */
#define LAST_TURN 4096

enum { LOG_CONTROL, LOG_DATA, N_LOGS };

struct log {
	struct mnl_socket *socket;
	uint16_t group;
	bool control;
	bool at_once;  /* no bundles */
	bool numbered; /* .next is valid */
	uint32_t next; /* sequence number of the next packet */
	uint64_t lost;
};

struct nflog {
	struct log logs[N_LOGS];
	struct event *readable[N_LOGS]; /* on the loop; NULL: the thread reads */
	size_t n_messages;              /* read on the loop */
	int stop_fd;                    /* stops the thread; -1: there is none */
	pthread_t thread;
	void (*on_packet)(void *userdata, const struct nflog_packet *packet);
	void *userdata;
};

/* ---- configuration ---- */

static struct nlmsghdr *config_begin(void *buffer, uint16_t group, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	message->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header->nfgen_family = AF_UNSPEC;
	header->version = NFNETLINK_V0;
	header->res_id = htons(group);
	return message;
}

static void put_command(struct nlmsghdr *message, uint8_t command)
{
	const struct nfulnl_msg_config_cmd value = {.command = command};

	mnl_attr_put(message, NFULA_CFG_CMD, sizeof(value), &value);
}

/* Waits for the answer to a message. Returns 0 or a negative errno. */
static int read_answer(struct mnl_socket *socket)
{
	uint8_t buffer[1024] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

	if (length < 0)
		return -errno;
	return mnl_cb_run(buffer, (size_t)length, 0, mnl_socket_get_portid(socket), NULL, NULL) < 0
		       ? -errno
		       : 0;
}

static int bind_group(const struct log *log)
{
	uint8_t buffer[512] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nfulnl_msg_config_mode mode = {.copy_range = htonl(COPY_RANGE),
						    .copy_mode = NFULNL_COPY_PACKET};
	struct nlmsghdr *message = config_begin(buffer, log->group, NLM_F_ACK);

	put_command(message, NFULNL_CFG_CMD_BIND);
	mnl_attr_put(message, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u16(message, NFULA_CFG_FLAGS,
			 htons(NFULNL_CFG_F_SEQ | NFULNL_CFG_F_SEQ_GLOBAL));
	mnl_attr_put_u32(message, NFULA_CFG_QTHRESH, htonl(log->at_once ? 1 : BUNDLE_PACKETS));
	if (!log->at_once) {
		mnl_attr_put_u32(message, NFULA_CFG_NLBUFSIZ, htonl(BUNDLE_BYTES));
		mnl_attr_put_u32(message, NFULA_CFG_TIMEOUT, htonl(BUNDLE_TIME));
	}
	if (mnl_socket_sendto(log->socket, message, message->nlmsg_len) < 0)
		return -errno;
	return read_answer(log->socket);
}

static void unbind_group(const struct log *log)
{
	uint8_t buffer[128] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *message = config_begin(buffer, log->group, 0);

	put_command(message, NFULNL_CFG_CMD_UNBIND);
	(void)!mnl_socket_sendto(log->socket, message, message->nlmsg_len);
}

static int log_open(struct log *log)
{
	int size = RECEIVE_BUFFER, fd, r;

	r = netlink_open(NETLINK_NETFILTER, &log->socket);
	if (r < 0)
		return r;
	fd = mnl_socket_get_fd(log->socket);
	/* In a user namespace only the normal limit is allowed. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return bind_group(log);
}

/* ---- packets ---- */

/* Returns a packet's length by its IP header; fewer bytes may have been captured. */
static uint32_t packet_length(const uint8_t *data, uint32_t captured)
{
	uint32_t length = 0;

	if (captured >= 20 && data[0] >> 4 == 4)
		length = (uint32_t)(data[2] << 8 | data[3]);
	else if (captured >= 40 && data[0] >> 4 == 6)
		length = 40 + (uint32_t)(data[4] << 8 | data[5]);
	return MAX(length, captured);
}

static void note_time(const struct nlattr *attribute, struct nflog_packet *packet)
{
	struct nfulnl_msg_packet_timestamp stamp;

	packet->read_late = !attribute || mnl_attr_get_payload_len(attribute) < sizeof(stamp);
	if (packet->read_late) {
		packet->at_ns = clock_realtime_ns();
		return;
	}
	memcpy(&stamp, mnl_attr_get_payload(attribute), sizeof(stamp));
	packet->at_ns =
		(int64_t)be64toh(stamp.sec) * NS_PER_S + (int64_t)be64toh(stamp.usec) * NS_PER_US;
}

/* Counts lost packets: those whose sequence numbers are missing. */
static void count_lost(struct log *log, const struct nlattr *attribute)
{
	uint32_t number;

	if (!attribute || mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
		return;
	number = ntohl(mnl_attr_get_u32(attribute));
	if (log->numbered)
		log->lost += number - log->next;
	log->numbered = true;
	log->next = number + 1;
}

static void take_packet(struct nflog *tap, struct log *log, const struct nlmsghdr *message)
{
	const struct nlattr *attributes[NFULA_MAX + 1] = {0}, *attribute, *payload, *interface,
						    *order;
	struct nflog_packet packet = {.control = log->control};

	if (message->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
		return;
	mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attribute) <= NFULA_MAX)
			attributes[mnl_attr_get_type(attribute)] = attribute;
	}
	count_lost(log, attributes[NFULA_SEQ]);
	payload = attributes[NFULA_PAYLOAD];
	order = attributes[NFULA_SEQ_GLOBAL];
	interface = attributes[NFULA_IFINDEX_INDEV] ? attributes[NFULA_IFINDEX_INDEV]
						    : attributes[NFULA_IFINDEX_OUTDEV];
	if (!payload)
		return;
	if (interface && mnl_attr_validate(interface, MNL_TYPE_U32) == 0)
		packet.interface = ntohl(mnl_attr_get_u32(interface));
	if (order && mnl_attr_validate(order, MNL_TYPE_U32) == 0)
		packet.order = ntohl(mnl_attr_get_u32(order));
	note_time(attributes[NFULA_TIMESTAMP], &packet);
	packet.data = mnl_attr_get_payload(payload);
	packet.captured = mnl_attr_get_payload_len(payload);
	packet.length = packet_length(packet.data, packet.captured);
	tap->on_packet(tap->userdata, &packet);
}

/* Reads available messages, at most @most. Returns how many there were. */
static size_t read_log(struct nflog *tap, struct log *log, size_t most)
{
	/* Not from the heap: for a block of this size malloc() would touch, and so copy, many pages
	 * that are shared since the fork. */
	uint8_t buffer[MESSAGE_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	size_t n = 0;

	for (size_t i = 0; i < most; i++) {
		ssize_t length =
			recv(mnl_socket_get_fd(log->socket), buffer, sizeof(buffer), MSG_DONTWAIT);
		const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
		int left = (int)length;

		/* Some were lost; the missing numbers will show how many. */
		if (length < 0 && (errno == ENOBUFS || errno == EINTR))
			continue;
		if (length <= 0)
			break;
		n++;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			take_packet(tap, log, message);
	}
	return n;
}

static void *read_logs(void *userdata)
{
	struct nflog *tap = userdata;
	struct pollfd fds[N_LOGS + 1] = {[N_LOGS] = {.fd = tap->stop_fd, .events = POLLIN}};

	/* Capabilities are a thread's own: to read what the kernel sends, it needs none. */
	(void)confine_capabilities(0);
	for (size_t i = 0; i < N_LOGS; i++)
		fds[i] = (struct pollfd){.fd = mnl_socket_get_fd(tap->logs[i].socket),
					 .events = POLLIN};
	while (!(fds[N_LOGS].revents & POLLIN)) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		for (size_t i = 0; i < N_LOGS; i++)
			if (fds[i].revents)
				(void)read_log(tap, &tap->logs[i], TURN);
	}
	return NULL;
}

/* ---- the loop and the thread ---- */

static void leave_loop(struct nflog *tap)
{
	for (size_t i = 0; i < N_LOGS; i++) {
		if (tap->readable[i])
			event_free(tap->readable[i]);
		tap->readable[i] = NULL;
	}
}

/* Starts the thread, with all signals blocked. If that fails, the loop goes on reading. */
static void start_thread(struct nflog *tap)
{
	sigset_t all, old;
	int error;

	tap->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (tap->stop_fd < 0)
		return;
#ifdef M_ARENA_MAX
	/* glibc would make another heap for the thread, which takes as long as the thread
	 * itself. */
	mallopt(M_ARENA_MAX, 1);
#endif
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&tap->thread, NULL, read_logs, tap);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error)
		cleanup_close(&tap->stop_fd);
	else
		leave_loop(tap);
}

static void log_readable(evutil_socket_t fd, short what, void *userdata)
{
	struct nflog *tap = userdata;
	bool data = fd == mnl_socket_get_fd(tap->logs[LOG_DATA].socket);

	(void)what;
	/* After data, more will come. */
	if (data || tap->n_messages > LOOP_MESSAGES)
		start_thread(tap);
	if (tap->stop_fd < 0)
		tap->n_messages += read_log(tap, &tap->logs[data ? LOG_DATA : LOG_CONTROL], TURN);
}

static void join_loop(struct nflog *tap, struct event_base *base)
{
	for (size_t i = 0; i < N_LOGS; i++)
		tap->readable[i] = event_loop_readable(base, mnl_socket_get_fd(tap->logs[i].socket),
						       log_readable, tap);
}

/* ---- beginning and end ---- */

static void tap_free(struct nflog *tap)
{
	leave_loop(tap);
	for (size_t i = 0; i < N_LOGS; i++)
		if (tap->logs[i].socket)
			mnl_socket_close(tap->logs[i].socket);
	if (tap->stop_fd >= 0)
		close(tap->stop_fd);
	free(tap);
}

/* Returns 0, or a negative errno with the reason. */
static int tap_open(struct nflog *tap, const struct nflog_config *config, char **ret_reason)
{
	int status = 0;

	for (size_t i = 0; !status && i < N_LOGS; i++) {
		tap->logs[i].group = (uint16_t)(config->group + i);
		tap->logs[i].control = i == LOG_CONTROL;
		/* Outgoing packets get the time at which they are read, so read them soon. */
		tap->logs[i].at_once = i == LOG_CONTROL || config->n_remotes > 0;
		status = log_open(&tap->logs[i]);
	}
	if (status < 0) {
		*ret_reason = xasprintf(
			"the kernel does not deliver logged packets (%s): it needs nfnetlink_log "
			"(CONFIG_NETFILTER_NETLINK_LOG), and synfault needs CAP_NET_ADMIN",
			strerror(-status));
		return status;
	}
	status = nflog_rules_install(config, tap->logs[LOG_DATA].socket);
	if (status < 0) {
		*ret_reason = status == -ENOENT
				      ? xstrdup("the kernel can't log packets (CONFIG_NFT_LOG)")
				      : xasprintf("can't install the rules that log packets: %s",
						  strerror(-status));
		return status;
	}
	join_loop(tap, config->base);
	/* Outgoing packets get the time at which they are read: start the thread now. */
	if (config->n_remotes > 0)
		start_thread(tap);
	return status;
}

int nflog_probe(uint16_t group)
{
	struct log log = {.group = group};
	int status = log_open(&log);

	if (log.socket)
		mnl_socket_close(log.socket);
	return status;
}

int nflog_new(const struct nflog_config *config, char **ret_reason, struct nflog **ret)
{
	struct nflog *tap = xzalloc(sizeof(*tap));
	int status;

	tap->on_packet = config->on_packet;
	tap->userdata = config->userdata;
	tap->stop_fd = -1;
	status = tap_open(tap, config, ret_reason);
	if (status < 0)
		tap_free(tap);
	else
		*ret = tap;
	return status;
}

uint64_t nflog_end(struct nflog *tap)
{
	const uint64_t one = 1;
	uint64_t lost = 0;

	for (size_t i = 0; i < N_LOGS; i++)
		unbind_group(&tap->logs[i]);
	if (tap->stop_fd >= 0) {
		(void)!write(tap->stop_fd, &one, sizeof(one));
		pthread_join(tap->thread, NULL);
	}
	for (size_t i = 0; i < N_LOGS; i++) {
		(void)read_log(tap, &tap->logs[i], LAST_TURN);
		lost += tap->logs[i].lost;
	}
	tap_free(tap);
	return lost;
}
