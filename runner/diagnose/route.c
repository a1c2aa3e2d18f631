/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks up routes and neighbours through rtnetlink: see route.h. */
#include "runner/diagnose/route.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "injector/netlink.h"

static void read_address(const struct nlattr *attribute, int family, struct address *ret)
{
	size_t size = family == AF_INET ? 4 : 16;

	if (mnl_attr_get_payload_len(attribute) < size)
		return;
	*ret = (struct address){.family = (uint16_t)family};
	memcpy(ret->bytes, mnl_attr_get_payload(attribute), size);
}

static enum route_kind kind_of(unsigned char type)
{
	switch (type) {
	case RTN_LOCAL:
		return ROUTE_LOCAL;
	case RTN_UNICAST:
		return ROUTE_UNICAST;
	case RTN_BLACKHOLE:
		return ROUTE_BLACKHOLE;
	case RTN_UNREACHABLE:
		return ROUTE_UNREACHABLE;
	case RTN_PROHIBIT:
		return ROUTE_PROHIBIT;
	default:
		return ROUTE_UNKNOWN;
	}
}

static void read_metrics(const struct nlattr *metrics, struct route_evidence *route)
{
	const struct nlattr *metric;

	mnl_attr_for_each_nested(metric, metrics)
	{
		if (mnl_attr_get_type(metric) == RTAX_MTU &&
		    mnl_attr_validate(metric, MNL_TYPE_U32) >= 0)
			route->mtu = mnl_attr_get_u32(metric);
	}
}

static void read_route(const struct nlmsghdr *header, struct route_evidence *route)
{
	const struct rtmsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute;

	if (header->nlmsg_type != RTM_NEWROUTE)
		return;
	route->kind = kind_of(message->rtm_type);
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		switch (mnl_attr_get_type(attribute)) {
		case RTA_OIF:
			if (mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
				if_indextoname(mnl_attr_get_u32(attribute), route->device);
			break;
		case RTA_PREFSRC:
			read_address(attribute, message->rtm_family, &route->source);
			break;
		case RTA_GATEWAY:
			read_address(attribute, message->rtm_family, &route->gateway);
			break;
		case RTA_METRICS:
			read_metrics(attribute, route);
			break;
		default:
			break;
		}
	}
}

static enum route_kind kind_of_error(int error)
{
	switch (-error) {
	case ENETUNREACH:
		return ROUTE_NONE;
	case EINVAL:
		return ROUTE_BLACKHOLE;
	case EHOSTUNREACH:
		return ROUTE_UNREACHABLE;
	case EACCES:
		return ROUTE_PROHIBIT;
	default:
		return ROUTE_UNKNOWN;
	}
}

/* Reads flags and MTU of the device. */
static void look_at_device(struct route_evidence *route)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};

	if (fd < 0 || !route->device[0])
		return;
	memcpy(request.ifr_name, route->device, sizeof(route->device));
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
		route->device_down = !(request.ifr_flags & IFF_UP);
		route->no_carrier = !route->device_down && !(request.ifr_flags & IFF_RUNNING);
	}
	if (route->mtu == 0 && ioctl(fd, SIOCGIFMTU, &request) == 0)
		route->mtu = (uint32_t)request.ifr_mtu;
}

void route_look_up(const struct address *to, struct route_evidence *ret)
{
	char buffer[4096] __attribute__((aligned(NLMSG_ALIGNTO))) = "";
	struct mnl_socket *socket;
	int r = netlink_open(NETLINK_ROUTE, &socket);

	*ret = (struct route_evidence){0};
	if (r == 0) {
		r = netlink_ask_route(socket, to, buffer, sizeof(buffer));
		mnl_socket_close(socket);
	}
	if (r < 0) {
		ret->kind = kind_of_error(r);
		return;
	}
	read_route((const struct nlmsghdr *)buffer, ret);
	look_at_device(ret);
}

struct neighbour_search {
	const struct address *address;
	unsigned device;
	uint16_t state;
};

static int on_neighbour(const struct nlmsghdr *header, void *data)
{
	const struct ndmsg *message = mnl_nlmsg_get_payload(header);
	struct neighbour_search *search = data;
	const struct nlattr *attribute;
	struct address found = {0};

	if (header->nlmsg_type != RTM_NEWNEIGH || (unsigned)message->ndm_ifindex != search->device)
		return MNL_CB_OK;
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		if (mnl_attr_get_type(attribute) == NDA_DST)
			read_address(attribute, message->ndm_family, &found);
	}
	if (found.family == search->address->family &&
	    memcmp(found.bytes, search->address->bytes, sizeof(found.bytes)) == 0)
		search->state = message->ndm_state;
	return MNL_CB_OK;
}

void route_look_up_neighbour(const struct address *to, struct route_evidence *route)
{
	struct neighbour_search search = {
		.address = route->gateway.family ? &route->gateway : to,
		.device = if_nametoindex(route->device),
	};
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct mnl_socket *socket;
	struct ndmsg *message = mnl_nlmsg_put_extra_header(header, sizeof(*message));

	/* The kernel notices a lost carrier up to a second later (net/core/link_watch.c). */
	look_at_device(route);
	if (route->kind != ROUTE_UNICAST || search.device == 0 ||
	    netlink_open(NETLINK_ROUTE, &socket) < 0)
		return;
	header->nlmsg_type = RTM_GETNEIGH;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->ndm_family = (uint8_t)to->family;
	if (netlink_dump(socket, header, NULL, on_neighbour, &search) == 0)
		route->neighbour = search.state;
	mnl_socket_close(socket);
}
