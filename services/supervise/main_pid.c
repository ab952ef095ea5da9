/* Taking another main process: see main_pid.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/main_pid.h"
#include "init/base/sys.h"
#include "services/supervise/member.h"
#include "services/supervise/reap.h"
#include <errno.h>
#include <sys/wait.h>

static bool is_our_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* It has ended. If it has become our child meanwhile it is reaped like one, and how it ended is known. */
static void on_end(void *ctx, uint32_t i, uint32_t events)
{
	struct prior *p = ctx;
	const pid_t pid = svc_of(p, i)->pid;

	(void)events;
	main_pid_forget(p, i);
	if (pid > 0 && is_our_child(pid))
		reap_all(p);
	if (svc_of(p, i)->pid == pid && pid > 0)
		reap_gone(p, i, pid);
}

int main_pid_watch(struct prior *p, uint32_t i, struct err *e)
{
	int rc = loop_add(&p->loop, svc_of(p, i)->pidfd, EPOLLIN, on_end, i, e);

	p->run[i].pidfd_src = rc < 0 ? 0 : (uint32_t)rc;
	return rc < 0 ? rc : 0;
}

void main_pid_forget(struct prior *p, uint32_t i)
{
	loop_remove(&p->loop, &p->run[i].pidfd_src);
}

int main_pid_take(struct prior *p, uint32_t i, pid_t pid, struct err *e)
{
	struct ledger_svc *s = svc_of(p, i);
	owned_fd pidfd = sys_pidfd_open(pid);

	if (pid == s->pid)
		return 0;
	if (pidfd < 0 || !member_is(p, i, pid, pidfd) || pid == s->reaper || pid == s->builder)
		return err_set(e, ESRCH, "service %s: pid %d is none of its processes", svc_name(p, i), (int)pid);
	main_pid_forget(p, i);
	if (s->pid > 0)
		reap_forget(p, s->pid);	/* an orphan like any other when it ends */
	LEDGER_WRITE(s);
	s->pid = pid;
	fd_put(&s->pidfd, fd_take(&pidfd));
	s->flags &= ~SVC_F_FOREIGN;
	s->flags |= is_our_child(pid) ? 0 : SVC_F_FOREIGN;
	reap_add(p, pid, i, PID_MAIN);
	return s->flags & SVC_F_FOREIGN ? main_pid_watch(p, i, e) : 0;
}
