/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collects all evidence of one diagnosis: see examine.h. */
#include "runner/diagnose/examine.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>

#include "runner/diagnose/drop_reasons.h"
#include "runner/diagnose/legacy_rules.h"
#include "runner/diagnose/names.h"
#include "runner/diagnose/namespaces.h"
#include "runner/diagnose/path.h"
#include "runner/diagnose/path_mtu.h"
#include "runner/diagnose/reset_reasons.h"
#include "runner/diagnose/route.h"
#include "runner/diagnose/rule_trace.h"
#include "runner/diagnose/server.h"

/* Splits "host:port" and "[address]:port". */
static int split_target(const char *target, struct evidence *evidence)
{
	const char *colon = strrchr(target, ':');
	size_t length = colon ? (size_t)(colon - target) : 0;
	char *end;
	long port;

	if (length == 0 || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	port = strtol(colon + 1, &end, 10);
	if (*end || port < 1 || port > UINT16_MAX)
		return -EINVAL;
	if (target[0] == '[' && target[length - 1] == ']') {
		target++;
		length -= 2;
	} else if (memchr(target, ':', length)) {
		return -EINVAL;
	}
	if (length == 0)
		return -EINVAL;
	evidence->host = xstrndup(target, length);
	evidence->port = (uint16_t)port;
	return 0;
}

static bool is_link_local(const struct address *address)
{
	return address->family == AF_INET6 && address->bytes[0] == 0xfe &&
	       (address->bytes[1] & 0xc0) == 0x80;
}

/* Adds every address of this host that is up, up to the limit. */
static void add_own_addresses(struct evidence *evidence)
{
	struct ifaddrs *all;
	struct address address;

	evidence->name.literal = true;
	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) ||
		    address_from_sockaddr(i->ifa_addr, &address) < 0 || is_link_local(&address) ||
		    evidence->n_addresses == MAX_DIAGNOSE_ADDRESSES)
			continue;
		address.port = evidence->port;
		evidence->addresses[evidence->n_addresses++].address = address;
	}
	freeifaddrs(all);
}

/* Returns the variable that sends HTTP clients to a proxy, or NULL. */
static const char *find_proxy(void)
{
	static const char *const variables[] = {
		"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
	};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return variables[i];
	}
	return NULL;
}

/* ---- where the server is ---- */

/* Another network namespace of this machine, to which trials go. */
struct there {
	int fd;              /* -1: none */
	struct address host; /* an address of it */
	struct server_counters before;
};

static void there_close(const struct there *there)
{
	cleanup_close(&there->fd);
}

static bool is_same_host(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Finds the namespace that has the address, if one has it. Only the first one is looked into. */
static void find_there(struct there *there, const struct address *address,
		       const struct route_evidence *route)
{
	int own;

	if (there->fd >= 0 || route->kind != ROUTE_UNICAST)
		return;
	there->fd = MAX(namespaces_find_address(address), -1);
	own = there->fd < 0 ? -1 : namespaces_visit(there->fd);
	if (own < 0)
		return;
	there->host = *address;
	server_read_counters(&there->before);
	namespaces_leave(own);
}

/* Notes where NAT of this host sends the trials at an address. */
static void note_backend(struct address_evidence *address)
{
	for (size_t i = 0; i < address->n_trials && address->backend.family == 0; i++)
		address->backend = address->trials[i].translated;
	if (address->backend.family == 0)
		return;
	route_look_up(&address->backend, &address->backend_route);
	route_look_up_neighbour(&address->backend, &address->backend_route);
}

static enum server_place find_server(const struct address_evidence *address, struct there *there)
{
	bool translated = address->backend.family != 0;
	const struct address *served = translated ? &address->backend : &address->address;
	const struct route_evidence *route = translated ? &address->backend_route : &address->route;

	if (route->kind == ROUTE_LOCAL)
		return SERVER_HERE;
	find_there(there, served, route);
	return there->fd >= 0 && is_same_host(served, &there->host) ? SERVER_THERE
								    : SERVER_ELSEWHERE;
}

static void find_stray(uint16_t port, struct server_evidence *server)
{
	if (server->looked && server->n_listeners == 0)
		server->has_stray =
			namespaces_find_listener(port, &server->stray, &server->stray_home);
}

/*
 * Looks at the server if it is in this network namespace, or in another one of this machine. This
 * host's sockets say nothing about another host's server.
 */
static void look_at_server(struct evidence *evidence, struct there *there, bool here,
			   const struct server_counters *before)
{
	uint16_t port = evidence->port;
	int own = -1;

	for (size_t i = 0; i < evidence->n_addresses; i++) {
		struct address_evidence *address = &evidence->addresses[i];

		address->server = find_server(address, there);
		here = here || address->server == SERVER_HERE;
		if (address->backend.family)
			port = address->backend.port;
	}
	server_look(port, before, &evidence->here);
	if (!here)
		server_forget_listeners(&evidence->here);
	own = there->fd < 0 ? -1 : namespaces_visit(there->fd);
	if (own >= 0) {
		server_look(port, &there->before, &evidence->there);
		namespaces_leave(own);
	}
	find_stray(port, &evidence->here);
	find_stray(port, &evidence->there);
}

/* ---- what the kernel says about the trials ---- */

/* What watches the kernel while the trials run. */
struct witnesses {
	struct legacy_rules here, there;
	struct rule_trace *trace_here, *trace_there;
	struct drop_reasons *drops;
	struct reset_reasons *resets;
	sigset_t unblocked;
};

/* Blocks signals that would end us while something runs that would outlive us. */
static void block_signals(sigset_t *ret_before)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, ret_before);
}

static void start_witnesses(struct evidence *evidence, const struct there *there, bool intrusive,
			    struct witnesses *witnesses)
{
	int family = evidence->n_addresses ? evidence->addresses[0].address.family : AF_INET;
	int own = there->fd < 0 ? -1 : namespaces_visit(there->fd);

	*witnesses = (struct witnesses){0};
	if (intrusive)
		block_signals(&witnesses->unblocked);
	if (own >= 0) {
		legacy_rules_read(family, &witnesses->there);
		if (intrusive)
			rule_trace_start(evidence->port, &witnesses->trace_there);
		namespaces_leave(own);
	}
	legacy_rules_read(family, &witnesses->here);
	if (!intrusive)
		return;
	rule_trace_start(evidence->port, &witnesses->trace_here);
	evidence->kernel_drop.why = -drop_reasons_start(&witnesses->drops);
	evidence->kernel_reset.why = -reset_reasons_start(&witnesses->resets);
}

/* Takes what the rules of the server's namespace did, unless one of this one dropped. */
static void ask_there(struct evidence *evidence, const struct there *there,
		      struct witnesses *witnesses)
{
	struct traced_drop drop;
	int own = there->fd < 0 ? -1 : namespaces_visit(there->fd);

	rule_trace_stop(witnesses->trace_there, &drop);
	drop.there = true;
	if (evidence->drop.traced != YES && drop.traced == YES)
		evidence->drop = drop;
	if (own < 0)
		return;
	if (evidence->legacy_drop.packets == 0) {
		legacy_rules_compare(&witnesses->there, &evidence->legacy_drop);
		evidence->legacy_drop.there = true;
	}
	namespaces_leave(own);
}

static void stop_witnesses(struct evidence *evidence, const struct there *there, bool intrusive,
			   struct witnesses *witnesses)
{
	rule_trace_stop(witnesses->trace_here, &evidence->drop);
	legacy_rules_compare(&witnesses->here, &evidence->legacy_drop);
	ask_there(evidence, there, witnesses);
	drop_reasons_stop(witnesses->drops, evidence);
	reset_reasons_stop(witnesses->resets, evidence);
	legacy_rules_free(&witnesses->here);
	legacy_rules_free(&witnesses->there);
	if (intrusive)
		sigprocmask(SIG_SETMASK, &witnesses->unblocked, NULL);
}

int examine(const char *target, uint16_t local_port, const struct examine_plan *plan,
	    struct evidence *ret)
{
	CLEANUP(there_close) struct there there = {.fd = -1};
	struct server_counters before;
	struct witnesses witnesses;
	bool local = local_port != 0;

	*ret = (struct evidence){.proxy = find_proxy()};
	if (local) {
		ret->target = xasprintf("port %u of this host", local_port);
		ret->host = xstrdup("this host");
		ret->port = local_port;
		add_own_addresses(ret);
	} else {
		if (split_target(target, ret) < 0)
			return -EINVAL;
		ret->target = xstrdup(target);
		names_look_up(ret);
	}
	for (size_t i = 0; i < ret->n_addresses; i++) {
		struct address_evidence *address = &ret->addresses[i];

		route_look_up(&address->address, &address->route);
		find_there(&there, &address->address, &address->route);
	}
	server_read_counters(&before);
	start_witnesses(ret, &there, plan->intrusive, &witnesses);
	handshake_try(ret, &plan->handshake);
	stop_witnesses(ret, &there, plan->intrusive, &witnesses);
	for (size_t i = 0; i < ret->n_addresses; i++) {
		struct address_evidence *address = &ret->addresses[i];

		route_look_up_neighbour(&address->address, &address->route);
		if (plan->path) {
			path_walk(address);
			path_mtu_probe(address);
		}
		note_backend(address);
	}
	look_at_server(ret, &there, local, &before);
	return 0;
}

void evidence_free(struct evidence *evidence)
{
	free(evidence->target);
	free(evidence->host);
	free(evidence->name.nameserver);
	for (size_t i = 0; i < evidence->n_packets; i++)
		free(evidence->packets[i].seen.data);
	free(evidence->packets);
	server_free(&evidence->here);
	server_free(&evidence->there);
}
