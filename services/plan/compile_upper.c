/* Services on top of one interface of the machine's: of one kind, with addresses that nobody else has there. */
/* SPDX-License-Identifier: ISC */
#include "netns/net.h"
#include "services/plan/addresses.h"
#include "services/spec/ports.h"
#include <arpa/inet.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

struct claim {
	const char *parent;
	struct plan_addr addr;	/* family 0: of the interface itself */
	struct work *by;	/* NULL: the machine */
};

static const char *parent_of(const struct work *w)
{
	const struct spec_network *s = &w->eff.network;

	return w->refused || !s->mode ? NULL : s->macvlan ? s->macvlan : s->ipvlan;
}

/* By interface and address; of one address the machine first, then as in the file. */
static int compare(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;
	int r = strcmp(a->parent, b->parent);

	if (!r)
		r = a->addr.family - b->addr.family;
	if (!r)
		r = memcmp(a->addr.ip, b->addr.ip, sizeof a->addr.ip);
	return r ? r : (a->by > b->by) - (a->by < b->by);
}

static void refuse_double(struct compiling *c, const struct claim *one, const struct claim *two)
{
	char text[INET6_ADDRSTRLEN];

	if (!two->by)
		return;
	refuse(c, two->by, network.addresses, "isolation.network.address: %s is taken on %s by %s%s",
	       inet_ntop(two->addr.family, two->addr.ip, text, sizeof text), two->parent,
	       one->by ? "service " : "the machine itself", one->by ? one->by->svc->name : "");
}

/*
 * An interface of the machine carries macvlans or ipvlans, not both (the second's start would fail with EBUSY), and
 * what an ipvlan's mode is the kernel keeps for the interface below: the second one's would be the first one's, too.
 */
static void refuse_other_kind(struct compiling *c, const struct claim *one, const struct claim *two)
{
	const struct work *a = one->by;
	struct work *b = two->by;

	if (!a->eff.network.macvlan != !b->eff.network.macvlan)
		refuse(c, b, network.addresses, "isolation.network: %s carries the %s of service %s, and can carry no "
		       "%s beside it", two->parent, a->eff.network.macvlan ? "macvlan" : "ipvlan", a->svc->name,
		       b->eff.network.macvlan ? "macvlan" : "ipvlan");
	else if (!a->eff.network.macvlan && a->out.upper != b->out.upper)
		refuse(c, b, network.addresses, "isolation.network.mode: all ipvlans of %s have one mode, and "
		       "service %s has another", two->parent, a->svc->name);
}

/* What comes in for the machine itself goes to the ipvlan that has its address, and nobody is asked. */
static void refuse_administrator(struct compiling *c, struct work *w)
{
	const bool counts = !(w->out.flags & CELL_USER);	/* in such a namespace it is of no use to it */

	if (w->eff.network.ipvlan && counts && w->out.caps & UINT64_C(1) << CAP_NET_ADMIN)
		refuse(c, w, cap_add, "security.cap_add: with CAP_NET_ADMIN an ipvlan can take the machine's own "
		       "address on %s: use macvlan", w->eff.network.ipvlan);
}

static size_t list(struct compiling *c, struct claim *to)
{
	size_t n = 0;

	for (unsigned i = 0; i < c->n; i++) {
		struct work *w = c->work + i;
		const char *parent = parent_of(w);

		if (parent)
			to[n++] = (struct claim){ .parent = parent, .by = w };
		for (unsigned k = 0; parent && k < w->naddrs; k++)
			to[n++] = (struct claim){ parent, w->addrs[k], w };
	}
	for (unsigned i = 0; n && i < c->s->ninterfaces; i++) {
		const struct spec_interface *s = c->s->interfaces + i;

		for (unsigned k = 0; k < s->addresses.n; k++) {
			to[n] = (struct claim){ .parent = s->name };
			n += parse_address(s->addresses.v[k], &to[n].addr);
		}
	}
	return n;
}

void compile_uppers(struct compiling *c)
{
	size_t room = 0;

	for (unsigned i = 0; i < c->n; i++) {
		room += parent_of(c->work + i) ? 1 + c->work[i].naddrs : 0;
		if (parent_of(c->work + i))
			refuse_administrator(c, c->work + i);
	}
	if (!room)
		return;
	for (unsigned i = 0; i < c->s->ninterfaces; i++)
		room += c->s->interfaces[i].addresses.n;
	struct claim *all = calloc(room + 1, sizeof *all);
	const size_t n = all ? list(c, all) : 0;

	c->no_memory |= !all;
	if (n)
		qsort(all, n, sizeof *all, compare);
	for (size_t i = 1, first = 0; i < n; i++) {
		if (strcmp(all[first].parent, all[i].parent) != 0 ||
		    all[first].addr.family != all[i].addr.family ||
		    memcmp(all[first].addr.ip, all[i].addr.ip, sizeof all[i].addr.ip) != 0)
			first = i;
		else if (all[i].addr.family)
			refuse_double(c, all + first, all + i);
		else
			refuse_other_kind(c, all + first, all + i);
	}
	free(all);
}
