/* The terms that rules are made of: see ruleset.h. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include "netns/ruleset.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

void term_allow(struct nft *b)
{
	nft_verdict(b, NF_ACCEPT, NULL);
	nft_rule_end(b);
}

void term_drop(struct nft *b)
{
	nft_counter(b);
	nft_verdict(b, NF_DROP, NULL);
	nft_rule_end(b);
}

static void is16(struct nft *b, uint16_t value, uint32_t op)
{
	value = htons(value);
	nft_cmp(b, NFT_REG_1, op, &value, sizeof value);
}

static void is8(struct nft *b, uint8_t value)
{
	nft_cmp(b, NFT_REG_1, NFT_CMP_EQ, &value, sizeof value);
}

void term_of_ethertype(struct nft *b, uint16_t type)
{
	nft_meta(b, NFT_META_PROTOCOL, NFT_REG_1);
	is16(b, type, NFT_CMP_EQ);
}

void term_of_family(struct nft *b, uint8_t nfproto)
{
	nft_meta(b, NFT_META_NFPROTO, NFT_REG_1);
	is8(b, nfproto);
}

void term_of_proto(struct nft *b, uint8_t proto)
{
	nft_meta(b, NFT_META_L4PROTO, NFT_REG_1);
	is8(b, proto);
}

void term_of_icmp6(struct nft *b, uint8_t type)
{
	term_of_proto(b, IPPROTO_ICMPV6);
	nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_REG_1);
	is8(b, type);
}

void term_port_and(struct nft *b, uint32_t base, uint32_t at, uint32_t n, const char *set, bool invert)
{
	nft_meta(b, NFT_META_IIFNAME, NFT_REG_1);
	nft_payload(b, base, at, n, NFT_REG_2);
	nft_lookup(b, set, NFT_REG_1, -1, invert);
}

void term_interface_is(struct nft *b, uint32_t key, const char *name, uint32_t op)
{
	char text[NAME] = "";

	snprintf(text, sizeof text, "%s", name);
	nft_meta(b, key, NFT_REG_1);
	nft_cmp(b, NFT_REG_1, op, text, sizeof text);
}

void term_ct_has(struct nft *b, uint32_t key, uint32_t bits)
{
	const uint32_t none = 0;

	nft_ct(b, key, NFT_REG_1);
	nft_mask(b, NFT_REG_1, &bits, sizeof bits);
	nft_cmp(b, NFT_REG_1, NFT_CMP_NEQ, &none, sizeof none);
}

void term_in_subnet(struct nft *b, uint32_t at, const struct net_addr *a)
{
	const unsigned n = (unsigned)addr_size(a->family);
	unsigned char mask[16], net[16];

	for (unsigned i = 0; i < n; i++) {
		const unsigned kept = a->prefix > i * 8 ? a->prefix - i * 8 : 0;

		mask[i] = (unsigned char)(kept >= 8 ? 0xff : 0xff << (8 - kept));
		net[i] = a->ip[i] & mask[i];
	}
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, at, n, NFT_REG_1);
	nft_mask(b, NFT_REG_1, mask, n);
	nft_cmp(b, NFT_REG_1, NFT_CMP_EQ, net, n);
}

void term_not_loopback(struct nft *b)
{
	static const unsigned char one[16] = { [15] = 1 };

	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 24, sizeof one, NFT_REG_1);
	nft_cmp(b, NFT_REG_1, NFT_CMP_NEQ, one, sizeof one);
}
