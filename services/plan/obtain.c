/* PID 1's side of the compiler: start it, wait with a bound, take the plan; its crash is an error value here. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/pass.h"
#include "init/base/sys.h"
#include "init/conf/value.h"
#include "services/plan/anchor.h"
#include "services/plan/compile.h"
#include "services/plan/enabled.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MOVED 10	/* first number out of the way of 2 and 3 */

extern char **environ;

/* A configuration that is a descriptor of ours ("/proc/self/fd/N", a memfd) goes along under a number of its own. */
static int take_along(const char *path, char *to, size_t size)
{
	int n, end = 0;

	if (sscanf(path, "/proc/self/fd/%d%n", &n, &end) != 1 || path[end])
		return FD_NONE;
	n = fcntl(n, F_DUPFD, MOVED);
	snprintf(to, size, "/proc/self/fd/%d", n);
	return n;
}

/* Between fork and exec. Everything that is not meant for the compiler is closed by the exec. */
static _Noreturn void become_compiler(int exe, int sock, int problems, const char *path, bool container,
				      const char *const *instances)
{
	char along[32];
	int config = take_along(path, along, sizeof along);
	char *argv[4 + PLAN_ASKED_MAX] = { "prior-compiler", config < 0 ? (char *)path : along,
					   container ? "container" : "machine" };
	sigset_t none;

	if (!instances)
		argv[3] = (char *)ENABLED_INSTANCES;
	for (unsigned i = 0; instances && instances[i] && i < PLAN_ASKED_MAX; i++)
		argv[3 + i] = (char *)instances[i];

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	exe = fcntl(exe, F_DUPFD_CLOEXEC, MOVED);
	sock = fcntl(sock, F_DUPFD_CLOEXEC, MOVED);
	problems = problems < 0 ? problems : fcntl(problems, F_DUPFD_CLOEXEC, MOVED);
	if (exe < 0 || sock < 0 || dup2(sock, 3) < 0 || (problems >= 0 && dup2(problems, 2) < 0) ||
	    sys_close_range(4, ~0u, CLOSE_RANGE_CLOEXEC) < 0 || (config >= 0 && fcntl(config, F_SETFD, 0) < 0))
		_exit(126);
	syscall(SYS_execveat, exe, "", argv, environ, AT_EMPTY_PATH);
	_exit(127);
}

int compiler_start(struct compiler_child *child, int exe_fd, const char *path, bool container,
		   const char *const *instances, int problems_fd, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "compiler: socket");
	owned_fd ours = pair[0], theirs = pair[1];
	pid_t pid = fork();	/* no vfork(): with our memory it would have our faults, too, see panic_arm() */

	if (pid < 0)
		return err_sys(e, "compiler: fork");
	if (pid == 0)
		become_compiler(exe_fd, theirs, problems_fd, path, container, instances);
	*child = (struct compiler_child){ .pid = pid, .socket = fd_take(&ours) };
	return 0;
}

/* Its end, which is near: it has answered, or its side of the socket is closed, or it is killed. */
static int reap(struct compiler_child *child)
{
	int status = 0;

	if (sys_wait(child->pid, &status) < 0)
		return 0;	/* somebody else has reaped it */
	child->pid = 0;
	return status;
}

static int ended_badly(struct compiler_child *child, const char *path, struct err *e)
{
	int status = reap(child);
	char name[VALUE_TEXT];

	if (WIFSIGNALED(status))
		return err_set(e, EPROTO, "compiler: killed by %s while reading %s",
			       value_signal_text(WTERMSIG(status), name), path);
	return err_set(e, EPROTO, "compiler: ended with code %d and without an answer while reading %s",
		       WEXITSTATUS(status), path);
}

int compiler_finish(struct compiler_child *child, const char *path, int timeout_ms, int *plan_fd,
		    struct compiler_report *report, struct err *e)
{
	owned_fd sock = child->socket, fd = FD_NONE;
	struct compiler_report r = { 0 };
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int64_t until = mono_now().ms + timeout_ms, left = timeout_ms;
	int ready;

	while ((ready = poll(&p, 1, left > 0 ? (int)left : 0)) < 0 && errno == EINTR)
		left = until - mono_now().ms;
	child->socket = FD_NONE;
	if (ready == 0) {
		kill(child->pid, SIGKILL);
		reap(child);
		return err_set(e, ETIMEDOUT, "compiler: took longer than %d ms to read %s; killed", timeout_ms, path);
	}
	if (pass_receive(sock, &r, sizeof r, &fd, MSG_DONTWAIT) != (ssize_t)sizeof r)
		return ended_badly(child, path, e);
	/* It has nothing left to do; should it linger all the same, nobody waits for it. */
	kill(child->pid, SIGKILL);
	reap(child);
	r.err.text[sizeof r.err.text - 1] = '\0';
	*report = r;
	if (r.err.code || fd < 0)
		return err_set(e, r.err.code > 0 ? r.err.code : EPROTO, "%s",
			       r.err.code ? r.err.text : "compiler: an answer without a plan");
	*plan_fd = fd_take(&fd);
	return 0;
}

int compiler_answer(int socket, int *plan_fd, struct compiler_report *report, struct err *e)
{
	struct compiler_report r = { 0 };
	owned_fd fd = FD_NONE;
	ssize_t n = pass_receive(socket, &r, sizeof r, &fd, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n != (ssize_t)sizeof r)
		return -EPIPE;
	r.err.text[sizeof r.err.text - 1] = '\0';
	*report = r;
	if (r.err.code || fd < 0)
		return err_set(e, r.err.code > 0 ? r.err.code : EPROTO, "%s",
			       r.err.code ? r.err.text : "compiler: an answer without a plan");
	*plan_fd = fd_take(&fd);
	return 1;
}

int plan_is_for(const struct plan *p, const char *path, bool container, struct err *e)
{
	if (container || !(p->head->flags & PLAN_F_CONTAINER))
		return 0;
	return err_set(e, EINVAL, "%s: is a plan for a container, and this is a machine: compile it without "
		       "--container", path);
}

/* 1: the path is a compiled plan, taken over and checked; 0: it is something else. */
static int take_plan_file(const char *path, bool container, int *plan_fd, struct plan *p,
			  struct compiler_report *report, struct err *e)
{
	owned_fd file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), fd = FD_NONE;
	char magic[8] = "", trust[ANCHOR_MAX];
	struct stat st;

	/* The compiler puts into it what was said, and checks its signature. */
	if (enabled_is_used(getenv(ENABLED_ENV)) || anchor_find(container, trust))
		return 0;
	if (file < 0 || fstat(file, &st) < 0 || !S_ISREG(st.st_mode) ||
	    pread(file, magic, sizeof magic, 0) != (ssize_t)sizeof magic || memcmp(magic, PLAN_MAGIC,
										   sizeof magic) != 0)
		return 0;
	if (plan_seal(file, &fd, e) < 0 || plan_map(p, fd, e) < 0)
		return err_in(e, "%s", path);
	if (plan_is_for(p, path, container, e) < 0) {
		plan_unmap(p);
		return -e->code;
	}
	*report = (struct compiler_report){ 0 };
	*plan_fd = fd_take(&fd);
	return 1;
}

int plan_obtain(int exe_fd, const char *path, bool container, int problems_fd, int timeout_ms, int *plan_fd,
		struct plan *p, struct compiler_report *report, struct err *e)
{
	struct compiler_child child;
	owned_fd fd = FD_NONE;
	int ret = take_plan_file(path, container, plan_fd, p, report, e);

	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = compiler_start(&child, exe_fd, path, container, NULL, problems_fd, e);
	if (ret == 0)
		ret = compiler_finish(&child, path, timeout_ms, &fd, report, e);
	if (ret == 0)
		ret = plan_map(p, fd, e);
	if (ret == 0)
		*plan_fd = fd_take(&fd);
	return ret;
}
