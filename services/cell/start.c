/* PID 1's side of a start: clone the child, read what it reports. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "services/cell/attest.h"
#include "services/cell/inner.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Where the user namespace is first, all but the mounts are born with it (step_owner.c). */
static const struct {
	uint32_t flag;
	uint64_t clone;
} clone_with[] = {
	{ CELL_MOUNT, CLONE_NEWNS },
	{ CELL_IPC, CLONE_NEWIPC },
	{ CELL_UTS, CLONE_NEWUTS },
	{ CELL_CGROUP, CLONE_NEWCGROUP },	/* its root is the leaf, because the clone is born there */
};

/* The network namespace is the builder's doing (it needs a socket in the old one); pid and time are its children's. */
void cell_clone_args(const struct cell *c, struct clone_args *a)
{
	*a = (struct clone_args){ .flags = CLONE_CLEAR_SIGHAND };
	if (c->svc->runtime_kind)	/* the runtime makes the others; these are to lay its root ready in */
		a->flags |= CLONE_NEWNS;
	for (unsigned i = 0; !c->svc->runtime_kind && i < sizeof clone_with / sizeof *clone_with; i++)
		if (c->svc->flags & clone_with[i].flag && !(i > 0 && c->svc->flags & CELL_USER_FIRST))
			a->flags |= clone_with[i].clone;
	if (c->start->cgroup_fd >= 0) {
		a->flags |= CLONE_INTO_CGROUP;
		a->cgroup = (uint64_t)c->start->cgroup_fd;
	}
}

bool cell_is_direct(const struct plan *p, uint32_t service, int attest)
{
	const uint32_t flags = plan_service(p, service)->flags;

	return !(flags & (CELL_NAMESPACES | CELL_POLICIES)) && !(attest && (flags & CELL_ATTEST));
}

void cell_of(struct cell *c, const struct cell_start *s, int report)
{
	*c = (struct cell){
		.start = s, .plan = s->plan, .svc = plan_service(s->plan, s->service), .began_us = mono_us(),
		.report = report, .sync = FD_NONE, .machine_proc = FD_NONE, .procfs = FD_NONE, .root = FD_NONE,
		.scratch = FD_NONE, .exe = FD_NONE, .leaf = FD_NONE, .net = FD_NONE, .policy = { FD_NONE, FD_NONE },
		.guest_of = FD_NONE, .owner = FD_NONE,
	};
	c->command = s->command ? *s->command : (struct plan_command){ c->svc->argv, c->svc->exe };
}

/* The child starts with every signal blocked: nothing interrupts it half way, and PID 1's handlers are not its own. */
static pid_t clone_child(struct clone_args *a, sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, before);
	return sys_clone3(a);
}

int cell_start(const struct cell_start *s, pid_t *pid, int *pidfd, int *report, bool *direct, struct err *e)
{
	int pair[2], child_pidfd = FD_NONE;
	struct clone_args a;
	struct cell c;
	sigset_t before;

	if (s->attest && (plan_service(s->plan, s->service)->flags & CELL_ATTEST))
		attest_remember();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_sys(e, "report socket");
	owned_fd ours = pair[0], theirs = pair[1];

	cell_of(&c, s, theirs);
	cell_clone_args(&c, &a);
	a.flags |= CLONE_PIDFD;
	a.pidfd = (uint64_t)(uintptr_t)&child_pidfd;
	a.exit_signal = SIGCHLD;
	*direct = cell_is_direct(s->plan, s->service, s->attest);
	const pid_t child = clone_child(&a, &before);

	if (child == 0)
		_exit(*direct ? direct_life(&c) : builder_life(&c));
	const int code = errno;

	sigprocmask(SIG_SETMASK, &before, NULL);
	if (child < 0)
		return err_set(e, code, "clone into the cell: %s", strerror(code));
	*pid = child;
	*pidfd = child_pidfd;
	*report = fd_take(&ours);
	return 0;
}

int cell_join(const struct cell_start *s, int pidfd, uint32_t timeout_ms, pid_t *pid, struct err *e)
{
	struct cell c = {
		.start = s, .plan = s->plan, .svc = plan_service(s->plan, s->service), .began_us = mono_us(),
		.sync = FD_NONE, .machine_proc = FD_NONE, .procfs = FD_NONE, .root = FD_NONE,
		.scratch = FD_NONE, .exe = FD_NONE, .owner = FD_NONE, .guest_of = pidfd, .report = pidfd,
		.has_network = true,
		.leaf = FD_NONE, .net = FD_NONE, .policy = { FD_NONE, FD_NONE },
	};
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	sigset_t before;

	if (s->command)
		c.command = *s->command;
	if (pidfd < 0)
		return err_set(e, ESRCH, "it has no main process whose cell could be joined");
	if (s->cgroup_fd >= 0) {
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)s->cgroup_fd;
	}
	const pid_t child = clone_child(&a, &before);

	if (child == 0)
		_exit(guide_life(&c, timeout_ms));
	const int code = errno;

	sigprocmask(SIG_SETMASK, &before, NULL);
	if (child < 0)
		return err_set(e, code, "clone into the cell: %s", strerror(code));
	*pid = child;
	return 0;
}

int cell_find(const struct cell_start *s, pid_t reaper, pid_t *pid, int *report, struct err *e)
{
	owned_fd reaper_fd = reaper > 0 ? sys_pidfd_open(reaper) : FD_NONE;
	const int pass[] = { s->cgroup_fd, reaper_fd };
	struct cell_start start = *s;
	struct cell c = {
		.start = &start, .plan = s->plan, .svc = plan_service(s->plan, s->service), .began_us = mono_us(),
		.sync = FD_NONE, .machine_proc = FD_NONE, .procfs = FD_NONE, .root = FD_NONE, .scratch = FD_NONE,
		.exe = FD_NONE, .leaf = FD_NONE, .net = FD_NONE, .policy = { FD_NONE, FD_NONE },
		.guest_of = s->cgroup_fd, .owner = FD_NONE,
	};
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP, .exit_signal = SIGCHLD,
				.cgroup = (uint64_t)s->cgroup_fd };
	sigset_t before;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_sys(e, "report socket");
	owned_fd ours = pair[0], theirs = pair[1];

	start.pass = pass;
	start.npass = reaper_fd >= 0 ? 2 : 1;
	c.report = theirs;
	const pid_t child = clone_child(&a, &before);

	if (child == 0)
		_exit(finder_life(&c, reaper));
	const int code = errno;

	sigprocmask(SIG_SETMASK, &before, NULL);
	if (child < 0)
		return err_set(e, code, "clone into the cell: %s", strerror(code));
	*pid = child;
	*report = fd_take(&ours);
	return 0;
}

int cell_report_read(int report, struct cell_report *r, struct err *e)
{
	const ssize_t n = read(report, r, sizeof *r);

	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n < 0)
		return err_sys(e, "report socket");
	if (n != sizeof *r)
		return err_set(e, EBADMSG, "report of %zd bytes; %zu were due", n, sizeof *r);
	r->err.text[sizeof r->err.text - 1] = '\0';
	return 1;
}
