/* When a check is made and what follows from it: see health.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/health.h"
#include "services/cell/cell.h"
#include "services/spec/spec.h"
#include "services/supervise/care.h"
#include "services/supervise/deps.h"
#include "services/supervise/fsm.h"
#include "services/supervise/good.h"
#include "services/supervise/reap.h"
#include <signal.h>

#define FIRST_PAUSE_MS 100	/* doubles up to the interval until the first good check */
#define GUARD_MS 2000		/* the check's own process ends it in time; this is for when that hangs */

static const struct plan_care *planned(struct prior *p, uint32_t i)
{
	return plan_care(&p->plan, plan_service(&p->plan, i));
}

static void next_in(struct prior *p, uint32_t i, int64_t ms)
{
	care_of(p, i)->check_at_ms = p->loop.now.ms + ms;
	care_arm(p, i);
}

void health_begin(struct prior *p, uint32_t i)
{
	struct ledger_care *c = care_of(p, i);

	if (!c || planned(p, i)->check_kind == HEALTH_BY_NONE)
		return;
	svc_of(p, i)->health = HEALTH_STARTING;
	c->failed = 0;
	c->counted_ms = p->loop.now.ms;
	c->pause_ms = FIRST_PAUSE_MS < planned(p, i)->interval_ms ? FIRST_PAUSE_MS : planned(p, i)->interval_ms;
	next_in(p, i, c->pause_ms);
}

void health_end(struct prior *p, uint32_t i)
{
	struct ledger_care *c = care_of(p, i);

	if (!c)
		return;
	svc_of(p, i)->health = HEALTH_NONE;
	c->check_at_ms = 0;
	if (c->check <= 0)
		return;
	reap_forget(p, c->check);	/* what it says is of no interest any more */
	kill(c->check, SIGKILL);
	c->check = 0;
}

static int start_check(struct prior *p, uint32_t i, pid_t *pid, struct err *e)
{
	const struct plan_care *d = planned(p, i);
	struct ledger_svc *s = svc_of(p, i);
	struct cell_start c = {
		.plan = &p->plan, .service = i, .command = &d->command[CARE_TEST], .cgroup_fd = s->cgroup_fd,
		.log_fd = svc_log(p, i), .stdin_fd = FD_NONE, .nofile = p->ledger.head->nofile,
	};

	if (d->check_kind == HEALTH_BY_EXEC)
		return cell_join(&c, s->pidfd, d->timeout_ms, pid, e);
	return cell_probe(&c, p->ledger.head->exe_fd, s->pidfd, pid, e);
}

void health_due(struct prior *p, uint32_t i)
{
	struct ledger_care *c = care_of(p, i);
	struct err e;
	pid_t pid;

	c->check_at_ms = 0;
	if (c->check > 0) {	/* its end is told by SIGCHLD */
		kill(c->check, SIGKILL);
		next_in(p, i, GUARD_MS);
		return;
	}
	if (svc_of(p, i)->pid == 0)
		return;
	if (start_check(p, i, &pid, &e) < 0) {
		prior_say(p, "warning", "check-failed", svc_name(p, i), e.text);
		health_checked(p, i, false, -1);
		return;
	}
	c->check = pid;
	reap_add(p, pid, i, PID_CHECK);
	next_in(p, i, (int64_t)planned(p, i)->timeout_ms + GUARD_MS);
}

static void becomes(struct prior *p, uint32_t i, enum svc_health h, const char *level, const char *name)
{
	struct ledger_svc *s = svc_of(p, i);

	if (s->health == h)
		return;
	{
		LEDGER_WRITE(s);
		s->health = (uint8_t)h;
	}
	prior_say(p, level, name, svc_name(p, i), NULL);
	good_moved(p, i);
	deps_changed(p, i);
}

/* While it starts, the quick checks of an interval count as one, and those of start_period not at all. */
static bool counts(struct prior *p, uint32_t i, struct ledger_care *c)
{
	const struct plan_care *d = planned(p, i);
	const int64_t now = p->loop.now.ms, since_us = svc_of(p, i)->started_us;

	if (svc_of(p, i)->health != HEALTH_STARTING)
		return true;
	if (now < since_us / 1000 + d->start_period_ms || now - c->counted_ms < d->interval_ms)
		return false;
	c->counted_ms = now;
	return true;
}

static void went_badly(struct prior *p, uint32_t i, int code)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_care *c = care_of(p, i);
	struct event ev;

	if (!counts(p, i, c))
		return;
	c->failed++;
	if (c->failed == 1) {	/* the first of a row; the log has what each said */
		event_begin(&ev, "warning", "check-failed", svc_name(p, i));
		event_num(&ev, "code", code);
		prior_event(p, &ev);
	}
	if (c->failed < planned(p, i)->retries)
		return;
	becomes(p, i, HEALTH_BAD, "error", "unhealthy");
	if (d->restart != RESTART_NO || svc_of(p, i)->state == SVC_STARTING)
		care_unwell(p, i, EXIT_UNHEALTHY);
}

void health_checked(struct prior *p, uint32_t i, bool good, int code)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	const enum svc_state st = svc_of(p, i)->state;
	struct ledger_care *c = care_of(p, i);
	const uint32_t interval = planned(p, i)->interval_ms;

	c->check = 0;
	if (st != SVC_STARTING && st != SVC_UP)
		return;
	c->pause_ms = c->pause_ms > interval / 2 ? interval : 2 * c->pause_ms;
	next_in(p, i, good || svc_of(p, i)->health != HEALTH_STARTING ? interval : c->pause_ms);
	if (!good) {
		went_badly(p, i, code);
		return;
	}
	c->failed = 0;
	becomes(p, i, HEALTH_GOOD, "info", "healthy");
	if (d->ready == READY_HEALTHCHECK)
		svc_post(p, i, EV_READY);
}
