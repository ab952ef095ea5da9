/* Which service has which address: see addresses.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/addresses.h"
#include "init/base/sum.h"
#include "services/spec/ports.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RECALL_MAX (1u << 20)	/* bytes of the file; no plan has so many services */

struct plan_addr addr_of(const struct spec_ip *ip)
{
	struct plan_addr a = { .family = ip->family, .prefix = ip->prefix };

	memcpy(a.ip, ip->ip, sizeof a.ip);
	return a;
}

bool parse_address(const char *text, struct plan_addr *out)
{
	struct spec_ip ip;

	if (!ip_parse(text, strlen(text), PREFIX_ALLOWED, &ip))
		return false;
	*out = addr_of(&ip);
	return true;
}

unsigned ip_bytes(const struct plan_addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

bool ip_equal(const struct plan_addr *a, const struct plan_addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, ip_bytes(a));
}

bool ip_in_subnet(const struct plan_addr *a, const struct plan_addr *net)
{
	unsigned whole = net->prefix / 8, bits = net->prefix % 8;

	if (a->family != net->family || memcmp(a->ip, net->ip, whole))
		return false;
	return !bits || !((a->ip[whole] ^ net->ip[whole]) >> (8 - bits));
}

/* Clear the host part of an address. */
static void to_network(struct plan_addr *a)
{
	for (unsigned i = 0; i < ip_bytes(a); i++) {
		unsigned kept = a->prefix > i * 8 ? a->prefix - i * 8 : 0;

		a->ip[i] &= (uint8_t)(kept >= 8 ? 0xff : 0xff << (8 - kept));
	}
}

void ip_to_first(struct plan_addr *a)
{
	to_network(a);
	a->ip[ip_bytes(a) - 1]++;
}

/* All bits of the host part are 0, or for IPv4 all are 1. */
bool ip_is_edge(const struct plan_addr *a, const struct plan_addr *net)
{
	struct plan_addr low = *a, high = *a;

	low.prefix = high.prefix = net->prefix;
	to_network(&low);
	for (unsigned i = 0; i < ip_bytes(a); i++) {
		unsigned kept = net->prefix > i * 8 ? net->prefix - i * 8 : 0;

		high.ip[i] |= (uint8_t)(kept >= 8 ? 0 : 0xff >> kept);
	}
	return ip_equal(a, &low) || (a->family == AF_INET && ip_equal(a, &high));
}

struct taken *taken_slot(struct nets *n, const struct plan_addr *a)
{
	uint64_t h = sum_more(SUM_START, a->ip, ip_bytes(a));

	for (unsigned i = (unsigned)h & (n->ntaken - 1);; i = (i + 1) & (n->ntaken - 1))
		if (!n->taken[i].addr.family || ip_equal(&n->taken[i].addr, a))
			return n->taken + i;
}

static bool keep_for(struct compiling *c, struct work *w, const struct plan_addr *a)
{
	for (unsigned i = 0; i < w->nkept; i++)
		if (ip_in_subnet(a, w->kept + i))
			return false;	/* one of each subnet */
	if (!w->kept)
		w->kept = compiling_get(c, WORK_KEPT * sizeof *w->kept);
	if (!w->kept || w->nkept == WORK_KEPT)
		return false;
	w->kept[w->nkept++] = *a;
	return true;
}

/* One line; what does not fit any more is not recalled, and nobody is told: it is a memory, not a wish. */
static void recall(struct nets *n, char *name, bool (*is_assigned)(const struct work *w, const struct net_bridge *b))
{
	char *blank = strchr(name, ' ');
	struct plan_addr a;

	if (!blank || n->nkept == n->ntaken / 4)
		return;
	*blank = '\0';
	if (!parse_address(blank + 1, &a) || taken_slot(n, &a)->addr.family)
		return;
	struct work *w = work_find(n->c, name);

	for (unsigned i = 0; i < n->nbridges; i++)
		for (unsigned k = 0; k < n->bridges[i].naddrs; k++) {
			const struct plan_addr *net = n->bridges[i].addrs + k;

			if (!ip_in_subnet(&a, net) || ip_is_edge(&a, net) ||
			    (w && !is_assigned(w, n->bridges + i)))
				continue;
			a.prefix = net->prefix;
			*taken_slot(n, &a) = (struct taken){ a, w };
			n->nkept++;
			if (w && !keep_for(n->c, w, &a))
				taken_slot(n, &a)->by = NULL;
			return;
		}
}

void addresses_recall(struct nets *n, bool (*is_assigned)(const struct work *w, const struct net_bridge *b))
{
	static const char *const places[] = { "/var/lib/prior/addresses", "/run/prior/addresses" };
	size_t size;

	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		char *text = look_read(n->c, n->c->machine_root, places[i], RECALL_MAX, &size), *next;

		for (char *line = text; line && *line; line = next) {
			next = line + strcspn(line, "\n");
			if (*next)
				*next++ = '\0';
			recall(n, line, is_assigned);
		}
	}
}

/* Host number k of a subnet; 0 is the subnet itself, 1 the bridge. */
static struct plan_addr numbered(const struct plan_addr *net, uint32_t k)
{
	struct plan_addr a = *net;
	const unsigned last = ip_bytes(&a);

	to_network(&a);
	for (unsigned i = 1; i <= 4; i++, k >>= 8)
		a.ip[last - i] |= (uint8_t)k;
	return a;
}

static bool recalled(const struct work *w, const struct plan_addr *net, struct plan_addr *out)
{
	for (unsigned i = 0; i < w->nkept; i++)
		if (ip_in_subnet(w->kept + i, net)) {
			*out = w->kept[i];
			return true;
		}
	return false;
}

bool address_assign(struct nets *n, const struct work *w, const struct plan_addr *net, struct plan_addr *out)
{
	const unsigned bits = ip_bytes(net) * 8 - net->prefix;
	const uint64_t all = 1ull << (bits < 32 ? bits : 32), room = all - (net->family == AF_INET ? 3 : 2);
	const uint64_t h = sum_more(SUM_START, w->svc->name, strlen(w->svc->name)) * 0x9e3779b97f4a7c15ull >> 32;

	if (recalled(w, net, out))
		return true;
	/* The second time round what is kept for who is gone is given away. */
	for (unsigned turn = 0; turn < 2; turn++)
		for (uint64_t k = 0; k < room; k++) {
			struct plan_addr a = numbered(net, (uint32_t)(2 + (h + k) % room));
			struct taken *t = taken_slot(n, &a);

			if (t->addr.family && (turn == 0 || t->by || ip_equal(&a, net)))
				continue;
			*t = (struct taken){ a, w };
			*out = a;
			return true;
		}
	return false;
}
