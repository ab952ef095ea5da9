/* The memory of PID 1, carved once from one mapping, and the way of events into the log: see prior.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/prior.h"
#include "services/supervise/buttons.h"
#include "services/supervise/care.h"
#include "services/supervise/clock.h"
#include "services/supervise/connections.h"
#include "services/supervise/deps.h"
#include "services/supervise/devices.h"
#include "services/supervise/dog.h"
#include "services/supervise/ending.h"
#include "services/supervise/endpoint.h"
#include "services/supervise/fsm.h"
#include "services/supervise/good.h"
#include "services/supervise/reload.h"
#include "services/supervise/server.h"
#include "services/supervise/spawning.h"
#include "services/supervise/streams.h"
#include "services/supervise/trial.h"
#include <fcntl.h>
#include <sys/mman.h>

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t n = 64;

	while (n < at_least)
		n *= 2;
	return n;
}

/* The next n elements of a mapping; with at == NULL only counts. */
static void *carve(char *at, size_t *used, size_t n, size_t size)
{
	void *here = at ? at + *used : NULL;

	*used += (n * size + 7) & ~(size_t)7;
	return here;
}

static size_t lay_out(struct prior *p, char *at)
{
	const struct ledger_counts n = ledger_counts(&p->plan);
	size_t used = 0;

	p->run = carve(at, &used, p->n + 1, sizeof *p->run);
	p->edges = carve(at, &used, p->nedges + 1, sizeof *p->edges);
	p->users = carve(at, &used, p->nedges + 1, sizeof *p->users);
	p->listen_src = carve(at, &used, n.listens + 1, sizeof *p->listen_src);
	p->care_run = carve(at, &used, n.cares + 1, sizeof *p->care_run);
	p->stored_src = carve(at, &used, n.stored + 1, sizeof *p->stored_src);
	p->sources = carve(at, &used, n.conns ? p->source_mask + 1 : 1, sizeof *p->sources);
	p->building = carve(at, &used, p->n + 1, sizeof *p->building);
	p->log_order = carve(at, &used, p->n + 1, sizeof *p->log_order);
	p->unclaimed = carve(at, &used, p->n + UNCLAIMED_ORPHANS, sizeof *p->unclaimed);
	p->pids = carve(at, &used, p->pid_mask + 1, sizeof *p->pids);
	return used;
}

static void on_timer(void *ctx, uint32_t timer)
{
	static void (*const timers[SERVE_TIMERS])(struct prior *) = {
		[TIMER_SHUTDOWN] = ending_timer, [TIMER_TICK] = ending_tick,
		[TIMER_LOGGER] = streams_logger_start, [TIMER_CONTROL] = server_accept_again,
		[TIMER_TRIAL] = trial_timer, [TIMER_RELOAD] = reload_timer, [TIMER_SPAWNER] = spawning_timer,
		[TIMER_PLANNED] = ending_planned, [TIMER_DOG] = dog_timer,
		[TIMER_ENDPOINT] = endpoint_start, [TIMER_DEVICES] = devices_start_helper,
		[TIMER_GOOD] = good_timer,
		[TIMER_BUTTONS] = buttons_timer,
	};
	struct prior *p = ctx;

	if (timer < p->n)
		svc_post(p, timer, EV_TIMEOUT);
	else if (timer >= p->n + SERVE_TIMERS + p->ncares)
		clock_due(p, timer - p->n - SERVE_TIMERS - p->ncares);
	else if (timer >= p->n + SERVE_TIMERS)
		care_timer(p, p->ledger.care[timer - p->n - SERVE_TIMERS].service);
	else
		timers[timer - p->n](p);
}

void svc_timer(struct prior *p, uint32_t i, int64_t in_ms)
{
	svc_of(p, i)->deadline_ms = in_ms ? p->loop.now.ms + in_ms : 0;
	loop_timer_set(&p->loop, i, svc_of(p, i)->deadline_ms);
}

/* How many were lost is said by the first event that fits again. */
static bool say_lost(struct prior *p)
{
	struct event ev;

	if (p->losing == 0)
		return true;
	event_begin(&ev, "warning", "events-lost", NULL);
	event_num(&ev, "count", (int64_t)p->losing);
	event_end(&ev);
	if (write(p->ledger.head->event_wr, ev.line, ev.n) != (ssize_t)ev.n)
		return false;
	p->losing = 0;
	return true;
}

void prior_event(struct prior *p, struct event *ev)
{
	if (!p->ledger.head || p->ledger.head->event_wr < 0)
		return;
	event_end(ev);
	/* Below PIPE_BUF: a line is written whole or not at all. */
	if (say_lost(p) && write(p->ledger.head->event_wr, ev->line, ev->n) == (ssize_t)ev->n)
		return;
	p->losing++;
	p->ledger.head->events_lost++;
}

void prior_say(struct prior *p, const char *level, const char *name, const char *service, const char *why)
{
	struct event ev;

	event_begin(&ev, level, name, service);
	if (why && *why)
		event_str(&ev, "why", why);
	prior_event(p, &ev);
}

static void number_cares(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		p->run[i].care = plan_service(&p->plan, i)->care.n ? ++p->ncares : 0;
}

int prior_memory(struct prior *p, struct err *e)
{
	const struct ledger_counts n = ledger_counts(&p->plan);

	p->n = p->plan.head->services.n;
	if (p->ledger.head->spare_fd < 0)
		p->ledger.head->spare_fd = fcntl(p->ledger.fd, F_DUPFD_CLOEXEC, 3);
	p->nedges = deps_count(&p->plan);
	p->source_mask = power_of_two(2 * n.conns) - 1;
	p->pid_mask = power_of_two(2 * (5 * p->n + n.cares + 2)) - 1;
	p->clock_fd = p->signal_fd = p->trial_exe = p->reload.socket = p->reload.problems =
		p->reload.between_fd = p->buttons.inotify_fd = p->buttons.sock = FD_NONE;
	for (unsigned i = 0; i < BUTTONS_MAX; i++)
		p->buttons.fd[i] = FD_NONE;
	p->mapped = lay_out(p, NULL);
	p->map = mmap(NULL, p->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->map == MAP_FAILED) {
		p->map = NULL;
		return err_sys(e, "memory for %u services", p->n);
	}
	lay_out(p, p->map);
	devices_forget(p);
	deps_build(p);
	number_cares(p);
	connections_build(p);
	return loop_open(&p->loop, 5 * p->n + n.cares + n.stored + n.listens + LEDGER_CLIENTS + 12 + BUTTONS_MAX,
			 2 * p->n + SERVE_TIMERS + n.cares, p, on_timer, e);
}

void prior_free(struct prior *p)
{
	loop_close(&p->loop);
	if (p->map)
		munmap(p->map, p->mapped);
	p->map = NULL;
}
