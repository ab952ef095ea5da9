/* `prior network`: bridges, who is on them, published ports, what the rules let through and drop. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/file.h"
#include "init/base/mono.h"
#include "init/ctl/ctl.h"
#include "init/ctl/json.h"
#include "init/ctl/live.h"
#include "init/ctl/verbs.h"
#include "services/supervise/network.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHAINS_MAX 64

struct drops {
	char chain[40];
	uint64_t packets, bytes;
};

struct seen {
	const struct live *live;
	const struct plan *p;
	FILE *to;
	struct drops drops[CHAINS_MAX];	/* of those chains that drop at all */
	unsigned ndrops;
	bool asked, right;		/* the rules could be read; and they are what was made */
	struct err why;			/* when not */
};

/* A number of /sys/class/net/IFACE/statistics: this namespace's, which for a machine is the machine's. */
static bool read_statistic(const char *iface, const char *what, uint64_t *v)
{
	char path[96], text[32];
	struct err e;

	snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", iface, what);
	if (file_line(path, text, sizeof text, &e) < 0)
		return false;
	*v = strtoull(text, NULL, 10);
	return true;
}

/* Limited services have a chain each: their name is the interface's, which leads to the service. */
static void add_drops(void *ctx, const char *chain, uint64_t packets, uint64_t bytes)
{
	struct seen *s = ctx;
	unsigned i = 0;

	while (i < s->ndrops && strcmp(s->drops[i].chain, chain) != 0)
		i++;
	if (i == CHAINS_MAX)
		return;
	if (i == s->ndrops) {
		s->drops[s->ndrops++] = (struct drops){ 0 };
		snprintf(s->drops[i].chain, sizeof s->drops[i].chain, "%s", chain);
	}
	s->drops[i].packets += packets;
	s->drops[i].bytes += bytes;
}

static void ask_rules(struct seen *s)
{
	struct rules r;

	if (network_rules(s->p, &r, &s->why) < 0)
		return;
	s->right = rules_check(&r, &s->why) == 0;
	s->asked = s->right || s->why.code == EBADMSG || s->why.code == ENOENT;
	if (s->asked)
		rules_count(add_drops, s, &(struct err){ 0 });
	network_rules_free(&r);
}

static const char *what_chain(const char *chain)
{
	static const struct { const char *chain, *means; } words[] = {
		{ "cells", "from another MAC than its own, or neither ARP nor IP" },
		{ "from-arp", "ARP for another's address" },
		{ "from-ip4", "IPv4 from another's address" },
		{ "from-ip6", "IPv6 from another's address, or as a router" },
		{ "into", "to a service's address on another of its bridges" },
		{ "early", "to 127.0.0.1 of the machine" },
		{ "forward", "into a bridge from elsewhere" },
	};

	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(words[i].chain, chain))
			return words[i].means;
	return NULL;
}

/* "out-p-web": what that service may not reach. */
static const char *whose_chain(const struct seen *s, const char *chain)
{
	for (uint32_t i = 0; i < s->p->head->services.n && !strncmp(chain, "out-", 4); i++)
		PLAN_EACH(struct plan_link, l, s->p, plan_service(s->p, i)->links)
			if (!strcmp(plan_str(s->p, l->ifname), chain + 4))
				return plan_str(s->p, plan_service(s->p, i)->name);
	return NULL;
}

static const char *ip_text(const struct plan_addr *a, char buf[static LINE_TEXT])
{
	return inet_ntop(a->family, a->ip, buf, LINE_TEXT) ? buf : "?";
}

static const char *port_text(const struct plan_port *x, char buf[static LINE_TEXT])
{
	char ip[LINE_TEXT];
	const bool six = x->on.family == AF_INET6;

	if (x->on.family)
		snprintf(buf, LINE_TEXT, "%s%.60s%s:%u:%u%s", six ? "[" : "", ip_text(&x->on, ip), six ? "]" : "",
			 x->from, x->to, x->proto == IPPROTO_UDP ? "/udp" : "");
	else
		snprintf(buf, LINE_TEXT, "%u:%u%s", x->from, x->to, x->proto == IPPROTO_UDP ? "/udp" : "");
	return buf;
}

static const char *egress_text(const struct plan_egress *x, char buf[static LINE_TEXT])
{
	char ip[LINE_TEXT];
	const bool ports = x->first, six = ports && x->to.family == AF_INET6;
	int n = snprintf(buf, LINE_TEXT, "%s%.60s/%u%s", six ? "[" : "", ip_text(&x->to, ip), x->to.prefix,
			 six ? "]" : "");

	if (ports)
		n += snprintf(buf + n, LINE_TEXT - (size_t)n, ":%u", x->first);
	if (ports && x->last != x->first)
		n += snprintf(buf + n, LINE_TEXT - (size_t)n, "-%u", x->last);
	if (x->proto)
		snprintf(buf + n, LINE_TEXT - (size_t)n, "%s", x->proto == IPPROTO_UDP ? "/udp" : "/tcp");
	return buf;
}

/* --- as JSON --- */

static void addresses_json(struct json *j, const struct plan *p, struct plan_ref r)
{
	char buf[LINE_TEXT];

	json_list(j, "addresses");
	PLAN_EACH(struct plan_addr, a, p, r)
		json_text(j, NULL, planned_addr_text(a, true, buf));
	json_end(j);
}

static void statistic_json(struct json *j, const char *key, const char *iface, const char *what)
{
	uint64_t v;

	if (read_statistic(iface, what, &v))
		json_int(j, key, (int64_t)v);
	else
		json_null(j, key);
}

/* The machine's end receives what the cell sends. */
static void counters_json(struct json *j, const char *iface, bool reversed)
{
	statistic_json(j, "sent_bytes", iface, reversed ? "rx_bytes" : "tx_bytes");
	statistic_json(j, "sent_packets", iface, reversed ? "rx_packets" : "tx_packets");
	statistic_json(j, "received_bytes", iface, reversed ? "tx_bytes" : "rx_bytes");
	statistic_json(j, "received_packets", iface, reversed ? "tx_packets" : "rx_packets");
}

static void bridge_json(struct json *j, const struct seen *s, const struct plan_bridge *b)
{
	uint64_t unused;

	json_object(j, NULL);
	json_text(j, "bridge", plan_str(s->p, b->name));
	json_bool(j, "present", read_statistic(plan_str(s->p, b->name), "rx_bytes", &unused));
	addresses_json(j, s->p, b->addrs);
	json_bool(j, "nat", b->flags & BRIDGE_NAT);
	if (b->mtu)
		json_int(j, "mtu", b->mtu);
	else
		json_null(j, "mtu");
	counters_json(j, plan_str(s->p, b->name), false);
	json_end(j);
}

static void json_bound(struct json *j, const char *key, uint64_t rate)
{
	if (rate)
		json_int(j, key, (int64_t)rate);
	else
		json_null(j, key);
}

static void egress_json(struct json *j, const struct seen *s, const struct plan_link *l)
{
	char buf[LINE_TEXT];

	if (!l->limited) {
		json_null(j, "egress");
		return;
	}
	json_list(j, "egress");
	PLAN_EACH(struct plan_egress, x, s->p, l->egress)
		json_text(j, NULL, egress_text(x, buf));
	json_end(j);
}

/* One of svc's interfaces, which may be d's. */
static void cell_json(struct json *j, const struct seen *s, const struct plan_service *svc,
		      const struct plan_service *d, const struct plan_link *l)
{
	char buf[LINE_TEXT];
	uint64_t unused;

	json_object(j, NULL);
	json_text(j, "service", plan_str(s->p, svc->name));
	json_text(j, "shares", d == svc ? NULL : plan_str(s->p, d->name));
	json_text(j, "bridge", l->bridge.n ? plan_str(s->p, l->bridge) : NULL);
	json_text(j, "parent", l->parent.n ? plan_str(s->p, l->parent) : NULL);
	json_text(j, "kind", l->upper ? net_upper_kind(l->upper) : "veth");
	json_text(j, "inside", net_ends[l - PLAN_FIRST(s->p, d->links, struct plan_link)]);
	json_text(j, "interface", l->ifname.n ? plan_str(s->p, l->ifname) : NULL);
	if (l->ifname.n)
		json_bool(j, "present", read_statistic(plan_str(s->p, l->ifname), "rx_bytes", &unused));
	else
		json_null(j, "present");	/* only the cell sees it */
	addresses_json(j, s->p, l->addrs);
	json_list(j, "ports");
	PLAN_EACH(struct plan_port, x, s->p, l->ports)
		json_text(j, NULL, port_text(x, buf));
	json_end(j);
	json_bound(j, "send_max", l->send_max);
	json_bound(j, "receive_max", l->receive_max);
	egress_json(j, s, l);
	counters_json(j, plan_str(s->p, l->ifname), true);
	json_end(j);
}

static void rules_json(struct json *j, const struct seen *s)
{
	json_object(j, "rules");
	if (s->asked)
		json_bool(j, "match", s->right);
	else
		json_null(j, "match");
	json_text(j, "why", s->right ? NULL : s->why.text);
	json_list(j, "dropped");
	for (unsigned i = 0; i < s->ndrops; i++) {
		json_object(j, NULL);
		json_text(j, "chain", s->drops[i].chain);
		json_text(j, "service", whose_chain(s, s->drops[i].chain));
		json_int(j, "packets", (int64_t)s->drops[i].packets);
		json_int(j, "bytes", (int64_t)s->drops[i].bytes);
		json_end(j);
	}
	json_end(j);
	json_end(j);
}

static void print_json(const struct seen *s)
{
	struct json j = { .to = s->to };
	const struct plan *p = s->p;

	json_object(&j, NULL);
	json_list(&j, "bridges");
	PLAN_EACH(struct plan_bridge, b, p, p->head->bridges)
		bridge_json(&j, s, b);
	json_end(&j);
	json_list(&j, "cells");
	for (uint32_t i = 0; i < p->head->services.n; i++) {
		const struct plan_service *svc = plan_service(p, i), *d = plan_network(p, svc);

		PLAN_EACH(struct plan_link, l, p, d->links)
			cell_json(&j, s, svc, d, l);
	}
	json_end(&j);
	rules_json(&j, s);
	json_end(&j);
}

/* --- as a table --- */

static void bytes_cell(struct table *t, const char *iface, const char *what)
{
	char buf[SHORT_TEXT];
	uint64_t v;

	if (read_statistic(iface, what, &v))
		table_cell(t, PLAIN, "%s", bytes_text(v, buf));
	else
		table_cell(t, DIM, "-");
}

/* Up to three, then how many more. */
static void addresses_cell(struct table *t, const struct plan *p, struct plan_ref r)
{
	char text[80] = "", buf[LINE_TEXT];
	int n = 0;

	for (uint32_t i = 0; i < r.n && n < 50; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s%.42s", i ? " " : "",
			      planned_addr_text(PLAN_FIRST(p, r, struct plan_addr) + i, true, buf));
	table_cell(t, PLAIN, "%s", text);
}

static void ports_cell(struct table *t, const struct plan *p, const struct plan_link *d)
{
	char text[80] = "", buf[LINE_TEXT];
	int n = 0;

	for (uint32_t i = 0; i < d->ports.n && n < 40; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s%.36s", i ? " " : "",
			      port_text(PLAN_FIRST(p, d->ports, struct plan_port) + i, buf));
	table_cell(t, *text ? PLAIN : DIM, "%s", *text ? text : "-");
}

static void print_bridges(const struct seen *s, bool colour)
{
	static const char *const head[] = { "BRIDGE", "ADDRESSES", "NAT", "MTU", "RECEIVED", "SENT" };
	const struct plan *p = s->p;
	struct table t = { 0 };
	uint64_t unused;

	table_row(&t);
	for (unsigned i = 0; i < sizeof head / sizeof *head; i++)
		table_cell(&t, DIM, "%s", head[i]);
	PLAN_EACH(struct plan_bridge, b, p, p->head->bridges) {
		const char *name = plan_str(p, b->name);

		table_row(&t);
		table_cell(&t, read_statistic(name, "rx_bytes", &unused) ? BOLD : RED, "%s", name);
		addresses_cell(&t, p, b->addrs);
		table_cell(&t, PLAIN, "%s", b->flags & BRIDGE_NAT ? "yes" : "no");
		table_cell(&t, PLAIN, "%u", b->mtu ? b->mtu : 1500);
		bytes_cell(&t, name, "rx_bytes");
		bytes_cell(&t, name, "tx_bytes");
	}
	table_print(&t, colour, s->to);
}

static void print_cell(struct table *t, const struct plan *p, const struct plan_service *svc,
		       const struct plan_service *d, const struct plan_link *l)
{
	table_row(t);
	table_cell(t, BOLD, "%s", plan_str(p, svc->name));
	table_cell(t, PLAIN, "%s", plan_link_on(p, l));
	if (d != svc)
		table_cell(t, PLAIN, "that of %s", plan_str(p, d->name));
	else
		table_cell(t, PLAIN, "%s", l->upper ? net_upper_kind(l->upper) : plan_str(p, l->ifname));
	addresses_cell(t, p, l->addrs);
	ports_cell(t, p, l);
	if (l->egress.n)
		table_cell(t, PLAIN, "%u rule%s", l->egress.n, PLURAL(l->egress.n));
	else
		table_cell(t, l->limited ? PLAIN : DIM, "%s", l->limited ? "none" : "all");
	bytes_cell(t, plan_str(p, l->ifname), "tx_bytes");
	bytes_cell(t, plan_str(p, l->ifname), "rx_bytes");
}

/* A line for each interface. */
static void print_cells(const struct seen *s, bool colour)
{
	static const char *const head[] = { "SERVICE", "ON", "INTERFACE", "ADDRESSES", "PORTS", "EGRESS",
					    "RECEIVED", "SENT" };
	const struct plan *p = s->p;
	struct table t = { 0 };

	table_row(&t);
	for (unsigned i = 0; i < sizeof head / sizeof *head; i++)
		table_cell(&t, DIM, "%s", head[i]);
	for (uint32_t i = 0; i < p->head->services.n; i++) {
		const struct plan_service *svc = plan_service(p, i), *d = plan_network(p, svc);

		PLAN_EACH(struct plan_link, l, p, d->links)
			print_cell(&t, p, svc, d, l);
	}
	table_print(&t, colour, s->to);
}

static void print_rules(const struct seen *s, bool colour)
{
	if (!s->asked)
		fprintf(s->to, "rules: cannot be read: %s\n", s->why.text);
	else if (s->right)
		fputs("rules: in effect, as they were made\n", s->to);
	else
		fprintf(s->to, "%srules: %s%s\n", colour_on(colour, RED), s->why.text, colour_off(colour, RED));
	for (unsigned i = 0; i < s->ndrops; i++) {
		const struct drops *d = s->drops + i;
		const char *who = whose_chain(s, d->chain), *what = what_chain(d->chain);

		if (d->packets)
			fprintf(s->to, "dropped: %llu packet%s %s%s\n", (unsigned long long)d->packets,
				PLURAL(d->packets), who ? "to what is not on the egress list of " : what ? what :
				d->chain, who ? who : "");
	}
}

static void print_text(const struct seen *s, bool colour)
{
	const bool bridges = s->p->head->bridges.n;
	bool cells = false;

	for (uint32_t i = 0; i < s->p->head->services.n; i++)
		cells |= plan_service(s->p, i)->links.n != 0;
	if (!bridges)
		fputs("no bridges (network.bridges)\n", s->to);
	else
		print_bridges(s, colour);
	if (bridges || cells) {
		fputc('\n', s->to);
		print_cells(s, colour);
	}
	if (bridges) {
		fputc('\n', s->to);
		print_rules(s, colour);
	}
}

int verb_network(struct ctl *c)
{
	struct live live = { 0 };
	struct seen s = { .live = &live, .to = stdout };
	struct err e;

	if (live_open(&live, ctl_run_dir(c), &e) < 0)
		return ctl_fail(c, FAILED, &e);
	s.p = &live.plan;
	if (s.p->head->bridges.n)
		ask_rules(&s);
	if (has(c, OPT_JSON)) {
		print_json(&s);
	} else {
		print_text(&s, colour_wanted(stdout));
	}
	live_close(&live);
	return DONE;
}
