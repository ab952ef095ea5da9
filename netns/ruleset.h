/* The whole of the rules as messages: what is sent, and what is compared with the kernel's. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "netns/nft.h"
#include "netns/rules.h"
#include <linux/netfilter/nf_conntrack_common.h>

void ruleset_bridge(struct nft *b, const struct rules *r);
/*
 * A part of ruleset_bridge(), behind its sets: a kernel takes on each of its interfaces what is for an address of any,
 * so without it whoever is on one bridge would speak to what a cell has on another. Nothing without such cells.
 */
void ruleset_into(struct nft *b, const struct rules *r);
void ruleset_inet(struct nft *b, const struct rules *r);

/* Types by their numbers in nft(8); a key of several is these, six bits each. */
enum { T_IP4 = 7, T_IP6 = 8, T_MAC = 9, T_PROTO = 12, T_PORT = 13, T_IFNAME = 41 };
#define T2(a, b)    ((uint32_t)(a) << 6 | (b))
#define T3(a, b, c) (T2(a, b) << 6 | (c))

#define NAME 16	/* bytes of an interface's name in a register */
#define CT_DNAT IPS_DST_NAT
#define CT_OLD (NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED))

/* Ends of a rule. */
void term_allow(struct nft *b);
void term_drop(struct nft *b);
/* Conditions; all use NFT_REG_1, port_and NFT_REG_2 too. */
void term_of_ethertype(struct nft *b, uint16_t type);
void term_of_family(struct nft *b, uint8_t nfproto);
void term_of_proto(struct nft *b, uint8_t proto);
void term_of_icmp6(struct nft *b, uint8_t type);
/* The port that a frame comes from, and n bytes of its header, as one key that is (invert: is not) in the set. */
void term_port_and(struct nft *b, uint32_t base, uint32_t at, uint32_t n, const char *set, bool invert);
void term_interface_is(struct nft *b, uint32_t key, const char *name, uint32_t op);	/* NFT_META_IIFNAME, ... */
void term_ct_has(struct nft *b, uint32_t key, uint32_t bits);				/* any of them */
void term_in_subnet(struct nft *b, uint32_t at, const struct net_addr *a); /* the address there in the network header */
void term_not_loopback(struct nft *b);	/* the target is not ::1 */

static inline uint32_t source_at(uint8_t family)
{
	return family == NFPROTO_IPV4 ? 12 : 8;	/* AF_INET is the same number */
}

static inline uint32_t target_at(uint8_t family)
{
	return family == NFPROTO_IPV4 ? 16 : 24;
}
