/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the kernel about installed rules: their counters, and whether they still exist. */
#include "injector/nft_batch.h"

#include <errno.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>

struct packet_count {
	uint64_t packets;
	bool found; /* there is a rule with a counter */
};

static void reset_count(void *userdata)
{
	*(struct packet_count *)userdata = (struct packet_count){0};
}

static int count_rule(const struct nlmsghdr *message, void *data)
{
	struct packet_count *count = data;
	struct nftnl_rule *rule = ALLOCATED(nftnl_rule_alloc());
	struct nftnl_expr_iter *iter;
	struct nftnl_expr *expr;

	if (nftnl_rule_nlmsg_parse(message, rule) < 0) {
		nftnl_rule_free(rule);
		return MNL_CB_ERROR;
	}
	iter = ALLOCATED(nftnl_expr_iter_create(rule));
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

/* Lists a chain's rules, as netlink_dump() does. */
static int dump_chain(struct rules *rules, const char *chain, void (*reset)(void *data),
		      mnl_cb_t take, void *data)
{
	char buffer[1024];
	struct nftnl_rule *filter = ALLOCATED(nftnl_rule_alloc());
	struct nlmsghdr *message;

	nftnl_rule_set_u32(filter, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(filter, NFTNL_RULE_TABLE, rules->table);
	nftnl_rule_set_str(filter, NFTNL_RULE_CHAIN, chain);
	message = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE, NFPROTO_INET, NLM_F_DUMP,
					rules->sequence++);
	nftnl_rule_nlmsg_build_payload(message, filter);
	nftnl_rule_free(filter);
	return netlink_dump(rules->socket, message, reset, take, data);
}

/* Adds up the counters of a chain's rules. */
static int count_chain(struct rules *rules, const char *chain, uint64_t *ret_packets)
{
	struct packet_count count = {0};
	int r = dump_chain(rules, chain, reset_count, count_rule, &count);

	if (r < 0)
		return r;
	if (!count.found)
		return -ENOENT;
	*ret_packets = count.packets;
	return 0;
}

/* Adds up the counters of a chain and of its counterpart in the output hook, if any. */
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
	/* for remote endpoints, the output hook's chain counts these */
	if (rules->follows && !rules->outgoing)
		chains[n++] = rules->inject;
	/* in a table of its own, the first chain counts these */
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

int nft_rules_count_rejected(struct rules *rules, uint64_t *ret_packets)
{
	if (!rules->follows) {
		*ret_packets = 0;
		return 0;
	}
	return count_chain(rules, rules->reject, ret_packets);
}

/* ---- verifying ---- */

static void reset_number(void *userdata)
{
	*(uint32_t *)userdata = 0;
}

static int count_message(const struct nlmsghdr *message, void *data)
{
	uint32_t *n = data;

	(void)message;
	(*n)++;
	return MNL_CB_OK;
}

int nft_verify_chain(struct rules *rules, const struct nft_chain_rules *expected)
{
	uint32_t n = 0;
	int r = dump_chain(rules, expected->name, reset_number, count_message, &n);

	return r < 0 ? r : n == expected->n ? 0 : -ENOENT;
}

/* ---- listing parts and tables ---- */

struct part_listing {
	const char *table; /* name, or prefix of names */
	bool outgoing;     /* list such tables rather than parts of a common one */
	void (*on_part)(void *userdata, uint32_t part);
	void *userdata;
};

/* Reads the number at the end of a name, after @prefix. Returns false if there is none. */
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
	struct nftnl_chain *chain = ALLOCATED(nftnl_chain_alloc());
	const char *table, *chain_name;
	uint32_t part;

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

static void no_reset(void *userdata)
{
	/* a part may be listed more than once */
	(void)userdata;
}

static int list(struct part_listing *listing)
{
	struct mnl_socket *socket;
	struct nlmsghdr *message;
	char buffer[1024];
	int r = netlink_open(NETLINK_NETFILTER, &socket);

	if (r < 0)
		return r;
	message = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETCHAIN, NFPROTO_INET, NLM_F_DUMP, 1);
	r = netlink_dump(socket, message, no_reset, list_chain, listing);
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
