/* A file that is rotated: NAME, NAME.1 (the one before) and so on, together bounded. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_LEAST 32768	/* bytes of one file: more than one write of the logger's */
#define STORE_FILES 64		/* of one store, at most */
#define STORE_NAME 80

struct store {
	int dir;		/* where; not owned, FD_NONE: there is no such place */
	int fd;			/* owned; FD_NONE: not opened yet */
	const char *name, *suffix;	/* "web", ".log"; kept by the owner of the store */
	uint64_t size, limit;	/* bytes now; bytes after which the file is rotated */
	uint64_t inode;		/* of the current file, with its device */
	unsigned files;
};

/* max_files files of max_bytes each; 0 is the default, 4 of 2 MiB. */
void store_limits(struct store *s, uint64_t max_bytes, unsigned max_files);
void store_name(char out[STORE_NAME], const char *name, const char *suffix, unsigned age);
/* Opened, and room for n bytes in the current file, rotating if needed. */
int store_room(struct store *s, size_t n, struct err *e);
/* Appends all of it; on failure the file is as long as before. Call store_room() first. */
int store_append(struct store *s, const char *at, size_t n, struct err *e);
void store_close(struct store *s);
