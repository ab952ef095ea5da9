/* Trials: namespaces. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/mount.h"
#include "services/probe/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* One namespace: it can be made, or unshare(2) says why not. */
#define TRY_SPACE(name, flag) \
	int try_##name(char *detail) \
	{ \
		return unshare(flag) < 0 ? probe_failed(detail, "unshare") : 0; \
	}
TRY_SPACE(mount_ns, CLONE_NEWNS)
TRY_SPACE(pid_ns, CLONE_NEWPID)
TRY_SPACE(net_ns, CLONE_NEWNET)
TRY_SPACE(ipc_ns, CLONE_NEWIPC)
TRY_SPACE(uts_ns, CLONE_NEWUTS)
TRY_SPACE(cgroup_ns, CLONE_NEWCGROUP)
TRY_SPACE(time_ns, CLONE_NEWTIME)
TRY_SPACE(user_ns, CLONE_NEWUSER)

/* The cell's order: the others first, so that they are the machine's. */
int try_user_ns_last(char *detail)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return probe_failed(detail, "unshare of the others");
	return unshare(CLONE_NEWUSER) < 0 ? probe_failed(detail, "unshare of the user namespace") : 0;
}

/* `user: first`: whoever stays outside enters what belongs to it, and the mounts are copied inside. */
int try_user_ns_first(char *detail)
{
	const int others = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	struct clone_args a = { .flags = CLONE_NEWUSER | CLONE_PIDFD | (uint64_t)others, .exit_signal = SIGCHLD };
	int fd = FD_NONE, ret = 0;

	a.pidfd = (uint64_t)(uintptr_t)&fd;
	const pid_t pid = sys_clone3(&a);

	if (pid == 0) {
		pause();
		_exit(0);
	}
	owned_fd owner = fd;

	if (pid < 0)
		return probe_failed(detail, "clone3 with the others");
	if (setns(owner, others) < 0)
		ret = probe_failed(detail, "setns into the others");
	else if (setns(owner, CLONE_NEWUSER) < 0)
		ret = probe_failed(detail, "setns into the user namespace");
	else if (unshare(CLONE_NEWNS) < 0)
		ret = probe_failed(detail, "unshare of the mounts in it");
	sys_pidfd_send_signal(owner, SIGKILL);
	return ret;
}

/* Through a procfs of our own where one can be made: /proc may be covered or read-only, as in a container. */
static int write_text(int proc, const char *path, const char *text, char *detail)
{
	owned_fd fd = openat(proc, path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? probe_failed(detail, path) : 0;
}

static int any_proc(char *detail)
{
	struct err lost;
	const int own = mount_new("proc", NULL, 0, &lost);
	const int proc = own >= 0 ? own : open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return proc < 0 ? probe_failed(detail, "/proc") : proc;
}

/* In a user namespace whose root has a name, as the cell does it: with its own procfs the files are its own. */
int try_namespace_limits(char *detail)
{
	char map[32];
	owned_fd proc = any_proc(detail);
	int ret = proc;

	snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
	if (ret >= 0 && unshare(CLONE_NEWUSER) < 0)
		ret = probe_failed(detail, "unshare of the user namespace");
	ret = ret < 0 ? ret : write_text(proc, "self/uid_map", map, detail);
	ret = ret < 0 ? ret : write_text(proc, "sys/user/max_user_namespaces", "0", detail);
	if (ret < 0 || unshare(CLONE_NEWUSER) < 0)
		return ret;
	text_copy(detail, PROBE_DETAIL, "a namespace could be made all the same");
	return -EPERM;
}

int try_port_start(char *detail)
{
	owned_fd proc = any_proc(detail);

	if (proc < 0)
		return proc;
	if (unshare(CLONE_NEWNET) < 0)
		return probe_failed(detail, "unshare of the network namespace");
	return write_text(proc, "sys/net/ipv4/ip_unprivileged_port_start", "0", detail);
}
