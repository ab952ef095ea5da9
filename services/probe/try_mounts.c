/* Trials: mounts and images, in a mount namespace that goes with the child. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/mount.h"
#include "services/probe/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/loop.h>
#include <sys/wait.h>

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

static int own_mounts(char *detail)
{
	if (unshare(CLONE_NEWNS) < 0)
		return probe_failed(detail, "unshare of the mount namespace");
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return probe_failed(detail, "mount --make-rprivate");
	return 0;
}

/* The message of rootfs/, as far as it fits. */
static int said(char *detail, const struct err *e)
{
	text_copy(detail, PROBE_DETAIL, e->text);
	return -e->code;
}

/* A file system of that type over "/" of a namespace of our own. */
static int lay(char *detail, const char *type, const char *options, uint64_t attr)
{
	struct err e;
	int ret = own_mounts(detail);

	if (ret < 0)
		return ret;
	owned_fd fs = mount_new(type, options, attr, &e);

	if (fs < 0)
		return said(detail, &e);
	if (sys_move_mount(fs, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return probe_failed(detail, "move_mount");
	return 0;
}

int try_new_mounts(char *detail)
{
	return lay(detail, "tmpfs", "size=64k", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

int try_mount_attributes(char *detail)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY };
	int ret = own_mounts(detail);

	if (ret < 0)
		return ret;
	return sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &a) < 0 ? probe_failed(detail, "mount_setattr") : 0;
}

int try_nosymfollow(char *detail)
{
	return lay(detail, "tmpfs", "size=64k", MOUNT_ATTR_NOSYMFOLLOW);
}

/* A user namespace with one id, held open by a process that waits for its end. */
static int some_user_namespace(char *detail)
{
	char path[64], text[8];
	int up[2];

	if (pipe2(up, O_CLOEXEC) < 0)
		return probe_failed(detail, "pipe");
	owned_fd from = up[0], to = up[1];
	const pid_t pid = fork();

	if (pid == 0) {
		text[0] = unshare(CLONE_NEWUSER) < 0 ? (char)errno : 0;
		if (write(to, text, 1) == 1)
			pause();
		_exit(0);
	}
	if (pid < 0 || read(from, text, 1) != 1)
		return probe_failed(detail, "fork");
	errno = text[0];
	if (errno) {
		kill(pid, SIGKILL);
		return probe_failed(detail, "unshare of the user namespace");
	}
	snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
	owned_fd map = open(path, O_WRONLY | O_CLOEXEC);
	const bool mapped = map >= 0 && write(map, "0 65534 1", 9) == 9;

	snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
	const int ns = mapped ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	const int ret = ns < 0 ? probe_failed(detail, "a map of ids") : ns;

	kill(pid, SIGKILL);
	sys_wait(pid, NULL);
	return ret;
}

/* Of a directory on disk (a tmpfs can do it since Linux 6.3). */
int try_idmap(char *detail)
{
	owned_fd user = some_user_namespace(detail);
	int ret = user < 0 ? user : own_mounts(detail);

	if (ret < 0)
		return ret;
	owned_fd tree = sys_open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr a = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user };

	if (tree < 0)
		return probe_failed(detail, "open_tree of /usr");
	return sys_mount_setattr(tree, "", AT_EMPTY_PATH, &a) < 0 ? probe_failed(detail, "mount_setattr of /usr") : 0;
}

/* A procfs needs a pid namespace of its own, which only a child is in. */
int try_private_proc(char *detail)
{
	int status = 0;

	if (unshare(CLONE_NEWPID) < 0)
		return probe_failed(detail, "unshare of the pid namespace");
	const pid_t pid = fork();

	if (pid == 0)
		_exit(-lay(detail, "proc", "subset=pid,hidepid=invisible", MOUNT_ATTR_NOSUID));
	if (pid < 0 || sys_wait(pid, &status) < 0)
		return probe_failed(detail, "fork");
	errno = WEXITSTATUS(status);
	return errno ? probe_failed(detail, "mount of proc with subset=pid,hidepid=invisible") : 0;
}

int try_mqueue(char *detail)
{
	if (unshare(CLONE_NEWIPC) < 0)
		return probe_failed(detail, "unshare of the ipc namespace");
	return lay(detail, "mqueue", NULL, MOUNT_ATTR_NOSUID);
}

/* "/" replaced, and the old one gone. */
int try_new_root(char *detail)
{
	struct err e;
	int ret = own_mounts(detail);

	if (ret < 0)
		return ret;
	owned_fd fs = mount_new("tmpfs", "size=64k", 0, &e);

	if (fs < 0)
		return said(detail, &e);
	if (sys_move_mount(fs, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(fs) < 0)
		return probe_failed(detail, "move_mount");
	if (sys_pivot_root(".", ".") < 0)
		return probe_failed(detail, "pivot_root");
	return sys_umount2(".", MNT_DETACH) < 0 ? probe_failed(detail, "umount of the old root") : 0;
}

int try_loop(char *detail)
{
	owned_fd control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return probe_failed(detail, "/dev/loop-control");
	return ioctl(control, LOOP_CTL_GET_FREE) < 0 ? probe_failed(detail, "LOOP_CTL_GET_FREE") : 0;
}

static int file_system(char *detail, const char *type)
{
	owned_fd fs = sys_fsopen(type, FSOPEN_CLOEXEC);

	return fs < 0 ? probe_failed(detail, "fsopen") : 0;
}

int try_squashfs(char *detail)
{
	return file_system(detail, "squashfs");
}

int try_ramfs(char *detail)
{
	return lay(detail, "ramfs", "mode=0700", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int try_erofs(char *detail)
{
	return file_system(detail, "erofs");
}
