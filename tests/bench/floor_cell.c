/* The service's side of the floor: the calls that make a cell, in order, and nothing else. See floor.h. */
/* SPDX-License-Identifier: ISC */
#include "tests/bench/floor.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define BELOW (RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

_Noreturn void floor_failed(const char *call)
{
	fprintf(stderr, "floor: %s: %s\n", call, strerror(errno));
	_exit(1);
}

static int new_mount(const char *type, const struct flat_mount *m, uint64_t attr)
{
	int fs = MUST(sys_fsopen(type, FSOPEN_CLOEXEC));

	for (int i = 0; m && i < m->noptions; i++)
		MUST(sys_fsconfig(fs, m->options[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, m->options[i].key,
				  m->options[i].value, 0));
	MUST(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	int fd = MUST(sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr));

	close(fs);
	return fd;
}

static int copy_mount(int source, const struct flat_mount *m)
{
	const unsigned rec = m->recursive ? AT_RECURSIVE : 0;
	struct mount_attr a = { .attr_set = m->attr, .attr_clr = m->clear };
	int fd = MUST(sys_open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | rec));

	if (a.attr_set | a.attr_clr)
		MUST(sys_mount_setattr(fd, "", AT_EMPTY_PATH | rec, &a));
	return fd;
}

static void change(int fd, uint64_t set, uint64_t clear, bool recursive)
{
	struct mount_attr a = { .attr_set = set, .attr_clr = clear };

	MUST(sys_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &a));
}

static void attach(int mount, int target)
{
	MUST(sys_move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

static int place(int root, const char *path, bool directory)
{
	int fd = sys_openat2(root, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, BELOW);

	if (fd >= 0)
		return fd;
	/* "/" is not taken off: the path is below root for openat2 only. */
	MUST(directory ? mkdirat(root, path + 1, 0755) : mknodat(root, path + 1, S_IFREG | 0444, 0));
	return MUST(sys_openat2(root, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, BELOW));
}

static void fill_dev(int dev)
{
	static const struct { const char *name; unsigned major, minor; } nodes[] = {
		{ "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
		{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
	};
	static const char *const links[][2] = {
		{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" },
	};
	static const struct flat_mount pts = { .options = { { "newinstance", NULL }, { "ptmxmode", "0666" },
							    { "mode", "0620" } }, .noptions = 3 };
	static const struct flat_mount shm = { .options = { { "mode", "1777" }, { "size", "64M" } }, .noptions = 2 };

	for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++)
		MUST(mknodat(dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
	for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
		MUST(symlinkat(links[i][1], dev, links[i][0]));
	MUST(mkdirat(dev, "pts", 0755));
	MUST(mkdirat(dev, "shm", 01777));
	MUST(mkdirat(dev, "mqueue", 01777));
	int fd = new_mount("devpts", &pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	int at = MUST(sys_openat2(dev, "pts", O_PATH | O_CLOEXEC, 0, BELOW));

	attach(fd, at);
	close(fd);
	close(at);
	fd = new_mount("tmpfs", &shm, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	at = MUST(sys_openat2(dev, "shm", O_PATH | O_CLOEXEC, 0, BELOW));
	attach(fd, at);
	close(fd);
	close(at);
}

static int small_file(int scratch, const struct flat_mount *m, int i)
{
	char name[16];

	snprintf(name, sizeof name, "%d", i);
	int fd = MUST(openat(scratch, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, m->mode));

	if (m->n)
		MUST(write(fd, m->data, m->n));
	close(fd);
	int at = MUST(openat(scratch, name, O_PATH | O_CLOEXEC));
	int copy = copy_mount(at, m);

	close(at);
	return copy;
}

/* Returns the descriptor of the mount on /dev, which stays open to be made read-only last; -1 for all others. */
static int row(const struct flat *f, int root, int scratch, int i)
{
	const struct flat_mount *m = &f->mounts[i];
	int target = place(root, m->target, m->directory), source, fd = -1;

	switch (m->kind) {
	case FLAT_NEW:
	case FLAT_DEV:
		fd = new_mount(m->type, m, m->kind == FLAT_DEV ? m->attr & ~(uint64_t)MOUNT_ATTR_RDONLY : m->attr);
		break;
	case FLAT_BIND:
		source = MUST(sys_openat2(AT_FDCWD, m->source, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS));
		fd = copy_mount(source, m);
		close(source);
		break;
	case FLAT_CHANGE_NEW:
		fd = copy_mount(target, m);
		break;
	case FLAT_CHANGE:
		change(target, m->attr, m->clear, m->recursive);
		break;
	case FLAT_FILE:
		fd = small_file(scratch, m, i);
		break;
	}
	if (fd >= 0)
		attach(fd, target);
	close(target);
	if (m->kind == FLAT_DEV) {
		fill_dev(fd);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static void make_root(const struct flat *f, int machine_proc)
{
	static const struct flat_mount small = { .options = { { "size", "1M" }, { "mode", "0755" } }, .noptions = 2 };
	int dev = -1, scratch = -1;

	MUST(sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (f->scratch) {
		scratch = new_mount("tmpfs", &small, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
		MUST(sys_move_mount(scratch, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH));
	}
	int tree = MUST(sys_openat2(AT_FDCWD, plan_str(f->plan, f->svc->root), O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
				    RESOLVE_NO_MAGICLINKS));
	int root = copy_mount(tree, &(struct flat_mount){ 0 });

	MUST(sys_move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH));
	close(tree);
	for (int i = 0; i < f->nmounts; i++) {
		int fd = row(f, root, scratch, i);

		dev = fd >= 0 ? fd : dev;
	}
	if (dev >= 0)
		change(dev, f->mounts[f->dev].attr | MOUNT_ATTR_RDONLY, 0, false);
	if (scratch >= 0)
		attach(scratch, machine_proc);
	if (f->svc->hostname.n)
		MUST(sethostname(plan_str(f->plan, f->svc->hostname), f->svc->hostname.n));
	MUST(fchdir(root));
	MUST(sys_pivot_root(".", "."));
	MUST(sys_umount2(".", MNT_DETACH));
	MUST(chdir("/"));
}

static void write_zero(int procfs, const char *path)
{
	int fd = openat(procfs, path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		MUST(write(fd, "0", 1));
		close(fd);
	}
}

static void no_namespaces(int procfs)
{
	static const char *const files[] = {
		"sys/user/max_user_namespaces", "sys/user/max_mnt_namespaces", "sys/user/max_pid_namespaces",
		"sys/user/max_net_namespaces", "sys/user/max_ipc_namespaces", "sys/user/max_uts_namespaces",
		"sys/user/max_cgroup_namespaces", "sys/user/max_time_namespaces",
	};

	for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
		write_zero(procfs, files[i]);
}

static void give_up(const struct flat *f)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	MUST(prctl(PR_SET_SECUREBITS, f->securebits, 0, 0, 0));
	for (int cap = 0; cap <= f->last_cap; cap++)
		MUST(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
	MUST(setresgid(f->svc->gid, f->svc->gid, f->svc->gid));
	MUST(setresuid(f->svc->uid, f->svc->uid, f->svc->uid));
	MUST(syscall(SYS_capset, &head, none));
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
}

static void landlock(const struct flat *f)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = f->landlock };
	int rules = (int)MUST(syscall(SYS_landlock_create_ruleset, &attr, sizeof attr.handled_access_fs, 0));

	PLAN_EACH(struct plan_landlock, l, f->plan, f->svc->landlock) {
		int at = MUST(open(plan_str(f->plan, l->path), O_PATH | O_CLOEXEC));
		struct landlock_path_beneath_attr a = { .allowed_access = l->access & f->landlock, .parent_fd = at };
		struct stat st;

		MUST(sys_fstat(at, &st));
		if (!S_ISDIR(st.st_mode))
			a.allowed_access &= LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
					    LANDLOCK_ACCESS_FS_READ_FILE | 3ull << 14;
		if (a.allowed_access)
			MUST(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0));
		close(at);
	}
	MUST(syscall(SYS_landlock_restrict_self, rules, 0));
	close(rules);
}

static void limits(const struct flat *f)
{
	PLAN_EACH(struct plan_rlimit, l, f->plan, f->svc->rlimits) {
		struct rlimit64 r = { .rlim_cur = l->soft, .rlim_max = l->hard };

		MUST(syscall(SYS_prlimit64, 0, l->resource, &r, NULL));
	}
}

_Noreturn void floor_service(const struct flat *f, int sync)
{
	const uint32_t has = f->svc->flags;
	struct sock_fprog prog = { .len = (unsigned short)f->svc->seccomp.n,
				   .filter = (struct sock_filter *)(uintptr_t)plan_array(f->plan, f->svc->seccomp) };
	const uint64_t none = 0;
	const char *cwd = plan_str(f->plan, f->svc->cwd);
	int machine_proc = MUST(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)), procfs = -1;
	char byte = 'm';

	umask(0);
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
	MUST(setsid());
	MUST(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	if (has & CELL_KEYRING)
		MUST(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0));
	if (has & CELL_NO_NEW_NS)
		procfs = new_mount("proc", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (has & CELL_MOUNT)
		make_root(f, machine_proc);
	limits(f);
	MUST(setgroups(0, NULL));
	if (has & CELL_USER) {
		MUST(unshare(CLONE_NEWUSER));
		MUST(write(sync, &byte, 1));
		MUST(read(sync, &byte, 1));
	}
	if (has & CELL_NO_NEW_NS)
		no_namespaces(procfs);
	if (has & CELL_CAPS)
		give_up(f);
	umask((mode_t)f->svc->umask);
	MUST(chdir(*cwd ? cwd : "/"));
	if (has & CELL_LOCK_PERSONALITY)
		MUST(personality(PER_LINUX));
	if (has & CELL_MDWE)
		prctl(65 /* PR_SET_MDWE */, 1, 0, 0, 0);	/* kernels before 6.3 have it not */
	if (has & CELL_NNP)
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (has & CELL_LANDLOCK)
		landlock(f);
	MUST(sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC));
	MUST(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none));
	if (has & CELL_SECCOMP)
		MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &prog));
	execve(plan_str(f->plan, f->svc->exe), f->argv, f->envp);
	_exit(127);
}
