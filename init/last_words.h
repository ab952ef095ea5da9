/* What the kernel has left in pstore as it died, in order. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/dir.h"
#include <stddef.h>

/*
 * A dump is cut up to fit the records of its store. Each begins with a line of the kernel's, "Panic#2 Part3": of the
 * machine's second oops the third part, counted from the end backwards, for the end is the most important.
 */
#define LAST_WORDS_MAX 64

struct last_words {
	unsigned n;
	struct last_words_part {
		char name[64];
		unsigned oops, part;
	} v[LAST_WORDS_MAX];
};

/* One file of the folder; not taken: it is no part of a dump, or one too many. */
void last_words_add(struct last_words *w, int dir, const char *name);
/* All of them in order, as text of which the last size-1 bytes are kept, from the beginning of a line on. */
void last_words_join(struct last_words *w, int dir, char *to, size_t size);
/* Removes every dump from the folder of a scan that has not begun: also those that were not taken. */
void last_words_forget(struct dir_scan *s);
/* As much of the end of a file, the same way. */
void last_words_tail(int fd, char *to, size_t size);
