/* The folder that a file of ours is kept in. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"

/* "/var/lib/prior" of "/var/lib/prior/random-seed": opened, and made, one level, where it is missing. The caller's. */
int folder_open(const char *path, struct err *e);
