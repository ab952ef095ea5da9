/* Steps for `user: first`: a user namespace to which the cell's other namespaces belong. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "netns/net.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/*
 * A namespace belongs to the user namespace of whoever makes it. Somebody must therefore be born in that one together
 * with the others: the owner, a process that does nothing. The builder stays root of the machine and enters what was
 * made, so that mounts, devices and networks are made as for every cell; the service enters the user namespace at its
 * usual place. With a pid namespace the owner is the process 1 of it, and becomes the reaper; else it is gone as soon
 * as it was joined.
 */
static const struct {
	uint32_t flag;
	int clone;
} owned[] = {
	{ CELL_PID, CLONE_NEWPID }, { CELL_NET, CLONE_NEWNET },	      { CELL_IPC, CLONE_NEWIPC },
	{ CELL_UTS, CLONE_NEWUTS }, { CELL_CGROUP, CLONE_NEWCGROUP }, { CELL_TIME, CLONE_NEWTIME },
};

/* All but the user namespace itself and the mounts: those are copied when they are complete. */
static int owned_flags(const struct cell *c)
{
	int flags = 0;

	for (unsigned i = 0; i < sizeof owned / sizeof *owned; i++)
		flags |= has(c, owned[i].flag) ? owned[i].clone : 0;
	return flags;
}

/* wait: ends when the builder has joined. Only then does the reaper make itself unapproachable. */
static _Noreturn void owner_life(struct cell *c, int wait)
{
	struct err e = { 0 };
	char none;

	if (read(wait, &none, 1) < 0 || !has(c, CELL_PID))
		_exit(0);
	reaper_life(&e);
	_exit(cell_failed(c, CODE_NAMESPACE, false, &e));
}

static int fork_owner(struct cell *c, int flags, int *pidfd, pid_t *pid, int wait[2], struct err *e)
{
	const bool stays = has(c, CELL_PID);	/* then it is PID 1's child, as the reaper is */
	struct clone_args a = {
		.flags = (uint64_t)(flags | CLONE_NEWUSER | CLONE_PIDFD | (stays ? CLONE_PARENT : 0)),
		.pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = stays ? 0 : SIGCHLD,
	};

	*pid = sys_clone3(&a);
	if (*pid == 0) {
		fd_drop(&wait[1]);
		owner_life(c, wait[0]);
	}
	if (*pid < 0)
		return err_sys(e, "make it, and the others in it");
	if (stays)
		c->reaper = *pid;
	return 0;
}

static int join_owner(struct cell *c, int flags, int pidfd, pid_t pid, struct err *e)
{
	char path[32];

	if (maps_write(c, pid, e) < 0)
		return -e->code;
	snprintf(path, sizeof path, "%d/ns/user", (int)pid);
	c->owner = openat(c->machine_proc, path, O_RDONLY | O_CLOEXEC);
	if (c->owner < 0)
		return err_sys(e, "open it");
	if (leads_out(c) && net_open(&c->machine_net, e) < 0)
		return err_in(e, "the machine's network");
	if (flags && setns(pidfd, flags) < 0)
		return err_sys(e, "join what belongs to it");
	c->has_network = has(c, CELL_NET);
	return 0;
}

int step_owner(struct cell *c, struct err *e)
{
	const int flags = owned_flags(c);
	int pair[2], fd = FD_NONE;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	owned_fd theirs = pair[0], ours = pair[1];

	if (fork_owner(c, flags, &fd, &pid, pair, e) < 0)
		return -e->code;
	owned_fd pidfd = fd;
	const int ret = join_owner(c, flags, pidfd, pid, e);

	fd_drop(&ours);
	if (!c->reaper)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	return ret;
}

bool is_owner(struct cell *c)
{
	return c->owner >= 0 && c->has_network == has(c, CELL_NET);
}

/*
 * The copy belongs to the user namespace we are in; the kernel locks its mounts, so that what lies over something, or
 * is read-only, stays so, whatever is mounted besides. The program is found again: it is to lie in these mounts.
 */
int step_own_mounts(struct cell *c, struct err *e)
{
	const struct file_id before = c->exe_id;

	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "copy the mounts");
	fd_drop(&c->exe);
	if (step_executable(c, e) < 0)
		return -e->code;
	if (before.dev != c->exe_id.dev || before.ino != c->exe_id.ino)
		return err_set(e, ESTALE, "the program is another file than before");
	return 0;
}
