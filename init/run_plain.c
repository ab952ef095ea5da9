/* The smallest supervisor there is: one child, every signal passed on, every orphan reaped. See run.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "init/run.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_FAILED 125
#define RUN_NOT_RUNNABLE 126
#define RUN_NOT_FOUND 127

/* Signals that are ours: of a fault in us, and of job control about our own terminal. */
static const int own_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU };

static void say(const char *who, const char *what)
{
	char line[300];
	struct text t = TEXT_IN(line);

	text_fmt(&t, "prior: run: %s: %s\n", who, what);
	ssize_t ignored = write(2, line, t.n);

	(void)ignored;
}

/* Sockets handed to us are for the command: a LISTEN_PID that names us must name it. */
static void rewrite_listen_pid(pid_t ours)
{
	const char *v = getenv("LISTEN_PID");
	char pid[16];

	if (!v || atoi(v) != ours)
		return;
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
}

static _Noreturn void become(char **command, const sigset_t *mask, pid_t ours)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };

	/* A process group of its own, in the foreground of our terminal if there is one: Ctrl-C reaches it once. */
	setpgid(0, 0);
	if (isatty(0))
		tcsetpgrp(0, getpid());
	sigaction(SIGTTIN, &dfl, NULL);
	sigaction(SIGTTOU, &dfl, NULL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	rewrite_listen_pid(ours);
	execvp(command[0], command);
	say(command[0], strerror(errno));
	_exit(errno == ENOENT ? RUN_NOT_FOUND : RUN_NOT_RUNNABLE);
}

/* Reap all that is there; true when the command is among it. */
static bool reap(pid_t child, int *code)
{
	int status;
	bool ended = false;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		if (pid == child) {
			*code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
			ended = true;
		}
	return ended;
}

int run_plain(char **command)
{
	sigset_t all, mask;
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	pid_t ours = getpid();
	int code = RUN_FAILED;

	sigfillset(&all);
	for (unsigned i = 0; i < sizeof own_signals / sizeof *own_signals; i++)
		sigdelset(&all, own_signals[i]);
	sigprocmask(SIG_SETMASK, &all, &mask);	/* before the fork: no signal is lost in between */
	sigaction(SIGTTIN, &ignore, NULL);
	sigaction(SIGTTOU, &ignore, NULL);
	if (ours != 1)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	pid_t child = fork();

	if (child < 0) {
		say("fork", strerror(errno));
		return RUN_FAILED;
	}
	if (child == 0)
		become(command, &mask, ours);
	while (!reap(child, &code)) {
		siginfo_t si;
		int sig = sigwaitinfo(&all, &si);

		if (sig > 0 && sig != SIGCHLD)
			kill(child, sig);
	}
	return code;
}
