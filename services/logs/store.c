/* Rotated files: see store.h. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/store.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define DEFAULT_BYTES (2ull << 20)
#define DEFAULT_FILES 4

void store_limits(struct store *s, uint64_t max_bytes, unsigned max_files)
{
	s->files = max_files ? max_files : DEFAULT_FILES;
	if (s->files > STORE_FILES)
		s->files = STORE_FILES;
	s->limit = max_bytes ? max_bytes : DEFAULT_BYTES;
	if (s->limit < STORE_LEAST)
		s->limit = STORE_LEAST;
}

void store_name(char out[STORE_NAME], const char *name, const char *suffix, unsigned age)
{
	struct text t = { .at = out, .size = STORE_NAME };

	text_add(&t, name);
	text_add(&t, suffix);
	if (age) {
		text_add(&t, ".");
		text_num(&t, age);
	}
}

static int open_file(struct store *s, struct err *e)
{
	char name[STORE_NAME];
	struct stat st;

	store_name(name, s->name, s->suffix, 0);
	if (s->dir < 0)
		return err_set(e, ENOENT, "%s: there is no folder for it", name);
	/* Read access is for putting things right after a crash; O_NOFOLLOW, because we write as root. */
	owned_fd fd = openat(s->dir, name, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EEXIST, "%s: is there and no regular file", name);
	s->size = (uint64_t)st.st_size;
	s->inode = (uint64_t)st.st_ino ^ (uint64_t)st.st_dev << 40;
	fd_put(&s->fd, fd_take(&fd));
	return 0;
}

/* Oldest first, so that a crash between two renames leaves a gap, never a loss. */
static int rotate(struct store *s, struct err *e)
{
	char from[STORE_NAME], to[STORE_NAME];

	for (unsigned age = s->files - 1; age > 0; age--) {
		store_name(from, s->name, s->suffix, age - 1);
		store_name(to, s->name, s->suffix, age);
		if (renameat(s->dir, from, s->dir, to) < 0 && errno != ENOENT)
			return err_sys(e, "%s: rename to %s", from, to);
	}
	store_name(from, s->name, s->suffix, 0);
	if (s->files == 1 && unlinkat(s->dir, from, 0) < 0 && errno != ENOENT)
		return err_sys(e, "%s: remove", from);
	fd_drop(&s->fd);
	/* Fewer files than before? Those that no rename reaches any more go. */
	for (unsigned age = s->files; age < STORE_FILES; age++) {
		store_name(to, s->name, s->suffix, age);
		if (unlinkat(s->dir, to, 0) < 0)
			break;
	}
	return open_file(s, e);
}

int store_room(struct store *s, size_t n, struct err *e)
{
	if (s->fd < 0 && open_file(s, e) < 0)
		return -e->code;
	if (s->size && s->size + n > s->limit)
		return rotate(s, e);
	return 0;
}

int store_append(struct store *s, const char *at, size_t n, struct err *e)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = write(s->fd, at + done, n - done);

		if (r > 0) {
			done += (size_t)r;
		} else if (r == 0 || errno != EINTR) {
			char name[STORE_NAME];

			err_sys(e, "%s", (store_name(name, s->name, s->suffix, 0), name));
			if (done && ftruncate(s->fd, (off_t)s->size) < 0)
				s->size += done;
			return -e->code;
		}
	}
	s->size += n;
	return 0;
}

void store_close(struct store *s)
{
	fd_drop(&s->fd);
	s->size = 0;
}
