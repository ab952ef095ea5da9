/* A place of ours that outlives a reboot: a file on a disk, or a device. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"

/*
 * Opened for reading and writing, and nobody else of us writes it until it is closed. A device (see device.h) is
 * waited for at most wait_ms; a file is made where it is missing, with its folder, one level. EROFS: it is in memory,
 * be it below an overlay; ENOTBLK: it is neither a file nor a block device. Blocks: for children and the control tool.
 */
int lasting_open(const char *place, int wait_ms, struct err *e);
