/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explains why trials are refused, by RST or ICMP: see explain.h. */
#include <netinet/ip_icmp.h>
#include <stdlib.h>

#include "common/duration.h"
#include "runner/diagnose/explain.h"

/* If an answer's hop count differs by more than this, another host has sent it. */
enum { TTL_SLACK = 0 };

/* ---- refused ---- */

static bool is_there(const struct context *context, size_t index)
{
	return context->evidence->addresses[index].server == SERVER_THERE;
}

static void add_wrong_listener(const struct context *context, size_t index, const char *seen)
{
	const struct server_evidence *server = explain_server(context, index);
	const struct address *address = explain_served(&context->evidence->addresses[index]);
	const struct listener *listener = &server->listeners[0];
	AUTO_FREE char *who = listener_text(listener);
	char host[INET6_ADDRSTRLEN];
	bool family = listener->address.family != address->family;
	bool loopback = address_is_loopback(&listener->address) && !address_is_loopback(address);

	address_format_host(address, host);
	explain_add(context, index,
		    .kind = loopback ? CAUSE_BOUND_TO_LOOPBACK
			    : family ? CAUSE_OTHER_FAMILY_ONLY
				     : CAUSE_BOUND_ELSEWHERE,
		    .sentence =
			    xasprintf("%s, and not on %s%s", who, host,
				      is_there(context, index) ? " of its network namespace" : ""),
		    .evidence = xstrdup(seen),
		    .advice = xasprintf(
			    "bind the server to %s or to all addresses (%s)%s", host,
			    address->family == AF_INET ? "0.0.0.0" : "[::]",
			    loopback ? "; in a container, 127.0.0.1 is the container's own" : ""),
		    .steps = "refuse");
}

/* Returns the TTL with which the host's own SYN-ACKs arrive, or -1 if none was seen. */
static int own_ttl(const struct address_evidence *address, const struct sums *sums)
{
	if (sums->answer)
		return (int)sums->answer->syn_ack_ttl;
	return address->compared && address->compare.syn_acks > 0
		       ? (int)address->compare.syn_ack_ttl
		       : -1;
}

static void explain_remote_refusal(const struct context *context, size_t index,
				   const struct sums *sums)
{
	const struct address_evidence *address = &context->evidence->addresses[index];
	const struct trial *trial = sums->refusal;
	int ttl = own_ttl(address, sums);
	char where[ADDRESS_TEXT_SIZE];
	AUTO_FREE char *rst = rst_text(trial), *reason = kernel_reset_text(context->evidence);
	/* In a network namespace that could not be found. */
	bool by_us = context->evidence->kernel_reset.seen == YES;
	bool between = ttl >= 0 && trial->rst_ns != INT64_MAX &&
		       abs((int)trial->rst_ttl - ttl) > TTL_SLACK;

	address_format(&address->address, where);
	if (between) {
		explain_add(context, index, .kind = CAUSE_RST_FROM_BETWEEN,
			    .sentence = xasprintf(
				    "a middlebox, and not the host, sends the RST for %s", where),
			    .evidence = xasprintf("%s; the host's own answers arrive with TTL %d",
						  rst, ttl),
			    .advice = xstrdup("look for a firewall, load balancer or intrusion "
					      "prevention system on the path"),
			    .steps = "refuse");
		return;
	}
	explain_add(
		context, index, .kind = CAUSE_REFUSED_REMOTE,
		.sentence = xasprintf(
			"no program listens on %s, or a firewall there rejects with RST", where),
		.evidence =
			xasprintf("%s%s%s", rst, ttl >= 0 ? ", as the host's own answers have" : "",
				  by_us ? reason : ""),
		.advice = xasprintf("run `synfault diagnose --local %u` on the server; a retry "
				    "with backoff is right while it restarts",
				    address->address.port),
		.steps = "refuse");
}

/* Explains an RST although no SYN has left this host. */
static void add_own_rejection(const struct context *context, size_t index, const struct sums *sums)
{
	char where[ADDRESS_TEXT_SIZE];
	AUTO_FREE char *rst = rst_text(sums->refusal);

	address_format(&context->evidence->addresses[index].address, where);
	explain_add(
		context, index, .kind = CAUSE_LOCAL_FIREWALL_REJECTS,
		.sentence = xasprintf(
			"a firewall rule of this host rejects connections to %s with RST", where),
		.evidence = xasprintf("%s, and no SYN left the host", rst),
		.advice = rule_advice(context->evidence), .steps = "refuse");
}

/* Explains an RST from where NAT of this host sends connections. */
static void add_backend_refusal(const struct context *context, size_t index,
				const struct sums *sums)
{
	const struct address_evidence *address = &context->evidence->addresses[index];
	char to[ADDRESS_TEXT_SIZE];
	AUTO_FREE char *rst = rst_text(sums->refusal), *nat = nat_text(address);
	AUTO_FREE char *reason = kernel_reset_text(context->evidence);

	address_format(&address->backend, to);
	explain_add(
		context, index, .kind = CAUSE_NAT_BACKEND_REFUSES,
		.sentence = xasprintf(
			"NAT of this host passes connections on to %s, where no program listens",
			to),
		.evidence = xasprintf("%s%s%s", rst, reason, nat),
		.advice = xasprintf("start the server at %s, or fix the published port (nft list "
				    "ruleset, or docker port)",
				    to),
		.steps = "refuse");
}

static void add_own_firewall(const struct context *context, size_t index,
			     const struct listener *listener, const char *seen)
{
	char where[ADDRESS_TEXT_SIZE];
	AUTO_FREE char *who = listener_text(listener);

	address_format(explain_served(&context->evidence->addresses[index]), where);
	explain_add(context, index, .kind = CAUSE_LOCAL_FIREWALL_REJECTS,
		    .sentence = xasprintf(
			    "a firewall rule of %s rejects connections to %s with RST",
			    is_there(context, index)
				    ? "the server's network namespace, or on the way there,"
				    : "this host",
			    where),
		    .evidence = xasprintf("%s, though %s", seen, who),
		    .advice = rule_advice(context->evidence), .steps = "refuse");
}

/* Explains that no socket listens on the port where the trials went. */
static void add_no_listener(const struct context *context, size_t index, const char *seen)
{
	const struct server_evidence *server = explain_server(context, index);
	const struct address *address = explain_served(&context->evidence->addresses[index]);
	char home[ADDRESS_TEXT_SIZE], host[INET6_ADDRSTRLEN];
	AUTO_FREE char *stray = NULL;

	address_format_host(address, host);
	if (!server->has_stray) {
		explain_add(
			context, index, .kind = CAUSE_NO_LISTENER,
			.sentence =
				is_there(context, index)
					? xasprintf("no program listens on port %u in the network "
						    "namespace of %s",
						    address->port, host)
					: xasprintf("no program listens on port %u of this host",
						    address->port),
			.evidence = xasprintf("%s; the kernel lists no listening socket", seen),
			.advice = xasprintf("start the server%s; a retry with backoff is right "
					    "while it restarts",
					    context->evidence->watched
						    ? ""
						    : ", or fix where NAT passes the port on (a "
						      "container's published port)"),
			.steps = "refuse");
		return;
	}
	stray = listener_text(&server->stray);
	explain_add(
		context, index, .kind = CAUSE_OTHER_NAMESPACE,
		.sentence = xasprintf("%s, but in another network namespace (a container?), and "
				      "nothing passes connections to port %u on to it",
				      stray, address->port),
		.evidence = xasprintf("%s; no socket listens on the port in this network namespace",
				      seen),
		.advice = server->stray_home.family
				  ? xasprintf("publish the port (docker run -p %u:%u), or connect "
					      "to %s",
					      address->port, address->port,
					      address_format(&server->stray_home, home))
				  : xasprintf("publish the port (docker run -p %u:%u), and have "
					      "the server listen on all addresses of its container",
					      address->port, address->port),
		.steps = "refuse");
}

void explain_refusal(const struct context *context, size_t index, const struct sums *sums)
{
	const struct address_evidence *address = &context->evidence->addresses[index];
	const struct server_evidence *server = explain_server(context, index);
	const struct listener *listener;
	AUTO_FREE char *rst = NULL, *reason = NULL, *nat = NULL, *seen = NULL;

	if (sums->syn_missing) {
		add_own_rejection(context, index, sums);
		return;
	}
	if (!server) {
		if (address->backend.family)
			add_backend_refusal(context, index, sums);
		else
			explain_remote_refusal(context, index, sums);
		return;
	}
	rst = rst_text(sums->refusal);
	nat = nat_text(address);
	reason = kernel_reset_text(context->evidence);
	seen = xasprintf("%s%s%s", rst, reason, nat);
	listener = find_listener(server, explain_served(address));
	if (listener)
		add_own_firewall(context, index, listener, seen);
	else if (server->n_listeners > 0)
		add_wrong_listener(context, index, seen);
	else
		add_no_listener(context, index, seen);
}

/* ---- ICMP ---- */

static const char *unreachable_steps(const struct trial *trial)
{
	const char *text = icmp_text(trial->icmp_from.family, trial->icmp_type, trial->icmp_code);

	/* What decides is the errno that the kernel makes of it (net/ipv4/icmp.c, net/ipv6/icmp.c).
	 */
	if (strstr(text, "port"))
		return "unreachable port";
	if (trial->icmp_from.family == AF_INET && trial->icmp_code == ICMP_NET_ANO)
		return "unreachable net";
	if (strstr(text, "prohibited") || strstr(text, "policy") || strstr(text, "rejected"))
		return "unreachable admin";
	if (strstr(text, "protocol"))
		return "unreachable protocol";
	if (strstr(text, "net") || strstr(text, "no route"))
		return "unreachable net";
	return "unreachable host";
}

void explain_icmp(const struct context *context, size_t index, const struct sums *sums)
{
	const struct address_evidence *address = &context->evidence->addresses[index];
	const struct trial *trial = sums->icmp;
	const char *text = icmp_text(trial->icmp_from.family, trial->icmp_type, trial->icmp_code);
	char from[INET6_ADDRSTRLEN], host[INET6_ADDRSTRLEN], after[DURATION_TEXT_SIZE];
	AUTO_FREE char *nat = nat_text(address);
	const struct address *served = explain_served(address);
	bool by_host = memcmp(trial->icmp_from.bytes, served->bytes, 16) == 0;
	/*
	 * The router took that long to find out that the host does not answer (RFC 4861, 7.2.2;
	 * net/ipv4/arp.c).
	 */
	bool found_out = trial->icmp_ns > 500 * NS_PER_MS;
	bool by_us = address->route.source.family &&
		     memcmp(trial->icmp_from.bytes, address->route.source.bytes, 16) == 0;
	/* No router reports about an address of this host, unless packets to it go elsewhere. */
	bool unseen = address->route.kind == ROUTE_LOCAL && address->backend.family == 0;
	struct parts parts = {.kind = CAUSE_FIREWALL_REJECTS, .steps = unreachable_steps(trial)};

	address_format_host(&trial->icmp_from, from);
	address_format_host(served, host);
	parts.evidence = xasprintf("ICMP %s from %s after %s%s", text, from,
				   duration_format(trial->icmp_ns, after), nat);
	if (strstr(text, "time exceeded")) {
		parts.kind = CAUSE_ROUTING_LOOP;
		parts.sentence = xasprintf("packets to %s are caught in a routing loop", host);
		parts.advice = xasprintf("trace the path: tracepath %s", host);
		parts.steps = "unreachable host";
	} else if (by_us && address->route.kind != ROUTE_LOCAL) {
		parts.kind = CAUSE_LOCAL_FIREWALL_REJECTS;
		parts.sentence =
			xasprintf("a firewall rule of this host rejects connections to %s", host);
		parts.advice = rule_advice(context->evidence);
	} else if ((by_host && !found_out) || strstr(text, "port") || strstr(text, "prohibited") ||
		   strstr(text, "protocol") || strstr(text, "policy")) {
		parts.sentence = xasprintf("a firewall at %s%s rejects connections to port %u",
					   from, by_host ? " itself" : "", served->port);
		parts.advice = xstrdup("have it allow the port; a retry does not help");
	} else if (strstr(text, "net") || strstr(text, "no route") || strstr(text, "rejected")) {
		parts.kind = CAUSE_ROUTER_NO_ROUTE;
		parts.sentence = xasprintf(
			"the router %s has %s %s", from,
			strstr(text, "rejected") ? "a route that rejects" : "no route to", host);
		parts.advice = xstrdup("fix the router's routes, or the address");
	} else {
		parts.kind = CAUSE_ROUTER_HOST_UNREACHABLE;
		parts.sentence =
			by_host  ? xasprintf("%s passes connections on to a host that is down "
					      "(address translation)",
					     from)
			: unseen ? xasprintf("NAT of this host passes connections to %s on to a "
					     "host that the router %s can't reach",
					     host, from)
				 : xasprintf("the router %s can't reach %s: the host is down", from,
					     host);
		parts.advice =
			xstrdup("check that the host is up, and where the router forwards to");
		if (found_out)
			parts.steps = "delay 3s then unreachable host";
	}
	explain_add_parts(context, index, &parts);
}
