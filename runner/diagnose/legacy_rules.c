/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of iptables-legacy: see legacy_rules.h. */
#include "runner/diagnose/legacy_rules.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

/* The standard target holds a verdict as -verdict - 1, and jumps as offsets (x_tables.h). */
enum { VERDICT_DROP = -NF_DROP - 1 };

static const char *const builtin[NF_INET_NUMHOOKS] = {
	[NF_INET_PRE_ROUTING] = "PREROUTING",   [NF_INET_LOCAL_IN] = "INPUT",
	[NF_INET_FORWARD] = "FORWARD",          [NF_INET_LOCAL_OUT] = "OUTPUT",
	[NF_INET_POST_ROUTING] = "POSTROUTING",
};

/* What the entries of both families have in common. */
struct entry {
	uint16_t target, next; /* offsets */
	uint64_t packets;
};

static bool read_entry(int family, const uint8_t *data, size_t size, struct entry *ret)
{
	if (family == AF_INET) {
		struct ipt_entry entry;

		if (size < sizeof(entry))
			return false;
		memcpy(&entry, data, sizeof(entry));
		*ret = (struct entry){entry.target_offset, entry.next_offset, entry.counters.pcnt};
	} else {
		struct ip6t_entry entry;

		if (size < sizeof(entry))
			return false;
		memcpy(&entry, data, sizeof(entry));
		*ret = (struct entry){entry.target_offset, entry.next_offset, entry.counters.pcnt};
	}
	return ret->next <= size && ret->next > ret->target &&
	       ret->next - ret->target >= (int)sizeof(struct xt_entry_target);
}

/* Returns whether the target drops or rejects. */
static bool ends(const uint8_t *target, size_t size)
{
	struct xt_standard_target standard;

	memcpy(&standard, target, MIN(size, sizeof(standard)));
	if (strncmp(standard.target.u.user.name, "REJECT", XT_EXTENSION_MAXNAMELEN) == 0)
		return true;
	return size >= sizeof(standard) && standard.target.u.user.name[0] == '\0' &&
	       standard.verdict == VERDICT_DROP;
}

/* Reads the name of the user's chain that begins here; returns whether one does. */
static bool begins_chain(const uint8_t *target, size_t size, char ret[static 32])
{
	struct xt_error_target error;

	if (size < sizeof(error))
		return false;
	memcpy(&error, target, sizeof(error));
	if (strncmp(error.target.u.user.name, XT_ERROR_TARGET, XT_EXTENSION_MAXNAMELEN) != 0)
		return false;
	memcpy(ret, error.errorname, XT_FUNCTION_MAXNAMELEN);
	ret[31] = '\0';
	return true;
}

bool legacy_rules_parse(struct legacy_rules *rules, const char *table, const uint32_t *hook_entry,
			const uint32_t *underflow, uint32_t valid_hooks, const uint8_t *entries,
			size_t size)
{
	struct legacy_rule rule = {0};
	struct entry entry;

	snprintf(rule.table, sizeof(rule.table), "%s", table);
	for (size_t at = 0; at < size; at += entry.next) {
		const uint8_t *target;
		bool policy = false;

		if (!read_entry(rules->family, entries + at, size - at, &entry))
			return false;
		target = entries + at + entry.target;
		rule.number++;
		for (size_t i = 0; i < ARRAY_SIZE(builtin); i++) {
			if (!(valid_hooks & 1u << i))
				continue;
			policy = policy || underflow[i] == at;
			if (hook_entry[i] != at)
				continue;
			snprintf(rule.chain, sizeof(rule.chain), "%s", builtin[i]);
			rule.number = 1;
		}
		if (begins_chain(target, entry.next - entry.target, rule.chain))
			rule.number = 0;
		else if (ends(target, entry.next - entry.target)) {
			rule.packets = entry.packets;
			array_append(rules->items, rules->n, rules->capacity, rule);
			if (policy)
				rules->items[rules->n - 1].number = 0;
		}
	}
	return true;
}

/* Reads one table that exists. */
static void read_table(struct legacy_rules *rules, int fd, const char *name)
{
	/* The structures and options of both families are the same. */
	int level = rules->family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	struct ipt_getinfo info = {0};
	socklen_t length = sizeof(info);
	AUTO_FREE struct ipt_get_entries *entries = NULL;

	snprintf(info.name, sizeof(info.name), "%s", name);
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &info, &length) < 0)
		return;
	entries = xzalloc(sizeof(*entries) + info.size);
	memcpy(entries->name, info.name, sizeof(entries->name));
	entries->size = info.size;
	length = (socklen_t)(sizeof(*entries) + info.size);
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, entries, &length) == 0)
		legacy_rules_parse(rules, name, info.hook_entry, info.underflow, info.valid_hooks,
				   (const uint8_t *)entries->entrytable, info.size);
}

void legacy_rules_read(int family, struct legacy_rules *ret)
{
	AUTO_FCLOSE FILE *names = fopen(family == AF_INET ? "/proc/net/ip_tables_names"
							  : "/proc/net/ip6_tables_names",
					"re");
	AUTO_CLOSE int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[XT_TABLE_MAXNAMELEN];

	*ret = (struct legacy_rules){.family = family};
	while (names && fd >= 0 && fscanf(names, "%31s", name) == 1)
		read_table(ret, fd, name);
}

void legacy_rules_free(struct legacy_rules *rules)
{
	free(rules->items);
	*rules = (struct legacy_rules){.family = rules->family};
}

static bool is_same_rule(const struct legacy_rule *a, const struct legacy_rule *b)
{
	return a->number == b->number && strcmp(a->table, b->table) == 0 &&
	       strcmp(a->chain, b->chain) == 0;
}

void legacy_rules_compare(const struct legacy_rules *before, struct legacy_drop *ret)
{
	struct legacy_rules after;

	*ret = (struct legacy_drop){0};
	legacy_rules_read(before->family, &after);
	for (size_t i = 0; i < after.n && i < before->n && ret->packets == 0; i++) {
		const struct legacy_rule *rule = &after.items[i];

		/* Rules that were changed in the meantime can't be compared. */
		if (!is_same_rule(rule, &before->items[i]))
			break;
		if (rule->packets <= before->items[i].packets)
			continue;
		ret->packets = rule->packets - before->items[i].packets;
		ret->number = rule->number;
		ret->ipv6 = before->family == AF_INET6;
		memcpy(ret->table, rule->table, sizeof(ret->table));
		memcpy(ret->chain, rule->chain, sizeof(ret->chain));
	}
	legacy_rules_free(&after);
}
