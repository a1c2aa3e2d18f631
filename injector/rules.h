/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firewall rules of one injector: a single nftables table of family inet, built with libnftnl
 * and committed in one transaction.
 *
 *     table inet NAME {
 *         chain queue {                             # filter hook input, priority -200
 *             tcp SYN (FIN, SYN, RST, ACK looked at) to an endpoint's address and port:
 *                 counter, queue
 *             tcp SYN+ACK from an endpoint's address and port: counter, queue
 *         }
 *         chain answer {                            # filter hook input, priority -199
 *             meta mark REFUSE to an endpoint: counter, reject with tcp reset
 *         }
 *     }
 *
 * The queue stands on the receiving side: held there, the kernel's retransmission goes on as on a
 * slow network (held on the sending side it stops: net/ipv4/tcp_output.c, skb_still_in_host_queue).
 * Queueing uses the native `queue` expression where the kernel has it (CONFIG_NFT_QUEUE), else the
 * xtables target NFQUEUE through CONFIG_NFT_COMPAT. No bypass: with nobody listening, SYNs are lost
 * and a test can't pass.
 *
 * Tables of several injectors stand side by side in one network namespace: each packet passes the
 * queue chains of all of them before the answer chains of all of them. Hence the answer chain looks
 * at the address too, and each injector has a mark of its own.
 */
#ifndef SYNFAULT_INJECTOR_RULES_H
#define SYNFAULT_INJECTOR_RULES_H

#include "common/diag.h"
#include "injector/address.h"

enum rules_queue_form {
	RULES_QUEUE_ANY, /* not known yet: the native one is tried first */
	RULES_QUEUE_NATIVE,
	RULES_QUEUE_COMPAT,
};

struct rules;

struct rules_config {
	const char *table; /* name of the table; must not exist yet */
	uint16_t queue_number;
	uint32_t refuse_mark;            /* packets accepted with this mark are answered with RST */
	const struct address *endpoints; /* all addresses and ports to watch */
	size_t n_endpoints;
	/*
	 * The form that is known to work here. Trying the native one in vain costs milliseconds
	 * each time: the kernel runs modprobe for it.
	 */
	enum rules_queue_form form;
	/*
	 * For a network namespace that others use too: the table belongs to our socket and
	 * disappears with this process, `kill -9` included (NFT_TABLE_F_OWNER, Linux 5.12). Leave
	 * it out where the namespace dies with the process: there a dead injector leaves SYNs
	 * unanswered, and nothing gets past it. On a kernel without owners the table stays until
	 * somebody removes it (rules_remove()).
	 */
	bool owned;
};

/*
 * Installs the table in the network namespace of the calling process. On success *@ret owns the
 * netlink socket; rules_free() removes the table. Returns 0; -EPERM without CAP_NET_ADMIN,
 * -EOPNOTSUPP when the kernel has neither form of queueing (the diagnostic names the missing
 * options), -EEXIST, or another negative errno, each with a diagnostic added to @diags.
 */
int rules_install(const struct rules_config *config, struct diag_list *diags, struct rules **ret);
/* The form that was used; never RULES_QUEUE_ANY. */
enum rules_queue_form rules_queue_form(const struct rules *rules);

/*
 * Reads how many packets the reject rule has answered. Returns 0 or a negative errno (-ENOENT: the
 * table is gone).
 */
int rules_count_refused(struct rules *rules, uint64_t *ret_packets);
/* The same of the packets that were sent to the queue, whatever became of them there. */
int rules_count_queued(struct rules *rules, uint64_t *ret_packets);

/* Removes the table; NULL is allowed. */
void rules_free(struct rules *rules);

/*
 * Calls @on_table with the name of each table of family inet in the network namespace of the
 * calling process. Returns 0 or a negative errno.
 */
int rules_list(void (*on_table)(void *userdata, const char *table), void *userdata);
/* Removes a table that nobody owns. Returns 0 or a negative errno. */
int rules_remove(const char *table);

#endif
