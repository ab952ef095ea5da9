/* PID 1's side of the logger: start it, hand it streams. No heap, nothing blocks. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/pass.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/logs/logs.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SOCK_FD 3
#define CONSOLE_FD 4

/*
 * In the child: nothing here may allocate or fail in a way that matters, for nobody is told but by the exit
 * status.
 */
static _Noreturn void become_logger(int exe_fd, int sock, int console)
{
	char *const argv[] = { "prior-logger", NULL };
	char *env[] = { getenv("NO_COLOR") ? "NO_COLOR=1" : NULL, NULL };
	sigset_t none;

	/* Out of the way of 3 and 4 first. */
	sock = fcntl(sock, F_DUPFD, 16);
	if (console >= 0)
		console = fcntl(console, F_DUPFD, 16);
	exe_fd = fcntl(exe_fd, F_DUPFD_CLOEXEC, 16);
	if (sock < 0 || exe_fd < 0 || dup2(sock, SOCK_FD) < 0)
		_exit(126);
	if (console < 0)
		fd_drop(&(int){ CONSOLE_FD });
	else if (dup2(console, CONSOLE_FD) < 0)
		_exit(126);
	sys_close_range(CONSOLE_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	/* A session of its own: the terminal's signals and job control are none of its business. */
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_execveat, exe_fd, "", argv, env, AT_EMPTY_PATH);
	_exit(127);
}

static pid_t fork_into(int cgroup_fd)
{
	struct clone_args a = { .exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND };

	if (cgroup_fd >= 0) {
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)cgroup_fd;
	}
	return sys_clone3(&a);
}

int logger_start(int exe_fd, int cgroup_fd, const struct logger_setup *s, int console_fd, int *pid, int *sock,
		 struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "logger: socket");
	owned_fd ours = pair[0], its = pair[1];

	if (send(ours, s, sizeof *s, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)sizeof *s)
		return err_sys(e, "logger: its first message");
	pid_t child = fork_into(cgroup_fd);

	if (child == 0)
		become_logger(exe_fd, its, console_fd);
	if (child < 0)
		return err_sys(e, "logger: fork");
	*pid = child;
	*sock = fd_take(&ours);
	return 0;
}

int logger_send(int sock, const struct logger_add *a, const int *read_ends, unsigned n, struct err *e)
{
	for (unsigned i = 0; i < n; i++)
		if (read_ends[i] < 0)
			return err_set(e, EBADF, "logger: the stream of %s has no reading end", a[i].name);
	if (pass_send_many(sock, a, n * sizeof *a, read_ends, n, MSG_DONTWAIT) < 0)
		return err_sys(e, "logger: hand over the stream of %s%s", a->name, n > 1 ? " and others" : "");
	return 0;
}

int logger_flush(int sock, const char *name, struct err *e)
{
	struct logger_add a = { 0 };

	text_copy(a.name, sizeof a.name, name);
	if (pass_send(sock, &a, sizeof a, FD_NONE, MSG_DONTWAIT) < 0)
		return err_sys(e, "logger: flush the stream of %s", name);
	return 0;
}
