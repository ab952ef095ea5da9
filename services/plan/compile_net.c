/* Networks: bridges, who is on them with which address, and what the rules of the traffic are made from. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sum.h"
#include "netns/net.h"
#include "services/plan/addresses.h"
#include "services/spec/ports.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>

#define NET_ADDRS 16	/* of one service */

/* The other bridges and all services that do not need this one go on. */
static void bridge_problem(struct compiling *c, const struct spec_bridge *b, const char *text, const char *why)
{
	spec_problem(c->s, SEV_ERROR, b->from, NULL, "network.bridges.%s: '%s' %s", b->name, text, why);
}

static void read_bridge(struct nets *n, const struct spec_bridge *s, struct net_bridge *b)
{
	struct compiling *c = n->c;

	*b = (struct net_bridge){ .spec = s,
				  .addrs = compiling_get(c, (s->subnets.n + 1) * sizeof *b->addrs) };
	for (unsigned i = 0; b->addrs && i < s->subnets.n; i++) {
		struct plan_addr a;

		if (!parse_address(s->subnets.v[i], &a) || a.prefix + 2u > ip_bytes(&a) * 8) {
			bridge_problem(c, s, s->subnets.v[i], "is not a subnet with room for two addresses");
			continue;
		}
		if (b->naddrs == PLAN_ADDRS_MAX) {
			bridge_problem(c, s, s->subnets.v[i], "is the 33rd subnet: 32 at most");
			break;
		}
		ip_to_first(&a);
		b->addrs[b->naddrs++] = a;
	}
	if (strlen(s->name) > 15)
		bridge_problem(c, s, s->name, "is longer than the 15 bytes of an interface's name");
}

static struct net_bridge *bridge_named(struct nets *n, const char *name)
{
	for (unsigned i = 0; i < n->nbridges; i++)
		if (!strcmp(n->bridges[i].spec->name, name))
			return n->bridges + i;
	return NULL;
}

/* An address that is asked for: inside the bridge's subnet, nobody else's. */
static bool take_asked(struct nets *n, struct work *w, const struct net_bridge *b, const char *text,
		       struct plan_addr *a)
{
	const struct plan_addr *net = NULL;

	if (!parse_address(text, a)) {
		refuse(n->c, w, network.addresses,
		       "isolation.network.address: '%s' is not an address like 10.88.0.2/24", text);
		return false;
	}
	for (unsigned i = 0; i < b->naddrs && !net; i++)
		if (ip_in_subnet(a, b->addrs + i))
			net = b->addrs + i;
	if (!net) {
		refuse(n->c, w, network.addresses, "isolation.network.address: %s is in no subnet of bridge '%s'", text,
		       b->spec->name);
		return false;
	}
	if (!strchr(text, '/'))
		a->prefix = net->prefix;
	if (ip_is_edge(a, net)) {
		refuse(n->c, w, network.addresses,
		       "isolation.network.address: %s is the subnet itself or its broadcast",
		       text);
		return false;
	}
	struct taken *t = taken_slot(n, a);

	if (ip_equal(a, net) || t->addr.family) {
		refuse(n->c, w, network.addresses, "isolation.network.address: %s is taken by %s%s", text,
		       t->by ? "service " : "bridge ", t->by ? t->by->svc->name : b->spec->name);
		return false;
	}
	*t = (struct taken){ *a, w };
	return true;
}

static void set_gateways(struct nets *n, struct work *w, const struct net_bridge *b, const struct plan_addr *addrs,
			 unsigned naddrs)
{
	struct plan_addr asked = { 0 };

	if (w->eff.network.gateway && !parse_address(w->eff.network.gateway, &asked))
		refuse(n->c, w, network.gateway, "isolation.network.gateway: '%s' is not an address",
		       w->eff.network.gateway);
	for (unsigned i = 0; i < naddrs; i++) {
		struct plan_addr *gw = addrs[i].family == AF_INET ? &w->out.gw4 : &w->out.gw6;

		if (asked.family == addrs[i].family)
			*gw = asked;
		for (unsigned j = 0; j < b->naddrs && !gw->family; j++)
			if (ip_in_subnet(addrs + i, b->addrs + j))
				*gw = b->addrs[j];
	}
}

/* Twice the room each time there is too little: all lines together cost what they are long. */
static void add_line(struct compiling *c, struct net_bridge *b, const char *line)
{
	const size_t n = strlen(line);

	if (b->used + n >= b->room) {
		const size_t room = 2 * (b->room + n) + 256;
		char *more = compiling_get(c, room);

		if (!more)
			return;
		if (b->used)
			memcpy(more, b->hosts, b->used);
		b->hosts = more;
		b->room = room;
	}
	memcpy(b->hosts + b->used, line, n + 1);
	b->used += n;
}

/* Its line in the file that all cells of the bridge see: names first, so that no host name covers a service's. */
static void add_hosts(struct compiling *c, struct net_bridge *b, struct work *w, const struct plan_addr *a, unsigned n)
{
	const char *alias = w->eff.hostname && strcmp(w->eff.hostname, w->svc->name) ? w->eff.hostname : NULL;
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = 0; i < n; i++)
		add_line(c, b, compiling_fmt(c, "%s %s%s%s\n", inet_ntop(a[i].family, a[i].ip, text, sizeof text),
					     w->svc->name, alias ? " " : "", alias ? alias : ""));
}

/* The machine's end: "p-" and the name where it fits; else its beginning and a number made of it. */
static const char *interface_name(struct compiling *c, struct work *w)
{
	const char *name = w->svc->name, *text = compiling_fmt(c, "p-%s", name);
	uint64_t h = sum_more(SUM_START, name, strlen(name));

	if (strlen(text) <= 15)
		return text;
	for (;; h++) {
		bool free = true;

		text = compiling_fmt(c, "p-%.6s-%06llx", name, (unsigned long long)(h & 0xffffff));
		for (unsigned i = 0; i < c->n && free; i++)
			free = !c->work[i].ifname || strcmp(c->work[i].ifname, text) != 0;
		if (free || c->no_memory)
			return text;
	}
}

static uint32_t mtu_of(const struct net_bridge *b)
{
	return b->spec->mtu == UNSET_NUM ? 0 : (uint32_t)b->spec->mtu;
}

/* No address is asked for: it gets one of each subnet. */
static bool is_assigned(const struct work *w, const struct net_bridge *b)
{
	return !w->refused && w->eff.network.mode && w->eff.network.bridge && !w->eff.network.addresses.n &&
	       !strcmp(w->eff.network.bridge, b->spec->name);
}

static unsigned assign_all(struct nets *n, struct work *w, const struct net_bridge *b, struct plan_addr *a)
{
	char text[INET6_ADDRSTRLEN];
	unsigned na = 0;

	for (unsigned i = 0; i < b->naddrs && na < NET_ADDRS; i++)
		if (address_assign(n, w, b->addrs + i, a + na))
			na++;
		else
			refuse(n->c, w, network.bridge, "isolation.network.bridge: '%s' has no address left in the "
			       "subnet of %s/%u: make it larger", b->spec->name,
			       inet_ntop(b->addrs[i].family, b->addrs[i].ip, text, sizeof text), b->addrs[i].prefix);
	if (!b->naddrs)
		refuse(n->c, w, network.bridge, "isolation.network.bridge: '%s' has no subnet to take an address from",
		       b->spec->name);
	return na;
}

static void compile_ports(struct compiling *c, struct work *w)
{
	const struct str_list *l = &w->eff.network.ports;
	struct plan_port *p = l->n ? compiling_get(c, (size_t)l->n * PORTS_OF_ONE * sizeof *p) : NULL;
	struct spec_port one;
	struct err e;
	unsigned n = 0;

	for (unsigned i = 0; p && i < l->n; i++) {
		if (port_parse(l->v[i], &one, &e) < 0) {
			refuse(c, w, network.ports, "isolation.network.ports: %s", e.text);
			continue;
		}
		for (unsigned k = 0; k < one.n; k++) {
			p[n] = (struct plan_port){ .from = (uint16_t)(one.from + k), .to = (uint16_t)(one.to + k),
						   .proto = one.proto };
			p[n++].on = addr_of(&one.on);
		}
	}
	if (n > 1024)
		refuse(c, w, network.ports, "isolation.network.ports: %u ports, at most 1024", n);
	w->ports = p;
	w->nports = n;
	w->out.ports = write_table(&c->w, p, n, sizeof *p);
}

static void compile_egress(struct compiling *c, struct work *w)
{
	const struct str_list *l = &w->eff.network.egress;
	struct plan_egress *p = l->n ? compiling_get(c, l->n * sizeof *p) : NULL;
	struct spec_egress one;
	struct err e;
	unsigned n = 0;

	w->out.limited = l->n || is_asked(w, network.egress);	/* an empty list is one that allows nothing */
	if (l->n == 1 && !strcmp(l->v[0], EGRESS_NONE))
		return;
	for (unsigned i = 0; p && i < l->n; i++) {
		if (egress_parse(l->v[i], &one, &e) < 0) {
			refuse(c, w, network.egress, "isolation.network.egress: %s", e.text);
			continue;
		}
		p[n] = (struct plan_egress){ .first = one.first, .last = one.last, .proto = one.proto };
		p[n++].to = addr_of(&one.to);
	}
	if (n > 256)
		refuse(c, w, network.egress, "isolation.network.egress: %u rules, at most 256", n);
	w->out.egress = write_table(&c->w, p, n, sizeof *p);
}

/* The addresses that are asked for, before any is given away. */
static void ask(struct nets *n, struct work *w)
{
	const struct spec_network *s = &w->eff.network;
	struct net_bridge *b = bridge_named(n, s->bridge);

	w->addrs = b && s->addresses.n <= NET_ADDRS ? compiling_get(n->c, NET_ADDRS * sizeof *w->addrs) : NULL;
	if (!w->addrs) {
		refuse(n->c, w, network.bridge, b ? "isolation.network.address: more than 16 of '%s'"
		       : "isolation.network.bridge: there is no bridge '%s' in network.bridges", s->bridge);
		return;
	}
	for (unsigned i = 0; i < s->addresses.n; i++)
		w->naddrs += take_asked(n, w, b, s->addresses.v[i], w->addrs + w->naddrs);
}

static void join(struct nets *n, struct work *w)
{
	const struct spec_network *s = &w->eff.network;
	struct net_bridge *b = bridge_named(n, s->bridge);

	if (is_assigned(w, b))
		w->naddrs = assign_all(n, w, b, w->addrs);
	set_gateways(n, w, b, w->addrs, w->naddrs);
	add_hosts(n->c, b, w, w->addrs, w->naddrs);
	w->hosts = b->spec->name;
	w->ifname = interface_name(n->c, w);
	w->out.bridge = write_string(&n->c->w, s->bridge);
	w->out.ifname = write_string(&n->c->w, w->ifname);
	w->out.addrs = write_table(&n->c->w, w->addrs, w->naddrs, sizeof *w->addrs);
	w->out.mtu = mtu_of(b);
	w->out.send_max = s->send_max;
	w->out.receive_max = s->receive_max;
	compile_ports(n->c, w);
	compile_egress(n->c, w);
}

/* On top of an interface of the machine's: its addresses are those that are written, and nobody else's there. */
static void compile_upper(struct nets *n, struct work *w)
{
	const struct spec_network *s = &w->eff.network;
	const char *parent = s->macvlan ? s->macvlan : s->ipvlan;

	w->addrs = s->addresses.n <= NET_ADDRS ? compiling_get(n->c, NET_ADDRS * sizeof *w->addrs) : NULL;
	if (!w->addrs) {
		refuse(n->c, w, network.addresses, "isolation.network.address: more than %d of it", NET_ADDRS);
		return;
	}
	for (unsigned i = 0; i < s->addresses.n; i++) {
		struct plan_addr *a = w->addrs + w->naddrs;

		if (!parse_address(s->addresses.v[i], a) || !strchr(s->addresses.v[i], '/') || ip_is_edge(a, a))
			refuse(n->c, w, network.addresses, "isolation.network.address: '%s' is not an address with "
			       "prefix length like 192.0.2.7/24", s->addresses.v[i]);
		else
			w->naddrs++;
	}
	set_gateways(n, w, &(struct net_bridge){ 0 }, w->addrs, w->naddrs);
	w->out.parent = write_string(&n->c->w, parent);
	w->out.upper = s->link ? s->link : s->macvlan ? UPPER_MACVLAN_BRIDGE : UPPER_IPVLAN_L2;
	w->out.addrs = write_table(&n->c->w, w->addrs, w->naddrs, sizeof *w->addrs);
}

static bool is_upper(const struct work *w)
{
	return !w->refused && w->eff.network.mode && (w->eff.network.macvlan || w->eff.network.ipvlan);
}

/* A service in another's network has the names of that one's bridge, and its own is one of them. */
static void join_other(struct nets *n, struct work *w)
{
	const struct work *o = w->eff.network.service ? work_find(n->c, w->eff.network.service) : NULL;

	if (!o || !o->hosts || w->refused)
		return;
	w->hosts = o->hosts;
	add_hosts(n->c, bridge_named(n, o->hosts), w, o->addrs, o->naddrs);
}

static void write_bridges(struct nets *n, struct plan_head *h)
{
	struct compiling *c = n->c;
	struct plan_bridge *p = compiling_get(c, (n->nbridges + 1) * sizeof *p);
	struct plan_file *f = compiling_get(c, (n->nbridges + 1) * sizeof *f);

	for (unsigned i = 0; p && f && i < n->nbridges; i++) {
		const struct net_bridge *b = n->bridges + i;
		const char *hosts = compiling_fmt(c, "127.0.0.1 localhost\n::1 localhost\n%s",
						  b->hosts ? b->hosts : "");

		p[i] = (struct plan_bridge){ write_string(&c->w, b->spec->name),
					     write_table(&c->w, b->addrs, b->naddrs, sizeof *b->addrs),
					     mtu_of(b), b->spec->nat ? BRIDGE_NAT : 0 };
		f[i] = (struct plan_file){ p[i].name, write_string(&c->w, hosts) };
	}
	h->bridges = write_table(&c->w, p, p ? n->nbridges : 0, sizeof *p);
	h->hosts = write_table(&c->w, f, f ? n->nbridges : 0, sizeof *f);
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
			refuse(c, w, network.ports, "isolation.network.ports: port %u of the machine is published by "
			       "service %s already", p->from, (*seat)->svc->name);
}

static void check_ports(struct compiling *c)
{
	struct work **by = calloc(2 * 65536, sizeof *by);

	c->no_memory |= !by;
	for (unsigned i = 0; by && i < c->n; i++)
		for (unsigned k = 0; k < c->work[i].nports; k++)
			refuse_double_ports(c, c->work + i, by, c->work[i].ports + k);
	free(by);
}

static bool is_on_bridge(const struct work *w)
{
	return !w->refused && w->eff.network.mode && w->eff.network.bridge;
}

void compile_networks(struct compiling *c, struct plan_head *h)
{
	struct nets n = { .c = c, .nbridges = c->s->nbridges, .ntaken = 64 };
	bool any = n.nbridges > 0;

	for (unsigned i = 0; i < c->n; i++) {
		any |= is_on_bridge(c->work + i);
		if (is_upper(c->work + i))
			compile_upper(&n, c->work + i);
	}
	if (!any)	/* no address to keep apart, and no port: those tables are large */
		return;
	while (n.ntaken < 64 * (c->n + 1))	/* 16 addresses at most for each, two families: never half full */
		n.ntaken *= 2;
	n.ntaken *= n.nbridges ? 2 : 1;		/* and as many recalled ones */
	n.bridges = compiling_get(c, (n.nbridges + 1) * sizeof *n.bridges);
	n.taken = calloc(n.ntaken, sizeof *n.taken);
	if (!n.bridges || !n.taken) {
		c->no_memory = true;
		free(n.taken);
		return;
	}
	for (unsigned i = 0; i < n.nbridges; i++)
		read_bridge(&n, c->s->bridges + i, n.bridges + i);
	compile_subnets(c);
	for (unsigned i = 0; i < c->n; i++)
		if (is_on_bridge(c->work + i))
			ask(&n, c->work + i);
	if (n.nbridges)
		addresses_recall(&n, is_assigned);
	for (unsigned i = 0; i < c->n; i++)
		if (is_on_bridge(c->work + i))
			join(&n, c->work + i);
	for (unsigned i = 0; i < c->n; i++)
		join_other(&n, c->work + i);
	check_ports(c);
	write_bridges(&n, h);
	free(n.taken);
}
