/* Rules of family bridge: no cell speaks under another's name, and those with a list reach what is on it. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include "netns/ruleset.h"
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define PASS (NAME + 8)	/* bytes of a port and a MAC in registers */

static void port_key(unsigned char key[32], const struct rules_cell *c, const void *more, size_t n)
{
	memset(key, 0, 32);
	memcpy(key, c->ifname, strnlen(c->ifname, NAME - 1));
	memcpy(key + NAME, more, n);
}

/* Its addresses of one family, and for IPv6 the link-local one that the kernel makes of its MAC. */
static void address_elems(struct nft *b, const struct rules *r, uint8_t family, const char *set)
{
	const unsigned n = NAME + (unsigned)addr_size(family);
	unsigned char key[32], mac[6];

	nft_elems(b, set);
	for (const struct rules_cell *c = r->cells; c < r->cells + r->ncells; c++) {
		for (unsigned i = 0; i < c->naddrs; i++) {
			port_key(key, c, c->addrs[i].ip, addr_size(family));
			if (c->addrs[i].family == family)
				nft_elem(b, key, n, NULL, 0, NULL);
		}
		if (family != AF_INET6)
			continue;
		net_mac(mac, "cell", c->name);
		port_key(key, c, (unsigned char[16]){ 0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3],
						      mac[4], mac[5] }, 16);
		nft_elem(b, key, n, NULL, 0, NULL);
	}
	nft_elems_end(b);
}

/* A free cell's port, MAC and address, as one key. */
static void pass_elem(struct nft *b, const struct rules_cell *c, const unsigned char mac[6], const struct net_addr *a)
{
	const unsigned n = (unsigned)addr_size(a->family);
	unsigned char key[PASS + 16] = { 0 };

	memcpy(key, c->ifname, strnlen(c->ifname, NAME - 1));
	memcpy(key + NAME, mac, 6);
	memcpy(key + PASS, a->ip, n);
	nft_elem(b, key, PASS + n, NULL, 0, NULL);
}

static const char *pass_set(uint8_t family)
{
	return family == AF_INET ? "pass4" : "pass6";
}

static void pass_sets(struct nft *b, const struct rules *r)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	unsigned char mac[6];

	for (unsigned f = 0; f < sizeof families; f++) {
		const uint32_t ip = families[f] == AF_INET ? T_IP4 : T_IP6;

		nft_set(b, pass_set(families[f]), T3(T_IFNAME, T_MAC, ip),
			PASS + (unsigned)addr_size(families[f]), 0, 0);
		nft_elems(b, pass_set(families[f]));
		for (const struct rules_cell *c = r->cells; c < r->cells + r->ncells; c++) {
			net_mac(mac, "cell", c->name);
			for (unsigned i = 0; i < c->naddrs && !c->limited; i++)
				if (c->addrs[i].family == families[f])
					pass_elem(b, c, mac, c->addrs + i);
		}
		nft_elems_end(b);
	}
}

/*
 * Nearly all that cells send is IPv4, or TCP or UDP over IPv6, from a cell without a list and under its own MAC and
 * address: one question instead of five. What is let through here would be further down; all else goes there.
 */
static void pass_rule(struct nft *b, uint8_t family, uint8_t proto)
{
	nft_rule(b, "cells");
	term_of_ethertype(b, family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	if (proto) {	/* the very next header: behind an extension anything may hide */
		nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 6, 1, NFT_REG_1);
		nft_cmp(b, NFT_REG_1, NFT_CMP_EQ, &proto, sizeof proto);
	}
	nft_meta(b, NFT_META_IIFNAME, NFT_REG_1);
	nft_payload(b, NFT_PAYLOAD_LL_HEADER, 6, ETH_ALEN, NFT_REG_2);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, source_at(family), (unsigned)addr_size(family), R32(PASS / 4));
	nft_lookup(b, pass_set(family), NFT_REG_1, -1, false);
	term_allow(b);
}

static void port_sets(struct nft *b, const struct rules *r)
{
	unsigned char key[32], mac[6];

	nft_set(b, "ports", T_IFNAME, NAME, 0, 0);
	nft_set(b, "macs", T2(T_IFNAME, T_MAC), NAME + 8, 0, 0);
	nft_set(b, "addr4", T2(T_IFNAME, T_IP4), NAME + 4, 0, 0);
	nft_set(b, "addr6", T2(T_IFNAME, T_IP6), NAME + 16, 0, 0);
	nft_elems(b, "ports");
	for (const struct rules_cell *c = r->cells; c < r->cells + r->ncells; c++) {
		port_key(key, c, "", 0);
		nft_elem(b, key, NAME, NULL, 0, NULL);
	}
	nft_elems_end(b);
	nft_elems(b, "macs");
	for (const struct rules_cell *c = r->cells; c < r->cells + r->ncells; c++) {
		net_mac(mac, "cell", c->name);
		port_key(key, c, mac, sizeof mac);
		nft_elem(b, key, NAME + 8, NULL, 0, NULL);
	}
	nft_elems_end(b);
	address_elems(b, r, AF_INET, "addr4");
	address_elems(b, r, AF_INET6, "addr6");
}

/* Ethernet and IPv4 with the usual lengths; it speaks of itself only. */
static void arp_rules(struct nft *b)
{
	static const unsigned char usual[] = { 0, 1, ETH_P_IP >> 8, ETH_P_IP & 0xff, ETH_ALEN, 4 };

	nft_rule(b, "from-arp");
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 0, sizeof usual, NFT_REG_1);
	nft_cmp(b, NFT_REG_1, NFT_CMP_NEQ, usual, sizeof usual);
	term_drop(b);
	nft_rule(b, "from-arp");
	term_port_and(b, NFT_PAYLOAD_NETWORK_HEADER, 8, ETH_ALEN, "macs", true);
	term_drop(b);
	nft_rule(b, "from-arp");
	term_port_and(b, NFT_PAYLOAD_NETWORK_HEADER, 14, 4, "addr4", true);
	term_drop(b);
	nft_rule(b, "from-arp");
	term_allow(b);
}

enum { ND_RA = 134, ND_NS = 135, ND_NA = 136, ND_REDIRECT = 137, ND_RS = 133, MLD2 = 143 };

static void ip6_rules(struct nft *b)
{
	static const uint8_t routers[] = { ND_RA, ND_REDIRECT };
	static const unsigned char nobody[16];

	/* It is no router, whatever it says. */
	for (unsigned i = 0; i < sizeof routers; i++) {
		nft_rule(b, "from-ip6");
		term_of_icmp6(b, routers[i]);
		term_drop(b);
	}
	/* It answers for its own addresses only. */
	nft_rule(b, "from-ip6");
	term_of_icmp6(b, ND_NA);
	term_port_and(b, NFT_PAYLOAD_TRANSPORT_HEADER, 8, 16, "addr6", true);
	term_drop(b);
	/* Without a source address, as its kernel speaks while it takes an address: about that one only. */
	nft_rule(b, "from-ip6");
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 8, 16, NFT_REG_1);
	nft_cmp(b, NFT_REG_1, NFT_CMP_EQ, nobody, sizeof nobody);
	term_of_icmp6(b, ND_NS);
	term_port_and(b, NFT_PAYLOAD_TRANSPORT_HEADER, 8, 16, "addr6", false);
	term_allow(b);
	nft_rule(b, "from-ip6");
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 8, 16, NFT_REG_1);
	nft_cmp(b, NFT_REG_1, NFT_CMP_EQ, nobody, sizeof nobody);
	term_of_icmp6(b, MLD2);
	term_allow(b);
	nft_rule(b, "from-ip6");
	term_port_and(b, NFT_PAYLOAD_NETWORK_HEADER, 8, 16, "addr6", true);
	term_drop(b);
}

static void chain_of(const struct rules_cell *c, char name[NAME + 8])
{
	snprintf(name, NAME + 8, "out-%s", c->ifname);
}

static void egress_rule(struct nft *b, const char *chain, const struct rules_egress *g)
{
	const uint8_t both[] = { IPPROTO_TCP, IPPROTO_UDP };

	for (unsigned i = 0; i < (g->first ? sizeof both : 1); i++) {
		if (g->first && g->proto && g->proto != both[i])
			continue;
		nft_rule(b, chain);
		term_of_ethertype(b, g->to.family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
		term_in_subnet(b, target_at(g->to.family), &g->to);
		if (g->first) {
			term_of_proto(b, both[i]);
			nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1);
			nft_range(b, NFT_REG_1, g->first, g->last);
		}
		term_allow(b);
	}
}

static void find_at(struct nft *b, const char *chain, uint8_t type, const struct net_addr *to)
{
	nft_rule(b, chain);
	term_in_subnet(b, target_at(AF_INET6), to);
	term_of_icmp6(b, type);
	term_allow(b);
}

/*
 * What finds neighbours, on the link itself: to groups of the link, and neighbours' words to who can be one, too. These
 * messages have room for anything, and nobody tracks them: to other addresses the machine would route them on.
 */
static void finding_rules(struct nft *b, const char *chain, const struct rules_cell *c)
{
	static const struct net_addr groups = { .family = AF_INET6, .prefix = 16, .ip = { 0xff, 2 } },
				     local = { .family = AF_INET6, .prefix = 10, .ip = { 0xfe, 0x80 } };
	static const uint8_t to_all[] = { ND_RS, ND_NS, ND_NA, MLD2 }, to_one[] = { ND_NS, ND_NA };

	for (unsigned i = 0; i < sizeof to_all; i++)
		find_at(b, chain, to_all[i], &groups);
	for (unsigned i = 0; i < sizeof to_one; i++) {
		find_at(b, chain, to_one[i], &local);
		for (unsigned k = 0; k < c->naddrs; k++)
			if (c->addrs[k].family == AF_INET6)
				find_at(b, chain, to_one[i], c->addrs + k);
	}
}

/* What one cell may send: answers, what finds neighbours, its list. */
static void egress_chain(struct nft *b, const struct rules_cell *c)
{
	char chain[NAME + 8];

	chain_of(c, chain);
	nft_chain(b, chain, NULL, 0, 0);
	nft_rule(b, chain);
	term_ct_has(b, NFT_CT_STATE, CT_OLD);
	term_allow(b);
	finding_rules(b, chain, c);
	for (unsigned i = 0; i < c->negress; i++)
		egress_rule(b, chain, c->egress + i);
	nft_rule(b, chain);
	term_drop(b);
}

static void egress_map(struct nft *b, const struct rules *r)
{
	unsigned char key[32];
	char chain[NAME + 8];

	nft_set(b, "limited", T_IFNAME, NAME, NFT_DATA_VERDICT, 0);
	for (const struct rules_cell *c = r->cells; c < r->cells + r->ncells; c++)
		if (c->limited)
			egress_chain(b, c);
	nft_elems(b, "limited");
	for (const struct rules_cell *c = r->cells; c < r->cells + r->ncells; c++) {
		chain_of(c, chain);
		port_key(key, c, "", 0);
		if (c->limited)
			nft_elem(b, key, NAME, NULL, 0, chain);
	}
	nft_elems_end(b);
}

static void limited(struct nft *b, const char *chain)
{
	nft_rule(b, chain);
	nft_meta(b, NFT_META_IIFNAME, NFT_REG_1);
	nft_lookup(b, "limited", NFT_REG_1, NFT_REG_VERDICT, false);
	nft_rule_end(b);
	nft_rule(b, chain);
	term_allow(b);
}

static void to_chain(struct nft *b, uint16_t ethertype, const char *chain)
{
	nft_rule(b, "cells");
	term_of_ethertype(b, ethertype);
	nft_verdict(b, NFT_JUMP, chain);
	nft_rule_end(b);
}

void ruleset_bridge(struct nft *b, const struct rules *r)
{
	nft_table(b, NFPROTO_BRIDGE, NET_TABLE, r->tag);
	port_sets(b, r);
	pass_sets(b, r);
	nft_chain(b, "from-arp", NULL, 0, 0);
	nft_chain(b, "from-ip4", NULL, 0, 0);
	nft_chain(b, "from-ip6", NULL, 0, 0);
	egress_map(b, r);
	/* Behind the bridge's connection tracking (-200), which the answers of a limited cell are known by. */
	nft_chain(b, "cells", "filter", HOOK_PREROUTING, -150);
	pass_rule(b, AF_INET, 0);
	pass_rule(b, AF_INET6, IPPROTO_TCP);
	pass_rule(b, AF_INET6, IPPROTO_UDP);
	nft_rule(b, "cells");
	nft_meta(b, NFT_META_IIFNAME, NFT_REG_1);
	nft_lookup(b, "ports", NFT_REG_1, -1, true);
	term_allow(b);
	nft_rule(b, "cells");
	term_port_and(b, NFT_PAYLOAD_LL_HEADER, 6, ETH_ALEN, "macs", true);
	term_drop(b);
	to_chain(b, ETH_P_ARP, "from-arp");
	to_chain(b, ETH_P_IP, "from-ip4");
	to_chain(b, ETH_P_IPV6, "from-ip6");
	nft_rule(b, "cells");
	term_drop(b);
	arp_rules(b);
	nft_rule(b, "from-ip4");
	term_port_and(b, NFT_PAYLOAD_NETWORK_HEADER, 12, 4, "addr4", true);
	term_drop(b);
	limited(b, "from-ip4");
	ip6_rules(b);
	limited(b, "from-ip6");
	ruleset_into(b, r);
}
