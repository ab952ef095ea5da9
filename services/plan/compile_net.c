/* Addresses: bridges take the first of their subnets, cells what they ask for, each address once. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sum.h"
#include "services/plan/compiling.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool parse_address(const char *text, struct plan_addr *out)
{
	char host[64];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	struct plan_addr a = { 0 };
	char *end = "";

	if (n >= sizeof host)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	a.family = strchr(host, ':') ? AF_INET6 : AF_INET;
	unsigned long most = a.family == AF_INET ? 32 : 128, prefix = most;

	if (inet_pton(a.family, host, a.ip) != 1)
		return false;
	if (slash)
		prefix = slash[1] < '0' || slash[1] > '9' ? most + 1 : strtoul(slash + 1, &end, 10);
	if (prefix > most || *end)
		return false;
	a.prefix = (uint8_t)prefix;
	*out = a;
	return true;
}

static unsigned ip_bytes(const struct plan_addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

static bool same_ip(const struct plan_addr *a, const struct plan_addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, ip_bytes(a));
}

static bool is_in_subnet(const struct plan_addr *a, const struct plan_addr *net)
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

/* The address after a subnet's own: the bridge's. */
static void to_first(struct plan_addr *a)
{
	to_network(a);
	a->ip[ip_bytes(a) - 1]++;
}

/* A bridge of the spec with its addresses parsed. */
struct net_bridge {
	const struct spec_bridge *spec;
	struct plan_addr *addrs;
	unsigned naddrs;
};

struct taken {
	struct plan_addr addr;
	const struct work *by;
};

struct nets {
	struct compiling *c;
	struct net_bridge *bridges;
	unsigned nbridges;
	struct taken *taken;	/* open addressing by address; a power of two, never full */
	unsigned ntaken;
};

/* The other bridges and all services that do not need this one go on. */
static void bridge_problem(struct compiling *c, const struct spec_bridge *b, const char *text, const char *why)
{
	spec_problem(c->s, SEV_ERROR, b->from, NULL, "network.bridges.%s: '%s' %s", b->name, text, why);
}

static void read_bridge(struct nets *n, const struct spec_bridge *s, struct net_bridge *b)
{
	struct compiling *c = n->c;

	*b = (struct net_bridge){ .spec = s, .addrs = compiling_get(c, (s->subnets.n + 1) * sizeof *b->addrs) };
	for (unsigned i = 0; b->addrs && i < s->subnets.n; i++) {
		struct plan_addr a;

		if (!parse_address(s->subnets.v[i], &a) || a.prefix + 2u > ip_bytes(&a) * 8) {
			bridge_problem(c, s, s->subnets.v[i], "is not a subnet with room for two addresses");
			continue;
		}
		to_first(&a);
		b->addrs[b->naddrs++] = a;
	}
	if (strlen(s->name) > 15)
		bridge_problem(c, s, s->name, "is longer than the 15 bytes of an interface's name");
	if (s->nat)
		bridge_problem(c, s, "nat", "is not built yet: routes to the machine have to be made outside");
}

static struct taken *taken_slot(struct nets *n, const struct plan_addr *a)
{
	uint64_t h = sum_more(SUM_START, a->ip, ip_bytes(a));

	for (unsigned i = (unsigned)h & (n->ntaken - 1);; i = (i + 1) & (n->ntaken - 1))
		if (!n->taken[i].addr.family || same_ip(&n->taken[i].addr, a))
			return n->taken + i;
}

static struct net_bridge *bridge_named(struct nets *n, const char *name)
{
	for (unsigned i = 0; i < n->nbridges; i++)
		if (!strcmp(n->bridges[i].spec->name, name))
			return n->bridges + i;
	return NULL;
}

/* All bits of the host part are 0, or for IPv4 all are 1. */
static bool is_edge(const struct plan_addr *a, const struct plan_addr *net)
{
	struct plan_addr low = *a, high = *a;

	low.prefix = high.prefix = net->prefix;
	to_network(&low);
	for (unsigned i = 0; i < ip_bytes(a); i++) {
		unsigned kept = net->prefix > i * 8 ? net->prefix - i * 8 : 0;

		high.ip[i] |= (uint8_t)(kept >= 8 ? 0 : 0xff >> kept);
	}
	return same_ip(a, &low) || (a->family == AF_INET && same_ip(a, &high));
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
		if (is_in_subnet(a, b->addrs + i))
			net = b->addrs + i;
	if (!net) {
		refuse(n->c, w, network.addresses, "isolation.network.address: %s is in no subnet of bridge '%s'", text,
		       b->spec->name);
		return false;
	}
	if (!strchr(text, '/'))
		a->prefix = net->prefix;
	if (is_edge(a, net)) {
		refuse(n->c, w, network.addresses,
		       "isolation.network.address: %s is the subnet itself or its broadcast",
		       text);
		return false;
	}
	struct taken *t = taken_slot(n, a);

	if (same_ip(a, net) || t->addr.family) {
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
			if (is_in_subnet(addrs + i, b->addrs + j))
				*gw = b->addrs[j];
	}
}

static void write_hosts(struct compiling *c, struct work *w, const struct plan_addr *a, unsigned n)
{
	char text[INET6_ADDRSTRLEN];

	w->hosts = "";
	for (unsigned i = 0; i < n; i++)
		w->hosts = compiling_fmt(c, "%s%s %s\n", w->hosts, inet_ntop(a[i].family, a[i].ip, text, sizeof text),
					 w->svc->name);
	if (w->eff.hostname && strcmp(w->eff.hostname, w->svc->name) != 0)
		for (unsigned i = 0; i < n; i++)
			w->hosts = compiling_fmt(c, "%s%s %s\n", w->hosts,
						 inet_ntop(a[i].family, a[i].ip, text, sizeof text), w->eff.hostname);
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

static void join(struct nets *n, struct work *w)
{
	const struct spec_network *s = &w->eff.network;
	struct net_bridge *b = bridge_named(n, s->bridge);
	struct plan_addr a[16];
	unsigned na = 0;

	if (!b || s->addresses.n > 16) {
		refuse(n->c, w, network.bridge, b ? "isolation.network.address: more than 16 of '%s'"
		       : "isolation.network.bridge: there is no bridge '%s' in network.bridges", s->bridge);
		return;
	}
	for (unsigned i = 0; i < s->addresses.n; i++)
		na += take_asked(n, w, b, s->addresses.v[i], a + na);
	set_gateways(n, w, b, a, na);
	write_hosts(n->c, w, a, na);
	w->ifname = interface_name(n->c, w);
	w->out.bridge = write_string(&n->c->w, s->bridge);
	w->out.ifname = write_string(&n->c->w, w->ifname);
	w->out.addrs = write_table(&n->c->w, a, na, sizeof *a);
}

static void write_bridges(struct nets *n, struct plan_head *h)
{
	struct plan_bridge *p = compiling_get(n->c, (n->nbridges + 1) * sizeof *p);

	for (unsigned i = 0; p && i < n->nbridges; i++)
		p[i] = (struct plan_bridge){ write_string(&n->c->w, n->bridges[i].spec->name),
					     write_table(&n->c->w, n->bridges[i].addrs, n->bridges[i].naddrs,
							 sizeof *n->bridges[i].addrs) };
	h->bridges = write_table(&n->c->w, p, p ? n->nbridges : 0, sizeof *p);
}

void compile_networks(struct compiling *c, struct plan_head *h)
{
	struct nets n = { .c = c, .nbridges = c->s->nbridges, .ntaken = 64 };

	while (n.ntaken < 64 * (c->n + 1))	/* 16 addresses at most for each, two families: never half full */
		n.ntaken *= 2;
	n.bridges = compiling_get(c, (n.nbridges + 1) * sizeof *n.bridges);
	n.taken = calloc(n.ntaken, sizeof *n.taken);
	if (!n.bridges || !n.taken) {
		c->no_memory = true;
		free(n.taken);
		return;
	}
	for (unsigned i = 0; i < n.nbridges; i++)
		read_bridge(&n, c->s->bridges + i, n.bridges + i);
	for (unsigned i = 0; i < c->n; i++)
		if (!c->work[i].refused && c->work[i].eff.network.mode && c->work[i].eff.network.bridge)
			join(&n, c->work + i);
	write_bridges(&n, h);
	free(n.taken);
}
