/* Mounts by descriptor: see mount.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/mount.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include <linux/stat.h>
#include <string.h>

/* The kernel says in words what it did not like about a file system's option; that is worth more than EINVAL. */
static int fs_failed(int fs, struct err *e, const char *type, const char *what)
{
	int code = errno;
	char why[128];
	ssize_t n = read(fs, why, sizeof why - 1);

	if (n <= 2)
		return err_set(e, code, "%s: %s: %s", type, what, strerror(code));
	why[n] = '\0';
	if (why[n - 1] == '\n')
		why[n - 1] = '\0';
	return err_set(e, code, "%s: %s: %s (%s)", type, what, strerror(code), why + 2);
}

/* One option, "key=value" or "flag", cut out of the list. */
static int set_option(int fs, const char *type, const char *opt, size_t n, struct err *e)
{
	char key[128];

	if (n >= sizeof key)
		return err_set(e, EINVAL, "%s: option longer than %zu bytes", type, sizeof key - 1);
	memcpy(key, opt, n);
	key[n] = '\0';
	char *value = strchr(key, '=');

	if (value)
		*value++ = '\0';
	if (sys_fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0) < 0)
		return fs_failed(fs, e, type, key);
	return 0;
}

int mount_new(const char *type, const char *options, uint64_t attr, struct err *e)
{
	owned_fd fs = sys_fsopen(type, FSOPEN_CLOEXEC);

	if (fs < 0)
		return err_sys(e, "file system %s", type);
	for (const char *o = options ? options : ""; *o;) {
		size_t n = strcspn(o, ",");

		if (n && set_option(fs, type, o, n, e) < 0)
			return -e->code;
		o += n + (o[n] == ',');
	}
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_failed(fs, e, type, "make an instance");
	int fd = sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr);

	return fd < 0 ? fs_failed(fs, e, type, "mount") : fd;
}

int mount_copy(int source, bool recursive, uint64_t attr, struct err *e)
{
	const unsigned rec = recursive ? AT_RECURSIVE : 0;
	owned_fd fd = sys_open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | rec);

	if (fd < 0)
		return err_sys(e, errno == EINVAL && !recursive ? "copy the mount (in a user namespace only together "
			       "with all that is mounted below it)" : "copy the mount");
	if (attr && mount_change(fd, recursive, attr, 0, e) < 0)
		return -e->code;
	return fd_take(&fd);
}

int mount_change(int fd, bool recursive, uint64_t set, uint64_t clear, struct err *e)
{
	struct mount_attr a = { .attr_set = set, .attr_clr = clear };

	if (set & MOUNT_ATTR__ATIME)
		a.attr_clr |= MOUNT_ATTR__ATIME;
	if (sys_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &a) < 0)
		return err_sys(e, "set mount attributes 0x%llx", (unsigned long long)set);
	return 0;
}

int mount_attach(int mount, int target, const char *what, struct err *e)
{
	if (sys_move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "mount on %s", what);
	return 0;
}

bool mount_is_here(int fd)
{
	struct statx s;

	return syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0, &s) == 0 && (s.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}
