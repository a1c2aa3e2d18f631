/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends arbitrary packets without CAP_NET_RAW. A carrier is a datagram that we send to ourselves,
 * with a mark by which the rules queue it on its way out. The verdict replaces it by the packet to
 * send, which goes on like any other (net/netfilter/nfnetlink_queue.c, nfqnl_mangle). The kernel
 * looks up its route again, since the addresses have changed (net/netfilter/utils.c, nf_reroute).
 */
#ifndef SYNFAULT_INJECTOR_UDP_INJECT_H
#define SYNFAULT_INJECTOR_UDP_INJECT_H

#include "injector/address.h"

struct udp_inject;

/**
 * udp_inject_new() - open the sockets; udp_inject_free() closes them
 * @mark: from fwmark_udp_inject()
 *
 * Return: 0 or a negative errno (-EPERM without CAP_NET_ADMIN).
 */
int udp_inject_new(uint32_t mark, struct udp_inject **ret);
/** udp_inject_free() - close the sockets; NULL is allowed */
void udp_inject_free(struct udp_inject *carrier);

/**
 * udp_inject_send() - send a carrier with this serial to a local address
 *
 * Return: 0 or a negative errno.
 */
int udp_inject_send(struct udp_inject *carrier, const struct address *to, uint32_t serial);

/**
 * udp_inject_match() - return whether a queued packet is one of our carriers; @ret_serial gets its
 * serial
 */
bool udp_inject_match(const struct udp_inject *carrier, const uint8_t *data, size_t length,
		      uint32_t *ret_serial);

#endif
