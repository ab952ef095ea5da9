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

static struct net_bridge *bridge_named(const struct nets *n, const char *name)
{
	for (unsigned i = 0; i < n->nbridges; i++)
		if (!strcmp(n->bridges[i].spec->name, name))
			return n->bridges + i;
	return NULL;
}

/* An address that is asked for: inside the bridge's subnet, nobody else's. */
static bool take_asked(struct nets *n, struct work *w, unsigned i, const struct net_bridge *b, const char *text)
{
	struct plan_addr *a = w->links[i].addrs + w->links[i].naddrs;
	const struct plan_addr *net = NULL;

	if (!parse_address(text, a)) {
		refuse_link(n->c, w, i, addresses,
			    "isolation.network.address: '%s' is not an address like 10.88.0.2/24", text);
		return false;
	}
	for (unsigned k = 0; k < b->naddrs && !net; k++)
		if (ip_in_subnet(a, b->addrs + k))
			net = b->addrs + k;
	if (!net) {
		refuse_link(n->c, w, i, addresses, "isolation.network.address: %s is in no subnet of bridge '%s'", text,
			    b->spec->name);
		return false;
	}
	if (!strchr(text, '/'))
		a->prefix = net->prefix;
	if (ip_is_edge(a, net)) {
		refuse_link(n->c, w, i, addresses,
			    "isolation.network.address: %s is the subnet itself or its broadcast", text);
		return false;
	}
	struct taken *t = taken_slot(n, a);

	if (ip_equal(a, net) || t->addr.family) {
		refuse_link(n->c, w, i, addresses, "isolation.network.address: %s is taken by %s%s", text,
			    t->by ? "service " : "bridge ", t->by ? t->by->svc->name : b->spec->name);
		return false;
	}
	*t = (struct taken){ *a, w };
	return true;
}

/* What it asks for, else the bridge's own address of the same subnet; b NULL: it is on none. */
static void set_gateways(struct nets *n, struct work *w, unsigned i, const struct net_bridge *b)
{
	struct work_link *l = w->links + i;
	struct plan_addr asked = { 0 };

	if (l->spec->gateway && !parse_address(l->spec->gateway, &asked))
		refuse_link(n->c, w, i, gateway, "isolation.network.gateway: '%s' is not an address", l->spec->gateway);
	for (unsigned k = 0; k < l->naddrs; k++) {
		struct plan_addr *gw = link_gateway(&l->out, l->addrs[k].family);

		if (asked.family == l->addrs[k].family)
			*gw = asked;
		for (unsigned j = 0; b && j < b->naddrs && !gw->family; j++)
			if (ip_in_subnet(l->addrs + k, b->addrs + j))
				*gw = b->addrs[j];
	}
}

/* It was asked for, and is no bridge's own. */
static bool is_asked_gateway(struct work_link *l, uint8_t family)
{
	struct plan_addr asked;

	return l->spec->gateway && link_gateway(&l->out, family)->family && parse_address(l->spec->gateway, &asked) &&
	       asked.family == family;
}

/* One default route for each family: that which is asked for, else the first. */
static void choose_gateway(struct nets *n, struct work *w, uint8_t family)
{
	unsigned chosen = w->nlinks, asked = 0;

	for (unsigned i = 0; i < w->nlinks; i++) {
		const bool is = is_asked_gateway(w->links + i, family);

		if (is && asked)
			refuse_link(n->c, w, i, gateway, "isolation.network.gateway: interface %s has the default "
				    "route already, by %s", net_ends[chosen], w->links[chosen].spec->gateway);
		else if ((is || chosen == w->nlinks) && link_gateway(&w->links[i].out, family)->family)
			chosen = i;
		asked += is;
	}
	for (unsigned i = 0; i < w->nlinks; i++)
		if (i != chosen)
			*link_gateway(&w->links[i].out, family) = (struct plan_addr){ 0 };
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

/*
 * Its host name as a further name of it. Not if a service is called that: who asks gets the addresses of all lines with
 * a name, in whatever order they stand, and takes large and small letters for the same.
 */
static const char *alias_of(struct compiling *c, const struct work *w)
{
	const char *alias = w->eff.hostname;
	char *lower = alias ? arena_fmt(&c->s->arena, "%s", alias) : NULL;	/* as services' names are */

	for (char *p = lower; p && *p; p++)
		*p |= *p >= 'A' && *p <= 'Z' ? 'a' - 'A' : 0;
	return lower && !work_find(c, lower) ? alias : NULL;
}

/* Its line in the file that all cells of the bridge see. */
static void add_hosts(struct nets *n, struct work *w, const struct work_link *l)
{
	const char *alias = alias_of(n->c, w);
	struct net_bridge *b = bridge_named(n, l->spec->bridge);
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = 0; i < l->naddrs; i++)
		add_line(n->c, b, compiling_fmt(n->c, "%s %s%s%s\n", inet_ntop(l->addrs[i].family, l->addrs[i].ip, text,
									       sizeof text),
						w->svc->name, alias ? " " : "", alias ? alias : ""));
}

static bool has_interface(const struct work *w, const char *ifname)
{
	for (unsigned i = 0; i < w->nlinks; i++)
		if (w->links[i].ifname && !strcmp(w->links[i].ifname, ifname))
			return true;
	return false;
}

/* The machine's end of the first interface: "p-" and the name where it fits. Call for all before interface_name(). */
static void short_name(struct compiling *c, struct work *w)
{
	if (w->nlinks && w->links->spec->bridge && strlen(w->svc->name) <= 13)
		w->links->ifname = compiling_fmt(c, "p-%s", w->svc->name);
}

/* Of all others: the name's beginning and a number made of it, and of the bridge for a further one. */
static const char *interface_name(struct compiling *c, struct work *w, unsigned i)
{
	const char *name = w->svc->name, *bridge = w->links[i].spec->bridge, *text;
	uint64_t h = sum_more(SUM_START, name, strlen(name));

	for (h = i ? sum_more(h, bridge, strlen(bridge)) : h;; h++) {
		bool free = true;

		text = compiling_fmt(c, "p-%.6s-%06llx", name, (unsigned long long)(h & 0xffffff));
		for (unsigned k = 0; k < c->n && free; k++)
			free = !has_interface(c->work + k, text);
		if (free || c->no_memory)
			return text;
	}
}

static uint32_t mtu_of(const struct net_bridge *b)
{
	return b->spec->mtu == UNSET_NUM ? 0 : (uint32_t)b->spec->mtu;
}

static bool is_on_network(const struct work *w)
{
	return !w->refused && w->eff.network.mode;
}

/* No address is asked for: it gets one of each subnet. */
static bool is_assigned(const struct work *w, const struct net_bridge *b)
{
	for (unsigned i = 0; i < w->nlinks && is_on_network(w); i++)
		if (w->links[i].spec->bridge && !w->links[i].spec->addresses.n &&
		    !strcmp(w->links[i].spec->bridge, b->spec->name))
			return true;
	return false;
}

static void assign_all(struct nets *n, struct work *w, unsigned i, const struct net_bridge *b)
{
	struct work_link *l = w->links + i;
	char text[INET6_ADDRSTRLEN];

	for (unsigned k = 0; k < b->naddrs && l->naddrs < WORK_ADDRS; k++)
		if (address_assign(n, w, b->addrs + k, l->addrs + l->naddrs))
			l->naddrs++;
		else
			refuse_link(n->c, w, i, bridge, "isolation.network.bridge: '%s' has no address left in the "
				    "subnet of %s/%u: make it larger", b->spec->name,
				    inet_ntop(b->addrs[k].family, b->addrs[k].ip, text, sizeof text),
				    b->addrs[k].prefix);
	if (!b->naddrs)
		refuse_link(n->c, w, i, bridge, "isolation.network.bridge: '%s' has no subnet to take an address from",
			    b->spec->name);
}

static void begin_links(struct compiling *c, struct work *w)
{
	const struct spec_network *s = &w->eff.network;
	const unsigned n = is_on_network(w) ? spec_links(s) : 0;

	w->links = n ? compiling_get(c, n * sizeof *w->links) : NULL;
	for (unsigned i = 0; w->links && i < n; i++) {
		struct work_link *l = w->links + w->nlinks++;

		l->spec = spec_link(s, i);
		if (l->spec->addresses.n > WORK_ADDRS)
			refuse_link(c, w, i, addresses, "isolation.network.address: more than %d of one interface",
				    WORK_ADDRS);
		l->addrs = compiling_get(c, WORK_ADDRS * sizeof *l->addrs);
	}
}

/* The addresses that are asked for, before any is given away. */
static void ask(struct nets *n, struct work *w)
{
	for (unsigned i = 0; i < w->nlinks && !w->refused; i++) {
		struct work_link *l = w->links + i;
		const struct net_bridge *b = l->spec->bridge ? bridge_named(n, l->spec->bridge) : NULL;

		if (l->spec->bridge && !b)
			refuse_link(n->c, w, i, bridge, "isolation.network.bridge: there is no bridge '%s' in "
				    "network.bridges", l->spec->bridge);
		for (unsigned k = 0; b && l->addrs && k < l->spec->addresses.n; k++)
			l->naddrs += take_asked(n, w, i, b, l->spec->addresses.v[k]);
	}
}

static void join(struct nets *n, struct work *w, unsigned i)
{
	struct work_link *l = w->links + i;
	struct net_bridge *b = bridge_named(n, l->spec->bridge);

	if (!l->spec->addresses.n)
		assign_all(n, w, i, b);
	set_gateways(n, w, i, b);
	add_hosts(n, w, l);
	w->hosts = w->hosts ? compiling_fmt(n->c, "%s:%s", w->hosts, b->spec->name) : b->spec->name;
	if (!l->ifname)
		l->ifname = interface_name(n->c, w, i);
	l->out.bridge = write_string(&n->c->w, b->spec->name);
	l->out.ifname = write_string(&n->c->w, l->ifname);
	l->out.mtu = mtu_of(b);
	l->out.send_max = l->spec->send_max;
	l->out.receive_max = l->spec->receive_max;
	compile_ports(n->c, w, i);
	compile_egress(n->c, w, i);
}

/* On top of an interface of the machine's: its addresses are those that are written, and nobody else's there. */
static void put_upon(struct nets *n, struct work *w, unsigned i)
{
	struct work_link *l = w->links + i;
	const struct spec_link *s = l->spec;

	for (unsigned k = 0; k < s->addresses.n; k++) {
		struct plan_addr *a = l->addrs + l->naddrs;

		if (!parse_address(s->addresses.v[k], a) || !strchr(s->addresses.v[k], '/') || ip_is_edge(a, a))
			refuse_link(n->c, w, i, addresses, "isolation.network.address: '%s' is not an address with "
				    "prefix length like 192.0.2.7/24", s->addresses.v[k]);
		else
			l->naddrs++;
	}
	set_gateways(n, w, i, NULL);
	l->out.parent = write_string(&n->c->w, spec_link_parent(s));
	l->out.upper = s->upper ? s->upper : s->macvlan ? UPPER_MACVLAN_BRIDGE : UPPER_IPVLAN_L2;
}

/* One after the other, with what they have to agree on. */
static void make_links(struct nets *n, struct work *w)
{
	struct plan_link out[PLAN_LINKS_MAX];

	for (unsigned i = 0; i < w->nlinks && !w->refused && w->links[i].addrs; i++)
		if (w->links[i].spec->bridge)
			join(n, w, i);
		else
			put_upon(n, w, i);
	choose_gateway(n, w, AF_INET);
	choose_gateway(n, w, AF_INET6);
	for (unsigned i = 0; i < w->nlinks; i++) {
		struct work_link *l = w->links + i;

		judge_ports(n->c, w, i);
		l->out.addrs = write_table(&n->c->w, l->addrs, l->naddrs, sizeof *l->addrs);
		out[i] = l->out;
	}
	w->out.links = write_table(&n->c->w, out, w->nlinks, sizeof *out);
}

/* A service in another's network has the names of that one's bridges, and its own is one of them. */
static void join_other(struct nets *n, struct work *w)
{
	const struct work *o = w->eff.network.service ? work_find(n->c, w->eff.network.service) : NULL;

	if (!o || !o->hosts || w->refused)
		return;
	w->hosts = o->hosts;
	for (unsigned i = 0; i < o->nlinks; i++)
		if (o->links[i].spec->bridge)
			add_hosts(n, w, o->links + i);
}

#define LOOPBACK_NAMES "127.0.0.1 localhost\n::1 localhost\n"

/* What stands in the files of all of them. */
static const char *joined_hosts(struct nets *n, const char *names)
{
	size_t used = strlen(LOOPBACK_NAMES), room = used + 1;
	const struct net_bridge *b;
	char name[16];

	for (const char *at = names; *at && (b = bridge_named(n, bridge_next(&at, name)));)
		room += b->used;
	char *text = compiling_get(n->c, room);

	if (!text)
		return "";
	memcpy(text, LOOPBACK_NAMES, used);
	for (const char *at = names; *at && (b = bridge_named(n, bridge_next(&at, name))); used += b->used)
		if (b->used)
			memcpy(text + used, b->hosts, b->used);
	return text;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A file of names for each bridge, and for each row of bridges that some service is on. */
static void write_names(struct nets *n, struct plan_head *h)
{
	struct compiling *c = n->c;
	const char **names = calloc(n->nbridges + c->n + 1, sizeof *names);
	struct plan_file *f = compiling_get(c, (n->nbridges + c->n + 1) * sizeof *f);
	unsigned count = 0, last = n->nbridges, all = n->nbridges;

	c->no_memory |= !names;
	for (; names && count < n->nbridges; count++)
		names[count] = n->bridges[count].spec->name;
	for (unsigned i = 0; names && i < c->n; i++)
		if (!c->work[i].refused && c->work[i].hosts && strchr(c->work[i].hosts, ':'))
			names[all++] = c->work[i].hosts;
	if (names && all > last)
		qsort(names + last, all - last, sizeof *names, compare_names);
	for (unsigned i = last; names && i < all; i++)
		if (i == last || strcmp(names[i], names[i - 1]) != 0)
			names[count++] = names[i];
	for (unsigned i = 0; names && f && i < count; i++)
		f[i] = (struct plan_file){ write_string(&c->w, names[i]),
					   write_string(&c->w, joined_hosts(n, names[i])) };
	h->hosts = write_table(&c->w, f, f && names ? count : 0, sizeof *f);
	free(names);
}

static void write_bridges(struct nets *n, struct plan_head *h)
{
	struct compiling *c = n->c;
	struct plan_bridge *p = compiling_get(c, (n->nbridges + 1) * sizeof *p);

	for (unsigned i = 0; p && i < n->nbridges; i++) {
		const struct net_bridge *b = n->bridges + i;

		p[i] = (struct plan_bridge){ write_string(&c->w, b->spec->name),
					     write_table(&c->w, b->addrs, b->naddrs, sizeof *b->addrs),
					     mtu_of(b), b->spec->nat ? BRIDGE_NAT : 0 };
	}
	h->bridges = write_table(&c->w, p, p ? n->nbridges : 0, sizeof *p);
	write_names(n, h);
}

void compile_networks(struct compiling *c, struct plan_head *h)
{
	struct nets n = { .c = c, .nbridges = c->s->nbridges, .ntaken = 64 };
	unsigned links = 0;

	for (unsigned i = 0; i < c->n; i++) {
		begin_links(c, c->work + i);
		links += c->work[i].nlinks;
	}
	if (!links && !n.nbridges)	/* no address to keep apart, and no port: those tables are large */
		return;
	while (n.ntaken < 64 * (links + 1))	/* 16 addresses at most for each, two families: never half full */
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
		ask(&n, c->work + i);
	for (unsigned i = 0; i < c->n; i++)
		short_name(c, c->work + i);
	if (n.nbridges)
		addresses_recall(&n, is_assigned);
	for (unsigned i = 0; i < c->n; i++)
		make_links(&n, c->work + i);
	for (unsigned i = 0; i < c->n; i++)
		join_other(&n, c->work + i);
	check_ports(c);
	write_bridges(&n, h);
	free(n.taken);
}
