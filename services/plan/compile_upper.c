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

/* Its interface that is on top of one: the only one it has then (check.c). NULL: it has none. */
static const struct work_link *link_of(const struct work *w)
{
	return w->nlinks && spec_link_parent(w->links->spec) ? w->links : NULL;
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
	refuse_link(c, two->by, 0, addresses, "isolation.network.address: %s is taken on %s by %s%s",
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
	const struct work_link *x = link_of(a), *y = link_of(b);

	if (!x->spec->macvlan != !y->spec->macvlan)
		refuse_link(c, b, 0, addresses, "isolation.network: %s carries the %s of service %s, and can "
			    "carry no %s beside it", two->parent, x->spec->macvlan ? "macvlan" : "ipvlan", a->svc->name,
			    y->spec->macvlan ? "macvlan" : "ipvlan");
	else if (!x->spec->macvlan && x->out.upper != y->out.upper)
		refuse_link(c, b, 0, addresses, "isolation.network.mode: all ipvlans of %s have one mode, "
			    "and service %s has another", two->parent, a->svc->name);
}

/* What comes in for the machine itself goes to the ipvlan that has its address, and nobody is asked. */
static void refuse_administrator(struct compiling *c, struct work *w)
{
	const bool counts = !(w->out.flags & CELL_USER);	/* in such a namespace it is of no use to it */

	if (link_of(w)->spec->ipvlan && counts && w->out.caps & UINT64_C(1) << CAP_NET_ADMIN)
		refuse(c, w, cap_add, "security.cap_add: with CAP_NET_ADMIN an ipvlan can take the machine's own "
		       "address on %s: use macvlan", link_of(w)->spec->ipvlan);
}

static size_t list(struct compiling *c, struct claim *to)
{
	size_t n = 0;

	for (unsigned i = 0; i < c->n; i++) {
		struct work *w = c->work + i;
		const struct work_link *l = w->refused ? NULL : link_of(w);

		if (l)
			to[n++] = (struct claim){ .parent = spec_link_parent(l->spec), .by = w };
		for (unsigned k = 0; l && k < l->naddrs; k++)
			to[n++] = (struct claim){ spec_link_parent(l->spec), l->addrs[k], w };
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
		const struct work_link *l = c->work[i].refused ? NULL : link_of(c->work + i);

		room += l ? 1 + l->naddrs : 0;
		if (l)
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
