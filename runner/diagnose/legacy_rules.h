/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of iptables-legacy that drop or reject, and whose counters grow during the trials. The
 * kernel can't trace these rules without changing them, but it counts each packet that a rule
 * takes. Only tables that exist are read: to ask for another one would create it. Needs
 * CAP_NET_ADMIN. Source: net/ipv4/netfilter/ip_tables.c, net/ipv6/netfilter/ip6_tables.c,
 * get_entries().
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_LEGACY_RULES_H
#define SYNFAULT_RUNNER_DIAGNOSE_LEGACY_RULES_H

#include "runner/diagnose/evidence.h"

/* A rule that ends a packet's way, with its counter. */
struct legacy_rule {
	char table[32], chain[32];
	unsigned number; /* in its chain, from 1; 0: the chain's policy */
	uint64_t packets;
};

struct legacy_rules {
	int family;
	struct legacy_rule *items;
	size_t n, capacity;
};

/** legacy_rules_read() - read the dropping rules of a family; none if that is not permitted */
void legacy_rules_read(int family, struct legacy_rules *ret);
void legacy_rules_free(struct legacy_rules *rules);

/** legacy_rules_compare() - find the first rule whose counter has grown since */
void legacy_rules_compare(const struct legacy_rules *before, struct legacy_drop *ret);

/**
 * legacy_rules_parse() - add the dropping rules of a table; pure
 * @hook_entry: offset of the first rule of each built-in chain
 * @underflow: offset of the policy of each
 * @valid_hooks: a bit for each built-in chain that the table has
 * @entries: as from the kernel: struct ipt_entry or struct ip6t_entry
 *
 * Return: false if the entries contradict themselves.
 */
bool legacy_rules_parse(struct legacy_rules *rules, const char *table, const uint32_t *hook_entry,
			const uint32_t *underflow, uint32_t valid_hooks, const uint8_t *entries,
			size_t size);

#endif
