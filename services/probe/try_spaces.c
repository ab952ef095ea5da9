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

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int try_flag(char *detail, int flag)
{
	return unshare(flag) < 0 ? probe_failed(detail, "unshare") : 0;
}

int try_mount_ns(char *detail)
{
	return try_flag(detail, CLONE_NEWNS);
}

int try_pid_ns(char *detail)
{
	return try_flag(detail, CLONE_NEWPID);
}

int try_net_ns(char *detail)
{
	return try_flag(detail, CLONE_NEWNET);
}

int try_ipc_ns(char *detail)
{
	return try_flag(detail, CLONE_NEWIPC);
}

int try_uts_ns(char *detail)
{
	return try_flag(detail, CLONE_NEWUTS);
}

int try_cgroup_ns(char *detail)
{
	return try_flag(detail, CLONE_NEWCGROUP);
}

int try_time_ns(char *detail)
{
	return try_flag(detail, CLONE_NEWTIME);
}

int try_user_ns(char *detail)
{
	return try_flag(detail, CLONE_NEWUSER);
}

/* The cell's order: the others first, so that they are the machine's. */
int try_user_ns_last(char *detail)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return probe_failed(detail, "unshare of the others");
	return unshare(CLONE_NEWUSER) < 0 ? probe_failed(detail, "unshare of the user namespace") : 0;
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
