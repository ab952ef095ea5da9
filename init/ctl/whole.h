/* Files that appear whole or not at all. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"

/*
 * All that is behind the descriptor `from`, as the file `to`, mode 0644: written beside it first, then renamed over it,
 * so that whoever opens it sees the old file or the new one. EINVAL: what is there is no ordinary file.
 */
int whole_write(const char *to, int from, struct err *e);
