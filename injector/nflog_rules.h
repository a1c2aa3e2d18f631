/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firewall rules that log packets for a tap, in an nftables table apart from the injector's:
 *
 *     table inet NAME {
 *         chain input {                             # filter hook prerouting, priority raw
 *             tcp with SYN, FIN or RST, icmp, icmpv6 errors: log group G
 *             other tcp: log group G + 1
 *         }
 *     }
 *
 * What stays on the machine goes through lo, comes in there, and is logged when it does: once, and
 * before any rule can drop it.
 *
 * What goes to an endpoint on another host is seen in the hook output alone, and what comes from
 * there in the hook input. Both are logged by chains of the injector's table for such endpoints,
 * which jumps to them before it does anything else (nft_rules.h, `outgoing`):
 *
 *     table inet synfault-remote-N {
 *         chain capture-out {   # not to lo, and without a mark of the injector's
 *             tcp to an endpoint: goto capture-log
 *         }
 *         chain capture-sent {  # not to lo, with the mark of a carrier (udp_inject.h): what it
 * became tcp to an endpoint: goto capture-log
 *         }
 *         chain capture-in {
 *             tcp from an endpoint, or over lo to one; icmp that quotes a packet to one:
 *                 goto capture-log
 *         }
 *         chain capture-log {   # rules as above, that return
 *         }
 *     }
 */
#ifndef SYNFAULT_INJECTOR_NFLOG_RULES_H
#define SYNFAULT_INJECTOR_NFLOG_RULES_H

#include "injector/address.h"

struct event_base;
struct mnl_socket;
struct nflog_packet;

/* What a tap captures, and how; the rules need the names and numbers. */
struct nflog_config {
	const char *table; /* name of the nftables table */
	uint16_t group;    /* of nfnetlink_log; the next one is used too */
	/*
	 * Others use the network namespace too: the table is a common one (which is made if need
	 * be), of which this tap has the part with this number, for all that goes to and from these
	 * networks. NULL: the table is its own, and disappears with the network namespace.
	 */
	const struct address_networks *networks;
	uint32_t part;
	/*
	 * Endpoints that others provide, with the table that their rules are in (nft_rules.h,
	 * `outgoing`), which is there, and the mark that the injector's own are derived from
	 * (fwmark.h). NULL: there are none.
	 */
	const char *remote_table;
	const struct address *remotes;
	size_t n_remotes;
	uint32_t refuse_mark;
	struct event_base *base; /* has to live until nflog_end() */
	/* Called for each packet, from the loop and later from the tap's thread, never from both.
	 */
	void (*on_packet)(void *userdata, const struct nflog_packet *packet);
	void *userdata;
};

/*
 * A common table has parts, each for all that goes to and from a sandbox's networks:
 *
 *     table inet NAME {
 *         map networks4 { 127.64.1.0: goto log-N }  # likewise networks6
 *         chain input {                             # base chain as above
 *             from, or else to, an address whose network is in the map: its verdict
 *         }
 *         chain log-N {                             # rules as above
 *         }
 *     }
 *
 * A part says nothing that could change from one sandbox with its number to the next, so it stays,
 * with nobody to log to, until the table is removed: removing it alone would cost an RCU grace
 * period.
 *
 * The rules for remote endpoints are replaced; they go when that table is flushed.
 *
 * @socket: one of NETLINK_NETFILTER that is bound. Returns 0 or a negative errno: -ENOENT when the
 * kernel can't log packets (CONFIG_NFT_LOG).
 */
int nflog_rules_install(const struct nflog_config *config, struct mnl_socket *socket);

/*
 * Removes a common table if it is there. With it go all packets that are held in any queue of the
 * network namespace (nft_rules.h). Returns 0 or a negative errno (-ENOENT: there was none).
 */
int nflog_rules_remove_common(const char *table);

#endif
