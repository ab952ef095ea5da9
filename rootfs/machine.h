/* The machine's own mounts: API file systems, cgroup2, leaving the initramfs's rootfs, unmounting all at the end. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * For PID 1 at boot and at shutdown, when blocking is allowed. What is mounted already (a container, an
 * initramfs that did it) is left as it is. Nothing here allocates.
 */

/* proc, sysfs, devtmpfs, devpts, /dev/shm, mqueue, /run; directories are made where the root can be written. */
int machine_mount_api(struct err *e);

/*
 * pivot_root(2) refuses a caller whose root is the kernel's rootfs, and every cell needs pivot_root. A clone of
 * the root mount is laid over it and becomes our root (the files stay where they are). No effect where the root
 * is another mount.
 */
int machine_leave_rootfs(struct err *e);

/*
 * cgroup2 on /sys/fs/cgroup with nsdelegate and memory_recursiveprot, or what is there already; every controller
 * delegated to our directory NAME, whose descriptor the caller owns afterwards (leaves are made in it, with memory
 * and pids; cgroup_make() enables the others when a limit needs them). When PID 1 sits in a cgroup that must be
 * emptied first (not the root), it moves itself to the leaf `prior.init` beside it. note (may be NULL, size bytes)
 * tells which controllers could not be enabled. EROFS, EACCES, ENOENT: no usable cgroup2.
 */
int machine_cgroup(const char *name, int *root_fd, char *note, int size, struct err *e);
/* Remove that directory, which must be empty by now; for a supervisor that ends before its machine does. */
int machine_cgroup_remove(int root_fd, struct err *e);

/*
 * Unmount everything but the root and the API file systems, last mounted first, and let go of swap, loop devices and
 * device-mapper, in as many rounds as it takes; what stays busy is remounted read-only and named to busy(). Everything
 * is synced, after the root was made read-only, unless that is to be used on. Returns how many stayed. A disk that
 * does not answer blocks it: for a child.
 */
int machine_unmount_all(void (*busy)(const char *target, int err), bool keep_root);
/* Swap, loop and device-mapper devices that nobody uses; returns how many loop devices and swaps went. */
int machine_detach_all(void);
