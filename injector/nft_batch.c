/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages of a transaction: tables, chains, sets and rules as libnftnl writes them, one after
 * the other between a batch's begin and end. A netlink batch is atomic (net/netfilter/nfnetlink.c,
 * nfnetlink_rcv_batch).
 */
#include "injector/nft_batch.h"

#include <assert.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "injector/nft_expr.h"

/*
 * Elements per message: a netlink attribute holds 64 KiB at most, an IPv6 element takes 36 bytes of
 * the list.
 */
#define ELEMENTS_PER_MESSAGE 1024
#define MESSAGE_MAX          65536

#define CONNECTION_TYPE(address)                                                                   \
	(((address) << NFT_TYPE_BITS | NFT_TYPE_INET_SERVICE) << 2 * NFT_TYPE_BITS |               \
	 ((address) << NFT_TYPE_BITS | NFT_TYPE_INET_SERVICE))

const struct nft_layout nft_layouts[N_LAYOUTS] = {
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

static char *room(struct nft_batch *batch)
{
	return netlink_batch_room(&batch->messages, MESSAGE_MAX);
}

struct nlmsghdr *nft_batch_begin(struct nft_batch *batch, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(room(batch), type, NFPROTO_INET, flags,
				     batch->rules->sequence++);
}

void nft_batch_end(struct nft_batch *batch)
{
	netlink_batch_add(&batch->messages);
}

void nft_batch_init(struct nft_batch *batch, struct rules *rules)
{
	*batch = (struct nft_batch){.rules = rules};
	nftnl_batch_begin(room(batch), rules->sequence++);
	netlink_batch_add(&batch->messages);
}

int nft_batch_commit(struct nft_batch *batch)
{
	int r;

	netlink_batch_acknowledge(&batch->messages);
	nftnl_batch_end(room(batch), batch->rules->sequence++);
	netlink_batch_add(&batch->messages);
	r = netlink_batch_send(&batch->messages, batch->rules->socket, &batch->failed_sequence);
	netlink_batch_deinit(&batch->messages);
	return r;
}

void nft_batch_table(struct nft_batch *batch, uint16_t type, uint16_t flags, bool owned)
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
	message = nft_batch_begin(batch, type, flags);
	nftnl_table_nlmsg_build_payload(message, table);
	nft_batch_end(batch);
	nftnl_table_free(table);
}

struct nftnl_chain *nft_chain_new(const struct nft_batch *batch, const char *name)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain)
		out_of_memory();
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, batch->rules->table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	return chain;
}

/* Takes the chain. */
void nft_batch_chain(struct nft_batch *batch, uint16_t type, uint16_t flags,
		     struct nftnl_chain *chain)
{
	struct nlmsghdr *message = nft_batch_begin(batch, type, flags);

	nftnl_chain_nlmsg_build_payload(message, chain);
	nft_batch_end(batch);
	nftnl_chain_free(chain);
}

void nft_batch_base_chain(struct nft_batch *batch, const char *name, uint32_t hook,
			  int32_t priority)
{
	struct nftnl_chain *chain = nft_chain_new(batch, name);

	nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, priority);
	nft_batch_chain(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE, chain);
}

void nft_batch_plain_chain(struct nft_batch *batch, const char *name)
{
	nft_batch_chain(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE, nft_chain_new(batch, name));
}

struct nftnl_set *nft_set_new(const struct nft_batch *batch, const char *name, uint32_t id)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		out_of_memory();
	nftnl_set_set_str(set, NFTNL_SET_TABLE, batch->rules->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	return set;
}

static void set_add_element(struct nftnl_set *set, const struct nft_layout *layout,
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
bool nft_batch_endpoints(struct nft_batch *batch, const struct nft_rules_config *config,
			 const struct nft_layout *layout)
{
	struct nftnl_set *set;
	struct nlmsghdr *message;
	size_t n = 0, i = 0, n_sent = 0;

	for (size_t k = 0; k < config->n_endpoints; k++)
		n += config->endpoints[k].family == layout->family;
	if (n == 0 && !batch->rules->is_part && !batch->rules->outgoing)
		return false;

	set = nft_set_new(batch, batch->rules->sets[layout - nft_layouts], layout->set_id);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_CONSTANT);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, layout->set_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, layout->address_size + 4);
	if (n > 0)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, (uint32_t)n);
	message = nft_batch_begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_nlmsg_build_payload(message, set);
	nft_batch_end(batch);
	nftnl_set_free(set);

	for (; n_sent < n; n_sent += ELEMENTS_PER_MESSAGE) {
		size_t in_message = 0;

		set = nft_set_new(batch, batch->rules->sets[layout - nft_layouts], layout->set_id);
		for (; i < config->n_endpoints && in_message < ELEMENTS_PER_MESSAGE; i++) {
			if (config->endpoints[i].family != layout->family)
				continue;
			set_add_element(set, layout, &config->endpoints[i]);
			in_message++;
		}
		message = nft_batch_begin(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
		nftnl_set_elems_nlmsg_build_payload(message, set);
		nft_batch_end(batch);
		nftnl_set_free(set);
	}
	return n > 0;
}

void nft_batch_delete_set(struct nft_batch *batch, const char *name)
{
	/* By name: the numbers are those of other sets where some are made in the same transaction.
	 */
	struct nftnl_set *set = nft_set_new(batch, name, 0);
	struct nlmsghdr *message;

	nftnl_set_unset(set, NFTNL_SET_ID);
	message = nft_batch_begin(batch, NFT_MSG_DELSET, 0);
	nftnl_set_nlmsg_build_payload(message, set);
	nft_batch_end(batch);
	nftnl_set_free(set);
}

/* Counts the rules of each chain, for nft_rules_verify(). */
static void note_rule(struct rules *rules, const char *chain)
{
	size_t i = 0;

	while (i < rules->n_chains && strcmp(rules->chains[i].name, chain) != 0)
		i++;
	if (i == rules->n_chains) {
		assert(i < NFT_MAX_CHAINS);
		rules->chains[rules->n_chains++].n = 0;
		snprintf(rules->chains[i].name, NFT_NAME_SIZE, "%s", chain);
	}
	rules->chains[i].n++;
}

struct nftnl_rule *nft_rule_new(const struct nft_batch *batch, const char *chain)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		out_of_memory();
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, batch->rules->table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	return rule;
}

void nft_batch_rule(struct nft_batch *batch, struct nftnl_rule *rule)
{
	struct nlmsghdr *message;

	note_rule(batch->rules, nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));
	message = nft_batch_begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nftnl_rule_nlmsg_build_payload(message, rule);
	nft_batch_end(batch);
	nftnl_rule_free(rule);
}

void nft_batch_jump(struct nft_batch *batch, const char *from, const char *to)
{
	struct nftnl_rule *rule = nft_rule_new(batch, from);

	nft_expr_to_chain(rule, (uint32_t)NFT_JUMP, to);
	nft_batch_rule(batch, rule);
}

/* @chain: NULL for all of the table. */
void nft_batch_delete_rules(struct nft_batch *batch, const char *chain)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nlmsghdr *message;

	if (!rule)
		out_of_memory();
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, batch->rules->table);
	if (chain)
		nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	message = nft_batch_begin(batch, NFT_MSG_DELRULE, 0);
	nftnl_rule_nlmsg_build_payload(message, rule);
	nft_batch_end(batch);
	nftnl_rule_free(rule);
}

static void name(char buffer[static NFT_NAME_SIZE], const char *base, bool is_part, uint32_t part)
{
	if (is_part)
		snprintf(buffer, NFT_NAME_SIZE, "%s-%u", base, part);
	else
		snprintf(buffer, NFT_NAME_SIZE, "%s", base);
}

/* @networks: of a part, or NULL. */
void nft_rules_set_names(struct rules *rules, const struct address_networks *networks,
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
		name(rules->sets[i], nft_layouts[i].set, rules->is_part, part);
		name(rules->connections[i], nft_layouts[i].connections, rules->is_part, part);
	}
}

/* Returns 0 or a negative errno, with a diagnostic. @networks: of a part, or NULL. */
int nft_rules_new(const char *table, const struct address_networks *networks, uint32_t part,
		  struct diag_list *diags, struct rules **ret)
{
	struct rules *rules = xzalloc(sizeof(*rules));
	int r = netlink_open(NETLINK_NETFILTER, &rules->socket);

	if (r < 0) {
		diag_add(diags, NULL, "can't open a netlink socket for firewall rules: %s",
			 strerror(-r));
		free(rules);
		return r;
	}
	rules->table = xstrdup(table);
	rules->sequence = 1;
	nft_rules_set_names(rules, networks, part);
	*ret = rules;
	return 0;
}

/* Without removing anything. */
void nft_rules_forget(struct rules *rules)
{
	mnl_socket_close(rules->socket);
	free(rules->table);
	free(rules);
}
