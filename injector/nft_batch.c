/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds the messages of a transaction: tables, chains, sets and rules, written by libnftnl,
 * between a batch's begin and end. A netlink batch is atomic (net/netfilter/nfnetlink.c,
 * nfnetlink_rcv_batch).
 */
#include "injector/nft_batch.h"

#include <assert.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "injector/nft_expr.h"

/* Elements per message: a netlink attribute holds at most 64 KiB, and an IPv6 element takes 36
 * bytes. */
#define ELEMENTS_PER_MESSAGE 1024
#define MESSAGE_MAX          (65536 + 4096)

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
			.logs = {"networks4", 13},
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
			.logs = {"networks6", 14},
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

/* Begins a message of this type (NFT_MSG_NEWRULE, …). */
static struct nlmsghdr *begin_message(struct nft_batch *batch, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(room(batch), type, NFPROTO_INET, flags,
				     batch->rules->sequence++);
}

static void end_message(struct nft_batch *batch)
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
	struct nftnl_table *table = ALLOCATED(nftnl_table_alloc());
	struct nlmsghdr *message;

	nftnl_table_set_u32(table, NFTNL_TABLE_FAMILY, NFPROTO_INET);
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, batch->rules->table);
	if (owned)
		nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	batch->table_sequence = batch->rules->sequence;
	message = begin_message(batch, type, flags);
	nftnl_table_nlmsg_build_payload(message, table);
	end_message(batch);
	nftnl_table_free(table);
}

struct nftnl_chain *nft_chain_new(const struct nft_batch *batch, const char *name)
{
	struct nftnl_chain *chain = ALLOCATED(nftnl_chain_alloc());

	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, batch->rules->table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	return chain;
}

void nft_batch_chain(struct nft_batch *batch, uint16_t type, uint16_t flags,
		     struct nftnl_chain *chain)
{
	struct nlmsghdr *message = begin_message(batch, type, flags);

	nftnl_chain_nlmsg_build_payload(message, chain);
	end_message(batch);
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
	struct nftnl_set *set = ALLOCATED(nftnl_set_alloc());

	nftnl_set_set_str(set, NFTNL_SET_TABLE, batch->rules->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	return set;
}

void nft_batch_set(struct nft_batch *batch, uint16_t type, uint16_t flags, struct nftnl_set *set)
{
	struct nlmsghdr *message = begin_message(batch, type, flags);

	if (type == NFT_MSG_NEWSET || type == NFT_MSG_DELSET)
		nftnl_set_nlmsg_build_payload(message, set);
	else
		nftnl_set_elems_nlmsg_build_payload(message, set);
	end_message(batch);
	nftnl_set_free(set);
}

static void set_add_element(struct nftnl_set *set, const struct nft_layout *layout,
			    const struct address *endpoint)
{
	struct nftnl_set_elem *element = ALLOCATED(nftnl_set_elem_alloc());
	uint8_t key[sizeof(endpoint->bytes) + 4] = {0};

	memcpy(key, endpoint->bytes, layout->address_size);
	key[layout->address_size] = (uint8_t)(endpoint->port >> 8);
	key[layout->address_size + 1] = (uint8_t)endpoint->port;
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, layout->address_size + 4);
	nftnl_set_elem_add(set, element);
}

size_t nft_count_endpoints(const struct nft_layout *layout, const struct address *endpoints,
			   size_t n_endpoints)
{
	size_t n = 0;

	for (size_t i = 0; i < n_endpoints; i++)
		n += endpoints[i].family == layout->family;
	return n;
}

void nft_batch_endpoint_set(struct nft_batch *batch, const char *name, uint32_t id,
			    const struct nft_layout *layout, const struct address *endpoints,
			    size_t n_endpoints)
{
	size_t n = nft_count_endpoints(layout, endpoints, n_endpoints), i = 0;
	bool unnamed = strcmp(name, NFT_UNNAMED_SET) == 0;
	struct nftnl_set *set = nft_set_new(batch, name, id);

	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS,
			  NFT_SET_CONSTANT | (unnamed ? NFT_SET_ANONYMOUS : 0));
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, layout->set_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, layout->address_size + 4);
	if (n > 0)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, (uint32_t)n);
	nft_batch_set(batch, NFT_MSG_NEWSET, NLM_F_CREATE, set);
	for (size_t n_sent = 0; n_sent < n; n_sent += ELEMENTS_PER_MESSAGE) {
		size_t in_message = 0;

		set = nft_set_new(batch, name, id);
		for (; i < n_endpoints && in_message < ELEMENTS_PER_MESSAGE; i++) {
			if (endpoints[i].family != layout->family)
				continue;
			set_add_element(set, layout, &endpoints[i]);
			in_message++;
		}
		nft_batch_set(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set);
	}
}

bool nft_batch_endpoints(struct nft_batch *batch, const struct nft_rules_config *config,
			 const struct nft_layout *layout)
{
	size_t n = nft_count_endpoints(layout, config->endpoints, config->n_endpoints);

	if (n > 0 || batch->rules->is_part || batch->rules->outgoing)
		nft_batch_endpoint_set(batch, batch->rules->sets[layout - nft_layouts],
				       layout->set_id, layout, config->endpoints,
				       config->n_endpoints);
	return n > 0;
}

void nft_batch_delete_set(struct nft_batch *batch, const char *name)
{
	/* Delete by name: new sets of the same transaction use the same numbers. */
	struct nftnl_set *set = nft_set_new(batch, name, 0);

	nftnl_set_unset(set, NFTNL_SET_ID);
	nft_batch_set(batch, NFT_MSG_DELSET, 0, set);
}

void nft_batch_verdict_map(struct nft_batch *batch, const char *name, uint32_t id,
			   uint32_t key_type, uint32_t key_length)
{
	struct nftnl_set *set = nft_set_new(batch, name, id);

	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_MAP);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, key_length);
	nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	nft_batch_set(batch, NFT_MSG_NEWSET, NLM_F_CREATE, set);
}

void nft_batch_map(struct nft_batch *batch, const struct nft_layout *layout,
		   const struct nft_map *map)
{
	nft_batch_verdict_map(batch, map->name, map->id, layout->network_type,
			      layout->address_size);
}

void nft_batch_map_entry(struct nft_batch *batch, uint16_t type, const struct nft_layout *layout,
			 const struct nft_map *map, const struct address_networks *networks,
			 uint32_t verdict, const char *chain)
{
	struct nftnl_set *set = nft_set_new(batch, map->name, map->id);
	struct nftnl_set_elem *element = ALLOCATED(nftnl_set_elem_alloc());
	uint8_t key[16] = {0};

	memcpy(key, layout->family == AF_INET ? networks->ipv4 : networks->ipv6,
	       layout->prefix_size);
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, layout->address_size);
	if (type == NFT_MSG_NEWSETELEM) {
		nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, verdict);
		nftnl_set_elem_set_str(element, NFTNL_SET_ELEM_CHAIN, chain);
	}
	nftnl_set_elem_add(set, element);
	nft_batch_set(batch, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0, set);
}

void nft_batch_dispatch(struct nft_batch *batch, const char *chain, uint8_t protocol,
			const struct nft_layout *layout, const struct nft_map *map, bool source)
{
	struct nftnl_rule *rule = nft_rule_new(batch, chain);
	uint8_t mask[16] = {0};

	memset(mask, 0xff, layout->prefix_size);
	nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto, sizeof(layout->nfproto));
	if (protocol)
		nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	nft_expr_load(rule, NFT_PAYLOAD_NETWORK_HEADER,
		      source ? layout->source_offset : layout->destination_offset,
		      layout->address_size, NFT_REG_1);
	nft_expr_mask(rule, mask, layout->address_size);
	nft_expr_lookup(rule, map->name, map->id, NFT_REG_1, true);
	nft_batch_rule(batch, rule);
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
	struct nftnl_rule *rule = ALLOCATED(nftnl_rule_alloc());

	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, batch->rules->table);
	if (chain)
		nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	return rule;
}

void nft_batch_rule(struct nft_batch *batch, struct nftnl_rule *rule)
{
	struct nlmsghdr *message;

	note_rule(batch->rules, nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));
	message = begin_message(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nftnl_rule_nlmsg_build_payload(message, rule);
	end_message(batch);
	nftnl_rule_free(rule);
}

void nft_batch_jump(struct nft_batch *batch, const char *from, const char *to)
{
	struct nftnl_rule *rule = nft_rule_new(batch, from);

	nft_expr_to_chain(rule, (uint32_t)NFT_JUMP, to);
	nft_batch_rule(batch, rule);
}

void nft_batch_delete_rules(struct nft_batch *batch, const char *chain)
{
	struct nftnl_rule *rule = nft_rule_new(batch, chain);
	struct nlmsghdr *message = begin_message(batch, NFT_MSG_DELRULE, 0);

	nftnl_rule_nlmsg_build_payload(message, rule);
	end_message(batch);
	nftnl_rule_free(rule);
}

static void name(char buffer[static NFT_NAME_SIZE], const char *base, bool is_part, uint32_t part)
{
	if (is_part)
		snprintf(buffer, NFT_NAME_SIZE, "%s-%u", base, part);
	else
		snprintf(buffer, NFT_NAME_SIZE, "%s", base);
}

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
	/* in a table of its own, before the first rule of the queue */
	name(rules->flows, rules->is_part ? CHAIN_FLOWS : CHAIN_QUEUE, rules->is_part, part);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		name(rules->sets[i], nft_layouts[i].set, rules->is_part, part);
		name(rules->connections[i], nft_layouts[i].connections, rules->is_part, part);
	}
}

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

void nft_rules_forget(struct rules *rules)
{
	mnl_socket_close(rules->socket);
	free(rules->table);
	free(rules);
}

int nft_install_error(const struct nft_batch *batch, const struct nft_rules_config *config, int r,
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
		diag_hint(diags, "synfault needs CAP_NET_ADMIN in the network namespace");
		return r;
	}
	if (r == -EEXIST && batch->failed_sequence == batch->table_sequence) {
		diag_add(diags, NULL, "the nftables table inet %s already exists", config->table);
		return r;
	}
	diag_add(diags, NULL, "can't install the firewall rules: %s", strerror(-r));
	return r;
}
