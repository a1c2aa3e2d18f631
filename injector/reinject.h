/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends a copy of a SYN that was dropped in the output hook. A held SYN there would stop the
 * kernel's retransmission (net/ipv4/tcp_output.c, skb_still_in_host_queue), which a slow network
 * does not do. A dropped SYN does not. So the SYN is dropped, and when it is due, a copy is sent
 * with a mark that leads it past the queue. This needs CAP_NET_RAW.
 */
#ifndef SYNFAULT_INJECTOR_REINJECT_H
#define SYNFAULT_INJECTOR_REINJECT_H

#include "common/util.h"

struct reinject;

/**
 * reinject_open() - open the sockets to send with; reinject_free() closes them
 *
 * Return: 0, -EPERM without CAP_NET_RAW, or another negative errno.
 */
int reinject_open(struct reinject **ret);
/** reinject_free() - close the sockets; NULL is allowed */
void reinject_free(struct reinject *reinject);

/**
 * reinject_prepare() - prepare a packet from the queue to be sent: compute the checksum that the
 * kernel left to the network card, in place
 *
 * Return: 0, or -EINVAL if it can't be sent: it was not copied as a whole, or has IPv6 extension
 * headers.
 */
int reinject_prepare(uint8_t *data, size_t length);

/** reinject_send() - send a prepared packet with a firewall mark; return 0 or a negative errno */
int reinject_send(const struct reinject *reinject, const uint8_t *data, size_t length,
		  uint32_t mark);

#endif
