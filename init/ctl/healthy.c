/* `prior healthy`: is all well? For probes: nothing is printed when it is. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/ctl/ctl.h"
#include "init/ctl/live.h"
#include "init/ctl/verbs.h"
#include <errno.h>
#include <stdio.h>

/* What is wrong with it; NULL: nothing. all: only what somebody wants up is asked about. */
static const char *ill(const struct view *v, bool all)
{
	const enum svc_state st = (enum svc_state)v->now.state;

	if (v->refused)
		return "refused";
	if (all && !(v->now.flags & SVC_F_WANTED) && st == SVC_DOWN)
		return NULL;
	if (st == SVC_DONE || st == SVC_LISTENING)
		return NULL;
	if (st != SVC_UP)
		return st < SVC_STATES ? svc_state_name[st] : "?";
	return v->now.health == HEALTH_STARTING || v->now.health == HEALTH_BAD ? health_name[v->now.health] : NULL;
}

static int look(struct ctl *c, const struct live *live)
{
	struct views views = { 0 };
	struct err e;
	int code = DONE;
	int rc = views_take(&views, live, c->args, mono_now().ms, &e);

	if (rc < 0)
		return ctl_fail(c, rc == -ENOENT ? UNKNOWN : FAILED, &e);
	for (unsigned i = 0; i < views.n; i++) {
		const char *why = ill(&views.v[i], c->nargs == 0);

		if (!why)
			continue;
		printf("%s is %s\n", views.v[i].name, why);
		code = FAILED;
	}
	views_free(&views);
	return code;
}

int verb_healthy(struct ctl *c)
{
	struct live live = { 0 };
	struct err e;

	if (live_open(&live, ctl_run_dir(c), &e) < 0)
		return ctl_fail(c, FAILED, &e);
	int code = look(c, &live);

	live_close(&live);
	return code;
}
