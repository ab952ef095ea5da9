/* Mounts by descriptor: a mount is made detached, gets its attributes, and only then becomes visible. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * For child processes: nothing here takes memory from a heap, and every path is resolved once, below a root given as a
 * descriptor, to a descriptor. Attributes are MOUNT_ATTR_*. Descriptors that are returned are the caller's.
 */

/* A new instance of a file system, detached. options: "key=value,flag,..."; NULL or "": none. */
int mount_new(const char *type, const char *options, uint64_t attr, struct err *e);
/* A detached copy of what is visible at source (O_PATH), with what is mounted below it when recursive. */
int mount_copy(int source, bool recursive, uint64_t attr, struct err *e);
/* Make a detached mount visible on target (O_PATH). `what` is for the message: the target's path. */
int mount_attach(int mount, int target, const char *what, struct err *e);
/* Change the attributes of the mount whose root fd is. */
int mount_change(int fd, bool recursive, uint64_t set, uint64_t clear, struct err *e);
/* fd is the root of a mount. */
bool mount_is_here(int fd);

/* A path of the machine that had no symbolic link in it when it was planned; ELOOP: it has one now. flags: O_PATH... */
int source_open(const char *path, int flags, struct err *e);

/*
 * A path below root, as an O_PATH descriptor. No symbolic link is followed, not even a harmless one: a target that is
 * reached through a link would be another target than the plan says. ELOOP names the path.
 */
int below_open(int root, const char *path, struct err *e);
/* The same; what is missing is made: directories (0755), and the last component as a directory or an empty file. */
int below_make(int root, const char *path, bool directory, struct err *e);

/* Fill an empty tmpfs (its root, not yet read-only) with the minimal /dev. Nodes that may not be made here are copied
 * from the machine's devtmpfs; then the mount must be visible already. */
int dev_fill(int dev, struct err *e);
extern const char *const dev_nodes[];	/* their names; NULL-ended */

/*
 * A new root. It is laid over the caller's "/" (so that nothing needs a directory to be staged in), filled through its
 * descriptor, and entered by root_enter(), which leaves nothing of the old root reachable for anybody in the namespace.
 */
int root_of(const char *tree, struct err *e);	/* copy of that directory; "/": the machine's root mount; detached */
int root_lay(int root, struct err *e);
int root_enter(int root, struct err *e);
