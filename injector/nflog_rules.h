/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clang-format off */
/*
 * The firewall rules that log packets for a capture, in an nftables table apart from the injector's:
 *
 *     table inet NAME {
 *         chain input {                             # filter hook prerouting, priority raw
 *             tcp with SYN, FIN or RST, icmp, icmpv6 errors: log group G
 *             other tcp: log group G + 1
 *         }
 *     }
 *
 * Packets that stay on the machine are logged when they come in through lo: once, and before any rule
 * can drop them.
 *
 * Packets to an endpoint on another host are seen only in the output hook, packets from there in the
 * input hook. Chains of the injector's table for such endpoints log both; that table jumps to them
 * before it does anything else (nft_rules.h, `outgoing`):
 *
 *     table inet synfault-remote-N {
 *         chain capture-out {   # not to lo, and without a mark of the injector's
 *             tcp to an endpoint: goto capture-log
 *         }
 *         chain capture-sent {  # not to lo, with the mark of a carrier (udp_inject.h): the packet
 *                               # that it became
 *             tcp to an endpoint: goto capture-log
 *         }
 *         chain capture-in {
 *             tcp from an endpoint, or over lo to one; icmp that quotes a packet to one:
 *                 goto capture-log
 *         }
 *         chain capture-log {   # rules as above, which return
 *         }
 *     }
 */
/* clang-format on */
#ifndef SYNFAULT_INJECTOR_NFLOG_RULES_H
#define SYNFAULT_INJECTOR_NFLOG_RULES_H

#include "injector/address.h"

struct event_base;
struct mnl_socket;
struct nflog_packet;

/* What to capture, and how. The rules need the names and numbers. */
struct nflog_config {
	const char *table; /* name of the nftables table */
	uint16_t group;    /* of nfnetlink_log; the next one is used too */
	/*
	 * Other processes use the network namespace, too. The table is a common one, made if
	 * necessary; this capture has the part with number @part, for all packets to and from these
	 * networks. NULL: the table is its own, and disappears with the network namespace.
	 */
	const struct address_networks *networks;
	uint32_t part;
	/*
	 * Remote endpoints, the existing table with their rules (nft_rules.h, `outgoing`), and the
	 * mark from which the injector's marks are derived (fwmark.h). NULL: no remote endpoints.
	 */
	const char *remote_table;
	const struct address *remotes;
	size_t n_remotes;
	uint32_t refuse_mark;
	struct event_base *base; /* borrowed until nflog_end() */
	/* Called for each packet: first from the loop, later perhaps from a thread, never from
	 * both.
	 */
	void (*on_packet)(void *userdata, const struct nflog_packet *packet);
	void *userdata;
};

/**
 * nflog_rules_install() - install the rules
 * @config: what to log
 * @socket: a bound socket of NETLINK_NETFILTER
 *
 * A common table has parts, each for the packets to and from a sandbox's networks:
 *
 *     table inet NAME {
 *         map networks4 { 127.64.1.0: goto log-N }  # likewise networks6
 *         chain input {                             # base chain as above
 *             from, otherwise to, an address whose network is in the map: its verdict
 *         }
 *         chain log-N {                             # rules as above
 *         }
 *     }
 *
 * A part is the same for every sandbox with its number. So it stays until the table is removed,
 * though its packets go nowhere: to remove it alone would cost an RCU grace period.
 *
 * The rules for remote endpoints are replaced; nft_rules_flush_outgoing() removes them.
 *
 * Return: 0 or a negative errno: -ENOENT if the kernel can't log packets (CONFIG_NFT_LOG).
 */
int nflog_rules_install(const struct nflog_config *config, struct mnl_socket *socket);

/**
 * nflog_rules_remove_common() - remove a common table
 *
 * The kernel then drops all packets that wait in any queue of the network namespace (nft_rules.h).
 *
 * Return: 0 or a negative errno (-ENOENT if there is no such table).
 */
int nflog_rules_remove_common(const char *table);

#endif
