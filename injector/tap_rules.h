/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firewall rules that log packets for a tap, in an nftables table apart from the injector's:
 *
 *     table inet NAME {
 *         chain input {                             # filter hook prerouting, priority raw
 *             tcp to or from an endpoint: log group G (SYN, FIN or RST set) or G + 1
 *             icmp errors: log group G
 *         }
 *         chain output {                            # filter hook output, priority raw
 *             not through lo: the same
 *         }
 *     }
 *
 * What stays on the machine goes through lo, comes in there, and is logged when it does: once, and
 * before any rule can drop it.
 */
#ifndef SYNFAULT_INJECTOR_TAP_RULES_H
#define SYNFAULT_INJECTOR_TAP_RULES_H

#include "injector/tap.h"

/* Returns 0 or a negative errno: -ENOENT when the kernel can't log packets (CONFIG_NFT_LOG). */
int tap_rules_install(const struct tap_config *config);

#endif
