/* Blocking work in a child: see child.h. */
/* SPDX-License-Identifier: ISC */
#include "init/child.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/sys.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#define END_MS 1000	/* for one that has been killed */

static int read_answer(int fd, int ms, struct err *answer)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t end = mono_now().ms + ms;
	int rc;

	do
		rc = poll(&p, 1, (int)(end > mono_now().ms ? end - mono_now().ms : 0));
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return -ETIME;
	return read(fd, answer, sizeof *answer) == (ssize_t)sizeof *answer ? 0 : -ECHILD;
}

/* Who waits for a disk that does not answer does not even die: it is left, to be reaped when it does. */
static void wait_a_little(pid_t pid)
{
	for (int i = 0; i < END_MS / 10 && waitpid(pid, NULL, WNOHANG) == 0; i++)
		poll(NULL, 0, 10);
}

int child_run(int (*work)(void *ctx, struct err *e), void *ctx, int ms, struct err *e)
{
	struct err answer = { 0 };
	int p[2], status;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, "pipe to a child");
	owned_fd rd = p[0], wr = p[1];
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "fork a child");
	if (pid == 0) {
		int rc = work(ctx, &answer);

		answer.code = rc < 0 ? -rc : 0;	/* below PIPE_BUF: one write, whole or not at all */
		_exit(write(wr, &answer, sizeof answer) == (ssize_t)sizeof answer ? 0 : 1);
	}
	fd_drop(&wr);
	int rc = read_answer(rd, ms, &answer);

	if (rc < 0) {
		kill(pid, SIGKILL);
		wait_a_little(pid);
		return err_set(e, -rc, rc == -ETIME ? "took longer than %d ms and was killed" :
			       "the child died (limit %d ms)", ms);
	}
	sys_wait(pid, &status);
	if (answer.code)
		*e = answer;
	return -answer.code;
}
