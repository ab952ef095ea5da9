/* Rules of family bridge: what goes into a cell on several bridges is for its address of that one. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include "netns/ruleset.h"
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define CHAIN "into"

static void port_elem(struct nft *b, const struct rules_cell *c, const void *more, unsigned n)
{
	unsigned char key[32] = { 0 };

	memcpy(key, c->ifname, strnlen(c->ifname, NAME - 1));
	memcpy(key + NAME, more, n);
	nft_elem(b, key, NAME + n, NULL, 0, NULL);
}

/* To all on the link, by both of IPv4's names for that. */
static void wide_elems(struct nft *b, const struct rules_cell *c)
{
	static const unsigned char all[] = { 255, 255, 255, 255 };

	port_elem(b, c, all, sizeof all);
	for (const struct net_addr *a = c->addrs; a < c->addrs + c->naddrs; a++) {
		unsigned char ip[4];

		memcpy(ip, a->ip, sizeof ip);
		for (unsigned bit = a->prefix; bit < 32; bit++)
			ip[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
		if (a->family == AF_INET && a->prefix < 31)
			port_elem(b, c, ip, sizeof ip);
	}
}

static void sets(struct nft *b, const struct rules *r)
{
	nft_set(b, "several", T_IFNAME, NAME, 0, 0);
	nft_set(b, "wide4", T2(T_IFNAME, T_IP4), NAME + 4, 0, 0);
	nft_elems(b, "several");
	for (const struct rules_cell *c = r->cells; c < r->cells + r->ncells; c++)
		if (c->several)
			port_elem(b, c, "", 0);
	nft_elems_end(b);
	nft_elems(b, "wide4");
	for (const struct rules_cell *c = r->cells; c < r->cells + r->ncells; c++)
		if (c->several)
			wide_elems(b, c);
	nft_elems_end(b);
}

static void allow_target(struct nft *b, uint8_t family, const char *set)
{
	nft_rule(b, CHAIN);
	term_of_ethertype(b, family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	nft_meta(b, NFT_META_OIFNAME, NFT_REG_1);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, target_at(family), (unsigned)addr_size(family), NFT_REG_2);
	nft_lookup(b, set, NFT_REG_1, -1, false);
	term_allow(b);
}

static void allow_groups(struct nft *b, const struct net_addr *all)
{
	nft_rule(b, CHAIN);
	term_of_ethertype(b, all->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	term_in_subnet(b, target_at(all->family), all);
	term_allow(b);
}

void ruleset_into(struct nft *b, const struct rules *r)
{
	static const struct net_addr groups4 = { .family = AF_INET, .prefix = 4, .ip = { 224 } },
				     groups6 = { .family = AF_INET6, .prefix = 8, .ip = { 0xff } };
	static const uint16_t types[] = { ETH_P_IP, ETH_P_IPV6 };
	bool any = false;

	for (const struct rules_cell *c = r->cells; c < r->cells + r->ncells; c++)
		any |= c->several;
	if (!any)
		return;
	sets(b, r);
	nft_chain(b, CHAIN, "filter", HOOK_POSTROUTING, 0);
	nft_rule(b, CHAIN);
	nft_meta(b, NFT_META_OIFNAME, NFT_REG_1);
	nft_lookup(b, "several", NFT_REG_1, -1, true);
	term_allow(b);
	allow_target(b, AF_INET, "addr4");
	allow_target(b, AF_INET6, "addr6");
	allow_target(b, AF_INET, "wide4");
	allow_groups(b, &groups4);
	allow_groups(b, &groups6);
	for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
		nft_rule(b, CHAIN);
		term_of_ethertype(b, types[i]);
		term_drop(b);
	}
}
