/* A descriptor has exactly one owner: a local (owned_fd), a struct field, or the callee it is given to. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <errno.h>
#include <unistd.h>

#define FD_NONE (-1)

static inline void fd_drop(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);	/* never retried: Linux frees the number even on EINTR */
	*fd = FD_NONE;
	errno = saved;
}

/* Closed when the variable leaves scope. Initialise it, always. */
#define owned_fd __attribute__((cleanup(fd_drop))) int

/* Give the descriptor away; the old owner forgets it. */
static inline int fd_take(int *fd)
{
	int n = *fd;

	*fd = FD_NONE;
	return n;
}

/* Make a long-lived slot own fd, closing what it owned before. */
static inline void fd_put(int *slot, int fd)
{
	fd_drop(slot);
	*slot = fd;
}
