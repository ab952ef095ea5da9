/* Shutdown: see ending.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/ending.h"
#include "init/base/text.h"
#include "services/supervise/fsm.h"
#include "services/supervise/network.h"
#include "services/supervise/outside.h"
#include "services/supervise/server.h"
#include "services/supervise/stop.h"
#include "services/supervise/streams.h"

#define TICK_MS 5000
#define FORCED_MS 5000		/* after SIGKILL to all; what is still there then is stuck in the kernel */

static void deadline(struct prior *p, int64_t in_ms)
{
	p->ledger.head->shutdown_deadline_ms = p->loop.now.ms + in_ms;
	loop_timer_set(&p->loop, p->n + TIMER_SHUTDOWN, p->ledger.head->shutdown_deadline_ms);
	ledger_seal_head(&p->ledger);
}

void ending_begin(struct prior *p, enum shutdown_kind kind)
{
	const uint32_t *order = PLAN_FIRST(&p->plan, p->plan.head->start_order, uint32_t);
	struct ledger_head *h = p->ledger.head;

	if (h->shutdown != SHUTDOWN_NONE)
		return;
	h->shutdown = kind;
	deadline(p, p->plan.head->shutdown_timeout_ms);
	loop_timer_set(&p->loop, p->n + TIMER_TICK, p->loop.now.ms + TICK_MS);
	prior_say(p, "info", "shutdown", NULL, shutdown_name[kind]);
	outside_say("STOPPING=1");
	/* Dependents first. What waits for nothing stops at once, all others when those that need them are down. */
	for (uint32_t k = p->plan.head->start_order.n; k-- > 0;) {
		enum svc_state st = svc_of(p, order[k])->state;

		if (!state_is_at_rest(st))
			svc_post(p, order[k], EV_STOP);
	}
	p->loop.again = true;	/* perhaps nothing runs: ending_check() is to look */
}

void ending_for_failure(struct prior *p, enum shutdown_kind kind, uint32_t i, const char *what)
{
	const struct ledger_svc *s = svc_of(p, i);
	struct ledger_head *h = p->ledger.head;
	struct text t = TEXT_IN(h->failed_why);

	if (h->shutdown != SHUTDOWN_NONE)
		return;
	h->failed = 1;
	text_fmt(&t, "service %s: %s", svc_name(p, i), what);
	if (*s->why || s->exit_kind != EXIT_NONE)
		text_add(&t, ": ");
	if (*s->why)
		text_add(&t, s->why);
	else
		exit_text(&t, s->exit_kind, s->exit_status);
	ending_begin(p, kind);
}

static void plan(struct prior *p, enum shutdown_kind kind, int64_t at_ms)
{
	p->ledger.head->planned = kind;
	p->ledger.head->planned_ms = at_ms;
	loop_timer_set(&p->loop, p->n + TIMER_PLANNED, at_ms);
	ledger_seal_head(&p->ledger);
}

void ending_plan(struct prior *p, enum shutdown_kind kind, int64_t in_ms)
{
	char why[128];
	struct text t = TEXT_IN(why);

	plan(p, kind, p->loop.now.ms + in_ms);
	text_fmt(&t, "%s in %lld s; `shutdown -c` cancels it", shutdown_name[kind], (long long)(in_ms / 1000));
	prior_say(p, "warning", "shutdown-planned", NULL, why);
}

bool ending_cancel(struct prior *p)
{
	if (p->ledger.head->planned == SHUTDOWN_NONE)
		return false;
	prior_say(p, "warning", "shutdown-cancelled", NULL, shutdown_name[p->ledger.head->planned]);
	plan(p, SHUTDOWN_NONE, 0);
	return true;
}

void ending_planned(struct prior *p)
{
	const enum shutdown_kind kind = p->ledger.head->planned;

	plan(p, SHUTDOWN_NONE, 0);
	if (kind != SHUTDOWN_NONE)
		ending_begin(p, kind);
}

void ending_resume(struct prior *p)
{
	const struct ledger_head *h = p->ledger.head;

	if (h->planned != SHUTDOWN_NONE)
		loop_timer_set(&p->loop, p->n + TIMER_PLANNED, h->planned_ms);
}

void ending_force(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	if (h->forced)
		return;
	h->forced = 1;
	deadline(p, FORCED_MS);
	for (uint32_t i = 0; i < p->n; i++) {
		struct ledger_svc *s = svc_of(p, i);

		if (!state_is_live(s->state))
			continue;
		prior_say(p, "warning", "killed", svc_name(p, i), "everything is to end now");
		LEDGER_WRITE(s);
		s->flags |= SVC_F_SIGNALLED;
		stop_kill_all(p, i);
	}
}

void ending_timer(struct prior *p)
{
	if (!p->ledger.head->forced) {
		ending_force(p);
		return;
	}
	ending_tick(p);
	streams_close(p);	/* what is left cannot be killed; the machine goes down all the same */
}

void ending_tick(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct ledger_svc *s = svc_of(p, i);
		struct event ev;

		if (!state_is_live(s->state) || s->waits_for)
			continue;
		event_begin(&ev, "warning", "waiting", svc_name(p, i));
		event_str(&ev, "why", "shutdown waits for it to stop");
		event_num(&ev, "pid", s->pid);
		event_num(&ev, "for_ms", p->loop.now.ms - s->since_ms);
		prior_event(p, &ev);
	}
	loop_timer_set(&p->loop, p->n + TIMER_TICK, p->loop.now.ms + TICK_MS);
}

/* The code of a container in which nothing is left: that of the first that has failed, or of what was refused. */
static int code_of_nothing(struct prior *p)
{
	const struct plan *pl = &p->plan;
	const struct plan_refused *r = PLAN_FIRST(pl, pl->head->refused, struct plan_refused);

	for (uint32_t i = 0; i < p->n; i++) {
		const struct ledger_svc *s = svc_of(p, i);

		if (s->state != SVC_FAILED && s->state != SVC_REFUSED)
			continue;
		return exit_code_of(s) ? exit_code_of(s) : 1;
	}
	return !pl->head->refused.n ? 0 : r->exit_code ? (int)r->exit_code : 1;
}

void ending_if_nothing(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	if (h->mode == MODE_MACHINE || h->mode == MODE_RUN || h->shutdown || p->live || !h->settled ||
	    p->n + p->plan.head->refused.n == 0 || p->reload.phase != RELOAD_NONE)
		return;
	for (uint32_t i = 0; i < p->n; i++) {
		const struct ledger_svc *s = svc_of(p, i);

		/* Who stops the last one by hand means to go on with something else. */
		if (!state_is_at_rest((enum svc_state)s->state) || s->deadline_ms || s->next_ms ||
		    s->flags & SVC_F_STOPPED_BY_USER)
			return;
	}
	h->exit_code = code_of_nothing(p);
	prior_say(p, h->exit_code ? "error" : "info", "nothing-left", NULL,
		  h->exit_code ? "no service runs, none will by itself, and not all have done their work" :
		  "no service runs, and none will by itself: all have done their work");
	ending_begin(p, SHUTDOWN_EXIT);
}

void ending_check(struct prior *p)
{
	if (p->ledger.head->shutdown != SHUTDOWN_NONE && p->live == 0 && !p->logger_closing &&
	    network_is_gone(p)) {
		prior_say(p, "info", "stopped-all", NULL, NULL);
		streams_close(p);
	}
}
