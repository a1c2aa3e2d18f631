/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files that add firewall rules share: a transaction, the names in a table, and the
 * functions that add messages.
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

/* Room for a name with the number of a part. */
#define NFT_NAME_SIZE 32

/* A family's place in nft_layouts. */
enum { LAYOUT_IPV4, LAYOUT_IPV6, N_LAYOUTS };

/* What differs in the rules of the two families. */
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
	/* Registers of a connection's key: each port follows its address. */
	uint32_t second_address_register, second_port_register;
};
extern const struct nft_layout nft_layouts[N_LAYOUTS];

/* How many rules a chain has. */
struct nft_chain_rules {
	char name[NFT_NAME_SIZE];
	uint32_t n;
};

/* The most chains with rules: six of the input hook, two of the output hook. */
#define NFT_MAX_CHAINS 8

struct rules {
	struct mnl_socket *socket;
	uint32_t sequence;
	char *table;
	enum nft_rules_queue_form form;
	bool is_part; /* of a common table */
	bool outgoing;
	struct address_networks networks;
	/* names of chains; .flows has the rules that follow connections */
	char queue[NFT_NAME_SIZE], answer[NFT_NAME_SIZE], flows[NFT_NAME_SIZE],
		track[NFT_NAME_SIZE], reject[NFT_NAME_SIZE], inject[NFT_NAME_SIZE];
	char sets[N_LAYOUTS][NFT_NAME_SIZE], connections[N_LAYOUTS][NFT_NAME_SIZE];
	bool follows, ends;
	/* What nft_rules_verify() expects. */
	struct nft_chain_rules chains[NFT_MAX_CHAINS];
	size_t n_chains;
};

/* A transaction: its messages, and what is needed to understand the kernel's answers. */
struct nft_batch {
	struct rules *rules;
	struct netlink_batch messages;
	uint32_t n_unnamed_sets;          /* so far */
	uint32_t table_sequence;          /* of the message that makes the table */
	uint32_t queue_first, queue_last; /* of the rules that queue */
	uint32_t failed_sequence;         /* of the first message that failed */
};

/* ---- nft_batch.c ---- */

/** nft_batch_init() - begin a transaction, which nft_batch_commit() ends */
void nft_batch_init(struct nft_batch *batch, struct rules *rules);
/**
 * nft_batch_commit() - send the transaction
 *
 * Return: 0, or a negative errno; @batch->failed_sequence then says which message failed.
 */
int nft_batch_commit(struct nft_batch *batch);

/**
 * nft_batch_table() - add a message about the table
 * @owned: it disappears with our socket
 */
void nft_batch_table(struct nft_batch *batch, uint16_t type, uint16_t flags, bool owned);
/** nft_chain_new() - make a chain of the table, which the caller owns */
struct nftnl_chain *nft_chain_new(const struct nft_batch *batch, const char *name);
/** nft_batch_chain() - add a message about the chain, and take ownership of it */
void nft_batch_chain(struct nft_batch *batch, uint16_t type, uint16_t flags,
		     struct nftnl_chain *chain);
/** nft_batch_base_chain() - add a new base chain of a filter hook */
void nft_batch_base_chain(struct nft_batch *batch, const char *name, uint32_t hook,
			  int32_t priority);
/** nft_batch_plain_chain() - add a new chain without a hook */
void nft_batch_plain_chain(struct nft_batch *batch, const char *name);
/**
 * nft_set_new() - make a set of the table, which the caller owns
 * @id: its number in the transaction
 */
struct nftnl_set *nft_set_new(const struct nft_batch *batch, const char *name, uint32_t id);
/**
 * nft_batch_set() - add a message about a set, or with NFT_MSG_NEWSETELEM and its like about its
 * elements
 *
 * Takes ownership of the set.
 */
void nft_batch_set(struct nft_batch *batch, uint16_t type, uint16_t flags, struct nftnl_set *set);
/** nft_count_endpoints() - count the endpoints of the family */
size_t nft_count_endpoints(const struct nft_layout *layout, const struct address *endpoints,
			   size_t n_endpoints);
/* Name of an unnamed set, which belongs to a rule and is removed with it; the kernel sets %d. */
#define NFT_UNNAMED_SET "__set%d"
/** nft_batch_endpoint_set() - add a set with the family's endpoints */
void nft_batch_endpoint_set(struct nft_batch *batch, const char *name, uint32_t id,
			    const struct nft_layout *layout, const struct address *endpoints,
			    size_t n_endpoints);
/**
 * nft_batch_endpoints() - add a set of the family's endpoints
 *
 * Return: false if it has none. Then there is no set; but a part, and a table for remote endpoints,
 * get an empty one, since their removal deletes it.
 */
bool nft_batch_endpoints(struct nft_batch *batch, const struct nft_rules_config *config,
			 const struct nft_layout *layout);
/** nft_batch_delete_set() - add the deletion of a set */
void nft_batch_delete_set(struct nft_batch *batch, const char *name);
/**
 * nft_batch_verdict_map() - add a map to verdicts
 * @id: its number in the transaction
 */
void nft_batch_verdict_map(struct nft_batch *batch, const char *name, uint32_t id,
			   uint32_t key_type, uint32_t key_length);
/** nft_batch_map() - add a map of networks to verdicts */
void nft_batch_map(struct nft_batch *batch, const struct nft_layout *layout,
		   const struct nft_map *map);
/**
 * nft_batch_map_entry() - add a message about an entry of a map: @type adds it with a verdict,
 * deletes or requests it
 */
void nft_batch_map_entry(struct nft_batch *batch, uint16_t type, const struct nft_layout *layout,
			 const struct nft_map *map, const struct address_networks *networks,
			 uint32_t verdict, const char *chain);
/**
 * nft_batch_dispatch() - add a rule that gives packets from, or to, a network in the map its
 * verdict
 * @protocol: 0: any
 * @source: match the source address; otherwise the destination
 */
void nft_batch_dispatch(struct nft_batch *batch, const char *chain, uint8_t protocol,
			const struct nft_layout *layout, const struct nft_map *map, bool source);
/**
 * nft_rule_new() - make an empty rule of a chain, which the caller owns
 * @chain: NULL: of all chains, to delete
 */
struct nftnl_rule *nft_rule_new(const struct nft_batch *batch, const char *chain);
/** nft_batch_rule() - add the rule, and take ownership of it */
void nft_batch_rule(struct nft_batch *batch, struct nftnl_rule *rule);
/** nft_batch_jump() - add a rule that jumps from one chain to another */
void nft_batch_jump(struct nft_batch *batch, const char *from, const char *to);
/** nft_batch_delete_rules() - add the deletion of all rules of a chain; NULL: of the table */
void nft_batch_delete_rules(struct nft_batch *batch, const char *chain);
/**
 * nft_rules_set_names() - set the names of chains and sets
 * @networks: those of a part with number @part, or NULL
 */
void nft_rules_set_names(struct rules *rules, const struct address_networks *networks,
			 uint32_t part);
/**
 * nft_rules_new() - make rules that are not installed yet, with an open socket; nft_rules_forget()
 * frees them
 * @networks: those of the part with number @part, or NULL
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int nft_rules_new(const char *table, const struct address_networks *networks, uint32_t part,
		  struct diag_list *diags, struct rules **ret);
/** nft_rules_forget() - free the rules without removing them from the kernel; NULL is allowed */
void nft_rules_forget(struct rules *rules);

/**
 * nft_install_error() - add a diagnostic for an error of an installation
 *
 * Return: the negative errno to report.
 */
int nft_install_error(const struct nft_batch *batch, const struct nft_rules_config *config, int r,
		      struct diag_list *diags);
/* ---- nft_chains.c ---- */

/**
 * nft_batch_shortcut() - let packets of open connections, the bulk of all traffic, leave the chain
 * at its first rule
 *
 * Some packets that are not TCP leave, too, which does no harm: no other rule is about them. To
 * check for TCP would cost half as much again.
 */
void nft_batch_shortcut(struct nft_batch *batch, const char *chain);
/**
 * nft_batch_queue_rule() - add a rule that queues SYNs to an endpoint of the family, or SYN-ACKs
 * from one
 */
void nft_batch_queue_rule(struct nft_batch *batch, const char *chain,
			  const struct nft_rules_config *config, const struct nft_layout *layout,
			  bool syn_ack);
/**
 * nft_batch_end_rules() - add rules that queue FINs and RSTs
 * @used: the families that have endpoints
 */
void nft_batch_end_rules(struct nft_batch *batch, const char *chain,
			 const struct nft_rules_config *config, const bool used[static N_LAYOUTS]);
/**
 * nft_batch_answer_rules() - add rules that answer packets to endpoints of the family by their mark
 */
void nft_batch_answer_rules(struct nft_batch *batch, const char *chain,
			    const struct nft_rules_config *config, const struct nft_layout *layout);
/**
 * nft_batch_connections() - add the map of the family's connections, each with what happens to its
 * packets
 */
void nft_batch_connections(struct nft_batch *batch, const struct nft_layout *layout);
/**
 * nft_batch_flow_rule() - add a rule that looks up packets without SYN in the map of connections,
 * which has both directions of each
 */
void nft_batch_flow_rule(struct nft_batch *batch, const char *chain,
			 const struct nft_layout *layout);
/**
 * nft_batch_queue_all() - add a rule that counts and queues all packets
 * @carriers: only carriers (udp_inject.h)
 */
void nft_batch_queue_all(struct nft_batch *batch, const char *chain, bool carriers,
			 const struct nft_rules_config *config);
/** nft_batch_flow_rules() - add the rules that follow connections, if any may be followed */
void nft_batch_flow_rules(struct nft_batch *batch, const struct nft_rules_config *config,
			  const bool used[static N_LAYOUTS]);
/**
 * nft_batch_input_rules() - add the rules that queue packets, and that answer those that come back
 * with a mark
 */
void nft_batch_input_rules(struct nft_batch *batch, const struct nft_rules_config *config,
			   const bool used[static N_LAYOUTS]);

/* ---- nft_install.c ---- */

/**
 * nft_rules_build() - add the messages that install the rules
 * @replace: they replace existing ones
 */
void nft_rules_build(struct nft_batch *batch, const struct nft_rules_config *config, bool owned,
		     bool replace);
/* ---- nft_remote.c ---- */

/**
 * nft_remote_build() - add the table for remote endpoints, which may exist: empty, or with
 * @replace, full
 */
void nft_remote_build(struct nft_batch *batch, const struct nft_rules_config *config, bool replace);
/**
 * nft_remote_build_removal() - remove all rules and sets
 *
 * The base chains stay, so that no packet in another queue is dropped.
 */
void nft_remote_build_removal(struct nft_batch *batch);

/* ---- nft_common.c ---- */

/** nft_common_build_part() - add the chains, rules and map entries of a part */
void nft_common_build_part(struct nft_batch *batch, const struct nft_rules_config *config);
/**
 * nft_common_build_removal() - add the deletion of a part, in an order in which nothing refers to
 * what is deleted
 */
void nft_common_build_removal(struct nft_batch *batch);
/**
 * nft_common_verify() - check the base chains of the common table, and the part in its maps; as
 * nft_rules_verify()
 */
int nft_common_verify(struct rules *rules);

/* ---- nft_counters.c ---- */

/**
 * nft_verify_chain() - return 0 if the chain has that many rules, -ENOENT if not, or another
 * negative errno
 */
int nft_verify_chain(struct rules *rules, const struct nft_chain_rules *expected);

/* ---- nflog_rules.c ---- */

struct nflog_config;
/**
 * nflog_build_table() - add the messages for a table of its own
 *
 * The functions below do so for a common table, a part of one, and remote endpoints.
 */
void nflog_build_table(struct nft_batch *batch, const struct nflog_config *config);
void nflog_build_common(struct nft_batch *batch, const struct nflog_config *config);
void nflog_build_part(struct nft_batch *batch, const struct nflog_config *config);
void nflog_build_remote(struct nft_batch *batch, const struct nflog_config *config);

#endif
