/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explains why trials get no answer: see explain.h. */
#include <errno.h>
#include <inttypes.h>
#include <linux/neighbour.h>

#include "runner/diagnose/explain.h"

static bool explain_full_queues(const struct context *context, size_t index,
				const struct listener *listener, const char *seen)
{
	const struct server_evidence *server = &context->evidence->server;
	AUTO_FREE char *who = listener_text(listener);

	if (listener->queued > listener->backlog || server->listen_overflows > 0) {
		explain_add(context, index,
			    &(struct parts){
				    .kind = CAUSE_ACCEPT_QUEUE_FULL,
				    .sentence = xasprintf(
					    "the accept queue of the server is full: %s", who),
				    .evidence = xasprintf(
					    "%u connection%s wait%s for accept(), the backlog is "
					    "%u; ListenOverflows grew by %" PRId64 "; %s",
					    listener->queued, listener->queued == 1 ? "" : "s",
					    listener->queued == 1 ? "s" : "", listener->backlog,
					    MAX(server->listen_overflows, 0), seen),
				    .advice = xstrdup(
					    "find out why the server does not call accept(); raise "
					    "its backlog and net.core.somaxconn"),
				    .steps = "backlog-full",
			    });
		return true;
	}
	if (server->request_drops > 0 ||
	    (server->syn_cookies == NO && server->half_open > listener->backlog)) {
		explain_add(context, index,
			    &(struct parts){
				    .kind = CAUSE_SYN_BACKLOG_FULL,
				    .sentence = xasprintf(
					    "the SYN backlog of the server is full: %s", who),
				    .evidence = xasprintf(
					    "%u half-open request%s, TCPReqQFullDrop grew by "
					    "%" PRId64 "; %s",
					    server->half_open, server->half_open == 1 ? "" : "s",
					    MAX(server->request_drops, 0), seen),
				    .advice = xstrdup("enable net.ipv4.tcp_syncookies, or raise "
						      "net.ipv4.tcp_max_syn_backlog"),
				    .steps = "drop",
			    });
		return true;
	}
	return false;
}

static bool explain_kernel_drops(const struct context *context, size_t index, const char *seen)
{
	const struct server_evidence *server = &context->evidence->server;

	if (server->conntrack_drops > 0 ||
	    (server->conntrack_max > 0 && server->conntrack_count >= server->conntrack_max)) {
		explain_add(context, index,
			    &(struct parts){
				    .kind = CAUSE_CONNTRACK_FULL,
				    .sentence = xstrdup(
					    "the connection tracking table of this host is full"),
				    .evidence = xasprintf(
					    "%" PRId64 " of %" PRId64 " entries; it dropped "
					    "%" PRId64 " packets during the trials; %s",
					    server->conntrack_count, server->conntrack_max,
					    MAX(server->conntrack_drops, 0), seen),
				    .advice = xstrdup(
					    "raise net.netfilter.nf_conntrack_max, or find what "
					    "opens that many connections"),
				    .steps = "drop",
			    });
		return true;
	}
	if (server->path_filtered > 0) {
		explain_add(
			context, index,
			&(struct parts){
				.kind = CAUSE_REVERSE_PATH,
				.sentence = xstrdup(
					"the reverse path filter of this host drops packets: "
					"they arrive on an interface that its routes don't use"),
				.evidence = xasprintf("IPReversePathFilter grew by %" PRId64 "; %s",
						      server->path_filtered, seen),
				.advice = xstrdup("fix the asymmetric route, or set "
						  "net.ipv4.conf.*.rp_filter to 2"),
				.steps = "drop",
			});
		return true;
	}
	return false;
}

/* Explains silence if the server is on this host, by its listeners and counters. */
static void explain_local_silence(const struct context *context, size_t index,
				  const struct sums *sums, const char *seen)
{
	const struct evidence *evidence = context->evidence;
	const struct address *address = &evidence->addresses[index].address;
	const struct listener *listener = find_listener(&evidence->server, address);
	AUTO_FREE char *who = listener ? listener_text(listener) : NULL;
	bool out = sums->syn_missing;

	explain_add(context, index,
		    &(struct parts){
			    .kind = out ? CAUSE_LOCAL_FIREWALL_OUT : CAUSE_LOCAL_FIREWALL_IN,
			    .sentence = xasprintf("a firewall rule of this host drops the SYN %s",
						  out ? "on its way out" : "on its way in"),
			    .evidence = xasprintf(
				    "%s%s; %s", seen, out ? ", and none left the host" : "",
				    listener ? who : "a closed port would have answered with RST"),
			    .advice = rule_advice(context->evidence),
			    .steps = "drop",
		    });
}

bool explain_neighbour(const struct context *context, size_t index)
{
	const struct address_evidence *address = &context->evidence->addresses[index];
	const struct route_evidence *route = &address->route;
	char host[INET6_ADDRSTRLEN];

	if (!(route->neighbour & (NUD_FAILED | NUD_INCOMPLETE)))
		return false;
	address_format_host(route->gateway.family ? &route->gateway : &address->address, host);
	explain_add(
		context, index,
		&(struct parts){
			.kind = CAUSE_NEIGHBOUR_SILENT,
			.sentence = xasprintf(
				"%s%s does not answer on %s: it is down, or not on this link",
				route->gateway.family ? "the gateway " : "", host, route->device),
			.evidence =
				xasprintf("the neighbour entry is %s",
					  route->neighbour & NUD_FAILED ? "FAILED" : "INCOMPLETE"),
			.advice = xstrdup(
				"check that the host is up, and check the address and its prefix"),
			/* The kernel asks three times, a second apart (net/ipv4/arp.c). */
			.steps = "delay 3s then unreachable host",
		});
	return true;
}

/* Returns "; nothing answers beyond 10.77.1.1, 1 hop away", the caller's; NULL: unknown path. */
static char *path_text(const struct address_evidence *address)
{
	char host[INET6_ADDRSTRLEN];

	for (size_t i = address->n_hops; i-- > 0;)
		if (address->hops[i].kind == HOP_ROUTER)
			return xasprintf("; nothing answers beyond %s, %zu hop%s away",
					 address_format_host(&address->hops[i].from, host), i + 1,
					 i == 0 ? "" : "s");
	return NULL;
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
	} else if (sums->answer) {
		parts.kind = CAUSE_ANSWER_DROPPED;
		parts.sentence = xasprintf("%s answers, and this host drops its SYN-ACK", where);
		parts.evidence = xasprintf("%s; a SYN-ACK came in", seen);
		parts.advice = xstrdup("check the input rules and rp_filter");
		parts.steps = "lose-synack 5";
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
	explain_add(context, index, &parts);
}

bool explain_drops(const struct context *context, size_t index, const char *seen)
{
	const struct evidence *evidence = context->evidence;
	const struct address_evidence *address = &evidence->addresses[index];
	const struct listener *listener = find_listener(&evidence->server, &address->address);

	if (explain_kernel_drops(context, index, seen))
		return true;
	return address->route.kind == ROUTE_LOCAL && listener &&
	       explain_full_queues(context, index, listener, seen);
}

void explain_silence(const struct context *context, size_t index, const struct sums *sums)
{
	const struct evidence *evidence = context->evidence;
	AUTO_FREE char *seen = silence_text(evidence, sums->silence);

	if (explain_drops(context, index, seen))
		return;
	if (evidence->addresses[index].route.kind == ROUTE_LOCAL && evidence->server.looked)
		explain_local_silence(context, index, sums, seen);
	else
		explain_remote_silence(context, index, sums, seen);
}
