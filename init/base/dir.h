/* The entries of a directory, without a heap: getdents64(2) into a buffer of the caller's. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct dir_entry {	/* as the kernel writes it */
	uint64_t ino;
	int64_t off;	/* for lseek(2): where the one behind it is */
	unsigned short len;
	unsigned char type;
	char name[];
};
#define DIR_ENTRY_FOLDER 4	/* type of a directory, where the file system says it */

struct dir_scan {
	int fd;		/* the caller's, open for reading; its position moves */
	char *room;	/* aligned to 8 bytes; at least 280, for a longest name */
	size_t size;
	long n, at;	/* n < 0 at the end: it could not be read, errno says why */
};

/* The next one that is neither "." nor ".."; it lives until the next call. NULL: there is none, or n < 0. */
static inline const struct dir_entry *dir_next(struct dir_scan *s)
{
	for (;;) {
		if (s->at == s->n) {
			s->at = 0;
			s->n = syscall(SYS_getdents64, s->fd, s->room, s->size);
		}
		if (s->n <= 0)
			return NULL;
		const struct dir_entry *d = (const void *)(s->room + s->at);

		s->at += d->len;
		if (strcmp(d->name, ".") && strcmp(d->name, ".."))
			return d;
	}
}
