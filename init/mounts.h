/* Mounting at boot: machine.mounts and /etc/fstab, with waiting for devices, checking and modules. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/boot.h"

struct mount_job {
	const char *source, *target, *type, *data;	/* type "auto": as the device says */
	uint64_t flags;					/* MS_* */
	int wait_ms;					/* for the device */
};

/*
 * One mount, or with type swap: that device as swap. Makes the target and what an overlay writes to, loads the file
 * system's module, runs fsck.TYPE where the image has one, unless it is to be read-only. For a child: blocks, and
 * runs a program. A bind mount gets its other flags in a second step, as the kernel wants it.
 */
int mount_one(const struct mount_job *m, struct err *e);
/* In a child: before their stage, those of machine.mounts that `path` is below; and their end, in reverse. */
int mounts_below(const struct plan *p, const char *path, struct err *e);
void mounts_below_end(const struct plan *p, const char *path);
