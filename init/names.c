/* The machine's interfaces get the names that the configuration has for them. See stages.h. */
/* SPDX-License-Identifier: ISC */
#include "init/child.h"
#include "init/stages.h"
#include "netns/net.h"

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

/* In a child: libnl allocates. */
static int name_all(void *ctx, struct err *e)
{
	const struct boot *b = ctx;
	const struct plan *p = &b->plan;
	struct net *n;
	int worst = 0;

	if (net_open(&n, e) < 0)
		return -e->code;
	PLAN_EACH(struct plan_interface, i, p, p->head->interfaces) {
		const struct net_match m = match_of(p, i);
		struct err one;
		const int index = is_matched(&m) ? net_find(&m, &one) : 0;

		if (index < 0)
			err_in(&one, "network.interfaces.%s.match", plan_str(p, i->name));
		if (index < 0 || (index && net_rename(n, index, plan_str(p, i->name), &one) < 0)) {
			boot_say(b, "%s", one.text);
			worst = err_set(e, one.code, "not every interface has its name");
		}
	}
	net_close(&n);
	return worst;
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
