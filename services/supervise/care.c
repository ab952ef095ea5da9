/* Deadlines beside a service's own: see care.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/care.h"
#include "init/base/fd.h"
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include "services/supervise/health.h"
#include "services/supervise/idle.h"
#include "services/supervise/stop.h"
#include <errno.h>
#include <fcntl.h>
#include <time.h>

static const struct plan_care *planned(struct prior *p, uint32_t i)
{
	return plan_care(&p->plan, plan_service(&p->plan, i));
}

static uint32_t timer_of(const struct prior *p, uint32_t i)
{
	return p->n + SERVE_TIMERS + p->run[i].care - 1;
}

static int64_t first_of(int64_t a, int64_t b)
{
	return a <= 0 || (b > 0 && b < a) ? (b > 0 ? b : 0) : a;
}

void care_arm(struct prior *p, uint32_t i)
{
	const struct ledger_care *c = care_of(p, i);

	if (c)
		loop_timer_set(&p->loop, timer_of(p, i),
			       first_of(first_of(first_of(c->watchdog_at_ms, c->reload_at_ms), c->check_at_ms),
					c->idle_at_ms));
}

void care_begin(struct prior *p, uint32_t i)
{
	struct ledger_care *c = care_of(p, i);

	if (!c)
		return;
	c->watchdog_at_ms = c->check_at_ms = c->reload_at_ms = c->idle_at_ms = 0;
	c->watchdog_us = (uint64_t)planned(p, i)->watchdog_ms * 1000;
	c->failed = 0;
	c->error = 0;
	care_arm(p, i);
}

void care_ran(struct prior *p, uint32_t i)
{
	LEDGER_WRITE(svc_of(p, i));

	health_begin(p, i);
}

static void watchdog_arm(struct prior *p, struct ledger_care *c)
{
	/* Rounded up: it is never asked earlier than it was told. */
	c->watchdog_at_ms = c->watchdog_us ? p->loop.now.ms + (int64_t)((c->watchdog_us + 999) / 1000) : 0;
}

void care_up(struct prior *p, uint32_t i)
{
	struct ledger_care *c = care_of(p, i);

	if (!c)
		return;
	watchdog_arm(p, c);
	idle_begin(p, i);
	care_arm(p, i);
}

void care_end(struct prior *p, uint32_t i)
{
	struct ledger_care *c = care_of(p, i);

	if (!c)
		return;
	c->watchdog_at_ms = c->reload_at_ms = 0;
	health_end(p, i);
	idle_end(p, i);
	ready_close(p, i);
	care_arm(p, i);
}

void care_watchdog_alive(struct prior *p, uint32_t i)
{
	struct ledger_care *c = care_of(p, i);

	/* The timer stays where it is and looks again: a service that pings a lot costs nothing. */
	if (c && c->watchdog_at_ms)
		watchdog_arm(p, c);
}

void care_watchdog_set(struct prior *p, uint32_t i, uint64_t us)
{
	struct ledger_care *c = care_of(p, i);

	if (!c || us > (uint64_t)INT64_MAX / 2)
		return;
	c->watchdog_us = us;
	if (svc_of(p, i)->state == SVC_UP)
		watchdog_arm(p, c);
	care_arm(p, i);
}

void care_unwell(struct prior *p, uint32_t i, enum svc_exit_kind kind)
{
	struct ledger_svc *s = svc_of(p, i);

	if (s->state != SVC_UP && s->state != SVC_STARTING)
		return;
	{
		LEDGER_WRITE(s);
		s->exit_kind = (uint8_t)kind;
	}
	svc_post(p, i, EV_UNWELL);
}

/* notify-reload: it said RELOADING=1, or was asked to reload, and READY=1 has not come. */
static void reload_late(struct prior *p, uint32_t i, struct ledger_care *c)
{
	struct ledger_svc *s = svc_of(p, i);

	c->reload_at_ms = -1;
	prior_say(p, "warning", "reload-timeout", svc_name(p, i), "it did not say READY=1 after its reload");
	LEDGER_WRITE(s);
	s->flags &= ~(SVC_F_RELOADING | SVC_F_RELOAD_ASKED);
}

static void reload_arm(struct prior *p, uint32_t i)
{
	struct ledger_care *c = care_of(p, i);
	const uint32_t most = plan_service(&p->plan, i)->start_timeout_ms;

	if (c)
		c->reload_at_ms = most ? p->loop.now.ms + most : 0;
	care_arm(p, i);
}

/* One that it began before it was asked to is another one. */
void care_reloading(struct prior *p, uint32_t i, uint64_t us)
{
	struct ledger_svc *s = svc_of(p, i);
	const struct ledger_care *c = care_of(p, i);
	LEDGER_WRITE(s);

	if (c && s->flags & SVC_F_RELOAD_ASKED && us < c->reload_us)
		return;
	s->flags |= SVC_F_RELOADING;
	reload_arm(p, i);
}

int care_reload(struct prior *p, uint32_t i, struct err *e)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct ledger_care *c = care_of(p, i);
	struct timespec now = { 0 };

	if (s->state != SVC_UP)
		return err_set(e, ESRCH, "%s is %s: there is nothing to reload", svc_name(p, i),
			       svc_state_name[s->state]);
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (stop_signal_main(p, i, d->reload_signal ? d->reload_signal : SIGHUP, e) < 0)
		return -e->code;
	prior_say(p, "info", "reload", svc_name(p, i), NULL);
	if (d->ready != READY_NOTIFY_RELOAD || !c)
		return 0;
	c->reload_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	LEDGER_WRITE(s);
	s->flags |= SVC_F_RELOAD_ASKED;
	s->flags &= ~SVC_F_RELOADING;
	reload_arm(p, i);
	return 0;
}

void care_timer(struct prior *p, uint32_t i)
{
	struct ledger_care *c = care_of(p, i);
	const int64_t now = p->loop.now.ms;

	if (c->reload_at_ms > 0 && c->reload_at_ms <= now)
		reload_late(p, i, c);
	if (c->watchdog_at_ms && c->watchdog_at_ms <= now) {
		c->watchdog_at_ms = 0;
		care_unwell(p, i, EXIT_WATCHDOG);
	}
	if (c->check_at_ms && c->check_at_ms <= now)
		health_due(p, i);
	if (c->idle_at_ms && c->idle_at_ms <= now)
		idle_due(p, i);
	care_arm(p, i);
}

/* s6: everything up to the newline is of no meaning. */
static void on_ready(void *ctx, uint32_t i, uint32_t events)
{
	struct prior *p = ctx;
	char bytes[256];
	ssize_t n = read(care_of(p, i)->ready_fd, bytes, sizeof bytes);

	(void)events;
	if (n < 0)
		return;
	for (ssize_t k = 0; k < n; k++)
		if (bytes[k] == '\n') {
			ready_close(p, i);
			svc_post(p, i, EV_READY);
			return;
		}
	if (n == 0)	/* nobody can write any more; its timeout or its end will tell */
		ready_close(p, i);
}

static int ready_watch(struct prior *p, uint32_t i, struct err *e)
{
	int rc = loop_add(&p->loop, care_of(p, i)->ready_fd, EPOLLIN, on_ready, i, e);

	p->care_run[p->run[i].care - 1].ready_src = rc < 0 ? 0 : (uint32_t)rc;
	return rc < 0 ? rc : 0;
}

int ready_open(struct prior *p, uint32_t i, int *its_end, struct err *e)
{
	struct ledger_care *c = care_of(p, i);
	int pair[2];

	*its_end = FD_NONE;
	if (!c || plan_service(&p->plan, i)->ready != READY_FD)
		return 0;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "readiness pipe");
	owned_fd ours = pair[0], its = pair[1];

	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "readiness pipe");
	ready_close(p, i);
	fd_put(&c->ready_fd, fd_take(&ours));
	int rc = ready_watch(p, i, e);

	if (rc == 0)
		*its_end = fd_take(&its);
	return rc;
}

void ready_close(struct prior *p, uint32_t i)
{
	struct ledger_care *c = care_of(p, i);

	if (!c)
		return;
	loop_remove(&p->loop, &p->care_run[p->run[i].care - 1].ready_src);
	fd_drop(&c->ready_fd);
}

int care_resume(struct prior *p, uint32_t i, struct err *e)
{
	if (!care_of(p, i))
		return 0;
	if (care_of(p, i)->idle_at_ms)	/* what has come meanwhile is not known: the time begins anew */
		idle_begin(p, i);
	care_arm(p, i);
	return care_of(p, i)->ready_fd >= 0 ? ready_watch(p, i, e) : 0;
}
