/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clang-format off */
/*
 * The firewall rules of one injector: an nftables table of family inet, built with libnftnl and
 * committed in one transaction.
 *
 *     table inet NAME {
 *         chain queue {          # filter hook input, priority -200
 *             tcp SYN (of FIN, SYN, RST, ACK) to an endpoint's address and port: counter, queue
 *             tcp SYN+ACK from an endpoint's address and port: counter, queue
 *         }
 *         chain answer {         # filter hook input, priority -199;
 *                                # with nft_rules_config.repeats: `queue` jumps to it
 *             meta mark REFUSE, to an endpoint: counter, reject with tcp reset
 *             likewise a mark for each kind of ICMP answer that is needed (fwmark.h)
 *         }
 *     }
 *
 * If a script breaks or slows connections, these come before the first rule:
 *
 *     map connections4 { source . port . destination . port : jump track or jump reject }
 *     chain queue  { no SYN: look up the connection in the map … }
 *     chain track  { the mark of a carrier: accept }
 *     chain track  { counter, queue }
 *     chain reject { RST: accept }
 *     chain reject { counter, reject with tcp reset }
 *     chain inject { UDP with the mark of a carrier (udp_inject.h): counter, queue }
 *
 * `inject` is a base chain of the output hook. With nft_rules_config.ends, another rule queues FINs
 * to and from endpoints, and RSTs to them.
 *
 * The queue is on the receiving side. There the client's kernel still retransmits a held SYN, as on
 * a slow network; on the sending side it would stop (net/ipv4/tcp_output.c,
 * skb_still_in_host_queue). Queueing uses the native `queue` expression if the kernel has it
 * (CONFIG_NFT_QUEUE), otherwise the xtables target NFQUEUE (CONFIG_NFT_COMPAT). There is no bypass:
 * if no process reads the queue, SYNs are lost, and a test can't pass.
 *
 * For endpoints on other hosts (`outgoing`) there are two more base chains, since only the output
 * hook sees their SYNs. Packets to an address of this host are left to the input hook:
 *
 *     table inet NAME {
 *         chain queue-out {      # filter hook output, priority -200
 *             meta oif lo, or a mark of the injector's: accept
 *             tcp SYN to an endpoint's address and port: counter, queue
 *         }
 *         chain answer-out { … } # priority -199, as `answer`
 *     }
 *
 * Their connections are followed like others, with the maps and chains above in the same table.
 * `queue` gets packets from the server (and from clients of a server on this host), `queue-out`
 * packets to a server on another host, and the carriers.
 *
 * The first rules of `queue`, `queue-out` and `answer-out` jump to `capture-in`, `capture-out` and
 * `capture-sent`: chains that are empty unless packets are logged (nflog_rules.h). They are not base
 * chains: since none can be made while packets wait (see nft_rules_create_outgoing()), those would
 * have to be in each hook all the time, for all packets of all programs.
 *
 * Several injectors side by side in one network namespace share one table. Separate tables would not
 * work: when a base chain is removed, the kernel drops the packets in all queues of the namespace,
 * those of other processes included (net/netfilter/core.c, __nf_unregister_net_hook, which calls
 * nf_queue_nf_hook_drop). In a common table the base chains stay, and an injector adds and removes
 * only its part:
 *
 *     table inet NAME {
 *         map queues4 { 127.64.1.0 : jump queue-N }  # by network; likewise queues6, answers4, …
 *         chain queue {          # base chain as above
 *             tcp SYN to, or SYN+ACK from, an address whose network is in the map: its verdict
 *         }
 *         chain answer { … }     # likewise
 *         chain queue-N { … }    # the rules of `queue` above
 *         chain answer-N { … }
 *     }
 *
 * For packets of a part's established connections, a map of networks, flows4, leads to the chain
 * flows-N, which is empty if the part follows no connection. For carriers, injects4 leads to
 * inject-N.
 *
 * No process owns a common table. A part whose injector has died drops SYNs to its endpoints until
 * it is removed, or replaced by one with the same number.
 */
/* clang-format on */
#ifndef SYNFAULT_INJECTOR_NFT_RULES_H
#define SYNFAULT_INJECTOR_NFT_RULES_H

#include "common/diag.h"
#include "injector/flow_state.h"

/* The chains of a table for remote endpoints that belong to a capture (nflog.h). */
#define NFT_RULES_CAPTURE_IN   "capture-in"
#define NFT_RULES_CAPTURE_OUT  "capture-out"
#define NFT_RULES_CAPTURE_SENT "capture-sent"
#define NFT_RULES_CAPTURE_LOG  "capture-log"

enum nft_rules_queue_form {
	NFT_RULES_QUEUE_ANY, /* unknown: try both */
	NFT_RULES_QUEUE_NATIVE,
	NFT_RULES_QUEUE_COMPAT,
};

struct rules;

struct nft_rules_config {
	const char *table; /* name of the table; must not exist yet */
	uint16_t queue_number;
	uint32_t refuse_mark;            /* packets accepted with this mark are answered with RST */
	uint32_t unreachables;           /* kinds of ICMP answers that may be needed: 1 << kind */
	const struct address *endpoints; /* all addresses and ports to watch */
	size_t n_endpoints;
	/*
	 * Connections may have to be followed (nft_rules_follow()). If not, all traffic of
	 * established connections leaves at the first rule.
	 */
	bool follows;
	/* Queue the FINs and RSTs of clients, and the FINs of servers, of every connection. */
	bool ends;
	/*
	 * A packet to be answered comes to `queue` once more, by the verdict NF_REPEAT
	 * (queue_config.repeats). So other programs' traffic passes only that chain. Only for a
	 * table of its own, without an `outgoing` one beside it.
	 */
	bool repeats;
	/*
	 * The form that is known to work here. To try one in vain costs milliseconds each time: the
	 * kernel runs modprobe for it, and waits for an RCU grace period before it aborts the
	 * transaction (net/netfilter/nf_tables_api.c, __nf_tables_abort).
	 */
	enum nft_rules_queue_form form;
	/*
	 * For a network namespace that others use, too: the table belongs to our socket and
	 * disappears with this process, even after `kill -9` (NFT_TABLE_F_OWNER, Linux 5.12). Not
	 * needed if the namespace dies with the process: until then a dead injector leaves SYNs
	 * unanswered, and none gets past it. On a kernel without owners the table stays until
	 * another process removes it (nft_rules_remove_common()).
	 */
	bool owned;
	/*
	 * A table for remote endpoints, on this host or another. If it exists, its rules are
	 * replaced, except those of a capture. nft_rules_free() removes its rules and leaves its
	 * base chains, as those of a common table; nft_rules_remove_common() removes it.
	 */
	bool outgoing;
	/*
	 * Add the part with number .part to an existing common table (nft_rules_create_common()),
	 * for endpoints that are all in these networks. NULL: make a table.
	 */
	const struct address_networks *networks;
	uint32_t part;
};

/**
 * nft_rules_install() - install the rules in the network namespace of the calling process
 * @config: what to install
 * @diags: gets a diagnostic for each error
 * @ret: the rules; nft_rules_free() removes them
 *
 * Return: 0; -EPERM without CAP_NET_ADMIN; -EOPNOTSUPP if the kernel has neither form of queueing
 * (the diagnostic names the missing options); -EEXIST; or another negative errno.
 */
int nft_rules_install(const struct nft_rules_config *config, struct diag_list *diags,
		      struct rules **ret);
/** nft_rules_queue_form() - return the form that is used; never NFT_RULES_QUEUE_ANY */
enum nft_rules_queue_form nft_rules_queue_form(const struct rules *rules);

/**
 * nft_rules_follow() - queue or reject a connection's packets
 * @rules: installed with .follows
 * @client: the connection's client
 * @server: its server
 * @handling: what to do with its packets without SYN; not FLOW_UNTOUCHED
 *
 * Takes effect before it returns, without waiting for a grace period, and lasts as long as the
 * rules, or until nft_rules_unfollow().
 *
 * Return: 0 or a negative errno.
 */
int nft_rules_follow(struct rules *rules, const struct address *client,
		     const struct address *server, enum flow_handling handling);

/**
 * nft_rules_unfollow() - stop following a connection, because a new one with the same addresses and
 * ports is not followed
 *
 * Waits for a grace period.
 *
 * Return: 0 or a negative errno.
 */
int nft_rules_unfollow(struct rules *rules, const struct address *client,
		       const struct address *server);

/**
 * nft_rules_count_refused() - read how many packets the answer rules have answered
 *
 * Return: 0 or a negative errno (-ENOENT if the table is gone).
 */
int nft_rules_count_refused(struct rules *rules, uint64_t *ret_packets);
/**
 * nft_rules_count_rejected() - read the same count for packets of rejected connections: 0 if none
 * is followed; return as above
 */
int nft_rules_count_rejected(struct rules *rules, uint64_t *ret_packets);
/**
 * nft_rules_count_queued() - read the same count for packets that were sent to the queue, with any
 * verdict; return as above
 */
int nft_rules_count_queued(struct rules *rules, uint64_t *ret_packets);

/**
 * nft_rules_verify() - check that all rules still exist
 * @rules: the rules
 *
 * Another process may have emptied a chain, a set, or a map of a common table: then SYNs pass
 * unseen, and no counter says so.
 *
 * Return: 0; -ENOENT if something is missing; or another negative errno.
 */
int nft_rules_verify(struct rules *rules);

/**
 * nft_rules_free() - remove the table, or the part of a common one; NULL is allowed
 *
 * Waits for an RCU grace period (8 to 16 ms). A process that ends together with its network
 * namespace saves that time by not calling it.
 */
void nft_rules_free(struct rules *rules);
/**
 * nft_rules_leave() - free the rules, but leave the part of a common table in place
 *
 * It drops SYNs until a part with the same number replaces it. NULL is allowed.
 */
void nft_rules_leave(struct rules *rules);

/**
 * nft_rules_create_common() - make a common table without parts; do nothing if it exists
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int nft_rules_create_common(const char *table, struct diag_list *diags);
/**
 * nft_rules_remove_common() - remove a common table with all its parts
 *
 * Return: 0 or a negative errno (-ENOENT if there is no such table).
 */
int nft_rules_remove_common(const char *table);
/**
 * nft_rules_remove_tables() - remove several tables in one transaction, as nft_rules_remove_parts()
 * does with parts
 *
 * Return: 0, or a negative errno if one of them could not be removed: then none was.
 */
int nft_rules_remove_tables(const char *const *tables, size_t n_tables);
/**
 * nft_rules_list_parts() - call @on_part for each part of a common table, perhaps repeatedly
 *
 * Return: 0 or a negative errno.
 */
int nft_rules_list_parts(const char *table, void (*on_part)(void *userdata, uint32_t part),
			 void *userdata);
/**
 * nft_rules_create_outgoing() - make a table for remote endpoints with empty base chains; if it
 * exists, it stays as it is
 *
 * Call it while no packet waits in any queue: the kernel remembers by number how many base chains
 * such a packet has passed (net/netfilter/nf_queue.c, nf_reinject), and queues it once more if a
 * chain was added.
 *
 * Return: 0 or a negative errno.
 */
int nft_rules_create_outgoing(const char *table);
/**
 * nft_rules_flush_outgoing() - remove the rules of such a table, if it has any
 *
 * Return: 0 or a negative errno.
 */
int nft_rules_flush_outgoing(const char *table);
/**
 * nft_rules_list_outgoing() - call @on_table for each table for remote endpoints (`outgoing`) whose
 * name is @prefix and a number
 *
 * Return: 0 or a negative errno.
 */
int nft_rules_list_outgoing(const char *prefix, void (*on_table)(void *userdata, uint32_t number),
			    void *userdata);
/**
 * nft_rules_remove_part() - remove a part that another process added
 *
 * Return: 0 or a negative errno.
 */
int nft_rules_remove_part(const char *table, uint32_t part,
			  const struct address_networks *networks);
struct nft_rules_part {
	uint32_t part;
	struct address_networks networks;
};
/**
 * nft_rules_remove_parts() - remove many parts in one transaction: each transaction that removes
 * something costs an RCU grace period, under a lock that all transactions share
 *
 * Return: 0, or a negative errno if one of them could not be removed: then none was.
 */
int nft_rules_remove_parts(const char *table, const struct nft_rules_part *parts, size_t n_parts);

#endif
