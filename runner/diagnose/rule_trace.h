/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which nftables rule drops or rejects a packet: has the kernel trace packets to and from one port
 * (nft(8), nftrace), by two chains in a table of its own that goes with the socket that made it.
 * Changes no packet; rules of iptables-legacy are not traced. Needs CAP_NET_ADMIN.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_RULE_TRACE_H
#define SYNFAULT_RUNNER_DIAGNOSE_RULE_TRACE_H

#include "runner/diagnose/evidence.h"

struct rule_trace;

/**
 * rule_trace_start() - have packets with this port traced, in either direction
 *
 * Return: 0, or a negative errno: -EPERM without CAP_NET_ADMIN; *@ret is then untouched.
 */
int rule_trace_start(uint16_t port, struct rule_trace **ret);

/**
 * rule_trace_stop() - take the table away and say what dropped a packet first
 * @trace: freed; NULL is allowed
 * @ret: traced is NO when no rule dropped one
 */
void rule_trace_stop(struct rule_trace *trace, struct traced_drop *ret);

#endif
