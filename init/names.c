/* The machine's interfaces get the names that the configuration has for them. See stages.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/file.h"
#include "init/base/text.h"
#include "init/child.h"
#include "init/stages.h"
#include "netns/net.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MS 20000

static const char *asked(const struct plan *p, struct plan_ref r)
{
	return r.n ? plan_str(p, r) : NULL;
}

static struct net_match match_of(const struct plan *p, const struct plan_interface *i)
{
	return (struct net_match){ asked(p, i->match_mac), asked(p, i->match_driver), asked(p, i->match_path),
				   asked(p, i->match_name) };
}

static bool is_matched(const struct net_match *m)
{
	return m->mac || m->driver || m->path || m->name;
}

#define RENAMED "4"	/* NET_NAME_RENAMED */

/* A soft reboot finds the names that the boot before has given, and nobody knows the kernel's any more. */
static bool has_its_name(const struct boot *b, const char *name)
{
	char path[64], how[8];
	struct text t = TEXT_IN(path);
	struct err ignored;

	text_fmt(&t, "/sys/class/net/%s/name_assign_type", name);
	return b->again && file_line(path, how, sizeof how, &ignored) == 0 && !strcmp(how, RENAMED);
}

/* The index of the one that the row matches; 0: it asks for none, or there is none, which is said. */
static int find_one(const struct boot *b, const struct plan_interface *i, int *worst)
{
	const char *name = plan_str(&b->plan, i->name);
	struct net_match m = match_of(&b->plan, i);
	struct err one;

	if (m.name && has_its_name(b, name))
		m.name = name;
	const int index = is_matched(&m) ? net_find(&m, &one) : 0;

	if (index >= 0)
		return index;
	boot_say(b, "network.interfaces.%s.match: %s", name, one.text);
	*worst = one.code;
	return 0;
}

/* The row, not its own, that matches the same one; NULL: none does. */
static const char *rival(const struct plan *p, const int *found, unsigned own)
{
	const struct plan_interface *v = PLAN_FIRST(p, p->head->interfaces, struct plan_interface);

	for (unsigned i = 0; i < p->head->interfaces.n; i++)
		if (i != own && found[i] == found[own])
			return plan_str(p, v[i].name);
	return NULL;
}

/* All are found before the first gets its name: match.name is the one that the kernel has given. */
static int name_found(const struct boot *b, struct net *n, int *found)
{
	const struct plan *p = &b->plan;
	const struct plan_interface *v = PLAN_FIRST(p, p->head->interfaces, struct plan_interface);
	int worst = 0;

	for (unsigned i = 0; i < p->head->interfaces.n; i++)
		found[i] = find_one(b, v + i, &worst);
	for (unsigned i = 0; i < p->head->interfaces.n; i++) {
		const char *name = plan_str(p, v[i].name), *other = found[i] ? rival(p, found, i) : NULL;
		struct err one;

		if (other) {
			boot_say(b, "network.interfaces.%s.match: network.interfaces.%s.match matches the same one; "
				 "it keeps its name", name, other);
			worst = ENOTUNIQ;
		} else if (found[i] && net_rename(n, found[i], name, &one) < 0) {
			boot_say(b, "%s", one.text);
			worst = one.code;
		}
	}
	return worst;
}

/* In a child: libnl allocates, and so may we. */
static int name_all(void *ctx, struct err *e)
{
	const struct boot *b = ctx;
	int *found = calloc(b->plan.head->interfaces.n, sizeof *found), worst;
	struct net *n;

	if (!found)
		return err_set(e, ENOMEM, "no memory left for the names of the interfaces");
	if (net_open(&n, e) < 0) {
		free(found);
		return -e->code;
	}
	worst = name_found(b, n, found);
	net_close(&n);
	free(found);
	return worst ? err_set(e, worst, "not every interface has its name") : 0;
}

int stage_names(struct boot *b, struct err *e)
{
	const struct plan *p = &b->plan;

	PLAN_EACH(struct plan_interface, i, p, p->head->interfaces) {
		const struct net_match m = match_of(p, i);

		if (is_matched(&m))
			return child_run(name_all, b, NAMES_MS, e);
	}
	return 0;
}
