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

/* An interface on top of one of the machine's: one of the kinds, its mode, its addresses. */
static void check_upper(struct load *l, struct spec_service *svc)
{
	const struct spec_network *n = &svc->network;
	const void *first = n->macvlan ? &n->macvlan : &n->ipvlan;
	const bool is_ipvlan = n->link >= UPPER_IPVLAN_L2;

	if (!!n->bridge + !!n->macvlan + !!n->ipvlan > 1)
		wrong(l, svc, spec_from(svc, first), "isolation.network: give it one of bridge, macvlan and ipvlan");
	if (n->link && (is_ipvlan ? !n->ipvlan : !n->macvlan))
		wrong(l, svc, spec_from(svc, &n->link), "isolation.network.mode: this one is of %s",
		      is_ipvlan ? "an ipvlan" : "a macvlan");
	if ((n->macvlan || n->ipvlan) && !n->addresses.n)
		wrong(l, svc, spec_from(svc, first), "isolation.network.%s: needs an address (isolation.network."
		      "address): that network is not prior's to give one of", n->macvlan ? "macvlan" : "ipvlan");
}

static void check_network(struct load *l, struct spec_service *svc)
{
	const struct spec_network *n = &svc->network;
	const struct {
		const char *key;
		const void *field;
		bool given;
		enum { ALONE, ON_BRIDGE, ON_ANY } needs;
		const char *more;
	} all[] = {
		{ "bridge", &n->bridge, n->bridge, ALONE, "" },
		{ "macvlan", &n->macvlan, n->macvlan, ALONE, "" },
		{ "ipvlan", &n->ipvlan, n->ipvlan, ALONE, "" },
		{ "mode", &n->link, n->link, ALONE, "" },
		{ "ports", &n->ports, n->ports.n, ON_BRIDGE, "" },
		{ "address", &n->addresses, n->addresses.n, ON_ANY, "" },
		{ "gateway", &n->gateway, n->gateway, ON_ANY, "" },
		{ "send_max", &n->send_max, n->send_max, ON_BRIDGE, "" },
		{ "receive_max", &n->receive_max, n->receive_max, ON_BRIDGE, "" },
		{ "egress", &n->egress, n->egress.n, ON_BRIDGE, "; a private network without one reaches nothing" },
		{ "keep", &n->keep, n->keep, ALONE, "" },
	};
	const char *upper = n->macvlan ? n->macvlan : n->ipvlan;

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].given && n->service)
			wrong(l, svc, spec_from(svc, all[i].field), "isolation.network.%s: the network is that of "
			      "service '%s' (isolation.network.service): say it there", all[i].key, n->service);
		else if (all[i].given && all[i].needs == ON_BRIDGE && upper)
			wrong(l, svc, spec_from(svc, all[i].field), "isolation.network.%s: the rules of prior hold on "
			      "bridges; on an interface on top of %s they do not", all[i].key, upper);
		else if (all[i].given && all[i].needs != ALONE && !n->bridge && !upper)
			wrong(l, svc, spec_from(svc, all[i].field), "isolation.network.%s: needs %s%s", all[i].key,
			      all[i].needs == ON_ANY ? "an interface: isolation.network.bridge, macvlan or ipvlan" :
			      "a bridge (isolation.network.bridge)", all[i].more);
	check_upper(l, svc);
	if (n->bridge && !find_bridge(l->s, n->bridge))
		wrong(l, svc, spec_from(svc, &n->bridge),
			"isolation.network.bridge: there is no bridge '%s' in network.bridges", n->bridge);
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
