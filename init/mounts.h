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
