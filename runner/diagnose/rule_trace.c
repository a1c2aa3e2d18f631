/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftables traces: see rule_trace.h. */
#include "runner/diagnose/rule_trace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h> /* libnftnl/trace.h names its structures */
#include <libnftnl/trace.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "injector/nft_batch.h"
#include "injector/nft_expr.h"

#define TABLE "synfault_trace"
enum { PRIORITY = -450 }; /* before all other chains: raw is -300 */

struct rule_trace {
	struct mnl_socket *owner;  /* when it closes, the table disappears */
	struct mnl_socket *events; /* of the multicast group */
};

/* Adds the rule: tcp dport (or sport) @port meta nftrace set 1 */
static void add_rule(struct nft_batch *batch, const char *chain, uint32_t offset, uint16_t port)
{
	struct nftnl_rule *rule = nft_rule_new(batch, chain);
	const uint8_t tcp = IPPROTO_TCP;
	const uint16_t port_be = htons(port);
	const uint8_t on = 1;
	struct nftnl_expr *expr;

	nft_expr_match_meta(rule, NFT_META_L4PROTO, &tcp, sizeof(tcp));
	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(port_be), NFT_REG_1);
	nft_expr_compare(rule, NFT_CMP_EQ, &port_be, sizeof(port_be));
	expr = nft_expr_add(rule, "immediate");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	nftnl_expr_set(expr, NFTNL_EXPR_IMM_DATA, &on, sizeof(on));
	expr = nft_expr_add(rule, "meta");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, NFT_META_NFTRACE);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_SREG, NFT_REG_1);
	nft_batch_rule(batch, rule);
}

static void fill(struct nft_batch *batch, uint16_t port)
{
	static const struct {
		const char *name;
		uint32_t hook;
	} chains[] = {{"prerouting", NF_INET_PRE_ROUTING}, {"output", NF_INET_LOCAL_OUT}};

	/* It disappears with the socket. */
	nft_batch_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, true);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		nft_batch_base_chain(batch, chains[i].name, chains[i].hook, PRIORITY);
		add_rule(batch, chains[i].name, TCP_DESTINATION_PORT, port);
		add_rule(batch, chains[i].name, TCP_SOURCE_PORT, port);
	}
}

static int commit(struct mnl_socket *socket, uint16_t port)
{
	char table[] = TABLE;
	struct rules rules = {.socket = socket, .table = table, .sequence = 1};
	struct nft_batch batch;

	nft_batch_init(&batch, &rules);
	fill(&batch, port);
	return nft_batch_commit(&batch);
}

int rule_trace_start(uint16_t port, struct rule_trace **ret)
{
	struct rule_trace trace = {0};
	struct traced_drop nothing;
	int r = netlink_open(NETLINK_NETFILTER, &trace.events);

	if (r == 0)
		r = netlink_join(trace.events, NFNLGRP_NFTRACE);
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
	struct nftnl_trace *trace = ALLOCATED(nftnl_trace_alloc());
	struct traced_drop *drop = data;
	uint32_t type, verdict;

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
