/* Loop devices: a file as a block device, shared by all who mount the same file. See image.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "rootfs/image.h"
#include "rootfs/modules.h"
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define OURS (LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR)
#define LOOKED_AT 256	/* devices that are looked at for one to share */
#define TRIES 64	/* somebody else may take the free one first */

/* root: FD_NONE for the caller's own. */
static int open_device(int root, int n, char name[24])
{
	struct stat st;

	snprintf(name, 24, "/dev/loop%d", n);
	owned_fd fd = openat(root < 0 ? AT_FDCWD : root, name + (root >= 0), O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) || major(st.st_rdev) != LOOP_MAJOR)) {
		errno = ENOTBLK;
		return -1;
	}
	return fd_take(&fd);
}

/* A device that we hold open cannot be cleared by its last close, so what it says stays true. */
static bool has_file(int device, const struct stat *file)
{
	struct loop_info64 i;

	return ioctl(device, LOOP_GET_STATUS64, &i) == 0 && i.lo_device == file->st_dev &&
	       i.lo_inode == file->st_ino && i.lo_offset == 0 && i.lo_sizelimit == 0 &&
	       (i.lo_flags & OURS) == OURS;
}

static int find_shared(const struct stat *file, char name[24])
{
	for (int n = 0; n < LOOKED_AT; n++) {
		owned_fd fd = open_device(FD_NONE, n, name);

		if (fd >= 0 && has_file(fd, file))
			return fd_take(&fd);
	}
	return FD_NONE;
}

static int make_new(int control, int file, char name[24], struct err *e)
{
	struct loop_config c = { .fd = (uint32_t)file, .info.lo_flags = OURS };

	for (int i = 0; i < TRIES; i++) {
		const int n = ioctl(control, LOOP_CTL_GET_FREE);

		if (n < 0)
			return err_sys(e, "a free loop device");
		owned_fd fd = open_device(FD_NONE, n, name);

		if (fd < 0)
			return err_sys(e, "%s", name);
		if (ioctl(fd, LOOP_CONFIGURE, &c) == 0)
			return fd_take(&fd);
		if (errno != EBUSY)
			return err_sys(e, "%s: give it the image", name);
	}
	return err_set(e, EBUSY, "no free loop device stays free");
}

static int open_control(struct err *e)
{
	static const char path[] = "/dev/loop-control";
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct err absent;

	if (fd < 0 && (errno == ENOENT || errno == ENODEV) &&
	    module_load("", "loop", module_insert, &absent) == 0)
		fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "%s (is the module loop loaded?)", path) : fd;
}

int loop_attach(int file, char name[24], struct err *e)
{
	struct stat st;
	owned_fd control = open_control(e);

	if (control < 0)
		return control;
	/* One after the other, or services that start together would each make a device of the same file. */
	if (fstat(file, &st) < 0 || flock(control, LOCK_EX) < 0)
		return err_sys(e, "loop devices");
	const int shared = find_shared(&st, name);

	return shared >= 0 ? shared : make_new(control, file, name, e);
}

int loop_file(int root, unsigned major, unsigned minor, uint64_t *dev, uint64_t *ino, struct err *e)
{
	struct loop_info64 i;
	char name[24];

	if (major != LOOP_MAJOR)
		return err_set(e, ENOTBLK, "%u:%u is no loop device", major, minor);
	owned_fd fd = open_device(root, (int)minor, name);

	if (fd < 0 || ioctl(fd, LOOP_GET_STATUS64, &i) < 0)
		return err_sys(e, "%s", name);
	*dev = i.lo_device;
	*ino = i.lo_inode;
	return 0;
}
