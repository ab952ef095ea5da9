/* Two copies of something small: see twice.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/twice.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512	/* what a disk writes whole or not at all */

/* Nothing was ever written here: all is zero, or the file is shorter. */
static bool is_fresh(const unsigned char *copy, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++)
		if (copy[i])
			return false;
	return true;
}

static ssize_t get(int fd, const struct twice *t, unsigned i, void *copy)
{
	memset(copy, 0, t->size);
	return pread(fd, copy, t->size, (off_t)(i * t->apart));
}

int twice_load(int fd, const struct twice *t, void *copy, struct err *e)
{
	bool ours = false, fresh = true;
	uint64_t seq, newest = 0;
	int unread = 0, found = -1;

	for (unsigned i = 0; i < 2; i++) {
		ssize_t n = get(fd, t, i, copy);

		/* One that cannot be read is as good as one that was being written: the other one counts. */
		if (n < 0) {
			unread = errno;
			continue;
		}
		fresh = fresh && is_fresh(copy, n);
		ours = ours || !strncmp(copy, t->magic, strlen(t->magic));
		if (n != (ssize_t)t->size || !t->is_whole(copy, &seq) || (found >= 0 && seq < newest))
			continue;
		found = (int)i;
		newest = seq;
	}
	if (found == 0 && (get(fd, t, 0, copy) != (ssize_t)t->size || !t->is_whole(copy, &seq)))
		return err_set(e, EIO, "read %s: it changes while it is read", t->what);
	if (found >= 0)
		return 0;
	errno = unread;
	if (unread)
		return err_sys(e, "read %s", t->what);
	return fresh || ours ? err_set(e, ENODATA, "%s: nothing is kept there yet", t->what) :
	       err_set(e, EBADMSG, "%s: something else is kept there; not overwriting it (its first %zu bytes have to "
		       "be zero)", t->what, t->apart + t->size);
}

static int put(int fd, const struct twice *t, const void *copy, size_t n, off_t to, struct err *e)
{
	ssize_t done = pwrite(fd, copy, n, to);

	if (done < 0 || fsync(fd) < 0)
		return err_sys(e, "write %s", t->what);
	return (size_t)done == n ? 0 : err_set(e, ENOSPC, "write %s: no room for %zu bytes", t->what,
					       t->apart + t->size);
}

int twice_save(int fd, const struct twice *t, const void *copy, uint64_t seq, struct err *e)
{
	const off_t to = (off_t)((seq & 1) * t->apart);

	/* The first time, the beginning goes first: whatever is torn after it is known to be ours. */
	if (seq == 1 && t->size > SECTOR && put(fd, t, copy, SECTOR, to, e) < 0)
		return -e->code;
	return put(fd, t, copy, t->size, to, e);
}
