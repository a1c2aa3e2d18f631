/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds a common table of several injectors, and their parts: see nft_rules.h. Maps lead from a
 * packet's network to the chains of its part.
 */
#include "injector/nft_batch.h"

#include <errno.h>
#include <linux/netfilter.h>

#include "injector/nft_expr.h"

/* queue, answer, and those that follow connections */
#define N_PART_CHAINS 6

static void build_common(struct nft_batch *batch)
{
	nft_batch_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, false);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		nft_batch_map(batch, &nft_layouts[i], &nft_layouts[i].queues);
		nft_batch_map(batch, &nft_layouts[i], &nft_layouts[i].answers);
		nft_batch_map(batch, &nft_layouts[i], &nft_layouts[i].flows);
		nft_batch_map(batch, &nft_layouts[i], &nft_layouts[i].injects);
	}
	nft_batch_base_chain(batch, CHAIN_QUEUE, NF_INET_LOCAL_IN, CHAIN_QUEUE_PRIORITY);
	nft_batch_base_chain(batch, CHAIN_ANSWER, NF_INET_LOCAL_IN, CHAIN_ANSWER_PRIORITY);
	nft_batch_base_chain(batch, CHAIN_INJECT, NF_INET_LOCAL_OUT, CHAIN_QUEUE_PRIORITY);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		const struct nft_layout *layout = &nft_layouts[i];

		nft_batch_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->flows, false);
		nft_batch_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->flows, true);
	}
	nft_batch_shortcut(batch, CHAIN_QUEUE);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		const struct nft_layout *layout = &nft_layouts[i];

		nft_batch_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->queues, false);
		nft_batch_dispatch(batch, CHAIN_QUEUE, IPPROTO_TCP, layout, &layout->queues, true);
		nft_batch_dispatch(batch, CHAIN_ANSWER, IPPROTO_TCP, layout, &layout->answers,
				   false);
		nft_batch_dispatch(batch, CHAIN_INJECT, IPPROTO_UDP, layout, &layout->injects,
				   false);
	}
}

static void add_entry(struct nft_batch *batch, uint16_t type, const struct nft_layout *layout,
		      const struct nft_map *map, const char *chain)
{
	nft_batch_map_entry(batch, type, layout, map, &batch->rules->networks, (uint32_t)NFT_JUMP,
			    chain);
}

static void add_entries(struct nft_batch *batch, uint16_t type)
{
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		add_entry(batch, type, &nft_layouts[i], &nft_layouts[i].queues,
			  batch->rules->queue);
		add_entry(batch, type, &nft_layouts[i], &nft_layouts[i].answers,
			  batch->rules->answer);
		add_entry(batch, type, &nft_layouts[i], &nft_layouts[i].flows, batch->rules->flows);
		add_entry(batch, type, &nft_layouts[i], &nft_layouts[i].injects,
			  batch->rules->inject);
	}
}

/* The chains of a part, in an order in which they can be deleted. */
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

void nft_common_build_removal(struct nft_batch *batch)
{
	const struct rules *rules = batch->rules;
	const char *chains[N_PART_CHAINS];

	part_chains(rules, chains);
	add_entries(batch, NFT_MSG_DELSETELEM);
	/* The chain that follows connections refers to the map, and the map to the other chains. */
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
	/* It is always made in one transaction, so if the table exists, all of it does. */
	if (r == -EEXIST && batch.failed_sequence == batch.table_sequence)
		r = 0;
	else if (r < 0)
		r = nft_install_error(&batch, &config, r, diags);
	nft_rules_forget(rules);
	return r;
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

/* ---- verifying ---- */

/* the chains that build_common() makes */
static const struct nft_chain_rules common_chains[] = {
	{CHAIN_QUEUE, 4 * N_LAYOUTS + 1}, {CHAIN_ANSWER, N_LAYOUTS}, {CHAIN_INJECT, N_LAYOUTS}};

/* Requests the part's entry of a map. Returns 0 or a negative errno. */
static int verify_entry(struct rules *rules, const struct nft_layout *layout,
			const struct nft_map *map)
{
	struct nft_batch batch = {.rules = rules};
	char answer[4096];
	int r;

	add_entry(&batch, NFT_MSG_GETSETELEM, layout, map, NULL);
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
			r = verify_entry(rules, layout, maps[k]);
	}
	return r;
}
