/* type: forking: the first process has ended well, and another one of the service is its main process now. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/cell.h"
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include "services/supervise/main_pid.h"
#include "services/supervise/reap.h"
#include "services/supervise/start.h"

bool forked_is_meant(const struct prior *p, uint32_t i, uint8_t exit_kind, int status)
{
	const struct ledger_svc *s = &p->ledger.svc[i];

	return plan_service(&p->plan, i)->type == TYPE_FORKING && s->state == SVC_STARTING && s->phase == PHASE_MAIN &&
	       exit_kind == EXIT_CODE && status == 0 && !(s->flags & SVC_F_FORKED) && s->exit_kind == EXIT_NONE;
}

void forked_builder_ended(struct prior *p, uint32_t i)
{
	const struct ledger_svc *s = svc_of(p, i);

	if (s->state == SVC_STARTING && s->flags & SVC_F_FORKED && s->pid == 0 && s->report_fd < 0)
		svc_post(p, i, EV_FORKED);
}

/* Looking for it takes reading files of the service's, which may wait: a child does that. */
enum svc_event svc_forked(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct cell_start c = { .plan = &p->plan, .service = i, .cgroup_fd = s->cgroup_fd, .log_fd = s->log_wr,
				.stdin_fd = FD_NONE };
	int report;
	pid_t pid;
	struct err e;

	s->flags |= SVC_F_FORKED;
	s->flags &= ~SVC_F_DIRECT;
	if (s->builder)		/* it lies in the same cgroup, and is on its way out: its end brings us back */
		return EV_NONE;
	int rc = s->cgroup_fd < 0 ? err_set(&e, ENOTSUP, "type: forking needs cgroup2, which is not writable here") :
		 cell_find(&c, s->reaper, &pid, &report, &e);

	if (rc == 0) {
		s->builder = pid;
		reap_add(p, pid, i, PID_BUILDER);
		fd_put(&s->report_fd, report);
		rc = start_watch_report(p, i, &e);
	}
	if (rc == 0)
		return EV_NONE;
	s->exit_kind = EXIT_START_FAILED;
	text_copy(s->why, sizeof s->why, e.text);
	return EV_START_FAILED;
}
