/* Starting hooks and hearing of their ends: see hooks.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/hooks.h"
#include "init/base/text.h"
#include "services/cell/cell.h"
#include "services/supervise/fsm.h"
#include "services/supervise/policy.h"
#include "services/supervise/reap.h"
#include "services/supervise/start.h"
#include "services/supervise/stop.h"
#include <signal.h>

const char *const hook_name[] = {
	[PHASE_PRE_START] = "pre_start", [PHASE_POST_START] = "post_start", [PHASE_PRE_STOP] = "pre_stop",
	[PHASE_POST_STOP] = "post_stop",
};

static const struct plan_command *command_of(struct prior *p, uint32_t i, enum svc_phase which)
{
	static const enum care_command at[] = {
		[PHASE_PRE_START] = CARE_PRE_START, [PHASE_POST_START] = CARE_POST_START,
		[PHASE_PRE_STOP] = CARE_PRE_STOP, [PHASE_POST_STOP] = CARE_POST_STOP,
	};
	const struct plan_care *c = plan_care(&p->plan, plan_service(&p->plan, i));

	return c && which != PHASE_MAIN && c->command[at[which]].argv.n ? &c->command[at[which]] : NULL;
}

bool hook_is_planned(struct prior *p, uint32_t i, enum svc_phase which)
{
	return command_of(p, i, which) != NULL;
}

/* As systemd tells its ExecStopPost=. */
static void variables(struct prior *p, uint32_t i, struct text *t)
{
	const struct ledger_svc *s = svc_of(p, i);
	static const struct {
		const char *result, *code;
	} words[EXIT_KINDS] = {
		[EXIT_NONE] = { "success", "exited" }, [EXIT_CODE] = { "exit-code", "exited" },
		[EXIT_SIGNAL] = { "signal", "killed" }, [EXIT_CORE] = { "core-dump", "dumped" },
		[EXIT_OOM] = { "oom-kill", "killed" }, [EXIT_START_FAILED] = { "resources", "exited" },
		[EXIT_TIMEOUT] = { "timeout", "killed" }, [EXIT_VIOLATION] = { "core-dump", "dumped" },
		[EXIT_WATCHDOG] = { "watchdog", "killed" }, [EXIT_UNHEALTHY] = { "unhealthy", "killed" },
		[EXIT_GONE] = { "protocol", "exited" },
	};
	const bool clean = policy_is_clean(plan_service(&p->plan, i)->type, s->exit_kind, s->exit_status);

	if (s->pid > 0)
		text_fmt(t, "MAINPID=%d\n", s->pid);
	else if (s->phase == PHASE_POST_STOP && s->exit_kind < EXIT_KINDS)
		text_fmt(t, "SERVICE_RESULT=%s\nEXIT_CODE=%s\nEXIT_STATUS=%d\n",
			 clean ? "success" : words[s->exit_kind].result, words[s->exit_kind].code, s->exit_status);
}

static int join(struct prior *p, uint32_t i, const struct plan_command *cmd, const char *vars, struct err *e)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	const bool starts = s->phase == PHASE_POST_START;
	struct cell_start c = {
		.plan = &p->plan, .service = i, .command = cmd, .vars = vars, .cgroup_fd = s->cgroup_fd,
		.log_fd = svc_log(p, i), .stdin_fd = FD_NONE, .nofile = p->ledger.head->nofile,
	};
	pid_t pid;
	int rc = cell_join(&c, s->pidfd, starts ? d->start_timeout_ms : d->stop_timeout_ms, &pid, e);

	if (rc < 0)
		return rc;
	s->hook = pid;
	reap_add(p, pid, i, PID_HOOK);
	return 0;
}

int hook_start(struct prior *p, uint32_t i, enum svc_phase which, struct err *e)
{
	const struct plan_command *cmd = command_of(p, i, which);
	struct ledger_svc *s = svc_of(p, i);
	char vars[160] = "";
	struct text t = TEXT_IN(vars);

	s->phase = (uint8_t)which;
	variables(p, i, &t);
	int rc = which == PHASE_PRE_START || which == PHASE_POST_STOP ? start_cell(p, i, cmd, vars, e)
								      : join(p, i, cmd, vars, e);

	if (rc < 0)
		return rc;
	prior_say(p, "info", "hook", svc_name(p, i), hook_name[which]);
	return 0;
}

void hook_kill(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	if (s->hook > 0)
		kill(s->hook, SIGKILL);		/* ours and not reaped */
}

/* "its pre_start hook exited with code 3"; false: it ended well. */
static bool tell_failure(struct prior *p, uint32_t i, uint8_t kind, int status, struct text *t)
{
	const struct ledger_svc *s = svc_of(p, i);

	if (kind == EXIT_CODE && status == 0)
		return false;
	text_fmt(t, "its %s hook ", hook_name[s->phase]);
	if (kind == EXIT_CODE && status == JOIN_TIMED_OUT)
		text_add(t, "took too long and was killed");
	else if (kind == EXIT_CODE && status == JOIN_FAILED)
		text_add(t, "could not be run; its log says why");
	else
		exit_text(t, kind, status);
	prior_say(p, "warning", "hook-failed", svc_name(p, i), t->at);
	return true;
}

/* What is left of the hook's cell: its reaper, and whatever it has started. */
static void sweep(struct prior *p, uint32_t i)
{
	LEDGER_WRITE(svc_of(p, i));

	stop_kill_all(p, i);
}

void hook_ended(struct prior *p, uint32_t i, uint8_t kind, int status)
{
	struct ledger_svc *s = svc_of(p, i);
	char why[160] = "";
	struct text t = TEXT_IN(why);
	const enum svc_phase phase = (enum svc_phase)s->phase;
	bool wanted = (phase == PHASE_PRE_START || phase == PHASE_POST_START) && s->state == SVC_STARTING, bad;

	{
		LEDGER_WRITE(s);
		s->hook = 0;
		bad = s->flags & SVC_F_KILLED ? false : tell_failure(p, i, kind, status, &t);
		if (bad && wanted) {
			s->exit_kind = EXIT_START_FAILED;
			s->exit_status = status;
			text_copy(s->why, sizeof s->why, why);
		}
	}
	if (bad && wanted)
		svc_post(p, i, EV_HOOK_FAILED);
	else if (phase == PHASE_PRE_START && wanted)
		start_sweep_hook(p, i);
	else if (phase == PHASE_POST_START || phase == PHASE_PRE_STOP)
		svc_post(p, i, EV_HOOKED);
	else if (phase == PHASE_POST_STOP)
		sweep(p, i);
	stop_check(p, i);
}
