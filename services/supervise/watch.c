/* From a record back to sources, timers and counts: see watch.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/watch.h"
#include "services/supervise/care.h"
#include "services/supervise/connections.h"
#include "services/supervise/fdstore.h"
#include "services/supervise/fsm.h"
#include "services/supervise/main_pid.h"
#include "services/supervise/notify.h"
#include "services/supervise/reload.h"
#include "services/supervise/shared.h"
#include "services/supervise/sockets.h"
#include "services/supervise/start.h"
#include "services/supervise/stop.h"

int watch_service(struct prior *p, uint32_t i, struct err *why)
{
	struct ledger_svc *s = svc_of(p, i);
	struct err e = { 0 };

	if (s->notify_fd >= 0)
		notify_watch(p, i, &e);
	fdstore_watch(p, i, &e);
	care_resume(p, i, &e);
	if (s->flags & SVC_F_FOREIGN && s->pid > 0 && s->pidfd >= 0)
		main_pid_watch(p, i, &e);
	if (s->report_fd >= 0)
		start_watch_report(p, i, &e);
	if (s->state == SVC_STOPPING && s->events_fd >= 0)
		stop_watch(p, i);
	if (s->state == SVC_LISTENING)
		sockets_watch(p, i, &e);
	if (s->deadline_ms)
		loop_timer_set(&p->loop, i, s->deadline_ms);
	p->live += state_is_live(s->state);
	p->unsettled += !state_is_settled(s->state);
	p->waiting += s->state == SVC_WAITING;
	if (e.code)
		*why = e;
	return -e.code;
}

void watch_nudge(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	connections_resume(p, i);
	shared_moved(p, i);
	bool has_process = s->pid || s->builder || s->reaper || s->hook || s->report_fd >= 0;

	switch ((enum svc_state)s->state) {
	case SVC_WAITING:
		if (p->run[i].unmet == 0)
			svc_post(p, i, EV_DEPS_READY);
		return;
	case SVC_STARTING:
		if (!has_process)
			start_builder_died(p, i, "was lost in a fault of PID 1");
		else if (s->flags & SVC_F_RAN)
			svc_post(p, i, EV_RUNNING);
		return;
	case SVC_UP:
		if (!s->pid)
			svc_post(p, i, EV_EXITED);
		return;
	case SVC_STOPPING:
		if (!(s->flags & SVC_F_SIGNALLED) && p->run[i].holders == 0)
			svc_post(p, i, EV_FREE);
		stop_check(p, i);
		return;
	case SVC_BACKOFF:
		if (!s->deadline_ms)
			svc_post(p, i, EV_TIMEOUT);
		return;
	case SVC_DOWN:
		reload_start_again(p, i);
		return;
	case SVC_LISTENING:
	case SVC_DONE:
	case SVC_FAILED:
	case SVC_REFUSED:
	case SVC_SKIPPED:
	case SVC_STATES:
		return;
	}
}
