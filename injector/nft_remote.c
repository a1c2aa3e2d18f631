/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds the table for remote endpoints, on this host or another: see nft_rules.h. Its base chains
 * stay, so that no packet that waits in another queue is dropped; rules and sets come and go.
 */
#include "injector/nft_batch.h"

#include <linux/netfilter.h>

#include "injector/fwmark.h"
#include "injector/nft_expr.h"

/* The table has sets for both families, even if they are empty. */
static const bool both[N_LAYOUTS] = {true, true};

static const char *const chains_with_rules[] = {CHAIN_QUEUE,      CHAIN_ANSWER, CHAIN_QUEUE_OUT,
						CHAIN_ANSWER_OUT, CHAIN_TRACK,  CHAIN_REJECT};
/* The table's chains without a hook. */
static const char *const plain_chains[] = {
	CHAIN_TRACK,           CHAIN_REJECT,           NFT_RULES_CAPTURE_IN,
	NFT_RULES_CAPTURE_OUT, NFT_RULES_CAPTURE_SENT, NFT_RULES_CAPTURE_LOG,
};

/* Adds rules for what must not be queued: packets to this host, which the input hook sees, and our
 * own copies.
 */
static void add_exceptions(struct nft_batch *batch, uint32_t refuse_mark)
{
	/* lo is the first interface of each network namespace (drivers/net/loopback.c). */
	const uint32_t loopback = 1;
	struct nftnl_rule *rule = nft_rule_new(batch, CHAIN_QUEUE_OUT);

	nft_expr_match_meta(rule, NFT_META_OIF, &loopback, sizeof(loopback));
	nft_expr_verdict(rule, NF_ACCEPT);
	nft_batch_rule(batch, rule);
	rule = nft_rule_new(batch, CHAIN_QUEUE_OUT);
	nft_expr_match_mark(rule, FWMARK_COMMON, refuse_mark);
	nft_expr_verdict(rule, NF_ACCEPT);
	nft_batch_rule(batch, rule);
}

/* Adds the rules of the output hook: those of the input hook, in other chains. */
static void add_output_rules(struct nft_batch *batch, const struct nft_rules_config *config)
{
	/* must precede the first rule that queues packets without SYN */
	bool early = config->follows || config->ends;

	if (config->follows)
		nft_batch_queue_all(batch, CHAIN_QUEUE_OUT, true, config);
	if (early)
		add_exceptions(batch, config->refuse_mark);
	for (size_t i = 0; config->follows && i < N_LAYOUTS; i++)
		nft_batch_flow_rule(batch, CHAIN_QUEUE_OUT, &nft_layouts[i]);
	nft_batch_end_rules(batch, CHAIN_QUEUE_OUT, config, both);
	nft_batch_shortcut(batch, CHAIN_QUEUE_OUT);
	if (!early)
		add_exceptions(batch, config->refuse_mark);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		nft_batch_queue_rule(batch, CHAIN_QUEUE_OUT, config, &nft_layouts[i], false);
		nft_batch_answer_rules(batch, CHAIN_ANSWER_OUT, config, &nft_layouts[i]);
	}
}

static void delete_sets(struct nft_batch *batch)
{
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		nft_batch_delete_set(batch, nft_layouts[i].set);
		nft_batch_delete_set(batch, nft_layouts[i].connections);
	}
}

void nft_remote_build_removal(struct nft_batch *batch)
{
	nft_batch_delete_rules(batch, NULL);
	delete_sets(batch);
}

/* Adds the table with empty base chains. Existing ones stay as they are. */
static void build_empty(struct nft_batch *batch)
{
	nft_batch_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, false);
	nft_batch_base_chain(batch, CHAIN_QUEUE, NF_INET_LOCAL_IN, CHAIN_QUEUE_PRIORITY);
	nft_batch_base_chain(batch, CHAIN_ANSWER, NF_INET_LOCAL_IN, CHAIN_ANSWER_PRIORITY);
	nft_batch_base_chain(batch, CHAIN_QUEUE_OUT, NF_INET_LOCAL_OUT, CHAIN_QUEUE_PRIORITY);
	nft_batch_base_chain(batch, CHAIN_ANSWER_OUT, NF_INET_LOCAL_OUT, CHAIN_ANSWER_PRIORITY);
	for (size_t i = 0; i < ARRAY_SIZE(plain_chains); i++)
		nft_batch_chain(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE,
				nft_chain_new(batch, plain_chains[i]));
}

void nft_remote_build(struct nft_batch *batch, const struct nft_rules_config *config, bool replace)
{
	build_empty(batch);
	if (replace) {
		for (size_t i = 0; i < ARRAY_SIZE(chains_with_rules); i++)
			nft_batch_delete_rules(batch, chains_with_rules[i]);
		delete_sets(batch);
	}
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		(void)nft_batch_endpoints(batch, config, &nft_layouts[i]);
		nft_batch_connections(batch, &nft_layouts[i]);
	}
	nft_batch_jump(batch, CHAIN_QUEUE, NFT_RULES_CAPTURE_IN);
	nft_batch_jump(batch, CHAIN_QUEUE_OUT, NFT_RULES_CAPTURE_OUT);
	nft_batch_jump(batch, CHAIN_ANSWER_OUT, NFT_RULES_CAPTURE_SENT);
	batch->queue_first = batch->rules->sequence;
	add_output_rules(batch, config);
	if (config->follows)
		nft_batch_flow_rules(batch, config, both);
	nft_batch_end_rules(batch, CHAIN_QUEUE, config, both);
	nft_batch_shortcut(batch, CHAIN_QUEUE);
	nft_batch_input_rules(batch, config, both);
}

int nft_rules_create_outgoing(const char *table)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct nft_batch batch;
	struct rules *rules;
	int r = nft_rules_new(table, NULL, 0, &diags, &rules);

	if (r < 0)
		return r;
	nft_batch_init(&batch, rules);
	build_empty(&batch);
	r = nft_batch_commit(&batch);
	nft_rules_forget(rules);
	return r;
}

static void reset_found(void *userdata)
{
	*(bool *)userdata = false;
}

static int note_set(const struct nlmsghdr *message, void *data)
{
	bool *found = data;

	(void)message;
	*found = true;
	return MNL_CB_OK;
}

/* Returns whether a table has sets. Every table with rules does. */
static bool has_sets(struct rules *rules)
{
	char buffer[1024];
	struct nftnl_set *filter = ALLOCATED(nftnl_set_alloc());
	struct nlmsghdr *message;
	bool found = false;

	nftnl_set_set_str(filter, NFTNL_SET_TABLE, rules->table);
	message = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSET, NFPROTO_INET, NLM_F_DUMP,
					rules->sequence++);
	nftnl_set_nlmsg_build_payload(message, filter);
	nftnl_set_free(filter);
	return netlink_dump(rules->socket, message, reset_found, note_set, &found) == 0 && found;
}

int nft_rules_flush_outgoing(const char *table)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct nft_batch batch;
	struct rules *rules;
	int r = nft_rules_new(table, NULL, 0, &diags, &rules);

	if (r < 0)
		return r;
	/* A transaction that finds nothing to remove takes as long to abort as one that removes. */
	if (has_sets(rules)) {
		nft_batch_init(&batch, rules);
		nft_remote_build_removal(&batch);
		r = nft_batch_commit(&batch);
	}
	nft_rules_forget(rules);
	return r;
}
