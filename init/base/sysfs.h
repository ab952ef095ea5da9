/* What sysfs and the names of devices are to more than one part of prior. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Of which names below /dev and of files of sysfs are made, as far as we name any. */
#define SYSFS_NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-+@:#="

/* n bytes, a path without a / at its start: each component of those bytes, none empty, too long, "." or "..". */
bool sysfs_path_is_clean(const char *s, size_t n, const char *bytes);
/* Whether the last part of where that link leads fits the glob: a driver's or a subsystem's name. dir: borrowed. */
bool sysfs_link_fits(int dir, const char *path, const char *glob);
