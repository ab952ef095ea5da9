/* Trials: what a process can do to itself, and what can be seen of it. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/attest_inner.h"
#include "services/probe/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define NOBODY 65534
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef SECCOMP_FILTER_FLAG_LOG
#define SECCOMP_FILTER_FLAG_LOG 2
#endif

int try_openat2(char *detail)
{
	owned_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	owned_fd fd = sys_openat2(root, "/proc", O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	return fd < 0 ? probe_failed(detail, "openat2") : 0;
}

int try_clone3(char *detail)
{
	int pidfd = FD_NONE, status;
	struct clone_args a = { .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD,
				.pidfd = (uint64_t)(uintptr_t)&pidfd };
	const pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof a);	/* itself, not what stands in for it */
	owned_fd fd = pidfd;

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return probe_failed(detail, "clone3");
	sys_wait(pid, &status);
	return fd < 0 ? -ENOSYS : 0;
}

int try_pidfd(char *detail)
{
	owned_fd fd = sys_pidfd_open(getpid());

	if (fd < 0)
		return probe_failed(detail, "pidfd_open");
	return sys_pidfd_send_signal(fd, 0) < 0 ? probe_failed(detail, "pidfd_send_signal") : 0;
}

int try_close_range(char *detail)
{
	return sys_close_range(1000000, 1000000, 4 /* CLOEXEC */) < 0 ? probe_failed(detail, "close_range") : 0;
}

int try_keyring(char *detail)
{
	return syscall(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, NULL) < 0 ? probe_failed(detail, "keyctl") : 0;
}

/* What a cell gives up, and gives up the right to take back. */
int try_capabilities(char *detail)
{
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0) < 0)
		return probe_failed(detail, "PR_CAPBSET_DROP");
	return prctl(PR_SET_SECUREBITS, 0x2f, 0, 0, 0) < 0 ? probe_failed(detail, "PR_SET_SECUREBITS") : 0;
}

int try_no_new_privs(char *detail)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? probe_failed(detail, "PR_SET_NO_NEW_PRIVS") : 0;
}

int try_ids(char *detail)
{
	if (setgroups(0, NULL) < 0)
		return probe_failed(detail, "setgroups");
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0)
		return probe_failed(detail, "setresgid");
	return setresuid(NOBODY, NOBODY, NOBODY) < 0 ? probe_failed(detail, "setresuid") : 0;
}

int try_mdwe(char *detail)
{
	return prctl(PR_SET_MDWE, 1, 0, 0, 0) < 0 ? probe_failed(detail, "PR_SET_MDWE") : 0;
}

int try_personality(char *detail)
{
	return personality(PER_LINUX) < 0 ? probe_failed(detail, "personality") : 0;
}

static int load_filter(char *detail, unsigned flags)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	const struct sock_fprog program = { 1, allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return probe_failed(detail, "PR_SET_NO_NEW_PRIVS");
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) < 0 ? probe_failed(detail, "seccomp") : 0;
}

int try_seccomp(char *detail)
{
	return load_filter(detail, 0);
}

int try_seccomp_log(char *detail)
{
	return load_filter(detail, SECCOMP_FILTER_FLAG_LOG);
}

/* A child that stops with a filter on, and is looked at. */
static int child_with_filter(char *detail, int *pid)
{
	int status;

	*pid = fork();
	if (*pid == 0) {
		const int ret = load_filter(detail, 0);

		if (ret < 0)
			_exit(-ret);
		raise(SIGSTOP);
		_exit(0);
	}
	if (*pid < 0 || waitpid(*pid, &status, WUNTRACED) < 0)
		return probe_failed(detail, "fork");
	errno = WIFSTOPPED(status) ? 0 : WEXITSTATUS(status);
	return errno ? probe_failed(detail, "seccomp") : 0;
}

int try_seccomp_read(char *detail)
{
	struct sock_filter f[BPF_MAXINSNS];
	struct err e;
	char status[STATUS_ROOM];
	size_t n;
	int pid, ret = child_with_filter(detail, &pid);

	if (ret < 0)
		return ret;
	const char *v = file_read(AT_FDCWD, "/proc/self/status", status, sizeof status, &e) < 0 ? NULL :
			status_find(status, status, "Seccomp_filters", &n);

	ret = filter_read_running(pid, v ? (long)digits(&v, 10) : 0, f) == 1 ? 0 :
	      probe_failed(detail, "PTRACE_SECCOMP_GET_FILTER");
	kill(pid, SIGKILL);
	sys_wait(pid, NULL);
	return ret;
}

/* A process of another user is stopped at its exec, as every start is. */
int try_exec_stop(char *detail)
{
	char name[] = "trial", *argv[] = { name, NULL };
	int status, up[2];

	if (pipe2(up, O_CLOEXEC) < 0)
		return probe_failed(detail, "pipe");
	const pid_t pid = fork();

	if (pid == 0) {
		char byte;
		owned_fd wait = up[0], other = up[1];

		fd_drop(&other);
		if (read(wait, &byte, 1) == 1)
			execve("/proc/self/exe", argv, NULL);
		_exit(errno);
	}
	owned_fd wait = up[0], go = up[1];

	fd_drop(&wait);
	if (pid < 0)
		return probe_failed(detail, "fork");
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)(PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) < 0)
		return probe_failed(detail, "PTRACE_SEIZE");
	if (write(go, "", 1) != 1 || sys_wait(pid, &status) < 0)
		return probe_failed(detail, "wait for the exec");
	kill(pid, SIGKILL);
	if (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_EXEC)
		return 0;
	text_copy(detail, PROBE_DETAIL, "no stop at the exec");
	return -EPERM;
}

int try_landlock(char *detail)
{
	struct { uint64_t fs; } rules = { 1 };
	const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u /* VERSION */);
	struct text t = { .at = detail, .size = PROBE_DETAIL };
	owned_fd fd = abi < 1 ? FD_NONE : (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);

	if (fd < 0)
		return probe_failed(detail, "landlock_create_ruleset");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return probe_failed(detail, "landlock_restrict_self");
	text_fmt(&t, "ABI %ld", abi);
	return 0;
}

/* A security module that answers about us: others' files are there too, but cannot be read. */
static int module(char *detail, const char *attribute)
{
	struct err e;
	char text[256];

	if (file_read(AT_FDCWD, attribute, text, sizeof text, &e) < 0) {
		text_copy(detail, PROBE_DETAIL, attribute);
		return -e.code;
	}
	text[strcspn(text, "\n")] = '\0';
	text_copy(detail, PROBE_DETAIL, text);
	return 0;
}

int try_apparmor(char *detail)
{
	return module(detail, "/proc/self/attr/apparmor/current");
}

/* The file of its attribute may be another module's. */
int try_selinux(char *detail)
{
	static const char mode[] = "/sys/fs/selinux/enforce";

	return access(mode, F_OK) < 0 ? probe_failed(detail, mode) : module(detail, "/proc/self/attr/current");
}

/* What filters refuse is heard here. */
int try_audit(char *detail)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = 1 /* AUDIT_NLGRP_READLOG */ };
	owned_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	if (fd < 0)
		return probe_failed(detail, "socket");
	return bind(fd, (void *)&to, sizeof to) < 0 ? probe_failed(detail, "bind to the log's group") : 0;
}
