/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftables traces: see rule_trace.h. */
#include "runner/diagnose/rule_trace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/table.h>
#include <libnftnl/trace.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "injector/netlink.h"
#include "injector/nft_expr.h"

#define TABLE "synfault_trace"
enum {
	PRIORITY = -450, /* before all other chains: raw is -300 */
	MESSAGE_SIZE = 4096,
	TABLE_OWNER = 2, /* NFT_TABLE_F_OWNER (Linux 5.12): older headers lack it */
};

struct rule_trace {
	struct mnl_socket *owner;  /* when it closes, the table disappears */
	struct mnl_socket *events; /* of the multicast group */
};

struct batch {
	struct netlink_batch messages;
	uint32_t sequence;
};

static char *room(struct batch *batch)
{
	return netlink_batch_room(&batch->messages, MESSAGE_SIZE);
}

static struct nlmsghdr *begin(struct batch *batch, uint16_t type)
{
	return nftnl_nlmsg_build_hdr(room(batch), type, NFPROTO_INET, NLM_F_CREATE,
				     batch->sequence++);
}

static void add_table(struct batch *batch)
{
	struct nftnl_table *table = nftnl_table_alloc();

	if (!table)
		out_of_memory();
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, TABLE);
	nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, TABLE_OWNER);
	nftnl_table_nlmsg_build_payload(begin(batch, NFT_MSG_NEWTABLE), table);
	netlink_batch_add(&batch->messages);
	nftnl_table_free(table);
}

static void add_chain(struct batch *batch, const char *name, uint32_t hook)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain)
		out_of_memory();
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, TABLE);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, PRIORITY);
	nftnl_chain_nlmsg_build_payload(begin(batch, NFT_MSG_NEWCHAIN), chain);
	netlink_batch_add(&batch->messages);
	nftnl_chain_free(chain);
}

/* Adds the rule: tcp dport (or sport) @port meta nftrace set 1 */
static void add_rule(struct batch *batch, const char *chain, uint32_t offset, uint16_t port)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	const uint8_t tcp = IPPROTO_TCP;
	const uint16_t port_be = htons(port);
	const uint8_t on = 1;
	struct nftnl_expr *expr;

	if (!rule)
		out_of_memory();
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	nft_expr_match_meta(rule, NFT_META_L4PROTO, &tcp, sizeof(tcp));
	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(port_be), NFT_REG_1);
	nft_expr_compare(rule, NFT_CMP_EQ, &port_be, sizeof(port_be));
	expr = nft_expr_add(rule, "immediate");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	nftnl_expr_set(expr, NFTNL_EXPR_IMM_DATA, &on, sizeof(on));
	expr = nft_expr_add(rule, "meta");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, NFT_META_NFTRACE);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_SREG, NFT_REG_1);
	nftnl_rule_nlmsg_build_payload(begin(batch, NFT_MSG_NEWRULE), rule);
	netlink_batch_add(&batch->messages);
	nftnl_rule_free(rule);
}

static void fill(struct batch *batch, uint16_t port)
{
	static const struct {
		const char *name;
		uint32_t hook;
	} chains[] = {{"prerouting", NF_INET_PRE_ROUTING}, {"output", NF_INET_LOCAL_OUT}};

	nftnl_batch_begin(room(batch), batch->sequence++);
	netlink_batch_add(&batch->messages);
	add_table(batch);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		add_chain(batch, chains[i].name, chains[i].hook);
		add_rule(batch, chains[i].name, TCP_DESTINATION_PORT, port);
		add_rule(batch, chains[i].name, TCP_SOURCE_PORT, port);
	}
	netlink_batch_acknowledge(&batch->messages);
	nftnl_batch_end(room(batch), batch->sequence++);
	netlink_batch_add(&batch->messages);
}

static int commit(struct mnl_socket *socket, uint16_t port)
{
	struct batch batch = {.sequence = 1};
	int r;

	fill(&batch, port);
	r = netlink_batch_send(&batch.messages, socket, NULL);
	netlink_batch_deinit(&batch.messages);
	return r;
}

static int join_traces(const struct mnl_socket *socket)
{
	int group = NFNLGRP_NFTRACE;

	return mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0
		       ? -errno
		       : 0;
}

int rule_trace_start(uint16_t port, struct rule_trace **ret)
{
	struct rule_trace trace = {0};
	struct traced_drop nothing;
	int r = netlink_open(NETLINK_NETFILTER, &trace.events);

	if (r == 0)
		r = join_traces(trace.events);
	if (r == 0)
		r = netlink_open(NETLINK_NETFILTER, &trace.owner);
	if (r == 0)
		r = commit(trace.owner, port);
	if (r < 0) {
		rule_trace_stop(xmemdup(&trace, sizeof(trace)), &nothing);
		return r;
	}
	*ret = xmemdup(&trace, sizeof(trace));
	return 0;
}

static void copy_name(char *ret, size_t size, const char *name)
{
	snprintf(ret, size, "%s", name ? name : "");
}

/* Keeps the first drop, by a rule or by a chain's policy. */
static int on_event(const struct nlmsghdr *header, void *data)
{
	struct nftnl_trace *trace = nftnl_trace_alloc();
	struct traced_drop *drop = data;
	uint32_t type, verdict;

	if (!trace)
		out_of_memory();
	if (drop->traced != YES && nftnl_trace_nlmsg_parse(header, trace) == 0) {
		type = nftnl_trace_get_u32(trace, NFTNL_TRACE_TYPE);
		verdict = nftnl_trace_get_u32(trace, type == NFT_TRACETYPE_POLICY
							     ? NFTNL_TRACE_POLICY
							     : NFTNL_TRACE_VERDICT);
		if ((type == NFT_TRACETYPE_RULE || type == NFT_TRACETYPE_POLICY) &&
		    verdict == NF_DROP) {
			drop->traced = YES;
			drop->by_policy = type == NFT_TRACETYPE_POLICY;
			drop->family = (uint8_t)nftnl_trace_get_u32(trace, NFTNL_TRACE_FAMILY);
			copy_name(drop->table, sizeof(drop->table),
				  nftnl_trace_get_str(trace, NFTNL_TRACE_TABLE));
			copy_name(drop->chain, sizeof(drop->chain),
				  nftnl_trace_get_str(trace, NFTNL_TRACE_CHAIN));
			drop->handle =
				drop->by_policy
					? 0
					: nftnl_trace_get_u64(trace, NFTNL_TRACE_RULE_HANDLE);
		}
	}
	nftnl_trace_free(trace);
	return MNL_CB_OK;
}

void rule_trace_stop(struct rule_trace *trace, struct traced_drop *ret)
{
	char buffer[16384];
	ssize_t length;

	*ret = (struct traced_drop){.traced = trace ? NO : UNKNOWN};
	if (!trace)
		return;
	if (trace->owner)
		mnl_socket_close(trace->owner);
	while (trace->events && (length = recv(mnl_socket_get_fd(trace->events), buffer,
					       sizeof(buffer), MSG_DONTWAIT)) > 0)
		mnl_cb_run(buffer, (size_t)length, 0, 0, on_event, ret);
	if (trace->events)
		mnl_socket_close(trace->events);
	free(trace);
}
