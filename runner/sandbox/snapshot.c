/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Describes a sandbox's network as text: see snapshot.h. */
#include "runner/sandbox/snapshot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/tcp.h>

/* A client that leaks sockets leaks thousands: this many lines show it. */
enum { MAX_LINES = 100 };
/* For a client that ended well, only the connections of its last attempts are looked up. */
enum { MAX_ATTEMPTS = 16 };
enum { BUFFER_SIZE = 32768 };

/* Lines of one section; each is owned. */
struct lines {
	char **items;
	size_t n_items, capacity;
	size_t n_more; /* that were left out */
};

/* A listening socket. */
struct listener {
	struct address address;
	bool ipv6_only;
	uint32_t waiting, backlog;
};

struct snapshot {
	const struct sandbox *sandbox;
	struct record *record;
	struct lines listening, connections, addresses, routes, endpoints;
	struct listener *listeners;
	size_t n_listeners, listeners_capacity;
	bool only_connections;                            /* a listening socket was not asked for */
	int sockets_error, addresses_error, routes_error; /* negative errno; 0: no error */
};

PRINTF(2, 3)
static void add_line(struct lines *lines, const char *format, ...)
{
	va_list arguments;

	if (lines->n_items >= MAX_LINES) {
		lines->n_more++;
		return;
	}
	va_start(arguments, format);
	array_append(lines->items, lines->n_items, lines->capacity, xvasprintf(format, arguments));
	va_end(arguments);
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

/* ---- netlink ---- */

static struct mnl_socket *open_netlink(int bus)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (socket && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(socket);
		return NULL;
	}
	return socket;
}

/* Sends a request and gives each message of the answer to @take. Returns 0 or a negative errno. */
static int ask(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t take, void *userdata)
{
	char buffer[BUFFER_SIZE];
	int status = MNL_CB_OK;

	request->nlmsg_seq = 1;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (status > MNL_CB_STOP) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (length < 0)
			return -errno;
		status = mnl_cb_run(buffer, (size_t)length, 1, mnl_socket_get_portid(socket), take,
				    userdata);
		/* Only a dump ends with a message of its own. */
		if (status > MNL_CB_STOP && !(request->nlmsg_flags & NLM_F_DUMP))
			break;
	}
	/* A dump that a change has interrupted (EINTR) is good enough for this purpose. */
	return status < 0 && errno != EINTR ? -errno : 0;
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

/* Whether the address (and, unless @host_only, its port) is one of the sandbox's endpoints. */
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

static void add_listener(struct snapshot *self, const struct nlmsghdr *header,
			 const struct inet_diag_msg *message, const struct address *local)
{
	struct listener listener = {
		.address = *local,
		.waiting = message->idiag_rqueue,
		.backlog = message->idiag_wqueue,
	};
	char text[ADDRESS_TEXT_SIZE];
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		if (mnl_attr_get_type(attribute) == INET_DIAG_SKV6ONLY)
			listener.ipv6_only = mnl_attr_get_u8(attribute) != 0;
	}
	array_append(self->listeners, self->n_listeners, self->listeners_capacity, listener);
	add_line(&self->listening, "%-22s accept queue %u of %u", address_format(local, text),
		 listener.waiting, listener.backlog);
}

static int take_socket(const struct nlmsghdr *header, void *userdata)
{
	const struct inet_diag_msg *message = mnl_nlmsg_get_payload(header);
	struct snapshot *self = userdata;
	char from[ADDRESS_TEXT_SIZE], to[ADDRESS_TEXT_SIZE], timer[48] = "";
	struct address local, remote;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*message) ||
	    (message->idiag_family != AF_INET && message->idiag_family != AF_INET6))
		return MNL_CB_OK;
	local = make_address(message->idiag_family, message->id.idiag_src,
			     ntohs(message->id.idiag_sport));
	remote = make_address(message->idiag_family, message->id.idiag_dst,
			      ntohs(message->id.idiag_dport));
	if (self->sandbox->shared && !is_of_endpoint(self->sandbox, &local, false) &&
	    !is_of_endpoint(self->sandbox, &remote, false))
		return MNL_CB_OK;
	if (message->idiag_state == TCP_LISTEN) {
		if (self->only_connections)
			return MNL_CB_OK;
		add_listener(self, header, message, &local);
		return MNL_CB_OK;
	}
	/* Timer 1 is the retransmission timer (net/ipv4/inet_diag.c). */
	if (message->idiag_timer == 1)
		snprintf(timer, sizeof(timer), ", repeats in %u ms (%u times so far)",
			 message->idiag_expires, message->idiag_retrans);
	add_line(&self->connections, "%-12s %-22s to %-22s unread %u, not acknowledged %u%s",
		 state_name(message->idiag_state), address_format(&local, from),
		 address_format(&remote, to), message->idiag_rqueue, message->idiag_wqueue, timer);
	return MNL_CB_OK;
}

/* Looks up the one socket that would get a packet with these addresses. */
static int find_socket(struct mnl_socket *socket, const struct address *local,
		       const struct address *remote, struct snapshot *self)
{
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->sdiag_family = (uint8_t)local->family;
	request->sdiag_protocol = IPPROTO_TCP;
	request->idiag_states = UINT32_MAX;
	request->id.idiag_cookie[0] = request->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	memcpy(request->id.idiag_src, local->bytes, address_size(local));
	request->id.idiag_sport = htons(local->port);
	memcpy(request->id.idiag_dst, remote->bytes, address_size(remote));
	request->id.idiag_dport = htons(remote->port);
	return ask(socket, header, take_socket, self);
}

/* Looks up the endpoints' listening sockets and both ends of the last attempts' connections. */
static int take_own_sockets(struct snapshot *self, struct mnl_socket *socket)
{
	const struct record *record = self->record;
	const struct sandbox *sandbox = self->sandbox;
	size_t first = record->n_attempts - MIN(record->n_attempts, (size_t)MAX_ATTEMPTS);
	int status = 0;

	for (size_t i = 0; i < sandbox->scenario->n_endpoints; i++) {
		const struct sandbox_endpoint *endpoint = &sandbox->endpoints[i];

		for (size_t k = 0; k < endpoint->n_addresses; k++) {
			struct address nobody = {.family = endpoint->addresses[k].family};

			status = find_socket(socket, &endpoint->addresses[k], &nobody, self);
			if (status < 0 && status != -ENOENT)
				return status;
		}
	}
	for (size_t i = first; i < record->n_attempts; i++) {
		const struct record_attempt *attempt = &record->attempts[i];

		self->only_connections = true;
		find_socket(socket, &attempt->client, &attempt->server, self);
		find_socket(socket, &attempt->server, &attempt->client, self);
		self->only_connections = false;
	}
	return 0;
}

/*
 * TCPDIAG_GETSOCK rather than SOCK_DIAG_BY_FAMILY: it dumps both families in one walk through a
 * hash table that grows with the machine's memory.
 */
static int take_all_sockets(struct snapshot *self, struct mnl_socket *socket)
{
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req *request;

	header->nlmsg_type = TCPDIAG_GETSOCK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->idiag_family = AF_INET;
	request->idiag_states = UINT32_MAX;
	return ask(socket, header, take_socket, self);
}

/* Whether the client ended on its own, with an expected status. */
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

static int take_sockets(struct snapshot *self)
{
	struct mnl_socket *socket = open_netlink(NETLINK_SOCK_DIAG);
	int status;

	if (!socket)
		return -errno;
	status = ended_well(self) ? take_own_sockets(self, socket) : take_all_sockets(self, socket);
	mnl_socket_close(socket);
	return status;
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

/* "by eth0 through 10.0.0.1" */
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
	return ask(socket, header, take, self);
}

/* ---- endpoints ---- */

static int take_one_route(const struct nlmsghdr *header, void *userdata)
{
	struct strbuf *out = userdata;
	struct route route;

	if (!read_route(header, &route))
		return MNL_CB_STOP;
	if (route.type == RTN_LOCAL) {
		strbuf_puts(out, "delivered here");
	} else {
		strbuf_puts(out, "routed ");
		describe_route(&route, out);
	}
	return MNL_CB_STOP;
}

/* Finds out how a client's packets would get to the address. */
static void find_route(struct mnl_socket *socket, const struct address *address, struct strbuf *out)
{
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct rtmsg *message;
	int status;

	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->rtm_family = (uint8_t)address->family;
	message->rtm_dst_len = (uint8_t)(8 * address_size(address));
	mnl_attr_put(header, RTA_DST, address_size(address), address->bytes);
	status = ask(socket, header, take_one_route, out);
	if (status < 0)
		strbuf_printf(out, "no route to it: %s", strerror(-status));
}

static bool covers(const struct listener *listener, const struct address *address)
{
	if (listener->address.port != address->port)
		return false;
	if (same_host(&listener->address, address))
		return true;
	if (!is_any(&listener->address))
		return false;
	return listener->address.family == address->family ||
	       (listener->address.family == AF_INET6 && !listener->ipv6_only);
}

static void describe_endpoint(struct snapshot *self, struct mnl_socket *socket, size_t index,
			      const struct address *address)
{
	const struct endpoint_spec *spec = &self->sandbox->scenario->endpoints[index];
	const struct listener *listener = NULL;
	AUTO_STRBUF struct strbuf text = {0};
	char where[ADDRESS_TEXT_SIZE];

	find_route(socket, address, &text);
	for (size_t i = 0; i < self->n_listeners && !listener; i++)
		if (covers(&self->listeners[i], address))
			listener = &self->listeners[i];
	if (listener)
		strbuf_printf(&text, "; a socket listens, accept queue %u of %u%s",
			      listener->waiting, listener->backlog,
			      listener->waiting > listener->backlog ? " (full)" : "");
	else if (!self->sockets_error)
		strbuf_printf(&text, "; no process listens%s",
			      spec->serve == SERVE_NONE ? ", as the scenario asks" : "");
	add_line(&self->endpoints, "%s %s: %s", spec->name, address_format(address, where),
		 strbuf_text(&text));
}

void snapshot_take(const struct sandbox *sandbox, struct record *record)
{
	struct snapshot self = {.sandbox = sandbox, .record = record};
	struct mnl_socket *socket = open_netlink(NETLINK_ROUTE);

	self.sockets_error = take_sockets(&self);
	self.addresses_error = self.routes_error = socket ? 0 : -errno;
	if (socket) {
		self.addresses_error = dump_rtnetlink(socket, RTM_GETADDR, take_address, &self);
		if (!sandbox->shared)
			self.routes_error = dump_rtnetlink(socket, RTM_GETROUTE, take_route, &self);
	}
	for (size_t i = 0; socket && i < sandbox->scenario->n_endpoints; i++)
		for (size_t k = 0; k < sandbox->endpoints[i].n_addresses; k++)
			describe_endpoint(&self, socket, i, &sandbox->endpoints[i].addresses[k]);
	add_section(&self, "Endpoints", &self.endpoints, false, socket ? 0 : -EPROTO);
	add_section(&self, "Listening", &self.listening, true, self.sockets_error);
	add_section(&self, "Connections", &self.connections, true, self.sockets_error);
	add_section(&self, "Addresses", &self.addresses, false, self.addresses_error);
	if (!sandbox->shared)
		add_section(&self, "Routes", &self.routes, false, self.routes_error);
	if (socket)
		mnl_socket_close(socket);
	free(self.listeners);
}
