/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network of a sandbox: see network.h. */
#include "runner/sandbox/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <time.h>

/*
 * Ours are far above the first ones: where the module of a tunnel (ipip, sit, gre) is loaded, each
 * new namespace starts with devices of that tunnel (net.core.fb_tunnels_only_for_init_net).
 */
enum {
	INDEX_LO = 1, /* in every new namespace */
	INDEX_ETH0 = 1000,
	INDEX_WIRE0,
};

enum { DUMP_TRIES = 200 };
/* How long the kernel may take to deliver packets to a new address, and how often we ask. */
#define LOCAL_NS      (5 * NS_PER_S)
#define LOCAL_POLL_NS (200 * NS_PER_US)

enum { TCP_LISTEN_STATE = 10 }; /* TCP_LISTEN in include/net/tcp_states.h */

/* Messages to rtnetlink, collected to be sent at once. */
struct batch {
	char *data;
	size_t length, capacity;
	uint32_t n_messages;
};

enum { MESSAGE_SIZE = 256 }; /* no message below is longer */

static struct nlmsghdr *batch_begin(struct batch *batch, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *header;

	if (batch->length + MESSAGE_SIZE > batch->capacity) {
		batch->capacity = MAX(batch->capacity * 2, (size_t)4096);
		batch->data = xrealloc(batch->data, batch->capacity);
	}
	header = mnl_nlmsg_put_header(batch->data + batch->length);
	header->nlmsg_type = type;
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	header->nlmsg_seq = ++batch->n_messages;
	return header;
}

static void batch_end(struct batch *batch, const struct nlmsghdr *header)
{
	batch->length += NLMSG_ALIGN(header->nlmsg_len);
}

static void add_link_up(struct batch *batch, int index)
{
	struct nlmsghdr *header = batch_begin(batch, RTM_SETLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));

	link->ifi_index = index;
	link->ifi_flags = link->ifi_change = IFF_UP;
	batch_end(batch, header);
}

static void add_veth(struct batch *batch)
{
	struct nlmsghdr *header = batch_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));
	struct nlattr *info, *data, *peer;
	struct ifinfomsg *peer_link;

	link->ifi_index = INDEX_ETH0;
	link->ifi_flags = link->ifi_change = IFF_UP;
	mnl_attr_put_strz(header, IFLA_IFNAME, "eth0");
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_str(header, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
	peer_link = mnl_nlmsg_put_extra_header(header, sizeof(*peer_link));
	peer_link->ifi_index = INDEX_WIRE0;
	mnl_attr_put_strz(header, IFLA_IFNAME, "wire0");
	mnl_attr_nest_end(header, peer);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
	batch_end(batch, header);
	/* A message of its own: an end can't come up before the other one exists (veth_open()). */
	add_link_up(batch, INDEX_WIRE0);
}

static void change_address(struct batch *batch, uint16_t type, unsigned index,
			   const struct address *address, uint8_t prefix_length)
{
	struct nlmsghdr *header =
		batch_begin(batch, type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct ifaddrmsg *message = mnl_nlmsg_put_extra_header(header, sizeof(*message));

	message->ifa_family = (uint8_t)address->family;
	message->ifa_prefixlen = prefix_length;
	message->ifa_index = index;
	/* Usable at once: no other host can have the address (RFC 4862, 5.4). */
	message->ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0;
	mnl_attr_put(header, IFA_LOCAL, address_size(address), address->bytes);
	mnl_attr_put(header, IFA_ADDRESS, address_size(address), address->bytes);
	batch_end(batch, header);
}

static void add_address(struct batch *batch, unsigned index, const struct address *address,
			uint8_t prefix_length)
{
	change_address(batch, RTM_NEWADDR, index, address, prefix_length);
}

/* Receives the answers to all messages; returns the first error. */
static int take_answers(struct mnl_socket *socket, uint32_t n_messages)
{
	int result = 0;

	while (n_messages > 0) {
		char buffer[8192];
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		int remaining = (int)length;

		if (length < 0)
			return -errno;
		for (const struct nlmsghdr *header = (const void *)buffer;
		     mnl_nlmsg_ok(header, remaining); header = mnl_nlmsg_next(header, &remaining)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(header);

			if (header->nlmsg_type != NLMSG_ERROR)
				continue;
			if (error->error && !result)
				result = error->error;
			n_messages--;
		}
	}
	return result;
}

/* Returns a bound socket, or NULL with errno set. */
static struct mnl_socket *open_netlink(int bus)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (socket && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = errno;

		mnl_socket_close(socket);
		errno = error;
		return NULL;
	}
	return socket;
}

static int batch_send(struct batch *batch)
{
	struct mnl_socket *socket = open_netlink(NETLINK_ROUTE);
	int status = 0;

	if (!socket) {
		free(batch->data);
		return -errno;
	}
	/* In parts whose answers fit into the socket's buffer. */
	for (size_t start = 0; !status && start < batch->length;) {
		size_t end = start;
		uint32_t n_messages = 0;

		while (end < batch->length && n_messages < 64) {
			const struct nlmsghdr *header = (const void *)(batch->data + end);

			end += NLMSG_ALIGN(header->nlmsg_len);
			n_messages++;
		}
		if (mnl_socket_sendto(socket, batch->data + start, end - start) < 0)
			status = -errno;
		else
			status = take_answers(socket, n_messages);
		start = end;
	}
	mnl_socket_close(socket);
	free(batch->data);
	*batch = (struct batch){0};
	return status;
}

static int take_route(const struct nlmsghdr *header, void *userdata)
{
	const struct rtmsg *message = mnl_nlmsg_get_payload(header);

	if (header->nlmsg_type == RTM_NEWROUTE &&
	    mnl_nlmsg_get_payload_len(header) >= sizeof(*message))
		*(bool *)userdata = message->rtm_type == RTN_LOCAL;
	return MNL_CB_STOP;
}

/* Whether packets to the IPv6 address are delivered here. */
static bool is_local(struct mnl_socket *socket, const struct address *address)
{
	char buffer[4096];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct rtmsg *message;
	bool local = false;
	ssize_t length;

	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->rtm_family = AF_INET6;
	message->rtm_dst_len = 128;
	mnl_attr_put(header, RTA_DST, address_size(address), address->bytes);
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return false;
	length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	/* An error means that there is no route. */
	if (length > 0)
		mnl_cb_run(buffer, (size_t)length, 0, 0, take_route, &local);
	return local;
}

/*
 * Waits until packets to the addresses are delivered here. The kernel adds the local route of an
 * IPv6 address in a worker (addrconf_dad_work(), even without DAD) after it has confirmed the
 * address. Until then a SYN takes the route of the prefix to lo, where the kernel takes it for a
 * packet to forward, and drops it.
 */
static int await_local(const struct address *addresses, size_t n_addresses)
{
	const struct timespec pause = {.tv_nsec = LOCAL_POLL_NS};
	int64_t by_ns = clock_monotonic_ns() + LOCAL_NS;
	struct mnl_socket *socket = open_netlink(NETLINK_ROUTE);
	int status = 0;

	if (!socket)
		return -errno;
	for (size_t i = 0; !status && i < n_addresses; i++) {
		while (addresses[i].family == AF_INET6 && !is_local(socket, &addresses[i])) {
			if (clock_monotonic_ns() > by_ns) {
				status = -ETIMEDOUT;
				break;
			}
			nanosleep(&pause, NULL);
		}
	}
	mnl_socket_close(socket);
	return status;
}

int network_lo_up(void)
{
	struct batch batch = {0};

	add_link_up(&batch, INDEX_LO);
	return batch_send(&batch);
}

int network_lo_is_up(void)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo"};

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	return (request.ifr_flags & IFF_UP) != 0;
}

int network_change_addresses(const struct address *addresses, size_t n_addresses, bool add)
{
	struct batch batch = {0};
	int status;

	if (n_addresses == 0)
		return 0;
	for (size_t i = 0; i < n_addresses; i++)
		change_address(&batch, add ? RTM_NEWADDR : RTM_DELADDR, INDEX_LO, &addresses[i],
			       addresses[i].family == AF_INET ? 32 : 128);
	status = batch_send(&batch);
	return status == 0 && add ? await_local(addresses, n_addresses) : status;
}

struct address_list {
	struct address *items;
	size_t n_items, capacity;
};

static int take_address(const struct nlmsghdr *header, void *userdata)
{
	const struct ifaddrmsg *message = mnl_nlmsg_get_payload(header);
	struct address_list *list = userdata;
	const struct nlattr *attribute;

	if (header->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(header) < sizeof(*message) ||
	    message->ifa_family != AF_INET6 || message->ifa_index != INDEX_LO)
		return MNL_CB_OK;
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		struct address address = {.family = AF_INET6};

		if (mnl_attr_get_type(attribute) != IFA_ADDRESS ||
		    mnl_attr_get_payload_len(attribute) != sizeof(address.bytes))
			continue;
		memcpy(address.bytes, mnl_attr_get_payload(attribute), sizeof(address.bytes));
		array_append(list->items, list->n_items, list->capacity, address);
	}
	return MNL_CB_OK;
}

static int list_once(struct address **ret, size_t *ret_n)
{
	struct mnl_socket *socket = open_netlink(NETLINK_ROUTE);
	char buffer[16384];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct address_list list = {0};
	struct ifaddrmsg *message;
	int status = MNL_CB_OK;

	if (!socket)
		return -errno;
	header->nlmsg_type = RTM_GETADDR;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = 1;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->ifa_family = AF_INET6;
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		status = -1;
	while (status > MNL_CB_STOP) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		status = length < 0
				 ? -1
				 : mnl_cb_run(buffer, (size_t)length, 1,
					      mnl_socket_get_portid(socket), take_address, &list);
	}
	if (status < 0)
		status = -errno;
	mnl_socket_close(socket);
	if (status < 0) {
		free(list.items);
		return status;
	}
	*ret = list.items;
	*ret_n = list.n_items;
	return 0;
}

int network_list_addresses(struct address **ret, size_t *ret_n)
{
	int status = -EINTR;

	/* Changes by other processes interrupt a dump. */
	for (int tries = 0; tries < DUMP_TRIES && status == -EINTR; tries++)
		status = list_once(ret, ret_n);
	return status;
}

static struct address make_address(enum family family, const char *text, uint32_t offset,
				   uint16_t port)
{
	struct address address;
	size_t last;

	address_parse(text, port, &address);
	last = address_size(&address) - 1;
	if (family == FAMILY_IPV4) {
		uint32_t host = (uint32_t)address.bytes[last - 1] << 8 | address.bytes[last];

		host += offset;
		address.bytes[last - 1] = (uint8_t)(host >> 8);
		address.bytes[last] = (uint8_t)host;
	} else {
		address.bytes[last - 1] = (uint8_t)(offset >> 8);
		address.bytes[last] = (uint8_t)offset;
	}
	return address;
}

/* Returns the number of the endpoint's address at @index. */
static uint32_t address_number(const struct endpoint_spec *spec, size_t index)
{
	return spec->slot + (uint32_t)endpoint_ordinal(spec, index) - 1;
}

struct address network_endpoint_address(const struct endpoint_spec *spec, size_t index,
					uint16_t port)
{
	struct address literal = spec->literals[index];
	enum family family = spec->families[index];
	uint32_t k = address_number(spec, index);

	literal.port = port;
	if (literal.family)
		return literal;
	if (spec->hostname)
		return family == FAMILY_IPV4 ? make_address(family, "198.18.0.10", k, port)
					     : make_address(family, "2001:db8::", 10 + k, port);
	if (k == 0)
		return make_address(family, family == FAMILY_IPV4 ? "127.0.0.1" : "::1",
				    family == FAMILY_IPV4 ? 0 : 1, port);
	return family == FAMILY_IPV4 ? make_address(family, "127.0.0.1", k, port)
				     : make_address(family, "fd73:796e::", 1 + k, port);
}

/* Returns the interface that needs the address, or 0: lo has 127.0.0.0/8 and ::1 already. */
static unsigned interface_for(const struct endpoint_spec *spec, size_t index,
			      const struct address *address)
{
	static const uint8_t loopback[16] = {[15] = 1};

	if (spec->hostname && !spec->literals[index].family)
		return INDEX_ETH0;
	return address->family == AF_INET6 &&
			       memcmp(address->bytes, loopback, sizeof(loopback)) != 0
		       ? INDEX_LO
		       : 0;
}

static bool has_names(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		if (scenario->endpoints[i].hostname)
			return true;
	return false;
}

/* Adds the endpoints' addresses to the batch. Returns the IPv6 ones, *ret_n of them. */
static struct address *add_endpoints(struct batch *batch, const struct scenario *scenario,
				     size_t *ret_n)
{
	struct address *added = NULL;
	size_t n_added = 0, capacity = 0;

	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *spec = &scenario->endpoints[i];

		for (size_t f = 0; f < spec->n_families; f++) {
			struct address address = network_endpoint_address(spec, f, 0);
			unsigned interface = interface_for(spec, f, &address);
			bool ipv4 = address.family == AF_INET;

			if (interface == 0)
				continue;
			add_address(batch, interface, &address, ipv4 ? 32 : 128);
			if (!ipv4)
				array_append(added, n_added, capacity, address);
		}
	}
	*ret_n = n_added;
	return added;
}

int network_setup(const struct scenario *scenario, struct diag_list *diags)
{
	unsigned global_index = has_names(scenario) ? INDEX_ETH0 : INDEX_LO;
	AUTO_FREE struct address *added = NULL;
	struct batch batch = {0};
	struct address host;
	size_t n_added;
	int status;

	add_link_up(&batch, INDEX_LO);
	if (global_index == INDEX_ETH0)
		add_veth(&batch);
	address_parse("198.18.0.1", 0, &host);
	add_address(&batch, global_index, &host, 16);
	added = add_endpoints(&batch, scenario, &n_added);
	status = batch_send(&batch);
	if (status == 0 && n_added > 0)
		status = await_local(added, n_added);
	if (status == -EOPNOTSUPP)
		diag_add(diags, NULL,
			 "the sandbox's network can't be set up: the kernel has no veth interfaces "
			 "(CONFIG_VETH), or no IPv6, which an endpoint needs");
	else if (status < 0)
		diag_add(diags, NULL, "the sandbox's network can't be set up: %s",
			 strerror(-status));
	if (status < 0)
		return status;
	/* May fail: no endpoint needs this address, and a kernel without IPv6 will do. */
	address_parse("2001:db8::1", 0, &host);
	add_address(&batch, global_index, &host, 64);
	batch_send(&batch);
	return 0;
}

/* Whether a listening socket accepts connections to the address. */
static bool listener_covers(const struct inet_diag_msg *listener, bool ipv6_only, bool exactly,
			    const struct address *address)
{
	static const uint8_t any[16];

	if (ntohs(listener->id.idiag_sport) != address->port)
		return false;
	if (listener->idiag_family == address->family &&
	    !memcmp(listener->id.idiag_src, address->bytes, address_size(address)))
		return true;
	if (exactly)
		return false;
	if (listener->idiag_family == address->family)
		return !memcmp(listener->id.idiag_src, any, address_size(address));
	return listener->idiag_family == AF_INET6 && !ipv6_only &&
	       !memcmp(listener->id.idiag_src, any, sizeof(any));
}

struct listen_query {
	const struct address *addresses;
	size_t n_addresses;
	bool exactly;
	bool *found;
};

static int take_listener(const struct nlmsghdr *header, void *userdata)
{
	const struct inet_diag_msg *listener = mnl_nlmsg_get_payload(header);
	struct listen_query *query = userdata;
	const struct nlattr *attribute;
	bool ipv6_only = false;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*listener))
		return MNL_CB_OK;
	mnl_attr_for_each(attribute, header, sizeof(*listener))
	{
		if (mnl_attr_get_type(attribute) == INET_DIAG_SKV6ONLY)
			ipv6_only = mnl_attr_get_u8(attribute) != 0;
	}
	for (size_t i = 0; i < query->n_addresses; i++)
		if (listener_covers(listener, ipv6_only, query->exactly, &query->addresses[i]))
			query->found[i] = true;
	return MNL_CB_OK;
}

static int dump_listeners(struct mnl_socket *socket, uint8_t family, struct listen_query *query)
{
	char buffer[16384];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;
	ssize_t length;
	int status = MNL_CB_OK;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = family;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->sdiag_family = family;
	request->sdiag_protocol = IPPROTO_TCP;
	request->idiag_states = 1u << TCP_LISTEN_STATE;
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return -errno;
	while (status == MNL_CB_OK) {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (length < 0)
			return -errno;
		status = mnl_cb_run(buffer, (size_t)length, family, 0, take_listener, query);
	}
	return status < 0 ? -errno : 0;
}

int network_listens(const struct address *addresses, size_t n_addresses, bool exactly)
{
	AUTO_FREE bool *found = xzalloc(n_addresses * sizeof(*found));
	struct listen_query query = {addresses, n_addresses, exactly, found};
	struct mnl_socket *socket = open_netlink(NETLINK_SOCK_DIAG);
	int status;

	if (!socket)
		return -errno;
	status = dump_listeners(socket, AF_INET, &query);
	if (!status)
		status = dump_listeners(socket, AF_INET6, &query);
	mnl_socket_close(socket);
	if (status < 0)
		return status;
	for (size_t i = 0; i < n_addresses; i++)
		if (!found[i])
			return 0;
	return 1;
}
