/* Trying a new binary before becoming it: see trial.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/trial.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/supervise/reap.h"

#define TRIAL_MS 5000

extern char **environ;

/* In the child; only what is allowed between fork and exec. */
static void become(int exe_fd, int ledger_fd, char *arg)
{
	char *argv[] = { (char *)"prior", (char *)"--resume-check", arg, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fcntl(ledger_fd, F_SETFD, 0);
	syscall(SYS_execveat, exe_fd, "", argv, environ, AT_EMPTY_PATH);
	_exit(127);
}

int trial_begin(struct prior *p, int exe_fd, struct err *e)
{
	char arg[32];
	struct text t = TEXT_IN(arg);

	if (p->trial != TRIAL_NONE)
		return err_set(e, EBUSY, "a new binary is being tried already");
	/* Reading must do: the child gets the descriptor that is open for reading, where there is one. */
	int fd = p->ledger.head->ledger_ro_fd >= 0 ? p->ledger.head->ledger_ro_fd : p->ledger.fd;

	text_fmt(&t, "--ledger=%d", fd);
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "try the new binary: fork");
	if (pid == 0)
		become(exe_fd, fd, arg);
	reap_add(p, pid, 0, PID_TRIAL);
	p->trial = TRIAL_RUNS;
	p->trial_pid = pid;
	p->trial_exe = exe_fd;
	loop_timer_set(&p->loop, p->n + TIMER_TRIAL, p->loop.now.ms + TRIAL_MS);
	return 0;
}

void trial_ended(struct prior *p, bool good)
{
	loop_timer_set(&p->loop, p->n + TIMER_TRIAL, 0);
	p->trial_pid = 0;
	p->trial = good ? TRIAL_GOOD : TRIAL_BAD;
}

void trial_timer(struct prior *p)
{
	if (p->trial_pid)
		kill(p->trial_pid, SIGKILL);	/* its exit then says that it was no good */
}

void trial_forget(struct prior *p)
{
	fd_drop(&p->trial_exe);
	p->trial = TRIAL_NONE;
}
