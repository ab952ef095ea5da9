/* `prior enter`: a shell or a command inside a running service's cell, with no more rights than the service has. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/file.h"
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/ctl/live.h"
#include "init/ctl/relay.h"
#include "init/ctl/verbs.h"
#include "services/cell/cell.h"
#include "services/supervise/control.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

static const char *const shell[] = { "/bin/sh", NULL };

/* Why it cannot be entered at all; NULL: it can. */
static const char *closed(const struct view *v)
{
	if (v->refused)
		return "its configuration was refused";
	if (v->plan && v->plan->connections.n)
		return "it has no process of its own: enter one of its connections, as `prior status` names them";
	if (!v->plan || v->now.pid <= 0 || !(v->now.flags & SVC_F_RAN))
		return "it does not run";
	if (v->plan->runtime_kind)
		return "an OCI runtime runs it: enter it by that (its `exec`)";
	return NULL;
}

/* The number by which we see prior; 0: it is in another pid namespace, and its numbers are not ours. */
static bool is_listed(int leaf, pid_t pid)
{
	owned_fd fd = openat(leaf, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	bool found = false;
	int one;

	if (!f)
		return false;
	fd = FD_NONE;
	while (!found && fscanf(f, "%d", &one) == 1)
		found = one == pid;
	fclose(f);
	return found;
}

/*
 * Its main process and its cgroup, as descriptors that cannot become another's. The leaf is the one that prior holds:
 * no path could lead elsewhere. A number that was given to somebody else meanwhile is not in the leaf, or the record
 * has changed.
 */
static int find_cell(const struct live *l, const struct view *v, pid_t prior, int *pidfd, int *leaf, struct err *e)
{
	owned_fd process = sys_pidfd_open(v->now.pid), dir = FD_NONE;
	struct ledger_svc again;
	char path[48];
	struct text t = TEXT_IN(path);

	if (process < 0)
		return err_set(e, ESRCH, "it has just ended");
	if (v->now.cgroup_fd >= 0) {
		text_fmt(&t, "/proc/%d/fd/%d", (int)prior, v->now.cgroup_fd);
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return err_sys(e, "its cgroup, as prior holds it (%s)", path);
	}
	if (!ledger_read_svc(&l->ledger, v->index, &again) || again.generation != v->now.generation ||
	    again.pid != v->now.pid || sys_pidfd_send_signal(process, 0) < 0 ||
	    (dir >= 0 && !is_listed(dir, v->now.pid)))
		return err_set(e, ESRCH, "it has just ended or been started anew: try again");
	*pidfd = fd_take(&process);
	*leaf = fd_take(&dir);
	return 0;
}

/* The only word of ours that goes in: without it no editor would know what to draw. Nothing but a name. */
static const char *term_variable(char *to, size_t size)
{
	struct text t = { .at = to, .size = size };
	const char *term = getenv("TERM"), *c = term;

	while (c && (isalnum((unsigned char)*c) || (*c && strchr("-+._", *c))))
		c++;
	if (!c || *c || c == term)
		return NULL;
	text_fmt(&t, "TERM=%s\n", term);
	return t.cut ? NULL : to;
}

/* Raised where that is allowed, lowered always. */
static int limit_as(pid_t prior, int resource, struct err *e)
{
	struct rlimit64 its, own;

	if (syscall(SYS_prlimit64, prior, resource, NULL, &its) < 0)
		return err_sys(e, "resource limits of prior (pid %d)", (int)prior);
	if (syscall(SYS_prlimit64, 0, resource, &its, NULL) == 0)
		return 0;
	if (syscall(SYS_prlimit64, 0, resource, NULL, &own) == 0) {
		its.rlim_max = its.rlim_max < own.rlim_max ? its.rlim_max : own.rlim_max;
		its.rlim_cur = its.rlim_cur < its.rlim_max ? its.rlim_cur : its.rlim_max;
	}
	if (syscall(SYS_prlimit64, 0, resource, &its, NULL) < 0)
		return err_sys(e, "resource limits as prior has them");
	return 0;
}

/*
 * What the cell does not set its service has from prior. So has who enters, and nothing of the login's: neither its
 * limits nor its place before the OOM killer and the scheduler. A score or a nice value that only root may lower stays
 * as it is, which is no advantage.
 */
static int begin_as(pid_t prior, struct err *e)
{
	char path[48], score[16];
	struct text t = TEXT_IN(path);

	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (limit_as(prior, i, e) < 0)
			return -e->code;
	text_fmt(&t, "/proc/%d/oom_score_adj", (int)prior);
	if (file_line(path, score, sizeof score, e) < 0 ||
	    (file_write(AT_FDCWD, "/proc/self/oom_score_adj", score, e) < 0 && e->code != EACCES))
		return -e->code;
	errno = 0;
	const int nice = getpriority(PRIO_PROCESS, (id_t)prior);

	if ((nice == -1 && errno) || (setpriority(PRIO_PROCESS, 0, nice) < 0 && errno != EACCES && errno != EPERM))
		return err_sys(e, "nice value of prior (pid %d)", (int)prior);
	return 0;
}

/* The command's exit code, or what cell_join() and we say. */
static int run_in(const struct ctl *c, struct cell_start *s, int pidfd, struct relay *r, struct err *e)
{
	int ended_by = 0;
	pid_t pid;

	s->stdin_fd = r->theirs[0];
	s->stdio = s->terminal = r->terminal;
	s->out_fd = r->terminal ? 0 : r->theirs[1];
	s->log_fd = r->terminal ? r->theirs[0] : r->theirs[2];
	if (cell_join(s, pidfd, 0, &pid, e) < 0)
		return -e->code;
	relay_given(r);
	const int status = relay_run(r, pid, &ended_by, e);

	if (status < 0)
		return status;
	if (ended_by)
		return 128 + ended_by;
	if (WIFEXITED(status) && WEXITSTATUS(status) == JOIN_NOT_FOUND && s->words == shell)
		ctl_say(c, 0, "there is no /bin/sh in the cell of %s: give a command that is there, behind --",
			c->args[0]);
	if (!WIFEXITED(status))
		ctl_say(c, 0, "%s has ended, and what was in its cell with it", c->args[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int enter(const struct ctl *c, const struct live *l, const struct view *v, struct err *e)
{
	owned_fd pidfd = FD_NONE, leaf = FD_NONE;
	struct relay r;
	char vars[64];

	if (live_is_trusted(l, e) < 0)		/* before we are somebody else */
		return -e->code;
	if (!live_enter_users(l))
		return err_set(e, EPERM, "only root, or whose prior it is, may enter a cell");
	if (find_cell(l, v, l->peer.pid, &pidfd, &leaf, e) < 0 ||
	    begin_as(l->peer.pid, e) < 0 || relay_open(&r, isatty(0) && isatty(1), e) < 0)
		return -e->code;
	struct cell_start s = {
		.plan = &l->plan, .service = v->index, .cgroup_fd = leaf, .nofile = l->ledger.head->nofile,
		.words = c->nargs > 1 ? c->args + 1 : shell, .keep_root = has(c, OPT_PRIVILEGED),
		.vars = r.terminal ? term_variable(vars, sizeof vars) : NULL,
	};
	const int rc = run_in(c, &s, pidfd, &r, e);

	relay_close(&r);
	return rc;
}

int verb_enter(struct ctl *c)
{
	const char *const name[] = { c->args[0], NULL };
	struct views views = { 0 };
	struct live live = { 0 };
	struct err e;
	int rc = -1;

	if (live_open(&live, ctl_run_dir(c), &e) < 0)
		return ctl_fail(c, JOIN_FAILED, &e);
	if (views_take(&views, &live, name, mono_now().ms, &e) == 0) {
		const char *why = closed(&views.v[0]);

		if (why)
			err_set(&e, ESRCH, "%s: %s; `prior why %s` says more", name[0], why, name[0]);
		else if ((rc = enter(c, &live, &views.v[0], &e)) < 0)
			err_in(&e, "%s", name[0]);
		views_free(&views);
	}
	live_close(&live);
	return rc < 0 ? ctl_fail(c, JOIN_FAILED, &e) : rc;
}
