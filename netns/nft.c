/* Building nf_tables messages: see nft.h. */
/* SPDX-License-Identifier: ISC */
#include "netns/nft.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 60000	/* below what an attribute's 16 bits of length hold */

void nft_begin(struct nft *b)
{
	*b = (struct nft){ .seq = 1 };
}

void nft_free(struct nft *b)
{
	if (b->m)
		nlmsg_free(b->m);
	free(b->at);
	*b = (struct nft){ 0 };
}

/* What a call of libnl answered, or a pointer that it did not give. */
static void need(struct nft *b, bool good)
{
	b->failed |= !good;
}

static void append(struct nft *b, const struct nlmsghdr *h)
{
	const size_t n = NLMSG_ALIGN(h->nlmsg_len);

	if (b->used + n > b->room) {
		size_t room = (b->room ? b->room * 2 : 65536) + n;
		unsigned char *at = realloc(b->at, room);

		need(b, at);
		if (!at)
			return;
		b->at = at;
		b->room = room;
	}
	memset(b->at + b->used, 0, n);
	memcpy(b->at + b->used, h, h->nlmsg_len);
	b->used += n;
}

/* type: NFT_MSG_*, or NFNL_MSG_BATCH_* of no subsystem. */
static void message(struct nft *b, int type, unsigned flags, uint8_t family, uint16_t res)
{
	struct nfgenmsg g = { .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(res) };
	struct nlmsghdr *h;

	if (b->failed)
		return;
	b->m = nlmsg_alloc_size(MESSAGE_MAX);
	h = b->m ? nlmsg_put(b->m, 0, b->seq++, type, 0, NLM_F_REQUEST | (int)flags) : NULL;
	need(b, h && nlmsg_append(b->m, &g, sizeof g, NLMSG_ALIGNTO) == 0);
}

static void nft_message(struct nft *b, int type, unsigned flags)
{
	message(b, NFNL_SUBSYS_NFTABLES << 8 | type, flags, b->family, 0);
}

static void end(struct nft *b)
{
	if (!b->failed)
		append(b, nlmsg_hdr(b->m));
	if (b->m)
		nlmsg_free(b->m);
	b->m = NULL;
}

static void put(struct nft *b, int type, const void *at, size_t n)
{
	if (!b->failed)
		need(b, nla_put(b->m, type, (int)n, at) == 0);
}

static void put_text(struct nft *b, int type, const char *text)
{
	put(b, type, text, strlen(text) + 1);
}

static void put32(struct nft *b, int type, uint32_t v)
{
	v = htonl(v);
	put(b, type, &v, sizeof v);
}

static struct nlattr *nest(struct nft *b, int type)
{
	struct nlattr *a = b->failed ? NULL : nla_nest_start(b->m, type | NLA_F_NESTED);

	need(b, a);
	return a;
}

static void nest_end(struct nft *b, struct nlattr *a)
{
	if (!b->failed)
		nla_nest_end(b->m, a);
}

static void table_itself(struct nft *b, int type, unsigned flags, const uint64_t *tag)
{
	nft_message(b, type, flags);
	put_text(b, NFTA_TABLE_NAME, b->table);
	if (tag) {	/* a comment to nft(8): type 0, length, text */
		char note[2 + TAG_TEXT];

		note[0] = 0;
		note[1] = TAG_TEXT;
		snprintf(note + 2, TAG_TEXT, "%016llx", (unsigned long long)*tag);
		put(b, NFTA_TABLE_USERDATA, note, sizeof note);
	}
	end(b);
}

void nft_table(struct nft *b, uint8_t family, const char *table, uint64_t tag)
{
	nft_table_remove(b, family, table);
	table_itself(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, &tag);
}

/* Removing what is not there is an error, so it is made before. */
void nft_table_remove(struct nft *b, uint8_t family, const char *table)
{
	b->family = family;
	b->table = table;
	table_itself(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, NULL);
	table_itself(b, NFT_MSG_DELTABLE, 0, NULL);
}

void nft_chain(struct nft *b, const char *chain, const char *type, unsigned hook, int priority)
{
	nft_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	put_text(b, NFTA_CHAIN_TABLE, b->table);
	put_text(b, NFTA_CHAIN_NAME, chain);
	if (type) {
		struct nlattr *h = nest(b, NFTA_CHAIN_HOOK);

		put32(b, NFTA_HOOK_HOOKNUM, hook);
		put32(b, NFTA_HOOK_PRIORITY, (uint32_t)priority);
		nest_end(b, h);
		put32(b, NFTA_CHAIN_POLICY, NF_ACCEPT);
		put_text(b, NFTA_CHAIN_TYPE, type);
	}
	end(b);
}

void nft_set(struct nft *b, const char *set, uint32_t key, unsigned key_len, uint32_t data_type, unsigned data_len)
{
	nft_message(b, NFT_MSG_NEWSET, NLM_F_CREATE);
	put_text(b, NFTA_SET_TABLE, b->table);
	put_text(b, NFTA_SET_NAME, set);
	if (data_type)
		put32(b, NFTA_SET_FLAGS, NFT_SET_MAP);
	put32(b, NFTA_SET_KEY_TYPE, key);
	put32(b, NFTA_SET_KEY_LEN, key_len);
	if (data_type) {
		put32(b, NFTA_SET_DATA_TYPE, data_type);
		if (data_len)
			put32(b, NFTA_SET_DATA_LEN, data_len);
	}
	if (key_len == 16)	/* an interface's name: in the machine's byte order, to nft(8) */
		put(b, NFTA_SET_USERDATA, (unsigned char[]){ 0, 4, 1, 0, 0, 0 }, 6);
	put32(b, NFTA_SET_ID, ++b->last_set);	/* last: it means something in the batch only, see rules_check.c */
	end(b);
}

static void elems_begin(struct nft *b, const char *set)
{
	nft_message(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
	put_text(b, NFTA_SET_ELEM_LIST_TABLE, b->table);
	put_text(b, NFTA_SET_ELEM_LIST_SET, set);
	b->exprs = nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
}

void nft_elems(struct nft *b, const char *set)
{
	elems_begin(b, set);
}

static void put_data(struct nft *b, int type, const void *at, unsigned n)
{
	struct nlattr *d = nest(b, type);

	put(b, NFTA_DATA_VALUE, at, n);
	nest_end(b, d);
}

static void put_verdict(struct nft *b, int type, int code, const char *chain)
{
	struct nlattr *d = nest(b, type), *v = nest(b, NFTA_DATA_VERDICT);

	put32(b, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		put_text(b, NFTA_VERDICT_CHAIN, chain);
	nest_end(b, v);
	nest_end(b, d);
}

void nft_elem(struct nft *b, const void *key, unsigned key_len, const void *data, unsigned data_len, const char *jump)
{
	if (!b->failed && nlmsg_hdr(b->m)->nlmsg_len > MESSAGE_MAX / 2) {
		/* The set's name is the second attribute of the message that is full. */
		char set[64];
		const struct nlattr *name = nlmsg_find_attr(nlmsg_hdr(b->m), sizeof(struct nfgenmsg),
							    NFTA_SET_ELEM_LIST_SET);

		nla_strlcpy(set, name, sizeof set);
		nft_elems_end(b);
		elems_begin(b, set);
	}
	struct nlattr *e = nest(b, NFTA_LIST_ELEM);

	put_data(b, NFTA_SET_ELEM_KEY, key, key_len);
	if (jump)
		put_verdict(b, NFTA_SET_ELEM_DATA, NFT_JUMP, jump);
	else if (data_len)
		put_data(b, NFTA_SET_ELEM_DATA, data, data_len);
	nest_end(b, e);
}

/* The kernel refuses a list of nothing. */
void nft_elems_end(struct nft *b)
{
	const bool empty = !b->failed && nla_len(b->exprs) == 0 &&
			   (char *)b->exprs + NLA_HDRLEN >= (char *)nlmsg_tail(nlmsg_hdr(b->m));

	if (!empty)
		nest_end(b, b->exprs);
	if (!empty && !b->failed)
		append(b, nlmsg_hdr(b->m));
	if (b->m)
		nlmsg_free(b->m);
	b->m = NULL;
}

void nft_rule(struct nft *b, const char *chain)
{
	nft_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	put_text(b, NFTA_RULE_TABLE, b->table);
	put_text(b, NFTA_RULE_CHAIN, chain);
	b->exprs = nest(b, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nft *b)
{
	nest_end(b, b->exprs);
	end(b);
}

struct open_expr {
	struct nlattr *elem, *data;
};

static struct open_expr expr(struct nft *b, const char *name)
{
	struct open_expr x = { .elem = nest(b, NFTA_LIST_ELEM) };

	put_text(b, NFTA_EXPR_NAME, name);
	x.data = nest(b, NFTA_EXPR_DATA);
	return x;
}

static void expr_end(struct nft *b, struct open_expr x)
{
	nest_end(b, x.data);
	nest_end(b, x.elem);
}

void nft_meta(struct nft *b, uint32_t key, uint32_t reg)
{
	struct open_expr x = expr(b, "meta");

	put32(b, NFTA_META_KEY, key);
	put32(b, NFTA_META_DREG, reg);
	expr_end(b, x);
}

void nft_payload(struct nft *b, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct open_expr x = expr(b, "payload");

	put32(b, NFTA_PAYLOAD_DREG, reg);
	put32(b, NFTA_PAYLOAD_BASE, base);
	put32(b, NFTA_PAYLOAD_OFFSET, offset);
	put32(b, NFTA_PAYLOAD_LEN, len);
	expr_end(b, x);
}

void nft_cmp(struct nft *b, uint32_t reg, uint32_t op, const void *data, unsigned len)
{
	struct open_expr x = expr(b, "cmp");

	put32(b, NFTA_CMP_SREG, reg);
	put32(b, NFTA_CMP_OP, op);
	put_data(b, NFTA_CMP_DATA, data, len);
	expr_end(b, x);
}

void nft_mask(struct nft *b, uint32_t reg, const void *mask, unsigned len)
{
	static const unsigned char zero[16];
	struct open_expr x = expr(b, "bitwise");

	put32(b, NFTA_BITWISE_SREG, reg);
	put32(b, NFTA_BITWISE_DREG, reg);
	put32(b, NFTA_BITWISE_LEN, len);
	put_data(b, NFTA_BITWISE_MASK, mask, len);
	put_data(b, NFTA_BITWISE_XOR, zero, len);
	expr_end(b, x);
}

void nft_range(struct nft *b, uint32_t reg, uint16_t from, uint16_t to)
{
	struct open_expr x = expr(b, "range");

	from = htons(from);
	to = htons(to);
	put32(b, NFTA_RANGE_SREG, reg);
	put32(b, NFTA_RANGE_OP, NFT_RANGE_EQ);
	put_data(b, NFTA_RANGE_FROM_DATA, &from, sizeof from);
	put_data(b, NFTA_RANGE_TO_DATA, &to, sizeof to);
	expr_end(b, x);
}

void nft_ct(struct nft *b, uint32_t key, uint32_t reg)
{
	struct open_expr x = expr(b, "ct");

	put32(b, NFTA_CT_KEY, key);
	put32(b, NFTA_CT_DREG, reg);
	expr_end(b, x);
}

void nft_fib_local(struct nft *b)
{
	const uint32_t local = 2; /* RTN_LOCAL, in the machine's order */
	struct open_expr x = expr(b, "fib");

	put32(b, NFTA_FIB_DREG, NFT_REG_1);
	put32(b, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	put32(b, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	expr_end(b, x);
	nft_cmp(b, NFT_REG_1, NFT_CMP_EQ, &local, sizeof local);
}

void nft_lookup(struct nft *b, const char *set, uint32_t reg, int to, bool invert)
{
	struct open_expr x = expr(b, "lookup");

	put_text(b, NFTA_LOOKUP_SET, set);
	put32(b, NFTA_LOOKUP_SREG, reg);
	if (to >= 0)
		put32(b, NFTA_LOOKUP_DREG, (uint32_t)to);
	if (invert)
		put32(b, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	expr_end(b, x);
}

void nft_dnat(struct nft *b, uint8_t family, uint32_t addr, uint32_t port)
{
	struct open_expr x = expr(b, "nat");

	put32(b, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	put32(b, NFTA_NAT_FAMILY, family);
	put32(b, NFTA_NAT_REG_ADDR_MIN, addr);
	put32(b, NFTA_NAT_REG_PROTO_MIN, port);
	expr_end(b, x);
}

void nft_masquerade(struct nft *b)
{
	expr_end(b, expr(b, "masq"));
}

void nft_notrack(struct nft *b)
{
	expr_end(b, expr(b, "notrack"));
}

void nft_counter(struct nft *b)
{
	expr_end(b, expr(b, "counter"));
}

void nft_verdict(struct nft *b, int code, const char *chain)
{
	struct open_expr x = expr(b, "immediate");

	put32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	put_verdict(b, NFTA_IMMEDIATE_DATA, code, chain);
	expr_end(b, x);
}
