/* One service's records read back, oldest first, across rotations and while they are being written. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "services/logs/store.h"
#include <sys/types.h>

struct source {
	struct source *next;
	char name[64];
	int dir;		/* not owned */
	const char *suffix;
	bool events;		/* lines are JSON, not records */
	int fds[STORE_FILES];	/* owned; oldest first, the last one is being written */
	unsigned nfds, at;	/* at: the one being read */
	off_t pos;		/* where the next read begins */
	char *buf;		/* read, not yet looked at: buf[from..to) */
	size_t from, to, size;
	/* The line that comes next, whole, escaped (an event: as it is). */
	bool have;
	bool dry;		/* there was none: not asked again until the reader says so */
	bool open;		/* its end is still to come */
	int64_t ms;
	uint8_t level;		/* of a service's line */
	char *line;
	size_t n, room;
};

/* name is copied; opens what is there (nothing is no error). NULL: out of memory. */
struct source *source_new(int dir, const char *name, const char *suffix, bool events);
void source_free(struct source *s);
/* Make s->have true if there is a line. false: none until something is written. */
bool source_next(struct source *s);
/* The reader has used the line. */
void source_taken(struct source *s);
/* After a change in the folder: notice that the file was rotated or cut. */
void source_refresh(struct source *s);
/*
 * Go to the place from which the last `lines` lines (< 0: all) that are not older than since_ms are read; their
 * number.
 */
long source_seek_last(struct source *s, long lines, int64_t since_ms);
