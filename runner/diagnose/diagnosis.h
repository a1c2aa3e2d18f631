/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Causes for which a connection is refused, dropped or slow, and a list of them: the diagnosis. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_DIAGNOSIS_H
#define SYNFAULT_RUNNER_DIAGNOSE_DIAGNOSIS_H

#include "runner/diagnose/evidence.h"

/* By certainty and weight: the first one found is the result. */
enum cause_kind {
	CAUSE_NAME_UNKNOWN,
	CAUSE_RESOLVER_SILENT,
	CAUSE_PORTS_USED_UP,
	CAUSE_NO_ROUTE,
	CAUSE_ROUTE_BLACKHOLE,
	CAUSE_ROUTE_UNREACHABLE,
	CAUSE_ROUTE_PROHIBIT,
	CAUSE_DEVICE_DOWN,
	CAUSE_NEIGHBOUR_SILENT,
	CAUSE_BOUND_TO_LOOPBACK,
	CAUSE_BOUND_ELSEWHERE,
	CAUSE_OTHER_FAMILY_ONLY,
	CAUSE_OTHER_NAMESPACE,
	CAUSE_NO_LISTENER,
	CAUSE_ACCEPT_QUEUE_FULL,
	CAUSE_ACCEPT_QUEUE_ABORT,
	CAUSE_SYN_BACKLOG_FULL,
	CAUSE_CONNTRACK_FULL,
	CAUSE_REVERSE_PATH,
	CAUSE_KERNEL_DROP,
	CAUSE_LOCAL_FIREWALL_OUT,
	CAUSE_LOCAL_FIREWALL_IN,
	CAUSE_LOCAL_FIREWALL_REJECTS,
	CAUSE_ANSWER_DROPPED,
	CAUSE_FIREWALL_REJECTS,
	CAUSE_ROUTER_HOST_UNREACHABLE,
	CAUSE_ROUTER_NO_ROUTE,
	CAUSE_ROUTING_LOOP,
	CAUSE_NAT_BACKEND_REFUSES,
	CAUSE_NAT_BACKEND_SILENT,
	CAUSE_RST_FROM_BETWEEN,
	CAUSE_REFUSED_REMOTE,
	CAUSE_REFUSED_SOMETIMES,
	CAUSE_DROPPED_SOMETIMES,
	CAUSE_PORT_FILTERED,
	CAUSE_SILENCE,
	CAUSE_ACK_LOST,
	CAUSE_MTU_BLACK_HOLE,
	CAUSE_RESET_AFTER_ACCEPT,
	CAUSE_CLOSED_AFTER_ACCEPT,
	CAUSE_HANDSHAKE_LOSS,
	CAUSE_SLOW_HANDSHAKE,
	CAUSE_RESOLVER_SLOW,
	CAUSE_FAMILY_SLOW,
	CAUSE_FIRST_ADDRESS_FAILS,
	CAUSE_UNREACHABLE,
	CAUSE_LOCAL_ERROR,
	CAUSE_N_KINDS,
};
struct cause {
	enum cause_kind kind;
	uint32_t address; /* index; UINT32_MAX: about the name, or all addresses */
	char *sentence;   /* what is wrong */
	char *evidence;   /* how that is known */
	char *advice;     /* what to do next */
	char *steps;      /* fault steps that reproduce it (`synfault try`), or NULL */
};

struct diagnosis {
	struct cause *causes;
	size_t n_causes, capacity;
	bool reachable; /* every trial at one or more addresses succeeded */
};

#endif
