/* Directories that are made for others, handed over and removed by root: by descriptor, no link is followed. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <sys/types.h>

/*
 * For child processes that are root where somebody else may write. Whoever owns a directory on the way can rename,
 * replace or link what is in it at any moment; so every entry is opened once, without following a link, looked at by
 * its descriptor and changed by its descriptor. No heap.
 */

/* The directory `path` (absolute, root's own all the way: links of the administrator are followed), made with 0755
 * where it is missing. An O_PATH descriptor. */
int tree_base(const char *path, struct err *e);
/* base/name, "web/data"; what is missing is made, 0755 and the caller's. Returns it open for reading. ELOOP or ENOTDIR:
 * a link, or no directory, is on the way. */
int tree_make(int base, const char *name, struct err *e);
/* The directory that holds the last component of name, O_PATH; *last points to it in name. */
int tree_parent(int base, const char *name, const char **last, struct err *e);
/*
 * Give the directory (open for reading), and what in it on the same file system belongs to whom it belongs to, to
 * uid:gid; itself last, so that what was begun and did not end is begun again. A file that has a second name is left
 * alone, for that may stand where its owner could never have written; so is all that belongs to a third. E2BIG: deeper
 * than 128 directories.
 */
int tree_give(int dir, uid_t uid, gid_t gid, struct err *e);
/* Remove parent/name and everything in it, as deep as it may be; fine when it is not there. EXDEV, EBUSY: something is
 * mounted in it, which stays. */
int tree_remove(int parent, const char *name, struct err *e);
