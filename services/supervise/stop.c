/* Stopping a service, and what is left of one that ended by itself: see stop.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/stop.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/conf/value.h"
#include "services/cell/cell.h"
#include "services/supervise/care.h"
#include "services/supervise/deps.h"
#include "services/supervise/hooks.h"
#include "services/supervise/policy.h"
#include "services/supervise/sockets.h"
#include "services/supervise/start.h"
#include "services/supervise/undo.h"
#include <fcntl.h>
#include <string.h>

#define HOOK_GUARD_MS 2000	/* a hook that has joined is ended in time by its guide; if that hangs, by us */
#define KILL_AGAIN_MS 5000	/* SIGKILL was sent and something is still there: say so, send it again */

static bool has_known_process(const struct ledger_svc *s)
{
	/* An open report before the exec: the spawner may be about to make its first. */
	return s->pid || s->builder || s->reaper || s->undo || s->hook ||
	       (s->report_fd >= 0 && !(s->flags & SVC_F_RAN));
}

/* By the file that is open since the start: perhaps no other can be opened now. 0, 1 or -errno. */
static int populated(const struct ledger_svc *s)
{
	char text[256];
	struct err e;
	ssize_t n = -1;

	if (s->events_fd < 0)	/* an exec in the middle of a start */
		return cgroup_populated(s->cgroup_fd, &e);
	/* Twice: the change is not told again, so that one failure would cost the whole timeout. */
	for (unsigned tries = 0; n < 0 && tries < 2; tries++)
		n = pread(s->events_fd, text, sizeof text - 1, 0);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

/* What cannot be read may have processes; a cgroup that somebody removed has none. */
static bool has_process(const struct ledger_svc *s)
{
	if (has_known_process(s))
		return true;
	if (s->cgroup_fd < 0)
		return false;
	int rc = populated(s);

	return rc != 0 && rc != -ENODEV && rc != -ENOENT;
}

/* Its pre_start hook has ended well, and what that left must go before the service starts. */
static bool sweeps_hook(const struct ledger_svc *s)
{
	return s->state == SVC_STARTING && s->phase == PHASE_PRE_START && s->exit_kind == EXIT_NONE;
}

/* Another of its processes follows: the directories that go with a stop stay for that. */
static bool goes_on(struct prior *p, uint32_t i)
{
	const struct ledger_svc *s = svc_of(p, i);

	return sweeps_hook(s) || (s->phase != PHASE_POST_STOP && !p->ledger.head->forced &&
				  hook_is_planned(p, i, PHASE_POST_STOP));
}

/* Processes, or what is taken back when they are gone. */
static bool is_left(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	if (has_process(s))
		return true;
	if (goes_on(p, i)) {	/* its cell will name them again */
		LEDGER_WRITE(s);
		s->flags &= ~SVC_F_DIRS;
	}
	return undo_begin(p, i);
}

static void kill_pid(int32_t pid, int32_t group)
{
	if (pid > 0)
		kill(pid, SIGKILL);	/* ours and not reaped: the number cannot be another's */
	if (group > 0)
		kill(-group, SIGKILL);
}

/* What is to be killed must be, even when no descriptor is left for it. */
static int kill_cgroup(struct prior *p, int cgroup, struct err *e)
{
	int rc = cgroup_kill(cgroup, e);

	if (rc != -EMFILE)
		return rc;
	fd_drop(&p->ledger.head->spare_fd);
	rc = cgroup_kill(cgroup, e);
	p->ledger.head->spare_fd = fcntl(p->ledger.fd, F_DUPFD_CLOEXEC, 3);
	return rc;
}

void stop_kill_all(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	s->flags |= SVC_F_KILLED;
	if (s->cgroup_fd >= 0 && kill_cgroup(p, s->cgroup_fd, &e) == 0)
		return;
	if (s->cgroup_fd >= 0 && e.code != ENOENT && e.code != ENODEV)	/* old kernels lack the file */
		prior_say(p, "warning", "cgroup", svc_name(p, i), e.text);
	kill_pid(s->builder, 0);
	kill_pid(s->reaper, 0);
	kill_pid(s->hook, s->hook);
	if (s->flags & SVC_F_FOREIGN && s->pid)
		sys_pidfd_send_signal(s->pidfd, SIGKILL);
	else if (s->pid != p->run[i].early.pid)	/* reaped: the number may be another's by now */
		kill_pid(s->pid, s->flags & SVC_F_RAN ? s->pid : 0);
}

static void on_cgroup(void *ctx, uint32_t i, uint32_t events)
{
	struct prior *p = ctx;
	char unused[64];
	/* The file reports a change until it is read again. */
	ssize_t n = pread(svc_of(p, i)->events_fd, unused, sizeof unused, 0);

	(void)events;
	(void)n;
	stop_check(p, i);
}

void stop_watch(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	if (p->run[i].events_src || s->events_fd < 0)
		return;
	int rc = loop_add(&p->loop, s->events_fd, EPOLLPRI, on_cgroup, i, &e);

	p->run[i].events_src = rc < 0 ? 0 : (uint32_t)rc;
	if (rc < 0)		/* the timer looks again */
		prior_say(p, "warning", "cgroup", svc_name(p, i), e.text);
}

void stop_check(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	if ((s->state != SVC_STOPPING && !sweeps_hook(s)) || has_known_process(s))
		return;
	if (has_process(s)) {	/* only what the service itself forked is left: the cgroup tells when it is gone */
		LEDGER_WRITE(s);
		stop_kill_all(p, i);
		stop_watch(p, i);
	}
	if (!is_left(p, i))
		svc_post(p, i, sweeps_hook(s) ? EV_HOOKED : EV_EMPTY);
}

int stop_signal_main(struct prior *p, uint32_t i, int sig, struct err *e)
{
	struct ledger_svc *s = svc_of(p, i);

	if (s->pid == 0 || !(s->flags & SVC_F_RAN))
		return err_set(e, ESRCH, "service %s has no main process", svc_name(p, i));
	if (s->pidfd >= 0 ? sys_pidfd_send_signal(s->pidfd, sig) < 0 : kill(s->pid, sig) < 0)
		return err_sys(e, "service %s: signal %d to pid %d", svc_name(p, i), sig, s->pid);
	return 0;
}

enum svc_event svc_stop(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	int holder;

	s->flags &= ~(SVC_F_WANTED | SVC_F_RESTART);
	deps_push(p, i, EV_STOP);
	holder = deps_holder(p, i);
	s->waits_for = (uint32_t)(holder + 1);
	return holder < 0 ? EV_FREE : EV_NONE;
}

enum svc_event svc_restart(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	int holder;

	s->flags |= SVC_F_WANTED | SVC_F_RESTART;
	deps_push(p, i, EV_RESTART);
	holder = deps_holder(p, i);
	s->waits_for = (uint32_t)(holder + 1);
	return holder < 0 ? EV_FREE : EV_NONE;
}

enum svc_event svc_again(struct prior *p, uint32_t i)
{
	svc_of(p, i)->flags |= SVC_F_WANTED | SVC_F_RESTART;
	return EV_NONE;
}

enum svc_event svc_stay_down(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	s->flags &= ~(SVC_F_WANTED | SVC_F_RESTART);
	return EV_NONE;
}

static enum svc_event stop_begin(struct prior *p, uint32_t i, int sig)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct event ev;
	struct err e;

	s->flags |= SVC_F_SIGNALLED;
	s->flags &= ~SVC_F_READY;
	s->waits_for = 0;
	care_end(p, i);
	hook_kill(p, i);
	event_begin(&ev, "info", "stopping", svc_name(p, i));
	event_num(&ev, "pid", s->pid);
	event_num(&ev, "signal", sig);
	prior_event(p, &ev);
	if (d->stop_timeout_ms == 0 || stop_signal_main(p, i, sig, &e) < 0) {
		stop_kill_all(p, i);	/* not there yet, or no time to be polite */
		svc_timer(p, i, KILL_AGAIN_MS);
		return is_left(p, i) ? EV_NONE : EV_EMPTY;
	}
	stop_signal_main(p, i, SIGCONT, &e);	/* a stopped process would not hear it */
	svc_timer(p, i, d->stop_timeout_ms);
	return EV_NONE;
}

/* Only one that was up has something to say goodbye to. */
static bool wants_pre_stop(struct prior *p, uint32_t i)
{
	const struct ledger_svc *s = svc_of(p, i);

	return s->pid && s->flags & SVC_F_READY && !p->ledger.head->forced && hook_is_planned(p, i, PHASE_PRE_STOP) &&
	       plan_service(&p->plan, i)->stop_timeout_ms;
}

enum svc_event svc_term(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	if (!wants_pre_stop(p, i))
		return stop_begin(p, i, d->stop_signal);
	s->flags |= SVC_F_SIGNALLED;
	s->flags &= ~SVC_F_READY;
	s->waits_for = 0;
	care_end(p, i);
	if (hook_start(p, i, PHASE_PRE_STOP, &e) == 0) {
		svc_timer(p, i, (int64_t)d->stop_timeout_ms + HOOK_GUARD_MS);
		return EV_NONE;
	}
	prior_say(p, "warning", "hook-failed", svc_name(p, i), e.text);
	return svc_signal(p, i);
}

enum svc_event svc_signal(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	if (s->phase != PHASE_PRE_STOP)
		return EV_NONE;
	s->phase = PHASE_MAIN;
	return stop_begin(p, i, plan_service(&p->plan, i)->stop_signal);
}

enum svc_event svc_hook_failed(struct prior *p, uint32_t i)
{
	return svc_of(p, i)->phase == PHASE_PRE_START ? svc_sweep(p, i) :
	       stop_begin(p, i, plan_service(&p->plan, i)->stop_signal);
}

/* Nothing of it is left, its network neither: the hook has the cgroup for itself. */
enum svc_event svc_empty(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	if (s->phase == PHASE_POST_STOP || p->ledger.head->forced || !hook_is_planned(p, i, PHASE_POST_STOP))
		return EV_GONE;
	stop_take_down(p, i);
	s->flags &= ~SVC_F_KILLED;
	svc_timer(p, i, d->stop_timeout_ms ? d->stop_timeout_ms : 1);
	if (start_cgroup(p, i, &e) == 0 && hook_start(p, i, PHASE_POST_STOP, &e) == 0)
		return EV_NONE;
	prior_say(p, "warning", "hook-failed", svc_name(p, i), e.text);
	return EV_GONE;
}

enum svc_event svc_kill(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	bool again = s->flags & SVC_F_KILLED;

	if (s->phase == PHASE_PRE_STOP) {
		hook_kill(p, i);
		return svc_signal(p, i);
	}
	if (s->report_fd >= 0 && !p->run[i].report_src) {	/* it could not be watched: who was born is read now */
		start_drain(p, i);
		svc_timer(p, i, KILL_AGAIN_MS);
		if (p->run[i].queued)
			return EV_NONE;
	}
	prior_say(p, "warning", again ? "stuck" : "killed", svc_name(p, i),
		  again ? "still there after SIGKILL: blocked in the kernel" : "did not stop in time");
	stop_kill_all(p, i);
	kill_pid(s->undo, 0);	/* not in the cgroup: it is ours */
	svc_timer(p, i, KILL_AGAIN_MS);
	if (!has_known_process(s) && s->cgroup_fd >= 0)
		stop_watch(p, i);
	return is_left(p, i) ? EV_NONE : EV_EMPTY;
}

/* What has hung for a while may say where, by the core of SIGABRT; there is nobody for a gentler word. */
enum svc_event svc_unwell(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	const struct ledger_care *c = care_of(p, i);
	const bool hangs = s->exit_kind == EXIT_WATCHDOG;
	struct text t = TEXT_IN(s->why);
	char within[VALUE_TEXT];

	if (hangs && c)
		text_fmt(&t, "no WATCHDOG=1 within %s", value_msec_text((int64_t)(c->watchdog_us / 1000), within));
	else
		text_fmt(&t, "its health check failed %u times in a row", c ? c->failed : 0);
	if (hangs)		/* of its health it was said already */
		prior_say(p, "error", "watchdog", svc_name(p, i), s->why);
	return stop_begin(p, i, hangs ? SIGABRT : plan_service(&p->plan, i)->stop_signal);
}

enum svc_event svc_too_late(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct text t = TEXT_IN(s->why);
	char within[VALUE_TEXT];

	s->exit_kind = EXIT_TIMEOUT;
	if (s->phase == PHASE_MAIN)
		text_fmt(&t, "not %s within ", s->flags & SVC_F_RAN ? "ready" : "started");
	else
		text_fmt(&t, "its %s hook did not end within ", hook_name[s->phase]);
	text_add(&t, value_msec_text(d->start_timeout_ms, within));
	prior_say(p, "error", "timeout", svc_name(p, i), s->why);
	return stop_begin(p, i, d->stop_signal);
}

/* Its main process is gone, or never was. Whatever else it has goes too: nobody is left to tell it how to end. */
enum svc_event svc_sweep(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	s->flags |= SVC_F_SIGNALLED;
	s->flags &= ~SVC_F_READY;
	s->waits_for = 0;
	care_end(p, i);
	if (has_process(s)) {
		stop_kill_all(p, i);
		if (!has_known_process(s))
			stop_watch(p, i);
	}
	if (!is_left(p, i))
		return EV_EMPTY;
	svc_timer(p, i, KILL_AGAIN_MS);
	return EV_NONE;
}

void stop_take_down(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	int root = p->ledger.head->cgroup_fd;
	owned_fd own = FD_NONE;
	struct err e;

	start_close_report(p, i);
	loop_remove(&p->loop, &p->run[i].events_src);
	fd_drop(&s->events_fd);
	fd_drop(&s->pidfd);
	if (s->cgroup_fd < 0)
		return;
	fd_drop(&s->cgroup_fd);
	if (d->cgroup_root.at && cgroup_open_root(plan_str(&p->plan, d->cgroup_root), &own, &e) == 0)
		root = own;
	if (cgroup_remove(root, svc_name(p, i), &e) < 0)
		prior_say(p, "warning", "cgroup", svc_name(p, i), e.text);
}

enum svc_event svc_judge(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct policy_case c = {
		.type = d->type, .restart = d->restart, .exit_kind = s->exit_kind, .exit_status = s->exit_status,
		.lazy = svc_is_lazy(p, d), .unanswered = sockets_have_connection(p, i),
		.wanted = s->flags & SVC_F_WANTED, .idle = s->flags & SVC_F_IDLE,
		.restart_asked = s->flags & SVC_F_RESTART, .missing = s->flags & SVC_F_MISSING,
		.shutting_down = p->ledger.head->shutdown != SHUTDOWN_NONE,
		.up_for_ms = s->up_ms ? p->loop.now.ms - s->up_ms : 0, .now_ms = p->loop.now.ms,
		.window_ms = s->window_ms, .window_restarts = s->window_restarts,
		.max_restarts = d->max_restarts, .restart_window_ms = d->restart_window_ms,
		.backoff_ms = s->backoff_ms, .backoff_initial_ms = d->backoff_initial_ms,
		.backoff_max_ms = d->backoff_max_ms,
	};
	struct policy_answer a = policy_after_end(&c);
	struct text t = TEXT_IN(s->why);
	char within[VALUE_TEXT];

	stop_take_down(p, i);
	s->phase = PHASE_MAIN;
	if (!exit_is_decided(s->exit_kind)) {
		s->why[0] = '\0';
		exit_text(&t, s->exit_kind, s->exit_status);
		if (c.lazy && c.unanswered && policy_is_clean(d->type, s->exit_kind, s->exit_status))
			text_add(&t, ", and a connection waits that it did not accept");
	}
	if (a.verdict == EV_END_BAD && a.window_restarts && a.window_restarts >= d->max_restarts) {
		t.n = strnlen(s->why, sizeof s->why);
		text_fmt(&t, "; restarted %u time%s within %s", a.window_restarts,
			 a.window_restarts == 1 ? "" : "s", value_msec_text(d->restart_window_ms, within));
	}
	s->window_ms = a.window_ms;
	s->window_restarts = a.window_restarts;
	s->backoff_ms = a.verdict == EV_END_AGAIN ? a.backoff_ms : 0;
	return a.verdict;
}
