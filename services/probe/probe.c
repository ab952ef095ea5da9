/* Asking one question in a child that is thrown away: see probe.h. */
/* SPDX-License-Identifier: ISC */
#include "services/probe/probe.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define SECONDS 10

int probe_failed(char *detail, const char *call)
{
	const int code = errno;

	text_copy(detail, PROBE_DETAIL, call);
	return -(code ? code : EIO);
}

/* What a trial hangs up on, or dies of, is an answer too. */
static void answer(const struct probe_row *row, int to)
{
	struct probe_answer a = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(SECONDS);
	a.code = -row->try(a.detail);
	if (write(to, &a, sizeof a) < 0)
		return;
}

static void died(struct probe_answer *a, int status)
{
	struct text t = TEXT_IN(a->detail);

	a->code = EIO;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		text_fmt(&t, "no answer within %d s", SECONDS);
	else
		text_fmt(&t, "the trial was ended by signal %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

void probe_ask(const struct probe_row *row, struct probe_answer *a)
{
	int pipe[2], status = 0;

	*a = (struct probe_answer){ 0 };
	if (pipe2(pipe, O_CLOEXEC) < 0) {
		a->code = errno;
		return;
	}
	owned_fd from = pipe[0], to = pipe[1];
	const pid_t pid = fork();

	if (pid == 0) {
		answer(row, to);
		_exit(0);
	}
	fd_drop(&to);
	if (pid < 0) {
		a->code = errno;
		return;
	}
	const bool said = read(from, a, sizeof *a) == sizeof *a;

	sys_wait(pid, &status);
	if (!said)
		died(a, status);
}

bool probe_is_wanted(const struct probe_row *row, const struct plan *p, const struct plan_service *s)
{
	return row->wanted ? row->wanted(p, s) : s->flags & CELL_ATTEST;
}
