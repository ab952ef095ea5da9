/* Rules of family inet: what is forwarded, and under whose address; and the whole of the rules, see rules.h. */
/* SPDX-License-Identifier: ISC */
#include "netns/rules.h"
#include "netns/own.h"
#include "netns/ruleset.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static void port_elem(struct nft *b, const struct rules_port *p, const struct net_addr *to)
{
	const unsigned n = (unsigned)addr_size(to->family), skip = p->on.family ? n : 0;
	unsigned char key[24] = { 0 }, data[20] = { 0 };
	const uint16_t from = htons(p->from), port = htons(p->to);

	memcpy(key, p->on.ip, skip);
	key[skip] = p->proto;
	memcpy(key + skip + 4, &from, sizeof from);
	memcpy(data, to->ip, n);
	memcpy(data + n, &port, sizeof port);
	nft_elem(b, key, skip + 8, data, n + 4, NULL);
}

static const char *port_set(uint8_t family, bool one)
{
	return family == AF_INET ? one ? "to4-at" : "to4" : one ? "to6-at" : "to6";
}

/* Published on all addresses (or on one) of the machine: where each leads to. */
static void port_map(struct nft *b, const struct rules *r, uint8_t family, bool one)
{
	const unsigned n = (unsigned)addr_size(family);
	const uint32_t ip = family == AF_INET ? T_IP4 : T_IP6;

	nft_set(b, port_set(family, one), one ? T3(ip, T_PROTO, T_PORT) : T2(T_PROTO, T_PORT), (one ? n : 0) + 8,
		T2(ip, T_PORT), n + 4);
	nft_elems(b, port_set(family, one));
	for (const struct rules_cell *c = r->cells; c < r->cells + r->ncells; c++) {
		const struct net_addr *to = NULL;

		for (unsigned i = 0; i < c->naddrs && !to; i++)
			to = c->addrs[i].family == family ? c->addrs + i : NULL;
		for (unsigned i = 0; to && i < c->nports; i++)
			if (one ? c->ports[i].on.family == family : !c->ports[i].on.family)
				port_elem(b, c->ports + i, to);
	}
	nft_elems_end(b);
}

static void to_cell(struct nft *b, const char *chain, uint8_t family, bool one)
{
	const uint8_t nfproto = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	const unsigned n = (unsigned)addr_size(family), key = one ? n / 4 : 0;

	nft_rule(b, chain);
	term_of_family(b, nfproto);
	if (family == AF_INET6) /* the kernel lets nothing from ::1 out of the machine */
		term_not_loopback(b);
	nft_fib_local(b);
	if (one)
		nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, target_at(family), n, NFT_REG_1);
	nft_meta(b, NFT_META_L4PROTO, key ? key == 4 ? NFT_REG_2 : R32(key) : NFT_REG_1);
	nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, R32(key + 1));
	nft_lookup(b, port_set(family, one), NFT_REG_1, NFT_REG_1, false);
	nft_dnat(b, nfproto, NFT_REG_1, family == AF_INET ? R32(1) : NFT_REG_2);
	nft_rule_end(b);
}

static void publish(struct nft *b, const char *chain)
{
	for (int one = 1; one >= 0; one--) {
		to_cell(b, chain, AF_INET, one);
		to_cell(b, chain, AF_INET6, one);
	}
}

static void masquerade(struct nft *b)
{
	nft_masquerade(b);
	nft_rule_end(b);
}

static void source_rules(struct nft *b, const struct rules_bridge *br)
{
	static const struct net_addr loop = { .family = AF_INET, .prefix = 8, .ip = { 127 } };

	for (unsigned i = 0; i < br->naddrs; i++) {
		const struct net_addr *a = br->addrs + i;
		const uint8_t nfproto = a->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

		/* A cell that comes back to its bridge by a published port: else it would be answered past us. */
		nft_rule(b, "source");
		term_of_family(b, nfproto);
		term_interface_is(b, NFT_META_OIFNAME, br->name, NFT_CMP_EQ);
		term_ct_has(b, NFT_CT_STATUS, CT_DNAT);
		term_in_subnet(b, source_at(a->family), a);
		masquerade(b);
		if (!br->nat)
			continue;
		nft_rule(b, "source");
		term_of_family(b, nfproto);
		term_interface_is(b, NFT_META_OIFNAME, br->name, NFT_CMP_NEQ);
		term_in_subnet(b, source_at(a->family), a);
		masquerade(b);
	}
	/* The machine itself, by 127.0.0.1: no cell can answer to that. */
	nft_rule(b, "source");
	term_of_family(b, NFPROTO_IPV4);
	term_interface_is(b, NFT_META_OIFNAME, br->name, NFT_CMP_EQ);
	term_in_subnet(b, source_at(AF_INET), &loop);
	masquerade(b);
}

/* Whether anything has another address outside. If not, nobody makes the kernel follow the machine's connections. */
static bool translates(const struct rules *r)
{
	bool does = false;

	for (unsigned i = 0; i < r->nbridges; i++)
		does |= r->bridges[i].nat;
	for (unsigned i = 0; i < r->ncells; i++)
		does |= r->cells[i].nports > 0;
	return does;
}

static void forward_rules(struct nft *b, const struct rules *r)
{
	if (translates(r)) {
		nft_rule(b, "forward");
		term_ct_has(b, NFT_CT_STATE, CT_OLD);
		term_allow(b);
		nft_rule(b, "forward");
		term_ct_has(b, NFT_CT_STATUS, CT_DNAT);
		term_allow(b);
	}
	/* From elsewhere into a bridge: with NAT nobody, else whoever is not a cell of another bridge. */
	for (unsigned i = 0; i < r->nbridges; i++) {
		nft_rule(b, "forward");
		term_interface_is(b, NFT_META_OIFNAME, r->bridges[i].name, NFT_CMP_EQ);
		term_interface_is(b, NFT_META_IIFNAME, r->bridges[i].name, NFT_CMP_NEQ);
		if (!r->bridges[i].nat)
			nft_lookup(b, "bridges", NFT_REG_1, -1, false);
		term_drop(b);
	}
}

/*
 * With br_netfilter in the kernel (Docker loads it) frames between two cells come by here, too. Nothing here asks about
 * their connections, and to follow them costs a twentieth of the throughput.
 */
static void between_cells(struct nft *b, const struct rules_bridge *br)
{
	for (const struct net_addr *a = br->addrs; a < br->addrs + br->naddrs; a++) {
		const unsigned n = (unsigned)addr_size(a->family);

		nft_rule(b, "early");
		term_interface_is(b, NFT_META_IIFNAME, br->name, NFT_CMP_EQ);
		term_of_family(b, a->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
		nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, target_at(a->family), n, NFT_REG_1);
		nft_cmp(b, NFT_REG_1, NFT_CMP_NEQ, a->ip, n);
		term_in_subnet(b, target_at(a->family), a);
		term_in_subnet(b, source_at(a->family), a);
		nft_notrack(b);
		nft_rule_end(b);
	}
}

static void translation(struct nft *b, const struct rules *r)
{
	for (unsigned i = 0; i < r->nbridges; i++)
		between_cells(b, r->bridges + i);
	nft_chain(b, "published", "nat", HOOK_PREROUTING, -100);
	publish(b, "published");
	nft_chain(b, "published-here", "nat", HOOK_OUTPUT, -100);
	publish(b, "published-here");
	nft_chain(b, "source", "nat", HOOK_POSTROUTING, 100);
	for (unsigned i = 0; i < r->nbridges; i++)
		source_rules(b, r->bridges + i);
}

void ruleset_inet(struct nft *b, const struct rules *r)
{
	static const struct net_addr loop = { .family = AF_INET, .prefix = 8, .ip = { 127 } };
	char name[NAME];

	nft_table(b, NFPROTO_INET, NET_TABLE, r->tag);
	nft_set(b, "bridges", T_IFNAME, NAME, 0, 0);
	nft_elems(b, "bridges");
	for (unsigned i = 0; i < r->nbridges; i++) {
		memset(name, 0, sizeof name);
		snprintf(name, sizeof name, "%s", r->bridges[i].name);
		nft_elem(b, name, NAME, NULL, 0, NULL);
	}
	nft_elems_end(b);
	for (int one = 0; one < 2; one++) {
		port_map(b, r, AF_INET, one);
		port_map(b, r, AF_INET6, one);
	}
	/* route_localnet lets 127.0.0.1 out to the cells; nobody comes in by it (CVE-2020-8558). */
	nft_chain(b, "early", "filter", HOOK_PREROUTING, -300);
	nft_rule(b, "early");
	term_of_family(b, NFPROTO_IPV4);
	term_in_subnet(b, target_at(AF_INET), &loop);
	nft_meta(b, NFT_META_IIFNAME, NFT_REG_1);
	nft_lookup(b, "bridges", NFT_REG_1, -1, false);
	term_drop(b);
	if (translates(r))
		translation(b, r);
	/* A bridge alone, and all may come in and go out: there is nobody to keep from it. */
	if (r->nbridges < 2 && !translates(r))
		return;
	nft_chain(b, "forward", "filter", HOOK_FORWARD, 0);
	forward_rules(b, r);
}

int rules_apply(const struct rules *r, struct err *e)
{
	struct nft b;

	nft_begin(&b);
	ruleset_bridge(&b, r);
	ruleset_inet(&b, r);
	const int ret = nft_commit(&b, e);

	nft_free(&b);
	return ret;
}

int rules_there(uint64_t tag, struct err *e)
{
	static const uint8_t families[] = { NFPROTO_BRIDGE, NFPROTO_INET };
	uint64_t got;

	for (unsigned i = 0; i < sizeof families; i++) {
		const int r = nft_tag(families[i], NET_TABLE, &got, e);

		if (r < 0)
			return r;
		if (r == 0 || got != tag)
			return err_set(e, ENOENT, "the bridges' rules (nf_tables " NET_TABLE ") %s: `prior events` "
				       "says why", r == 0 ? "are not there" : "are of another configuration");
	}
	return 0;
}

int rules_remove(struct err *e)
{
	struct nft b;

	nft_begin(&b);
	nft_table_remove(&b, NFPROTO_BRIDGE, NET_TABLE);
	nft_table_remove(&b, NFPROTO_INET, NET_TABLE);
	const int ret = nft_commit(&b, e);

	nft_free(&b);
	return ret;
}
