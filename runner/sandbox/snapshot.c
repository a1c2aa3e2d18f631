/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Describes a sandbox's network as text: see snapshot.h. */
#include "runner/sandbox/snapshot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/tcp.h>

#include "injector/netlink.h"
#include "injector/sock_list.h"

/* A client that leaks sockets leaks thousands: this many lines show it. */
enum { MAX_LINES = 100 };
/* For a client that ended well, only the connections of its last attempts are looked up. */
enum { MAX_ATTEMPTS = 16 };

/* Lines of a section, which owns them. */
struct lines {
	char **items;
	size_t n_items, capacity;
	size_t n_more; /* that were left out */
};

struct snapshot {
	const struct sandbox *sandbox;
	struct record *record;
	struct lines listening, connections, addresses, routes, endpoints;
	struct sock_entry *listeners;
	size_t n_listeners, listeners_capacity;
	bool only_connections; /* the listening socket was not asked about */
	int sockets_error, addresses_error, routes_error; /* negative errno; 0: no error */
};

PRINTF(2, 3)
static void add_line(struct lines *lines, const char *format, ...)
{
	if (lines->n_items >= MAX_LINES) {
		lines->n_more++;
		return;
	}
	array_append(lines->items, lines->n_items, lines->capacity, FORMAT_REST(format));
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Makes the lines a section, and frees them. */
static void add_section(struct snapshot *self, const char *title, struct lines *lines, bool sort,
			int error)
{
	struct strbuf text = {0};

	if (sort && lines->n_items > 0)
		qsort(lines->items, lines->n_items, sizeof(*lines->items), compare_lines);
	for (size_t i = 0; i < lines->n_items; i++) {
		strbuf_printf(&text, "%s\n", lines->items[i]);
		free(lines->items[i]);
	}
	if (lines->n_more > 0)
		strbuf_printf(&text, "%zu more\n", lines->n_more);
	if (error)
		strbuf_printf(&text, "the kernel did not say: %s\n", strerror(-error));
	else if (lines->n_items == 0)
		strbuf_puts(&text, "none\n");
	free(lines->items);
	*lines = (struct lines){0};
	record_add_section(self->record, title, strbuf_text(&text));
	strbuf_free(&text);
}

static struct address make_address(int family, const void *bytes, uint16_t port)
{
	struct address address = {.family = (uint16_t)family, .port = port};

	memcpy(address.bytes, bytes, address_size(&address));
	return address;
}

/* Returns the name of an interface, in @buffer if it has one. */
static const char *interface_name(uint32_t index, char buffer[static IF_NAMESIZE])
{
	if (!if_indextoname(index, buffer))
		snprintf(buffer, IF_NAMESIZE, "if%u", index);
	return buffer;
}

/* ---- whose it is ---- */

static bool is_any(const struct address *address)
{
	static const uint8_t any[16];

	return memcmp(address->bytes, any, sizeof(any)) == 0;
}

static bool same_host(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/*
 * Returns whether the address (and, unless @host_only, its port) is one of the sandbox's endpoints.
 */
static bool is_of_endpoint(const struct sandbox *sandbox, const struct address *address,
			   bool host_only)
{
	for (size_t i = 0; i < sandbox->scenario->n_endpoints; i++) {
		const struct sandbox_endpoint *endpoint = &sandbox->endpoints[i];

		for (size_t k = 0; k < endpoint->n_addresses; k++) {
			if (!host_only && endpoint->addresses[k].port != address->port)
				continue;
			if (same_host(&endpoint->addresses[k], address) ||
			    (!host_only && is_any(address)))
				return true;
		}
	}
	return false;
}

/* ---- sockets ---- */

static const char *state_name(uint8_t state)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "ESTABLISHED",
		[TCP_SYN_SENT] = "SYN-SENT",
		[TCP_SYN_RECV] = "SYN-RECEIVED",
		[TCP_FIN_WAIT1] = "FIN-WAIT-1",
		[TCP_FIN_WAIT2] = "FIN-WAIT-2",
		[TCP_TIME_WAIT] = "TIME-WAIT",
		[TCP_CLOSE] = "CLOSED",
		[TCP_CLOSE_WAIT] = "CLOSE-WAIT",
		[TCP_LAST_ACK] = "LAST-ACK",
		[TCP_LISTEN] = "LISTEN",
		[TCP_CLOSING] = "CLOSING",
		[TCP_CLOSING + 1] = "SYN-RECEIVED", /* TCP_NEW_SYN_RECV of the kernel */
	};

	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "?";
}

static void take_socket(void *userdata, const struct sock_entry *entry)
{
	struct snapshot *self = userdata;
	char from[ADDRESS_TEXT_SIZE], to[ADDRESS_TEXT_SIZE], timer[48] = "";

	if (self->sandbox->shared && !is_of_endpoint(self->sandbox, &entry->local, false) &&
	    !is_of_endpoint(self->sandbox, &entry->remote, false))
		return;
	address_format(&entry->local, from);
	if (entry->state == TCP_LISTEN) {
		if (self->only_connections)
			return;
		array_append(self->listeners, self->n_listeners, self->listeners_capacity, *entry);
		add_line(&self->listening, "%-22s accept queue %u of %u", from, entry->unread,
			 entry->unacknowledged);
		return;
	}
	if (entry->timer == 1)
		snprintf(timer, sizeof(timer), ", repeats in %u ms (%u times so far)",
			 entry->expires_ms, entry->n_retransmissions);
	add_line(&self->connections, "%-12s %-22s to %-22s unread %u, not acknowledged %u%s",
		 state_name(entry->state), from, address_format(&entry->remote, to), entry->unread,
		 entry->unacknowledged, timer);
}

/* Looks up the endpoints' listening sockets and both ends of the last attempts' connections. */
static int take_own_sockets(struct snapshot *self)
{
	const struct record *record = self->record;
	const struct sandbox *sandbox = self->sandbox;
	size_t first = record->n_attempts - MIN(record->n_attempts, (size_t)MAX_ATTEMPTS);
	struct mnl_socket *socket;
	int status = netlink_open(NETLINK_SOCK_DIAG, &socket);

	if (status < 0)
		return status;
	for (size_t i = 0; i < sandbox->scenario->n_endpoints && status >= 0; i++) {
		const struct sandbox_endpoint *endpoint = &sandbox->endpoints[i];

		for (size_t k = 0; k < endpoint->n_addresses && status >= 0; k++) {
			struct address any_remote = {.family = endpoint->addresses[k].family};

			status = sock_list_one(socket, &endpoint->addresses[k], &any_remote,
					       take_socket, self);
			if (status == -ENOENT)
				status = 0;
		}
	}
	self->only_connections = true;
	for (size_t i = first; i < record->n_attempts && status >= 0; i++) {
		const struct record_attempt *attempt = &record->attempts[i];

		sock_list_one(socket, &attempt->client, &attempt->server, take_socket, self);
		sock_list_one(socket, &attempt->server, &attempt->client, take_socket, self);
	}
	mnl_socket_close(socket);
	return status;
}

/* Returns whether the client ended on its own, with an expected status. */
static bool ended_well(const struct snapshot *self)
{
	const struct scenario *scenario = self->sandbox->scenario;
	const struct event *exit = record_exit(self->record);

	if (!exit)
		return false;
	for (size_t i = 0; i < scenario->n_expectations; i++)
		if (scenario->expectations[i].kind == EXPECT_EXIT)
			return expectation_exit_matches(&scenario->expectations[i],
							exit->u.exit.wait_status);
	return exit->u.exit.wait_status == 0;
}

/* ---- addresses and routes ---- */

static int take_address(const struct nlmsghdr *header, void *userdata)
{
	const struct ifaddrmsg *message = mnl_nlmsg_get_payload(header);
	struct snapshot *self = userdata;
	const struct nlattr *attribute;
	const void *bytes = NULL;
	char name[IF_NAMESIZE], text[INET6_ADDRSTRLEN];
	struct address address;
	size_t size;

	if (header->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(header) < sizeof(*message) ||
	    (message->ifa_family != AF_INET && message->ifa_family != AF_INET6))
		return MNL_CB_OK;
	size = message->ifa_family == AF_INET ? 4 : 16;
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		uint16_t type = mnl_attr_get_type(attribute);

		/* If both are present, IFA_LOCAL is the interface's own address. */
		if ((type == IFA_LOCAL || (type == IFA_ADDRESS && !bytes)) &&
		    mnl_attr_get_payload_len(attribute) == size)
			bytes = mnl_attr_get_payload(attribute);
	}
	if (!bytes)
		return MNL_CB_OK;
	address = make_address(message->ifa_family, bytes, 0);
	if (self->sandbox->shared && !is_of_endpoint(self->sandbox, &address, true))
		return MNL_CB_OK;
	add_line(&self->addresses, "%-6s %s/%u%s", interface_name(message->ifa_index, name),
		 address_format_host(&address, text), message->ifa_prefixlen,
		 message->ifa_flags & IFA_F_TENTATIVE ? " tentative" : "");
	return MNL_CB_OK;
}

/* What a message says about a route. */
struct route {
	uint8_t family, type, table, length;
	uint32_t interface; /* 0: none */
	const void *to, *gateway;
};

static bool read_route(const struct nlmsghdr *header, struct route *ret)
{
	const struct rtmsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute;
	struct route route = {0};
	size_t size;

	if (header->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(header) < sizeof(*message) ||
	    (message->rtm_family != AF_INET && message->rtm_family != AF_INET6))
		return false;
	route = (struct route){message->rtm_family, message->rtm_type, message->rtm_table,
			       message->rtm_dst_len};
	size = route.family == AF_INET ? 4 : 16;
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		uint16_t type = mnl_attr_get_type(attribute);
		uint16_t length = mnl_attr_get_payload_len(attribute);

		if (type == RTA_DST && length == size)
			route.to = mnl_attr_get_payload(attribute);
		else if (type == RTA_GATEWAY && length == size)
			route.gateway = mnl_attr_get_payload(attribute);
		else if (type == RTA_OIF && length == sizeof(uint32_t))
			route.interface = mnl_attr_get_u32(attribute);
	}
	*ret = route;
	return true;
}

/* Adds a route: "by eth0 through 10.0.0.1". */
static void describe_route(const struct route *route, struct strbuf *out)
{
	char name[IF_NAMESIZE], text[INET6_ADDRSTRLEN];
	struct address gateway;

	if (route->interface)
		strbuf_printf(out, "by %s", interface_name(route->interface, name));
	if (route->gateway) {
		gateway = make_address(route->family, route->gateway, 0);
		strbuf_printf(out, " through %s", address_format_host(&gateway, text));
	}
}

/* Shows what `ip route` shows. The local table is left out: it repeats the addresses. */
static int take_route(const struct nlmsghdr *header, void *userdata)
{
	struct snapshot *self = userdata;
	AUTO_STRBUF struct strbuf how = {0};
	char text[INET6_ADDRSTRLEN];
	struct address to;
	struct route route;

	if (!read_route(header, &route) || route.table != RT_TABLE_MAIN)
		return MNL_CB_OK;
	describe_route(&route, &how);
	if (route.type != RTN_UNICAST)
		strbuf_puts(&how, " (unusable: not unicast)");
	if (route.to) {
		to = make_address(route.family, route.to, 0);
		add_line(&self->routes, "%s/%u %s", address_format_host(&to, text), route.length,
			 strbuf_text(&how));
	} else {
		add_line(&self->routes, "default (%s) %s",
			 route.family == AF_INET ? "IPv4" : "IPv6", strbuf_text(&how));
	}
	return MNL_CB_OK;
}

static int dump_rtnetlink(struct mnl_socket *socket, uint16_t type, mnl_cb_t take,
			  struct snapshot *self)
{
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct rtmsg *message;

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	/* The header of all families, as long as the longest of them. */
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->rtm_family = AF_UNSPEC;
	return netlink_dump(socket, header, NULL, take, self);
}

/* ---- endpoints ---- */

/* Finds out how a client's packets would get to the address. */
static void find_route(struct mnl_socket *socket, const struct address *address, struct strbuf *out)
{
	char buffer[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	int status = netlink_ask_route(socket, address, buffer, sizeof(buffer));
	struct route route;

	if (status < 0) {
		strbuf_printf(out, "no route to it: %s", strerror(-status));
	} else if (read_route((const struct nlmsghdr *)buffer, &route)) {
		if (route.type == RTN_LOCAL) {
			strbuf_puts(out, "delivered here");
		} else {
			strbuf_puts(out, "routed ");
			describe_route(&route, out);
		}
	}
}

static bool covers(const struct sock_entry *listener, const struct address *address)
{
	if (listener->local.port != address->port)
		return false;
	if (same_host(&listener->local, address))
		return true;
	if (!is_any(&listener->local))
		return false;
	return listener->local.family == address->family ||
	       (listener->local.family == AF_INET6 && !listener->ipv6_only);
}

static void describe_endpoint(struct snapshot *self, struct mnl_socket *socket, size_t index,
			      const struct address *address)
{
	const struct endpoint_spec *spec = &self->sandbox->scenario->endpoints[index];
	const struct sock_entry *listener = NULL;
	AUTO_STRBUF struct strbuf text = {0};
	char where[ADDRESS_TEXT_SIZE];

	find_route(socket, address, &text);
	for (size_t i = 0; i < self->n_listeners && !listener; i++)
		if (covers(&self->listeners[i], address))
			listener = &self->listeners[i];
	if (listener)
		strbuf_printf(&text, "; a socket listens, accept queue %u of %u%s",
			      listener->unread, listener->unacknowledged,
			      listener->unread > listener->unacknowledged ? " (full)" : "");
	else if (!self->sockets_error)
		strbuf_printf(&text, "; no process listens%s",
			      spec->serve == SERVE_NONE ? ", as the scenario asks" : "");
	add_line(&self->endpoints, "%s %s: %s", spec->name, address_format(address, where),
		 strbuf_text(&text));
}

void snapshot_take(const struct sandbox *sandbox, struct record *record)
{
	struct snapshot self = {.sandbox = sandbox, .record = record};
	struct mnl_socket *socket = NULL;
	int status = netlink_open(NETLINK_ROUTE, &socket);

	self.sockets_error = ended_well(&self) ? take_own_sockets(&self)
					       : sock_list(UINT32_MAX, 0, take_socket, &self);
	self.addresses_error = self.routes_error = status;
	if (socket) {
		self.addresses_error = dump_rtnetlink(socket, RTM_GETADDR, take_address, &self);
		if (!sandbox->shared)
			self.routes_error = dump_rtnetlink(socket, RTM_GETROUTE, take_route, &self);
	}
	for (size_t i = 0; socket && i < sandbox->scenario->n_endpoints; i++)
		for (size_t k = 0; k < sandbox->endpoints[i].n_addresses; k++)
			describe_endpoint(&self, socket, i, &sandbox->endpoints[i].addresses[k]);
	add_section(&self, "Endpoints", &self.endpoints, false, status);
	add_section(&self, "Listening", &self.listening, true, self.sockets_error);
	add_section(&self, "Connections", &self.connections, true, self.sockets_error);
	add_section(&self, "Addresses", &self.addresses, false, self.addresses_error);
	if (!sandbox->shared)
		add_section(&self, "Routes", &self.routes, false, self.routes_error);
	if (socket)
		mnl_socket_close(socket);
	free(self.listeners);
}
