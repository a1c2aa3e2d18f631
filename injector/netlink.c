/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens netlink sockets, sends batches, reads answers and dumps: see netlink.h. */
#include "injector/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* How often to repeat a dump that changes by other processes have interrupted. */
enum { DUMP_TRIES = 200 };

enum { BUFFER_SIZE = 16384 };

int netlink_open(int bus, struct mnl_socket **ret)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int on = 1, r;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		mnl_socket_close(socket);
		return r;
	}
	/* errors without a copy of their message */
	(void)mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	*ret = socket;
	return 0;
}

int netlink_join(const struct mnl_socket *socket, int group)
{
	return mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0
		       ? -errno
		       : 0;
}

void *netlink_map(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		out_of_memory();
	return pages;
}

char *netlink_batch_room(struct netlink_batch *batch, size_t size)
{
	if (batch->capacity - batch->length < size) {
		batch->capacity = batch->capacity * 2 + size;
		batch->data = xrealloc(batch->data, batch->capacity);
	}
	return (char *)batch->data + batch->length;
}

static struct nlmsghdr *message_at(const struct netlink_batch *batch, size_t offset)
{
	return (struct nlmsghdr *)(batch->data + offset);
}

void netlink_batch_add(struct netlink_batch *batch)
{
	batch->last = batch->length;
	batch->length += MNL_ALIGN(message_at(batch, batch->length)->nlmsg_len);
}

void netlink_batch_acknowledge(struct netlink_batch *batch)
{
	message_at(batch, batch->last)->nlmsg_flags |= NLM_F_ACK;
}

void netlink_batch_deinit(struct netlink_batch *batch)
{
	free(batch->data);
	*batch = (struct netlink_batch){0};
}

/* Receives a message, also across signals. Returns its length or a negative errno. */
static ssize_t receive(struct mnl_socket *socket, void *buffer, size_t size, int flags)
{
	ssize_t length;

	do {
		length = recv(mnl_socket_get_fd(socket), buffer, size, flags);
	} while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : length;
}

/*
 * Reads the available answers. Stops at the first acknowledgment, so that messages of other kinds
 * after it (packets, on a socket that is bound to a log) stay in the socket.
 */
static int read_answers(struct mnl_socket *socket, uint32_t *ret_failed)
{
	uint8_t buffer[BUFFER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	int r = -EPROTO;

	while (r != 0) {
		ssize_t length = receive(socket, buffer, sizeof(buffer), MSG_DONTWAIT);
		const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
		int left = (int)length;

		if (length == -ENOBUFS && r != -EPROTO)
			continue; /* more errors than fit; the first one is known */
		if (length < 0)
			return length == -EAGAIN ? r : (int)length;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			const struct nlmsgerr *answer = mnl_nlmsg_get_payload(message);

			if (message->nlmsg_type != NLMSG_ERROR || r != -EPROTO)
				continue;
			r = answer->error;
			if (r < 0 && ret_failed)
				*ret_failed = message->nlmsg_seq;
		}
	}
	return r;
}

int netlink_batch_send(const struct netlink_batch *batch, struct mnl_socket *socket,
		       uint32_t *ret_failed)
{
	int fd = mnl_socket_get_fd(socket);
	int size = (int)(batch->length + 4096);

	/* a netlink message must fit into the send buffer (net/netlink/af_netlink.c) */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
		return -errno;
	if (mnl_socket_sendto(socket, batch->data, batch->length) < 0)
		return -errno;
	return read_answers(socket, ret_failed);
}

int netlink_ask(struct mnl_socket *socket, const struct nlmsghdr *request, void *buffer,
		size_t size)
{
	uint32_t sequence = request->nlmsg_seq;
	const struct nlmsghdr *message = buffer;
	ssize_t length;

	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	length = receive(socket, buffer, size, 0);
	if (length < 0)
		return (int)length;
	if (!mnl_nlmsg_ok(message, (int)length) || message->nlmsg_seq != sequence)
		return -EPROTO;
	if (message->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

		return error->error < 0 ? error->error : -EPROTO;
	}
	return (int)length;
}

/* Returns 0, -EINTR if something changed during the dump, or another negative errno. */
static int dump_once(struct mnl_socket *socket, const struct nlmsghdr *request, mnl_cb_t callback,
		     void *userdata)
{
	uint8_t buffer[BUFFER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool interrupted = false;

	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t length = receive(socket, buffer, sizeof(buffer), 0);
		const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
		int left = (int)length;

		if (length < 0)
			return (int)length;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

			interrupted = interrupted || message->nlmsg_flags & NLM_F_DUMP_INTR;
			if (message->nlmsg_type == NLMSG_ERROR)
				return error->error;
			if (message->nlmsg_type == NLMSG_DONE)
				return interrupted ? -EINTR : 0;
			if (callback(message, userdata) < 0)
				return -EPROTO;
		}
	}
}

int netlink_dump(struct mnl_socket *socket, const struct nlmsghdr *request,
		 void (*reset)(void *userdata), mnl_cb_t callback, void *userdata)
{
	int r = -EINTR;

	if (!reset) {
		r = dump_once(socket, request, callback, userdata);
		return r == -EINTR ? 0 : r;
	}
	for (int tries = 0; tries < DUMP_TRIES && r == -EINTR; tries++) {
		reset(userdata);
		r = dump_once(socket, request, callback, userdata);
	}
	return r;
}

int netlink_ask_route(struct mnl_socket *socket, const struct address *to, void *buffer,
		      size_t size)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct rtmsg *message = mnl_nlmsg_put_extra_header(header, sizeof(*message));

	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST;
	message->rtm_family = (uint8_t)to->family;
	message->rtm_dst_len = (uint8_t)(8 * address_size(to));
	mnl_attr_put(header, RTA_DST, address_size(to), to->bytes);
	return netlink_ask(socket, header, buffer, size);
}
