/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends a copy of a SYN that was taken out of the output hook. There a SYN that is held stops the
 * kernel's retransmission (net/ipv4/tcp_output.c, skb_still_in_host_queue), as no slow network
 * does. One that is dropped does not: so it is dropped, and its copy, which a mark leads past the
 * queue, goes out when the time has come. That takes CAP_NET_RAW.
 */
#ifndef SYNFAULT_INJECTOR_REINJECT_H
#define SYNFAULT_INJECTOR_REINJECT_H

#include "common/util.h"

struct reinject;

/* Returns 0, -EPERM without CAP_NET_RAW, or another negative errno. */
int reinject_open(struct reinject **ret);
void reinject_free(struct reinject *reinject);

/*
 * Makes @data, a packet as the queue gives it, one that can be sent: computes the checksum that was
 * left to the network card. Returns 0, or -EINVAL for what can't be sent again: a packet of which
 * there is only a part, or with IPv6 extension headers.
 */
int reinject_prepare(uint8_t *data, size_t length);

/* Sends a prepared packet with this mark. Returns 0 or a negative errno. */
int reinject_send(const struct reinject *reinject, const uint8_t *data, size_t length,
		  uint32_t mark);

#endif
