/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the firewall rules share, and no one else sees: a transaction, the names in a
 * table, and the functions that add to it.
 */
#ifndef SYNFAULT_INJECTOR_NFT_BATCH_H
#define SYNFAULT_INJECTOR_NFT_BATCH_H

#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nf_tables.h>

#include "injector/netlink.h"
#include "injector/nft_rules.h"

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

/* A name with the number of a part. */
#define NFT_NAME_SIZE 32

/* A family's place in nft_layouts. */
enum { LAYOUT_IPV4, LAYOUT_IPV6, N_LAYOUTS };

/* One family's part of the table. */
struct nft_layout {
	uint16_t family;
	uint8_t nfproto;
	const char *set;
	uint32_t set_id, set_type;
	uint32_t address_size;
	uint32_t source_offset, destination_offset;
	uint32_t port_register;             /* the one after the address */
	uint32_t network_type, prefix_size; /* of the maps' keys */
	struct nft_map {
		const char *name;
		uint32_t id;
	} queues, answers, flows, injects, logs;
	const char *connections;
	uint32_t connections_id, connection_type;
	/* Where the parts of a connection's key go: ports after addresses. */
	uint32_t second_address_register, second_port_register;
};
extern const struct nft_layout nft_layouts[N_LAYOUTS];

/* How many rules a chain has. */
struct nft_chain_rules {
	char name[NFT_NAME_SIZE];
	uint32_t n;
};

/* Chains with rules: the six of the input hook, two of the output hook. */
#define NFT_MAX_CHAINS 8

struct rules {
	struct mnl_socket *socket;
	uint32_t sequence;
	char *table;
	enum nft_rules_queue_form form;
	bool is_part; /* of a common table */
	bool outgoing;
	struct address_networks networks;
	/* chains; flows is where the rules that follow connections are */
	char queue[NFT_NAME_SIZE], answer[NFT_NAME_SIZE], flows[NFT_NAME_SIZE],
		track[NFT_NAME_SIZE], reject[NFT_NAME_SIZE], inject[NFT_NAME_SIZE];
	char sets[N_LAYOUTS][NFT_NAME_SIZE], connections[N_LAYOUTS][NFT_NAME_SIZE];
	bool follows, ends;
	/* What nft_rules_verify() expects. */
	struct nft_chain_rules chains[NFT_MAX_CHAINS];
	size_t n_chains;
};

/* A transaction: messages on their way to the kernel, and what to make of its answers. */
struct nft_batch {
	struct rules *rules;
	struct netlink_batch messages;
	uint32_t table_sequence;          /* of the message that makes the table */
	uint32_t queue_first, queue_last; /* of the rules that queue */
	uint32_t failed_sequence;         /* of the first message that was refused */
};

/* ---- nft_batch.c ---- */

/* Begins a transaction; nft_batch_commit() ends it. */
void nft_batch_init(struct nft_batch *batch, struct rules *rules);
/* Sends it. Returns 0 or a negative errno; then @batch->failed_sequence says which message failed.
 */
int nft_batch_commit(struct nft_batch *batch);
/* Begins a message of this type (NFT_MSG_NEWRULE, …), which nft_batch_end() adds. */
struct nlmsghdr *nft_batch_begin(struct nft_batch *batch, uint16_t type, uint16_t flags);
void nft_batch_end(struct nft_batch *batch);

void nft_batch_table(struct nft_batch *batch, uint16_t type, uint16_t flags, bool owned);
struct nftnl_chain *nft_chain_new(const struct nft_batch *batch, const char *name);
/* Takes the chain. */
void nft_batch_chain(struct nft_batch *batch, uint16_t type, uint16_t flags,
		     struct nftnl_chain *chain);
void nft_batch_base_chain(struct nft_batch *batch, const char *name, uint32_t hook,
			  int32_t priority);
void nft_batch_plain_chain(struct nft_batch *batch, const char *name);
struct nftnl_set *nft_set_new(const struct nft_batch *batch, const char *name, uint32_t id);
/* Adds a message about a set or, with NFT_MSG_NEWSETELEM and its like, its elements; takes the set.
 */
void nft_batch_set(struct nft_batch *batch, uint16_t type, uint16_t flags, struct nftnl_set *set);
size_t nft_count_endpoints(const struct nft_layout *layout, const struct address *endpoints,
			   size_t n_endpoints);
/* A set without a name belongs to one rule and goes with it; the kernel puts a number there. */
#define NFT_UNNAMED_SET "__set%d"
/* Adds a set with the family's endpoints. */
void nft_batch_endpoint_set(struct nft_batch *batch, const char *name, uint32_t id,
			    const struct nft_layout *layout, const struct address *endpoints,
			    size_t n_endpoints);
/*
 * The family's endpoints as a set. Returns false when it has none: then there is no set, but an
 * empty one in a part or for others' endpoints, which whoever removes the part counts upon.
 */
bool nft_batch_endpoints(struct nft_batch *batch, const struct nft_rules_config *config,
			 const struct nft_layout *layout);
void nft_batch_delete_set(struct nft_batch *batch, const char *name);
void nft_batch_verdict_map(struct nft_batch *batch, const char *name, uint32_t id,
			   uint32_t key_type, uint32_t key_length);
/* Adds a map of networks to verdicts. */
void nft_batch_map(struct nft_batch *batch, const struct nft_layout *layout,
		   const struct nft_map *map);
/* An element of a map: @type adds it (with the verdict), deletes it, or asks for it. */
void nft_batch_map_entry(struct nft_batch *batch, uint16_t type, const struct nft_layout *layout,
			 const struct nft_map *map, const struct address_networks *networks,
			 uint32_t verdict, const char *chain);
/* Packets from, or to, a network that is in the map get its verdict. @protocol: 0 for any. */
void nft_batch_dispatch(struct nft_batch *batch, const char *chain, uint8_t protocol,
			const struct nft_layout *layout, const struct nft_map *map, bool source);
/* @chain: NULL to stand for all of the table's, in nft_batch_delete_rules(). */
struct nftnl_rule *nft_rule_new(const struct nft_batch *batch, const char *chain);
/* Takes the rule. */
void nft_batch_rule(struct nft_batch *batch, struct nftnl_rule *rule);
/* Jumps from one chain to another. */
void nft_batch_jump(struct nft_batch *batch, const char *from, const char *to);
/* @chain: NULL for all of the table. */
void nft_batch_delete_rules(struct nft_batch *batch, const char *chain);
/* @networks: of a part, or NULL. */
void nft_rules_set_names(struct rules *rules, const struct address_networks *networks,
			 uint32_t part);
/* Returns 0 or a negative errno, with a diagnostic. @networks: of a part, or NULL. */
int nft_rules_new(const char *table, const struct address_networks *networks, uint32_t part,
		  struct diag_list *diags, struct rules **ret);
/* Without removing anything. */
void nft_rules_forget(struct rules *rules);

/* ---- nft_chains.c ---- */

/*
 * Connections that are open already, the bulk of all traffic, leave at the first rule. So may what
 * is no TCP, which none of the others is about: to ask for that would make it dearer by half.
 */
void nft_batch_shortcut(struct nft_batch *batch, const char *chain);
/* Queues SYNs to an endpoint of the family, or SYN-ACKs from one. */
void nft_batch_queue_rule(struct nft_batch *batch, const char *chain,
			  const struct nft_rules_config *config, const struct nft_layout *layout,
			  bool syn_ack);
void nft_batch_end_rules(struct nft_batch *batch, const char *chain,
			 const struct nft_rules_config *config, const bool used[static N_LAYOUTS]);
void nft_batch_answer_rules(struct nft_batch *batch, const char *chain,
			    const struct nft_rules_config *config, const struct nft_layout *layout);
/* The connections of the family, each with what becomes of its packets. */
void nft_batch_connections(struct nft_batch *batch, const struct nft_layout *layout);
/* Packets without SYN of a followed connection, in either direction: the map has both. */
void nft_batch_flow_rule(struct nft_batch *batch, const char *chain,
			 const struct nft_layout *layout);
void nft_batch_queue_all(struct nft_batch *batch, const char *chain, bool carriers,
			 const struct nft_rules_config *config);
/* Only where connections are followed. */
void nft_batch_flow_rules(struct nft_batch *batch, const struct nft_rules_config *config,
			  const bool used[static N_LAYOUTS]);
/* What sends packets to the queue, and answers those that come back with the mark. */
void nft_batch_input_rules(struct nft_batch *batch, const struct nft_rules_config *config,
			   const bool used[static N_LAYOUTS]);

/* ---- nft_rules.c ---- */

/* Adds the messages that install the rules; with @replace, in the place of those that are there. */
void nft_rules_build(struct nft_batch *batch, const struct nft_rules_config *config, bool owned,
		     bool replace);
int nft_install_error(const struct nft_batch *batch, const struct nft_rules_config *config, int r,
		      struct diag_list *diags);
/* Deletes the table, or the part of a common one. */
int nft_rules_uninstall(struct rules *rules);

/* ---- nft_remote.c ---- */

/* The table may be there, empty; or, with @replace, full. */
void nft_remote_build(struct nft_batch *batch, const struct nft_rules_config *config, bool replace);
/* All rules and sets go; the base chains stay, and with them what waits in others' queues. */
void nft_remote_build_removal(struct nft_batch *batch);

/* ---- nft_common.c ---- */

void nft_common_build_part(struct nft_batch *batch, const struct nft_rules_config *config);
/*
 * In the order in which nothing refers to what is deleted; a chain's rules go with it.
 */
void nft_common_build_removal(struct nft_batch *batch);
/* Checks the base chains of the common table, and the part in its maps; as nft_rules_verify(). */
int nft_common_verify(struct rules *rules);

/* ---- nft_counters.c ---- */

/* Returns 0 when the chain has as many rules, -ENOENT when not, or another negative errno. */
int nft_verify_chain(struct rules *rules, const struct nft_chain_rules *expected);

#endif
