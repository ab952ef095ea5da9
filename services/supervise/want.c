/* The states without processes: waiting, listening, backoff, and the places where a service comes to rest. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/spec/spec.h"
#include "services/supervise/connections.h"
#include "services/supervise/deps.h"
#include "services/supervise/devices.h"
#include "services/supervise/ending.h"
#include "services/supervise/fdstore.h"
#include "services/supervise/fsm.h"
#include "services/supervise/instances.h"
#include "services/supervise/sockets.h"
#include "services/supervise/start.h"
#include "services/supervise/stop.h"

static void say_for_whom(struct prior *p, uint32_t i)
{
	struct event ev;

	event_begin(&ev, "info", "waiting", svc_name(p, i));
	event_str(&ev, "for", svc_name(p, svc_of(p, i)->waits_for - 1));
	prior_event(p, &ev);
}

static enum svc_event wait_for_deps(struct prior *p, uint32_t i, bool asked)
{
	struct ledger_svc *s = svc_of(p, i);

	s->flags |= SVC_F_WANTED;
	s->flags &= ~(SVC_F_DEP_FAILED | SVC_F_RESTART | SVC_F_MISSING | SVC_F_STOPPED_WITH);
	s->why[0] = '\0';
	s->waits_for = 0;
	if (!deps_name_wait(p, i, asked))
		return EV_DEP_FAILED;
	deps_pull(p, i, asked);
	if (p->run[i].unmet == 0)
		return EV_DEPS_READY;
	devices_wait(p, i);
	if (s->waits_for)
		say_for_whom(p, i);
	return EV_NONE;
}

enum svc_event svc_wait(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	/* A person asked: the past does not count. */
	s->flags &= ~SVC_F_STOPPED_BY_USER;
	s->window_ms = 0;
	s->window_restarts = s->backoff_ms = 0;
	return wait_for_deps(p, i, true);
}

enum svc_event svc_wait_pulled(struct prior *p, uint32_t i)
{
	return wait_for_deps(p, i, false);
}

enum svc_event svc_listen(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	s->flags |= SVC_F_WANTED;
	s->flags &= ~SVC_F_RESTART;
	if (sockets_watch(p, i, &e) < 0) {
		text_copy(s->why, sizeof s->why, e.text);
		return EV_REFUSED;
	}
	prior_say(p, "info", "listening", svc_name(p, i), NULL);
	return EV_NONE;
}

enum svc_event svc_bind(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	if (sockets_open(p, i, &e) == 0)
		return svc_accepts(p, i) ? EV_LISTEN : EV_START;
	text_copy(s->why, sizeof s->why, e.text);
	return EV_REFUSED;
}

enum svc_event svc_refuse(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	sockets_drop(p, i);	/* nobody will ever answer there */
	prior_say(p, "error", "refused", svc_name(p, i), s->why);
	return EV_NONE;
}

enum svc_event svc_backoff(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct event ev;

	s->restarts++;
	svc_timer(p, i, s->backoff_ms ? s->backoff_ms : 1);
	event_begin(&ev, "warning", "backoff", svc_name(p, i));
	event_num(&ev, "ms", s->backoff_ms);
	event_num(&ev, "restarts", s->restarts);
	if (s->why[0])
		event_str(&ev, "why", s->why);
	prior_event(p, &ev);
	return EV_NONE;
}

/* A critical service has come to its end by itself: so does everything. */
static void end_of_critical(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct ledger_head *h = p->ledger.head;

	if (!(d->flags & CELL_CRITICAL) || h->shutdown)
		return;
	h->exit_code = exit_code_of(s);
	prior_say(p, "error", "critical", svc_name(p, i), "it has ended, and it is critical");
	ending_for_failure(p, h->mode == MODE_MACHINE ? SHUTDOWN_REBOOT : SHUTDOWN_EXIT, i,
			   "it has ended, and it is critical");
}

enum svc_event svc_rest(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	s->flags &= ~(SVC_F_WANTED | SVC_F_RESTART | SVC_F_DEP_FAILED);
	s->waits_for = 0;
	if (!(s->flags & SVC_F_BACK))
		fdstore_clear(p, i);
	if (!(s->flags & SVC_F_LEAVING))
		connections_stop(p, i);
	prior_say(p, "info", "stopped", svc_name(p, i), NULL);
	instances_rest(p, i);
	return EV_NONE;
}

enum svc_event svc_ended(struct prior *p, uint32_t i)
{
	bool by_itself = svc_of(p, i)->flags & SVC_F_WANTED;

	svc_rest(p, i);
	if (by_itself)
		end_of_critical(p, i);
	return EV_NONE;
}

enum svc_event svc_done(struct prior *p, uint32_t i)
{
	fdstore_clear(p, i);
	prior_say(p, "info", "done", svc_name(p, i), NULL);
	instances_rest(p, i);
	end_of_critical(p, i);
	return EV_NONE;
}

static void start_instead(struct prior *p, uint32_t i)
{
	const struct plan_care *c = plan_care(&p->plan, plan_service(&p->plan, i));
	const struct plan_dep *d = c ? PLAN_FIRST(&p->plan, c->on_failure, struct plan_dep) : NULL;
	struct event ev;

	if (!c || !c->on_failure.n || p->ledger.head->shutdown)
		return;
	event_begin(&ev, "info", "on-failure", svc_name(p, i));
	event_str(&ev, "starts", svc_name(p, d->service));
	prior_event(p, &ev);
	svc_post(p, d->service, EV_START);
}

static void on_failure(struct prior *p, uint32_t i)
{
	static const char failed[] = "it has failed";

	switch ((enum svc_on_failure)plan_service(&p->plan, i)->on_failure) {
	case ON_FAILURE_NONE:
		return;
	case ON_FAILURE_START:
		start_instead(p, i);
		return;
	case ON_FAILURE_REBOOT:
		ending_for_failure(p, SHUTDOWN_REBOOT, i, failed);
		return;
	case ON_FAILURE_POWEROFF:
		ending_for_failure(p, SHUTDOWN_POWEROFF, i, failed);
		return;
	case ON_FAILURE_STOP_ALL:
		ending_for_failure(p, p->ledger.head->mode == MODE_MACHINE ? SHUTDOWN_POWEROFF : SHUTDOWN_EXIT, i,
				   failed);
		return;
	}
}

enum svc_event svc_fail(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	s->failures++;
	fdstore_clear(p, i);
	s->flags &= ~SVC_F_RESTART;
	prior_say(p, "error", "failed", svc_name(p, i), s->why);
	end_of_critical(p, i);
	on_failure(p, i);
	return EV_NONE;
}

enum svc_event svc_dep_failed(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct text t = TEXT_IN(s->why);

	s->flags |= SVC_F_DEP_FAILED;
	if (s->waits_for)
		text_fmt(&t, "it needs %s, which is %s", svc_name(p, s->waits_for - 1),
			 svc_state_name[svc_of(p, s->waits_for - 1)->state]);
	return svc_fail(p, i);
}

void start_by_itself(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	int rival = deps_rival(p, i);
	char why[160];
	struct text t = TEXT_IN(why);

	if (d->flags & CELL_ON_CALL || plan_is_disabled(&p->plan, i))
		return;
	if (rival >= 0) {
		text_fmt(&t, "it conflicts with %s, which comes first", svc_name(p, (uint32_t)rival));
		prior_say(p, "info", "not-started", svc_name(p, i), why);
		return;
	}
	if (!d->cron.n)
		svc_post(p, i, svc_is_lazy(p, d) ? EV_LISTEN : EV_PULL);
}
