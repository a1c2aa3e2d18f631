/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds the rules that log packets, and commits them in one transaction: see nflog_rules.h. A rule
 * that logs also ends the packet's way through its chain, so that none is logged twice.
 */
#include "injector/nflog_rules.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/icmp6.h>

#include "injector/fwmark.h"
#include "injector/netlink.h"
#include "injector/nft_expr.h"
#include "injector/nft_rules.h"
#include "injector/packet.h"

#define CHAIN_INPUT    "input"
#define CHAIN_PART     "log-"
#define CHAIN_PRIORITY (-300) /* raw: before connection tracking, and before the injector's */
/* Of a rule; and of the elements of a set, which are one attribute. */
#define MESSAGE_MAX  4096
#define ELEMENTS_MAX (64 * 1024 + MESSAGE_MAX)
#define ICMP_HEADER  8 /* RFC 792, RFC 4443: of errors */
/* What begins or ends a connection. */
#define CONTROL_FLAGS (TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST)

/* The kernel puts a number there. */
#define UNNAMED_SET "__set%d"
/* lo is the first interface of each network namespace (drivers/net/loopback.c). */
static const uint32_t loopback = 1;

struct family {
	uint16_t family;
	uint8_t nfproto;
	const char *map; /* of networks */
	uint32_t map_id, network_type, address_size, prefix_size;
	uint32_t source_offset, destination_offset;
	/* Of an address with a port; where the port is among the registers. */
	uint32_t endpoint_type, port_register;
	uint8_t icmp;
	/* From an ICMP header on: the destination's address and port in the packet it quotes. */
	uint32_t quoted_destination, quoted_port;
};

static const struct family families[] = {
	{
		.family = AF_INET,
		.nfproto = NFPROTO_IPV4,
		.map = "networks4",
		.map_id = 1,
		.network_type = NFT_TYPE_IPADDR,
		.address_size = 4,
		.prefix_size = sizeof(((struct address_networks *)NULL)->ipv4),
		.source_offset = IPV4_SOURCE,
		.destination_offset = IPV4_DESTINATION,
		.endpoint_type = NFT_TYPE_IPADDR << NFT_TYPE_BITS | NFT_TYPE_INET_SERVICE,
		.port_register = NFT_REG32_01,
		.icmp = IPPROTO_ICMP,
		.quoted_destination = ICMP_HEADER + IPV4_DESTINATION,
		.quoted_port = ICMP_HEADER + 20 + TCP_DESTINATION_PORT,
	},
	{
		.family = AF_INET6,
		.nfproto = NFPROTO_IPV6,
		.map = "networks6",
		.map_id = 2,
		.network_type = NFT_TYPE_IP6ADDR,
		.address_size = 16,
		.prefix_size = sizeof(((struct address_networks *)NULL)->ipv6),
		.source_offset = IPV6_SOURCE,
		.destination_offset = IPV6_DESTINATION,
		.endpoint_type = NFT_TYPE_IP6ADDR << NFT_TYPE_BITS | NFT_TYPE_INET_SERVICE,
		.port_register = NFT_REG32_04,
		.icmp = IPPROTO_ICMPV6,
		.quoted_destination = ICMP_HEADER + IPV6_DESTINATION,
		.quoted_port = ICMP_HEADER + 40 + TCP_DESTINATION_PORT,
	},
};

struct batch {
	const struct nflog_config *config;
	const char *table;
	struct netlink_batch messages;
	uint32_t sequence;
	uint32_t n_sets; /* without a name */
};

/* ---- messages ---- */

static struct nlmsghdr *batch_begin(struct batch *batch, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(
		netlink_batch_room(&batch->messages,
				   type == NFT_MSG_NEWSETELEM ? ELEMENTS_MAX : MESSAGE_MAX),
		type, NFPROTO_INET, (uint16_t)(NLM_F_CREATE | flags), batch->sequence++);
}

static void batch_end(struct batch *batch)
{
	netlink_batch_add(&batch->messages);
}

static void add_table(struct batch *batch, uint16_t type)
{
	struct nftnl_table *table = nftnl_table_alloc();
	struct nlmsghdr *message;

	if (!table)
		out_of_memory();
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, batch->table);
	message = batch_begin(batch, type, type == NFT_MSG_NEWTABLE ? NLM_F_EXCL : 0);
	nftnl_table_nlmsg_build_payload(message, table);
	batch_end(batch);
	nftnl_table_free(table);
}

/* @hook: of a base chain; negative: it is none. */
static void add_chain(struct batch *batch, const char *name, int hook)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	struct nlmsghdr *message;

	if (!chain)
		out_of_memory();
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, batch->table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	if (hook >= 0) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, (uint32_t)hook);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, CHAIN_PRIORITY);
	}
	message = batch_begin(batch, NFT_MSG_NEWCHAIN, NLM_F_EXCL);
	nftnl_chain_nlmsg_build_payload(message, chain);
	batch_end(batch);
	nftnl_chain_free(chain);
}

/* ---- rules ---- */

static struct nftnl_rule *rule_new(const struct batch *batch, const char *chain)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		out_of_memory();
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, batch->table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	return rule;
}

/* Takes the rule. */
static void add_rule(struct batch *batch, struct nftnl_rule *rule)
{
	struct nlmsghdr *message = batch_begin(batch, NFT_MSG_NEWRULE, NLM_F_APPEND);

	nftnl_rule_nlmsg_build_payload(message, rule);
	batch_end(batch);
	nftnl_rule_free(rule);
}

static struct nftnl_rule *rule_begin(const struct batch *batch, const char *chain, uint8_t protocol)
{
	struct nftnl_rule *rule = rule_new(batch, chain);

	nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	return rule;
}

/* Logs, and ends so; takes the rule. */
static void rule_end(struct batch *batch, struct nftnl_rule *rule, bool control, uint32_t verdict)
{
	struct nftnl_expr *expr = nft_expr_add(rule, "log");

	nftnl_expr_set_u16(expr, NFTNL_EXPR_LOG_GROUP,
			   (uint16_t)(batch->config->group + (control ? 0 : 1)));
	nft_expr_verdict(rule, verdict);
	add_rule(batch, rule);
}

/* @verdict: what becomes of the packet then. */
static void add_log_rules(struct batch *batch, const char *chain, uint32_t verdict)
{
	struct nftnl_rule *rule = rule_begin(batch, chain, IPPROTO_TCP);
	const uint8_t last_error = ICMP6_PARAM_PROB;

	nft_expr_match_tcp_flags(rule, CONTROL_FLAGS, NFT_CMP_NEQ, 0);
	rule_end(batch, rule, true, verdict);
	rule_end(batch, rule_begin(batch, chain, IPPROTO_TCP), false, verdict);
	rule_end(batch, rule_begin(batch, chain, IPPROTO_ICMP), true, verdict);
	/* Not the many messages of neighbour discovery. */
	rule = rule_begin(batch, chain, IPPROTO_ICMPV6);
	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_REG_1);
	nft_expr_compare(rule, NFT_CMP_LTE, &last_error, sizeof(last_error));
	rule_end(batch, rule, true, verdict);
}

static struct nftnl_set *set_new(const struct batch *batch, const char *name, uint32_t id)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		out_of_memory();
	nftnl_set_set_str(set, NFTNL_SET_TABLE, batch->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	return set;
}

/* ---- a common table and its parts ---- */

static void add_map(struct batch *batch, const struct family *family)
{
	struct nftnl_set *set = set_new(batch, family->map, family->map_id);
	struct nlmsghdr *message;

	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_MAP);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, family->network_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, family->address_size);
	nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	message = batch_begin(batch, NFT_MSG_NEWSET, NLM_F_EXCL);
	nftnl_set_nlmsg_build_payload(message, set);
	batch_end(batch);
	nftnl_set_free(set);
}

/* Packets from, or to, a network that is in the map get its verdict. */
static void add_dispatch(struct batch *batch, const struct family *family, bool source)
{
	struct nftnl_rule *rule = rule_new(batch, CHAIN_INPUT);
	uint8_t mask[16] = {0};

	memset(mask, 0xff, family->prefix_size);
	nft_expr_match_meta(rule, NFT_META_NFPROTO, &family->nfproto, sizeof(family->nfproto));
	nft_expr_load(rule, NFT_PAYLOAD_NETWORK_HEADER,
		      source ? family->source_offset : family->destination_offset,
		      family->address_size, NFT_REG_1);
	nft_expr_mask(rule, mask, family->address_size);
	nft_expr_lookup(rule, family->map, family->map_id, NFT_REG_1, true);
	add_rule(batch, rule);
}

static void build_common(struct batch *batch)
{
	add_table(batch, NFT_MSG_NEWTABLE);
	add_chain(batch, CHAIN_INPUT, NF_INET_PRE_ROUTING);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		add_map(batch, &families[i]);
		add_dispatch(batch, &families[i], true);
		add_dispatch(batch, &families[i], false);
	}
}

/* The part's network as an element of the map; goto, since a packet may be both from and to it. */
static void add_entry(struct batch *batch, const struct family *family, const char *chain)
{
	const struct address_networks *networks = batch->config->networks;
	struct nftnl_set *set = set_new(batch, family->map, family->map_id);
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	uint8_t key[16] = {0};
	struct nlmsghdr *message;

	if (!element)
		out_of_memory();
	memcpy(key, family->family == AF_INET ? networks->ipv4 : networks->ipv6,
	       family->prefix_size);
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, family->address_size);
	nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_GOTO);
	nftnl_set_elem_set_str(element, NFTNL_SET_ELEM_CHAIN, chain);
	nftnl_set_elem_add(set, element);
	message = batch_begin(batch, NFT_MSG_NEWSETELEM, NLM_F_EXCL);
	nftnl_set_elems_nlmsg_build_payload(message, set);
	batch_end(batch);
	nftnl_set_free(set);
}

static void build_part(struct batch *batch)
{
	AUTO_FREE char *chain = xasprintf(CHAIN_PART "%u", batch->config->part);

	add_chain(batch, chain, -1);
	add_log_rules(batch, chain, NF_ACCEPT);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		add_entry(batch, &families[i], chain);
}

/* ---- a table of one's own ---- */

static void build_table(struct batch *batch)
{
	add_table(batch, NFT_MSG_NEWTABLE);
	add_chain(batch, CHAIN_INPUT, NF_INET_PRE_ROUTING);
	add_log_rules(batch, CHAIN_INPUT, NF_ACCEPT);
}

/* ---- endpoints that others provide ---- */

static void delete_rules(struct batch *batch, const char *chain)
{
	struct nftnl_rule *rule = rule_new(batch, chain);
	struct nlmsghdr *message = batch_begin(batch, NFT_MSG_DELRULE, 0);

	nftnl_rule_nlmsg_build_payload(message, rule);
	batch_end(batch);
	nftnl_rule_free(rule);
}

static void add_endpoint(struct nftnl_set *set, const struct family *family,
			 const struct address *endpoint)
{
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	uint8_t key[sizeof(endpoint->bytes) + 4] = {0};

	if (!element)
		out_of_memory();
	memcpy(key, endpoint->bytes, family->address_size);
	key[family->address_size] = (uint8_t)(endpoint->port >> 8);
	key[family->address_size + 1] = (uint8_t)endpoint->port;
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, family->address_size + 4);
	nftnl_set_elem_add(set, element);
}

/*
 * The family's endpoints as a set without a name, which belongs to one rule and goes with it.
 * Returns its number in the transaction.
 */
static uint32_t add_endpoints(struct batch *batch, const struct family *family)
{
	const struct nflog_config *config = batch->config;
	uint32_t id = ++batch->n_sets;
	struct nftnl_set *set = set_new(batch, UNNAMED_SET, id);
	struct nlmsghdr *message;

	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_ANONYMOUS | NFT_SET_CONSTANT);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, family->endpoint_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, family->address_size + 4);
	message = batch_begin(batch, NFT_MSG_NEWSET, 0);
	nftnl_set_nlmsg_build_payload(message, set);
	batch_end(batch);
	nftnl_set_free(set);

	set = set_new(batch, UNNAMED_SET, id);
	for (size_t i = 0; i < config->n_remotes; i++)
		if (config->remotes[i].family == family->family)
			add_endpoint(set, family, &config->remotes[i]);
	message = batch_begin(batch, NFT_MSG_NEWSETELEM, 0);
	nftnl_set_elems_nlmsg_build_payload(message, set);
	batch_end(batch);
	nftnl_set_free(set);
	return id;
}

/* Where in a packet an endpoint's address and port are. */
enum end { END_SOURCE, END_DESTINATION, END_QUOTED };

/* Ends a rule: of a packet that has one of the endpoints there. @set_id: of add_endpoints(). */
static void rule_end_at(struct batch *batch, struct nftnl_rule *rule, const struct family *family,
			enum end end, uint32_t set_id)
{
	uint32_t base = NFT_PAYLOAD_NETWORK_HEADER, offset = family->source_offset,
		 port = TCP_SOURCE_PORT;
	uint8_t protocol = IPPROTO_TCP;

	if (end != END_SOURCE) {
		offset = family->destination_offset;
		port = TCP_DESTINATION_PORT;
	}
	if (end == END_QUOTED) {
		base = NFT_PAYLOAD_TRANSPORT_HEADER;
		offset = family->quoted_destination;
		port = family->quoted_port;
		protocol = family->icmp;
	}
	nft_expr_match_meta(rule, NFT_META_NFPROTO, &family->nfproto, sizeof(family->nfproto));
	nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	nft_expr_load(rule, base, offset, family->address_size, NFT_REG32_00);
	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, port, sizeof(uint16_t),
		      family->port_register);
	nft_expr_lookup(rule, UNNAMED_SET, set_id, NFT_REG32_00, false);
	nft_expr_to_chain(rule, (uint32_t)NFT_GOTO, NFT_RULES_CAPTURE_LOG);
	add_rule(batch, rule);
}

/* What goes to this host itself is seen when it comes in. */
static void add_no_loopback(struct batch *batch, const char *chain)
{
	struct nftnl_rule *rule = rule_new(batch, chain);

	nft_expr_match_meta(rule, NFT_META_OIF, &loopback, sizeof(loopback));
	nft_expr_verdict(rule, (uint32_t)NFT_RETURN);
	add_rule(batch, rule);
}

static void add_remote_rules(struct batch *batch, const struct family *family)
{
	uint32_t id = add_endpoints(batch, family);
	struct nftnl_rule *rule = rule_new(batch, NFT_RULES_CAPTURE_OUT);

	rule_end_at(batch, rule, family, END_DESTINATION, id);
	id = add_endpoints(batch, family);
	rule = rule_new(batch, NFT_RULES_CAPTURE_SENT);
	nft_expr_match_mark(rule, UINT32_MAX, fwmark_udp_inject(batch->config->refuse_mark));
	rule_end_at(batch, rule, family, END_DESTINATION, id);
	id = add_endpoints(batch, family);
	rule_end_at(batch, rule_new(batch, NFT_RULES_CAPTURE_IN), family, END_SOURCE, id);
	id = add_endpoints(batch, family);
	rule = rule_new(batch, NFT_RULES_CAPTURE_IN);
	nft_expr_match_meta(rule, NFT_META_IIF, &loopback, sizeof(loopback));
	rule_end_at(batch, rule, family, END_DESTINATION, id);
	id = add_endpoints(batch, family);
	rule_end_at(batch, rule_new(batch, NFT_RULES_CAPTURE_IN), family, END_QUOTED, id);
}

static void build_remote(struct batch *batch)
{
	static const char *const chains[] = {NFT_RULES_CAPTURE_IN, NFT_RULES_CAPTURE_OUT,
					     NFT_RULES_CAPTURE_SENT, NFT_RULES_CAPTURE_LOG};
	const struct nflog_config *config = batch->config;
	struct nftnl_rule *rule;

	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		delete_rules(batch, chains[i]);
	add_no_loopback(batch, NFT_RULES_CAPTURE_OUT);
	add_no_loopback(batch, NFT_RULES_CAPTURE_SENT);
	/* Copies of SYNs that were logged when they were sent first. */
	rule = rule_new(batch, NFT_RULES_CAPTURE_OUT);
	nft_expr_match_mark(rule, FWMARK_COMMON, config->refuse_mark);
	nft_expr_verdict(rule, (uint32_t)NFT_RETURN);
	add_rule(batch, rule);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		bool used = false;

		for (size_t k = 0; k < config->n_remotes; k++)
			used = used || config->remotes[k].family == families[i].family;
		if (used)
			add_remote_rules(batch, &families[i]);
	}
	add_log_rules(batch, NFT_RULES_CAPTURE_LOG, (uint32_t)NFT_RETURN);
}

/* ---- to the kernel ---- */

/* Returns 0 or a negative errno. */
static int commit(const struct nflog_config *config, const char *table, struct mnl_socket *socket,
		  void (*build)(struct batch *batch))
{
	struct batch batch = {.config = config, .table = table, .sequence = 1};
	int status;

	nftnl_batch_begin(netlink_batch_room(&batch.messages, MESSAGE_MAX), batch.sequence++);
	batch_end(&batch);
	build(&batch);
	netlink_batch_acknowledge(&batch.messages);
	nftnl_batch_end(netlink_batch_room(&batch.messages, MESSAGE_MAX), batch.sequence++);
	batch_end(&batch);
	status = netlink_batch_send(&batch.messages, socket, NULL);
	netlink_batch_deinit(&batch.messages);
	return status;
}

static int install_own(const struct nflog_config *config, struct mnl_socket *socket)
{
	int status;

	if (!config->networks)
		return commit(config, config->table, socket, build_table);
	status = commit(config, config->table, socket, build_part);
	if (status == -ENOENT) {
		/* There is no table yet; or there is one meanwhile. */
		status = commit(config, config->table, socket, build_common);
		if (status == 0 || status == -EEXIST)
			status = commit(config, config->table, socket, build_part);
	}
	/* A sandbox of this number had it before. */
	return status == -EEXIST ? 0 : status;
}

int nflog_rules_install(const struct nflog_config *config, struct mnl_socket *socket)
{
	int status = install_own(config, socket);

	if (!status && config->n_remotes > 0)
		status = commit(config, config->remote_table, socket, build_remote);
	return status;
}

static void build_removal(struct batch *batch)
{
	add_table(batch, NFT_MSG_DELTABLE);
}

/* Outside of a transaction, which the kernel would take its time to give up (nft_rules.h). */
static void build_question(struct batch *batch)
{
	struct nftnl_table *table = nftnl_table_alloc();
	struct nlmsghdr *message;

	if (!table)
		out_of_memory();
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, batch->table);
	message =
		nftnl_nlmsg_build_hdr(netlink_batch_room(&batch->messages, MESSAGE_MAX),
				      NFT_MSG_GETTABLE, NFPROTO_INET, NLM_F_ACK, batch->sequence++);
	nftnl_table_nlmsg_build_payload(message, table);
	batch_end(batch);
	nftnl_table_free(table);
}

int nflog_rules_remove_common(const char *table)
{
	const struct nflog_config config = {.table = table};
	struct batch batch = {.config = &config, .table = table, .sequence = 1};
	struct mnl_socket *socket;
	int status = netlink_open(NETLINK_NETFILTER, &socket);

	if (status < 0)
		return status;
	build_question(&batch);
	status = netlink_batch_send(&batch.messages, socket, NULL);
	netlink_batch_deinit(&batch.messages);
	if (!status)
		status = commit(&config, table, socket, build_removal);
	mnl_socket_close(socket);
	return status;
}
