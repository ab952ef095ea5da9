/* From the initramfs into the root: see architecture in docs/DESIGN.md, "Boot". */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"

/*
 * Make what is mounted at `root` the root: /dev, /proc, /sys and /run go with us. Until it answers 0 nothing has
 * changed that matters to who goes on in the old one. *old: the old root, the caller's, to be freed.
 */
int switch_root(const char *root, int *old, struct err *e);
/* Remove all that is in the old root's own file system, which was memory. For a child: it walks and allocates. */
int switch_free(int old, struct err *e);
