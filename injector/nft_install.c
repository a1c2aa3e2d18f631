/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Installs an injector's rules in one transaction, and removes them: see nft_rules.h. A table of
 * its own is built here, a part of a common one in nft_common.c, and a table for remote endpoints
 * in nft_remote.c. Endpoints are in one constant set per family, keyed by address and port
 * together, so that any number of them costs one lookup.
 */
#include "injector/nft_batch.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <unistd.h>

#include "injector/fwmark.h"
#include "injector/nft_expr.h"

/*
 * Accepts a packet with a mark that got no answer: it must not come to the queue again, or it would
 * circle for ever. The count of answers reveals it (injector_audit.c, compare_refused()).
 */
static void add_end_of_answers(struct nft_batch *batch, const struct nft_rules_config *config)
{
	struct nftnl_rule *rule = nft_rule_new(batch, CHAIN_ANSWER);

	nft_expr_match_mark(rule, FWMARK_COMMON, config->refuse_mark);
	nft_expr_verdict(rule, NF_DROP);
	nft_batch_rule(batch, rule);
}

static void build_table(struct nft_batch *batch, const struct nft_rules_config *config, bool owned)
{
	bool used[N_LAYOUTS];

	nft_batch_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, owned);
	for (size_t i = 0; i < N_LAYOUTS; i++)
		used[i] = nft_batch_endpoints(batch, config, &nft_layouts[i]);
	nft_batch_base_chain(batch, CHAIN_QUEUE, NF_INET_LOCAL_IN, CHAIN_QUEUE_PRIORITY);
	if (config->repeats)
		nft_batch_plain_chain(batch, CHAIN_ANSWER);
	else
		nft_batch_base_chain(batch, CHAIN_ANSWER, NF_INET_LOCAL_IN, CHAIN_ANSWER_PRIORITY);
	batch->queue_first = batch->rules->sequence;
	if (config->follows) {
		for (size_t i = 0; i < N_LAYOUTS; i++)
			if (used[i])
				nft_batch_connections(batch, &nft_layouts[i]);
		nft_batch_plain_chain(batch, batch->rules->track);
		nft_batch_plain_chain(batch, batch->rules->reject);
		nft_batch_base_chain(batch, CHAIN_INJECT, NF_INET_LOCAL_OUT, CHAIN_QUEUE_PRIORITY);
		nft_batch_flow_rules(batch, config, used);
	}
	nft_batch_end_rules(batch, CHAIN_QUEUE, config, used);
	nft_batch_shortcut(batch, CHAIN_QUEUE);
	if (config->repeats)
		nft_batch_jump(batch, CHAIN_QUEUE, CHAIN_ANSWER);
	nft_batch_input_rules(batch, config, used);
	if (config->repeats)
		add_end_of_answers(batch, config);
}

void nft_rules_build(struct nft_batch *batch, const struct nft_rules_config *config, bool owned,
		     bool replace)
{
	batch->rules->n_chains = 0;
	if (replace && config->networks)
		nft_common_build_removal(batch);
	if (config->outgoing)
		nft_remote_build(batch, config, replace);
	else if (config->networks)
		nft_common_build_part(batch, config);
	else
		build_table(batch, config, owned);
}

/*
 * Returns the form to try first; both work equally well. With modules, the kernels of nearly all
 * distributions have the native one. A kernel without modules, such as that of a small virtual
 * machine, is more likely to have been built with the targets of iptables.
 */
static enum nft_rules_queue_form more_likely_form(void)
{
	return access("/proc/modules", F_OK) == 0 ? NFT_RULES_QUEUE_NATIVE : NFT_RULES_QUEUE_COMPAT;
}

int nft_rules_install(const struct nft_rules_config *config, struct diag_list *diags,
		      struct rules **ret)
{
	struct rules *rules;
	bool owned = config->owned, replace = false, is_last = config->form != NFT_RULES_QUEUE_ANY;
	int r;

	r = nft_rules_new(config->table, config->networks, config->part, diags, &rules);
	if (r < 0)
		return r;
	rules->follows = config->follows;
	rules->ends = config->ends;
	rules->outgoing = config->outgoing;
	rules->form = is_last ? config->form : more_likely_form();
	for (;;) {
		struct nft_batch batch;

		nft_batch_init(&batch, rules);
		nft_rules_build(&batch, config, owned, replace);
		r = nft_batch_commit(&batch);
		if (r == 0) {
			*ret = rules;
			return 0;
		}
		if (r == -ENOENT && !is_last) {
			is_last = true;
			rules->form = rules->form == NFT_RULES_QUEUE_NATIVE
					      ? NFT_RULES_QUEUE_COMPAT
					      : NFT_RULES_QUEUE_NATIVE;
			continue;
		}
		/*
		 * An earlier injector left its part, which no process uses any more. Replace it in
		 * one transaction, so that no SYN gets past. EBUSY comes from its sets.
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
		r = nft_install_error(&batch, config, r, diags);
		break;
	}
	nft_rules_forget(rules);
	return r;
}

enum nft_rules_queue_form nft_rules_queue_form(const struct rules *rules)
{
	return rules->form;
}

/* ---- connections that are followed ---- */

/* Adds an element for packets from one end of a connection to the other. */
static void set_add_direction(struct nftnl_set *set, const struct nft_batch *batch,
			      const struct address *from, const struct address *to,
			      const enum flow_handling *handling)
{
	const struct nft_layout *layout =
		&nft_layouts[from->family == AF_INET ? LAYOUT_IPV4 : LAYOUT_IPV6];
	const struct address *ends[] = {from, to};
	struct nftnl_set_elem *element = ALLOCATED(nftnl_set_elem_alloc());
	uint8_t key[2 * (sizeof(from->bytes) + 4)] = {0};

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
static void add_connection(struct nft_batch *batch, uint16_t type, const struct address *client,
			   const struct address *server, enum flow_handling handling)
{
	size_t index = client->family == AF_INET ? LAYOUT_IPV4 : LAYOUT_IPV6;
	struct nftnl_set *set = nft_set_new(batch, batch->rules->connections[index],
					    nft_layouts[index].connections_id);
	const enum flow_handling *kept = type == NFT_MSG_NEWSETELEM ? &handling : NULL;

	set_add_direction(set, batch, client, server, kept);
	set_add_direction(set, batch, server, client, kept);
	nft_batch_set(batch, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, set);
}

int nft_rules_follow(struct rules *rules, const struct address *client,
		     const struct address *server, enum flow_handling handling)
{
	int r = -EEXIST;

	/* the second time after removing an earlier connection with the same port */
	for (int attempt = 0; attempt < 2 && (r == -EEXIST || r == -EBUSY); attempt++) {
		struct nft_batch batch;

		nft_batch_init(&batch, rules);
		if (attempt > 0)
			add_connection(&batch, NFT_MSG_DELSETELEM, client, server, handling);
		add_connection(&batch, NFT_MSG_NEWSETELEM, client, server, handling);
		r = nft_batch_commit(&batch);
	}
	return r;
}

int nft_rules_unfollow(struct rules *rules, const struct address *client,
		       const struct address *server)
{
	struct nft_batch batch;

	nft_batch_init(&batch, rules);
	add_connection(&batch, NFT_MSG_DELSETELEM, client, server, FLOW_UNTOUCHED);
	return nft_batch_commit(&batch);
}

/* ---- the end ---- */

static int uninstall(struct rules *rules)
{
	struct nft_batch batch;

	nft_batch_init(&batch, rules);
	if (rules->is_part)
		nft_common_build_removal(&batch);
	else if (rules->outgoing)
		nft_remote_build_removal(&batch);
	else
		nft_batch_table(&batch, NFT_MSG_DELTABLE, 0, false);
	return nft_batch_commit(&batch);
}

/* Removes a table, or a part of a common one. */
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

int nft_rules_remove_part(const char *table, uint32_t part, const struct address_networks *networks)
{
	return remove_rules(table, networks, part);
}

void nft_rules_free(struct rules *rules)
{
	if (!rules)
		return;
	/* An error can't be helped: the table is already gone, or stays. */
	(void)uninstall(rules);
	nft_rules_forget(rules);
}

void nft_rules_leave(struct rules *rules)
{
	if (rules)
		nft_rules_forget(rules);
}

int nft_rules_remove_tables(const char *const *tables, size_t n_tables)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct nft_batch batch;
	struct rules *rules;
	int r = n_tables ? nft_rules_new(tables[0], NULL, 0, &diags, &rules) : 0;

	if (r < 0 || !n_tables)
		return r;
	nft_batch_init(&batch, rules);
	for (size_t i = 0; i < n_tables; i++) {
		free(rules->table);
		rules->table = xstrdup(tables[i]);
		nft_batch_table(&batch, NFT_MSG_DELTABLE, 0, false);
	}
	r = nft_batch_commit(&batch);
	nft_rules_forget(rules);
	return r;
}

int nft_rules_verify(struct rules *rules)
{
	int r = 0;

	for (size_t i = 0; !r && i < rules->n_chains; i++)
		r = nft_verify_chain(rules, &rules->chains[i]);
	return r || !rules->is_part ? r : nft_common_verify(rules);
}
