/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Concludes causes from evidence: see causes.h. */
#include "runner/diagnose/causes.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>

#include "common/duration.h"
#include "common/text.h"
#include "runner/diagnose/explain.h"

static const char *const names[] = {
	[CAUSE_NAME_UNKNOWN] = "name-unknown",
	[CAUSE_RESOLVER_SILENT] = "resolver-silent",
	[CAUSE_PORTS_USED_UP] = "ports-used-up",
	[CAUSE_NO_ROUTE] = "no-route",
	[CAUSE_ROUTE_BLACKHOLE] = "route-blackhole",
	[CAUSE_ROUTE_UNREACHABLE] = "route-unreachable",
	[CAUSE_ROUTE_PROHIBIT] = "route-prohibit",
	[CAUSE_DEVICE_DOWN] = "device-down",
	[CAUSE_NEIGHBOUR_SILENT] = "neighbour-silent",
	[CAUSE_BOUND_TO_LOOPBACK] = "bound-to-loopback",
	[CAUSE_BOUND_ELSEWHERE] = "bound-elsewhere",
	[CAUSE_OTHER_FAMILY_ONLY] = "other-family-only",
	[CAUSE_OTHER_NAMESPACE] = "other-namespace",
	[CAUSE_NO_LISTENER] = "no-listener",
	[CAUSE_ACCEPT_QUEUE_FULL] = "accept-queue-full",
	[CAUSE_ACCEPT_QUEUE_ABORT] = "accept-queue-abort",
	[CAUSE_SYN_BACKLOG_FULL] = "syn-backlog-full",
	[CAUSE_CONNTRACK_FULL] = "conntrack-full",
	[CAUSE_REVERSE_PATH] = "reverse-path-filter",
	[CAUSE_KERNEL_DROP] = "kernel-drop",
	[CAUSE_LOCAL_FIREWALL_OUT] = "local-firewall-out",
	[CAUSE_LOCAL_FIREWALL_IN] = "local-firewall-in",
	[CAUSE_LOCAL_FIREWALL_REJECTS] = "local-firewall-rejects",
	[CAUSE_ANSWER_DROPPED] = "answer-dropped",
	[CAUSE_FIREWALL_REJECTS] = "firewall-rejects",
	[CAUSE_ROUTER_HOST_UNREACHABLE] = "router-host-unreachable",
	[CAUSE_ROUTER_NO_ROUTE] = "router-no-route",
	[CAUSE_ROUTING_LOOP] = "routing-loop",
	[CAUSE_NAT_BACKEND_REFUSES] = "nat-backend-refuses",
	[CAUSE_NAT_BACKEND_SILENT] = "nat-backend-silent",
	[CAUSE_RST_FROM_BETWEEN] = "rst-from-between",
	[CAUSE_REFUSED_REMOTE] = "refused",
	[CAUSE_REFUSED_SOMETIMES] = "refused-sometimes",
	[CAUSE_DROPPED_SOMETIMES] = "dropped-sometimes",
	[CAUSE_PORT_FILTERED] = "port-filtered",
	[CAUSE_SILENCE] = "silence",
	[CAUSE_ACK_LOST] = "ack-lost",
	[CAUSE_MTU_BLACK_HOLE] = "mtu-black-hole",
	[CAUSE_RESET_AFTER_ACCEPT] = "reset-after-accept",
	[CAUSE_CLOSED_AFTER_ACCEPT] = "closed-after-accept",
	[CAUSE_HANDSHAKE_LOSS] = "handshake-loss",
	[CAUSE_SLOW_HANDSHAKE] = "slow-handshake",
	[CAUSE_RESOLVER_SLOW] = "resolver-slow",
	[CAUSE_FAMILY_SLOW] = "family-slow",
	[CAUSE_FIRST_ADDRESS_FAILS] = "first-address-fails",
	[CAUSE_UNREACHABLE] = "unreachable",
	[CAUSE_LOCAL_ERROR] = "local-error",
};
_Static_assert(ARRAY_SIZE(names) == CAUSE_N_KINDS, "a name for each cause");

/* Longer than a handshake between continents, shorter than a SYN's first retransmission (1 s). */
#define SLOW_HANDSHAKE_NS (500 * NS_PER_MS)
#define SLOW_RESOLVER_NS  (1 * NS_PER_S)

const char *cause_kind_name(enum cause_kind kind)
{
	return names[kind];
}

/* ---- trials that succeed sometimes, or slowly ---- */

static void explain_sometimes(const struct context *context, size_t index, const struct sums *sums)
{
	const struct evidence *evidence = context->evidence;
	const struct address *address = &evidence->addresses[index].address;
	char where[ADDRESS_TEXT_SIZE];
	bool refused = sums->refused > 0;
	AUTO_FREE char *seen =
		refused ? rst_text(sums->refusal) : silence_text(evidence, sums->silence);

	if (!refused && explain_drops(context, index, seen))
		return;
	address_format(address, where);
	explain_add(
		context, index, .kind = refused ? CAUSE_REFUSED_SOMETIMES : CAUSE_DROPPED_SOMETIMES,
		.sentence = refused ? xasprintf("%s refuses some connections: the server restarts, "
						"or one of several behind a load balancer is down",
						where)
				    : xasprintf("some SYNs to %s are dropped, by a firewall's rate "
						"limit, a full queue, or loss on the path",
						where),
		.evidence = xasprintf("%zu of %zu trials %s; %s",
				      refused ? sums->refused : sums->silent, sums->n,
				      refused ? "were refused" : "got no answer", seen),
		.advice = xasprintf(
			"repeat with more trials (-n 50)%s; a retry with backoff is right",
			explain_server(context, index) ? ""
						       : ", and run it on the server with --local"),
		/*
		 * A rate limit that lets a retransmitted SYN pass only delays most clients.
		 */
		.steps = refused              ? "refuse, accept"
			 : sums->repeated > 0 ? "lose 1"
					      : "drop, accept");
}

static void explain_early_end(const struct context *context, size_t index, const struct sums *sums)
{
	const struct server_evidence *server = explain_server(context, index);
	const struct address *address = &context->evidence->addresses[index].address;
	bool reset = sums->reset > 0;
	bool overflow =
		reset && server && server->abort_on_overflow == YES && server->listen_overflows > 0;
	char where[ADDRESS_TEXT_SIZE];
	struct parts parts = {
		.kind = overflow ? CAUSE_ACCEPT_QUEUE_ABORT
			: reset  ? CAUSE_RESET_AFTER_ACCEPT
				 : CAUSE_CLOSED_AFTER_ACCEPT,
		.evidence = xasprintf(
			"%zu of %zu connections were %s within 300 ms of the handshake",
			reset ? sums->reset : sums->closed, sums->n, reset ? "reset" : "closed"),
		.steps = overflow ? "backlog-full abort"
			 : reset  ? "reset after accept"
				  : "close after accept",
	};

	address_format(address, where);
	if (overflow) {
		parts.sentence = xasprintf("the accept queue of %s is full, and "
					   "net.ipv4.tcp_abort_on_overflow resets new connections",
					   where);
		parts.advice = xstrdup("find out why the server does not call accept(); raise its "
				       "backlog and net.core.somaxconn");
	} else {
		parts.sentence = xasprintf("%s accepts connections and %s them at once", where,
					   reset ? "resets" : "closes");
		parts.advice =
			xstrdup("read the server's log: it may have an access list or a limit "
				"of connections, be a load balancer without a backend, or "
				"expect TLS");
	}
	explain_add_parts(context, index, &parts);
}

/* Explains connections that are established here only, or that large packets can't cross. */
static bool explain_hang(const struct context *context, size_t index, const struct sums *sums)
{
	const struct address_evidence *address = &context->evidence->addresses[index];
	const struct path_mtu *mtu = &address->path_mtu;
	char where[ADDRESS_TEXT_SIZE];

	address_format(&address->address, where);
	if (sums->unfinished) {
		explain_add(context, index, .kind = CAUSE_ACK_LOST,
			    .sentence = xasprintf(
				    "%s does not take the last packet of the handshake: a firewall "
				    "on the way drops it because it sees one direction only "
				    "(asymmetric route), or the server's accept queue is full",
				    where),
			    .evidence = xasprintf("connected, yet the SYN-ACK came %u times",
						  sums->unfinished->syn_acks),
			    .advice = xstrdup(
				    "compare the ways there and back (ip route get on both hosts), "
				    "and look at the accept queue on the server (ss -ltn)"),
			    .steps = "stall after accept");
		return true;
	}
	if (mtu->kind != PATH_MTU_BLACK_HOLE)
		return false;
	explain_add(context, index, .kind = CAUSE_MTU_BLACK_HOLE,
		    .sentence =
			    xasprintf("large packets to %s disappear (MTU black hole): connections "
				      "are established, and hang as soon as much is sent",
				      where),
		    .evidence = xasprintf("a packet of %u bytes arrives, one of %u does not, and "
					  "no router says that it is too big",
					  mtu->bytes, mtu->tried),
		    .advice = xstrdup("have firewalls pass ICMP \"fragmentation needed\" (IPv6: "
				      "\"packet too big\"), or set net.ipv4.tcp_mtu_probing to 1"),
		    .steps = "stall after accept");
	return true;
}

static void explain_slowness(const struct context *context, size_t index, const struct sums *sums)
{
	const struct address *address = &context->evidence->addresses[index].address;
	const struct trial *slowest = sums->slowest;
	bool lost = sums->repeated > 0;
	char where[ADDRESS_TEXT_SIZE], took[DURATION_TEXT_SIZE], exact[DURATION_TEXT_SIZE];
	AUTO_FREE char *delay = NULL;

	if (slowest->took_ns < SLOW_HANDSHAKE_NS ||
	    (lost && explain_drops(context, index, "some took more than one SYN")))
		return;
	address_format(address, where);
	duration_format(slowest->took_ns, took);
	delay = xasprintf("delay %s",
			  duration_format_exact(slowest->took_ns / NS_PER_MS * NS_PER_MS, exact));
	explain_add(
		context, index, .kind = lost ? CAUSE_HANDSHAKE_LOSS : CAUSE_SLOW_HANDSHAKE,
		.sentence =
			lost ? xasprintf("a SYN to %s, or its SYN-ACK, gets lost and is repeated",
					 where)
			     : xasprintf("%s answers late", where),
		.evidence = lost ? xasprintf("%zu of %zu connections took more than one SYN, the "
					     "slowest %s",
					     sums->repeated, sums->n, took)
				 : xasprintf("the slowest handshake took %s, with one SYN", took),
		.advice = xstrdup(lost ? "look for packet loss on the path, a firewall's rate "
					 "limit, or a queue that is full at times"
				       : "check the path (mtr), and the load of the server's host"),
		.steps = lost ? "lose 1" : delay);
}

/* ---- before a SYN leaves ---- */

static bool explain_route(const struct context *context, size_t index)
{
	static const struct {
		enum route_kind kind;
		enum cause_kind cause;
		const char *what, *error, *steps;
	} routes[] = {
		{ROUTE_NONE, CAUSE_NO_ROUTE, "has no route to", "ENETUNREACH", "unreachable net"},
		{ROUTE_BLACKHOLE, CAUSE_ROUTE_BLACKHOLE, "has a blackhole route for", "EINVAL",
		 NULL},
		{ROUTE_UNREACHABLE, CAUSE_ROUTE_UNREACHABLE, "has an unreachable route for",
		 "EHOSTUNREACH", "unreachable host"},
		{ROUTE_PROHIBIT, CAUSE_ROUTE_PROHIBIT, "has a prohibit route for", "EACCES", NULL},
	};
	const struct address_evidence *address = &context->evidence->addresses[index];
	char host[INET6_ADDRSTRLEN];

	address_format_host(&address->address, host);
	if (address->route.device_down || address->route.no_carrier) {
		bool down = address->route.device_down;

		explain_add(
			context, index, .kind = CAUSE_DEVICE_DOWN,
			.sentence = xasprintf("the interface %s %s", address->route.device,
					      down ? "is down" : "has no carrier"),
			.evidence = xasprintf("the route to %s goes through it", host),
			.advice =
				down ? xasprintf("ip link set %s up", address->route.device)
				     : xstrdup("check the cable, and the device at its other end"),
			.steps = down ? NULL : "delay 3s then unreachable host");
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (routes[i].kind != address->route.kind)
			continue;
		explain_add(context, index, .kind = routes[i].cause,
			    .sentence = xasprintf("this host %s %s", routes[i].what, host),
			    .evidence =
				    xasprintf("connect() fails at once with %s", routes[i].error),
			    .advice = xstrdup(address->address.family == AF_INET6
						      ? "fix the route (ip -6 route)"
						      : "fix the route (ip route)"),
			    .steps = routes[i].steps);
		return true;
	}
	return false;
}

static void explain_other(const struct context *context, size_t index, const struct sums *sums)
{
	const struct evidence *evidence = context->evidence;
	const struct server_evidence *here = &evidence->here;
	char where[ADDRESS_TEXT_SIZE];

	address_format(&evidence->addresses[index].address, where);
	if (sums->last_error == EADDRNOTAVAIL) {
		explain_add(context, index, .kind = CAUSE_PORTS_USED_UP,
			    .sentence = xasprintf(
				    "this host has no ephemeral port left for connections to %s",
				    where),
			    .evidence = xasprintf("connect() fails with EADDRNOTAVAIL; ports %u to "
						  "%u, %u socket%s in TIME_WAIT",
						  here->port_low, here->port_high, here->time_wait,
						  PLURAL(here->time_wait)),
			    .advice = xstrdup("keep connections open and reuse them; widen "
					      "net.ipv4.ip_local_port_range"));
		return;
	}
	explain_add(context, index,
		    .kind = sums->last_error == EHOSTUNREACH || sums->last_error == ENETUNREACH
				    ? CAUSE_UNREACHABLE
				    : CAUSE_LOCAL_ERROR,
		    .sentence = xasprintf("connections to %s fail: %s", where,
					  strerror(sums->last_error)),
		    .evidence = xasprintf(
			    "connect() fails with errno %d; who reports it can't be seen%s",
			    sums->last_error, evidence->watched ? "" : " without CAP_NET_RAW"),
		    .advice = xstrdup(evidence->watched ? "check the routes and rules of this host"
							: "run this as root to see who reports it"),
		    .steps = sums->last_error == ENETUNREACH    ? "unreachable net"
			     : sums->last_error == EHOSTUNREACH ? "unreachable host"
								: NULL);
}

/* ---- names ---- */

static void explain_name(const struct context *context)
{
	const struct name_evidence *name = &context->evidence->name;
	const char *host = context->evidence->host;
	char took[DURATION_TEXT_SIZE];

	duration_format(name->took_ns, took);
	if (name->error)
		explain_add(
			context, UINT32_MAX,
			.kind = name->error == EAI_AGAIN ? CAUSE_RESOLVER_SILENT
							 : CAUSE_NAME_UNKNOWN,
			.sentence = name->error == EAI_AGAIN
					    ? xasprintf("the resolver does not answer for %s", host)
					    : xasprintf("the name %s has no address", host),
			.evidence = xasprintf("getaddrinfo(): %s after %s; nameserver %s",
					      gai_strerror(name->error), took,
					      name->nameserver ? name->nameserver : "unknown"),
			.advice = xasprintf("%s", name->error == EAI_AGAIN
							  ? "check resolv.conf and the nameserver"
						  : name->searched
							  ? "spell it out: the search domains of "
							    "resolv.conf were tried, too"
							  : "check its spelling, and the zone"));
	else if (name->took_ns > SLOW_RESOLVER_NS)
		explain_add(context, UINT32_MAX, .kind = CAUSE_RESOLVER_SLOW,
			    .sentence = xasprintf("looking up %s takes %s", host, took),
			    .evidence = xasprintf("before any connect(); nameserver %s",
						  name->nameserver ? name->nameserver : "unknown"),
			    .advice = xstrdup("a nameserver of resolv.conf may be dead, or drop "
					      "one of the questions for A and AAAA"));
	else if (!name->literal && MAX(name->ipv4_ns, name->ipv6_ns) > SLOW_RESOLVER_NS)
		explain_add(context, UINT32_MAX, .kind = CAUSE_FAMILY_SLOW,
			    .sentence = xasprintf("asking for the %s address of %s takes long",
						  name->ipv6_ns > name->ipv4_ns ? "IPv6" : "IPv4",
						  host),
			    .evidence =
				    xasprintf("A %" PRId64 " ms, AAAA %" PRId64 " ms",
					      name->ipv4_ns / NS_PER_MS, name->ipv6_ns / NS_PER_MS),
			    .advice = xstrdup("fix the nameserver's answers for that type"));
}

/* ---- all of it ---- */

/* Explains one address. Returns whether every trial connected and stayed connected. */
static bool explain_address(const struct context *context, size_t index)
{
	const struct address_evidence *address = &context->evidence->addresses[index];
	struct sums sums = explain_sum_up(address);
	bool failed = sums.connected < sums.n;

	if (failed && sums.connected > 0 && sums.refused + sums.silent > 0)
		explain_sometimes(context, index, &sums);
	else if (failed && explain_route(context, index))
		;
	/* Then an ICMP error comes from this host, and is about the neighbour. */
	else if (failed && explain_neighbour(context, index))
		;
	else if (failed && sums.icmp)
		explain_icmp(context, index, &sums);
	else if (sums.refused > 0)
		explain_refusal(context, index, &sums);
	else if (sums.silent > 0)
		explain_silence(context, index, &sums);
	else if (failed)
		explain_other(context, index, &sums);
	else if (sums.reset + sums.closed > 0)
		explain_early_end(context, index, &sums);
	else if (explain_hang(context, index, &sums))
		return false;
	else
		explain_slowness(context, index, &sums);
	return !failed && sums.reset + sums.closed == 0;
}

static void explain_order(const struct context *context, const bool *well, size_t n)
{
	const struct evidence *evidence = context->evidence;
	char first[ADDRESS_TEXT_SIZE], good[ADDRESS_TEXT_SIZE];

	/* Clients choose only among the addresses of a name. */
	for (size_t i = 1; !evidence->name.literal && !well[0] && i < n; i++) {
		if (!well[i])
			continue;
		explain_add(context, 0, .kind = CAUSE_FIRST_ADDRESS_FAILS,
			    .sentence = xasprintf(
				    "clients try %s first and have to fall back to %s",
				    address_format(&evidence->addresses[0].address, first),
				    address_format(&evidence->addresses[i].address, good)),
			    .evidence = xstrdup("the order is getaddrinfo()'s (RFC 6724)"),
			    .advice = xstrdup("fix the first address, or remove it from the name"));
		return;
	}
}

/* Sorts the most certain first; those of one kind in the order of addresses. */
static int compare_causes(const void *a, const void *b)
{
	const struct cause *left = a, *right = b;

	return COMPARE(left->kind, right->kind) ?: COMPARE(left->address, right->address);
}

struct diagnosis diagnose(const struct evidence *evidence)
{
	struct diagnosis diagnosis = {0};
	const struct context context = {evidence, &diagnosis};
	bool well[MAX_DIAGNOSE_ADDRESSES] = {false};

	explain_name(&context);
	for (size_t i = 0; i < evidence->n_addresses; i++) {
		well[i] = explain_address(&context, i);
		diagnosis.reachable = diagnosis.reachable || well[i];
	}
	explain_order(&context, well, evidence->n_addresses);
	if (diagnosis.n_causes > 1)
		qsort(diagnosis.causes, diagnosis.n_causes, sizeof(*diagnosis.causes),
		      compare_causes);
	return diagnosis;
}

void diagnosis_free(struct diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->n_causes; i++) {
		free(diagnosis->causes[i].sentence);
		free(diagnosis->causes[i].evidence);
		free(diagnosis->causes[i].advice);
		free(diagnosis->causes[i].steps);
	}
	free(diagnosis->causes);
}
