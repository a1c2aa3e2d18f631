/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A common table of several injectors, and their parts: see nft_rules.h. Maps lead from the network
 * of a packet to the chains of its part.
 */
#include "injector/nft_batch.h"

#include <errno.h>
#include <linux/netfilter.h>

#include "injector/nft_expr.h"

/* queue, answer, and what follows connections */
#define N_PART_CHAINS 6

static void add_map(struct nft_batch *batch, const struct nft_layout *layout,
		    const struct nft_map *map)
{
	struct nftnl_set *set = nft_set_new(batch, map->name, map->id);
	struct nlmsghdr *message;

	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_MAP);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, layout->network_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, layout->address_size);
	nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	message = nft_batch_begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_nlmsg_build_payload(message, set);
	nft_batch_end(batch);
	nftnl_set_free(set);
}

/* Packets from or to a network that is in the map get its verdict. */
static void add_dispatch(struct nft_batch *batch, const char *chain, uint8_t protocol,
			 const struct nft_layout *layout, const struct nft_map *map, bool source)
{
	struct nftnl_rule *rule = nft_rule_new(batch, chain);
	uint8_t mask[16] = {0};

	memset(mask, 0xff, layout->prefix_size);
	nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto, sizeof(layout->nfproto));
	nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	nft_expr_load(rule, NFT_PAYLOAD_NETWORK_HEADER,
		      source ? layout->source_offset : layout->destination_offset,
		      layout->address_size, NFT_REG_1);
	nft_expr_mask(rule, mask, layout->address_size);
	nft_expr_lookup(rule, map->name, map->id, NFT_REG_1, true);
	nft_batch_rule(batch, rule);
}

static void build_common(struct nft_batch *batch)
{
	nft_batch_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, false);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		add_map(batch, &nft_layouts[i], &nft_layouts[i].queues);
		add_map(batch, &nft_layouts[i], &nft_layouts[i].answers);
		add_map(batch, &nft_layouts[i], &nft_layouts[i].flows);
		add_map(batch, &nft_layouts[i], &nft_layouts[i].injects);
	}
	nft_batch_base_chain(batch, CHAIN_QUEUE, NF_INET_LOCAL_IN, CHAIN_QUEUE_PRIORITY);
	nft_batch_base_chain(batch, CHAIN_ANSWER, NF_INET_LOCAL_IN, CHAIN_ANSWER_PRIORITY);
	nft_batch_base_chain(batch, CHAIN_INJECT, NF_INET_LOCAL_OUT, CHAIN_QUEUE_PRIORITY);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		const struct nft_layout *layout = &nft_layouts[i];

		add_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->flows, false);
		add_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->flows, true);
	}
	nft_batch_shortcut(batch, CHAIN_QUEUE);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		const struct nft_layout *layout = &nft_layouts[i];

		add_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->queues, false);
		add_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->queues, true);
		add_dispatch(batch, CHAIN_ANSWER, IPPROTO_TCP, layout, &layout->answers, false);
		add_dispatch(batch, CHAIN_INJECT, IPPROTO_UDP, layout, &layout->injects, false);
	}
}

/* The part's network as an element of a map; @type adds it, deletes it, or asks for it. */
static void add_entry(struct nft_batch *batch, uint16_t type, size_t index,
		      const struct nft_map *map, const char *chain)
{
	const struct nft_layout *layout = &nft_layouts[index];
	const struct address_networks *networks = &batch->rules->networks;
	struct nftnl_set *set = nft_set_new(batch, map->name, map->id);
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
	message = nft_batch_begin(batch, type,
				  type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0);
	nftnl_set_elems_nlmsg_build_payload(message, set);
	nft_batch_end(batch);
	nftnl_set_free(set);
}

static void add_entries(struct nft_batch *batch, uint16_t type)
{
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		add_entry(batch, type, i, &nft_layouts[i].queues, batch->rules->queue);
		add_entry(batch, type, i, &nft_layouts[i].answers, batch->rules->answer);
		add_entry(batch, type, i, &nft_layouts[i].flows, batch->rules->flows);
		add_entry(batch, type, i, &nft_layouts[i].injects, batch->rules->inject);
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

void nft_common_build_part(struct nft_batch *batch, const struct nft_rules_config *config)
{
	const char *chains[N_PART_CHAINS];
	bool used[N_LAYOUTS];

	for (size_t i = 0; i < N_LAYOUTS; i++)
		used[i] = nft_batch_endpoints(batch, config, &nft_layouts[i]);
	part_chains(batch->rules, chains);
	for (size_t i = 0; i < N_PART_CHAINS; i++)
		nft_batch_chain(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL,
				nft_chain_new(batch, chains[i]));
	for (size_t i = 0; i < N_LAYOUTS; i++)
		nft_batch_connections(batch, &nft_layouts[i]);
	batch->queue_first = batch->rules->sequence;
	if (config->follows)
		nft_batch_flow_rules(batch, config, used);
	nft_batch_end_rules(batch, batch->rules->flows, config, used);
	nft_batch_input_rules(batch, config, used);
	add_entries(batch, NFT_MSG_NEWSETELEM);
}

/*
 * In the order in which nothing refers to what is deleted; a chain's rules go with it.
 */
void nft_common_build_removal(struct nft_batch *batch)
{
	const struct rules *rules = batch->rules;
	const char *chains[N_PART_CHAINS];

	part_chains(rules, chains);
	add_entries(batch, NFT_MSG_DELSETELEM);
	/* what follows connections refers to the map, and that to the chains after it */
	nft_batch_chain(batch, NFT_MSG_DELCHAIN, 0, nft_chain_new(batch, chains[0]));
	for (size_t i = 0; i < N_LAYOUTS; i++)
		nft_batch_delete_set(batch, rules->connections[i]);
	for (size_t i = 1; i < N_PART_CHAINS; i++)
		nft_batch_chain(batch, NFT_MSG_DELCHAIN, 0, nft_chain_new(batch, chains[i]));
	for (size_t i = 0; i < N_LAYOUTS; i++)
		nft_batch_delete_set(batch, rules->sets[i]);
}

int nft_rules_create_common(const char *table, struct diag_list *diags)
{
	const struct nft_rules_config config = {.table = table};
	struct nft_batch batch;
	struct rules *rules;
	int r = nft_rules_new(table, NULL, 0, diags, &rules);

	if (r < 0)
		return r;
	nft_batch_init(&batch, rules);
	build_common(&batch);
	r = nft_batch_commit(&batch);
	/* Made as a whole, it is there as a whole. */
	if (r == -EEXIST && batch.failed_sequence == batch.table_sequence)
		r = 0;
	else if (r < 0)
		r = nft_install_error(&batch, &config, r, diags);
	nft_rules_forget(rules);
	return r;
}

/* Removes a table, or a part of a common one. */
static int remove_rules(const char *table, const struct address_networks *networks, uint32_t part)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct rules *rules;
	int r = nft_rules_new(table, networks, part, &diags, &rules);

	if (r < 0)
		return r;
	r = nft_rules_uninstall(rules);
	nft_rules_forget(rules);
	return r;
}

int nft_rules_remove_common(const char *table)
{
	return remove_rules(table, NULL, 0);
}

int nft_rules_remove_part(const char *table, uint32_t part, const struct address_networks *networks)
{
	return remove_rules(table, networks, part);
}

int nft_rules_remove_parts(const char *table, const struct nft_rules_part *parts, size_t n_parts)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct nft_batch batch;
	struct rules *rules;
	int r = n_parts ? nft_rules_new(table, NULL, 0, &diags, &rules) : 0;

	if (r < 0 || !n_parts)
		return r;
	nft_batch_init(&batch, rules);
	for (size_t i = 0; i < n_parts; i++) {
		nft_rules_set_names(rules, &parts[i].networks, parts[i].part);
		nft_common_build_removal(&batch);
	}
	r = nft_batch_commit(&batch);
	nft_rules_forget(rules);
	return r;
}

/* ---- whether all of it is still there ---- */

/* as build_common() makes them */
static const struct nft_chain_rules common_chains[] = {
	{CHAIN_QUEUE, 4 * N_LAYOUTS + 1}, {CHAIN_ANSWER, N_LAYOUTS}, {CHAIN_INJECT, N_LAYOUTS}};

/* Asks for the part's element of a map. Returns 0 or a negative errno. */
static int verify_entry(struct rules *rules, size_t index, const struct nft_map *map)
{
	struct nft_batch batch = {.rules = rules};
	char answer[4096];
	int r;

	add_entry(&batch, NFT_MSG_GETSETELEM, index, map, NULL);
	r = netlink_ask(rules->socket, (const struct nlmsghdr *)batch.messages.data, answer,
			sizeof(answer));
	netlink_batch_deinit(&batch.messages);
	return MIN(r, 0);
}

int nft_common_verify(struct rules *rules)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(common_chains); i++)
		r = nft_verify_chain(rules, &common_chains[i]);
	for (size_t i = 0; !r && i < N_LAYOUTS; i++) {
		const struct nft_layout *layout = &nft_layouts[i];
		const struct nft_map *maps[] = {&layout->queues, &layout->answers, &layout->flows,
						&layout->injects};

		for (size_t k = 0; !r && k < ARRAY_SIZE(maps); k++)
			r = verify_entry(rules, i, maps[k]);
	}
	return r;
}
