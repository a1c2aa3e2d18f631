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
 * Where a script does something to connections, more comes before the first rule:
 *
 *     map connections4 { source . port . destination . port : jump track or jump reject }
 *     chain queue  { no SYN: what the map says of the connection … }
 *     chain track  { the mark of a carrier: accept }
 *     chain track  { counter, queue }
 *     chain reject { RST: accept }
 *     chain reject { counter, reject with tcp reset }
 *     chain inject { UDP with the mark of a carrier (udp_inject.h): counter, queue }
 *
 * `inject` is a base chain of the hook output. Where ends are wanted (nft_rules_config.ends), a
 * rule follows that queues FINs to and from endpoints, and RSTs to them.
 *
 * The queue is on the receiving side. There the client's kernel goes on to repeat a SYN that is
 * held, as on a slow network; on the sending side it stops (net/ipv4/tcp_output.c,
 * skb_still_in_host_queue). Queueing uses the native `queue` expression where the kernel has it
 * (CONFIG_NFT_QUEUE), else the xtables target NFQUEUE (CONFIG_NFT_COMPAT). There is no bypass: when
 * no process reads the queue, SYNs are lost, and a test can't pass.
 *
 * For endpoints on other hosts (`outgoing`) there are two more base chains, since only the output
 * hook sees a SYN to one of them. Packets to an address of this host are left to the input hook:
 *
 *     table inet NAME {
 *         chain queue-out {      # filter hook output, priority -200
 *             meta oif lo, or a mark of the injector's: accept
 *             tcp SYN to an endpoint's address and port: counter, queue
 *         }
 *         chain answer-out { … } # priority -199, as `answer`
 *     }
 *
 * Their connections are followed as others are, with the maps and chains above in the same table:
 * `queue` has what comes from the server (and from clients of a server on this host), `queue-out`
 * what goes to one on another host, and the carriers.
 *
 * The first rule of `queue`, `queue-out` and `answer-out` jumps to `capture-in`, `capture-out` and
 * `capture-sent`: chains that are empty unless packets are logged (nflog_rules.h). They are not base
 * chains: those would have to be in each hook all the time, for all packets of all programs, since
 * none can be made while packets wait (see nft_rules_create_outgoing()).
 *
 * Several injectors side by side in one network namespace share one table. A table for each would
 * not do: when a base chain is removed, the kernel drops the packets that are held in all queues of
 * the namespace, those of other processes included (net/netfilter/core.c, __nf_unregister_net_hook,
 * which calls nf_queue_nf_hook_drop). In a common table the base chains stay, and an injector adds
 * and removes only its part:
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
 * Packets of established connections of parts pass a map of networks, flows4, to the chain flows-N,
 * which is empty where the part follows none; carriers likewise pass injects4 to inject-N.
 *
 * No process owns a common table. A part whose injector is dead drops SYNs to its endpoints, until
 * it is removed, or replaced by one with the same number.
 */
/* clang-format on */
#ifndef SYNFAULT_INJECTOR_NFT_RULES_H
#define SYNFAULT_INJECTOR_NFT_RULES_H

#include "common/diag.h"
#include "injector/flow_state.h"

/* The chains of a table for others' endpoints that belong to a tap. */
#define NFT_RULES_CAPTURE_IN   "capture-in"
#define NFT_RULES_CAPTURE_OUT  "capture-out"
#define NFT_RULES_CAPTURE_SENT "capture-sent"
#define NFT_RULES_CAPTURE_LOG  "capture-log"

enum nft_rules_queue_form {
	NFT_RULES_QUEUE_ANY, /* not known yet: the native one is tried first */
	NFT_RULES_QUEUE_NATIVE,
	NFT_RULES_QUEUE_COMPAT,
};

struct rules;

struct nft_rules_config {
	const char *table; /* name of the table; must not exist yet */
	uint16_t queue_number;
	uint32_t refuse_mark;            /* packets accepted with this mark are answered with RST */
	uint32_t unreachables;           /* kinds of ICMP answers to be ready for: 1 << kind */
	const struct address *endpoints; /* all addresses and ports to watch */
	size_t n_endpoints;
	/*
	 * Connections may have to be followed (nft_rules_follow()). Without it all traffic of
	 * established connections leaves at the first rule.
	 */
	bool follows;
	/*
	 * FINs and RSTs of clients, and FINs of servers, go to the queue on every connection. All
	 * else is as without.
	 */
	bool ends;
	/*
	 * A packet that is to be answered comes to `queue` once more, by the verdict NF_REPEAT
	 * (queue_config.repeats): that chain is all that traffic which is none of ours has to pass.
	 * For a table of one's own without `outgoing` ones beside it.
	 */
	bool repeats;
	/*
	 * The form that is known to work here. Trying the native one in vain costs milliseconds
	 * each time: the kernel runs modprobe for it, and waits for an RCU grace period before it
	 * forgets what it has begun (net/netfilter/nf_tables_api.c, __nf_tables_abort).
	 */
	enum nft_rules_queue_form form;
	/*
	 * For a network namespace that others use too: the table belongs to our socket and
	 * disappears with this process, `kill -9` included (NFT_TABLE_F_OWNER, Linux 5.12). Leave
	 * it out where the namespace dies with the process: there a dead injector leaves SYNs
	 * unanswered, and nothing gets past it. On a kernel without owners the table stays until
	 * somebody removes it (nft_rules_remove()).
	 */
	bool owned;
	/*
	 * A table for endpoints that others provide, on this host or another. It may be there: its
	 * rules are replaced, but for those of a tap. nft_rules_free() takes away its rules and
	 * leaves its base chains, as those of a common table; nft_rules_remove_common() removes it.
	 */
	bool outgoing;
	/*
	 * The table is a common one, which is there (nft_rules_create_common()), and this is what
	 * to add to it: the part with number @part, for endpoints that are all in these networks.
	 * NULL: the table is to be made.
	 */
	const struct address_networks *networks;
	uint32_t part;
};

/*
 * Installs the table in the network namespace of the calling process. On success *@ret owns the
 * netlink socket; nft_rules_free() removes the table. Returns 0; -EPERM without CAP_NET_ADMIN,
 * -EOPNOTSUPP when the kernel has neither form of queueing (the diagnostic names the missing
 * options), -EEXIST, or another negative errno, each with a diagnostic added to @diags.
 */
int nft_rules_install(const struct nft_rules_config *config, struct diag_list *diags,
		      struct rules **ret);
/* The form that was used; never NFT_RULES_QUEUE_ANY. */
enum nft_rules_queue_form nft_rules_queue_form(const struct rules *rules);

/*
 * From now on, packets of the connection from @client to @server that have no SYN go to the queue,
 * or are answered with RST, as @handling says (not FLOW_UNTOUCHED); for rules that `follow`. Takes
 * effect before it returns and waits for no grace period. Lasts until the rules go. Returns 0 or a
 * negative errno.
 */
int nft_rules_follow(struct rules *rules, const struct address *client,
		     const struct address *server, enum flow_handling handling);

/*
 * The connection is gone, and the next with the same addresses and ports is none of those. Waits
 * for a grace period. Returns 0 or a negative errno.
 */
int nft_rules_unfollow(struct rules *rules, const struct address *client,
		       const struct address *server);

/*
 * Reads how many packets the reject rules have answered. Returns 0 or a negative errno (-ENOENT:
 * the table is gone).
 */
int nft_rules_count_refused(struct rules *rules, uint64_t *ret_packets);
/* The same of the packets of rejected connections; 0 where none is followed. */
int nft_rules_count_rejected(struct rules *rules, uint64_t *ret_packets);
/* The same of the packets that were sent to the queue, whatever became of them there. */
int nft_rules_count_queued(struct rules *rules, uint64_t *ret_packets);

/**
 * nft_rules_verify() - check that all rules are still there
 *
 * Another process may have emptied a chain, a set, or a map of a common table: then SYNs pass
 * unseen, and no counter says so.
 *
 * Return: 0; -ENOENT when something is missing; or another negative errno.
 */
int nft_rules_verify(struct rules *rules);

/*
 * Removes the table, or the part of a common one; NULL is allowed. Waits for an RCU grace period (8
 * to 16 ms), which a process that ends together with its network namespace can spare itself by not
 * calling it.
 */
void nft_rules_free(struct rules *rules);
/*
 * Forgets the part of a common table, which stays and drops SYNs, until one with the same number
 * takes its place. NULL is allowed.
 */
void nft_rules_leave(struct rules *rules);

/*
 * Makes a common table with no parts; does nothing when it is there. Returns 0 or a negative errno,
 * with a diagnostic.
 */
int nft_rules_create_common(const char *table, struct diag_list *diags);
/* Removes a common table with all its parts. Returns 0 or a negative errno (-ENOENT: none). */
int nft_rules_remove_common(const char *table);
/*
 * Removes several tables in one transaction, as nft_rules_remove_parts() does parts. Returns 0, or
 * a negative errno when one of them could not be removed: then none was.
 */
int nft_rules_remove_tables(const char *const *tables, size_t n_tables);
/* Calls @on_part for each part of a common table, maybe more than once. Returns 0 or a negative
 * errno.
 */
int nft_rules_list_parts(const char *table, void (*on_part)(void *userdata, uint32_t part),
			 void *userdata);
/*
 * Makes a table for endpoints that others provide, with its base chains and nothing in them; what
 * is there stays. To be done while no packet waits in a queue: one that does counts the base chains
 * that it has passed (net/netfilter/nf_queue.c, nf_reinject), and when there are more of them is
 * queued once more. Returns 0 or a negative errno.
 */
int nft_rules_create_outgoing(const char *table);
/* Takes away the rules of such a table, if it has any. Returns 0 or a negative errno. */
int nft_rules_flush_outgoing(const char *table);
/*
 * Calls @on_table for each table for endpoints that others provide (`outgoing`) whose name is
 * @prefix and a number. Returns 0 or a negative errno.
 */
int nft_rules_list_outgoing(const char *prefix, void (*on_table)(void *userdata, uint32_t number),
			    void *userdata);
/* Removes a part that somebody else added. Returns 0 or a negative errno. */
int nft_rules_remove_part(const char *table, uint32_t part,
			  const struct address_networks *networks);
struct nft_rules_part {
	uint32_t part;
	struct address_networks networks;
};
/*
 * Removes many parts in one transaction: each transaction that removes something costs an RCU grace
 * period, under the lock of all of them. Returns 0, or a negative errno when one of them could not
 * be removed: then none was.
 */
int nft_rules_remove_parts(const char *table, const struct nft_rules_part *parts, size_t n_parts);

#endif
