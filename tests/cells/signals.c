/* Signals for run_command.sh: all of them, raw, for the C libraries keep some to themselves. */
/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void block(uint64_t set)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, sizeof set);
}

/* The command: says each signal's number as one byte. */
static int say_each(void)
{
	uint64_t all = ~UINT64_C(0);
	char n = 0;

	block(all);
	while (write(1, &n, 1) == 1)
		n = (char)syscall(SYS_rt_sigtimedwait, &all, NULL, NULL, sizeof all);
	return 1;
}

static int is_passed_on(int sig)
{
	return sig != SIGKILL && sig != SIGSTOP && sig != SIGCHLD && sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU;
}

/* Sends every signal there is to `PRIOR run -- us say`; 0 when each came through. */
static int send_each(const char *prior, const char *self)
{
	int p[2], bad = 0;
	char got;

	if (pipe(p) < 0)
		return 1;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(p[1], 1);
		close(p[0]);
		close(p[1]);
		execl(prior, prior, "run", "--", self, "say", NULL);
		_exit(1);
	}
	close(p[1]);
	if (read(p[0], &got, 1) != 1)
		return 1;
	for (int sig = 1; sig <= 64; sig++) {
		if (!is_passed_on(sig))
			continue;
		kill(pid, sig);
		if (read(p[0], &got, 1) != 1 || got != sig) {
			printf("signal %d: got %d\n", sig, got);
			bad = 1;
			break;
		}
	}
	close(p[0]);
	kill(pid, SIGTERM);	/* and its byte has no reader any more: the command ends */
	waitpid(pid, NULL, 0);
	return bad;
}

/* SIGTERM and signal 40 blocked, SIGHUP, SIGCHLD and SIGTTOU ignored, then the program. */
/* posix_spawn(3) leaves the C library's own two signals ignored, and make uses it: as a shell would have it. */
static void clean(void)
{
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } def = { 0 };

	for (int sig = 1; sig <= 64; sig++)
		syscall(SYS_rt_sigaction, sig, &def, NULL, 8);
	block(0);
}

static int cleaned(char **command)
{
	clean();
	execvp(command[0], command);
	return 1;
}

static int masked(char **command)
{
	clean();
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	block(UINT64_C(1) << (SIGTERM - 1) | UINT64_C(1) << 39);
	execv(command[0], command);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "say"))
		return say_each();
	if (argc == 3 && !strcmp(argv[1], "each"))
		return send_each(argv[2], argv[0]);
	if (argc > 2 && !strcmp(argv[1], "masked"))
		return masked(argv + 2);
	if (argc > 2 && !strcmp(argv[1], "clean"))
		return cleaned(argv + 2);
	fprintf(stderr, "usage: signals say | each PRIOR | masked COMMAND... | clean COMMAND...\n");
	return 2;
}
