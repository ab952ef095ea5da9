/* Trials: the control groups at /sys/fs/cgroup. A group is made for a trial and removed. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/inner.h"
#include "services/probe/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define ROOT "/sys/fs/cgroup"
#define TRIALS 16

static int open_root(char *detail)
{
	struct statfs fs;
	const int root = open(ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 || fstatfs(root, &fs) < 0)
		return probe_failed(detail, ROOT);
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return root;
	owned_fd wrong = root;

	(void)wrong;
	text_copy(detail, PROBE_DETAIL, ROOT " is not cgroup2");
	return -ENODEV;
}

/* The new group's descriptor; its name is for rmdir(). */
static int make(int root, char name[32], char *detail)
{
	snprintf(name, 32, "prior.try.%d", (int)getpid());
	if (mkdirat(root, name, 0755) < 0)
		return probe_failed(detail, "mkdir in " ROOT);
	const int leaf = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (leaf >= 0)
		return leaf;
	const int ret = probe_failed(detail, "open of the new group");

	unlinkat(root, name, AT_REMOVEDIR);
	return ret;
}

static int in_leaf(char *detail, int (*then)(int leaf, char *detail))
{
	char name[32];
	owned_fd root = open_root(detail);
	owned_fd leaf = root < 0 ? root : make(root, name, detail);

	if (leaf < 0)
		return leaf;
	const int ret = then ? then(leaf, detail) : 0;

	/* What has just ended may stay in a group for a moment. */
	for (int i = 0; unlinkat(root, name, AT_REMOVEDIR) < 0 && errno == EBUSY && i < TRIALS; i++)
		poll(NULL, 0, 1 << (i < 8 ? i : 8));
	return ret;
}

int try_cgroup2(char *detail)
{
	owned_fd root = open_root(detail);

	return root < 0 ? root : 0;
}

int try_cgroup_make(char *detail)
{
	return in_leaf(detail, NULL);
}

static int clone_into(int leaf, char *detail)
{
	struct clone_args a = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)leaf };
	const pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof a);	/* itself, not what stands in for it */

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return probe_failed(detail, "clone3 into a group");
	sys_wait(pid, NULL);
	return 0;
}

int try_cgroup_clone(char *detail)
{
	return in_leaf(detail, clone_into);
}

static int kill_all(int leaf, char *detail)
{
	struct err e;

	if (file_write(leaf, "cgroup.kill", "1", &e) == 0)
		return 0;
	text_copy(detail, PROBE_DETAIL, "write to cgroup.kill");
	return -e.code;
}

int try_cgroup_kill(char *detail)
{
	return in_leaf(detail, kill_all);
}

/* Among those that may be handed down. */
static int controller(const char *name, char *detail)
{
	char text[256];
	struct err e;
	owned_fd root = open_root(detail);

	if (root < 0)
		return root;
	if (file_read(root, "cgroup.controllers", text, sizeof text, &e) < 0) {
		text_copy(detail, PROBE_DETAIL, e.text);
		return -e.code;
	}
	const size_t n = strlen(name);

	for (const char *w = text; *w; w += strcspn(w, " \n"), w += strspn(w, " \n"))
		if (!strncmp(w, name, n) && strchr(" \n", w[n]))
			return 0;
	text_copy(detail, PROBE_DETAIL, "not in cgroup.controllers");
	return -ENOENT;
}

int try_memory(char *detail)
{
	return controller("memory", detail);
}

int try_pids(char *detail)
{
	return controller("pids", detail);
}

int try_cpu(char *detail)
{
	return controller("cpu", detail);
}

int try_io(char *detail)
{
	return controller("io", detail);
}

int try_cpuset(char *detail)
{
	return controller("cpuset", detail);
}

/* A program that allows everything. */
static int attach_devices(int leaf, char *detail)
{
	const struct bpf_insn allow[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr a;

	memset(&a, 0, sizeof a);
	a.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	a.insns = (uint64_t)(uintptr_t)allow;
	a.insn_cnt = sizeof allow / sizeof *allow;
	a.license = (uint64_t)(uintptr_t)"ISC";
	owned_fd program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof a);

	if (program < 0)
		return probe_failed(detail, "bpf: load a program");
	memset(&a, 0, sizeof a);
	a.target_fd = (uint32_t)leaf;
	a.attach_bpf_fd = (uint32_t)program;
	a.attach_type = BPF_CGROUP_DEVICE;
	return syscall(SYS_bpf, BPF_PROG_ATTACH, &a, sizeof a) < 0 ? probe_failed(detail, "bpf: attach it") : 0;
}

int try_device_program(char *detail)
{
	return in_leaf(detail, attach_devices);
}
