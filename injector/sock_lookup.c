/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the kernel about a TCP socket: see sock_lookup.h. */
#include "injector/sock_lookup.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "injector/netlink.h"
#include "injector/sock_diag_monitor.h"

/* Room for a socket with its struct tcp_info: some 250 bytes, growing from kernel to kernel. */
enum { ANSWER_SIZE = 4096 };

struct sock_lookup {
	struct mnl_socket *diag;
	uint32_t sequence;
};

struct sock_lookup *sock_lookup_new(void)
{
	struct sock_lookup *lookup;
	struct mnl_socket *diag;

	if (netlink_open(NETLINK_SOCK_DIAG, &diag) < 0)
		return NULL;
	lookup = xzalloc(sizeof(*lookup));
	lookup->diag = diag;
	return lookup;
}

void sock_lookup_free(struct sock_lookup *lookup)
{
	if (!lookup)
		return;
	mnl_socket_close(lookup->diag);
	free(lookup);
}

static void set_id(struct inet_diag_sockid *id, const struct address *local,
		   const struct address *remote)
{
	id->idiag_sport = htons(local->port);
	id->idiag_dport = htons(remote->port);
	memcpy(id->idiag_src, local->bytes, address_size(local));
	memcpy(id->idiag_dst, remote->bytes, address_size(remote));
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

static void set_counts(struct sock_found *found, const struct nlmsghdr *message)
{
	struct socket_death counts = {0};
	const struct nlattr *attribute;

	found->since_receive_ns = -1;
	mnl_attr_for_each(attribute, message, sizeof(struct inet_diag_msg))
	{
		if (mnl_attr_get_type(attribute) != INET_DIAG_INFO)
			continue;
		socket_death_set_info(&counts, attribute);
		found->has_counts = true;
	}
	found->retransmissions = counts.retransmissions;
	found->bytes_received = counts.bytes_received;
	found->bytes_acked = counts.bytes_acked;
	found->bytes_sent = counts.bytes_sent;
	if (counts.bytes_received > 0)
		found->since_receive_ns = counts.since_receive_ns;
}

int sock_lookup_find(struct sock_lookup *lookup, const struct address *local,
		     const struct address *remote, struct sock_found *ret)
{
	char buffer[ANSWER_SIZE] __attribute__((aligned(8))) = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;
	const struct inet_diag_msg *answer;
	int r;

	if (!lookup)
		return -EOPNOTSUPP;
	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_REQUEST;
	message->nlmsg_seq = ++lookup->sequence;
	request = mnl_nlmsg_put_extra_header(message, sizeof(*request));
	request->sdiag_family = (uint8_t)local->family;
	request->sdiag_protocol = IPPROTO_TCP;
	request->idiag_states = UINT32_MAX;
	request->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	set_id(&request->id, local, remote);
	r = netlink_ask(lookup->diag, message, buffer, sizeof(buffer));
	if (r < 0)
		return r;
	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*answer))
		return -EPROTO;
	answer = mnl_nlmsg_get_payload(message);
	/* Without such a connection, the kernel finds a socket that listens at @local. */
	if (answer->id.idiag_dport != htons(remote->port))
		return -ENOENT;
	*ret = (struct sock_found){
		.cookie = (uint64_t)answer->id.idiag_cookie[1] << 32 | answer->id.idiag_cookie[0],
		.inode = answer->idiag_inode,
		.state = answer->idiag_state,
		.unacked = answer->idiag_wqueue,
	};
	set_counts(ret, message);
	return 0;
}
