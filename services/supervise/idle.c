/* Periods without anything to do: see idle.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/idle.h"
#include "init/base/sys.h"
#include "services/plan/listen.h"
#include "services/supervise/care.h"
#include "services/supervise/fsm.h"
#include "services/supervise/reap.h"
#include "services/supervise/sockets.h"
#include <errno.h>

enum { NONE_OPEN, SOME_OPEN, NOT_KNOWN };	/* the child's exit code */

static uint32_t period(const struct prior *p, uint32_t i)
{
	const struct plan_care *c = plan_care(&p->plan, plan_service(&p->plan, i));

	return c ? c->idle_ms : 0;
}

/* The first of a period is enough to know. */
static void on_traffic(void *ctx, uint32_t i, uint32_t events)
{
	struct prior *p = ctx;

	(void)events;
	p->run[i].traffic = true;
	sockets_unwatch(p, i);
}

/* By the edge: what the service takes away before we look has come all the same. */
void idle_begin(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	const uint32_t first = svc_of(p, i)->first_listen;
	struct err e;

	if (!period(p, i))
		return;
	p->run[i].traffic = false;
	care_of(p, i)->idle_at_ms = p->loop.now.ms + period(p, i);
	for (uint32_t k = first; k < first + d->listen.n; k++) {
		int rc = p->listen_src[k] ? (int)p->listen_src[k] :
			 loop_add(&p->loop, p->ledger.listen[k], EPOLLIN | EPOLLET, on_traffic, i, &e);

		if (rc < 0) {	/* who cannot be watched is busy */
			p->run[i].traffic = true;
			return;
		}
		p->listen_src[k] = (uint32_t)rc;
	}
}

void idle_end(struct prior *p, uint32_t i)
{
	if (!period(p, i))
		return;
	care_of(p, i)->idle_at_ms = 0;
	sockets_unwatch(p, i);
}

static bool may_have_connections(const struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	const struct plan_listen *l = PLAN_FIRST(&p->plan, d->listen, struct plan_listen);

	for (uint32_t k = 0; k < d->listen.n; k++)
		if (listen_rows[l[k].kind].connects)
			return true;
	return false;
}

static int look(struct prior *p, uint32_t i)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	const pid_t pid = sys_clone3(&a);
	int n;

	if (pid == 0) {
		n = idle_connections(&p->plan, plan_service(&p->plan, i), "/proc/self/net");
		_exit(n < 0 ? NOT_KNOWN : n > 0 ? SOME_OPEN : NONE_OPEN);
	}
	if (pid < 0)
		return -errno;
	p->run[i].idle_look = pid;
	reap_add(p, pid, i, PID_IDLE);
	return 0;
}

void idle_due(struct prior *p, uint32_t i)
{
	const struct svc_run *r = &p->run[i];
	const bool busy = r->traffic || r->holders || svc_of(p, i)->flags & SVC_F_RELOADING;

	if (svc_of(p, i)->state != SVC_UP) {
		idle_end(p, i);
		return;
	}
	idle_begin(p, i);	/* the next period, whatever comes of this one */
	if (busy || r->idle_look)
		return;
	if (!may_have_connections(p, i))
		svc_post(p, i, EV_IDLE);
	else
		look(p, i);	/* where no child can be had, it is looked at after the next period */
}

void idle_looked(struct prior *p, uint32_t i, int32_t pid, int code)
{
	struct svc_run *r = &p->run[i];

	if (pid != r->idle_look)	/* of before a reload */
		return;
	r->idle_look = 0;
	if (code == NOT_KNOWN)
		prior_say(p, "warning", "idle-unknown", svc_name(p, i),
			  "whether a connection is open cannot be read in /proc/net; it is not stopped");
	/* Something may have come while the child looked. */
	if (code == NONE_OPEN && !r->traffic && r->holders == 0 && svc_of(p, i)->state == SVC_UP &&
	    care_of(p, i)->idle_at_ms)
		svc_post(p, i, EV_IDLE);
}

enum svc_event svc_idle(struct prior *p, uint32_t i)
{
	svc_of(p, i)->flags |= SVC_F_IDLE;
	prior_say(p, "info", "idle", svc_name(p, i), "nothing has come for its idle_timeout; it stops and listens");
	return EV_FREE;
}
