/* Subnets that overlap: what is meant for one of them would go to the other. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/addresses.h"
#include <stdlib.h>
#include <sys/socket.h>

struct subnet {
	struct plan_addr addr;
	const struct spec_bridge *bridge;	/* NULL: an interface's own */
	const struct spec_interface *interface;
	const char *text;
};

static bool overlap(const struct plan_addr *a, const struct plan_addr *b)
{
	return ip_in_subnet(a, a->prefix < b->prefix ? a : b) && ip_in_subnet(b, a->prefix < b->prefix ? a : b);
}

/* The kernel sends by the longest prefix: a wider network of an interface, or one address, takes nothing away. */
static bool collide(const struct subnet *a, const struct subnet *bridges)
{
	const struct plan_addr *x = &a->addr, *y = &bridges->addr;

	return overlap(x, y) &&
	       (a->bridge || (x->prefix >= y->prefix && x->prefix < (x->family == AF_INET ? 32 : 128)));
}

static const char *place(struct compiling *c, const struct subnet *s)
{
	const struct origin at = s->bridge ? s->bridge->from : s->interface->from;

	return at.kind != FROM_FILE ? "" : compiling_fmt(c, " (%s:%u:%u)", c->s->files[at.file], at.line, at.col);
}

static void note_overlap(struct compiling *c, const struct subnet *of, const struct subnet *b)
{
	spec_problem(c->s, SEV_NOTE, b->bridge->from, NULL, "network.bridges.%s: '%s' overlaps '%s' of interface %s%s: "
		     "the narrower one is sent what is meant for both", b->bridge->name, b->text, of->text,
		     of->interface->name, place(c, of));
}

/* Two interfaces may be in one network, and one may have two addresses there; a bridge's subnet is its alone. */
static void refuse_second(struct compiling *c, const struct subnet *first, const struct subnet *b)
{
	const char *whose = "the same bridge";

	if (first->bridge != b->bridge)
		whose = compiling_fmt(c, "%s %s%s", first->bridge ? "bridge" : "interface",
				      first->bridge ? first->bridge->name : first->interface->name, place(c, first));
	spec_problem(c->s, SEV_ERROR, b->bridge->from, NULL, "network.bridges.%s: '%s' overlaps '%s' of %s: give one "
		     "of them another subnet", b->bridge->name, b->text, first->text, whose);
}

static unsigned add(struct subnet *v, unsigned n, const struct str_list *l, struct subnet of)
{
	for (unsigned i = 0; i < l->n; i++) {
		of.text = l->v[i];
		v[n] = of;
		n += parse_address(l->v[i], &v[n].addr);	/* what is none was refused where it stands */
	}
	return n;
}

void compile_subnets(struct compiling *c)
{
	const struct spec *s = c->s;
	size_t room = 1;
	unsigned n = 0;

	for (unsigned i = 0; i < s->ninterfaces; i++)
		room += s->interfaces[i].addresses.n;
	for (unsigned i = 0; i < s->nbridges; i++)
		room += s->bridges[i].subnets.n;
	struct subnet *v = compiling_get(c, room * sizeof *v);

	for (unsigned i = 0; v && i < s->ninterfaces; i++)
		n = add(v, n, &s->interfaces[i].addresses, (struct subnet){ .interface = s->interfaces + i });
	for (unsigned i = 0; v && i < s->nbridges; i++)
		n = add(v, n, &s->bridges[i].subnets, (struct subnet){ .bridge = s->bridges + i });
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; v[i].bridge && k < i; k++)
			if (collide(v + k, v + i)) {
				refuse_second(c, v + k, v + i);
				break;
			} else if (overlap(&v[k].addr, &v[i].addr)) {
				note_overlap(c, v + k, v + i);
			}
}
