/* Ports that are published and what may be reached, of each interface of a service; and no port twice. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/addresses.h"
#include "services/spec/ports.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

void compile_ports(struct compiling *c, struct work *w, unsigned i)
{
	struct work_link *to = w->links + i;
	const struct str_list *l = &to->spec->ports;
	struct spec_port one;
	struct err e;

	to->ports = l->n ? compiling_get(c, l->n * PORTS_OF_ONE * sizeof *to->ports) : NULL;
	for (unsigned j = 0; to->ports && j < l->n; j++) {
		if (port_parse(l->v[j], &one, &e) < 0) {
			refuse_link(c, w, i, ports, "isolation.network.ports: %s", e.text);
			continue;
		}
		for (unsigned k = 0; k < one.n; k++) {
			struct plan_port *p = to->ports + to->nports++;

			*p = (struct plan_port){ .from = (uint16_t)(one.from + k), .to = (uint16_t)(one.to + k),
						 .proto = one.proto };
			p->on = addr_of(&one.on);
		}
	}
	if (to->nports > 1024)
		refuse_link(c, w, i, ports, "isolation.network.ports: %u ports, at most 1024", to->nports);
	to->out.ports = write_table(&c->w, to->ports, to->nports, sizeof *to->ports);
}

/* Its own list, else that of the first interface: what says nothing opens no way past it. */
void compile_egress(struct compiling *c, struct work *w, unsigned i)
{
	const struct str_list *own = &w->links[i].spec->egress, *l = own->v ? own : &w->links[0].spec->egress;
	struct plan_egress *p = l->n ? compiling_get(c, l->n * sizeof *p) : NULL;
	struct spec_egress one;
	struct err e;
	unsigned n = 0;

	w->links[i].out.limited = l->v != NULL;	/* an empty list is one that allows nothing */
	if (l->v && !w->links[0].spec->egress.v)
		tell_at(c, w, w->links[i].spec->from, "isolation.network.egress: holds on bridge '%s' only: the first "
			"interface has no list and reaches everything", w->links[i].spec->bridge);
	if (l->n == 1 && !strcmp(l->v[0], EGRESS_NONE))
		return;
	for (unsigned k = 0; p && k < l->n; k++) {
		if (egress_parse(l->v[k], &one, &e) < 0) {
			refuse_link(c, w, i, egress, "isolation.network.egress: %s", e.text);
			continue;
		}
		p[n] = (struct plan_egress){ .first = one.first, .last = one.last, .proto = one.proto };
		p[n++].to = addr_of(&one.to);
	}
	if (n > 256)
		refuse_link(c, w, i, egress, "isolation.network.egress: %u rules, at most 256", n);
	w->links[i].out.egress = write_table(&c->w, p, n, sizeof *p);
}

/* What other machines asked by a published port would be answered by another interface, under a wrong address. */
void judge_ports(struct compiling *c, struct work *w, unsigned i)
{
	struct work_link *l = w->links + i;

	for (unsigned k = 0; k < l->naddrs && l->spec->ports.n; k++)
		if (!link_gateway(&l->out, l->addrs[k].family)->family) {
			refuse_link(c, w, i, ports, "isolation.network.ports: answers to other machines leave by the "
				    "default route, which another interface has: publish them there, or give this one "
				    "the gateway");
			return;
		}
}

/* A port of the machine: whose it is, and where it leads. */
struct published {
	struct work *by;
	const struct work_link *link;
	const struct plan_port *port;
	struct published *next;	/* of the same number and protocol */
};

/* On which addresses: one, or all of the families that the interface has. */
static bool is_of(const struct published *x, uint8_t family)
{
	bool has = x->port->on.family == family;

	for (unsigned i = 0; i < x->link->naddrs && !x->port->on.family; i++)
		has |= x->link->addrs[i].family == family;
	return has;
}

static bool meet(const struct published *x, const struct published *y)
{
	const struct plan_addr *a = &x->port->on, *b = &y->port->on;

	return ((is_of(x, AF_INET) && is_of(y, AF_INET)) || (is_of(x, AF_INET6) && is_of(y, AF_INET6))) &&
	       (!a->family || !b->family || ip_equal(a, b));
}

/* Two services, or one twice, cannot have the same. */
static void refuse_double_ports(struct compiling *c, struct published **seats, struct published *x)
{
	struct published **seat = seats + x->port->from + (x->port->proto == IPPROTO_UDP ? 65536 : 0);
	const struct published *o = *seat;

	while (o && !meet(o, x))
		o = o->next;
	if (o)
		refuse_link(c, x->by, (unsigned)(x->link - x->by->links), ports, "isolation.network.ports: port %u of "
			    "the machine is published by service %s already", x->port->from, o->by->svc->name);
	else
		x->next = *seat, *seat = x;
}

void check_ports(struct compiling *c)
{
	struct published **seats = calloc(2 * 65536, sizeof *seats), *all, *x;
	size_t n = 0;

	for (unsigned i = 0; i < c->n; i++)
		for (unsigned k = 0; k < c->work[i].nlinks; k++)
			n += c->work[i].links[k].nports;
	x = all = calloc(n + 1, sizeof *all);
	c->no_memory |= !seats || !all;
	for (unsigned i = 0; seats && all && i < c->n; i++)
		for (unsigned k = 0; k < c->work[i].nlinks; k++) {
			const struct work_link *l = c->work[i].links + k;

			for (unsigned p = 0; p < l->nports; p++, x++) {
				*x = (struct published){ c->work + i, l, l->ports + p, NULL };
				refuse_double_ports(c, seats, x);
			}
		}
	free(seats);
	free(all);
}
