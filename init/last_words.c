/* Putting together what the kernel cut up as it died: see last_words.h. */
/* SPDX-License-Identifier: ISC */
#include "init/last_words.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PACKED ".enc.z"
#define PACKED_SAYS "(a part is packed in a way that this kernel cannot unpack)\n"

void last_words_tail(int fd, char *to, size_t size)
{
	struct stat st;
	off_t at = fstat(fd, &st) == 0 && st.st_size >= (off_t)size ? st.st_size - (off_t)size + 1 : 0;
	ssize_t n = pread(fd, to, size - 1, at);

	to[n > 0 ? n : 0] = '\0';
	const char *whole = at ? strchr(to, '\n') : NULL;

	if (whole)
		memmove(to, whole + 1, strlen(whole + 1) + 1);
}

/* "Panic#2 Part3\n": its length; 0: there is no such line. */
static size_t read_head(int fd, unsigned *oops, unsigned *part)
{
	char line[64] = "";
	ssize_t n = pread(fd, line, sizeof line - 1, 0);
	const char *end = n > 0 ? strchr(line, '\n') : NULL, *hash = strchr(line, '#'), *at = strstr(line, " Part");

	if (!end || !hash || !at || hash > at || at > end)
		return 0;
	*oops = (unsigned)strtoul(hash + 1, NULL, 10);
	*part = (unsigned)strtoul(at + strlen(" Part"), NULL, 10);
	return (size_t)(end + 1 - line);
}

static bool is_packed(const char *name)
{
	const size_t n = strlen(name), k = strlen(PACKED);

	return n > k && !strcmp(name + n - k, PACKED);
}

static bool is_dump(const char *name)
{
	return !strncmp(name, "dmesg-", 6);
}

void last_words_add(struct last_words *w, int dir, const char *name)
{
	struct last_words_part *p = &w->v[w->n];

	if (!is_dump(name) || w->n == LAST_WORDS_MAX || !text_copy(p->name, sizeof p->name, name))
		return;
	p->oops = p->part = 0;
	owned_fd fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	read_head(fd, &p->oops, &p->part);
	w->n++;
}

/* The first part is the last one that the kernel has written. */
static int in_order(const void *a, const void *b)
{
	const struct last_words_part *x = a, *y = b;

	if (x->oops != y->oops)
		return x->oops < y->oops ? -1 : 1;
	if (x->part != y->part)
		return x->part > y->part ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The end of one part in front of what is there already; its first line only where a dump begins. */
static size_t put_before(const struct last_words_part *p, int dir, bool begins, char *room, size_t left)
{
	owned_fd fd = openat(dir, p->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	unsigned oops, part;
	struct stat st;

	if (is_packed(p->name)) {
		const size_t n = strlen(PACKED_SAYS);

		if (n <= left)
			memcpy(room + left - n, PACKED_SAYS, n);
		return n <= left ? n : 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	const off_t head = begins ? 0 : (off_t)read_head(fd, &oops, &part);
	const size_t whole = st.st_size > head ? (size_t)(st.st_size - head) : 0, n = whole < left ? whole : left;
	ssize_t got = pread(fd, room + left - n, n, head + (off_t)(whole - n));

	if (got <= 0 || (size_t)got == n)
		return got > 0 ? n : 0;
	memmove(room + left - (size_t)got, room + left - n, (size_t)got);
	return (size_t)got;
}

void last_words_join(struct last_words *w, int dir, char *to, size_t size)
{
	size_t left = size - 1, n;

	qsort(w->v, w->n, sizeof *w->v, in_order);
	for (unsigned i = w->n; i-- > 0 && left;)
		left -= put_before(&w->v[i], dir, i == 0 || w->v[i - 1].oops != w->v[i].oops, to, left);
	n = size - 1 - left;
	memmove(to, to + left, n);
	to[n] = '\0';
	const char *whole = left ? NULL : strchr(to, '\n');

	if (whole)	/* there is no room for all: from the beginning of a line on */
		memmove(to, whole + 1, strlen(whole + 1) + 1);
}

void last_words_forget(struct dir_scan *s)
{
	if (lseek(s->fd, 0, SEEK_SET) < 0)
		return;
	for (const struct dir_entry *d; (d = dir_next(s));)
		if (is_dump(d->name))
			unlinkat(s->fd, d->name, 0);
}
