/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the addresses that a scenario names for an endpoint. A sandbox can have addresses that are
 * local to a host: 127.0.0.0/8 and ::1. IPv6 has only that one, so unique local addresses (RFC
 * 4193) are allowed, too; the sandbox adds them to its `lo`.
 */
#include "runner/scenario/decode_address.h"

/* synfault's own network: endpoints get their IPv6 addresses from it (runner/sandbox/network.c). */
static const uint8_t own_network[4] = {0xfd, 0x73, 0x79, 0x6e};

bool is_literal_address(const char *text)
{
	struct address address;

	return address_parse(text, 0, &address) == 0 || strchr(text, ':') ||
	       (*text && strspn(text, "0123456789.") == strlen(text));
}

static bool is_mapped(const struct address *address)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return address->family == AF_INET6 && memcmp(address->bytes, prefix, sizeof(prefix)) == 0;
}

static bool is_usable(const struct address *address)
{
	static const uint8_t none[3], all[3] = {0xff, 0xff, 0xff};
	static const uint8_t loopback[16] = {[15] = 1};

	if (address->family == AF_INET)
		return address->bytes[0] == 127 && memcmp(address->bytes + 1, none, 3) != 0 &&
		       memcmp(address->bytes + 1, all, 3) != 0;
	return memcmp(address->bytes, loopback, sizeof(loopback)) == 0 ||
	       (address->bytes[0] & 0xfe) == 0xfc;
}

bool decode_literal_address(struct loader *loader, const struct node *node,
			    const struct endpoint_spec *endpoint, struct address *ret)
{
	struct address address;

	if (address_parse(node->text, 0, &address) < 0) {
		loader_error(loader, node, "\"%s\" is not an address", node->text);
		loader_hint(loader, "write ipv4, ipv6, or an address such as 127.0.0.2 or \"::1\"");
		return false;
	}
	if (is_mapped(&address)) {
		loader_error(loader, node,
			     "\"%s\" is of the wrong family: an IPv4 address that is "
			     "written as one of IPv6",
			     node->text);
		loader_hint(loader, "write it as IPv4");
		return false;
	}
	if (!is_usable(&address)) {
		loader_error(loader, node, "\"%s\" is not a loopback address", node->text);
		loader_hint(loader,
			    "use one of 127.0.0.0/8, \"::1\", or fd00::/8; an existing server "
			    "is a \"remote\" endpoint");
		return false;
	}
	if (address.family == AF_INET6 &&
	    !memcmp(address.bytes, own_network, sizeof(own_network))) {
		loader_error(loader, node, "\"%s\" is in a network that synfault itself takes from",
			     node->text);
		loader_hint(loader, "use another one of fd00::/8");
		return false;
	}
	for (size_t i = 0; i < endpoint->n_families; i++) {
		if (!address_equal(&endpoint->literals[i], &address))
			continue;
		loader_error(loader, node, "the endpoint has the address %s already", node->text);
		return false;
	}
	*ret = address;
	return true;
}

size_t endpoint_literal(const struct endpoint_spec *endpoint, const char *text)
{
	struct address address;

	if (address_parse(text, 0, &address) < 0)
		return SIZE_MAX;
	for (size_t i = 0; i < endpoint->n_families; i++)
		if (address_equal(&endpoint->literals[i], &address))
			return i;
	return SIZE_MAX;
}

/* Returns the first address that both endpoints have, or NULL. */
static const struct address *in_common(const struct endpoint_spec *a, const struct endpoint_spec *b)
{
	for (size_t i = 0; i < a->n_families; i++)
		for (size_t k = 0; a->literals[i].family && k < b->n_families; k++)
			if (address_equal(&a->literals[i], &b->literals[k]))
				return &a->literals[i];
	return NULL;
}

void check_literal_addresses(struct loader *loader, const struct node *key,
			     const struct scenario *scenario, size_t index)
{
	const struct endpoint_spec *endpoint = &scenario->endpoints[index];
	char text[INET6_ADDRSTRLEN];

	if (endpoint->remote && endpoint_has_literal(endpoint)) {
		loader_error(loader, key, "a remote endpoint has the addresses of its host");
		loader_hint(loader, "leave \"addresses\" out; \"families\" takes those of one "
				    "family");
		return;
	}
	/* Endpoints that name no port get different ones. */
	for (size_t i = 0; endpoint->port && i < index; i++) {
		const struct endpoint_spec *other = &scenario->endpoints[i];
		const struct address *address =
			endpoint->port == other->port ? in_common(endpoint, other) : NULL;

		if (!address)
			continue;
		loader_error(loader, key,
			     "the endpoint has address and port in common with \"%s\": "
			     "%s",
			     other->name, address_format_host(address, text));
		loader_hint(loader, "give one of them another \"port\"");
		return;
	}
}
