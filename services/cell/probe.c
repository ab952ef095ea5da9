/* The health check over the network: a process of its own in the service's network, which can do nothing else. */
/* SPDX-License-Identifier: ISC */
#include "init/base/allowlist.h"
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/inner.h"
#include "services/plan/types.h"
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define NOBODY 65534
#define ANSWER_MAX 4096		/* of the answer, only its first line is looked at */

enum word { WORD_SELF, WORD_SERVICE, WORD_ADDRESS, WORD_PORT, WORD_TIMEOUT, WORD_HOST, WORD_PATH, WORDS };

/* In the child. Nothing of PID 1's memory is left after the exec, and nobody but the log hears of it. */
static _Noreturn void become_probe(const struct cell_start *s, int exe_fd, int pidfd, bool join, char **argv)
{
	char *const env[] = { NULL };
	sigset_t none;

	exe_fd = fcntl(exe_fd, F_DUPFD_CLOEXEC, 16);
	pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, 16);
	const int log = fcntl(s->log_fd >= 0 ? s->log_fd : 2, F_DUPFD_CLOEXEC, 16);

	if (exe_fd < 0 || pidfd < 0 || dup2(log, 2) < 0 || (join && setns(pidfd, CLONE_NEWNET) < 0))
		_exit(JOIN_FAILED);
	sys_close_range(0, 1, 0);
	sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_execveat, exe_fd, "", argv, env, AT_EMPTY_PATH);
	_exit(JOIN_FAILED);
}

int cell_probe(const struct cell_start *s, int exe_fd, int pidfd, pid_t *pid, struct err *e)
{
	const struct plan_service *d = plan_service(s->plan, s->service);
	const struct plan_care *care = plan_care(s->plan, d);
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	char address[INET6_ADDRSTRLEN], port[16], timeout[16];
	struct text p = TEXT_IN(port), t = TEXT_IN(timeout);
	const char *words[WORDS + 1] = { [WORD_SELF] = "prior-probe", [WORD_SERVICE] = plan_str(s->plan, d->name),
		[WORD_ADDRESS] = address, [WORD_PORT] = port, [WORD_TIMEOUT] = timeout };

	if (pidfd < 0)
		return err_set(e, ESRCH, "it has no main process whose network could be joined");
	inet_ntop(care->check_addr.family, care->check_addr.ip, address, sizeof address);
	text_num(&p, care->check_port);
	text_num(&t, care->timeout_ms);
	if (care->check_kind == HEALTH_BY_HTTP) {
		words[WORD_HOST] = plan_str(s->plan, care->http_host);
		words[WORD_PATH] = plan_str(s->plan, care->http_path);
	}
	const pid_t child = sys_clone3(&a);

	if (child == 0)
		become_probe(s, exe_fd, pidfd, d->flags & CELL_NET, (char **)(uintptr_t)words);
	if (child < 0)
		return err_sys(e, "fork for the health check");
	*pid = child;
	return 0;
}

/* --- the probe itself --- */

static int fail(const char *service, const char *what, const char *why)
{
	dprintf(2, "prior: %s: health check: %s%s%s\n", service, what, *why ? ": " : "", why);
	return 1;
}

static const int calls[] = {
	SYS_socket, SYS_connect, SYS_sendto, SYS_recvfrom, SYS_getsockopt, SYS_ppoll, SYS_write, SYS_writev, SYS_close,
	SYS_clock_gettime, SYS_brk, SYS_munmap, SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit, SYS_exit_group,
	SYS_fstat, SYS_newfstatat, SYS_lseek,	/* dprintf asks where a descriptor stands */
#ifdef SYS_poll
	SYS_poll,
#endif
};

static int confine_calls(void)
{
	struct allowlist c;

	allowlist_begin(&c);
	allowlist_add(&c, calls, sizeof calls / sizeof *calls);
	return allowlist_enter(&c);
}

/* Before the first byte of an answer: no ids, no files, no programs, no processes. */
static int confine(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct nothing[2] = { { 0 } };
	const struct rlimit none = { 0, 0 }, few = { 8, 8 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_NOFILE, &few) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -1;
	/* Of a supervisor in a user namespace of its own, who is not uid 0 there. */
	if (geteuid() != NOBODY && syscall(SYS_capset, &head, nothing) < 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -1 : confine_calls();
}

static int wait_until(int fd, short events, int64_t end)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = end - mono_now().ms;
	int rc = left <= 0 ? 0 : poll(&p, 1, (int)left);

	errno = rc == 0 ? ETIMEDOUT : errno;
	return rc == 1 ? 0 : -1;
}

static int connect_to(const char *address, const char *port, int64_t end, int *out)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { .any.sa_family = strchr(address, ':') ? AF_INET6 : AF_INET };
	const bool six = a.any.sa_family == AF_INET6;
	owned_fd fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof errno;
	int code = 0;

	if (fd < 0)
		return -1;
	a.v4.sin_port = htons((uint16_t)atoi(port));	/* at the same place in both */
	inet_pton(a.any.sa_family, address, six ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr);
	if (connect(fd, &a.any, six ? sizeof a.v6 : sizeof a.v4) < 0) {
		if (errno != EINPROGRESS || wait_until(fd, POLLOUT, end) < 0)
			return -1;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0 || code) {
			errno = code ? code : errno;
			return -1;
		}
	}
	*out = fd_take(&fd);
	return 0;
}

/* 0: "HTTP/1.1 NNN" with NNN below 400. */
static int ask_http(const char *service, int fd, const char *host, const char *path, int64_t end)
{
	char text[ANSWER_MAX];
	struct text t = TEXT_IN(text);
	size_t n = 0;

	text_fmt(&t, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: prior\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		 path, host);
	if (t.cut || wait_until(fd, POLLOUT, end) < 0 || send(fd, text, t.n, MSG_NOSIGNAL) != (ssize_t)t.n)
		return fail(service, "send the request", strerror(errno));
	while (n < sizeof text - 1 && !memchr(text, '\n', n)) {
		ssize_t got = wait_until(fd, POLLIN, end) < 0 ? -1 : recv(fd, text + n, sizeof text - 1 - n, 0);

		if (got < 0)
			return fail(service, "wait for the answer", strerror(errno));
		if (got == 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	if (n < 12 || strncmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ')
		return fail(service, "the answer is not HTTP", "");
	const int status = atoi(text + 9);

	text[12] = '\0';
	text_tame(text + 9);
	return status >= 100 && status < 400 ? 0 : fail(service, "the answer is status", text + 9);
}

int probe_main(int argc, char **argv)
{
	owned_fd fd = FD_NONE;

	if (argc != WORD_HOST && argc != WORDS)
		return JOIN_FAILED;
	if (confine() < 0)
		return fail(argv[WORD_SERVICE], "its process cannot be confined", strerror(errno));
	const int64_t end = mono_now().ms + atoi(argv[WORD_TIMEOUT]);
	char to[80];
	struct text t = TEXT_IN(to);

	text_fmt(&t, "connect to %s port %s", argv[WORD_ADDRESS], argv[WORD_PORT]);
	if (connect_to(argv[WORD_ADDRESS], argv[WORD_PORT], end, &fd) < 0)
		return fail(argv[WORD_SERVICE], to, strerror(errno));
	return argc == WORDS ? ask_http(argv[WORD_SERVICE], fd, argv[WORD_HOST], argv[WORD_PATH], end) : 0;
}
