/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds expressions of nftables rules. Each function adds an expression to the end of a rule,
 * which owns it. None fails (out_of_memory() ends the process). Values are in register 1 unless a
 * parameter says otherwise. "Continues" means with the rule's next expression; otherwise the rule
 * does not match.
 */
#ifndef SYNFAULT_INJECTOR_NFT_EXPR_H
#define SYNFAULT_INJECTOR_NFT_EXPR_H

#include <stdio.h>

/* These need stdio.h before them. */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>

#include "common/util.h"

/* Offsets of RFC 791, RFC 8200 and RFC 9293 headers. */
#define IPV4_SOURCE          12
#define IPV4_DESTINATION     16
#define IPV6_SOURCE          8
#define IPV6_DESTINATION     24
#define TCP_SOURCE_PORT      0
#define TCP_DESTINATION_PORT 2

/* nft's numbers for data types, so that `nft list` can show our sets. */
#define NFT_TYPE_BITS         6
#define NFT_TYPE_IPADDR       7
#define NFT_TYPE_IP6ADDR      8
#define NFT_TYPE_INET_SERVICE 13

/** nft_expr_add() - add an expression by name, for those without a function below */
struct nftnl_expr *nft_expr_add(struct nftnl_rule *rule, const char *name);

/**
 * nft_expr_load() - load @length bytes into a register
 * @base: NFT_PAYLOAD_NETWORK_HEADER or another
 */
void nft_expr_load(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t length,
		   uint32_t to_register);
/** nft_expr_mask() - keep only the bits of @mask */
void nft_expr_mask(struct nftnl_rule *rule, const void *mask, uint32_t size);
/** nft_expr_compare() - continue if the value compares so: NFT_CMP_EQ and its like */
void nft_expr_compare(struct nftnl_rule *rule, uint32_t operator, const void * value,
		      uint32_t size);

/**
 * nft_expr_match_meta() - continue if the packet's property (NFT_META_L4PROTO and its like) has
 * this value
 */
void nft_expr_match_meta(struct nftnl_rule *rule, uint32_t key, const void *value, uint32_t size);
/** nft_expr_match_mark() - continue if the packet's mark equals @mark in the bits of @mask */
void nft_expr_match_mark(struct nftnl_rule *rule, uint32_t mask, uint32_t mark);
/**
 * nft_expr_match_tcp_flags() - continue for TCP with (flags & @mask) == @value, or != for
 * NFT_CMP_NEQ
 */
void nft_expr_match_tcp_flags(struct nftnl_rule *rule, uint8_t mask, uint32_t operator,
			      uint8_t value);
/**
 * nft_expr_compare_tcp_flags() - do the same without checking for TCP: of other packets it
 * compares the bytes at that place
 */
void nft_expr_compare_tcp_flags(struct nftnl_rule *rule, uint8_t mask, uint32_t operator,
				uint8_t value);

/**
 * nft_expr_lookup() - continue if the value in the registers from @from_register on is in the set
 *
 * With a map, takes the verdict from there.
 */
void nft_expr_lookup(struct nftnl_rule *rule, const char *set, uint32_t set_id,
		     uint32_t from_register, bool is_map);

/** nft_expr_verdict() - end the rule with a verdict: NF_ACCEPT, NFT_RETURN, … */
void nft_expr_verdict(struct nftnl_rule *rule, uint32_t verdict);
/**
 * nft_expr_to_chain() - go to another chain
 * @verdict: NFT_JUMP or NFT_GOTO
 */
void nft_expr_to_chain(struct nftnl_rule *rule, uint32_t verdict, const char *chain);

#endif
