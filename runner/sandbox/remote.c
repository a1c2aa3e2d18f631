/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Endpoints whose addresses are not the sandbox's own: see remote.h. */
#include "runner/sandbox/remote.h"

#include <errno.h>
#include <netdb.h>
#include <sys/un.h>

#include "injector/nft_rules.h"

#define PREFIX "synfault-remote-"

char *remote_table(uint32_t number, char buffer[static REMOTE_TABLE_SIZE])
{
	snprintf(buffer, REMOTE_TABLE_SIZE, PREFIX "%u", number);
	return buffer;
}

/* Binds an abstract Unix socket to that name, as netns_lock.h does. */
static int claim_name(const char *text)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int length;

	if (fd < 0)
		return -errno;
	/* A leading NUL makes the name an abstract one. */
	length = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, PREFIX "%s", text);
	if (bind(fd, (struct sockaddr *)&name,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) < 0)
		return -errno;
	return steal_fd(&fd);
}

int remote_claim_number(uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	return claim_name(text);
}

int remote_claim_table(uint32_t *ret_number)
{
	int claim = -EADDRINUSE;

	for (uint32_t i = 0; i < REMOTE_MAX_TABLES && claim == -EADDRINUSE; i++) {
		claim = remote_claim_number(i);
		if (claim >= 0)
			*ret_number = i;
	}
	return claim;
}

int remote_claim(const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	return claim_name(address_format(address, text));
}

void remote_create_tables(void)
{
	char table[REMOTE_TABLE_SIZE];

	for (uint32_t i = 0; i < REMOTE_MAX_TABLES; i++)
		(void)nft_rules_create_outgoing(remote_table(i, table));
}

void remote_clear(uint32_t number)
{
	char table[REMOTE_TABLE_SIZE];

	(void)nft_rules_flush_outgoing(remote_table(number, table));
}

int remote_list(void (*on_table)(void *userdata, uint32_t number), void *userdata)
{
	return nft_rules_list_outgoing(PREFIX, on_table, userdata);
}

static int look_up(const struct endpoint_spec *spec, struct addrinfo **ret, struct diag_list *diags)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	int error = getaddrinfo(spec->remote, NULL, &hints, ret);

	if (!error)
		return 0;
	diag_add(diags, &spec->place, "the remote endpoint %s: no address is found for %s: %s",
		 spec->name, spec->remote,
		 error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
	diag_hint(diags, "names are looked up when the scenario starts; without a name service, "
			 "give an address");
	return -EHOSTUNREACH;
}

/* Adds the addresses of one family (AF_UNSPEC: any). Returns how many there are now. */
static size_t take(const struct addrinfo *found, int family, uint16_t port,
		   struct address *addresses, size_t most, size_t n)
{
	for (; found; found = found->ai_next) {
		struct address address;
		bool known = false;

		if ((family != AF_UNSPEC && found->ai_family != family) ||
		    address_from_sockaddr(found->ai_addr, &address) < 0)
			continue;
		address.port = port;
		for (size_t i = 0; i < n && !known; i++)
			known = address_equal(&addresses[i], &address);
		if (!known && n < most)
			addresses[n++] = address;
	}
	return n;
}

int remote_resolve(const struct endpoint_spec *spec, struct address *addresses, size_t most,
		   size_t *ret_n, struct diag_list *diags)
{
	struct addrinfo *found;
	size_t n = 0;
	int r = look_up(spec, &found, diags);

	if (r < 0)
		return r;
	if (spec->n_families == 0)
		n = take(found, AF_UNSPEC, spec->port, addresses, most, 0);
	for (size_t f = 0; !r && f < spec->n_families; f++) {
		size_t before = n;

		n = take(found, spec->families[f] == FAMILY_IPV4 ? AF_INET : AF_INET6, spec->port,
			 addresses, most, n);
		if (n > before || n == most)
			continue;
		diag_add(diags, &spec->place, "the remote endpoint %s: %s has no %s address",
			 spec->name, spec->remote,
			 spec->families[f] == FAMILY_IPV4 ? "IPv4" : "IPv6");
		r = -EAFNOSUPPORT;
	}
	freeaddrinfo(found);
	if (!r)
		*ret_n = n;
	return r;
}

char *remote_format(const struct endpoint_spec *spec)
{
	bool ipv6 = strchr(spec->remote, ':') != NULL;

	return xasprintf("%s%s%s:%u", ipv6 ? "[" : "", spec->remote, ipv6 ? "]" : "",
			 (unsigned)spec->port);
}

bool remote_is_here(const struct address *address)
{
	struct address host = *address;
	struct sockaddr_storage storage;
	AUTO_CLOSE int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t length;

	host.port = 0; /* any free one */
	length = address_to_sockaddr(&host, &storage);

	return fd >= 0 && bind(fd, (struct sockaddr *)&storage, length) == 0;
}
