/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds the rules of a table's chains: those that queue packets, that answer packets that come
 * back with a mark, and that follow connections. Traffic of established connections leaves at the
 * first rule possible.
 */
#include "injector/nft_batch.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>

#include "injector/fwmark.h"
#include "injector/nft_expr.h"
#include "injector/packet.h"

static void queue_packet(struct nftnl_rule *rule, enum nft_rules_queue_form form, uint16_t number)
{
	struct xt_NFQ_info_v3 *info;
	struct nftnl_expr *expr;

	if (form == NFT_RULES_QUEUE_NATIVE) {
		expr = nft_expr_add(rule, "queue");
		nftnl_expr_set_u16(expr, NFTNL_EXPR_QUEUE_NUM, number);
		nftnl_expr_set_u16(expr, NFTNL_EXPR_QUEUE_TOTAL, 1);
		nftnl_expr_set_u16(expr, NFTNL_EXPR_QUEUE_FLAGS, 0);
		return;
	}
	/* libnftnl owns the block from now on, and reads all of it */
	info = xzalloc(XT_ALIGN(sizeof(*info)));
	info->queuenum = number;
	info->queues_total = 1;
	expr = nft_expr_add(rule, "target");
	nftnl_expr_set_str(expr, NFTNL_EXPR_TG_NAME, "NFQUEUE");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_TG_REV, 3);
	nftnl_expr_set(expr, NFTNL_EXPR_TG_INFO, info, XT_ALIGN(sizeof(*info)));
}

void nft_batch_shortcut(struct nft_batch *batch, const char *chain)
{
	struct nftnl_rule *rule = nft_rule_new(batch, chain);

	nft_expr_compare_tcp_flags(rule, TCP_FLAG_SYN, NFT_CMP_EQ, 0);
	nft_expr_verdict(rule, NF_ACCEPT);
	nft_batch_rule(batch, rule);
}

/* Matches packets whose source or destination is an endpoint's address and port. */
static void match_endpoint(const struct nft_batch *batch, struct nftnl_rule *rule,
			   const struct nft_layout *layout, bool source)
{
	nft_expr_load(rule, NFT_PAYLOAD_NETWORK_HEADER,
		      source ? layout->source_offset : layout->destination_offset,
		      layout->address_size, NFT_REG32_00);
	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER,
		      source ? TCP_SOURCE_PORT : TCP_DESTINATION_PORT, sizeof(uint16_t),
		      layout->port_register);
	nft_expr_lookup(rule, batch->rules->sets[layout - nft_layouts], layout->set_id,
			NFT_REG32_00, false);
}

void nft_batch_queue_rule(struct nft_batch *batch, const char *chain,
			  const struct nft_rules_config *config, const struct nft_layout *layout,
			  bool syn_ack)
{
	struct nftnl_rule *rule = nft_rule_new(batch, chain);

	nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto, sizeof(layout->nfproto));
	nft_expr_match_tcp_flags(rule, TCP_FLAG_FIN | TCP_FLAG_SYN | TCP_FLAG_RST | TCP_FLAG_ACK,
				 NFT_CMP_EQ, syn_ack ? TCP_FLAG_SYN | TCP_FLAG_ACK : TCP_FLAG_SYN);
	match_endpoint(batch, rule, layout, syn_ack);
	nft_expr_add(rule, "counter");
	queue_packet(rule, batch->rules->form, config->queue_number);
	nft_batch_rule(batch, rule);
}

/* Adds rules that queue FINs to and from endpoints of the family, and RSTs to them. */
static void add_end_rules(struct nft_batch *batch, const char *chain,
			  const struct nft_rules_config *config, const struct nft_layout *layout)
{
	for (int source = 0; source <= 1; source++) {
		struct nftnl_rule *rule = nft_rule_new(batch, chain);

		nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto,
				    sizeof(layout->nfproto));
		nft_expr_match_tcp_flags(rule, TCP_FLAG_SYN, NFT_CMP_EQ, 0);
		/* not RSTs from servers: the RSTs that refuse SYNs are among them */
		nft_expr_compare_tcp_flags(
			rule, source ? TCP_FLAG_FIN : TCP_FLAG_FIN | TCP_FLAG_RST, NFT_CMP_NEQ, 0);
		match_endpoint(batch, rule, layout, source);
		nft_expr_add(rule, "counter");
		queue_packet(rule, batch->rules->form, config->queue_number);
		nft_batch_rule(batch, rule);
	}
}

void nft_batch_end_rules(struct nft_batch *batch, const char *chain,
			 const struct nft_rules_config *config, const bool used[static N_LAYOUTS])
{
	for (size_t i = 0; config->ends && i < N_LAYOUTS; i++)
		if (used[i])
			add_end_rules(batch, chain, config, &nft_layouts[i]);
}

/* Adds a rule that answers packets with the mark. @type: of the answer; @code: of an ICMP message.
 */
static void add_answer_rule(struct nft_batch *batch, const char *chain,
			    const struct nft_layout *layout, uint32_t mark, uint32_t type,
			    uint8_t code)
{
	struct nftnl_rule *rule = nft_rule_new(batch, chain);
	const uint8_t protocol = IPPROTO_TCP;
	struct nftnl_expr *expr;

	nft_expr_match_mark(rule, UINT32_MAX, mark);
	nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto, sizeof(layout->nfproto));
	nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	match_endpoint(batch, rule, layout, false);
	nft_expr_add(rule, "counter");
	expr = nft_expr_add(rule, "reject");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_REJECT_TYPE, type);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_REJECT_CODE, code);
	nft_batch_rule(batch, rule);
}

void nft_batch_answer_rules(struct nft_batch *batch, const char *chain,
			    const struct nft_rules_config *config, const struct nft_layout *layout)
{
	/* IPv6 has no code of this type for an unreachable protocol. */
	static const uint8_t icmp_codes[UNREACHABLE_N_KINDS] = {
		[UNREACHABLE_NET] = ICMP_NET_UNREACH,       [UNREACHABLE_HOST] = ICMP_HOST_UNREACH,
		[UNREACHABLE_PORT] = ICMP_PORT_UNREACH,     [UNREACHABLE_ADMIN] = ICMP_PKT_FILTERED,
		[UNREACHABLE_PROTOCOL] = ICMP_PROT_UNREACH,
	};
	static const uint8_t icmp6_codes[UNREACHABLE_N_KINDS] = {
		[UNREACHABLE_NET] = ICMPV6_NOROUTE,
		[UNREACHABLE_HOST] = ICMPV6_ADDR_UNREACH,
		[UNREACHABLE_PORT] = ICMPV6_PORT_UNREACH,
		[UNREACHABLE_ADMIN] = ICMPV6_ADM_PROHIBITED,
		[UNREACHABLE_PROTOCOL] = ICMPV6_PORT_UNREACH,
	};
	const uint8_t *codes = layout->family == AF_INET ? icmp_codes : icmp6_codes;

	for (int kind = 0; kind < UNREACHABLE_N_KINDS; kind++)
		if (config->unreachables & 1U << kind)
			add_answer_rule(batch, chain, layout,
					fwmark_unreachable(config->refuse_mark,
							   (enum unreachable_kind)kind),
					NFT_REJECT_ICMP_UNREACH, codes[kind]);
	add_answer_rule(batch, chain, layout, config->refuse_mark, NFT_REJECT_TCP_RST, 0);
}

/* ---- connections that are followed ---- */

void nft_batch_connections(struct nft_batch *batch, const struct nft_layout *layout)
{
	nft_batch_verdict_map(batch, batch->rules->connections[layout - nft_layouts],
			      layout->connections_id, layout->connection_type,
			      2 * (layout->address_size + 4));
}

void nft_batch_flow_rule(struct nft_batch *batch, const char *chain,
			 const struct nft_layout *layout)
{
	size_t index = (size_t)(layout - nft_layouts);
	struct nftnl_rule *rule = nft_rule_new(batch, chain);

	nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto, sizeof(layout->nfproto));
	nft_expr_match_tcp_flags(rule, TCP_FLAG_SYN, NFT_CMP_EQ, 0);
	nft_expr_load(rule, NFT_PAYLOAD_NETWORK_HEADER, layout->source_offset, layout->address_size,
		      NFT_REG32_00);
	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_SOURCE_PORT, sizeof(uint16_t),
		      layout->port_register);
	nft_expr_load(rule, NFT_PAYLOAD_NETWORK_HEADER, layout->destination_offset,
		      layout->address_size, layout->second_address_register);
	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_DESTINATION_PORT, sizeof(uint16_t),
		      layout->second_port_register);
	nft_expr_lookup(rule, batch->rules->connections[index], layout->connections_id,
			NFT_REG32_00, true);
	nft_batch_rule(batch, rule);
}

/* Adds rules that answer everything but RST with RST. */
static void add_reject_rules(struct nft_batch *batch)
{
	struct nftnl_rule *rule = nft_rule_new(batch, batch->rules->reject);
	struct nftnl_expr *expr;

	nft_expr_match_tcp_flags(rule, TCP_FLAG_RST, NFT_CMP_EQ, TCP_FLAG_RST);
	nft_expr_verdict(rule, NF_ACCEPT);
	nft_batch_rule(batch, rule);
	rule = nft_rule_new(batch, batch->rules->reject);
	nft_expr_add(rule, "counter");
	expr = nft_expr_add(rule, "reject");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_REJECT_CODE, 0);
	nft_batch_rule(batch, rule);
}

void nft_batch_queue_all(struct nft_batch *batch, const char *chain, bool carriers,
			 const struct nft_rules_config *config)
{
	const uint32_t mark = fwmark_udp_inject(config->refuse_mark);
	const uint8_t protocol = IPPROTO_UDP;
	struct nftnl_rule *rule = nft_rule_new(batch, chain);

	if (carriers) {
		nft_expr_match_mark(rule, UINT32_MAX, mark);
		nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	}
	nft_expr_add(rule, "counter");
	queue_packet(rule, batch->rules->form, config->queue_number);
	nft_batch_rule(batch, rule);
}

/* Adds a rule that accepts our own carriers: they need no second decision. */
static void add_own_rule(struct nft_batch *batch, const struct nft_rules_config *config)
{
	const uint32_t mark = fwmark_udp_inject(config->refuse_mark);
	struct nftnl_rule *rule = nft_rule_new(batch, batch->rules->track);

	nft_expr_match_mark(rule, UINT32_MAX, mark);
	nft_expr_verdict(rule, NF_ACCEPT);
	nft_batch_rule(batch, rule);
}

void nft_batch_flow_rules(struct nft_batch *batch, const struct nft_rules_config *config,
			  const bool used[static N_LAYOUTS])
{
	add_own_rule(batch, config);
	nft_batch_queue_all(batch, batch->rules->track, false, config);
	/* for remote endpoints, add_output_rules() does this in the output hook */
	if (!config->outgoing)
		nft_batch_queue_all(batch, batch->rules->inject, true, config);
	add_reject_rules(batch);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		if (!used[i])
			continue;
		nft_batch_flow_rule(batch, batch->rules->flows, &nft_layouts[i]);
	}
}

void nft_batch_input_rules(struct nft_batch *batch, const struct nft_rules_config *config,
			   const bool used[static N_LAYOUTS])
{
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		if (!used[i])
			continue;
		nft_batch_queue_rule(batch, batch->rules->queue, config, &nft_layouts[i], false);
		nft_batch_queue_rule(batch, batch->rules->queue, config, &nft_layouts[i], true);
	}
	batch->queue_last = batch->rules->sequence - 1;
	for (size_t i = 0; i < N_LAYOUTS; i++)
		if (used[i])
			nft_batch_answer_rules(batch, batch->rules->answer, config,
					       &nft_layouts[i]);
}
