/* What the logger was doing, in a page that survives its death: which bytes of a pipe are in which file already. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/logs/store.h"
#include <stdatomic.h>

/*
 * A batch of n bytes of one pipe is looked at (tee), written to its file, and only then taken out of the pipe.
 * When the logger dies in between, its successor must know how far it came. How long the file was before is
 * noted in advance; and the first byte of the batch is read into this very page, where its complement was put
 * before: so the page shows, without a further step in which one could die, whether the batch was taken out.
 * Every line is then in the files exactly once. A file write cut short by the kill is taken back first. What
 * this does not cover: a crash of the machine (nothing is synced), and lines on the console, which may be
 * missing or twice.
 */
struct journal {
	uint64_t magic;
	_Atomic uint32_t active;	/* 1: the rest is about a batch that was begun */
	uint32_t n;			/* its bytes in the pipe */
	uint32_t out;			/* its bytes in the file */
	uint8_t first, witness;		/* its first byte; equal when it was taken out */
	uint8_t pad[2];
	uint64_t size, inode;		/* the file, before; inode 0: it goes into none */
	char name[64];
};

/*
 * Maps NAME in dir; when that is impossible, a page that dies with the process, and *e says why (returns
 * -errno).
 */
int journal_open(struct journal **j, int dir, struct err *e);
void journal_begin(struct journal *j, const char *name, unsigned char first, size_t n, size_t out,
		   const struct store *s);
void journal_end(struct journal *j);
/*
 * Is the batch that was begun for this stream written or not, and is it still in its pipe? 0: neither, go on;
 * else the number of bytes to take out of the pipe unseen. The file of s loses what was written in part.
 */
size_t journal_recover(struct journal *j, const char *name, struct store *s);
/* Whether it was begun for this stream and s's file. */
bool journal_is_about(const struct journal *j, const char *name, const struct store *s);
