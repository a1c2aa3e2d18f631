/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink sockets: opening, messages that are gathered and sent as one, the kernel's answers, and
 * dumps.
 *
 * The kernel handles a datagram before sendmsg() returns (net/netlink/af_netlink.c,
 * netlink_unicast_kernel), so that all answers can be read without waiting.
 */
#ifndef SYNFAULT_INJECTOR_NETLINK_H
#define SYNFAULT_INJECTOR_NETLINK_H

#include <libmnl/libmnl.h>

#include "injector/address.h"

/**
 * netlink_open() - open and bind a socket in the calling process's network namespace
 * @bus: NETLINK_NETFILTER and its like
 *
 * Return: 0 or a negative errno.
 */
int netlink_open(int bus, struct mnl_socket **ret);

/* Messages on their way to the kernel. All zero is an empty one. */
struct netlink_batch {
	uint8_t *data; /* owned */
	size_t length, capacity;
	size_t last; /* where the last message begins */
};

/* Returns room for one more message of at most @size bytes, valid until the next call. */
char *netlink_batch_room(struct netlink_batch *batch, size_t size);
/* Takes the message that was written to that room. */
void netlink_batch_add(struct netlink_batch *batch);
/* Asks the kernel to acknowledge the last message. */
void netlink_batch_acknowledge(struct netlink_batch *batch);
void netlink_batch_deinit(struct netlink_batch *batch);

/**
 * netlink_batch_send() - send all messages in one datagram, and read the answers
 * @ret_failed: the sequence number of the first message that was refused; NULL: not needed
 *
 * At least one of the messages has to ask for an acknowledgment (NLM_F_ACK).
 *
 * Return: 0 when there was an acknowledgment and no error; the first error; -EPROTO when there was
 * no answer at all.
 */
int netlink_batch_send(const struct netlink_batch *batch, struct mnl_socket *socket,
		       uint32_t *ret_failed);

/**
 * netlink_ask() - send one request and read one answer
 * @buffer: for the answer, @size bytes
 *
 * Return: the answer's length; or a negative errno, the kernel's own error included (0 of an
 * acknowledgment is -EPROTO).
 */
int netlink_ask(struct mnl_socket *socket, const struct nlmsghdr *request, void *buffer,
		size_t size);

/**
 * netlink_dump() - send a request and hand over each message that answers it
 * @reset: forgets what was handed over, before each try; NULL: one try, which is good enough even
 *         if the tables change meanwhile
 * @callback: returns MNL_CB_OK, or MNL_CB_ERROR, which ends the dump with -EPROTO
 *
 * Asks again when the tables have changed during the dump. Ends with NLMSG_DONE or with an
 * acknowledgment.
 *
 * Return: 0; -EINTR when the tables changed during each of many tries; another negative errno.
 */
int netlink_dump(struct mnl_socket *socket, const struct nlmsghdr *request,
		 void (*reset)(void *userdata), mnl_cb_t callback, void *userdata);

/**
 * netlink_ask_route() - ask how packets get to an address
 * @socket: of NETLINK_ROUTE
 * @buffer: for the answer: an RTM_NEWROUTE message at its beginning
 *
 * Return: as netlink_ask().
 */
int netlink_ask_route(struct mnl_socket *socket, const struct address *to, void *buffer,
		      size_t size);

#endif
