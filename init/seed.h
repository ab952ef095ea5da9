/* Randomness over a reboot: a file of 512 bytes, credited to the kernel once and replaced. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"

/*
 * Both are for children: a disk may be slow. The old file is removed, on the disk, before a bit of it is credited: what
 * a power cut leaves behind is no seed, never one that counts twice. A file that is not root's, or can be read by
 * others, or is on a file system that cannot be written, is mixed in without credit.
 */
int seed_take(const char *path, struct err *e);
int seed_save(const char *path, struct err *e);	/* a new one in its place */
