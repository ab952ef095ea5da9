/* What contradicts itself inside one service; nothing here needs the machine. */
/* SPDX-License-Identifier: ISC */
#include "netns/net.h"
#include "services/spec/load.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define wrong check_wrong

/* Something else is wrong with the same value: once is enough. */
static bool is_told(const struct load *l, struct origin at)
{
	for (const struct problem *p = l->s->problems; p; p = p->next)
		if (p->severity == SEV_ERROR && p->at.kind == FROM_FILE && p->at.file == at.file &&
		    p->at.line == at.line && p->at.col == at.col)
			return true;
	return false;
}

void check_wrong(struct load *l, const struct spec_service *svc, struct origin at, const char *fmt, ...)
{
	char text[800];
	va_list ap;

	if (at.kind != FROM_FILE)
		at = svc->from;
	if (is_told(l, at))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	spec_problem(l->s, SEV_ERROR, at, svc->name, "%s", text);
}

static void check_process(struct load *l, struct spec_service *svc)
{
	if (svc->command.n == 0)
		wrong(l, svc, spec_from(svc, &svc->command), "command: is missing or empty; there is nothing to run");
	else if (svc->command.n && !*svc->command.v[0])
		wrong(l, svc, spec_from(svc, &svc->command), "command: the program's name is empty");
	if (svc->pid_file && svc->type != TYPE_FORKING)
		wrong(l, svc, spec_from(svc, &svc->pid_file), "pid_file: is for type: forking");
	if (svc->user && svc->dynamic_user)
		wrong(l, svc, spec_from(svc, &svc->user),
			"user: contradicts security.dynamic_user: true; give one of them");
	if (svc->type == TYPE_ONESHOT && (svc->restart == RESTART_ALWAYS || svc->restart == RESTART_UNLESS_STOPPED))
		wrong(l, svc, spec_from(svc, &svc->restart),
			"restart: '%s' would run a oneshot again and again; use no or on-failure",
		      svc->restart == RESTART_ALWAYS ? "always" : "unless-stopped");
	if (svc->type == TYPE_ONESHOT && svc->post_start.n)
		wrong(l, svc, spec_from(svc, &svc->post_start),
			"hooks.post_start: a oneshot is done when it has ended, and never up; use hooks.post_stop");
	if (svc->backoff_initial > svc->backoff_max)
		wrong(l, svc, spec_from(svc, &svc->backoff_initial), "backoff.initial: is longer than backoff.max");
}

static void check_health(struct load *l, struct spec_service *svc)
{
	const struct spec_health *h = &svc->healthcheck;
	const unsigned n = (h->test.n != 0) + (h->http != NULL) + (h->tcp != NULL);

	if (n > 1)
		wrong(l, svc, spec_from(svc, h->http ? (const void *)&svc->healthcheck.http : &svc->healthcheck.tcp),
		      "healthcheck: give one of test, http and tcp");
	if (svc->ready == READY_HEALTHCHECK && n == 0)
		wrong(l, svc, spec_from(svc, &svc->ready), "ready: 'healthcheck' needs a healthcheck");
	if (n && (h->interval < 10 || h->timeout < 1))
		wrong(l, svc, spec_from(svc, &svc->healthcheck.interval),
		      "healthcheck: an interval is 10ms at least, and a timeout is not 0");
	if (n && svc->type == TYPE_ONESHOT)
		wrong(l, svc, spec_from(svc, &svc->type), "healthcheck: a oneshot is well when it has ended with 0");
}

static const struct spec_bridge *find_bridge(const struct spec *s, const char *name)
{
	for (unsigned i = 0; i < s->nbridges; i++)
		if (!strcmp(s->bridges[i].name, name))
			return &s->bridges[i];
	return NULL;
}

/* Where the value is that this one of its interfaces has: the further ones have one place for all of theirs. */
static struct origin link_place(const struct spec_service *svc, const struct spec_link *l, const void *field)
{
	return l == &svc->network.link ? spec_from(svc, field) : l->from;
}

#define link_wrong(l, svc, k, field, ...) check_wrong(l, svc, link_place(svc, k, field), __VA_ARGS__)

/* An interface on top of one of the machine's: one of the kinds, its mode, its addresses. */
static void check_upper(struct load *l, struct spec_service *svc, const struct spec_link *k)
{
	const void *first = k->macvlan ? &k->macvlan : &k->ipvlan;
	const bool is_ipvlan = k->upper >= UPPER_IPVLAN_L2;

	if (!!k->bridge + !!k->macvlan + !!k->ipvlan > 1)
		link_wrong(l, svc, k, first, "isolation.network: give it one of bridge, macvlan and ipvlan");
	if (k->upper && (is_ipvlan ? !k->ipvlan : !k->macvlan))
		link_wrong(l, svc, k, &k->upper, "isolation.network.mode: this one is of %s",
			   is_ipvlan ? "an ipvlan" : "a macvlan");
	if (spec_link_parent(k) && !k->addresses.n)
		link_wrong(l, svc, k, first, "isolation.network.%s: needs an address (isolation.network."
			   "address): that network is not prior's to give one of", k->macvlan ? "macvlan" : "ipvlan");
}

/* What needs an interface, and what needs one on a bridge. */
static void check_link(struct load *l, struct spec_service *svc, const struct spec_link *k)
{
	const struct {
		const char *key;
		const void *field;
		bool given, any;
		const char *more;
	} all[] = {
		{ "ports", &k->ports, k->ports.n, false, "" },
		{ "address", &k->addresses, k->addresses.n, true, "" },
		{ "gateway", &k->gateway, k->gateway, true, "" },
		{ "send_max", &k->send_max, k->send_max, false, "" },
		{ "receive_max", &k->receive_max, k->receive_max, false, "" },
		{ "egress", &k->egress, k->egress.v, false, "; a private network without one reaches nothing" },
	};
	const char *upper = spec_link_parent(k);

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].given && !all[i].any && upper)
			link_wrong(l, svc, k, all[i].field, "isolation.network.%s: the rules of prior hold on "
				   "bridges; on an interface on top of %s they do not", all[i].key, upper);
		else if (all[i].given && !k->bridge && !upper)
			link_wrong(l, svc, k, all[i].field, "isolation.network.%s: needs %s%s", all[i].key,
				   all[i].any ? "an interface: isolation.network.bridge, macvlan or ipvlan" :
				   "a bridge (isolation.network.bridge)", all[i].more);
	check_upper(l, svc, k);
	if (k->bridge && !find_bridge(l->s, k->bridge))
		link_wrong(l, svc, k, &k->bridge,
			   "isolation.network.bridge: there is no bridge '%s' in network.bridges", k->bridge);
}

/* Whose network is another's says nothing about it. */
static void check_shared(struct load *l, struct spec_service *svc)
{
	const struct spec_network *n = &svc->network;
	const struct spec_link *k = &n->link;
	const struct {
		const char *key;
		const void *field;
		bool given;
	} all[] = {
		{ "bridge", &k->bridge, k->bridge },	{ "macvlan", &k->macvlan, k->macvlan },
		{ "ipvlan", &k->ipvlan, k->ipvlan },	{ "mode", &k->upper, k->upper },
		{ "ports", &k->ports, k->ports.n },	{ "address", &k->addresses, k->addresses.n },
		{ "gateway", &k->gateway, k->gateway },	{ "send_max", &k->send_max, k->send_max },
		{ "receive_max", &k->receive_max, k->receive_max }, { "egress", &k->egress, k->egress.v },
		{ "keep", &n->keep, n->keep },		{ "also", &n->also, n->also.n },
	};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].given)
			wrong(l, svc, spec_from(svc, all[i].field), "isolation.network.%s: the network is that of "
			      "service '%s' (isolation.network.service): say it there", all[i].key, n->service);
}

/*
 * Each is another network: two on one bridge would be one. On top of an interface of the machine's no rules hold, and a
 * kernel takes there, too, what is sent to its address of a bridge.
 */
static void check_several(struct load *l, struct spec_service *svc)
{
	const struct spec_network *n = &svc->network;

	if (n->also.n && !spec_links(n))
		wrong(l, svc, spec_from(svc, &n->also), "isolation.network.also: there is no first interface: give "
		      "isolation.network a bridge");
	for (unsigned i = 0; i < spec_links(n); i++) {
		const struct spec_link *k = spec_link(n, i);

		for (unsigned j = 0; j < i && k->bridge; j++)
			if (spec_link(n, j)->bridge && !strcmp(spec_link(n, j)->bridge, k->bridge))
				link_wrong(l, svc, k, &k->bridge, "isolation.network: it is on bridge '%s' already: "
					   "give that interface several addresses instead", k->bridge);
		if (i && !k->bridge && !spec_link_parent(k))
			link_wrong(l, svc, k, NULL, "isolation.network.also: give each interface a "
				   "bridge");
		if (spec_links(n) > 1 && spec_link_parent(k))
			link_wrong(l, svc, k, k->macvlan ? &k->macvlan : &k->ipvlan, "isolation.network.%s: on top of "
				   "%s the rules of prior do not hold, so it can only be a service's one interface: "
				   "give it to a service of its own, or publish ports of a bridge instead",
				   k->macvlan ? "macvlan" : "ipvlan", spec_link_parent(k));
	}
}

static void check_network(struct load *l, struct spec_service *svc)
{
	const struct spec_network *n = &svc->network;

	if (n->service) {
		check_shared(l, svc);
		return;
	}
	check_link(l, svc, &n->link);
	for (unsigned i = 0; i < n->also.n; i++)
		check_link(l, svc, n->also.v + i);
	check_several(l, svc);
}

/* All in one line: under a preset there are many. */
static void check_mounts(struct load *l, struct spec_service *svc)
{
	struct spec_need needs[SPEC_NEEDS];
	char text[600];
	struct text t = TEXT_IN(text);

	spec_needs(svc, needs);
	for (unsigned i = 0; i < SPEC_NEEDS; i++)
		if (needs[i].on)
			text_fmt(&t, "%s%s (%s)", t.n ? ", " : "", needs[i].name,
				spec_origin_text(l->s, spec_from(svc, needs[i].field)));
	if (t.n && !svc->ns_mount)
		wrong(l, svc, spec_from(svc, &svc->ns_mount),
			"isolation.mount: false contradicts what needs own mounts: %s%s", text, t.cut ? "..." : "");
}

static void check_namespaces(struct load *l, struct spec_service *svc)
{
	if (svc->private_ipc && !svc->ns_ipc)
		wrong(l, svc, spec_from(svc, &svc->ns_ipc),
			"isolation.ipc: false contradicts isolation.private_ipc (%s)",
		      spec_origin_text(l->s, spec_from(svc, &svc->private_ipc)));
	if (svc->hostname && !svc->ns_uts)
		wrong(l, svc, spec_from(svc, &svc->ns_uts), "isolation.uts: false contradicts isolation.hostname (%s)",
		      spec_origin_text(l->s, spec_from(svc, &svc->hostname)));
}

static const char *target_of(const char *volume, size_t *n)
{
	const char *to = strchr(volume, ':');

	if (!to)
		return NULL;
	*n = strcspn(to + 1, ":");
	return to + 1;
}

static void check_volumes(struct load *l, struct spec_service *svc)
{
	for (unsigned i = 0; i < svc->volumes.n; i++)
		for (unsigned j = 0; j < i; j++) {
			size_t a = 0, b = 0;
			const char *x = target_of(svc->volumes.v[i], &a), *y = target_of(svc->volumes.v[j], &b);

			if (x && y && a == b && !memcmp(x, y, a))
				wrong(l, svc, spec_from(svc, &svc->volumes),
					"isolation.volumes: two of them have the target %.*s", (int)a, x);
		}
}

static void check_seccomp(struct load *l, struct spec_service *svc)
{
	if (svc->seccomp == SECCOMP_NONE && svc->seccomp_deny.n)
		wrong(l, svc, spec_from(svc, &svc->seccomp_deny),
			"security.seccomp.deny: has no effect with profile none");
	if (svc->seccomp == SECCOMP_NONE && svc->seccomp_allow.n)
		wrong(l, svc, spec_from(svc, &svc->seccomp_allow),
			"security.seccomp.allow: has no effect with profile none");
}

static void check_timer(struct load *l, struct spec_service *svc)
{
	if (svc->cron && svc->every)
		wrong(l, svc, spec_from(svc, &svc->every), "every: contradicts cron; give one of them");
	if ((svc->cron || svc->every) && (svc->restart == RESTART_ALWAYS || svc->restart == RESTART_UNLESS_STOPPED))
		wrong(l, svc, spec_from(svc, &svc->restart),
		      "restart: '%s' leaves the clock nothing to start; use no or on-failure",
		      svc->restart == RESTART_ALWAYS ? "always" : "unless-stopped");
	if (svc->every && svc->every < 1000)
		wrong(l, svc, spec_from(svc, &svc->every), "every: is shorter than 1s");
}

void check_service(struct load *l, struct spec_service *svc)
{
	check_timer(l, svc);
	check_process(l, svc);
	check_health(l, svc);
	check_listen(l, svc);
	check_network(l, svc);
	check_mounts(l, svc);
	check_namespaces(l, svc);
	check_volumes(l, svc);
	check_seccomp(l, svc);
}
