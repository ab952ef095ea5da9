/* clone3(2) where it is hidden: see sys_clone3() in sys.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/fd.h"
#include <sched.h>
#include <stddef.h>

#define LAST_SIGNAL 64
#define BY_CLONE (~(uint64_t)CSIGNAL & 0xffffffffu)	/* the flags that clone(2) has room for */

/* What CLONE_CLEAR_SIGHAND does. */
static void clear_handlers(void)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	struct sigaction a;

	for (int s = 1; s <= LAST_SIGNAL; s++)
		if (sigaction(s, NULL, &a) == 0 && a.sa_handler != SIG_DFL && a.sa_handler != SIG_IGN)
			sigaction(s, &usual, NULL);
}

/*
 * What CLONE_INTO_CGROUP does, before anything else, and a cgroup namespace in there. It is that group, or there is no
 * child.
 */
static void enter_group(int group, uint64_t space)
{
	owned_fd procs = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	if (procs < 0 || write(procs, "0", 1) != 1 || (space && unshare((int)space) < 0))
		_exit(126);
}

pid_t clone_without(const struct clone_args *a)
{
	const uint64_t more = a->flags & ~BY_CLONE;
	/* The root of a cgroup namespace is the group that its maker is in: the child makes it when it is there. */
	const uint64_t later = more & CLONE_INTO_CGROUP ? a->flags & CLONE_NEWCGROUP : 0;

	if (a->flags & CLONE_VM || a->stack || more & ~(CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP)) {
		errno = ENOSYS;
		return -1;
	}
	/* The third argument is the same on all architectures; with CLONE_PIDFD it is where that goes. */
	const unsigned long flags = (unsigned long)(a->flags & BY_CLONE & ~later) | a->exit_signal;
	const pid_t pid = (pid_t)syscall(SYS_clone, flags, NULL, (int *)(uintptr_t)a->pidfd, NULL, NULL);

	if (pid == 0 && more & CLONE_INTO_CGROUP)
		enter_group((int)a->cgroup, later);
	if (pid == 0 && more & CLONE_CLEAR_SIGHAND)
		clear_handlers();
	return pid;
}
