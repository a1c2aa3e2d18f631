/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the nftables rule that drops or rejects a packet. Makes the kernel trace packets to and
 * from one port (nft(8), nftrace), by two chains in a table of its own that disappears with the
 * socket that made it. Changes no packet; rules of iptables-legacy are not traced. Needs
 * CAP_NET_ADMIN.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_RULE_TRACE_H
#define SYNFAULT_RUNNER_DIAGNOSE_RULE_TRACE_H

#include "runner/diagnose/evidence.h"

struct rule_trace;

/**
 * rule_trace_start() - make the kernel trace packets with this port, in either direction
 * @ret: on success; end it with rule_trace_stop()
 *
 * Return: 0, or a negative errno: -EPERM without CAP_NET_ADMIN.
 */
int rule_trace_start(uint16_t port, struct rule_trace **ret);

/**
 * rule_trace_stop() - remove the table and report what first dropped a packet
 * @trace: freed; NULL is allowed
 * @ret: traced becomes NO if no rule dropped one
 */
void rule_trace_stop(struct rule_trace *trace, struct traced_drop *ret);

#endif
