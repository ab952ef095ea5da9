/* Starting a service: what it needs is opened, its cell is started, reports are read. See start.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/start.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/cell.h"
#include "services/spec/spec.h"
#include "services/supervise/care.h"
#include "services/supervise/fdstore.h"
#include "services/supervise/conditions.h"
#include "services/supervise/connections.h"
#include "services/supervise/fsm.h"
#include "services/supervise/hooks.h"
#include "services/supervise/main_pid.h"
#include "services/supervise/member.h"
#include "services/supervise/notify.h"
#include "services/supervise/reap.h"
#include "services/supervise/shared.h"
#include "services/supervise/sockets.h"
#include "services/supervise/spawning.h"
#include "services/supervise/stop.h"
#include "services/supervise/streams.h"
#include "services/supervise/undo.h"
#include <string.h>

#define NAMES_MAX (CELL_FDS_MAX * 256)

/* Not what was asked for to the byte: said at each start, for who compares. */
static void say_rounded(struct prior *p, uint32_t i, int leaf)
{
	char what[160] = "";
	struct text t = TEXT_IN(what);

	cgroup_rounded(leaf, &p->plan, plan_service(&p->plan, i)->cgroup, &t);
	if (t.n)
		prior_say(p, "info", "rounded", svc_name(p, i), what);
}

int start_cgroup(struct prior *p, uint32_t i, struct err *e)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	int leaf, root = p->ledger.head->cgroup_fd;
	owned_fd own = FD_NONE;

	if (d->cgroup_root.at) {
		if (cgroup_open_root(plan_str(&p->plan, d->cgroup_root), &own, e) < 0)
			return -e->code;
		root = own;
	}
	if (root < 0)
		return d->cgroup.n == 0 ? 0 :
		       err_set(e, ENOTSUP, "its limits need cgroup2, which is not writable here");
	if (cgroup_make(root, svc_name(p, i), &p->plan, d->cgroup, &leaf, e) < 0)
		return -e->code;
	fd_put(&s->cgroup_fd, leaf);
	say_rounded(p, i, leaf);
	/* Now, not at the stop: that must work without a descriptor to be had. */
	int events, rc = cgroup_watch(leaf, &events, e);

	if (rc == 0)
		fd_put(&s->events_fd, events);
	return rc;
}

static int prepare(struct prior *p, uint32_t i, struct err *e)
{
	int rc = stream_open(p, i, e);

	if (rc == 0)
		rc = sockets_open(p, i, e);
	if (rc == 0)
		rc = notify_open(p, i, e);
	return rc < 0 ? rc : start_cgroup(p, i, e);
}

static void on_report(void *ctx, uint32_t i, uint32_t events)
{
	(void)events;
	start_drain(ctx, i);
}

int start_watch_report(struct prior *p, uint32_t i, struct err *e)
{
	struct svc_run *r = &p->run[i];
	int rc = loop_add(&p->loop, svc_of(p, i)->report_fd, EPOLLIN, on_report, i, e);

	if (rc < 0)
		return rc;
	r->report_src = (uint32_t)rc;
	p->building[p->nbuilding] = i;
	r->building = ++p->nbuilding;
	return 0;
}

void start_close_report(struct prior *p, uint32_t i)
{
	struct svc_run *r = &p->run[i];

	spawning_answered(p, i);
	loop_remove(&p->loop, &r->report_src);
	fd_drop(&svc_of(p, i)->report_fd);
	if (r->building) {
		uint32_t last = p->building[--p->nbuilding];

		p->building[r->building - 1] = last;
		p->run[last].building = r->building;
		r->building = 0;
	}
	if (p->nbuilding == 0)
		p->nunclaimed = 0;
}

/* The cell that is being made is a hook's. */
static bool runs_hook(const struct ledger_svc *s)
{
	return s->phase == PHASE_PRE_START || s->phase == PHASE_POST_STOP;
}

/* What was just named is to go, too; but for the hook that belongs to the stop. */
static void kill_if_stopped(struct prior *p, uint32_t i)
{
	const struct ledger_svc *s = svc_of(p, i);

	if (s->state == SVC_STOPPING && (s->phase != PHASE_POST_STOP || s->flags & SVC_F_KILLED))
		stop_kill_all(p, i);
}

/* The first process of the start has a number. */
static void take_born(struct prior *p, uint32_t i, pid_t pid)
{
	struct ledger_svc *s = svc_of(p, i);
	const bool direct = s->flags & SVC_F_DIRECT, hook = runs_hook(s);
	LEDGER_WRITE(s);

	*(!direct ? &s->builder : hook ? &s->hook : &s->pid) = pid;
	if (direct && !hook && plan_care(&p->plan, plan_service(&p->plan, i)))
		fd_put(&s->pidfd, sys_pidfd_open(pid));	/* who joins it later goes by that */
	reap_add(p, pid, i, !direct ? PID_BUILDER : hook ? PID_HOOK : PID_MAIN);
	member_learn(p, i, pid);
	spawning_answered(p, i);
	kill_if_stopped(p, i);
}

int start_cell(struct prior *p, uint32_t i, const struct plan_command *cmd, const char *vars, struct err *e)
{
	struct ledger_svc *s = svc_of(p, i);
	int pass[CELL_FDS_MAX];		/* a copy: a child cannot see the ledger */
	char names[NAMES_MAX], from[CONNECTION_TEXT], path[128], run_dir[sizeof p->ledger.head->run_dir];
	const struct plan_care *care = plan_care(&p->plan, plan_service(&p->plan, i));
	owned_fd ready = FD_NONE;
	struct cell_start c = {
		.plan = &p->plan, .service = i, .command = cmd, .vars = vars, .cgroup_fd = s->cgroup_fd,
		.log_fd = svc_log(p, i),
		.stdin_fd = p->ledger.head->mode == MODE_RUN ? 0 : FD_NONE, .pass = pass, .pass_names = names,
		.npass = cmd ? 0 : sockets_pass(p, i, pass, CELL_FDS_MAX, names, sizeof names),
		.nofile = p->ledger.head->nofile, .devices = p->device_policy, .attest = 1,
		.ready_at = care && care->ready_fd ? (unsigned)care->ready_fd : 0,
		.watchdog_us = care ? (uint64_t)care->watchdog_ms * 1000 : 0,
		.run_dir = run_dir,
		.notify_path = s->notify_fd >= 0 && !cmd ? notify_path(p, i, path, sizeof path) : NULL,
	};
	struct text behind = { .at = names, .size = sizeof names };
	pid_t pid = 0;
	int pidfd = FD_NONE, report;
	bool direct = cell_is_direct(&p->plan, i, c.attest);

	if (shared_network(p, i, &c.net_fd, e) < 0)
		return -e->code;
	if (!cmd)
		connections_prepare(p, i, &c, from);
	text_copy(run_dir, sizeof run_dir, p->ledger.head->run_dir);
	names[cmd ? 0 : sizeof names - 1] = '\0';
	behind.n = strlen(names);
	c.npass = cmd ? 0 : fdstore_pass(p, i, pass, c.npass, CELL_FDS_MAX, &behind);
	if (!cmd && ready_open(p, i, &ready, e) < 0)
		return -e->code;
	c.ready_fd = ready;

	if (spawning_ask(p, i, &c, &report, e) < 0 && cell_start(&c, &pid, &pidfd, &report, &direct, e) < 0)
		return -e->code;
	if (!cmd)
		connections_given(p, i);
	fd_drop(&pidfd);	/* our child: until we reap it, its number is nobody else's */
	fd_put(&s->report_fd, report);
	s->flags &= ~SVC_F_DIRECT;
	s->flags |= (direct ? SVC_F_DIRECT : 0) | undo_later(p, i);
	if (pid)
		take_born(p, i, pid);
	return start_watch_report(p, i, e);
}

static enum svc_event failed(struct ledger_svc *s, uint32_t code, const struct err *e)
{
	s->exit_kind = EXIT_START_FAILED;
	s->exit_status = (int32_t)code;
	text_copy(s->why, sizeof s->why, e->text);
	return EV_START_FAILED;
}

enum svc_event svc_checked(struct prior *p, uint32_t i)
{
	svc_of(p, i)->flags |= SVC_F_CHECKED;
	return svc_spawn(p, i);
}

enum svc_event svc_spawn(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	if (d->conditions.n && !(s->flags & SVC_F_CHECKED))
		return conditions_begin(p, i, &e) == 0 ? EV_NONE : failed(s, 1, &e);
	s->flags &= ~(SVC_F_CHECKED | SVC_F_READY | SVC_F_ATTESTED | SVC_F_KILLED | SVC_F_SIGNALLED | SVC_F_RAN |
		      SVC_F_MISSING | SVC_F_DIRECT | SVC_F_RELOADING | SVC_F_RELOAD_ASKED | SVC_F_FOREIGN |
		      SVC_F_FORKED | SVC_F_IDLE);
	if (d->base.n)			/* served once, however it ends */
		s->flags &= ~(SVC_F_WANTED | SVC_F_RESTART);
	s->exit_kind = EXIT_NONE;
	s->exit_status = 0;
	s->waits_for = s->attested_facts = 0;
	s->generation++;
	s->starts++;
	s->hash = d->hash;
	s->up_ms = s->setup_us = s->attest_us = s->ready_us = 0;
	s->started_us = mono_us();
	s->status[0] = '\0';
	s->phase = PHASE_MAIN;
	care_begin(p, i);
	svc_timer(p, i, d->start_timeout_ms);
	if (prepare(p, i, &e) < 0)
		return failed(s, 1, &e);
	int rc = hook_is_planned(p, i, PHASE_PRE_START) ? hook_start(p, i, PHASE_PRE_START, &e)
							: start_cell(p, i, NULL, NULL, &e);

	return rc < 0 ? failed(s, 1, &e) : EV_NONE;
}

void start_sweep_hook(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	{
		LEDGER_WRITE(s);
		stop_kill_all(p, i);
		s->flags &= ~SVC_F_KILLED;
	}
	stop_check(p, i);
}

enum svc_event svc_hooked(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	if (s->phase == PHASE_POST_START)
		return EV_UP;
	if (s->phase != PHASE_PRE_START)
		return EV_NONE;
	s->phase = PHASE_MAIN;
	s->flags &= ~SVC_F_KILLED;
	stop_take_down(p, i);	/* a cgroup anew: what the hook used and was denied is not the service's */
	svc_timer(p, i, plan_service(&p->plan, i)->start_timeout_ms);
	return start_cgroup(p, i, &e) < 0 || start_cell(p, i, NULL, NULL, &e) < 0 ? failed(s, 1, &e) : EV_NONE;
}

enum svc_event svc_ready(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	if (!hook_is_planned(p, i, PHASE_POST_START))
		return EV_UP;
	if (s->phase != PHASE_MAIN || s->pid == 0)	/* said so twice, or its end comes next */
		return EV_NONE;
	svc_timer(p, i, plan_service(&p->plan, i)->start_timeout_ms);
	if (hook_start(p, i, PHASE_POST_START, &e) == 0)
		return EV_NONE;
	failed(s, 1, &e);
	return EV_HOOK_FAILED;
}

static void take_pids(struct prior *p, uint32_t i, const struct cell_report *r)
{
	struct ledger_svc *s = svc_of(p, i);
	LEDGER_WRITE(s);

	s->reaper = r->reaper;
	if (r->reaper)
		reap_add(p, r->reaper, i, PID_REAPER);
	if (runs_hook(s)) {
		s->hook = r->service;
		reap_add(p, r->service, i, PID_HOOK);
	} else if (r->service) {
		s->pid = r->service;
		fd_put(&s->pidfd, sys_pidfd_open(r->service));
		reap_add(p, r->service, i, PID_MAIN);
	}
	kill_if_stopped(p, i);
}

static void take_running(struct prior *p, uint32_t i, const struct cell_report *r)
{
	struct ledger_svc *s = svc_of(p, i);
	struct event ev;
	LEDGER_WRITE(s);

	if (runs_hook(s)) {
		start_close_report(p, i);
		return;
	}
	s->flags |= SVC_F_RAN | (r->attested ? SVC_F_ATTESTED : 0);
	s->attested_facts = r->attested;
	s->setup_us = r->setup_us;
	s->attest_us = r->attest_us;
	shared_runs(p, i, r->net);
	if (r->devices.sum)
		p->device_policy = r->devices;
	start_close_report(p, i);
	event_begin(&ev, "info", "started", svc_name(p, i));
	event_num(&ev, "pid", s->pid);
	event_num(&ev, "us", mono_us() - s->started_us);
	if (r->attested) {
		event_num(&ev, "attested", r->attested);
		event_num(&ev, "attest_us", r->attest_us);
	}
	prior_event(p, &ev);
	care_ran(p, i);
}

static void take_failed(struct prior *p, uint32_t i, const struct cell_report *r)
{
	struct ledger_svc *s = svc_of(p, i);
	struct event ev;
	LEDGER_WRITE(s);

	start_close_report(p, i);
	if (s->phase == PHASE_POST_STOP) {	/* how the service ended is known, and stays so */
		prior_say(p, "warning", "hook-failed", svc_name(p, i), r->err.text);
		return;
	}
	failed(s, r->step, &r->err);
	if (r->missing)
		s->flags |= SVC_F_MISSING;
	event_begin(&ev, "error", "start-failed", svc_name(p, i));
	event_num(&ev, "step", r->step);
	event_str(&ev, "why", r->err.text);
	prior_event(p, &ev);
}

/* What was found is checked again: it may have ended, or be none of the service's. */
static void take_found(struct prior *p, uint32_t i, pid_t pid)
{
	struct cell_report r = { .kind = CELL_MSG_FAILED };

	if (main_pid_take(p, i, pid, &r.err) < 0) {
		take_failed(p, i, &r);
		svc_post(p, i, EV_START_FAILED);
		return;
	}
	{
		LEDGER_WRITE(svc_of(p, i));
		start_close_report(p, i);
	}
	svc_post(p, i, EV_RUNNING);
}

/* The sending ends are gone. For a direct start this is the exec; a builder always speaks first. */
static void take_end(struct prior *p, uint32_t i)
{
	struct cell_report r = { .kind = CELL_MSG_FAILED };

	if ((svc_of(p, i)->flags & SVC_F_DIRECT) && (svc_of(p, i)->pid || svc_of(p, i)->hook)) {
		r.setup_us = mono_us() - svc_of(p, i)->started_us;
		take_running(p, i, &r);
		if (!runs_hook(svc_of(p, i)))
			svc_post(p, i, EV_RUNNING);
		reap_early(p, i);
		return;
	}
	err_set(&r.err, EPROTO, "%s", svc_of(p, i)->builder ? "its builder ended without a word" :
				"its first process ended before it could say a word");
	take_failed(p, i, &r);
	svc_post(p, i, EV_START_FAILED);
	stop_check(p, i);
}

void start_drain(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	while (s->report_fd >= 0) {
		struct cell_report r;
		struct err e;
		int rc = cell_report_read(s->report_fd, &r, &e);

		if (rc == -EAGAIN || rc == -ENOMEM)	/* nothing yet, or not to be read now: the loop comes back */
			return;
		if (rc <= 0) {
			take_end(p, i);
		} else if (r.kind == CELL_MSG_BORN) {
			take_born(p, i, r.service);
			reap_claim(p, i);
		} else if (r.kind == CELL_MSG_PIDS) {
			take_pids(p, i, &r);
			reap_claim(p, i);
		} else if (r.kind == CELL_MSG_FOUND) {
			take_found(p, i, r.service);
		} else if (r.kind == CELL_MSG_RUNNING) {
			take_running(p, i, &r);
			if (!runs_hook(s))
				svc_post(p, i, EV_RUNNING);
		} else {
			take_failed(p, i, &r);
			svc_post(p, i, EV_START_FAILED);
			reap_early(p, i);
		}
	}
}

void start_builder_died(struct prior *p, uint32_t i, const char *how)
{
	struct cell_report r = { .kind = CELL_MSG_FAILED };

	err_set(&r.err, ECHILD, "its builder %s before the service ran", how);
	take_failed(p, i, &r);
	svc_post(p, i, EV_START_FAILED);
}

enum svc_event svc_ran(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);

	if (d->type == TYPE_ONESHOT)
		return EV_NONE;		/* its end is what counts */
	if (d->type == TYPE_FORKING && !(svc_of(p, i)->flags & SVC_F_FORKED))
		return EV_NONE;		/* the end of its first process is */
	switch ((enum svc_ready)d->ready) {
	case READY_STARTED:
	case READY_LISTENING:	/* its sockets have been since before it ran */
		return EV_READY;
	case READY_NOTIFY:
	case READY_NOTIFY_RELOAD:
	case READY_FD:
	case READY_HEALTHCHECK:
		break;
	}
	return EV_NONE;
}

enum svc_event svc_up(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct event ev;

	s->phase = PHASE_MAIN;
	s->flags |= SVC_F_READY;
	s->up_ms = p->loop.now.ms;
	s->ready_us = mono_us() - s->started_us;
	care_up(p, i);
	event_begin(&ev, "info", "ready", svc_name(p, i));
	event_num(&ev, "us", s->ready_us);
	prior_event(p, &ev);
	return EV_NONE;
}
