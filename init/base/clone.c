/* clone3(2) where it is hidden: see sys_clone3() in sys.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/fd.h"
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

/* What CLONE_INTO_CGROUP does, before anything else. It is that group, or there is no child. */
static void enter_group(int group)
{
	owned_fd procs = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	if (procs < 0 || write(procs, "0", 1) != 1)
		_exit(126);
}

pid_t clone_without(const struct clone_args *a)
{
	const uint64_t more = a->flags & ~BY_CLONE;

	if (a->flags & CLONE_VM || a->stack || more & ~(CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP)) {
		errno = ENOSYS;
		return -1;
	}
	/* The third argument is the same on all architectures; with CLONE_PIDFD it is where that goes. */
	const pid_t pid = (pid_t)syscall(SYS_clone, (unsigned long)(a->flags & BY_CLONE) | a->exit_signal, NULL,
					 (int *)(uintptr_t)a->pidfd, NULL, NULL);

	if (pid == 0 && more & CLONE_INTO_CGROUP)
		enter_group((int)a->cgroup);
	if (pid == 0 && more & CLONE_CLEAR_SIGHAND)
		clear_handlers();
	return pid;
}
