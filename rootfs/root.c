/* A new root, and leaving the old one: see mount.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/image.h"
#include "rootfs/mount.h"
#include <string.h>
#include <sys/stat.h>

int root_of(const char *tree, struct err *e)
{
	owned_fd source = source_open(tree, O_PATH, e);
	struct stat st;

	if (source < 0)
		return err_in(e, "root");
	if (fstat(source, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "root %s: not a directory", tree);
	/*
	 * Not recursive: what is mounted below is in the cell only if the plan says so. But the machine's own mounts
	 * are locked together for a user namespace (user_namespaces(7)): there they all come, or none.
	 */
	owned_fd root = mount_copy(source, false, 0, e);

	if (root < 0 && e->code == EINVAL && !strcmp(tree, "/"))
		root = mount_copy(source, true, 0, e);
	return root < 0 ? err_in(e, "root %s", tree) : fd_take(&root);
}

int root_lay(int root, struct err *e)
{
	if (sys_move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "lay the new root over the old one");
	return 0;
}

int root_enter(int root, struct err *e)
{
	char cwd[8];

	if (fchdir(root) < 0)
		return err_sys(e, "enter the new root");
	if (sys_pivot_root(".", ".") < 0)
		return err_sys(e, "pivot_root");
	/* The old root lies on the new one now, and everything that was staged lies on it. */
	if (sys_umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "let go of the old root");
	if (chdir("/") < 0)
		return err_sys(e, "enter the new root");
	if (syscall(SYS_getcwd, cwd, sizeof cwd) < 0 || strcmp(cwd, "/") != 0)
		return err_set(e, EPERM, "the working directory is not inside the new root");
	return 0;
}
