/* What an image is, and its mount: see image.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/image.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/modules.h"
#include "rootfs/mount.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HEAD 1152	/* erofs' superblock is 128 bytes at 1024 */

static uint32_t le32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* How long the file must be; 0: it is none of this kind. */
static uint64_t squashfs_size(const unsigned char *head)
{
	if (memcmp(head, "hsqs", 4) != 0 || head[28] != 4 || head[29] != 0)	/* version 4 */
		return 0;
	return le32(head + 40) | (uint64_t)le32(head + 44) << 32;
}

static uint64_t erofs_size(const unsigned char *head)
{
	const unsigned char *super = head + 1024;
	const unsigned block_bits = super[12];

	if (le32(super) != 0xe0f5e1e2 || block_bits < 9 || block_bits > 16)
		return 0;
	return (uint64_t)le32(super + 36) << block_bits;
}

static const struct {
	const char *name;
	uint64_t (*size)(const unsigned char *head);
} types[] = { { "squashfs", squashfs_size }, { "erofs", erofs_size } };

int image_type(int file, const char **type, struct err *e)
{
	unsigned char head[HEAD] = { 0 };
	struct stat st;

	if (fstat(file, &st) < 0)
		return err_sys(e, "look at it");
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "neither a directory nor a file");
	if (pread(file, head, sizeof head, 0) < 0)
		return err_sys(e, "read its first bytes");
	for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
		const uint64_t need = types[i].size(head);

		if (need > (uint64_t)st.st_size)
			return err_set(e, EBADMSG, "a %s image that is cut off: %llu bytes of %llu", types[i].name,
				       (unsigned long long)st.st_size, (unsigned long long)need);
		if (need) {
			*type = types[i].name;
			return 0;
		}
	}
	return err_set(e, EMEDIUMTYPE, "neither a squashfs nor an erofs image");
}

/* The kernel may know the file system only by its module, and there need not be a modprobe. */
static int mount_source(const char *type, const char *source, struct err *e)
{
	char options[64];
	struct err absent;

	snprintf(options, sizeof options, "ro,source=%s", source);
	int fd = mount_new(type, options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, e);

	if (fd == -ENODEV && module_load("", type, module_insert, &absent) == 0)
		fd = mount_new(type, options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, e);
	return fd;
}

static int mount_by_file(int file, struct err *e)
{
	char self[32];
	struct err no_loop = *e;

	snprintf(self, sizeof self, "/proc/self/fd/%d", file);
	const int fd = mount_source("erofs", self, e);

	if (fd < 0)	/* what most kernels are meant to do is what is worth to be told */
		*e = no_loop;
	return fd < 0 ? -e->code : fd;
}

int image_open(const char *path, const char *type, struct err *e)
{
	owned_fd file = source_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, e);
	const char *is;

	if (file < 0)
		return err_in(e, "image");
	if (image_type(file, &is, e) < 0)
		return err_in(e, "image %s", path);
	if (strcmp(is, type) != 0)
		return err_set(e, EMEDIUMTYPE, "image %s: was %s when it was planned, and is %s now: reload the "
			       "configuration", path, type, is);
	return fd_take(&file);
}

int image_mount(int file, const char *type, struct err *e)
{
	char name[24];
	owned_fd loop = loop_attach(file, name, e);

	if (loop < 0)
		return strcmp(type, "erofs") != 0 ? -e->code : mount_by_file(file, e);
	return mount_source(type, name, e);	/* the mount holds the device from now on */
}
