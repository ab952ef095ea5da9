/* Timers of the day: see clock.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/clock.h"
#include "init/base/mono.h"
#include "services/plan/cron.h"
#include "services/supervise/fsm.h"
#include <sys/timerfd.h>

#define MISSED_MAX 1000		/* counted no further */

static int64_t next_of(const struct prior *p, uint32_t i, int64_t after_ms)
{
	const struct plan_cron *c = PLAN_FIRST(&p->plan, plan_service(&p->plan, i)->cron, struct plan_cron);

	return 1000 * cron_next(c, PLAN_FIRST(&p->plan, c->zone, struct plan_offset), c->zone.n,
				(after_ms >= 0 ? after_ms : after_ms - 999) / 1000);
}

static void set(struct prior *p, uint32_t i, int64_t wall_ms_at, int64_t boot_ms_at)
{
	struct ledger_svc *s = svc_of(p, i);
	LEDGER_WRITE(s);

	s->next_wall_ms = wall_ms_at;
	s->next_ms = boot_ms_at;
	loop_timer_set(&p->loop, p->n + SERVE_TIMERS + p->ncares + i, boot_ms_at);
}

static void plan_next(struct prior *p, uint32_t i, int64_t now_wall)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	int64_t now = mono_now().ms, wall = d->cron.n ? next_of(p, i, now_wall) : now_wall + d->every_ms;

	if (wall)
		set(p, i, wall, now + (wall - now_wall > 0 ? wall - now_wall : 1));
	else
		set(p, i, 0, 0);
}

/* Those up to now that it will not have; the one that was planned is the first. */
static void say_missed(struct prior *p, uint32_t i, int64_t now_wall)
{
	struct ledger_svc *s = svc_of(p, i);
	uint32_t count = 0;
	struct event ev;

	for (int64_t at = s->next_wall_ms; at && at <= now_wall && count < MISSED_MAX; count++)
		at = next_of(p, i, at);
	{
		LEDGER_WRITE(s);
		s->missed += count;
	}
	event_begin(&ev, "warning", "missed", svc_name(p, i));
	event_num(&ev, "runs", count);
	event_num(&ev, "late_s", (now_wall - s->next_wall_ms) / 1000);
	event_str(&ev, "why", "the clock was set forward, or the machine slept");
	prior_event(p, &ev);
}

static void run(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	if (p->ledger.head->shutdown || s->flags & SVC_F_LEAVING)
		return;
	if (s->flags & SVC_F_STOPPED_BY_USER) {
		prior_say(p, "info", "not-started", svc_name(p, i), "it is due, but somebody stopped it");
	} else if (state_is_at_rest(s->state)) {
		prior_say(p, "info", "due", svc_name(p, i), NULL);
		svc_post(p, i, EV_START);
	} else {
		LEDGER_WRITE(s);
		s->overlaps++;
		prior_say(p, "warning", "overlap", svc_name(p, i), "it is due, and still runs: not started again");
	}
}

void clock_due(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	int64_t now_wall = wall_ms();

	if (d->cron.n && now_wall < s->next_wall_ms) {	/* slewed: a little early */
		plan_next(p, i, now_wall);
		return;
	}
	bool missed = d->cron.n && now_wall - s->next_wall_ms > CLOCK_LATE_MS;

	if (missed)
		say_missed(p, i, now_wall);
	plan_next(p, i, now_wall);
	if (!missed)
		run(p, i);
}

void clock_was_set(struct prior *p, int64_t now_wall)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct ledger_svc *s = svc_of(p, i);

		if (!plan_service(&p->plan, i)->cron.n || !s->next_wall_ms)
			continue;
		if (now_wall - s->next_wall_ms > CLOCK_LATE_MS)
			say_missed(p, i, now_wall);
		else if (now_wall >= s->next_wall_ms)
			run(p, i);
		plan_next(p, i, now_wall);
	}
}

/* Never due; only that it is cancelled when the clock is set. */
static int arm(int fd)
{
	struct itimerspec far = { .it_value.tv_sec = INT64_C(1) << 40 };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

static void on_set(void *ctx, uint32_t arg, uint32_t events)
{
	struct prior *p = ctx;
	uint64_t count;
	ssize_t n = read(p->clock_fd, &count, sizeof count);

	(void)arg, (void)events;
	if (n < 0 && errno != ECANCELED)
		return;
	arm(p->clock_fd);
	clock_was_set(p, wall_ms());
}

/* Before all else that looks at the clock: what is set in between is told then. */
static void watch(struct prior *p)
{
	struct err e;

	if (p->clock_fd >= 0)
		return;
	owned_fd fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	int rc = fd < 0 || arm(fd) < 0 ? err_sys(&e, "watch the clock") :
		 loop_add(&p->loop, fd, EPOLLIN, on_set, 0, &e);

	if (rc < 0) {
		prior_say(p, "warning", "clock", NULL, e.text);
		return;
	}
	p->clock_src = (uint32_t)rc;
	p->clock_fd = fd_take(&fd);
}

void clock_begin(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct plan_service *d = plan_service(&p->plan, i);
		const struct ledger_svc *s = svc_of(p, i);

		if (!d->cron.n && !d->every_ms)
			continue;
		if (d->cron.n)
			watch(p);
		if (s->next_ms)
			loop_timer_set(&p->loop, p->n + SERVE_TIMERS + p->ncares + i, s->next_ms);
		else
			plan_next(p, i, wall_ms());
	}
	/* The clock may have been set while nobody looked. */
	if (p->clock_fd >= 0)
		clock_was_set(p, wall_ms());
}
