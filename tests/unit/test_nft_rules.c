/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firewall rules as they go to the kernel: the messages are built, decoded again, and compared
 * line by line. The line of a rule names its chain, and its expressions in order.
 */
#include <criterion/criterion.h>

#include "injector/nflog_rules.h"
#include "injector/nft_batch.h"

#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "common/strbuf.h"

static void describe_rule(const struct nlmsghdr *message, struct strbuf *out)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nftnl_expr_iter *iter;
	struct nftnl_expr *expr;

	cr_assert_geq(nftnl_rule_nlmsg_parse(message, rule), 0);
	strbuf_printf(out, "rule %s:", nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));
	iter = nftnl_expr_iter_create(rule);
	while ((expr = nftnl_expr_iter_next(iter)))
		strbuf_printf(out, " %s", nftnl_expr_get_str(expr, NFTNL_EXPR_NAME));
	nftnl_expr_iter_destroy(iter);
	nftnl_rule_free(rule);
}

static void describe_chain(const struct nlmsghdr *message, struct strbuf *out)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();

	cr_assert_geq(nftnl_chain_nlmsg_parse(message, chain), 0);
	strbuf_printf(out, "chain %s", nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));
	if (nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM))
		strbuf_printf(out, " hook %u priority %d",
			      nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM),
			      nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO));
	nftnl_chain_free(chain);
}

static void describe_set(const struct nlmsghdr *message, bool elements, struct strbuf *out)
{
	struct nftnl_set *set = nftnl_set_alloc();
	struct nftnl_set_elems_iter *iter;
	unsigned n = 0;

	if (elements)
		cr_assert_geq(nftnl_set_elems_nlmsg_parse(message, set), 0);
	else
		cr_assert_geq(nftnl_set_nlmsg_parse(message, set), 0);
	strbuf_printf(out, "%s %s", elements ? "elements of" : "set",
		      nftnl_set_get_str(set, NFTNL_SET_NAME));
	iter = nftnl_set_elems_iter_create(set);
	while (elements && nftnl_set_elems_iter_next(iter))
		n++;
	nftnl_set_elems_iter_destroy(iter);
	if (elements)
		strbuf_printf(out, ": %u", n);
	nftnl_set_free(set);
}

static void describe(const struct nlmsghdr *message, struct strbuf *out)
{
	switch (message->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		strbuf_puts(out, "table\n");
		return;
	case NFT_MSG_NEWCHAIN:
		describe_chain(message, out);
		break;
	case NFT_MSG_DELCHAIN:
		strbuf_puts(out, "delete ");
		describe_chain(message, out);
		break;
	case NFT_MSG_NEWSET:
		describe_set(message, false, out);
		break;
	case NFT_MSG_DELSET:
		strbuf_puts(out, "delete ");
		describe_set(message, false, out);
		break;
	case NFT_MSG_NEWSETELEM:
		describe_set(message, true, out);
		break;
	case NFT_MSG_DELSETELEM:
		strbuf_puts(out, "delete ");
		describe_set(message, true, out);
		break;
	case NFT_MSG_NEWRULE:
		describe_rule(message, out);
		break;
	default:
		strbuf_printf(out, "type %d", message->nlmsg_type & 0xff);
		break;
	}
	strbuf_puts(out, "\n");
}

/* Describes all messages but the batch's begin, and frees them. */
static char *describe_all(struct nft_batch *batch)
{
	struct strbuf text = {0};
	int left = (int)batch->messages.length;

	for (const struct nlmsghdr *message = (const void *)batch->messages.data;
	     mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		if (message->nlmsg_type != NFNL_MSG_BATCH_BEGIN)
			describe(message, &text);
	netlink_batch_deinit(&batch->messages);
	return strbuf_steal(&text);
}

/* Builds the rules for 127.64.1.7:80, and describes all messages but the batch's begin. */
static char *build(struct nft_rules_config *config, bool replace)
{
	struct address endpoint;
	struct rules rules = {.sequence = 1, .form = NFT_RULES_QUEUE_NATIVE};
	struct nft_batch batch;

	cr_assert_eq(address_parse("127.64.1.7", 80, &endpoint), 0);
	config->endpoints = &endpoint;
	config->n_endpoints = 1;
	rules.table = xstrdup("t");
	rules.follows = config->follows;
	rules.ends = config->ends;
	rules.outgoing = config->outgoing;
	nft_rules_set_names(&rules, config->networks, config->part);
	nft_batch_init(&batch, &rules);
	nft_rules_build(&batch, config, false, replace);
	free(rules.table);
	return describe_all(&batch);
}

#define SHORTCUT "payload bitwise cmp immediate"
/* family; TCP; flags; address and port */
#define ENDPOINT "meta cmp meta cmp payload bitwise cmp payload payload lookup"
#define END      "meta cmp meta cmp payload bitwise cmp payload bitwise cmp payload payload lookup"
#define ANSWER   "meta cmp meta cmp meta cmp payload payload lookup counter reject"
#define FLOW     "meta cmp meta cmp payload bitwise cmp payload payload payload payload lookup"

Test(nft_rules, own_table_queues_syns_and_answers_marked_packets)
{
	struct nft_rules_config config = {.refuse_mark = 1, .unreachables = 1};
	AUTO_FREE char *text = build(&config, false);

	cr_expect_str_eq(text, "table\n"
			       "set endpoints4\n"
			       "elements of endpoints4: 1\n"
			       "chain queue hook 1 priority -200\n"
			       "chain answer hook 1 priority -199\n"
			       "rule queue: " SHORTCUT "\n"
			       "rule queue: " ENDPOINT " counter queue\n"
			       "rule queue: " ENDPOINT " counter queue\n"
			       "rule answer: " ANSWER "\n"
			       "rule answer: " ANSWER "\n");
}

Test(nft_rules, ends_go_to_the_queue_before_the_shortcut)
{
	struct nft_rules_config config = {.refuse_mark = 1, .ends = true};
	AUTO_FREE char *text = build(&config, false);

	cr_expect_str_eq(text, "table\n"
			       "set endpoints4\n"
			       "elements of endpoints4: 1\n"
			       "chain queue hook 1 priority -200\n"
			       "chain answer hook 1 priority -199\n"
			       "rule queue: " END " counter queue\n"
			       "rule queue: " END " counter queue\n"
			       "rule queue: " SHORTCUT "\n"
			       "rule queue: " ENDPOINT " counter queue\n"
			       "rule queue: " ENDPOINT " counter queue\n"
			       "rule answer: " ANSWER "\n");
}

static const struct address_networks networks = {.ipv4 = {127, 64, 1}};

Test(nft_rules, part_is_removed_and_made_again_in_one_transaction)
{
	struct nft_rules_config config = {
		.refuse_mark = 1, .networks = &networks, .part = 3, .follows = true};
	AUTO_FREE char *text = build(&config, true);

	cr_expect_str_eq(text, "delete elements of queues4: 1\n"
			       "delete elements of answers4: 1\n"
			       "delete elements of flows4: 1\n"
			       "delete elements of injects4: 1\n"
			       "delete elements of queues6: 1\n"
			       "delete elements of answers6: 1\n"
			       "delete elements of flows6: 1\n"
			       "delete elements of injects6: 1\n"
			       "delete chain flows-3\n"
			       "delete set connections4-3\n"
			       "delete set connections6-3\n"
			       "delete chain queue-3\n"
			       "delete chain answer-3\n"
			       "delete chain inject-3\n"
			       "delete chain track-3\n"
			       "delete chain reject-3\n"
			       "delete set endpoints4-3\n"
			       "delete set endpoints6-3\n"
			       "set endpoints4-3\n"
			       "elements of endpoints4-3: 1\n"
			       "set endpoints6-3\n"
			       "chain flows-3\n"
			       "chain queue-3\n"
			       "chain answer-3\n"
			       "chain inject-3\n"
			       "chain track-3\n"
			       "chain reject-3\n"
			       "set connections4-3\n"
			       "set connections6-3\n"
			       "rule track-3: meta cmp immediate\n"
			       "rule track-3: counter queue\n"
			       "rule inject-3: meta cmp meta cmp counter queue\n"
			       "rule reject-3: meta cmp payload bitwise cmp immediate\n"
			       "rule reject-3: counter reject\n"
			       "rule flows-3: " FLOW "\n"
			       "rule queue-3: " ENDPOINT " counter queue\n"
			       "rule queue-3: " ENDPOINT " counter queue\n"
			       "rule answer-3: " ANSWER "\n"
			       "elements of queues4: 1\n"
			       "elements of answers4: 1\n"
			       "elements of flows4: 1\n"
			       "elements of injects4: 1\n"
			       "elements of queues6: 1\n"
			       "elements of answers6: 1\n"
			       "elements of flows6: 1\n"
			       "elements of injects6: 1\n");
}

/* Returns how many of the lines begin with this text. */
static unsigned count_lines(const char *text, const char *begin)
{
	unsigned n = 0;

	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		n += strncmp(line, begin, strlen(begin)) == 0;
	return n;
}

Test(nft_rules, others_endpoints_have_the_same_rules_in_both_hooks)
{
	struct nft_rules_config config = {.refuse_mark = 1, .outgoing = true};
	AUTO_FREE char *text = build(&config, false);

	/* a jump to the captures' chain, what is not for us, the shortcut, SYNs of either family */
	cr_expect_eq(count_lines(text, "rule queue-out:"), 1 + 2 + 1 + 2, "%s", text);
	/* … and SYN-ACKs */
	cr_expect_eq(count_lines(text, "rule queue:"), 1 + 1 + 4, "%s", text);
	cr_expect_eq(count_lines(text, "rule answer-out:"), 1 + 2, "%s", text);
	cr_expect_eq(count_lines(text, "rule answer:"), 2, "%s", text);
	cr_expect_eq(count_lines(text, "elements of"), 1, "%s", text);
}

/* ---- rules that log ---- */

static char *build_log(void (*add)(struct nft_batch *batch, const struct nflog_config *config),
		       const struct nflog_config *config)
{
	struct rules rules = {.sequence = 1};
	struct nft_batch batch;

	rules.table = xstrdup("t");
	nft_batch_init(&batch, &rules);
	add(&batch, config);
	free(rules.table);
	return describe_all(&batch);
}

/* TCP with SYN, FIN or RST; other TCP; ICMP; errors of ICMPv6 */
#define LOGS(chain)                                                                                \
	"rule " chain ": meta cmp payload bitwise cmp log immediate\n"                             \
	"rule " chain ": meta cmp log immediate\n"                                                 \
	"rule " chain ": meta cmp log immediate\n"                                                 \
	"rule " chain ": meta cmp payload cmp log immediate\n"
#define DISPATCH "rule input: meta cmp payload bitwise lookup\n"

Test(nft_rules, own_table_logs_what_comes_in)
{
	const struct nflog_config config = {.group = 7};
	AUTO_FREE char *text = build_log(nflog_build_table, &config);

	cr_expect_str_eq(text, "table\nchain input hook 0 priority -300\n" LOGS("input"));
}

Test(nft_rules, common_table_leads_to_the_logs_of_parts)
{
	const struct nflog_config config = {.group = 7, .networks = &networks, .part = 3};
	AUTO_FREE char *common = build_log(nflog_build_common, &config);
	AUTO_FREE char *part = build_log(nflog_build_part, &config);

	cr_expect_str_eq(common,
			 "table\n"
			 "chain input hook 0 priority -300\n"
			 "set networks4\n" DISPATCH DISPATCH "set networks6\n" DISPATCH DISPATCH);
	cr_expect_str_eq(part, "chain log-3\n" LOGS("log-3") "elements of networks4: 1\n"
							     "elements of networks6: 1\n");
}

Test(nft_rules, remote_endpoints_are_logged_wherever_their_packets_are_seen)
{
	struct nflog_config config = {.group = 7, .n_remotes = 1};
	struct address remotes[1];
	AUTO_FREE char *text = NULL;

	cr_assert_eq(address_parse("192.0.2.1", 80, &remotes[0]), 0);
	config.remotes = remotes;
	text = build_log(nflog_build_remote, &config);
	/* A set for each rule: from here twice, from there, over lo, and quoted by ICMP. */
	cr_expect_eq(count_lines(text, "set __set%d"), 5, "%s", text);
	cr_expect_eq(count_lines(text, "elements of __set%d: 1"), 5, "%s", text);
	/* Neither to this host, nor copies of SYNs. */
	cr_expect_eq(count_lines(text, "rule capture-out:"), 2 + 1, "%s", text);
	cr_expect_eq(count_lines(text, "rule capture-sent:"), 1 + 1, "%s", text);
	cr_expect_eq(count_lines(text, "rule capture-in:"), 3, "%s", text);
	cr_expect(strstr(text, LOGS("capture-log")), "%s", text);
}
