/* The process that becomes the service. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

/*
 * The builder is a sibling. Where only descendants may be traced (yama) and nobody has CAP_SYS_PTRACE, it needs our
 * word, for as long as it takes.
 */
static int meet_builder(struct cell *c, struct err *e)
{
	const bool must_agree = !may_trace_anybody();
	struct note n = { .kind = NOTE_HERE };

	if (must_agree) {
		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
		if (note_send(c, &n, FD_NONE, e) < 0)
			return -e->code;
	}
	if (note_receive(c, &n, NULL, e) < 0)
		return -e->code;
	if (must_agree)
		prctl(PR_SET_PTRACER, 0, 0, 0, 0);
	return n.kind == NOTE_GO ? 0 : err_set(e, EPROTO, "the builder said %u", n.kind);
}

int service_life(struct cell *c)
{
	struct err e = { 0 };
	uint32_t code = 0;

	c->service = c->reaper = 0;
	if (meet_builder(c, &e) < 0)
		return CODE_NAMESPACE;	/* nobody left to tell */
	if (steps_walk(c, BY_SERVICE, &code, &e) < 0)
		return cell_failed(c, code, e.code == ENOENT && code == CODE_EXEC, &e);
	return become(c);	/* the filter may forbid to say more than an exit status */
}

int direct_life(struct cell *c)
{
	const char *name = plan_str(c->plan, c->svc->name);
	struct err e = { 0 };
	uint32_t code = CODE_FDS;

	sys_batch(0, false);
	if (report_born(c, &e) == 0 && gather(c, &e) == 0 && steps_walk(c, BY_SERVICE, &code, &e) == 0) {
		code = CODE_EXEC;
		errno = become(c);
		err_sys(&e, "exec %s", plan_str(c->plan, c->command.exe));
	}
	err_in(&e, "service %s", name);
	return cell_failed(c, code, code == CODE_EXEC && (e.code == ENOENT || e.code == EACCES), &e);
}
