/* Reading a service's files: see source.h. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/source.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "services/logs/events.h"
#include "services/logs/record.h"
#include "services/logs/stamp.h"
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK 65536
#define LINE_MOST (4u << 20)	/* a line longer than this is shown in pieces */

/* Room for n bytes; false, and nothing changed, when there is no memory: the reader then shows what it has. */
static bool grow(char **at, size_t *size, size_t n)
{
	char *p = n <= *size ? *at : realloc(*at, 2 * n);

	if (!p)
		return false;
	if (n > *size)
		*size = 2 * n;
	*at = p;
	return true;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

/*
 * Newest first: a file renamed meanwhile is then met twice, under its old and its new name, and never missed. A
 * gap of one is what a logger leaves that died between two renames.
 */
static unsigned open_all(const struct source *s, int fds[STORE_FILES])
{
	char name[STORE_NAME];
	unsigned n = 0, gaps = 0;

	for (unsigned age = 0; age < STORE_FILES && gaps < 2; age++) {
		store_name(name, s->name, s->suffix, age);
		owned_fd fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		if (fd < 0)
			gaps++;
		else if (n == 0 || !same_file(fds[n - 1], fd))
			fds[n++] = fd_take(&fd);
	}
	for (unsigned i = 0; i < n / 2; i++) {
		int t = fds[i];

		fds[i] = fds[n - 1 - i];
		fds[n - 1 - i] = t;
	}
	return n;
}

struct source *source_new(int dir, const char *name, const char *suffix, bool events)
{
	struct source *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	text_copy(s->name, sizeof s->name, name);
	s->dir = dir;
	s->suffix = suffix;
	s->events = events;
	s->nfds = open_all(s, s->fds);
	return s;
}

static void drop_files(struct source *s)
{
	for (unsigned i = 0; i < s->nfds; i++)
		fd_drop(&s->fds[i]);
	s->nfds = s->at = 0;
}

void source_free(struct source *s)
{
	drop_files(s);
	free(s->buf);
	free(s->line);
	free(s);
}

/* ---- forwards ---- */

/* More bytes into the buffer; false at the end of what is written. */
static bool fill(struct source *s)
{
	if (s->from) {
		memmove(s->buf, s->buf + s->from, s->to - s->from);
		s->to -= s->from;
		s->from = 0;
	}
	if (!grow(&s->buf, &s->size, s->to + BLOCK))
		return false;
	while (s->at < s->nfds) {
		ssize_t r = pread(s->fds[s->at], s->buf + s->to, s->size - s->to, s->pos);

		if (r > 0) {
			s->to += (size_t)r;
			s->pos += r;
			return true;
		}
		if (s->at + 1 == s->nfds)
			return false;
		s->at++;
		s->pos = 0;
		s->to = s->from = 0;	/* a file's last line without its end will not get one */
	}
	return false;
}

static void append(struct source *s, const char *text, size_t n)
{
	if (!grow(&s->line, &s->room, s->n + n + 1))
		return;
	memcpy(s->line + s->n, text, n);
	s->n += n;
	s->line[s->n] = '\0';
}

static int64_t event_ms(const char *line, size_t n)
{
	const char *v;
	size_t vn;

	return event_find(line, n, "time", &v, &vn) ? stamp_read(v, vn) : 0;
}

static void take_event(struct source *s, const char *line, size_t n)
{
	s->n = 0;
	append(s, line, n);
	s->ms = event_ms(line, n);
	s->have = n > 0;
}

static void take_record(struct source *s, const char *line, size_t n)
{
	struct record r;

	if (!record_read(line, n, &r))
		return;	/* damaged by a crash of the machine: nothing to show */
	if (!s->open) {
		s->n = 0;
		s->ms = r.ms;
	}
	append(s, r.text, r.n);
	s->level = r.level;
	s->open = r.kind == RECORD_PART && s->n < LINE_MOST;
	s->have = !s->open;
}

bool source_next(struct source *s)
{
	while (!s->have && !s->dry) {
		char *nl = s->to > s->from ? memchr(s->buf + s->from, '\n', s->to - s->from) : NULL;

		if (!nl) {
			s->dry = !fill(s);
			continue;
		}
		const char *line = s->buf + s->from;
		size_t n = (size_t)(nl - line);

		s->from += n + 1;
		if (s->events)
			take_event(s, line, n);
		else
			take_record(s, line, n);
	}
	return s->have;
}

void source_taken(struct source *s)
{
	s->have = false;
}

void source_refresh(struct source *s)
{
	int fds[STORE_FILES];
	unsigned n = open_all(s, fds), known = 0;
	struct stat st;

	/* A logger that was killed while it wrote takes that piece back, so a line without its end is read anew. */
	s->pos -= (off_t)(s->to - s->from);
	s->from = s->to = 0;
	if (s->at < s->nfds && fstat(s->fds[s->at], &st) == 0 && st.st_size < s->pos)
		s->pos = st.st_size;
	/* What is newer than the newest we know comes after it; everything is, when ours is gone. */
	for (unsigned i = 0; i < n && s->nfds; i++)
		if (same_file(fds[i], s->fds[s->nfds - 1]))
			known = i + 1;
	for (unsigned i = 0; i < n; i++) {
		if (i < known || s->nfds == STORE_FILES)
			fd_drop(&fds[i]);
		else
			s->fds[s->nfds++] = fds[i];
	}
	/* Those read to their end make room. */
	if (s->nfds > 1 && s->at) {
		for (unsigned i = 0; i < s->at; i++)
			fd_drop(&s->fds[i]);
		memmove(s->fds, s->fds + s->at, (s->nfds - s->at) * sizeof *s->fds);
		s->nfds -= s->at;
		s->at = 0;
	}
}

/* ---- backwards ---- */

struct back {
	const struct source *s;
	long left, found;	/* lines still wanted; lines found */
	int64_t since;
	unsigned file;		/* the place from which reading forwards gives what was found */
	off_t pos;
	bool done;
};

/* One line (of file f, beginning at pos), met on the way back. */
static void met(struct back *b, unsigned f, off_t pos, const char *line, size_t n)
{
	struct record r = { 0 };
	bool starts_new = true;

	if (b->s->events) {
		r.ms = event_ms(line, n);
	} else if (!record_read(line, n, &r)) {
		return;
	} else {
		starts_new = r.kind != RECORD_PART;	/* a part belongs to the line that ends behind it */
	}
	if (starts_new && (b->left == 0 || r.ms < b->since)) {
		b->done = true;
		return;
	}
	b->file = f;
	b->pos = pos;
	if (starts_new) {
		b->found++;
		b->left -= b->left > 0;
	}
}

/*
 * buf holds file bytes from `start`; the first line in it may be cut unless start is 0. Returns where the first
 * whole one begins.
 */
static off_t scan_block(struct back *b, unsigned f, const char *buf, size_t n, off_t start)
{
	size_t end = n;

	while (end && !b->done) {
		const char *nl = memrchr(buf, '\n', end - 1);
		size_t from = nl ? (size_t)(nl - buf) + 1 : 0;

		if (from == 0 && start)
			break;
		met(b, f, start + (off_t)from, buf + from, end - 1 - from);
		end = from;
	}
	return start + (off_t)end;
}

static void scan_file(struct back *b, unsigned f, char *buf)
{
	struct stat st;
	off_t end = fstat(b->s->fds[f], &st) == 0 ? st.st_size : 0;
	bool last_line = true;

	while (end && !b->done) {
		off_t start = end > BLOCK ? end - BLOCK : 0;
		ssize_t n = pread(b->s->fds[f], buf, (size_t)(end - start), start);
		const char *nl = n > 0 ? memrchr(buf, '\n', (size_t)n) : NULL;

		if (!nl)
			return;
		if (last_line)	/* the newest file may end in the middle of a line */
			n = nl - buf + 1;
		last_line = false;
		off_t next = scan_block(b, f, buf, (size_t)n, start);

		if (next >= end)
			return;
		end = next;
	}
}

long source_seek_last(struct source *s, long lines, int64_t since_ms)
{
	struct back b = { .s = s, .left = lines < 0 ? LONG_MAX : lines, .since = since_ms };

	struct stat st;
	char *buf = s->nfds ? malloc(BLOCK) : NULL;

	if (!buf)
		return 0;
	b.file = s->nfds - 1;
	b.pos = fstat(s->fds[b.file], &st) == 0 ? st.st_size : 0;
	for (unsigned f = s->nfds; f-- && !b.done;)
		scan_file(&b, f, buf);
	free(buf);
	s->at = b.file;
	s->pos = b.pos;
	s->from = s->to = s->n = 0;
	s->have = s->open = false;
	return b.found;
}
