/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collects all evidence of one diagnosis: see examine.h. */
#include "runner/diagnose/examine.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>

#include "runner/diagnose/names.h"
#include "runner/diagnose/path.h"
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

int examine(const char *target, uint16_t local_port, const struct examine_plan *plan,
	    struct evidence *ret)
{
	struct server_counters before;
	struct rule_trace *trace = NULL;
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
	for (size_t i = 0; i < ret->n_addresses; i++)
		route_look_up(&ret->addresses[i].address, &ret->addresses[i].route);
	server_read_counters(&before);
	if (plan->intrusive)
		rule_trace_start(ret->port, &trace);
	handshake_try(ret, &plan->handshake);
	rule_trace_stop(trace, &ret->drop);
	for (size_t i = 0; i < ret->n_addresses; i++) {
		struct address_evidence *address = &ret->addresses[i];

		route_look_up_neighbour(&address->address, &address->route);
		if (plan->path)
			path_walk(address);
		local = local || address->route.kind == ROUTE_LOCAL;
	}
	server_look(ret->port, &before, &ret->server);
	/* This host's sockets say nothing about another host's server. */
	if (!local) {
		server_free(&ret->server);
		ret->server.n_listeners = 0;
		ret->server.looked = false;
	}
	return 0;
}

void evidence_free(struct evidence *evidence)
{
	free(evidence->target);
	free(evidence->host);
	free(evidence->name.nameserver);
	server_free(&evidence->server);
}
