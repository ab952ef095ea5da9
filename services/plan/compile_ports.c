/* Ports that are published and what may be reached, of each interface of a service; and no port twice. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/addresses.h"
#include "services/spec/ports.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Room for those of all of its interfaces, which check_ports() looks at together. */
static bool room_for_ports(struct compiling *c, struct work *w)
{
	size_t n = 0;

	for (unsigned i = 0; i < w->nlinks; i++)
		n += w->links[i].spec->ports.n;
	w->ports = n ? compiling_get(c, n * PORTS_OF_ONE * sizeof *w->ports) : NULL;
	return w->ports;
}

void compile_ports(struct compiling *c, struct work *w, unsigned i)
{
	const struct str_list *l = &w->links[i].spec->ports;
	const unsigned first = w->nports;
	struct spec_port one;
	struct err e;

	if (!l->n || (!w->ports && !room_for_ports(c, w)))
		return;
	for (unsigned j = 0; j < l->n; j++) {
		if (port_parse(l->v[j], &one, &e) < 0) {
			refuse_link(c, w, i, ports, "isolation.network.ports: %s", e.text);
			continue;
		}
		for (unsigned k = 0; k < one.n; k++) {
			struct plan_port *p = w->ports + w->nports++;

			*p = (struct plan_port){ .from = (uint16_t)(one.from + k), .to = (uint16_t)(one.to + k),
						 .proto = one.proto };
			p->on = addr_of(&one.on);
		}
	}
	if (w->nports - first > 1024)
		refuse_link(c, w, i, ports, "isolation.network.ports: %u ports, at most 1024", w->nports - first);
	w->links[i].out.ports = write_table(&c->w, w->ports + first, w->nports - first, sizeof *w->ports);
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
	const struct work_link *l = w->links + i;

	for (unsigned k = 0; k < l->naddrs && l->spec->ports.n; k++)
		if (!(l->addrs[k].family == AF_INET ? l->out.gw4 : l->out.gw6).family) {
			refuse_link(c, w, i, ports, "isolation.network.ports: answers to other machines leave by the "
				    "default route, which another interface has: publish them there, or give this one "
				    "the gateway");
			return;
		}
}

/* Of one port of the machine: who has it. Two services, or one twice, cannot. */
static void refuse_double_ports(struct compiling *c, struct work *w, struct work **by, const struct plan_port *p)
{
	struct work **seat = by + p->from + (p->proto == IPPROTO_UDP ? 65536 : 0);

	if (!*seat) {
		*seat = w;
		return;
	}
	for (const struct plan_port *o = (*seat)->ports; o < (*seat)->ports + (*seat)->nports; o++)
		if (o != p && o->from == p->from && o->proto == p->proto &&
		    (!o->on.family || !p->on.family || ip_equal(&o->on, &p->on)))
			refuse(c, w, network.link.ports, "isolation.network.ports: port %u of the machine is published "
			       "by service %s already", p->from, (*seat)->svc->name);
}

void check_ports(struct compiling *c)
{
	struct work **by = calloc(2 * 65536, sizeof *by);

	c->no_memory |= !by;
	for (unsigned i = 0; by && i < c->n; i++)
		for (unsigned k = 0; k < c->work[i].nports; k++)
			refuse_double_ports(c, c->work + i, by, c->work[i].ports + k);
	free(by);
}
