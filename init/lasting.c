/* Opening what outlives a reboot: see lasting.h. */
/* SPDX-License-Identifier: ISC */
#include "init/lasting.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/device.h"
#include "init/folder.h"
#include "rootfs/mountinfo.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static bool is_of_memory(const struct statfs *fs)
{
	return fs->f_type == TMPFS_MAGIC || fs->f_type == RAMFS_MAGIC;
}

struct overlay {
	dev_t dev;
	bool in_memory;
};

/* Ours says by its source what takes the writes, for nobody can reach that any more; another one's says where it is. */
static int look_at_overlay(void *ctx, const struct mountinfo *m, struct err *e)
{
	struct overlay *o = ctx;
	struct statfs fs;
	char upper[256];

	(void)e;
	if (strcmp(m->type, "overlay") != 0 || makedev(m->major, m->minor) != o->dev)
		return 0;
	const char *at = strstr(m->options, "upperdir=");

	at = at ? at + strlen("upperdir=") : "";
	text_copy(upper, sizeof upper, at);
	upper[strcspn(upper, ",")] = '\0';
	o->in_memory = !strcmp(m->source, "tmpfs") || (statfs(upper, &fs) == 0 && is_of_memory(&fs));
	return 0;
}

/* An overlay does not say what it writes to; who has mounted it does. Of what is in it a folder has its number. */
static bool is_in_memory(int folder)
{
	struct overlay o = { 0 };
	struct statfs fs;
	struct stat st;
	struct err ignored;

	if (fstatfs(folder, &fs) < 0)
		return false;
	if (fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return is_of_memory(&fs);
	owned_fd mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (mounts < 0 || fstat(folder, &st) < 0)
		return false;
	o.dev = st.st_dev;
	return mountinfo_each(mounts, look_at_overlay, &o, &ignored) >= 0 && o.in_memory;
}

static int open_device(const char *place, int wait_ms, struct err *e)
{
	struct device d;

	if (device_find(place, wait_ms, &d, e) < 0)
		return -e->code;
	int fd = open(d.path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open %s", d.path) : fd;
}

static int open_file(const char *place, struct err *e)
{
	owned_fd folder = folder_open(place, e);

	if (folder < 0)
		return folder;
	if (is_in_memory(folder))
		return err_set(e, EROFS, "%s is in memory, which no reboot outlives", place);
	owned_fd fd = openat(folder, strrchr(place, '/') + 1, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || fsync(folder) < 0)
		return err_sys(e, "open %s", place);
	return fd_take(&fd);
}

int lasting_open(const char *place, int wait_ms, struct err *e)
{
	owned_fd fd = device_is_named(place) ? open_device(place, wait_ms, e) : open_file(place, e);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		return err_set(e, ENOTBLK, "%s is neither a file nor a block device", place);
	/* The process's, so that it may open a place twice. Where the kernel has no locks, it goes without. */
	while (fcntl(fd, F_SETLKW, &(struct flock){ .l_type = F_WRLCK }) < 0 && errno == EINTR)
		;
	return fd_take(&fd);
}
