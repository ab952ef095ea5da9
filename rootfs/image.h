/* File system images: squashfs and erofs files as mounts, through a loop device or by the file itself. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdint.h>

/*
 * For child processes with CAP_SYS_ADMIN, while /dev and /proc are the machine's. No heap. An image is handed over as a
 * descriptor that is open for reading, so that what is checked is what is mounted.
 */

/*
 * Which file system the image holds, "squashfs" or "erofs": its magic number says so, and it is as long as its
 * superblock says. EMEDIUMTYPE: neither; EBADMSG: cut off or not to be read; EINVAL: not a regular file.
 */
int image_type(int file, const char **type, struct err *e);

/* The file of an image for image_mount(), opened once; EMEDIUMTYPE: it is not of the kind that the plan has seen. */
int image_open(const char *path, const char *type, struct err *e);

/*
 * A detached mount of the image, read-only; type is what image_type() said. The loop device is shared with whoever
 * has the same file mounted read-only through one of ours, and is let go by the kernel with the last mount. Without
 * loop devices an erofs image is mounted by its file (Linux 6.12). Missing modules are loaded.
 */
int image_mount(int file, const char *type, struct err *e);

/* The file behind a loop device below root (O_PATH), as fstat(2) has it. ENOTBLK: not a loop device. */
int loop_file(int root, unsigned major, unsigned minor, uint64_t *dev, uint64_t *ino, struct err *e);
/* loop.c: a loop device with the file, read-only and to be cleared at its last close; its name goes to name. */
int loop_attach(int file, char name[24], struct err *e);
