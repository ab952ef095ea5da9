/* Joining a running cell: a hook or a health check under the service's own rules, beside its processes. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/*
 * Two processes. The one that PID 1 clones (the guide) lies in the service's cgroup, joins its namespaces, and waits;
 * it stays in the machine's pid namespace, where nothing of the cell can see it. Its child goes through the same steps
 * as the service did, but for those that make what is there already, and executes the command.
 */
static const struct {
	uint32_t flag;
	int clone;
} joined[] = {
	{ CELL_MOUNT, CLONE_NEWNS },	{ CELL_NET, CLONE_NEWNET },  { CELL_PID, CLONE_NEWPID },
	{ CELL_IPC, CLONE_NEWIPC },	{ CELL_UTS, CLONE_NEWUTS },  { CELL_CGROUP, CLONE_NEWCGROUP },
	{ CELL_TIME, CLONE_NEWTIME },
};

/* All but the user namespace, which takes away what the steps before it need. */
static int join_spaces(struct cell *c, struct err *e)
{
	int flags = 0;

	for (unsigned i = 0; i < sizeof joined / sizeof *joined; i++)
		flags |= has(c, joined[i].flag) ? joined[i].clone : 0;
	if (flags && setns(c->guest_of, flags) < 0)
		return err_sys(e, "join its namespaces");
	return 0;
}

/* Into the log of the service: whoever reads there wants to know why a hook or a check has failed. */
static int say(const struct cell *c, const struct err *e)
{
	const char *what = c->start->words ? c->start->words[0] : plan_str(c->plan, c->command.exe);

	dprintf(2, "prior: %s: %s: %s\n", plan_str(c->plan, c->svc->name), what, e->text);
	return JOIN_FAILED;
}

/* In the cell's root and namespaces, but as the machine's root: only what a session of its own takes. */
static int stay_root(struct cell *c, struct err *e)
{
	if (step_death_signal(c, e) < 0 || step_signals(c, e) < 0 || step_session(c, e) < 0 ||
	    default_nofile(c, e) < 0 || step_umask(c, e) < 0 || step_unblock(c, e) < 0)
		return -e->code;
	return chdir("/") < 0 ? err_sys(e, "chdir /") : 0;
}

/*
 * Who enters comes from a session, and its keys are not the cell's, which may have no keyring of its own. A container's
 * filter says EPERM: keys cannot be asked for behind it either.
 */
static int leave_keyring(struct cell *c, struct err *e)
{
	if (!c->start->words || step_keyring(c, e) == 0 || e->code == EPERM)
		return 0;
	return err_in(e, "session keyring");
}

static int guest_life(struct cell *c)
{
	struct err e = { 0 };
	uint32_t code = 0;

	if (leave_keyring(c, &e) < 0 ||
	    (c->start->keep_root ? stay_root(c, &e) : steps_walk(c, BY_SERVICE, &code, &e)) < 0)
		return say(c, &e);
	errno = become(c);
	code = !c->start->words ? JOIN_FAILED : errno == ENOENT ? JOIN_NOT_FOUND : JOIN_NOT_EXECUTABLE;
	err_sys(&e, "exec");
	say(c, &e);
	return (int)code;
}

/* Its process group goes with it, whether it ended by itself or not in time. */
static int wait_for_guest(pid_t pid, uint32_t timeout_ms)
{
	owned_fd pidfd = sys_pidfd_open(pid);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int status, rc = poll(&p, 1, timeout_ms ? (int)timeout_ms : -1);

	if (rc == 0)
		kill(pid, SIGKILL);
	kill(-pid, SIGKILL);
	if (sys_wait(pid, &status) < 0)
		return JOIN_FAILED;
	if (rc == 0)
		return JOIN_TIMED_OUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int guide_life(struct cell *c, uint32_t timeout_ms)
{
	struct err e = { 0 };

	sys_batch(0, false);
	/* Before anybody in the cell could see the child. Without root there is nobody to hide from. */
	if (prctl(PR_SET_NAME, "prior-guide") < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    (geteuid() == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		return JOIN_FAILED;
	if (gather(c, &e) < 0)
		return JOIN_FAILED;
	c->guest_of = c->report;
	if (machine_proc(c, &e) < 0 || join_spaces(c, &e) < 0)
		return say(c, &e);
	const pid_t pid = fork();

	if (pid < 0) {
		err_sys(&e, "fork (is pids_max too low for it?)");
		return say(c, &e);
	}
	if (pid == 0)
		_exit(guest_life(c));
	return wait_for_guest(pid, timeout_ms);
}
