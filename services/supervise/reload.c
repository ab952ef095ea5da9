/* The phases of a reload: see reload.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/reload.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/plan/changes.h"
#include "services/plan/compile.h"
#include "services/spec/spec.h"
#include "services/supervise/ahead.h"
#include "services/supervise/fsm.h"
#include "services/supervise/instances.h"
#include "services/supervise/network.h"
#include "services/supervise/reap.h"
#include "services/supervise/server.h"
#include "services/supervise/sockets.h"
#include "services/supervise/start.h"
#include "services/supervise/stop.h"
#include "services/supervise/streams.h"
#include "services/supervise/watch.h"
#include <string.h>
#include <sys/mman.h>

static void forget_compiler(struct prior *p)
{
	loop_remove(&p->loop, &p->reload.socket_src);
	fd_drop(&p->reload.socket);
	loop_timer_set(&p->loop, p->n + TIMER_RELOAD, 0);
	if (p->reload.pid)
		kill(p->reload.pid, SIGKILL);	/* ours and not reaped; it has nothing left to do */
	p->reload.pid = 0;
}

/* Nothing has been touched: back to where we were. */
static void give_up(struct prior *p, const struct err *e)
{
	int fds[2] = { p->reload.problems, p->reload.problems };

	forget_compiler(p);
	if (e && p->reload.instances && !p->reload.asked)
		prior_say(p, "info", "instances-kept", NULL, e->text);
	else if (e) {
		prior_say(p, "error", "reload-refused", NULL, e->text);
		if (p->reload.instances)
			instances_failed(p, e);
		server_reload_said(p, p->reload.client, e, p->reload.problems >= 0 ? fds : NULL);
	}
	fd_drop(&p->reload.problems);
	p->reload.phase = RELOAD_NONE;
	p->reload.client = -1;
	p->reload.asked = 0;
}

static void on_answer(void *ctx, uint32_t arg, uint32_t events)
{
	struct prior *p = ctx;

	(void)arg, (void)events;
	loop_remove(&p->loop, &p->reload.socket_src);
	p->reload.phase = RELOAD_ANSWERED;
}

static int begin(struct prior *p, struct reloading kind, struct err *e)
{
	struct ledger_head *h = p->ledger.head;
	char config[sizeof h->config];	/* a child cannot see the ledger */
	struct compiler_child child;

	text_copy(config, sizeof config, h->config);
	if (h->shutdown)
		return err_set(e, ESHUTDOWN, "everything is being shut down");
	if (!config[0])
		return err_set(e, ENOENT, "it is not known where the configuration is");
	owned_fd problems = memfd_create("problems", MFD_CLOEXEC);

	if (problems < 0)
		return err_sys(e, "reload: a place for the compiler's complaints");
	const char *const *names = instances_names(p);

	/* What we are, and not what a plan says that it was made for: a machine's anchor is the kernel's. */
	if (compiler_start(&child, h->exe_fd, config, h->mode != MODE_MACHINE, names, problems, e) < 0)
		return -e->code;
	reap_add(p, child.pid, 0, PID_COMPILER);
	p->reload = (struct reloading){ .phase = RELOAD_COMPILES, .client = kind.client, .dry = kind.dry,
					.instances = kind.instances, .asked = p->reload.asked, .pid = child.pid,
					.socket = child.socket, .problems = fd_take(&problems),
					.between_fd = FD_NONE };
	int rc = loop_add(&p->loop, child.socket, EPOLLIN, on_answer, 0, e);

	if (rc < 0) {
		p->reload.client = -1;	/* the caller tells */
		give_up(p, NULL);
		return rc;
	}
	p->reload.socket_src = (uint32_t)rc;
	loop_timer_set(&p->loop, p->n + TIMER_RELOAD, p->loop.now.ms + RELOAD_COMPILE_MS);
	return 0;
}

int reload_begin(struct prior *p, int client, bool dry, struct err *e)
{
	/* What is made for instances only is made by this one too. */
	if (p->reload.instances && (p->reload.phase == RELOAD_COMPILES || p->reload.phase == RELOAD_ANSWERED))
		give_up(p, NULL);
	if (p->reload.phase != RELOAD_NONE)
		return err_set(e, EBUSY, "another reload is on its way; see `prior events`");
	return begin(p, (struct reloading){ .client = client, .dry = dry }, e);
}

int reload_begin_instances(struct prior *p, struct err *e)
{
	return begin(p, (struct reloading){ .client = -1, .instances = true }, e);
}

void reload_compiler_ended(struct prior *p, int pid, uint8_t exit_kind, int status)
{
	char how[80] = "";
	struct text t = TEXT_IN(how);
	struct err e;

	if (pid != p->reload.pid)
		return;
	p->reload.pid = 0;
	if (p->reload.phase != RELOAD_COMPILES && p->reload.phase != RELOAD_ANSWERED)
		return;
	/* It may have answered before: reload_is_ready() looks, and this is what it says otherwise. */
	exit_text(&t, exit_kind, status);
	err_set(&e, EPROTO, "the compiler ended without an answer: %s", how);
	p->reload.phase = RELOAD_ANSWERED;
	text_copy(p->reload.ended, sizeof p->reload.ended, e.text);
}

void reload_timer(struct prior *p)
{
	struct err e;

	err_set(&e, ETIMEDOUT, "the compiler took longer than %d s to read %s; killed", RELOAD_COMPILE_MS / 1000,
		p->ledger.head->config);
	if (p->reload.phase == RELOAD_COMPILES)
		give_up(p, &e);
	else
		ahead_begin(p);
}

/* The first of the compiler's complaints, for who only sees the log. */
static void first_problem(const struct prior *p, struct err *e, uint32_t errors)
{
	char text[2048];
	ssize_t n = pread(p->reload.problems, text, sizeof text - 1, 0);
	char *line = text, *end;

	text[n > 0 ? n : 0] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		if (strstr(line, ": error: "))
			break;
		line = end + 1;
	}
	err_set(e, EINVAL, "%u problem%s, nothing was changed: %s", errors, errors == 1 ? "" : "s", line);
}

static int take_plan(struct prior *p, int *fd, struct err *e)
{
	struct compiler_report r;
	int rc = compiler_answer(p->reload.socket, fd, &r, e);

	if (rc == -EPIPE)
		return p->reload.ended[0] ? err_set(e, EPROTO, "%s", p->reload.ended) : -EAGAIN;
	if (rc < 0)
		return rc;
	/* For an instance it is enough that all else is as it was. */
	if (r.errors && !p->reload.instances) {
		first_problem(p, e, r.errors);
		return -EINVAL;
	}
	rc = plan_map(&p->reload.next, *fd, e);
	if (rc == 0 && p->reload.instances)
		rc = instances_judge(p, e);
	if (rc < 0)
		plan_unmap(&p->reload.next);
	return rc;
}

/* --- from the plan that runs to the next --- */

static uint32_t to_new[PLAN_SERVICES_MAX], to_old[PLAN_SERVICES_MAX];

static bool needs_one_that_leaves(const struct prior *p, uint32_t i, bool in_any_state)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	enum svc_state st = (enum svc_state)p->ledger.svc[i].state;

	if (!in_any_state && !state_is_live(st) && st != SVC_WAITING && st != SVC_BACKOFF)
		return false;
	PLAN_EACH(struct plan_dep, x, &p->plan, d->deps)
		if (x->kind == DEP_REQUIRES && x->condition != COND_COMPLETED &&
		    p->ledger.svc[x->service].flags & SVC_F_LEAVING)
			return true;
	return false;
}

/* It was up, or tried to be; one that somebody stopped, or that has ended as it should, stays down. */
static bool is_to_come_back(const struct ledger_svc *s)
{
	if (s->state == SVC_STOPPING)
		return s->flags & (SVC_F_WANTED | SVC_F_RESTART);
	return s->state != SVC_DOWN;
}

/* One that was stopped for this waits as long as what it needs does. */
static bool is_to_leave(const struct prior *p, uint32_t i)
{
	const struct ledger_svc *s = &p->ledger.svc[i];
	const bool leaves = s->flags & SVC_F_LEAVING, at_rest = state_is_at_rest((enum svc_state)s->state);

	return changes_service(&p->plan, i, &p->reload.next, to_new[i]) || (leaves && !at_rest) ||
	       needs_one_that_leaves(p, i, leaves);
}

/* Dependencies first, so that what needs one that leaves is found in the same pass. */
static void mark(struct prior *p)
{
	const uint32_t *order = PLAN_FIRST(&p->plan, p->plan.head->start_order, uint32_t);

	changes_match(&p->plan, &p->reload.next, to_new, to_old);
	p->reload.leaving = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		uint32_t i = order[k];
		struct ledger_svc *s = svc_of(p, i);
		const bool leaves = is_to_leave(p, i);
		LEDGER_WRITE(s);

		s->flags &= ~SVC_F_LEAVING;
		if (!leaves)
			continue;
		s->flags |= SVC_F_LEAVING | (to_new[i] != CHANGES_NONE && is_to_come_back(s) ? SVC_F_BACK : 0);
		p->reload.leaving += !state_is_at_rest(s->state);
	}
}

static void count_changes(struct prior *p)
{
	p->reload.added = p->reload.removed = p->reload.changed = 0;
	changes_match(&p->plan, &p->reload.next, to_new, to_old);
	for (uint32_t i = 0; i < p->n; i++) {
		p->reload.removed += to_new[i] == CHANGES_NONE;
		p->reload.changed += to_new[i] != CHANGES_NONE &&
				     changes_service(&p->plan, i, &p->reload.next, to_new[i]);
	}
	for (uint32_t k = 0; k < p->reload.next.head->services.n; k++)
		p->reload.added += to_old[k] == CHANGES_NONE;
}

static void stop_marked(struct prior *p)
{
	const uint32_t *order = PLAN_FIRST(&p->plan, p->plan.head->start_order, uint32_t);

	for (uint32_t k = p->n; k-- > 0;) {
		struct ledger_svc *s = svc_of(p, order[k]);

		if (s->flags & SVC_F_LEAVING && !state_is_at_rest(s->state))
			svc_post(p, order[k], EV_STOP);
	}
}

static void begin_stops(struct prior *p)
{
	p->reload.phase = RELOAD_STOPS;
	p->reload.pause_ms = 0;
	p->reload.tried = UINT32_MAX;
	mark(p);
	stop_marked(p);
	ahead_wait(p);
}

/* Nothing but what was refused differs: nothing is to be done. */
static bool is_the_same(const struct prior *p)
{
	const struct plan *next = &p->reload.next;

	return (next->head->sum == p->plan.head->sum && next->size == p->plan.size) ||
	       (p->reload.instances && !p->reload.added && !p->reload.removed);
}

static void accept_plan(struct prior *p, int *fd)
{
	int fds[2] = { p->reload.problems, *fd };

	server_reload_said(p, p->reload.client, NULL, fds);
	if (p->reload.dry) {
		plan_unmap(&p->reload.next);
		give_up(p, NULL);
		return;
	}
	forget_compiler(p);
	fd_drop(&p->reload.problems);
	if (is_the_same(p)) {
		instances_failed(p, NULL);
		plan_unmap(&p->reload.next);
		p->reload.phase = RELOAD_NONE;
		instances_arrived(p);
		server_reload_done(p, NULL);
		return;
	}
	p->ledger.head->next_plan_fd = fd_take(fd);
	count_changes(p);
	begin_stops(p);
}

/* Before the switch: a network that cannot be made leaves everything as it was. */
static void begin_network(struct prior *p)
{
	struct err e;
	const int rc = network_change(p, &p->plan, reload_target(p), &e);

	p->reload.phase = rc > 0 ? RELOAD_NETWORK : RELOAD_SWITCHES;
	if (rc < 0)
		reload_fail(p, &e);
}

void reload_network_ended(struct prior *p, const struct err *e)
{
	if (e)
		reload_fail(p, e);
	else
		p->reload.phase = RELOAD_SWITCHES;
}

bool reload_is_ready(struct prior *p)
{
	owned_fd fd = FD_NONE;
	struct err e;

	if (p->ledger.head->shutdown)
		return false;
	if (p->reload.phase == RELOAD_ANSWERED) {
		int rc = take_plan(p, &fd, &e);

		if (rc == 0)
			accept_plan(p, &fd);
		else if (rc != -EAGAIN)
			give_up(p, &e);
	}
	if (p->reload.phase == RELOAD_STOPS && p->reload.leaving == 0)
		ahead_forget(p);
	else if (p->reload.phase == RELOAD_STOPS)
		ahead_take(p);
	/* The spawner that has been asked knows the old plan. */
	if (p->reload.phase == RELOAD_STOPS && (p->reload.leaving == 0 || p->reload.between.at) && p->nasked == 0 &&
	    !p->ledger.head->network_pid)
		begin_network(p);
	return p->reload.phase == RELOAD_SWITCHES && p->nasked == 0;
}

/* --- after the switch --- */

void reload_start_again(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	if (!(s->flags & SVC_F_BACK) || s->flags & SVC_F_LEAVING || s->state != SVC_DOWN)
		return;
	start_by_itself(p, i);
	LEDGER_WRITE(s);
	s->flags &= ~SVC_F_BACK;
}

static void start_back(struct prior *p)
{
	const uint32_t *order = PLAN_FIRST(&p->plan, p->plan.head->start_order, uint32_t);

	sockets_bind_all(p, SVC_F_BACK);	/* first, as at boot */
	if (p->reload.phase == RELOAD_NONE)
		instances_arrived(p);
	for (uint32_t k = 0; k < p->n; k++)
		watch_nudge(p, order[k]);
}

/* That was the plan between: what has to wait does so under it. */
static void go_on(struct prior *p)
{
	struct event ev;

	mark(p);
	p->reload.ahead = true;
	p->reload.tried = p->reload.leaving;
	event_begin(&ev, "info", "reload-ahead", NULL);
	event_num(&ev, "stopping", p->reload.leaving);
	prior_event(p, &ev);
	streams_flush(p);
	start_back(p);
	stop_marked(p);
	ahead_wait(p);
}

void reload_done(struct prior *p)
{
	struct event ev;

	if (p->reload.phase != RELOAD_NONE) {
		go_on(p);
		return;
	}
	event_begin(&ev, "info", "reloaded", NULL);
	event_num(&ev, "new", p->reload.added);
	event_num(&ev, "changed", p->reload.changed);
	event_num(&ev, "gone", p->reload.removed);
	prior_event(p, &ev);
	streams_flush(p);
	start_back(p);
}

void reload_fail(struct prior *p, const struct err *e)
{
	struct err why = *e;

	if (p->reload.ahead)
		err_in(&why, "a part of the new configuration is in effect: mend this, and reload again for the rest");
	prior_say(p, "error", "reload-failed", NULL, why.text);
	ahead_forget(p);
	plan_unmap(&p->reload.next);
	fd_drop(&p->ledger.head->next_plan_fd);
	p->reload.phase = RELOAD_NONE;
	p->reload.leaving = 0;
	for (uint32_t i = 0; i < p->n; i++) {
		LEDGER_WRITE(svc_of(p, i));
		svc_of(p, i)->flags &= ~SVC_F_LEAVING;
	}
	start_back(p);
	instances_failed(p, &why);
	server_reload_done(p, &why);
}

void reload_resume(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	struct err e;

	p->reload.client = -1;
	instances_resume(p);
	if (h->next_plan_fd < 0) {
		err_set(&e, EINTR, "prior was executed anew meanwhile; nothing was changed, ask again");
		server_reload_lost(p, &e);
		return;
	}
	if (plan_map(&p->reload.next, h->next_plan_fd, &e) < 0) {
		reload_fail(p, &e);
		return;
	}
	count_changes(p);
	begin_stops(p);
}
