/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds the rules that log packets, and commits them in one transaction: see nflog_rules.h. After
 * a rule that logs, a packet leaves the chain, so that none is logged twice.
 */
#include "injector/nflog_rules.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <netinet/icmp6.h>

#include "injector/fwmark.h"
#include "injector/nft_batch.h"
#include "injector/nft_expr.h"
#include "injector/packet.h"

#define CHAIN_INPUT    "input"
#define CHAIN_PART     "log-"
#define CHAIN_PRIORITY (-300) /* raw: before connection tracking, and before the injector's */
#define ICMP_HEADER    8      /* of errors: RFC 792, RFC 4443 */
/* The flags of packets that begin or end a connection. */
#define CONTROL_FLAGS (TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST)

/* lo is the first interface of each network namespace (drivers/net/loopback.c). */
static const uint32_t loopback = 1;

/* ---- rules ---- */

static struct nftnl_rule *rule_begin(const struct nft_batch *batch, const char *chain,
				     uint8_t protocol)
{
	struct nftnl_rule *rule = nft_rule_new(batch, chain);

	nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	return rule;
}

/* Ends a rule by logging and a verdict, and adds it. Takes ownership of it. */
static void rule_end(struct nft_batch *batch, uint16_t group, struct nftnl_rule *rule,
		     uint32_t verdict)
{
	struct nftnl_expr *expr = nft_expr_add(rule, "log");

	nftnl_expr_set_u16(expr, NFTNL_EXPR_LOG_GROUP, group);
	nft_expr_verdict(rule, verdict);
	nft_batch_rule(batch, rule);
}

/* Adds the rules that log. @verdict: for a packet after it was logged. */
static void add_log_rules(struct nft_batch *batch, const struct nflog_config *config,
			  const char *chain, uint32_t verdict)
{
	struct nftnl_rule *rule = nft_rule_new(batch, chain);
	const uint8_t last_error = ICMP6_PARAM_PROB;

	nft_expr_match_tcp_flags(rule, CONTROL_FLAGS, NFT_CMP_NEQ, 0);
	rule_end(batch, config->group, rule, verdict);
	rule_end(batch, (uint16_t)(config->group + 1), rule_begin(batch, chain, IPPROTO_TCP),
		 verdict);
	rule_end(batch, config->group, rule_begin(batch, chain, IPPROTO_ICMP), verdict);
	/* only errors, not the many messages of neighbour discovery */
	rule = rule_begin(batch, chain, IPPROTO_ICMPV6);
	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_REG_1);
	nft_expr_compare(rule, NFT_CMP_LTE, &last_error, sizeof(last_error));
	rule_end(batch, config->group, rule, verdict);
}

/* ---- a common table and its parts ---- */

void nflog_build_common(struct nft_batch *batch, const struct nflog_config *config)
{

	nft_batch_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, false);
	nft_batch_base_chain(batch, CHAIN_INPUT, NF_INET_PRE_ROUTING, CHAIN_PRIORITY);
	for (size_t i = 0; i < N_LAYOUTS; i++) {
		const struct nft_layout *layout = &nft_layouts[i];

		nft_batch_map(batch, layout, &layout->logs);
		nft_batch_dispatch(batch, CHAIN_INPUT, 0, layout, &layout->logs, true);
		nft_batch_dispatch(batch, CHAIN_INPUT, 0, layout, &layout->logs, false);
	}
}

/* Adds a part. The map's verdict is goto, since a packet may be both from and to the part. */
void nflog_build_part(struct nft_batch *batch, const struct nflog_config *config)
{
	AUTO_FREE char *chain = xasprintf(CHAIN_PART "%u", config->part);

	nft_batch_chain(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL,
			nft_chain_new(batch, chain));
	add_log_rules(batch, config, chain, NF_ACCEPT);
	for (size_t i = 0; i < N_LAYOUTS; i++)
		nft_batch_map_entry(batch, NFT_MSG_NEWSETELEM, &nft_layouts[i],
				    &nft_layouts[i].logs, config->networks, (uint32_t)NFT_GOTO,
				    chain);
}

/* ---- a table of its own ---- */

void nflog_build_table(struct nft_batch *batch, const struct nflog_config *config)
{
	nft_batch_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, false);
	nft_batch_base_chain(batch, CHAIN_INPUT, NF_INET_PRE_ROUTING, CHAIN_PRIORITY);
	add_log_rules(batch, config, CHAIN_INPUT, NF_ACCEPT);
}

/* ---- remote endpoints ---- */

/* Where in a packet an endpoint's address and port are. */
enum end { END_SOURCE, END_DESTINATION, END_QUOTED };

/* Ends a rule for packets with an endpoint at @end. Takes ownership of the rule. */
static void rule_end_at(struct nft_batch *batch, const struct nflog_config *config,
			struct nftnl_rule *rule, const struct nft_layout *layout, enum end end)
{
	const bool ipv4 = layout->family == AF_INET;
	uint32_t base = NFT_PAYLOAD_NETWORK_HEADER, offset = layout->source_offset,
		 port = TCP_SOURCE_PORT, set_id = ++batch->n_unnamed_sets;
	uint8_t protocol = IPPROTO_TCP;

	if (end != END_SOURCE) {
		offset = layout->destination_offset;
		port = TCP_DESTINATION_PORT;
	}
	if (end == END_QUOTED) {
		base = NFT_PAYLOAD_TRANSPORT_HEADER;
		offset += ICMP_HEADER;
		port += ICMP_HEADER + (ipv4 ? 20 : 40);
		protocol = ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	}
	nft_batch_endpoint_set(batch, NFT_UNNAMED_SET, set_id, layout, config->remotes,
			       config->n_remotes);
	nft_expr_match_meta(rule, NFT_META_NFPROTO, &layout->nfproto, sizeof(layout->nfproto));
	nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	nft_expr_load(rule, base, offset, layout->address_size, NFT_REG32_00);
	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, port, sizeof(uint16_t),
		      layout->port_register);
	nft_expr_lookup(rule, NFT_UNNAMED_SET, set_id, NFT_REG32_00, false);
	nft_expr_to_chain(rule, (uint32_t)NFT_GOTO, NFT_RULES_CAPTURE_LOG);
	nft_batch_rule(batch, rule);
}

/* Excludes packets to this host: they are logged when they come in. */
static void add_no_loopback(struct nft_batch *batch, const char *chain)
{
	struct nftnl_rule *rule = nft_rule_new(batch, chain);

	nft_expr_match_meta(rule, NFT_META_OIF, &loopback, sizeof(loopback));
	nft_expr_verdict(rule, (uint32_t)NFT_RETURN);
	nft_batch_rule(batch, rule);
}

static void add_remote_rules(struct nft_batch *batch, const struct nflog_config *config,
			     const struct nft_layout *layout)
{
	struct nftnl_rule *rule;

	rule_end_at(batch, config, nft_rule_new(batch, NFT_RULES_CAPTURE_OUT), layout,
		    END_DESTINATION);
	rule = nft_rule_new(batch, NFT_RULES_CAPTURE_SENT);
	nft_expr_match_mark(rule, UINT32_MAX, fwmark_udp_inject(config->refuse_mark));
	rule_end_at(batch, config, rule, layout, END_DESTINATION);
	rule_end_at(batch, config, nft_rule_new(batch, NFT_RULES_CAPTURE_IN), layout, END_SOURCE);
	rule = nft_rule_new(batch, NFT_RULES_CAPTURE_IN);
	nft_expr_match_meta(rule, NFT_META_IIF, &loopback, sizeof(loopback));
	rule_end_at(batch, config, rule, layout, END_DESTINATION);
	rule_end_at(batch, config, nft_rule_new(batch, NFT_RULES_CAPTURE_IN), layout, END_QUOTED);
}

void nflog_build_remote(struct nft_batch *batch, const struct nflog_config *config)
{
	static const char *const chains[] = {NFT_RULES_CAPTURE_IN, NFT_RULES_CAPTURE_OUT,
					     NFT_RULES_CAPTURE_SENT, NFT_RULES_CAPTURE_LOG};
	struct nftnl_rule *rule;

	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		nft_batch_delete_rules(batch, chains[i]);
	add_no_loopback(batch, NFT_RULES_CAPTURE_OUT);
	add_no_loopback(batch, NFT_RULES_CAPTURE_SENT);
	/* Exclude copies of SYNs, which were logged when they were first sent. */
	rule = nft_rule_new(batch, NFT_RULES_CAPTURE_OUT);
	nft_expr_match_mark(rule, FWMARK_COMMON, config->refuse_mark);
	nft_expr_verdict(rule, (uint32_t)NFT_RETURN);
	nft_batch_rule(batch, rule);
	for (size_t i = 0; i < N_LAYOUTS; i++)
		if (nft_count_endpoints(&nft_layouts[i], config->remotes, config->n_remotes) > 0)
			add_remote_rules(batch, config, &nft_layouts[i]);
	add_log_rules(batch, config, NFT_RULES_CAPTURE_LOG, (uint32_t)NFT_RETURN);
}

/* ---- transactions ---- */

/* Builds and sends a transaction. Returns 0 or a negative errno. */
static int commit(const struct nflog_config *config, const char *table, struct mnl_socket *socket,
		  void (*build)(struct nft_batch *batch, const struct nflog_config *config))
{
	AUTO_FREE char *name = xstrdup(table);
	struct rules rules = {.socket = socket, .table = name, .sequence = 1};
	struct nft_batch batch;

	nft_batch_init(&batch, &rules);
	build(&batch, config);
	return nft_batch_commit(&batch);
}

static int install_own(const struct nflog_config *config, struct mnl_socket *socket)
{
	int status;

	if (!config->networks)
		return commit(config, config->table, socket, nflog_build_table);
	status = commit(config, config->table, socket, nflog_build_part);
	if (status == -ENOENT) {
		/* Make the table, unless another process has just made it. */
		status = commit(config, config->table, socket, nflog_build_common);
		if (status == 0 || status == -EEXIST)
			status = commit(config, config->table, socket, nflog_build_part);
	}
	/* An earlier sandbox with this number has left it. */
	return status == -EEXIST ? 0 : status;
}

int nflog_rules_install(const struct nflog_config *config, struct mnl_socket *socket)
{
	int status = install_own(config, socket);

	if (!status && config->n_remotes > 0)
		status = commit(config, config->remote_table, socket, nflog_build_remote);
	return status;
}

static void build_removal(struct nft_batch *batch, const struct nflog_config *config)
{
	nft_batch_table(batch, NFT_MSG_DELTABLE, 0, false);
}

int nflog_rules_remove_common(const char *table)
{
	AUTO_FREE char *name = xstrdup(table);
	struct rules rules = {.table = name, .sequence = 1};
	struct nft_batch question = {.rules = &rules};
	int status = netlink_open(NETLINK_NETFILTER, &rules.socket);

	if (status < 0)
		return status;
	/* Ask outside of a transaction, which the kernel would take long to abort. */
	nft_batch_table(&question, NFT_MSG_GETTABLE, NLM_F_ACK, false);
	status = netlink_batch_send(&question.messages, rules.socket, NULL);
	netlink_batch_deinit(&question.messages);
	if (!status)
		status = commit(NULL, table, rules.socket, build_removal);
	mnl_socket_close(rules.socket);
	return status;
}
