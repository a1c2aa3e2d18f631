/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists TCP sockets: see sock_list.h. */
#include "injector/sock_list.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include "injector/netlink.h"

struct taker {
	sock_list_fn take;
	void *userdata;
};

static struct address make_address(uint8_t family, const void *bytes, uint16_t port)
{
	struct address address = {.family = family, .port = ntohs(port)};

	memcpy(address.bytes, bytes, address_size(&address));
	return address;
}

static int take_message(const struct nlmsghdr *header, void *userdata)
{
	const struct inet_diag_msg *message = mnl_nlmsg_get_payload(header);
	const struct taker *taker = userdata;
	const struct nlattr *attribute;
	struct sock_entry entry;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*message) ||
	    (message->idiag_family != AF_INET && message->idiag_family != AF_INET6))
		return MNL_CB_OK;
	entry = (struct sock_entry){
		.local = make_address(message->idiag_family, message->id.idiag_src,
				      message->id.idiag_sport),
		.remote = make_address(message->idiag_family, message->id.idiag_dst,
				       message->id.idiag_dport),
		.state = message->idiag_state,
		.inode = message->idiag_inode,
		.unread = message->idiag_rqueue,
		.unacknowledged = message->idiag_wqueue,
		.timer = message->idiag_timer,
		.expires_ms = message->idiag_expires,
		.n_retransmissions = message->idiag_retrans,
	};
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		if (mnl_attr_get_type(attribute) == INET_DIAG_SKV6ONLY &&
		    mnl_attr_validate(attribute, MNL_TYPE_U8) >= 0)
			entry.ipv6_only = mnl_attr_get_u8(attribute) != 0;
	}
	taker->take(taker->userdata, &entry);
	return MNL_CB_OK;
}

/*
 * TCPDIAG_GETSOCK rather than SOCK_DIAG_BY_FAMILY: it dumps both families in one walk through a
 * hash table that grows with the machine's memory.
 */
int sock_list(uint32_t states, uint16_t port, sock_list_fn take, void *userdata)
{
	struct taker taker = {take, userdata};
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req *request;
	struct mnl_socket *socket;
	int r;

	header->nlmsg_type = TCPDIAG_GETSOCK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->idiag_family = AF_INET;
	request->idiag_states = states;
	request->id.idiag_sport = htons(port);
	r = netlink_open(NETLINK_SOCK_DIAG, &socket);
	if (r < 0)
		return r;
	r = netlink_dump(socket, header, NULL, take_message, &taker);
	mnl_socket_close(socket);
	return r;
}

int sock_list_one(struct mnl_socket *socket, const struct address *local,
		  const struct address *remote, sock_list_fn take, void *userdata)
{
	struct taker taker = {take, userdata};
	char buffer[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;
	int r;

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
	r = netlink_ask(socket, header, buffer, sizeof(buffer));
	if (r > 0)
		take_message(header, &taker);
	return MIN(r, 0);
}
