/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink sockets: opens them, sends messages in batches, and reads answers and dumps.
 *
 * The kernel handles a datagram before sendmsg() returns (net/netlink/af_netlink.c,
 * netlink_unicast_kernel), so all answers can be read without waiting.
 */
#ifndef SYNFAULT_INJECTOR_NETLINK_H
#define SYNFAULT_INJECTOR_NETLINK_H

#include <libmnl/libmnl.h>

#include "injector/address.h"

/**
 * netlink_open() - open and bind a socket in the calling process's network namespace
 * @bus: NETLINK_NETFILTER and its like
 * @ret: the socket; close it with mnl_socket_close()
 *
 * Return: 0 or a negative errno.
 */
int netlink_open(int bus, struct mnl_socket **ret);
/** netlink_join() - receive the messages of a multicast group, too; return 0 or a negative errno */
int netlink_join(const struct mnl_socket *socket, int group);

/**
 * netlink_map() - allocate cleared pages for bursts of messages, or end the process
 *
 * They take memory only once they are written to; the heap would clear what it hands out again.
 * Free them with munmap().
 */
void *netlink_map(size_t size);

/* Messages to send together. Zero-initialise it; free it with netlink_batch_deinit(). */
struct netlink_batch {
	uint8_t *data; /* owned */
	size_t length, capacity;
	size_t last; /* where the last message begins */
};

/**
 * netlink_batch_room() - return room for one more message of at most @size bytes, valid until the
 * next call
 */
char *netlink_batch_room(struct netlink_batch *batch, size_t size);
/** netlink_batch_add() - add the message that was written to that room */
void netlink_batch_add(struct netlink_batch *batch);
/** netlink_batch_acknowledge() - ask the kernel to acknowledge the last message */
void netlink_batch_acknowledge(struct netlink_batch *batch);
/** netlink_batch_deinit() - free the messages */
void netlink_batch_deinit(struct netlink_batch *batch);

/**
 * netlink_batch_send() - send all messages in one datagram, and read the answers
 * @batch: at least one message must request an acknowledgment (NLM_F_ACK)
 * @socket: where to send it
 * @ret_failed: the sequence number of the first message that failed; NULL: not needed
 *
 * Return: 0 if there was an acknowledgment and no error; the first error; -EPROTO if there was no
 * answer.
 */
int netlink_batch_send(const struct netlink_batch *batch, struct mnl_socket *socket,
		       uint32_t *ret_failed);

/**
 * netlink_ask() - send a request and read one answer
 * @socket: where to send it
 * @request: the message
 * @buffer: gets the answer
 * @size: bytes at @buffer
 *
 * Return: the answer's length, or a negative errno: the kernel's error, or -EPROTO for an
 * acknowledgment.
 */
int netlink_ask(struct mnl_socket *socket, const struct nlmsghdr *request, void *buffer,
		size_t size);

/**
 * netlink_dump() - send a request and pass each message of the answer to a callback
 * @socket: where to send it
 * @request: the message, with NLM_F_DUMP
 * @reset: called before each try, to forget what @callback got; NULL: try only once, even if the
 *         tables change during the dump
 * @callback: returns MNL_CB_OK, or MNL_CB_ERROR to end the dump with -EPROTO
 * @userdata: for both callbacks
 *
 * Tries again if the tables changed during the dump. Ends at NLMSG_DONE or at an acknowledgment.
 *
 * Return: 0; -EINTR if the tables changed during each of many tries; another negative errno.
 */
int netlink_dump(struct mnl_socket *socket, const struct nlmsghdr *request,
		 void (*reset)(void *userdata), mnl_cb_t callback, void *userdata);

/**
 * netlink_ask_route() - ask the kernel for the route to an address
 * @socket: of NETLINK_ROUTE
 * @to: the address
 * @buffer: gets the answer, an RTM_NEWROUTE message
 * @size: bytes at @buffer
 *
 * Return: as netlink_ask().
 */
int netlink_ask_route(struct mnl_socket *socket, const struct address *to, void *buffer,
		      size_t size);

#endif
