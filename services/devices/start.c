/* PID 1's side of the helper for devices: a child that gets the plan and a socket. No heap, nothing blocks. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/devices/devices.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#define MOVED 16	/* first number out of the way of those that it gets */

bool devices_are_asked_for(const struct plan *p)
{
	bool asked = p->head->device_rules.n;

	for (uint32_t i = 0; i < p->head->services.n && !asked; i++)
		asked = plan_service(p, i)->needs_devices.n;
	return asked;
}

/* In the child. Nothing of PID 1's memory is left after the exec; that it failed is told by the exit status. */
static _Noreturn void become_devices(int exe, int plan, int sock)
{
	char *const argv[] = { "prior-devices", NULL }, *const env[] = { NULL };
	const int from[] = { fcntl(plan, F_DUPFD, MOVED), fcntl(sock, F_DUPFD, MOVED) };
	sigset_t none;

	exe = fcntl(exe, F_DUPFD_CLOEXEC, MOVED);
	if (exe < 0 || dup2(from[0], 3) < 0 || dup2(from[1], 4) < 0)
		_exit(126);
	sys_close_range(5, ~0u, CLOSE_RANGE_CLOEXEC);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_execveat, exe, "", argv, env, AT_EMPTY_PATH);
	_exit(127);
}

int devices_start(int exe_fd, int plan_fd, int *pid, int *sock, struct err *e)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "devices: socket");
	owned_fd ours = pair[0], its = pair[1];
	const pid_t child = sys_clone3(&a);

	if (child == 0)
		become_devices(exe_fd, plan_fd, its);
	if (child < 0)
		return err_sys(e, "devices: fork");
	*pid = child;
	*sock = fd_take(&ours);
	return 0;
}
