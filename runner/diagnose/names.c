/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks up names: see names.h. */
#include "runner/diagnose/names.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

#include "common/duration.h"

/* Returns whether a line of hosts(5) names the host. Changes the line. */
static bool line_names(char *line, const char *host)
{
	char *rest = NULL, *word;

	line[strcspn(line, "#\n")] = '\0';
	if (!strtok_r(line, " \t", &rest))
		return false;
	while ((word = strtok_r(NULL, " \t", &rest)))
		if (strcasecmp(word, host) == 0)
			return true;
	return false;
}

static bool is_in_hosts(const char *host)
{
	AUTO_FCLOSE FILE *file = fopen("/etc/hosts", "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) >= 0)
		if (line_names(line, host))
			return true;
	return false;
}

/* Returns the first nameserver of resolv.conf(5), or NULL; owned by the caller. */
static char *first_nameserver(void)
{
	AUTO_FCLOSE FILE *file = fopen("/etc/resolv.conf", "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	char server[64];

	while (file && getline(&line, &size, file) >= 0)
		if (sscanf(line, "nameserver %63s", server) == 1)
			return xstrdup(server);
	return NULL;
}

/* Returns whether gai.conf(5) has a line that is in effect. */
static bool has_gai_conf(void)
{
	AUTO_FCLOSE FILE *file = fopen("/etc/gai.conf", "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	char word[16];

	while (file && getline(&line, &size, file) >= 0)
		if (sscanf(line, "%15s", word) == 1 && word[0] != '#')
			return true;
	return false;
}

/* Finds out which families AI_ADDRCONFIG leaves out (RFC 3493, 6.1). */
static void look_at_families(struct name_evidence *name)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return;
	name->without_ipv4 = name->without_ipv6 = true;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_flags & IFF_LOOPBACK)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			name->without_ipv4 = false;
		if (i->ifa_addr->sa_family == AF_INET6)
			name->without_ipv6 = false;
	}
	freeifaddrs(all);
}

/* Calls getaddrinfo() for one family; returns its error and writes how long it took. */
static int resolve(const char *host, int family, int64_t *ret_ns, struct addrinfo **ret)
{
	/* As most clients do, ask only for families this host has an address of (RFC 3493, 6.1). */
	const struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG,
	};
	int64_t started_ns = clock_monotonic_ns();
	int error = getaddrinfo(host, NULL, &hints, ret);

	*ret_ns = clock_monotonic_ns() - started_ns;
	return error;
}

static void add_address(struct evidence *evidence, const struct address *address)
{
	for (size_t i = 0; i < evidence->n_addresses; i++)
		if (address_equal(&evidence->addresses[i].address, address))
			return;
	if (evidence->n_addresses < MAX_DIAGNOSE_ADDRESSES)
		evidence->addresses[evidence->n_addresses++].address = *address;
}

/* Asks for each family alone, since a resolver may answer one question and drop the other. */
static void ask_one_by_one(struct evidence *evidence)
{
	struct name_evidence *name = &evidence->name;
	struct addrinfo *found = NULL;

	name->ipv4_error = resolve(evidence->host, AF_INET, &name->ipv4_ns, &found);
	if (name->ipv4_error == 0)
		freeaddrinfo(found);
	name->ipv6_error = resolve(evidence->host, AF_INET6, &name->ipv6_ns, &found);
	if (name->ipv6_error == 0)
		freeaddrinfo(found);
}

void names_look_up(struct evidence *evidence)
{
	struct name_evidence *name = &evidence->name;
	struct addrinfo *found = NULL;
	struct address address;

	if (address_parse(evidence->host, evidence->port, &address) == 0) {
		name->literal = true;
		add_address(evidence, &address);
		return;
	}
	name->in_hosts = is_in_hosts(evidence->host);
	name->searched = !strchr(evidence->host, '.');
	name->nameserver = first_nameserver();
	name->gai_conf = has_gai_conf();
	look_at_families(name);
	name->error = resolve(evidence->host, AF_UNSPEC, &name->took_ns, &found);
	if (name->error == EAI_SYSTEM)
		name->system_error = errno;
	for (const struct addrinfo *info = name->error ? NULL : found; info; info = info->ai_next) {
		if (address_from_sockaddr(info->ai_addr, &address) < 0)
			continue;
		address.port = evidence->port;
		add_address(evidence, &address);
	}
	if (name->error == 0)
		freeaddrinfo(found);
	/* A resolver that is silent once stays silent: asking it twice more shows nothing new. */
	if (name->error != EAI_AGAIN)
		ask_one_by_one(evidence);
}
