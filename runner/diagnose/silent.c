/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explains why trials get no answer: see explain.h. */
#include <errno.h>
#include <inttypes.h>
#include <linux/neighbour.h>

#include "common/text.h"
#include "runner/diagnose/explain.h"

/* Says why the server may not call accept(); owned by the caller. */
static char *full_queue_advice(const struct listener *listener)
{
	if (listener->max_files > 0 && listener->n_files >= listener->max_files)
		return xasprintf("it has %" PRId64 " files open, which is its limit, so accept() "
				 "fails: raise it (ulimit -n, LimitNOFILE=), or look for "
				 "descriptors that are never closed",
				 listener->n_files);
	return xstrdup("find out why the server does not call accept(); raise its backlog and "
		       "net.core.somaxconn");
}

static bool explain_full_queues(const struct context *context, size_t index,
				const struct server_evidence *server,
				const struct listener *listener, const char *seen)
{
	AUTO_FREE char *who = listener_text(listener);

	if (listener->queued > listener->backlog || server->listen_overflows > 0) {
		explain_add(
			context, index, .kind = CAUSE_ACCEPT_QUEUE_FULL,
			.sentence = xasprintf("the accept queue of the server is full: %s", who),
			.evidence = xasprintf("%u connection%s wait%s for accept(), the backlog is "
					      "%u; ListenOverflows grew by %" PRId64 "; %s",
					      listener->queued, PLURAL(listener->queued),
					      listener->queued == 1 ? "s" : "", listener->backlog,
					      MAX(server->listen_overflows, 0), seen),
			.advice = full_queue_advice(listener), .steps = "backlog-full");
		return true;
	}
	if (server->request_drops > 0 ||
	    (server->syn_cookies == NO && server->half_open > listener->backlog)) {
		explain_add(context, index, .kind = CAUSE_SYN_BACKLOG_FULL,
			    .sentence = xasprintf("the SYN backlog of the server is full: %s", who),
			    .evidence = xasprintf(
				    "%u half-open request%s, TCPReqQFullDrop grew by %" PRId64
				    "; %s",
				    server->half_open, PLURAL(server->half_open),
				    MAX(server->request_drops, 0), seen),
			    .advice = xstrdup("enable net.ipv4.tcp_syncookies, or raise "
					      "net.ipv4.tcp_max_syn_backlog"),
			    .steps = "drop");
		return true;
	}
	return false;
}

/* Explains silence by what a kernel counted: this host's, or that of another namespace. */
static bool explain_kernel_drops(const struct context *context, size_t index,
				 const struct server_evidence *server, const char *seen)
{
	const char *host = server == &context->evidence->there ? "the server's network namespace"
							       : "this host";

	if (server->conntrack_drops > 0 ||
	    (server->conntrack_max > 0 && server->conntrack_count >= server->conntrack_max)) {
		explain_add(context, index, .kind = CAUSE_CONNTRACK_FULL,
			    .sentence =
				    xasprintf("the connection tracking table of %s is full", host),
			    .evidence = xasprintf("%" PRId64 " of %" PRId64
						  " entries; it dropped %" PRId64
						  " packets during the trials; %s",
						  server->conntrack_count, server->conntrack_max,
						  MAX(server->conntrack_drops, 0), seen),
			    .advice = xstrdup("raise net.netfilter.nf_conntrack_max, or find what "
					      "opens that many connections"),
			    .steps = "drop");
		return true;
	}
	if (server->path_filtered > 0) {
		explain_add(
			context, index, .kind = CAUSE_REVERSE_PATH,
			.sentence = xasprintf("the reverse path filter of %s drops packets: they "
					      "arrive on an interface that its routes don't use",
					      host),
			.evidence = xasprintf("IPReversePathFilter grew by %" PRId64 "; %s",
					      server->path_filtered, seen),
			.advice = xstrdup(
				"fix the asymmetric route, or set net.ipv4.conf.*.rp_filter to 2"),
			.steps = "drop");
		return true;
	}
	return false;
}

/* Explains silence by the reason that the kernel gives for its drop, unless that is a firewall. */
static bool explain_kernel_reason(const struct context *context, size_t index, const char *seen)
{
	const struct kernel_drop *drop = &context->evidence->kernel_drop;
	bool filter = strcmp(drop->reason, "SOCKET_FILTER") == 0;

	if (drop->seen != YES || !drop->reason[0] || strcmp(drop->reason, "NOT_SPECIFIED") == 0 ||
	    strcmp(drop->reason, "NETFILTER_DROP") == 0)
		return false;
	explain_add(
		context, index, .kind = CAUSE_KERNEL_DROP,
		.sentence = filter ? xstrdup("a filter on the server's socket (SO_ATTACH_FILTER) "
					     "drops the SYN")
				   : xasprintf("the kernel of this host drops the SYN: %s",
					       drop->reason),
		.evidence = xasprintf("%s; the drop monitor says %s in %s", seen, drop->reason,
				      drop->place),
		.advice = xstrdup(
			filter ? "look for BPF that is attached to the socket: ss -ltnb"
			       : "include/net/dropreason-core.h of the kernel explains the reason"),
		.steps = "drop");
	return true;
}

/* Explains silence if the server is on this host, by its listeners and counters. */
static void explain_local_silence(const struct context *context, size_t index,
				  const struct sums *sums, const char *seen)
{
	const struct evidence *evidence = context->evidence;
	const struct address *address = explain_served(&evidence->addresses[index]);
	const struct listener *listener = find_listener(&evidence->here, address);
	AUTO_FREE char *who = listener ? listener_text(listener) : NULL;
	bool out = sums->syn_missing, unknown = !evidence->watched && !listener;

	if (explain_kernel_reason(context, index, seen))
		return;
	explain_add(
		context, index, .kind = out ? CAUSE_LOCAL_FIREWALL_OUT : CAUSE_LOCAL_FIREWALL_IN,
		.sentence =
			xasprintf("a firewall rule of this host drops the SYN%s",
				  out       ? " on its way out"
				  : unknown ? ", or NAT passes it on to a host that does not answer"
					    : " on its way in"),
		.evidence =
			xasprintf("%s%s; %s", seen, out ? ", and none left the host" : "",
				  listener ? who : "a closed port would have answered with RST"),
		.advice = rule_advice(context->evidence), .steps = "drop");
}

bool explain_neighbour(const struct context *context, size_t index)
{
	const struct address_evidence *address = &context->evidence->addresses[index];
	const struct route_evidence *route =
		address->backend.family ? &address->backend_route : &address->route;
	AUTO_FREE char *nat = nat_text(address);
	char host[INET6_ADDRSTRLEN];

	if (!(route->neighbour & (NUD_FAILED | NUD_INCOMPLETE)))
		return false;
	address_format_host(route->gateway.family ? &route->gateway : explain_served(address),
			    host);
	explain_add(
		context, index, .kind = CAUSE_NEIGHBOUR_SILENT,
		.sentence =
			xasprintf("%s%s does not answer on %s: it is down, or not on this link",
				  route->gateway.family ? "the gateway " : "", host, route->device),
		.evidence = xasprintf("the neighbour entry is %s%s",
				      route->neighbour & NUD_FAILED ? "FAILED" : "INCOMPLETE", nat),
		.advice =
			xstrdup("check that the host is up, and check the address and its prefix"),
		/* The kernel asks three times, a second apart (net/ipv4/arp.c). */
		.steps = "delay 3s then unreachable host");
	return true;
}

/* Returns "; no SYN is answered beyond 10.77.1.1, 1 hop away", the caller's; NULL: unknown path. */
static char *path_text(const struct address_evidence *address)
{
	char host[INET6_ADDRSTRLEN];

	for (size_t i = address->n_hops; i-- > 0;)
		if (address->hops[i].kind == HOP_ROUTER)
			return xasprintf("; no SYN is answered beyond %s, %zu hop%s away",
					 address_format_host(&address->hops[i].from, host), i + 1,
					 i == 0 ? "" : "s");
	return NULL;
}

/* Returns whether a rule of the server's network namespace is known to drop. */
static bool drops_there(const struct evidence *evidence)
{
	return (evidence->drop.traced == YES && evidence->drop.there) ||
	       (evidence->legacy_drop.packets > 0 && evidence->legacy_drop.there);
}

static void explain_remote_silence(const struct context *context, size_t index,
				   const struct sums *sums, const char *seen)
{
	const struct address_evidence *address = &context->evidence->addresses[index];
	const struct trial *compare = address->compared ? &address->compare : NULL;
	char where[ADDRESS_TEXT_SIZE];
	struct parts parts = {.steps = "drop"};
	AUTO_FREE char *path = path_text(address);

	address_format(&address->address, where);
	if (sums->syn_missing) {
		parts.kind = CAUSE_LOCAL_FIREWALL_OUT;
		parts.sentence =
			xasprintf("a firewall rule of this host drops the SYN to %s", where);
		parts.evidence = xasprintf("%s, and none left the host", seen);
		parts.advice = rule_advice(context->evidence);
	} else if (address->server == SERVER_THERE && drops_there(context->evidence)) {
		parts.kind = CAUSE_LOCAL_FIREWALL_IN;
		parts.sentence =
			xasprintf("a firewall rule in the server's network namespace drops "
				  "the SYN to %s",
				  where);
		parts.evidence = xstrdup(seen);
		parts.advice = rule_advice(context->evidence);
	} else if (address->backend.family) {
		char to[ADDRESS_TEXT_SIZE];
		AUTO_FREE char *nat = nat_text(address);

		parts.kind = CAUSE_NAT_BACKEND_SILENT;
		parts.sentence = xasprintf("NAT of this host passes connections on to %s, which "
					   "does not answer",
					   address_format(&address->backend, to));
		parts.evidence = xasprintf("%s%s", seen, nat);
		parts.advice = xasprintf("check that %s is up, and the firewall before it", to);
	} else if (sums->answer) {
		parts.kind = CAUSE_ANSWER_DROPPED;
		parts.sentence = xasprintf("%s answers, and this host drops its SYN-ACK", where);
		parts.evidence = xasprintf("%s; a SYN-ACK came in", seen);
		parts.advice = xstrdup("check the input rules and rp_filter");
		parts.steps = "lose-synack 5";
	} else if (address->path_mtu.kind != PATH_MTU_UNKNOWN) {
		parts.kind = CAUSE_PORT_FILTERED;
		parts.sentence =
			xasprintf("a firewall drops connections to %s: the host is up", where);
		parts.evidence =
			xasprintf("%s; the host answers a UDP datagram%s", seen, path ? path : "");
		parts.advice = xstrdup("have the firewall allow the port: that of the host, or one "
				       "on the way");
	} else if (compare && (compare->error == 0 || compare->error == ECONNREFUSED)) {
		parts.kind = CAUSE_PORT_FILTERED;
		parts.sentence =
			xasprintf("a firewall drops connections to %s: the host is up", where);
		parts.evidence = xasprintf("%s; its other port %s", seen,
					   compare->error ? "refuses" : "answers");
		parts.advice = xstrdup("have the firewall allow the port");
	} else {
		parts.kind = CAUSE_SILENCE;
		parts.sentence =
			xasprintf("the SYN to %s, or its answer, is dropped: by a firewall, "
				  "because the host is down, or because no route leads back",
				  where);
		parts.evidence = xasprintf("%s%s", seen, path ? path : "");
		parts.advice =
			xasprintf("run `synfault diagnose --local %u` on the server, or compare "
				  "with a port that is open: --compare PORT",
				  address->address.port);
	}
	explain_add_parts(context, index, &parts);
}

bool explain_drops(const struct context *context, size_t index, const char *seen)
{
	const struct evidence *evidence = context->evidence;
	const struct server_evidence *server = explain_server(context, index);
	const struct listener *listener =
		server ? find_listener(server, explain_served(&evidence->addresses[index])) : NULL;

	return explain_kernel_drops(context, index, &evidence->here, seen) ||
	       (server == &evidence->there &&
		explain_kernel_drops(context, index, &evidence->there, seen)) ||
	       (listener && explain_full_queues(context, index, server, listener, seen));
}

void explain_silence(const struct context *context, size_t index, const struct sums *sums)
{
	AUTO_FREE char *seen = silence_text(context->evidence, sums->silence);

	if (explain_drops(context, index, seen))
		return;
	/* Any rule on the way to another network namespace may drop. */
	if (explain_server(context, index) == &context->evidence->here)
		explain_local_silence(context, index, sums, seen);
	else
		explain_remote_silence(context, index, sums, seen);
}
