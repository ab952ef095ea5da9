/* `prior healthy`: is all well? For probes: nothing is printed when it is. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/ctl/ctl.h"
#include "init/ctl/live.h"
#include "init/ctl/verbs.h"
#include <errno.h>
#include <stdio.h>

static int look(struct ctl *c, const struct live *live)
{
	struct views views = { 0 };
	struct err e;
	int code = DONE;
	int rc = views_take(&views, live, c->args, mono_now().ms, &e);

	if (rc < 0)
		return ctl_fail(c, rc == -ENOENT ? UNKNOWN : FAILED, &e);
	for (unsigned i = 0; i < views.n; i++) {
		const struct view *v = &views.v[i];
		const char *why = v->refused ? "refused" : ledger_svc_ill(&v->now, c->nargs == 0);

		if (!why)
			continue;
		printf("%s is %s\n", v->name, why);
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
