/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds expressions of nftables rules: see nft_expr.h. */
#include "injector/nft_expr.h"

#include <netinet/in.h>

/* RFC 9293, 3.1 */
/* The 32 bits of the header that hold the flags, as their second byte (RFC 9293, 3.1). */
#define TCP_FLAGS_WORD 12

struct nftnl_expr *nft_expr_add(struct nftnl_rule *rule, const char *name)
{
	struct nftnl_expr *expr = ALLOCATED(nftnl_expr_alloc(name));

	nftnl_rule_add_expr(rule, expr);
	return expr;
}

void nft_expr_load(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t length,
		   uint32_t to_register)
{
	struct nftnl_expr *expr = nft_expr_add(rule, "payload");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, length);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, to_register);
}

void nft_expr_mask(struct nftnl_rule *rule, const void *mask, uint32_t size)
{
	static const uint8_t zero[16];
	struct nftnl_expr *expr = nft_expr_add(rule, "bitwise");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, size);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, mask, size);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, zero, size);
}

void nft_expr_compare(struct nftnl_rule *rule, uint32_t operator, const void * value, uint32_t size)
{
	struct nftnl_expr *expr = nft_expr_add(rule, "cmp");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, operator);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, value, size);
}

static void load_meta(struct nftnl_rule *rule, uint32_t key)
{
	struct nftnl_expr *expr = nft_expr_add(rule, "meta");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

void nft_expr_match_meta(struct nftnl_rule *rule, uint32_t key, const void *value, uint32_t size)
{
	load_meta(rule, key);
	nft_expr_compare(rule, NFT_CMP_EQ, value, size);
}

void nft_expr_match_mark(struct nftnl_rule *rule, uint32_t mask, uint32_t mark)
{
	const uint32_t value = mark & mask;

	load_meta(rule, NFT_META_MARK);
	if (mask != UINT32_MAX)
		nft_expr_mask(rule, &mask, sizeof(mask));
	nft_expr_compare(rule, NFT_CMP_EQ, &value, sizeof(value));
}

void nft_expr_match_tcp_flags(struct nftnl_rule *rule, uint8_t mask, uint32_t operator,
			      uint8_t value)
{
	const uint8_t protocol = IPPROTO_TCP;

	nft_expr_match_meta(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
	nft_expr_compare_tcp_flags(rule, mask, operator, value);
}

/* Compares 32 bits, for which the kernel has a fast path (net/netfilter/nft_bitwise.c,
 * nft_bitwise_fast_ops).
 */
void nft_expr_compare_tcp_flags(struct nftnl_rule *rule, uint8_t mask, uint32_t operator,
				uint8_t value)
{
	const uint8_t masks[4] = {0, mask, 0, 0}, values[4] = {0, value, 0, 0};

	nft_expr_load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_WORD, sizeof(masks), NFT_REG_1);
	nft_expr_mask(rule, masks, sizeof(masks));
	nft_expr_compare(rule, operator, values, sizeof(values));
}

void nft_expr_lookup(struct nftnl_rule *rule, const char *set, uint32_t set_id,
		     uint32_t from_register, bool is_map)
{
	struct nftnl_expr *expr = nft_expr_add(rule, "lookup");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, from_register);
	if (is_map)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, set);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SET_ID, set_id);
}

void nft_expr_verdict(struct nftnl_rule *rule, uint32_t verdict)
{
	struct nftnl_expr *expr = nft_expr_add(rule, "immediate");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, verdict);
}

void nft_expr_to_chain(struct nftnl_rule *rule, uint32_t verdict, const char *chain)
{
	struct nftnl_expr *expr = nft_expr_add(rule, "immediate");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, verdict);
	nftnl_expr_set_str(expr, NFTNL_EXPR_IMM_CHAIN, chain);
}
