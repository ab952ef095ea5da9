/* Reading /proc/PID/mountinfo line by line. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mountinfo {
	int id, parent;
	unsigned major, minor;
	const char *root;	/* which part of the file system */
	const char *target;	/* as seen from the reader's root */
	uint64_t attr;		/* MOUNT_ATTR_* without the access time ones */
	bool is_private;	/* neither shared, nor a slave, nor unbindable */
	const char *type, *source;
	const char *options;	/* of the file system, not of this mount */
};

/*
 * Call each() for every line; strings live until it returns. No heap; a line longer than 64 KiB is EOVERFLOW.
 * Returns the number of lines, or what each() returned when it was below 0, or -errno.
 */
typedef int mountinfo_fn(void *ctx, const struct mountinfo *m, struct err *e);
int mountinfo_each(int fd, mountinfo_fn *each, void *ctx, struct err *e);
/* The same in the caller's memory, which the longest line has to fit. */
int mountinfo_in(int fd, char *buf, size_t size, mountinfo_fn *each, void *ctx, struct err *e);
/* One line without its end, cut up in place; EBADMSG when it is none. */
int mountinfo_parse(char *line, struct mountinfo *m, struct err *e);
