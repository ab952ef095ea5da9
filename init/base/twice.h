/* Something small that is kept twice, in a file or on a device, so that a cut of power leaves it whole. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Two copies, one behind the other. A write goes to the older one and is on the disk before it returns: when the power
 * is cut in between, the other one is still whole. Which one is newer says a number in it, that its writer counts up.
 */
struct twice {
	const char *what;	/* for messages */
	const char *magic;	/* how a copy of ours begins; nothing else is ever overwritten */
	size_t size, apart;	/* of one copy; from the beginning of one to that of the other */
	/* Whether these `size` bytes are a whole copy, and its number. */
	bool (*is_whole)(const void *copy, uint64_t *seq);
};

/* The newest whole copy, into `size` bytes. ENODATA: there is none yet; EBADMSG: something else is kept there. Of a
 * failure, what is in them then is of no use. */
int twice_load(int fd, const struct twice *t, void *copy, struct err *e);
/* `seq` is the copy's number, one more than that of the one that was loaded; the first one's is 1. */
int twice_save(int fd, const struct twice *t, const void *copy, uint64_t seq, struct err *e);
