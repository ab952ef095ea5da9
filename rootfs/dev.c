/* The minimal /dev: see mount.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/mount.h"
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const struct {
	const char *name;
	unsigned minor, major;
} nodes[] = {
	{ "null", 3, 1 },   { "zero", 5, 1 },    { "full", 7, 1 },
	{ "random", 8, 1 }, { "urandom", 9, 1 }, { "tty", 0, 5 },
};

const char *const dev_nodes[] = { "null", "zero", "full", "random", "urandom", "tty", NULL };

static const struct {
	const char *name, *to;
} links[] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },  { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" },
};

static const struct {
	const char *name;
	mode_t mode;
} folders[] = { { "pts", 0755 }, { "shm", 01777 }, { "mqueue", 01777 } };

/* Without the right to make nodes (a container), the machine's is laid over an empty file, if it is what we think. */
static int copy_node(int dev, unsigned i, struct err *e)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof path, "/dev/%s", nodes[i].name);
	owned_fd source = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (source < 0 || fstat(source, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(nodes[i].major, nodes[i].minor))
		return err_set(e, ENODEV, "%s: the machine's is not the device %u:%u", path, nodes[i].major,
			       nodes[i].minor);
	owned_fd target = below_make(dev, nodes[i].name, false, e);
	owned_fd copy = target < 0 ? target :
			mount_copy(source, false, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, e);

	return copy < 0 ? -e->code : mount_attach(copy, target, path, e);
}

static int fill(int dev, struct err *e)
{
	for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		if (mknodat(dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0) {
			if (errno != EPERM)
				return err_sys(e, "make /dev/%s", nodes[i].name);
			if (copy_node(dev, i, e) < 0)
				return err_in(e, "copy the machine's node");
		}
	}
	for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
		if (symlinkat(links[i].to, dev, links[i].name) < 0)
			return err_sys(e, "link /dev/%s", links[i].name);
	for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++)
		if (mkdirat(dev, folders[i].name, folders[i].mode) < 0)
			return err_sys(e, "make /dev/%s", folders[i].name);
	return 0;
}

/* The umask is PID 1's, and the modes are those in the tables. */
int dev_fill(int dev, struct err *e)
{
	const mode_t before = umask(0);
	const int ret = fill(dev, e);

	umask(before);
	return ret;
}
