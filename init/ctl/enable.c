/* `prior enable` and `prior disable`: what starts at boot, kept beside the configuration. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/enabled.h"
#include "init/ctl/live.h"
#include "init/ctl/verbs.h"
#include <errno.h>

/* Nothing that is accepted is without effect. */
static int judge(struct ctl *c, const struct live *l, const struct view *v, bool on)
{
	const char *base = v->plan ? plan_base_name(&l->plan, v->plan) : NULL;

	if (base)
		return ctl_say(c, FAILED, "%s is the place for one connection of %s, and only a connection starts it: "
			       "name %s itself", v->name, base, base);
	if (on && v->plan && v->plan->flags & CELL_ON_CALL)
		return ctl_say(c, FAILED, "%s is there for when another service has failed (on_failure), and is not "
			       "started at boot; `prior start %s` starts it now", v->name, v->name);
	return DONE;
}

/* What the running prior has to say about it; nothing is written when one of the names is wrong. */
static int keep_all(struct ctl *c, bool on)
{
	struct live live = { 0 };
	struct views views = { 0 };
	struct err e;
	int code = DONE;

	if (live_open(&live, ctl_run_dir(c), &e) < 0)
		return ctl_fail(c, FAILED, &e);
	const char *dir = live.ledger.head->state_dir;

	if (live_is_trusted(&live, &e) < 0)
		code = ctl_fail(c, FAILED, &e);
	else if (views_take(&views, &live, c->args, 0, &e) < 0)
		code = ctl_fail(c, UNKNOWN, &e);
	else if (!*dir)
		code = ctl_say(c, FAILED, "this prior keeps nothing between its lives; start it with --state-dir DIR");
	for (unsigned i = 0; code == DONE && i < views.n; i++)
		code = judge(c, &live, &views.v[i], on);
	for (int i = 0; code == DONE && i < c->nargs; i++)
		if (enabled_write(dir, c->args[i], on, &e) < 0)
			code = ctl_say(c, FAILED, "%s: %s", c->args[i], e.text);
	views_free(&views);
	live_close(&live);
	return code;
}

static int change(struct ctl *c, bool on, int (*now)(struct ctl *))
{
	int code = keep_all(c, on);

	return code == DONE && has(c, OPT_NOW) ? now(c) : code;
}

int verb_enable(struct ctl *c)
{
	return change(c, true, verb_start);
}

int verb_disable(struct ctl *c)
{
	return change(c, false, verb_stop);
}
