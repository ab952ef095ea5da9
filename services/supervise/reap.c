/* waitid in a loop, and a fixed table from pid to service: see reap.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/buttons.h"
#include "services/supervise/devices.h"
#include "services/supervise/reap.h"
#include "init/base/text.h"
#include "services/cell/cell.h"
#include "services/supervise/conditions.h"
#include "services/supervise/discard.h"
#include "services/supervise/endpoint.h"
#include "services/supervise/fsm.h"
#include "services/supervise/health.h"
#include "services/supervise/hooks.h"
#include "services/supervise/good.h"
#include "services/supervise/idle.h"
#include "services/supervise/main_pid.h"
#include "services/supervise/network.h"
#include "services/supervise/reload.h"
#include "services/supervise/spawning.h"
#include "services/supervise/start.h"
#include "services/supervise/stop.h"
#include "services/supervise/streams.h"
#include "services/supervise/trial.h"
#include "services/supervise/undo.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define REAP_A_TURN 1024
#define ORPHAN_BURST 100	/* reaped in one turn: worth an event */

static uint32_t home_of(const struct prior *p, int32_t pid)
{
	return (uint32_t)pid * 2654435761u & p->pid_mask;
}

static struct pid_slot *find(struct prior *p, int32_t pid)
{
	uint32_t at = home_of(p, pid);

	while (p->pids[at].pid && p->pids[at].pid != pid)
		at = (at + 1) & p->pid_mask;
	return &p->pids[at];
}

void reap_add(struct prior *p, pid_t pid, uint32_t service, enum pid_role role)
{
	*find(p, pid) = (struct pid_slot){ .pid = pid, .service = service, .role = role };
}

/* Open addressing without graves: what follows moves up, unless it is at home already. */
void reap_forget(struct prior *p, pid_t pid)
{
	struct pid_slot *s = find(p, pid);

	if (s->pid == 0)
		return;
	uint32_t hole = (uint32_t)(s - p->pids);

	for (uint32_t at = (hole + 1) & p->pid_mask; p->pids[at].pid; at = (at + 1) & p->pid_mask) {
		uint32_t home = home_of(p, p->pids[at].pid);

		if (((at - home) & p->pid_mask) >= ((at - hole) & p->pid_mask)) {
			p->pids[hole] = p->pids[at];
			hole = at;
		}
	}
	p->pids[hole] = (struct pid_slot){ 0 };
}

#define OOM_KILLS "memory.events:oom_kill"

static uint64_t oom_kills(const struct prior *p)
{
	uint64_t kills = 0;

	if (p->ledger.head->cgroup_fd >= 0)
		cgroup_read_u64(p->ledger.head->cgroup_fd, OOM_KILLS, &kills);
	return kills;
}

void reap_begin(struct prior *p)
{
	p->oom_kills = oom_kills(p);
}

/* A cgroup without the memory controller counts in the one above: a new kill there is that of who was killed now. */
static bool was_oom(struct prior *p, const struct ledger_svc *s)
{
	uint64_t kills = 0;

	if (s->cgroup_fd < 0 || (s->flags & SVC_F_KILLED))
		return false;
	if (cgroup_read_u64(s->cgroup_fd, OOM_KILLS, &kills) == 0)
		return kills;
	kills = oom_kills(p);
	if (kills <= p->oom_kills)
		return false;
	p->oom_kills++;
	return true;
}

/* A filter's verdict is SIGSYS; without a filter that signal is one like any other. */
static uint8_t kind_of(struct prior *p, uint32_t i, int code, int status)
{
	if (code == CLD_EXITED)
		return EXIT_CODE;
	if (status == SIGKILL && was_oom(p, svc_of(p, i)))
		return EXIT_OOM;
	if (status == SIGSYS && plan_service(&p->plan, i)->flags & CELL_SECCOMP)
		return EXIT_VIOLATION;
	return code == CLD_DUMPED ? EXIT_CORE : EXIT_SIGNAL;
}

static void say_exit(struct prior *p, uint32_t i, int32_t pid, uint8_t kind, int status)
{
	struct event ev;

	bool asked = svc_of(p, i)->flags & SVC_F_SIGNALLED;

	event_begin(&ev, asked || (kind == EXIT_CODE && status == 0) ? "info" : "warning", "exited", svc_name(p, i));
	event_num(&ev, "pid", pid);
	if (kind != EXIT_GONE)
		event_num(&ev, kind == EXIT_CODE ? "code" : "signal", status);
	if (kind != EXIT_CODE && kind != EXIT_SIGNAL)
		event_str(&ev, "kind", exit_kind_name[kind]);
	prior_event(p, &ev);
	if (kind != EXIT_VIOLATION && kind != EXIT_OOM)
		return;
	event_begin(&ev, "error", "violation", svc_name(p, i));
	event_num(&ev, "pid", pid);
	event_str(&ev, "kind", kind == EXIT_OOM ? "oom" : "seccomp");
	event_str(&ev, "action", "killed");
	prior_event(p, &ev);
}

/* The spawner has its end of the report until it runs again, so that an exec may be seen after what came of it. */
static bool is_early(const struct ledger_svc *s)
{
	return (s->flags & SVC_F_DIRECT) && s->report_fd >= 0 && !(s->flags & SVC_F_RAN);
}

static void main_ended(struct prior *p, uint32_t i, int32_t pid, uint8_t kind, int status)
{
	struct ledger_svc *s = svc_of(p, i);
	const bool forked = forked_is_meant(p, i, kind, status);

	{
		LEDGER_WRITE(s);
		main_pid_forget(p, i);
		if (s->cgroup_fd < 0 && !forked)	/* its process group is all we know of what it leaves behind */
			kill(-pid, SIGKILL);
		s->pid = 0;
		fd_drop(&s->pidfd);
		if (s->flags & SVC_F_RAN)
			say_exit(p, i, pid, kind, status);
		stream_ended(p, i);
		if (!forked && !exit_is_decided(s->exit_kind)) {
			s->exit_kind = kind;
			s->exit_status = status;
		}
	}
	/* A direct start that failed has told its end with the report. A confined one that dies before its exec: its
	 * builder sees that, and says so. */
	if (s->flags & SVC_F_RAN)
		svc_post(p, i, forked ? EV_FORKED : EV_EXITED);
	stop_check(p, i);
}

static void builder_ended(struct prior *p, uint32_t i, int code, int status)
{
	struct ledger_svc *s = svc_of(p, i);
	char how[64] = "";
	struct text t = TEXT_IN(how);

	start_drain(p, i);
	{
		LEDGER_WRITE(s);
		s->builder = 0;
	}
	if (conditions_ended(p, i, code == CLD_EXITED ? status : -1))
		return;
	exit_text(&t, code == CLD_EXITED ? EXIT_CODE : EXIT_SIGNAL, status);
	if (s->report_fd >= 0)
		start_builder_died(p, i, how);
	forked_builder_ended(p, i);
	stop_check(p, i);
}

static void reaper_ended(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	{
		LEDGER_WRITE(s);
		s->reaper = 0;
	}
	stop_check(p, i);
}

/* What its builder said before that comes first; before its exec has been seen it is kept. */
static void tell_main(struct prior *p, struct pid_slot slot, int code, int status)
{
	start_drain(p, slot.service);
	if (!is_early(svc_of(p, slot.service))) {
		main_ended(p, slot.service, slot.pid, kind_of(p, slot.service, code, status), status);
		return;
	}
	reap_add(p, slot.pid, slot.service, PID_MAIN);
	p->run[slot.service].early = (struct unclaimed){ slot.pid, code, status };
	spawning_waits(p, slot.service);
}

static void tell(struct prior *p, struct pid_slot slot, int code, int status)
{
	static void (*const helpers[])(struct prior *p, int pid, uint8_t exit_kind, int status) = {
		[PID_LOGGER] = streams_logger_ended, [PID_COMPILER] = reload_compiler_ended,
		[PID_SPAWNER] = spawning_ended, [PID_ENDPOINT] = endpoint_ended, [PID_DEVICES] = devices_ended,
	};
	const uint8_t kind = code == CLD_EXITED ? EXIT_CODE : EXIT_SIGNAL;
	const bool well = code == CLD_EXITED && status == 0;

	reap_forget(p, slot.pid);
	switch ((enum pid_role)slot.role) {
	case PID_MAIN:
		tell_main(p, slot, code, status);
		return;
	case PID_BUILDER:
		builder_ended(p, slot.service, code, status);
		return;
	case PID_REAPER:
		reaper_ended(p, slot.service);
		return;
	case PID_LOGGER:
	case PID_COMPILER:
	case PID_SPAWNER:
	case PID_ENDPOINT:
	case PID_DEVICES:
		helpers[slot.role](p, slot.pid, kind, status);
		return;
	case PID_UNDO:
		undo_ended(p, slot.service, well);
		return;
	case PID_HOOK:
		start_drain(p, slot.service);
		hook_ended(p, slot.service, kind, status);
		return;
	case PID_CHECK:
		health_checked(p, slot.service, well, status);
		return;
	case PID_IDLE:
		idle_looked(p, slot.service, slot.pid, code == CLD_EXITED ? status : -1);
		return;
	case PID_DISCARD:
		discard_ended(p, slot.service, slot.pid);
		return;
	case PID_NETWORK:
		network_ended(p, slot.pid, well);
		return;
	case PID_BUTTONS:
		buttons_ended(p);
		return;
	case PID_GOOD:
		good_ended(p, well);
		return;
	case PID_TRIAL:
		trial_ended(p, well);
		return;
	}
}

/*
 * Nobody's, or of a process whose first word has not been read. That word was sent before the end, so that what is left
 * over when all reports have been read is nobody's.
 */
static void unknown_ended(struct prior *p, const siginfo_t *info)
{
	p->ledger.head->orphans++;	/* reap_claim() takes it back */
	if (p->nunclaimed == p->n + UNCLAIMED_ORPHANS)
		for (uint32_t k = p->nbuilding; k-- > 0;)
			if (k < p->nbuilding)	/* one drained may take others off the list */
				start_drain(p, p->building[k]);
	if (p->nunclaimed == p->n + UNCLAIMED_ORPHANS)
		p->nunclaimed = 0;
	if (p->nbuilding)
		p->unclaimed[p->nunclaimed++] = (struct unclaimed){ info->si_pid, info->si_code, info->si_status };
}

void reap_early(struct prior *p, uint32_t i)
{
	const struct unclaimed was = p->run[i].early;

	p->run[i].early = (struct unclaimed){ 0 };
	if (was.pid)
		tell(p, *find(p, was.pid), was.code, was.status);
}

void reap_claim(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	const int32_t named[] = { s->builder, s->reaper, s->pid, s->hook };

	for (size_t k = 0; k < sizeof named / sizeof *named; k++)
		for (uint32_t u = 0; named[k] && u < p->nunclaimed; u++) {
			struct unclaimed was = p->unclaimed[u];

			if (was.pid != named[k])
				continue;
			p->unclaimed[u] = p->unclaimed[--p->nunclaimed];
			p->ledger.head->orphans--;
			tell(p, *find(p, was.pid), was.code, was.status);
			break;
		}
}

void reap_all(struct prior *p)
{
	uint64_t before = p->ledger.head->orphans;
	siginfo_t info = { 0 };
	bool more = false;

	p->reap_more = false;
	for (unsigned n = 0; n < REAP_A_TURN; n++) {
		info.si_pid = 0;
		int rc = waitid(P_ALL, 0, &info, WEXITED | WNOHANG);

		/* The signal has been read: after a failure nobody else would look again. */
		more = rc < 0 ? errno != ECHILD : info.si_pid != 0;
		if (rc < 0 || !more)
			break;
		struct pid_slot slot = *find(p, info.si_pid);

		if (slot.pid)
			tell(p, slot, info.si_code, info.si_status);
		else
			unknown_ended(p, &info);
	}
	if (more)
		p->reap_more = p->loop.again = true;
	if (p->ledger.head->orphans >= before + ORPHAN_BURST) {
		struct event ev;

		event_begin(&ev, "info", "orphans", NULL);
		event_num(&ev, "reaped", (int64_t)(p->ledger.head->orphans - before));
		prior_event(p, &ev);
	}
}

void reap_gone(struct prior *p, uint32_t i, pid_t pid)
{
	reap_forget(p, pid);
	main_ended(p, i, pid, EXIT_GONE, 0);
}

void reap_lost(struct prior *p, uint32_t i, pid_t pid)
{
	struct pid_slot *slot = find(p, pid);

	prior_say(p, "warning", "lost", svc_name(p, i), "a process of the ledger is no child of ours any more");
	if (slot->pid)
		tell(p, *slot, CLD_KILLED, SIGKILL);
}
