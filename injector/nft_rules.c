/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds the injector's nftables table and commits it in one transaction: see rules.h. Everything
 * is put into one buffer of netlink messages between a batch's begin and end (a netlink batch is
 * atomic: net/netfilter/nfnetlink.c, nfnetlink_rcv_batch). The kernel answers before sendmsg()
 * returns, so that all replies can be read without waiting. Endpoints go into one constant set per
 * family, keyed by address and port together, so that any number of them costs one lookup; traffic
 * of established connections leaves the chain at its first rule.
 */
#include "injector/nft_rules.h"

#include <assert.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>

#include "injector/fwmark.h"
#include "injector/nft_expr.h"
#include "injector/packet.h"

#define CHAIN_QUEUE           "queue"
#define CHAIN_ANSWER          "answer"
#define CHAIN_QUEUE_OUT       "queue-out"
#define CHAIN_ANSWER_OUT      "answer-out"
#define CHAIN_FLOWS           "flows"
#define CHAIN_TRACK           "track"
#define CHAIN_REJECT          "reject"
#define CHAIN_INJECT          "inject"
#define CHAIN_QUEUE_PRIORITY  (-200)
#define CHAIN_ANSWER_PRIORITY (-199)

/*
 * Elements per message: a netlink attribute holds 64 KiB at most, an IPv6 element takes 36 bytes of
 * the list.
 */
#define ELEMENTS_PER_MESSAGE 1024
#define MESSAGE_MAX          65536

/* How often to repeat a dump that others' changes have interrupted. */
#define DUMP_TRIES 200

/* A name with the number of a part. */
#define NAME_SIZE 32

#define CONNECTION_TYPE(address)                                                                   \
	(((address) << NFT_TYPE_BITS | NFT_TYPE_INET_SERVICE) << 2 * NFT_TYPE_BITS |               \
	 ((address) << NFT_TYPE_BITS | NFT_TYPE_INET_SERVICE))

/* A family's place in family_layouts. */
enum { LAYOUT_IPV4, LAYOUT_IPV6, N_LAYOUTS };

/* queue, answer, and what follows connections */
#define N_PART_CHAINS 6

/* Chains with rules: the six of the input hook, two of the output hook. */
#define MAX_CHAINS 8

struct rules {
	struct mnl_socket *socket;
	uint32_t portid;
	uint32_t sequence;
	char *table;
	enum nft_rules_queue_form form;
	bool is_part; /* of a common table */
	bool outgoing;
	struct address_networks networks;
	/* chains; flows is where the rules that follow connections are */
	char queue[NAME_SIZE], answer[NAME_SIZE], flows[NAME_SIZE], track[NAME_SIZE],
		reject[NAME_SIZE], inject[NAME_SIZE];
	char sets[N_LAYOUTS][NAME_SIZE], connections[N_LAYOUTS][NAME_SIZE];
	bool follows, ends;
	/* What nft_rules_verify() expects. */
	struct chain_rules {
		char name[NAME_SIZE];
		uint32_t n;
	} chains[MAX_CHAINS];
	size_t n_chains;
};

/* Messages on their way to the kernel, and what to make of its answers. */
struct batch {
	struct rules *rules;
	uint8_t *data;
	size_t length, capacity;
	uint32_t table_sequence;          /* of the message that makes the table */
	uint32_t queue_first, queue_last; /* of the rules that queue */
	uint32_t failed_sequence;         /* of the first message that was refused */
};

/* One family's part of the table. */
struct family_layout {
	uint16_t family;
	uint8_t nfproto;
	const char *set;
	uint32_t set_id, set_type;
	uint32_t address_size;
	uint32_t source_offset, destination_offset;
	uint32_t port_register;             /* the one after the address */
	uint32_t network_type, prefix_size; /* of the maps' keys */
	struct map {
		const char *name;
		uint32_t id;
	} queues, answers, flows, injects;
	const char *connections;
	uint32_t connections_id, connection_type;
	/* Where the parts of a connection's key go: ports after addresses. */
	uint32_t second_address_register, second_port_register;
};

static const struct family_layout family_layouts[N_LAYOUTS] = {
	[LAYOUT_IPV4] =
		{
			.family = AF_INET,
			.nfproto = NFPROTO_IPV4,
			.set = "endpoints4",
			.set_id = 1,
			.set_type = NFT_TYPE_IPADDR << NFT_TYPE_BITS | NFT_TYPE_INET_SERVICE,
			.address_size = 4,
			.source_offset = IPV4_SOURCE,
			.destination_offset = IPV4_DESTINATION,
			.port_register = NFT_REG32_01,
			.network_type = NFT_TYPE_IPADDR,
			.prefix_size = sizeof(((struct address_networks *)NULL)->ipv4),
			.queues = {"queues4", 3},
			.answers = {"answers4", 5},
			.flows = {"flows4", 7},
			.injects = {"injects4", 9},
			.connections = "connections4",
			.connections_id = 11,
			.connection_type = CONNECTION_TYPE(NFT_TYPE_IPADDR),
			.second_address_register = NFT_REG32_02,
			.second_port_register = NFT_REG32_03,
		},
	[LAYOUT_IPV6] =
		{
			.family = AF_INET6,
			.nfproto = NFPROTO_IPV6,
			.set = "endpoints6",
			.set_id = 2,
			.set_type = NFT_TYPE_IP6ADDR << NFT_TYPE_BITS | NFT_TYPE_INET_SERVICE,
			.address_size = 16,
			.source_offset = IPV6_SOURCE,
			.destination_offset = IPV6_DESTINATION,
			.port_register = NFT_REG32_04,
			.network_type = NFT_TYPE_IP6ADDR,
			.prefix_size = sizeof(((struct address_networks *)NULL)->ipv6),
			.queues = {"queues6", 4},
			.answers = {"answers6", 6},
			.flows = {"flows6", 8},
			.injects = {"injects6", 10},
			.connections = "connections6",
			.connections_id = 12,
			.connection_type = CONNECTION_TYPE(NFT_TYPE_IP6ADDR),
			.second_address_register = NFT_REG32_05,
			.second_port_register = NFT_REG32_09,
		},
};

/* Makes room for one more message of any size. */
static void batch_reserve(struct batch *batch)
{
	if (batch->capacity - batch->length < MESSAGE_MAX) {
		batch->capacity = batch->capacity * 2 + MESSAGE_MAX;
		batch->data = xrealloc(batch->data, batch->capacity);
	}
}

static struct nlmsghdr *batch_begin(struct batch *batch, uint16_t type, uint16_t flags)
{
	batch_reserve(batch);
	return nftnl_nlmsg_build_hdr((char *)batch->data + batch->length, type, NFPROTO_INET, flags,
				     batch->rules->sequence++);
}

static void batch_end(struct batch *batch, const struct nlmsghdr *message)
{
	batch->length += MNL_ALIGN(message->nlmsg_len);
}

static void batch_mark(struct batch *batch, uint16_t type)
{
	batch_reserve(batch);
	if (type == NFNL_MSG_BATCH_BEGIN)
		nftnl_batch_begin((char *)batch->data + batch->length, batch->rules->sequence++);
	else
		nftnl_batch_end((char *)batch->data + batch->length, batch->rules->sequence++);
	batch->length +=
		MNL_ALIGN(((const struct nlmsghdr *)(batch->data + batch->length))->nlmsg_len);
}

static void batch_add_table(struct batch *batch, uint16_t type, uint16_t flags, bool owned)
{
	struct nftnl_table *table = nftnl_table_alloc();
	struct nlmsghdr *message;

	if (!table)
		out_of_memory();
	nftnl_table_set_u32(table, NFTNL_TABLE_FAMILY, NFPROTO_INET);
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, batch->rules->table);
	if (owned)
		nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	batch->table_sequence = batch->rules->sequence;
	message = batch_begin(batch, type, flags);
	nftnl_table_nlmsg_build_payload(message, table);
	batch_end(batch, message);
	nftnl_table_free(table);
}

/* Takes the chain. */
static void batch_add_chain_message(struct batch *batch, uint16_t type, uint16_t flags,
				    struct nftnl_chain *chain)
{
	struct nlmsghdr *message = batch_begin(batch, type, flags);

	nftnl_chain_nlmsg_build_payload(message, chain);
	batch_end(batch, message);
	nftnl_chain_free(chain);
}

static struct nftnl_chain *chain_new(const struct batch *batch, const char *name)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain)
		out_of_memory();
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, batch->rules->table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	return chain;
}

static void batch_add_base_chain(struct batch *batch, const char *name, uint32_t hook,
				 int32_t priority)
{
	struct nftnl_chain *chain = chain_new(batch, name);

	nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, priority);
	batch_add_chain_message(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE, chain);
}

static struct nftnl_set *set_new(const struct batch *batch, const char *name, uint32_t id)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		out_of_memory();
	nftnl_set_set_str(set, NFTNL_SET_TABLE, batch->rules->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	return set;
}

static const char *set_name(const struct batch *batch, const struct family_layout *layout)
{
	return batch->rules->sets[layout - family_layouts];
}

static void set_add_element(struct nftnl_set *set, const struct family_layout *layout,
			    const struct address *endpoint)
{
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	uint8_t key[sizeof(endpoint->bytes) + 4] = {0};

	if (!element)
		out_of_memory();
	memcpy(key, endpoint->bytes, layout->address_size);
	key[layout->address_size] = (uint8_t)(endpoint->port >> 8);
	key[layout->address_size + 1] = (uint8_t)endpoint->port;
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, layout->address_size + 4);
	nftnl_set_elem_add(set, element);
}

/*
 * The family's endpoints as a set. Returns false when it has none: then there is no set, but an
 * empty one in a part or for others' endpoints, which whoever removes the part counts upon.
 */
static bool batch_add_set(struct batch *batch, const struct nft_rules_config *config,
			  const struct family_layout *layout)
{
	struct nftnl_set *set;
	struct nlmsghdr *message;
	size_t n = 0, i = 0, n_sent = 0;

	for (size_t k = 0; k < config->n_endpoints; k++)
		n += config->endpoints[k].family == layout->family;
	if (n == 0 && !batch->rules->is_part && !batch->rules->outgoing)
		return false;

	set = set_new(batch, set_name(batch, layout), layout->set_id);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_CONSTANT);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, layout->set_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, layout->address_size + 4);
	if (n > 0)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, (uint32_t)n);
	message = batch_begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_nlmsg_build_payload(message, set);
	batch_end(batch, message);
	nftnl_set_free(set);

	for (; n_sent < n; n_sent += ELEMENTS_PER_MESSAGE) {
		size_t in_message = 0;

		set = set_new(batch, set_name(batch, layout), layout->set_id);
		for (; i < config->n_endpoints && in_message < ELEMENTS_PER_MESSAGE; i++) {
			if (config->endpoints[i].family != layout->family)
				continue;
			set_add_element(set, layout, &config->endpoints[i]);
			in_message++;
		}
		message = batch_begin(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
		nftnl_set_elems_nlmsg_build_payload(message, set);
		batch_end(batch, message);
		nftnl_set_free(set);
	}
	return n > 0;
}

/* Counts the rules of each chain, for nft_rules_verify(). */
static void note_rule(struct rules *rules, const char *chain)
{
	size_t i = 0;

	while (i < rules->n_chains && strcmp(rules->chains[i].name, chain) != 0)
		i++;
	if (i == rules->n_chains) {
		assert(i < MAX_CHAINS);
		rules->chains[rules->n_chains++].n = 0;
		snprintf(rules->chains[i].name, NAME_SIZE, "%s", chain);
	}
	rules->chains[i].n++;
}

static struct nftnl_rule *rule_new(const struct batch *batch, const char *chain)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		out_of_memory();
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, batch->rules->table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	return rule;
}

/* Takes the rule. The kernel acknowledges it when @flags holds NLM_F_ACK. */
static void batch_add_rule(struct batch *batch, struct nftnl_rule *rule, uint16_t flags)
{
	struct nlmsghdr *message;

	note_rule(batch->rules, nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));
	message = batch_begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | flags);
	nftnl_rule_nlmsg_build_payload(message, rule);
	batch_end(batch, message);
	nftnl_rule_free(rule);
}

static void rule_queue(struct nftnl_rule *rule, enum nft_rules_queue_form form, uint16_t number)
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
	/* libnftnl takes the block over, frees it with the expression, and reads it to its end */
	info = xzalloc(XT_ALIGN(sizeof(*info)));
	info->queuenum = number;
	info->queues_total = 1;
	expr = nft_expr_add(rule, "target");
	nftnl_expr_set_str(expr, NFTNL_EXPR_TG_NAME, "NFQUEUE");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_TG_REV, 3);
	nftnl_expr_set(expr, NFTNL_EXPR_TG_INFO, info, XT_ALIGN(sizeof(*info)));
}

/*
 * Connections that are open already, the bulk of all traffic, leave at the first rule. So may what
 * is no TCP, which none of the others is about: to ask for that would make it dearer by half.
 */
static void batch_add_shortcut(struct batch *batch)
{
	struct nftnl_rule *rule = rule_new(batch, batch->rules->queue);

	nft_expr_compare_tcp_flags(rule, TCP_FLAG_SYN, NFT_CMP_EQ, 0);
	nft_expr_verdict(rule, NF_ACCEPT);
	batch_add_rule(batch, rule, 0);
}

/* Address and port, of the source or the destination, are an endpoint's. */
static void rule_match_endpoint(const struct batch *batch, struct nftnl_rule *rule,
				const struct family_layout *layout, bool source)
{
	nft_expr_load(rule, NFT_PAYLOAD_NETWORK_HEADER,
		      source ? layout->source_offset : layout->destination_offset,
		      layout->address_size, NFT_REG32_00);
	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER,
		      source ? TCP_SOURCE_PORT : TCP_DESTINATION_PORT, sizeof(uint16_t),
		      layout->port_register);
	nft_expr_lookup(rule, set_name(batch, layout), layout->set_id, NFT_REG32_00, false);
}

/* Queues SYNs to an endpoint of the family, or SYN-ACKs from one. */
static void batch_add_queue_rule(struct batch *batch, const struct nft_rules_config *config,
				 const struct family_layout *layout, bool syn_ack)
{
	struct nftnl_rule *rule = rule_new(batch, batch->rules->queue);

	nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto, sizeof(layout->nfproto));
	nft_expr_match_tcp_flags(rule, TCP_FLAG_FIN | TCP_FLAG_SYN | TCP_FLAG_RST | TCP_FLAG_ACK,
				 NFT_CMP_EQ, syn_ack ? TCP_FLAG_SYN | TCP_FLAG_ACK : TCP_FLAG_SYN);
	rule_match_endpoint(batch, rule, layout, syn_ack);
	nft_expr_add(rule, "counter");
	rule_queue(rule, batch->rules->form, config->queue_number);
	batch_add_rule(batch, rule, 0);
}

/* Queues FINs to and from endpoints of the family, and RSTs to them. */
static void batch_add_end_rules(struct batch *batch, const char *chain,
				const struct nft_rules_config *config,
				const struct family_layout *layout)
{
	for (int source = 0; source <= 1; source++) {
		struct nftnl_rule *rule = rule_new(batch, chain);

		nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto,
				    sizeof(layout->nfproto));
		nft_expr_match_tcp_flags(rule, TCP_FLAG_SYN, NFT_CMP_EQ, 0);
		/* the RSTs that refuse SYNs are among those of servers */
		nft_expr_compare_tcp_flags(
			rule, source ? TCP_FLAG_FIN : TCP_FLAG_FIN | TCP_FLAG_RST, NFT_CMP_NEQ, 0);
		rule_match_endpoint(batch, rule, layout, source);
		nft_expr_add(rule, "counter");
		rule_queue(rule, batch->rules->form, config->queue_number);
		batch_add_rule(batch, rule, 0);
	}
}

static void batch_add_all_end_rules(struct batch *batch, const char *chain,
				    const struct nft_rules_config *config,
				    const bool used[static N_LAYOUTS])
{
	for (size_t i = 0; config->ends && i < N_LAYOUTS; i++)
		if (used[i])
			batch_add_end_rules(batch, chain, config, &family_layouts[i]);
}

/* Answers packets with the mark: @type is that of the answer, @code of an ICMP message. */
static void batch_add_answer_rule(struct batch *batch, const struct family_layout *layout,
				  uint32_t mark, uint32_t type, uint8_t code)
{
	struct nftnl_rule *rule = rule_new(batch, batch->rules->answer);
	const uint8_t protocol = IPPROTO_TCP;
	struct nftnl_expr *expr;

	nft_expr_match_mark(rule, UINT32_MAX, mark);
	nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto, sizeof(layout->nfproto));
	nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	rule_match_endpoint(batch, rule, layout, false);
	nft_expr_add(rule, "counter");
	expr = nft_expr_add(rule, "reject");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_REJECT_TYPE, type);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_REJECT_CODE, code);
	/* the last of these is the batch's last message: acknowledged when all went well */
	batch_add_rule(batch, rule, NLM_F_ACK);
}

static void batch_add_answer_rules(struct batch *batch, const struct nft_rules_config *config,
				   const struct family_layout *layout)
{
	/* IPv6 has no message for a protocol that nobody knows among those of this type. */
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
			batch_add_answer_rule(batch, layout,
					      fwmark_unreachable(config->refuse_mark,
								 (enum unreachable_kind)kind),
					      NFT_REJECT_ICMP_UNREACH, codes[kind]);
	batch_add_answer_rule(batch, layout, config->refuse_mark, NFT_REJECT_TCP_RST, 0);
}

/* ---- connections that are followed ---- */

/* The connections of the family, each with what becomes of its packets. */
static void batch_add_connections(struct batch *batch, const struct family_layout *layout)
{
	struct nftnl_set *set = set_new(batch, batch->rules->connections[layout - family_layouts],
					layout->connections_id);
	struct nlmsghdr *message;

	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_MAP);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, layout->connection_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, 2 * (layout->address_size + 4));
	nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	message = batch_begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_nlmsg_build_payload(message, set);
	batch_end(batch, message);
	nftnl_set_free(set);
}

/* Packets without SYN of a followed connection, in either direction: the map has both. */
static void batch_add_flow_rule(struct batch *batch, const char *chain,
				const struct family_layout *layout)
{
	size_t index = (size_t)(layout - family_layouts);
	struct nftnl_rule *rule = rule_new(batch, chain);

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
	batch_add_rule(batch, rule, 0);
}

/* Answers all but RST with RST. */
static void batch_add_reject_rules(struct batch *batch)
{
	struct nftnl_rule *rule = rule_new(batch, batch->rules->reject);
	struct nftnl_expr *expr;

	nft_expr_match_tcp_flags(rule, TCP_FLAG_RST, NFT_CMP_EQ, TCP_FLAG_RST);
	nft_expr_verdict(rule, NF_ACCEPT);
	batch_add_rule(batch, rule, 0);
	rule = rule_new(batch, batch->rules->reject);
	nft_expr_add(rule, "counter");
	expr = nft_expr_add(rule, "reject");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_REJECT_CODE, 0);
	batch_add_rule(batch, rule, 0);
}

static void batch_add_queue_all(struct batch *batch, const char *chain, bool carriers,
				const struct nft_rules_config *config)
{
	const uint32_t mark = fwmark_udp_inject(config->refuse_mark);
	const uint8_t protocol = IPPROTO_UDP;
	struct nftnl_rule *rule = rule_new(batch, chain);

	if (carriers) {
		nft_expr_match_mark(rule, UINT32_MAX, mark);
		nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	}
	nft_expr_add(rule, "counter");
	rule_queue(rule, batch->rules->form, config->queue_number);
	batch_add_rule(batch, rule, 0);
}

static void batch_add_plain_chain(struct batch *batch, const char *name)
{
	batch_add_chain_message(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE, chain_new(batch, name));
}

/* What is made of our own carriers has been decided upon. */
static void batch_add_own_rule(struct batch *batch, const struct nft_rules_config *config)
{
	const uint32_t mark = fwmark_udp_inject(config->refuse_mark);
	struct nftnl_rule *rule = rule_new(batch, batch->rules->track);

	nft_expr_match_mark(rule, UINT32_MAX, mark);
	nft_expr_verdict(rule, NF_ACCEPT);
	batch_add_rule(batch, rule, 0);
}

/* Only where connections are followed. */
static void batch_add_flow_rules(struct batch *batch, const struct nft_rules_config *config,
				 const bool used[static N_LAYOUTS])
{
	batch_add_own_rule(batch, config);
	batch_add_queue_all(batch, batch->rules->track, false, config);
	/* of endpoints that others provide: in the hook output, batch_add_output_rules() */
	if (!config->outgoing)
		batch_add_queue_all(batch, batch->rules->inject, true, config);
	batch_add_reject_rules(batch);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		if (!used[i])
			continue;
		batch_add_flow_rule(batch, batch->rules->flows, &family_layouts[i]);
	}
}

/* ---- a table of one's own ---- */

/* What sends packets to the queue, and answers those that come back with the mark. */
static void batch_add_rules(struct batch *batch, const struct nft_rules_config *config,
			    const bool used[static N_LAYOUTS])
{
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		if (!used[i])
			continue;
		batch_add_queue_rule(batch, config, &family_layouts[i], false);
		batch_add_queue_rule(batch, config, &family_layouts[i], true);
	}
	batch->queue_last = batch->rules->sequence - 1;
	for (size_t i = 0; i < N_LAYOUTS; i++)
		if (used[i])
			batch_add_answer_rules(batch, config, &family_layouts[i]);
}

static void batch_add_jump(struct batch *batch, const char *from, const char *to)
{
	struct nftnl_rule *rule = rule_new(batch, from);

	nft_expr_to_chain(rule, (uint32_t)NFT_JUMP, to);
	batch_add_rule(batch, rule, 0);
}

/*
 * What has a mark and got no answer must not come to the queue again, from which it would come back
 * for ever. It is missed in the count of answers (injector.c, compare_losses()).
 */
static void batch_add_end_of_answers(struct batch *batch, const struct nft_rules_config *config)
{
	struct nftnl_rule *rule = rule_new(batch, CHAIN_ANSWER);

	nft_expr_match_mark(rule, FWMARK_COMMON, config->refuse_mark);
	nft_expr_verdict(rule, NF_DROP);
	batch_add_rule(batch, rule, NLM_F_ACK);
}

static void batch_build_table(struct batch *batch, const struct nft_rules_config *config,
			      bool owned)
{
	bool used[N_LAYOUTS];

	batch_add_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, owned);
	for (size_t i = 0; i < N_LAYOUTS; i++)
		used[i] = batch_add_set(batch, config, &family_layouts[i]);
	batch_add_base_chain(batch, CHAIN_QUEUE, NF_INET_LOCAL_IN, CHAIN_QUEUE_PRIORITY);
	if (config->repeats)
		batch_add_plain_chain(batch, CHAIN_ANSWER);
	else
		batch_add_base_chain(batch, CHAIN_ANSWER, NF_INET_LOCAL_IN, CHAIN_ANSWER_PRIORITY);
	batch->queue_first = batch->rules->sequence;
	if (config->follows) {
		for (size_t i = 0; i < N_LAYOUTS; i++)
			if (used[i])
				batch_add_connections(batch, &family_layouts[i]);
		batch_add_plain_chain(batch, batch->rules->track);
		batch_add_plain_chain(batch, batch->rules->reject);
		batch_add_base_chain(batch, CHAIN_INJECT, NF_INET_LOCAL_OUT, CHAIN_QUEUE_PRIORITY);
		batch_add_flow_rules(batch, config, used);
	}
	batch_add_all_end_rules(batch, CHAIN_QUEUE, config, used);
	batch_add_shortcut(batch);
	if (config->repeats)
		batch_add_jump(batch, CHAIN_QUEUE, CHAIN_ANSWER);
	batch_add_rules(batch, config, used);
	if (config->repeats)
		batch_add_end_of_answers(batch, config);
}

/* ---- endpoints that others provide ---- */

/* What is not for the queue: packets to this host, which its input hook sees, and our own copies.
 */
static void batch_add_exceptions(struct batch *batch, uint32_t refuse_mark)
{
	/* lo is the first interface of each network namespace (drivers/net/loopback.c). */
	const uint32_t loopback = 1;
	struct nftnl_rule *rule = rule_new(batch, CHAIN_QUEUE_OUT);

	nft_expr_match_meta(rule, NFT_META_OIF, &loopback, sizeof(loopback));
	nft_expr_verdict(rule, NF_ACCEPT);
	batch_add_rule(batch, rule, 0);
	rule = rule_new(batch, CHAIN_QUEUE_OUT);
	nft_expr_match_mark(rule, FWMARK_COMMON, refuse_mark);
	nft_expr_verdict(rule, NF_ACCEPT);
	batch_add_rule(batch, rule, 0);
}

/* The rules of the output hook: those of the input hook, in other chains. */
static void batch_add_output_rules(struct batch *batch, const struct nft_rules_config *config)
{
	static const bool used[N_LAYOUTS] = {true, true};
	struct rules *rules = batch->rules, kept = *rules;
	/* before the first rule that queues packets without SYN */
	bool early = config->follows || config->ends;

	snprintf(rules->queue, NAME_SIZE, "%s", CHAIN_QUEUE_OUT);
	snprintf(rules->answer, NAME_SIZE, "%s", CHAIN_ANSWER_OUT);
	if (config->follows)
		batch_add_queue_all(batch, CHAIN_QUEUE_OUT, true, config);
	if (early)
		batch_add_exceptions(batch, config->refuse_mark);
	for (size_t i = 0; config->follows && i < N_LAYOUTS; i++)
		batch_add_flow_rule(batch, CHAIN_QUEUE_OUT, &family_layouts[i]);
	batch_add_all_end_rules(batch, CHAIN_QUEUE_OUT, config, used);
	batch_add_shortcut(batch);
	if (!early)
		batch_add_exceptions(batch, config->refuse_mark);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		batch_add_queue_rule(batch, config, &family_layouts[i], false);
		batch_add_answer_rules(batch, config, &family_layouts[i]);
	}
	memcpy(rules->queue, kept.queue, NAME_SIZE);
	memcpy(rules->answer, kept.answer, NAME_SIZE);
}

/* @chain: NULL for all of the table. */
static void batch_delete_rules(struct batch *batch, const char *chain)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nlmsghdr *message;

	if (!rule)
		out_of_memory();
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, batch->rules->table);
	if (chain)
		nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	message = batch_begin(batch, NFT_MSG_DELRULE, 0);
	nftnl_rule_nlmsg_build_payload(message, rule);
	batch_end(batch, message);
	nftnl_rule_free(rule);
}

/* By name: the numbers are those of other sets where some are made in the same transaction. */
static void batch_delete_named_set(struct batch *batch, const char *name)
{
	struct nftnl_set *set = set_new(batch, name, 0);
	struct nlmsghdr *message;

	nftnl_set_unset(set, NFTNL_SET_ID);
	message = batch_begin(batch, NFT_MSG_DELSET, NLM_F_ACK);
	nftnl_set_nlmsg_build_payload(message, set);
	batch_end(batch, message);
	nftnl_set_free(set);
}

static void batch_delete_outgoing_sets(struct batch *batch)
{
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		batch_delete_named_set(batch, family_layouts[i].set);
		batch_delete_named_set(batch, family_layouts[i].connections);
	}
}

/* All rules and sets go; the base chains stay, and with them what waits in others' queues. */
static void batch_build_flush(struct batch *batch)
{
	batch_delete_rules(batch, NULL);
	batch_delete_outgoing_sets(batch);
}

static const char *const outgoing_chains[] = {CHAIN_QUEUE,      CHAIN_ANSWER, CHAIN_QUEUE_OUT,
					      CHAIN_ANSWER_OUT, CHAIN_TRACK,  CHAIN_REJECT};
/* Those of the table that are no base chains. */
static const char *const outgoing_targets[] = {
	CHAIN_TRACK,           CHAIN_REJECT,           NFT_RULES_CAPTURE_IN,
	NFT_RULES_CAPTURE_OUT, NFT_RULES_CAPTURE_SENT, NFT_RULES_CAPTURE_LOG,
};

/* What is there already stays as it is. */
static void batch_build_empty(struct batch *batch)
{
	batch_add_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, false);
	batch_add_base_chain(batch, CHAIN_QUEUE, NF_INET_LOCAL_IN, CHAIN_QUEUE_PRIORITY);
	batch_add_base_chain(batch, CHAIN_ANSWER, NF_INET_LOCAL_IN, CHAIN_ANSWER_PRIORITY);
	batch_add_base_chain(batch, CHAIN_QUEUE_OUT, NF_INET_LOCAL_OUT, CHAIN_QUEUE_PRIORITY);
	batch_add_base_chain(batch, CHAIN_ANSWER_OUT, NF_INET_LOCAL_OUT, CHAIN_ANSWER_PRIORITY);
	for (size_t i = 0; i < ARRAY_SIZE(outgoing_targets); i++)
		batch_add_chain_message(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE,
					chain_new(batch, outgoing_targets[i]));
}

/* The table may be there, empty; or, with @replace, full. */
static void batch_build_outgoing(struct batch *batch, const struct nft_rules_config *config,
				 bool replace)
{
	static const bool used[N_LAYOUTS] = {true, true};

	batch_build_empty(batch);
	if (replace) {
		for (size_t i = 0; i < ARRAY_SIZE(outgoing_chains); i++)
			batch_delete_rules(batch, outgoing_chains[i]);
		batch_delete_outgoing_sets(batch);
	}
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		(void)batch_add_set(batch, config, &family_layouts[i]);
		batch_add_connections(batch, &family_layouts[i]);
	}
	batch_add_jump(batch, CHAIN_QUEUE, NFT_RULES_CAPTURE_IN);
	batch_add_jump(batch, CHAIN_QUEUE_OUT, NFT_RULES_CAPTURE_OUT);
	batch_add_jump(batch, CHAIN_ANSWER_OUT, NFT_RULES_CAPTURE_SENT);
	batch->queue_first = batch->rules->sequence;
	batch_add_output_rules(batch, config);
	if (config->follows)
		batch_add_flow_rules(batch, config, used);
	batch_add_all_end_rules(batch, CHAIN_QUEUE, config, used);
	batch_add_shortcut(batch);
	batch_add_rules(batch, config, used);
}

/* ---- a common table and its parts ---- */

static void batch_add_map(struct batch *batch, const struct family_layout *layout,
			  const struct map *map)
{
	struct nftnl_set *set = set_new(batch, map->name, map->id);
	struct nlmsghdr *message;

	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_MAP);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, layout->network_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, layout->address_size);
	nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	message = batch_begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_nlmsg_build_payload(message, set);
	batch_end(batch, message);
	nftnl_set_free(set);
}

/* Packets from or to a network that is in the map get its verdict. */
static void batch_add_dispatch(struct batch *batch, const char *chain, uint8_t protocol,
			       const struct family_layout *layout, const struct map *map,
			       bool source)
{
	struct nftnl_rule *rule = rule_new(batch, chain);
	uint8_t mask[16] = {0};

	memset(mask, 0xff, layout->prefix_size);
	nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto, sizeof(layout->nfproto));
	nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	nft_expr_load(rule, NFT_PAYLOAD_NETWORK_HEADER,
		      source ? layout->source_offset : layout->destination_offset,
		      layout->address_size, NFT_REG_1);
	nft_expr_mask(rule, mask, layout->address_size);
	nft_expr_lookup(rule, map->name, map->id, NFT_REG_1, true);
	batch_add_rule(batch, rule, NLM_F_ACK);
}

static void batch_build_common(struct batch *batch)
{
	batch_add_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, false);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		batch_add_map(batch, &family_layouts[i], &family_layouts[i].queues);
		batch_add_map(batch, &family_layouts[i], &family_layouts[i].answers);
		batch_add_map(batch, &family_layouts[i], &family_layouts[i].flows);
		batch_add_map(batch, &family_layouts[i], &family_layouts[i].injects);
	}
	batch_add_base_chain(batch, CHAIN_QUEUE, NF_INET_LOCAL_IN, CHAIN_QUEUE_PRIORITY);
	batch_add_base_chain(batch, CHAIN_ANSWER, NF_INET_LOCAL_IN, CHAIN_ANSWER_PRIORITY);
	batch_add_base_chain(batch, CHAIN_INJECT, NF_INET_LOCAL_OUT, CHAIN_QUEUE_PRIORITY);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		const struct family_layout *layout = &family_layouts[i];

		batch_add_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->flows, false);
		batch_add_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->flows, true);
	}
	batch_add_shortcut(batch);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		const struct family_layout *layout = &family_layouts[i];

		batch_add_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->queues, false);
		batch_add_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->queues, true);
		batch_add_dispatch(batch, CHAIN_ANSWER, IPPROTO_TCP, layout, &layout->answers,
				   false);
		batch_add_dispatch(batch, CHAIN_INJECT, IPPROTO_UDP, layout, &layout->injects,
				   false);
	}
}

/* The part's network as an element of a map; @type adds it, deletes it, or asks for it. */
static void batch_add_entry(struct batch *batch, uint16_t type, size_t index, const struct map *map,
			    const char *chain)
{
	const struct family_layout *layout = &family_layouts[index];
	const struct address_networks *networks = &batch->rules->networks;
	struct nftnl_set *set = set_new(batch, map->name, map->id);
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	uint8_t key[16] = {0};
	struct nlmsghdr *message;

	if (!element)
		out_of_memory();
	memcpy(key, index == LAYOUT_IPV4 ? networks->ipv4 : networks->ipv6, layout->prefix_size);
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, layout->address_size);
	if (type == NFT_MSG_NEWSETELEM) {
		nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_JUMP);
		nftnl_set_elem_set_str(element, NFTNL_SET_ELEM_CHAIN, chain);
	}
	nftnl_set_elem_add(set, element);
	message = batch_begin(batch, type,
			      type == NFT_MSG_NEWSETELEM   ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK
			      : type == NFT_MSG_GETSETELEM ? NLM_F_ACK
							   : 0);
	nftnl_set_elems_nlmsg_build_payload(message, set);
	batch_end(batch, message);
	nftnl_set_free(set);
}

static void batch_add_entries(struct batch *batch, uint16_t type)
{
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		batch_add_entry(batch, type, i, &family_layouts[i].queues, batch->rules->queue);
		batch_add_entry(batch, type, i, &family_layouts[i].answers, batch->rules->answer);
		batch_add_entry(batch, type, i, &family_layouts[i].flows, batch->rules->flows);
		batch_add_entry(batch, type, i, &family_layouts[i].injects, batch->rules->inject);
	}
}

/* The chains of a part, in the order in which they can be deleted. */
static void part_chains(const struct rules *rules, const char *ret[static N_PART_CHAINS])
{
	const char *const chains[N_PART_CHAINS] = {
		rules->flows,  rules->queue, rules->answer,
		rules->inject, rules->track, rules->reject,
	};

	memcpy(ret, chains, sizeof(chains));
}

static void batch_build_part(struct batch *batch, const struct nft_rules_config *config)
{
	const char *chains[N_PART_CHAINS];
	bool used[N_LAYOUTS];

	for (size_t i = 0; i < N_LAYOUTS; i++)
		used[i] = batch_add_set(batch, config, &family_layouts[i]);
	part_chains(batch->rules, chains);
	for (size_t i = 0; i < N_PART_CHAINS; i++)
		batch_add_chain_message(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL,
					chain_new(batch, chains[i]));
	for (size_t i = 0; i < N_LAYOUTS; i++)
		batch_add_connections(batch, &family_layouts[i]);
	batch->queue_first = batch->rules->sequence;
	if (config->follows)
		batch_add_flow_rules(batch, config, used);
	batch_add_all_end_rules(batch, batch->rules->flows, config, used);
	batch_add_rules(batch, config, used);
	batch_add_entries(batch, NFT_MSG_NEWSETELEM);
}

/* Many acknowledgments of a large batch would not fit into the socket: errors come without, too. */
static void batch_delete_set(struct batch *batch, const char *name, uint32_t id, uint16_t flags)
{
	struct nftnl_set *set = set_new(batch, name, id);
	struct nlmsghdr *message = batch_begin(batch, NFT_MSG_DELSET, flags);

	nftnl_set_nlmsg_build_payload(message, set);
	batch_end(batch, message);
	nftnl_set_free(set);
}

/*
 * In the order in which nothing refers to what is deleted; a chain's rules go with it. @last: the
 * kernel is to say so when it has done it all; what it refuses it says of each message.
 */
static void batch_build_removal(struct batch *batch, bool last)
{
	const struct rules *rules = batch->rules;
	const char *chains[N_PART_CHAINS];

	part_chains(rules, chains);
	batch_add_entries(batch, NFT_MSG_DELSETELEM);
	/* what follows connections refers to the map, and that to the chains after it */
	batch_add_chain_message(batch, NFT_MSG_DELCHAIN, 0, chain_new(batch, chains[0]));
	for (size_t i = 0; i < N_LAYOUTS; i++)
		batch_delete_set(batch, rules->connections[i], family_layouts[i].connections_id, 0);
	for (size_t i = 1; i < N_PART_CHAINS; i++)
		batch_add_chain_message(batch, NFT_MSG_DELCHAIN, 0, chain_new(batch, chains[i]));
	for (size_t i = 0; i < N_LAYOUTS; i++)
		batch_delete_set(batch, rules->sets[i], family_layouts[i].set_id,
				 last && i + 1 == N_LAYOUTS ? NLM_F_ACK : 0);
}

/* ---- to the kernel ---- */

/*
 * Reads the answers to a batch, all of which are there. Returns 0 when the kernel took it, else the
 * first error.
 */
static int batch_read_answers(struct batch *batch)
{
	uint8_t buffer[16384];
	int r = -EPROTO; /* unless there is an acknowledgment */

	for (;;) {
		ssize_t length = recv(mnl_socket_get_fd(batch->rules->socket), buffer,
				      sizeof(buffer), MSG_DONTWAIT);
		const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
		int left = (int)length;

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? r : -errno;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

			if (message->nlmsg_type != NLMSG_ERROR)
				continue;
			if (error->error == 0 && r == -EPROTO)
				r = 0;
			if (error->error != 0 && (r == 0 || r == -EPROTO)) {
				r = error->error;
				batch->failed_sequence = message->nlmsg_seq;
			}
		}
	}
}

static int batch_send(struct batch *batch)
{
	int fd = mnl_socket_get_fd(batch->rules->socket);
	int size = (int)(batch->length + 4096);

	/* a netlink message must fit into the send buffer (net/netlink/af_netlink.c) */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
		return -errno;
	if (mnl_socket_sendto(batch->rules->socket, batch->data, batch->length) < 0)
		return -errno;
	return batch_read_answers(batch);
}

static int install_error(const struct batch *batch, const struct nft_rules_config *config, int r,
			 struct diag_list *diags)
{
	bool queueing = batch->failed_sequence >= batch->queue_first &&
			batch->failed_sequence <= batch->queue_last;

	if (r == -ENOENT && queueing) {
		diag_add(
			diags, NULL,
			"the kernel can't queue packets for a program: it has neither the nftables "
			"expression \"queue\" (CONFIG_NFT_QUEUE) nor the target NFQUEUE for "
			"nftables (CONFIG_NFT_COMPAT with CONFIG_NETFILTER_XT_TARGET_NFQUEUE)");
		diag_hint(diags, "load the modules (modprobe nft_queue) or use a kernel with one "
				 "of these options");
		return -EOPNOTSUPP;
	}
	if (r == -EPERM) {
		diag_add(diags, NULL, "no permission to change firewall rules");
		diag_hint(diags, "CAP_NET_ADMIN is needed in the network namespace");
		return r;
	}
	if (r == -EEXIST && batch->failed_sequence == batch->table_sequence) {
		diag_add(diags, NULL, "there is an nftables table inet %s already", config->table);
		return r;
	}
	diag_add(diags, NULL, "can't install the firewall rules: %s", strerror(-r));
	return r;
}

static int socket_open(struct diag_list *diags, struct mnl_socket **ret)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int on = 1, r;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		diag_add(diags, NULL, "can't open a netlink socket for firewall rules: %s",
			 strerror(-r));
		if (socket)
			mnl_socket_close(socket);
		return r;
	}
	/* errors without a copy of what they are about */
	(void)mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	*ret = socket;
	return 0;
}

static void name(char buffer[static NAME_SIZE], const char *base, bool is_part, uint32_t part)
{
	if (is_part)
		snprintf(buffer, NAME_SIZE, "%s-%u", base, part);
	else
		snprintf(buffer, NAME_SIZE, "%s", base);
}

/* @networks: of a part, or NULL. */
static void nft_rules_name(struct rules *rules, const struct address_networks *networks,
			   uint32_t part)
{
	rules->is_part = networks != NULL;
	if (networks)
		rules->networks = *networks;
	name(rules->queue, CHAIN_QUEUE, rules->is_part, part);
	name(rules->answer, CHAIN_ANSWER, rules->is_part, part);
	name(rules->track, CHAIN_TRACK, rules->is_part, part);
	name(rules->reject, CHAIN_REJECT, rules->is_part, part);
	name(rules->inject, CHAIN_INJECT, rules->is_part, part);
	/* in a table of one's own, before the first rule of the others */
	name(rules->flows, rules->is_part ? CHAIN_FLOWS : CHAIN_QUEUE, rules->is_part, part);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		name(rules->sets[i], family_layouts[i].set, rules->is_part, part);
		name(rules->connections[i], family_layouts[i].connections, rules->is_part, part);
	}
}

/* Returns 0 or a negative errno, with a diagnostic. @networks: of a part, or NULL. */
static int nft_rules_new(const char *table, const struct address_networks *networks, uint32_t part,
			 struct diag_list *diags, struct rules **ret)
{
	struct rules *rules = xzalloc(sizeof(*rules));
	int r = socket_open(diags, &rules->socket);

	if (r < 0) {
		free(rules);
		return r;
	}
	rules->portid = mnl_socket_get_portid(rules->socket);
	rules->table = xstrdup(table);
	rules->sequence = 1;
	nft_rules_name(rules, networks, part);
	*ret = rules;
	return 0;
}

/* Without removing anything. */
static void nft_rules_forget(struct rules *rules)
{
	mnl_socket_close(rules->socket);
	free(rules->table);
	free(rules);
}

int nft_rules_install(const struct nft_rules_config *config, struct diag_list *diags,
		      struct rules **ret)
{
	struct rules *rules;
	bool owned = config->owned, replace = false;
	int r;

	r = nft_rules_new(config->table, config->networks, config->part, diags, &rules);
	if (r < 0)
		return r;
	rules->follows = config->follows;
	rules->ends = config->ends;
	rules->outgoing = config->outgoing;
	rules->form = config->form == NFT_RULES_QUEUE_ANY ? NFT_RULES_QUEUE_NATIVE : config->form;
	for (;;) {
		struct batch batch = {.rules = rules};

		rules->n_chains = 0;
		batch_mark(&batch, NFNL_MSG_BATCH_BEGIN);
		if (replace && config->networks)
			batch_build_removal(&batch, false);
		if (config->outgoing)
			batch_build_outgoing(&batch, config, replace);
		else if (config->networks)
			batch_build_part(&batch, config);
		else
			batch_build_table(&batch, config, owned);
		batch_mark(&batch, NFNL_MSG_BATCH_END);
		r = batch_send(&batch);
		free(batch.data);
		if (r == 0) {
			*ret = rules;
			return 0;
		}
		if (r == -ENOENT && rules->form == NFT_RULES_QUEUE_NATIVE &&
		    config->form == NFT_RULES_QUEUE_ANY) {
			rules->form = NFT_RULES_QUEUE_COMPAT;
			continue;
		}
		/*
		 * What an injector before us left there: nobody uses it. In one transaction, so
		 * that no SYN gets past. EBUSY is of its sets.
		 */
		if ((r == -EEXIST || r == -EBUSY) && (config->networks || config->outgoing) &&
		    !replace) {
			replace = true;
			continue;
		}
		/* the flag is unknown before Linux 5.12 */
		if (owned && batch.failed_sequence == batch.table_sequence &&
		    (r == -EOPNOTSUPP || r == -EINVAL)) {
			owned = false;
			continue;
		}
		r = install_error(&batch, config, r, diags);
		break;
	}
	nft_rules_forget(rules);
	return r;
}

enum nft_rules_queue_form nft_rules_queue_form(const struct rules *rules)
{
	return rules->form;
}

struct packet_count {
	uint64_t packets;
	bool found; /* a rule with a counter is there */
};

static int count_rule(const struct nlmsghdr *message, void *data)
{
	struct packet_count *count = data;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nftnl_expr_iter *iter;
	struct nftnl_expr *expr;

	if (!rule)
		out_of_memory();
	if (nftnl_rule_nlmsg_parse(message, rule) < 0) {
		nftnl_rule_free(rule);
		return MNL_CB_ERROR;
	}
	iter = nftnl_expr_iter_create(rule);
	if (!iter)
		out_of_memory();
	while ((expr = nftnl_expr_iter_next(iter))) {
		if (strcmp(nftnl_expr_get_str(expr, NFTNL_EXPR_NAME), "counter") != 0)
			continue;
		count->packets += nftnl_expr_get_u64(expr, NFTNL_EXPR_CTR_PACKETS);
		count->found = true;
	}
	nftnl_expr_iter_destroy(iter);
	nftnl_rule_free(rule);
	return MNL_CB_OK;
}

/*
 * Sends a request for a dump and hands over what comes. Returns 0, -EINTR when something in the
 * namespace's rules was changed meanwhile (what was handed over may not be all), or another
 * negative errno.
 */
static int dump_once(struct mnl_socket *socket, const struct nlmsghdr *request, mnl_cb_t callback,
		     void *userdata)
{
	uint8_t buffer[16384];
	bool interrupted = false;

	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
		int left = (int)length;

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

			interrupted = interrupted || message->nlmsg_flags & NLM_F_DUMP_INTR;
			if (message->nlmsg_type == NLMSG_ERROR)
				return error->error;
			if (message->nlmsg_type == NLMSG_DONE)
				return interrupted ? -EINTR : 0;
			if (callback(message, userdata) < 0)
				return -EPROTO;
		}
	}
}

/* Adds up the counters of a chain's rules. */
static int count_chain(struct rules *rules, const char *chain, uint64_t *ret_packets)
{
	char buffer[1024];
	struct packet_count count = {0};
	struct nftnl_rule *filter = nftnl_rule_alloc();
	struct nlmsghdr *message;
	int r = -EINTR;

	if (!filter)
		out_of_memory();
	nftnl_rule_set_u32(filter, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(filter, NFTNL_RULE_TABLE, rules->table);
	nftnl_rule_set_str(filter, NFTNL_RULE_CHAIN, chain);
	message = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE, NFPROTO_INET, NLM_F_DUMP,
					rules->sequence++);
	nftnl_rule_nlmsg_build_payload(message, filter);
	nftnl_rule_free(filter);
	for (int tries = 0; tries < DUMP_TRIES && r == -EINTR; tries++) {
		count = (struct packet_count){0};
		r = dump_once(rules->socket, message, count_rule, &count);
	}
	if (r < 0)
		return r;
	if (!count.found)
		return -ENOENT;
	*ret_packets = count.packets;
	return 0;
}

/* Of a chain, and of its counterpart in the output hook where there is one. */
static int count_both(struct rules *rules, const char *chain, const char *outgoing,
		      uint64_t *ret_packets)
{
	uint64_t packets, more = 0;
	int r = count_chain(rules, chain, &packets);

	if (!r && rules->outgoing)
		r = count_chain(rules, outgoing, &more);
	if (!r)
		*ret_packets = packets + more;
	return r;
}

int nft_rules_count_refused(struct rules *rules, uint64_t *ret_packets)
{
	return count_both(rules, rules->answer, CHAIN_ANSWER_OUT, ret_packets);
}

int nft_rules_count_queued(struct rules *rules, uint64_t *ret_packets)
{
	const char *chains[5] = {rules->queue};
	size_t n = 1;
	uint64_t total = 0;

	if (rules->outgoing)
		chains[n++] = CHAIN_QUEUE_OUT;
	if (rules->follows)
		chains[n++] = rules->track;
	/* of endpoints that others provide: in the chain of the hook output */
	if (rules->follows && !rules->outgoing)
		chains[n++] = rules->inject;
	/* of a table of one's own: in its first chain */
	if (rules->ends && rules->is_part)
		chains[n++] = rules->flows;
	for (size_t i = 0; i < n; i++) {
		uint64_t packets = 0;
		int r = count_chain(rules, chains[i], &packets);

		if (r < 0)
			return r;
		total += packets;
	}
	*ret_packets = total;
	return 0;
}

/* ---- whether all of it is still there ---- */

static int count_message(const struct nlmsghdr *message, void *data)
{
	uint32_t *n = data;

	(void)message;
	(*n)++;
	return MNL_CB_OK;
}

/* Returns 0 when the chain has as many rules, -ENOENT when not, or another negative errno. */
static int verify_chain(struct rules *rules, const char *chain, uint32_t n_expected)
{
	char buffer[1024];
	struct nftnl_rule *filter = nftnl_rule_alloc();
	struct nlmsghdr *message;
	uint32_t n = 0;
	int r = -EINTR;

	if (!filter)
		out_of_memory();
	nftnl_rule_set_u32(filter, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(filter, NFTNL_RULE_TABLE, rules->table);
	nftnl_rule_set_str(filter, NFTNL_RULE_CHAIN, chain);
	message = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE, NFPROTO_INET, NLM_F_DUMP,
					rules->sequence++);
	nftnl_rule_nlmsg_build_payload(message, filter);
	nftnl_rule_free(filter);
	for (int tries = 0; tries < DUMP_TRIES && r == -EINTR; tries++) {
		n = 0;
		r = dump_once(rules->socket, message, count_message, &n);
	}
	return r < 0 ? r : n == n_expected ? 0 : -ENOENT;
}

/* Asks for the part's element of a map of the common table. Returns 0 or a negative errno. */
static int verify_entry(struct rules *rules, size_t index, const struct map *map)
{
	struct batch batch = {.rules = rules};
	uint32_t n = 0;
	int r;

	batch_add_entry(&batch, NFT_MSG_GETSETELEM, index, map, NULL);
	r = dump_once(rules->socket, (const struct nlmsghdr *)batch.data, count_message, &n);
	free(batch.data);
	return r < 0 ? r : n > 0 ? 0 : -ENOENT;
}

int nft_rules_verify(struct rules *rules)
{
	/* as batch_build_common() makes them */
	static const struct chain_rules common[] = {{CHAIN_QUEUE, 4 * N_LAYOUTS + 1},
						    {CHAIN_ANSWER, N_LAYOUTS},
						    {CHAIN_INJECT, N_LAYOUTS}};
	int r = 0;

	for (size_t i = 0; !r && i < rules->n_chains; i++)
		r = verify_chain(rules, rules->chains[i].name, rules->chains[i].n);
	for (size_t i = 0; !r && rules->is_part && i < ARRAY_SIZE(common); i++)
		r = verify_chain(rules, common[i].name, common[i].n);
	for (size_t i = 0; !r && rules->is_part && i < N_LAYOUTS; i++) {
		const struct family_layout *layout = &family_layouts[i];
		const struct map *maps[] = {&layout->queues, &layout->answers, &layout->flows,
					    &layout->injects};

		for (size_t k = 0; !r && k < ARRAY_SIZE(maps); k++)
			r = verify_entry(rules, i, maps[k]);
	}
	return r;
}

int nft_rules_count_rejected(struct rules *rules, uint64_t *ret_packets)
{
	if (!rules->follows) {
		*ret_packets = 0;
		return 0;
	}
	return count_chain(rules, rules->reject, ret_packets);
}

/* Adds an element for packets from one end to the other. */
static void set_add_direction(struct nftnl_set *set, const struct batch *batch,
			      const struct address *from, const struct address *to,
			      const enum flow_handling *handling)
{
	const struct family_layout *layout =
		&family_layouts[from->family == AF_INET ? LAYOUT_IPV4 : LAYOUT_IPV6];
	const struct address *ends[] = {from, to};
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	uint8_t key[2 * (sizeof(from->bytes) + 4)] = {0};

	if (!element)
		out_of_memory();
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		uint8_t *part = key + i * (layout->address_size + 4);

		memcpy(part, ends[i]->bytes, layout->address_size);
		part[layout->address_size] = (uint8_t)(ends[i]->port >> 8);
		part[layout->address_size + 1] = (uint8_t)ends[i]->port;
	}
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, 2 * (layout->address_size + 4));
	if (handling) {
		nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_JUMP);
		nftnl_set_elem_set_str(element, NFTNL_SET_ELEM_CHAIN,
				       *handling == FLOW_REJECTED ? batch->rules->reject
								  : batch->rules->track);
	}
	nftnl_set_elem_add(set, element);
}

/* Adds both directions of the connection to its family's map, or deletes them. */
static void batch_add_connection(struct batch *batch, uint16_t type, const struct address *client,
				 const struct address *server, enum flow_handling handling)
{
	size_t index = client->family == AF_INET ? LAYOUT_IPV4 : LAYOUT_IPV6;
	struct nftnl_set *set = set_new(batch, batch->rules->connections[index],
					family_layouts[index].connections_id);
	const enum flow_handling *kept = type == NFT_MSG_NEWSETELEM ? &handling : NULL;
	struct nlmsghdr *message;

	set_add_direction(set, batch, client, server, kept);
	set_add_direction(set, batch, server, client, kept);
	message = batch_begin(batch, type,
			      NLM_F_ACK | (type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0));
	nftnl_set_elems_nlmsg_build_payload(message, set);
	batch_end(batch, message);
	nftnl_set_free(set);
}

int nft_rules_follow(struct rules *rules, const struct address *client,
		     const struct address *server, enum flow_handling handling)
{
	int r = -EEXIST;

	/* the second time without the element of an earlier connection that had the same port */
	for (int attempt = 0; attempt < 2 && (r == -EEXIST || r == -EBUSY); attempt++) {
		struct batch batch = {.rules = rules};

		batch_mark(&batch, NFNL_MSG_BATCH_BEGIN);
		if (attempt > 0)
			batch_add_connection(&batch, NFT_MSG_DELSETELEM, client, server, handling);
		batch_add_connection(&batch, NFT_MSG_NEWSETELEM, client, server, handling);
		batch_mark(&batch, NFNL_MSG_BATCH_END);
		r = batch_send(&batch);
		free(batch.data);
	}
	return r;
}

int nft_rules_unfollow(struct rules *rules, const struct address *client,
		       const struct address *server)
{
	struct batch batch = {.rules = rules};
	int r;

	batch_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	batch_add_connection(&batch, NFT_MSG_DELSETELEM, client, server, FLOW_UNTOUCHED);
	batch_mark(&batch, NFNL_MSG_BATCH_END);
	r = batch_send(&batch);
	free(batch.data);
	return r;
}

/* Deletes the table, or the part of a common one. */
static int uninstall(struct rules *rules)
{
	struct batch batch = {.rules = rules};
	int r;

	batch_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	if (rules->is_part)
		batch_build_removal(&batch, true);
	else if (rules->outgoing)
		batch_build_flush(&batch);
	else
		batch_add_table(&batch, NFT_MSG_DELTABLE, NLM_F_ACK, false);
	batch_mark(&batch, NFNL_MSG_BATCH_END);
	r = batch_send(&batch);
	free(batch.data);
	return r;
}

void nft_rules_free(struct rules *rules)
{
	if (!rules)
		return;
	/* There is nothing to be done about an error: the table is gone already, or stays. */
	(void)uninstall(rules);
	nft_rules_forget(rules);
}

void nft_rules_leave(struct rules *rules)
{
	if (rules)
		nft_rules_forget(rules);
}

/* ---- common tables ---- */

int nft_rules_create_common(const char *table, struct diag_list *diags)
{
	const struct nft_rules_config config = {.table = table};
	struct batch batch = {0};
	struct rules *rules;
	int r = nft_rules_new(table, NULL, 0, diags, &rules);

	if (r < 0)
		return r;
	batch.rules = rules;
	batch_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	batch_build_common(&batch);
	batch_mark(&batch, NFNL_MSG_BATCH_END);
	r = batch_send(&batch);
	free(batch.data);
	/* Made as a whole, it is there as a whole. */
	if (r == -EEXIST && batch.failed_sequence == batch.table_sequence)
		r = 0;
	else if (r < 0)
		r = install_error(&batch, &config, r, diags);
	nft_rules_forget(rules);
	return r;
}

static int remove_rules(const char *table, const struct address_networks *networks, uint32_t part)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct rules *rules;
	int r = nft_rules_new(table, networks, part, &diags, &rules);

	if (r < 0)
		return r;
	r = uninstall(rules);
	nft_rules_forget(rules);
	return r;
}

int nft_rules_remove_common(const char *table)
{
	return remove_rules(table, NULL, 0);
}

int nft_rules_create_outgoing(const char *table)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct batch batch = {0};
	struct rules *rules;
	int r = nft_rules_new(table, NULL, 0, &diags, &rules);

	if (r < 0)
		return r;
	batch.rules = rules;
	batch_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	batch_build_empty(&batch);
	batch_mark(&batch, NFNL_MSG_BATCH_END);
	r = batch_send(&batch);
	free(batch.data);
	nft_rules_forget(rules);
	/* Nothing in it is acknowledged: no answer is none of failure. */
	return r == -EPROTO ? 0 : r;
}

static int note_set(const struct nlmsghdr *message, void *data)
{
	bool *found = data;

	(void)message;
	*found = true;
	return MNL_CB_OK;
}

/* Whether a table has sets; all that have rules do. */
static bool has_sets(struct rules *rules)
{
	char buffer[1024];
	struct nftnl_set *filter = nftnl_set_alloc();
	struct nlmsghdr *message;
	bool found = false;
	int r = -EINTR;

	if (!filter)
		out_of_memory();
	nftnl_set_set_str(filter, NFTNL_SET_TABLE, rules->table);
	message = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSET, NFPROTO_INET, NLM_F_DUMP,
					rules->sequence++);
	nftnl_set_nlmsg_build_payload(message, filter);
	nftnl_set_free(filter);
	for (int tries = 0; tries < DUMP_TRIES && r == -EINTR; tries++)
		r = dump_once(rules->socket, message, note_set, &found);
	return found;
}

int nft_rules_flush_outgoing(const char *table)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct rules *rules;
	int r = nft_rules_new(table, NULL, 0, &diags, &rules);

	if (r < 0)
		return r;
	rules->outgoing = true;
	/* A transaction that finds nothing to remove takes as long to give up as one that does. */
	if (has_sets(rules))
		r = uninstall(rules);
	nft_rules_forget(rules);
	return r;
}

int nft_rules_remove_tables(const char *const *tables, size_t n_tables)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct batch batch = {0};
	struct rules *rules;
	int r = n_tables ? nft_rules_new(tables[0], NULL, 0, &diags, &rules) : 0;

	if (r < 0 || !n_tables)
		return r;
	batch.rules = rules;
	batch_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	for (size_t i = 0; i < n_tables; i++) {
		free(rules->table);
		rules->table = xstrdup(tables[i]);
		batch_add_table(&batch, NFT_MSG_DELTABLE, NLM_F_ACK, false);
	}
	batch_mark(&batch, NFNL_MSG_BATCH_END);
	r = batch_send(&batch);
	free(batch.data);
	nft_rules_forget(rules);
	return r;
}

int nft_rules_remove_part(const char *table, uint32_t part, const struct address_networks *networks)
{
	return remove_rules(table, networks, part);
}

int nft_rules_remove_parts(const char *table, const struct nft_rules_part *parts, size_t n_parts)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct batch batch = {0};
	struct rules *rules;
	int r = n_parts ? nft_rules_new(table, NULL, 0, &diags, &rules) : 0;

	if (r < 0 || !n_parts)
		return r;
	batch.rules = rules;
	batch_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	for (size_t i = 0; i < n_parts; i++) {
		nft_rules_name(rules, &parts[i].networks, parts[i].part);
		batch_build_removal(&batch, i + 1 == n_parts);
	}
	batch_mark(&batch, NFNL_MSG_BATCH_END);
	r = batch_send(&batch);
	free(batch.data);
	nft_rules_forget(rules);
	return r;
}

struct part_listing {
	const char *table; /* name, or prefix of names */
	bool outgoing;     /* look for such tables rather than for parts of a common one */
	void (*on_part)(void *userdata, uint32_t part);
	void *userdata;
};

/* The number at the end of a name, after @prefix. Returns false when it has none. */
static bool read_number(const char *name, const char *prefix, uint32_t *ret)
{
	size_t length = strlen(prefix);
	unsigned number;
	char rest;

	if (strncmp(name, prefix, length) != 0 ||
	    sscanf(name + length, "%u%c", &number, &rest) != 1)
		return false;
	*ret = number;
	return true;
}

static int list_chain(const struct nlmsghdr *message, void *data)
{
	const struct part_listing *listing = data;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	const char *table, *chain_name;
	uint32_t part;

	if (!chain)
		out_of_memory();
	if (nftnl_chain_nlmsg_parse(message, chain) == 0) {
		table = nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE);
		chain_name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
		if (table && chain_name &&
		    (listing->outgoing ? strcmp(chain_name, CHAIN_QUEUE_OUT) == 0 &&
						 read_number(table, listing->table, &part)
				       : strcmp(table, listing->table) == 0 &&
						 read_number(chain_name, CHAIN_QUEUE "-", &part)))
			listing->on_part(listing->userdata, part);
	}
	nftnl_chain_free(chain);
	return MNL_CB_OK;
}

static int list(struct part_listing *listing)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct mnl_socket *socket;
	struct nlmsghdr *message;
	char buffer[1024];
	int r = socket_open(&diags, &socket);

	if (r < 0)
		return r;
	message = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETCHAIN, NFPROTO_INET, NLM_F_DUMP, 1);
	r = -EINTR;
	for (int tries = 0; tries < DUMP_TRIES && r == -EINTR; tries++)
		r = dump_once(socket, message, list_chain, listing);
	mnl_socket_close(socket);
	return r;
}

int nft_rules_list_parts(const char *table, void (*on_part)(void *userdata, uint32_t part),
			 void *userdata)
{
	return list(&(struct part_listing){table, false, on_part, userdata});
}

int nft_rules_list_outgoing(const char *prefix, void (*on_table)(void *userdata, uint32_t number),
			    void *userdata)
{
	return list(&(struct part_listing){prefix, true, on_table, userdata});
}
