/* API file systems and leaving rootfs: see machine.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/machine.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202
#endif

static const struct api_mount {
	const char *fs, *target, *data;
	unsigned long flags;
	long magic;		/* what statfs says when it is there already */
	mode_t mode;
	const char *why;	/* why here */
} api_mounts[] = {
	{ "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, PROC_SUPER_MAGIC, 0555, "everything below asks it" },
	{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, SYSFS_MAGIC, 0555, "cgroup2 is mounted inside" },
	{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID, TMPFS_MAGIC, 0755, "the kernel's own nodes" },
	{ "devpts", "/dev/pts", "mode=0620,ptmxmode=0666", MS_NOSUID | MS_NOEXEC, DEVPTS_SUPER_MAGIC, 0755,
	  "inside devtmpfs" },
	{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, TMPFS_MAGIC, 01777, "inside devtmpfs" },
	{ "mqueue", "/dev/mqueue", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, MQUEUE_MAGIC, 01777, "inside devtmpfs" },
	{ "tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV, TMPFS_MAGIC, 0755, "our sockets and rings" },
};

/* A file system of that kind is mounted exactly here: its root is on another device than its parent's entry. */
static bool is_mounted(const struct api_mount *m)
{
	struct statfs fs;
	struct stat here, above;
	char parent[32];
	size_t n = 0;

	for (size_t i = 0; m->target[i] && i < sizeof parent - 1; i++) {
		parent[i] = m->target[i];
		if (m->target[i] == '/')
			n = i;
	}
	parent[n ? n : 1] = '\0';
	return statfs(m->target, &fs) == 0 && (long)fs.f_type == m->magic && stat(m->target, &here) == 0 &&
	       stat(parent, &above) == 0 && here.st_dev != above.st_dev;
}

int machine_mount_api(struct err *e)
{
	for (const struct api_mount *m = api_mounts; m < api_mounts + sizeof api_mounts / sizeof *api_mounts; m++) {
		if (is_mounted(m))
			continue;
		if (mkdir(m->target, m->mode) < 0 && errno != EEXIST && errno != EROFS)
			return err_sys(e, "make %s", m->target);
		if (sys_mount(m->fs, m->target, m->fs, m->flags, m->data) == 0)
			continue;
		/* The kernel may have mounted one by itself (CONFIG_DEVTMPFS_MOUNT). */
		if (errno != EBUSY)
			return err_sys(e, "mount %s on %s", m->fs, m->target);
	}
	return 0;
}

int machine_leave_rootfs(struct err *e)
{
	struct statfs fs;

	if (statfs("/", &fs) < 0)
		return err_sys(e, "look at the root file system");
	if (fs.f_type != RAMFS_MAGIC && fs.f_type != TMPFS_MAGIC)
		return 0;
	owned_fd tree = sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree < 0)
		return err_sys(e, "clone the root mount");
	if (sys_move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "lay the clone over the root");
	/* "/" still names the mount below; the descriptor names the new one. */
	if (fchdir(tree) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_sys(e, "enter the new root");
	return 0;
}
