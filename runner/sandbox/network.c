/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network of a sandbox: see network.h. */
#include "runner/sandbox/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <time.h>

#include "injector/netlink.h"
#include "injector/sock_list.h"

/*
 * Ours are far above the first ones: where the module of a tunnel (ipip, sit, gre) is loaded, each
 * new namespace starts with devices of that tunnel (net.core.fb_tunnels_only_for_init_net).
 */
enum {
	INDEX_LO = 1, /* in every new namespace */
	INDEX_ETH0 = 1000,
	INDEX_WIRE0,
};

/* How long the kernel may take to deliver packets to a new address, and how often we ask. */
#define LOCAL_NS      (5 * NS_PER_S)
#define LOCAL_POLL_NS (200 * NS_PER_US)

enum { MESSAGE_SIZE = 256 }; /* no message below is longer */

static struct nlmsghdr *begin(struct netlink_batch *batch, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(netlink_batch_room(batch, MESSAGE_SIZE));

	header->nlmsg_type = type;
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return header;
}

static void add_link_up(struct netlink_batch *batch, int index)
{
	struct nlmsghdr *header = begin(batch, RTM_SETLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));

	link->ifi_index = index;
	link->ifi_flags = link->ifi_change = IFF_UP;
	netlink_batch_add(batch);
}

static void add_veth(struct netlink_batch *batch)
{
	struct nlmsghdr *header = begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
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
	netlink_batch_add(batch);
	/* A message of its own: an end can't come up before the other one exists (veth_open()). */
	add_link_up(batch, INDEX_WIRE0);
}

static void change_address(struct netlink_batch *batch, uint16_t type, unsigned index,
			   const struct address *address, uint8_t prefix_length)
{
	struct nlmsghdr *header =
		begin(batch, type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct ifaddrmsg *message = mnl_nlmsg_put_extra_header(header, sizeof(*message));

	message->ifa_family = (uint8_t)address->family;
	message->ifa_prefixlen = prefix_length;
	message->ifa_index = index;
	/* Usable at once: no other host can have the address (RFC 4862, 5.4). */
	message->ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0;
	mnl_attr_put(header, IFA_LOCAL, address_size(address), address->bytes);
	mnl_attr_put(header, IFA_ADDRESS, address_size(address), address->bytes);
	netlink_batch_add(batch);
}

static void add_address(struct netlink_batch *batch, unsigned index, const struct address *address,
			uint8_t prefix_length)
{
	change_address(batch, RTM_NEWADDR, index, address, prefix_length);
}

/* Sends all messages, and frees them. Returns the first error. */
static int send_batch(struct netlink_batch *batch)
{
	struct mnl_socket *socket;
	int r = netlink_open(NETLINK_ROUTE, &socket);

	if (r == 0) {
		netlink_batch_acknowledge(batch);
		r = netlink_batch_send(batch, socket, NULL);
		mnl_socket_close(socket);
	}
	netlink_batch_deinit(batch);
	return r;
}

/* Returns whether packets to the IPv6 address are delivered here. */
static bool is_local(struct mnl_socket *socket, const struct address *address)
{
	char buffer[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
	const struct rtmsg *message;

	/* An error means that there is no route. */
	if (netlink_ask_route(socket, address, buffer, sizeof(buffer)) < 0 ||
	    header->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(header) < sizeof(*message))
		return false;
	message = mnl_nlmsg_get_payload(header);
	return message->rtm_type == RTN_LOCAL;
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
	struct mnl_socket *socket;
	int status = netlink_open(NETLINK_ROUTE, &socket);

	if (status < 0)
		return status;
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
	struct netlink_batch batch = {0};

	add_link_up(&batch, INDEX_LO);
	return send_batch(&batch);
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
	struct netlink_batch batch = {0};
	int status;

	if (n_addresses == 0)
		return 0;
	for (size_t i = 0; i < n_addresses; i++)
		change_address(&batch, add ? RTM_NEWADDR : RTM_DELADDR, INDEX_LO, &addresses[i],
			       addresses[i].family == AF_INET ? 32 : 128);
	status = send_batch(&batch);
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

static void forget_addresses(void *userdata)
{
	((struct address_list *)userdata)->n_items = 0;
}

int network_list_addresses(struct address **ret, size_t *ret_n)
{
	char buffer[MESSAGE_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct address_list list = {0};
	struct ifaddrmsg *message;
	struct mnl_socket *socket;
	int status = netlink_open(NETLINK_ROUTE, &socket);

	if (status < 0)
		return status;
	header->nlmsg_type = RTM_GETADDR;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->ifa_family = AF_INET6;
	status = netlink_dump(socket, header, forget_addresses, take_address, &list);
	mnl_socket_close(socket);
	if (status < 0) {
		free(list.items);
		return status;
	}
	*ret = list.items;
	*ret_n = list.n_items;
	return 0;
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
static struct address *add_endpoints(struct netlink_batch *batch, const struct scenario *scenario,
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
	struct netlink_batch batch = {0};
	struct address host;
	size_t n_added;
	int status;

	add_link_up(&batch, INDEX_LO);
	if (global_index == INDEX_ETH0)
		add_veth(&batch);
	address_parse("198.18.0.1", 0, &host);
	add_address(&batch, global_index, &host, 16);
	added = add_endpoints(&batch, scenario, &n_added);
	status = send_batch(&batch);
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
	send_batch(&batch);
	return 0;
}

/* Returns whether a listening socket accepts connections to the address. */
static bool listener_covers(const struct sock_entry *listener, bool exactly,
			    const struct address *address)
{
	static const uint8_t any[16];
	const struct address *local = &listener->local;

	if (address_equal(local, address))
		return true;
	if (exactly || local->port != address->port ||
	    memcmp(local->bytes, any, address_size(local)) != 0)
		return false;
	return local->family == address->family ||
	       (local->family == AF_INET6 && !listener->ipv6_only);
}

struct listen_query {
	const struct address *addresses;
	size_t n_addresses;
	bool exactly;
	bool *found;
};

static void take_listener(void *userdata, const struct sock_entry *listener)
{
	struct listen_query *query = userdata;

	for (size_t i = 0; i < query->n_addresses; i++)
		if (listener_covers(listener, query->exactly, &query->addresses[i]))
			query->found[i] = true;
}

int network_listens(const struct address *addresses, size_t n_addresses, bool exactly)
{
	AUTO_FREE bool *found = xzalloc(n_addresses * sizeof(*found));
	struct listen_query query = {addresses, n_addresses, exactly, found};
	int status = sock_list(1u << TCP_LISTEN, 0, take_listener, &query);

	if (status < 0)
		return status;
	for (size_t i = 0; i < n_addresses; i++)
		if (!found[i])
			return 0;
	return 1;
}
