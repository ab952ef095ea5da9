/* Block devices by what is on them, and waiting for them. For boot only: blocks. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "rootfs/verity.h"
#include <stdbool.h>

struct device {
	char path[64];		/* below /dev */
	char type[16];		/* the file system on it; "": none that is known here */
	uint64_t size;		/* of that file system, where it says so: bytes, in whole blocks of 4096; else 0 */
	struct verity verity;	/* what stands behind it; nobody vouches for it */
};

/* For what a boot cannot do without: its root, and where the slots are counted. */
#define DEVICE_WAIT_MS 30000

/* Whether a mount's source names a device: /dev/X, or LABEL=, UUID=, PARTUUID=, PARTLABEL= and what it is to be. */
bool device_is_named(const char *source);

/*
 * Find it; when it is not there, wait for it at most wait_ms, by the kernel's uevents, each of which has the drivers of
 * new devices loaded. What is on devices is read by a child that can do nothing else. ENOENT: it did not come.
 */
int device_find(const char *source, int wait_ms, struct device *d, struct err *e);
