/* PID 1's side of the endpoint: a child in namespaces of its own, with an empty root. No heap, nothing blocks. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/mount.h"
#include "services/http/http.h"
#include <fcntl.h>
#include <sys/socket.h>

#define SPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP)
#define PRIVATE_ALL ((1u << 18) | (1u << 14))	/* MS_PRIVATE | MS_REC: see sys.h for why not by name */
#define MOVED 16	/* first number out of the way of those that it gets */

/* Nothing is mounted in it, and nothing can be written to it. */
static int empty_root(struct err *e)
{
	owned_fd root = mount_new("tmpfs", "size=4k,nr_inodes=1,mode=0555",
				  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, e);

	if (root < 0 || sys_mount("none", "/", NULL, PRIVATE_ALL, NULL) < 0)
		return -1;
	return root_lay(root, e) < 0 ? -1 : root_enter(root, e);
}

/* In the child. Nothing of PID 1's memory is left after the exec; that it failed is told by the exit status. */
static _Noreturn void become_http(int exe, int listener, int sock, int cgroup, bool spaces)
{
	char *const argv[] = { "prior-http", spaces ? "spaces" : "none", NULL }, *const env[] = { NULL };
	const int from[] = { fcntl(listener, F_DUPFD, MOVED), fcntl(sock, F_DUPFD, MOVED),
			     fcntl(cgroup, F_DUPFD, MOVED) };
	struct err ignored;
	sigset_t none;

	const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	exe = fcntl(exe, F_DUPFD_CLOEXEC, MOVED);
	for (int fd = 0; fd < 3; fd++)	/* not even the log is its to write to */
		if (dup2(nowhere, fd) < 0)
			sys_close_range((unsigned)fd, (unsigned)fd, 0);
	if (exe < 0 || dup2(from[0], 3) < 0 || dup2(from[1], 4) < 0 || (spaces && empty_root(&ignored) < 0))
		_exit(126);
	if (dup2(from[2], 5) < 0)
		sys_close_range(5, 5, 0);
	sys_close_range(6, ~0u, CLOSE_RANGE_CLOEXEC);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_execveat, exe, "", argv, env, AT_EMPTY_PATH);
	_exit(127);
}

int http_start(int exe_fd, int listen_fd, int cgroup_fd, int *pid, int *sock, struct err *e)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND | SPACES, .exit_signal = SIGCHLD };
	bool spaces = true;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "endpoint: socket");
	owned_fd ours = pair[0], its = pair[1];
	pid_t child = sys_clone3(&a);

	if (child < 0) {	/* a container; it says what it goes without */
		a.flags = CLONE_CLEAR_SIGHAND;
		spaces = false;
		child = sys_clone3(&a);
	}
	if (child == 0)
		become_http(exe_fd, listen_fd, its, cgroup_fd, spaces);
	if (child < 0)
		return err_sys(e, "endpoint: fork");
	*pid = child;
	*sock = fd_take(&ours);
	return 0;
}
