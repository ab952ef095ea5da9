/* nf_tables messages: a batch that the kernel takes as a whole or not at all. Child processes only. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <linux/netfilter/nf_tables.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Messages are built one at a time with libnl's attributes and appended. After the first failure (memory) all calls do
 * nothing, and nft_commit() reports it. Registers: NFT_REG_1.. of 16 bytes, R32(n) the n-th 4 bytes of all of them;
 * what is loaded into neighbours is one key.
 */
struct nft {
	unsigned char *at;	/* owned: the messages so far, each aligned */
	size_t used, room;
	struct nl_msg *m;	/* owned: the one that is being made */
	struct nlattr *exprs;	/* of the rule that is being made */
	uint8_t family;		/* of table, NFPROTO_* */
	const char *table;
	uint32_t seq, last_set;
	bool failed;
};

/* linux/netfilter.h has these beside structures that musl's headers have, too. */
enum { NF_DROP, NF_ACCEPT };
enum { NFPROTO_INET = 1, NFPROTO_IPV4 = 2, NFPROTO_BRIDGE = 7, NFPROTO_IPV6 = 10 };
enum { HOOK_PREROUTING, HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT, HOOK_POSTROUTING };

#define TAG_TEXT 17	/* bytes of a tag as text, with its end */
#define R32(n) (NFT_REG32_00 + (n))

void nft_begin(struct nft *b);
void nft_free(struct nft *b);
/* Send, wait for the kernel's verdict; EOPNOTSUPP: no nf_tables here. Nothing has changed after a failure. */
int nft_commit(struct nft *b, struct err *e);

/* Makes the table, or makes it anew: what was in it is gone. tag is kept with it for nft_tag(). */
void nft_table(struct nft *b, uint8_t family, const char *table, uint64_t tag);
void nft_table_remove(struct nft *b, uint8_t family, const char *table);
/* type NULL: only jumped to. */
void nft_chain(struct nft *b, const char *chain, const char *type, unsigned hook, int priority);
/* key, data_type: how nft(8) knows types, for people; data_type 0: a set, NFT_DATA_VERDICT: a map to jumps. */
void nft_set(struct nft *b, const char *set, uint32_t key, unsigned key_len, uint32_t data_type, unsigned data_len);
/* One element; jump NULL: data of data_len bytes, 0: none. Elements of one set between begin and end. */
void nft_elems(struct nft *b, const char *set);
void nft_elem(struct nft *b, const void *key, unsigned key_len, const void *data, unsigned data_len, const char *jump);
void nft_elems_end(struct nft *b);

void nft_rule(struct nft *b, const char *chain);
void nft_rule_end(struct nft *b);
void nft_meta(struct nft *b, uint32_t key, uint32_t reg);
void nft_payload(struct nft *b, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg);
void nft_cmp(struct nft *b, uint32_t reg, uint32_t op, const void *data, unsigned len);
void nft_mask(struct nft *b, uint32_t reg, const void *mask, unsigned len);	/* reg &= mask */
void nft_range(struct nft *b, uint32_t reg, uint16_t from, uint16_t to);	/* network order in the register */
void nft_ct(struct nft *b, uint32_t key, uint32_t reg);
void nft_fib_local(struct nft *b);	/* the destination is an address of this machine */
/* In the set, or with `invert` not; a map's value goes to `to`, NFT_REG_VERDICT included; to -1: a set. */
void nft_lookup(struct nft *b, const char *set, uint32_t reg, int to, bool invert);
void nft_dnat(struct nft *b, uint8_t family, uint32_t addr, uint32_t port);
void nft_masquerade(struct nft *b);
void nft_notrack(struct nft *b);	/* before connection tracking (-200): this packet is of no connection */
void nft_counter(struct nft *b);
void nft_verdict(struct nft *b, int code, const char *chain);	/* NF_ACCEPT, NF_DROP, NFT_JUMP with a chain */

/* 1: the table is there and *tag is what it was made with; 0: it is not, or somebody else made it. */
int nft_tag(uint8_t family, const char *table, uint64_t *tag, struct err *e);
/* Every object of one kind (NFT_MSG_GETRULE, ...) of a table: each sees one message. set: GETSETELEM of that. */
int nft_dump(uint8_t family, const char *table, int type, const char *set,
	     void (*each)(struct nlmsghdr *h, void *arg), void *arg, struct err *e);
