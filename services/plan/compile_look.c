/* Paths as the service will see them: inside its root, with its own mounts in place, no link followed out. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sum.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/plan/compiling.h"
#include "services/spec/signers.h"
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#define LINKS_MAX 40	/* the kernel's own bound */

/* The last mount of the cell that covers path; NULL: its root does. */
static const struct seat *seat_of(const struct work *w, const char *path)
{
	const struct seat *last = NULL;

	for (const struct seat *s = w->seats; s < w->seats + w->nseats; s++) {
		size_t n = strlen(s->target);

		if (n == 1 || (!strncmp(path, s->target, n) && (path[n] == '/' || !path[n])))
			last = s;
	}
	return last;
}

/* Open a path in which only the last component may be a symbolic link, and that not to be followed. */
static int open_as(const struct work *w, const char *path, uint64_t flags)
{
	const struct seat *s = seat_of(w, path);
	int base = s ? s->fd : w->root;

	path += s && strlen(s->target) > 1 ? strlen(s->target) : 0;
	path += strspn(path, "/");
	if (base < 0) {		/* a file system that is still empty, or that only the kernel fills */
		errno = ENOENT;
		return -1;
	}
	if (!*path)
		return sys_openat2(base, ".", flags | O_CLOEXEC, 0, 0);
	return sys_openat2(base, path, flags | O_NOFOLLOW | O_CLOEXEC, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int look_open(const struct work *w, const char *path)
{
	return open_as(w, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

int look_path(const struct work *w, const char *path)
{
	return open_as(w, path, O_PATH);
}

/*
 * What is at one path without following it. Services look at the same places of the same root again and again, so the
 * answers are kept; what a service's own mounts cover is its own business and is not.
 */
struct spot {
	const char *root, *path;	/* path == NULL: free */
	int err;			/* errno value; 0: there */
	mode_t mode;
	const char *link;		/* where a symbolic link points to */
};
#define SPOTS 2048

static void read_spot(struct compiling *c, const struct work *w, const char *path, struct spot *s)
{
	const struct seat *seat = seat_of(w, path);
	bool itself = seat && !strcmp(seat->target, path);	/* it may be a file */
	owned_fd fd = !itself ? open_as(w, path, O_PATH) : seat->fd < 0 ? FD_NONE : fcntl(seat->fd, F_DUPFD_CLOEXEC, 3);
	char to[PATH_MAX];
	struct statfs fs;
	struct stat st;

	if (itself && seat->fd < 0) {
		s->mode = seat->file ? S_IFREG | 0444 : S_IFDIR | 0755;
		return;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		s->err = errno;
		return;
	}
	s->mode = st.st_mode;
	if (!S_ISLNK(st.st_mode))
		return;
	ssize_t n = readlinkat(fd, "", to, sizeof to - 1);

	/* Links of procfs that are no paths lead anywhere: none is followed. */
	if (n <= 0 || fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC)
		s->err = n < 0 ? errno : n == 0 ? ENOENT : ELOOP;
	else
		s->link = compiling_fmt(c, "%.*s", (int)n, to);
}

static struct spot *kept_spot(struct compiling *c, const struct work *w, const char *path)
{
	uint64_t h = sum_more(sum_more(SUM_START, path, strlen(path)), w->root_path, strlen(w->root_path));

	if (!c->spots)
		c->spots = calloc(SPOTS, sizeof *c->spots);
	if (!c->spots || c->nspots > SPOTS * 3 / 4)
		return NULL;
	for (unsigned i = (unsigned)h % SPOTS;; i = (i + 1) % SPOTS) {
		struct spot *s = c->spots + i;

		if (s->path && (strcmp(s->path, path) != 0 || strcmp(s->root, w->root_path) != 0))
			continue;
		if (!s->path) {
			read_spot(c, w, path, s);
			s->root = w->root_path;
			s->path = compiling_copy(c, path);
			c->nspots++;
		}
		return s;
	}
}

static struct spot spot_of(struct compiling *c, const struct work *w, const char *path)
{
	struct spot s = { .err = 0 }, *kept = seat_of(w, path) ? NULL : kept_spot(c, w, path);

	if (kept)
		return *kept;
	read_spot(c, w, path, &s);
	return s;
}

/* Where a path has been followed to: `done` has no link left, `rest` is still to go. */
struct trail {
	char done[PATH_MAX], rest[2 * PATH_MAX];
	unsigned links;
	mode_t mode;		/* of done */
};

/* Put what the link says before the rest. */
static int follow(struct trail *t, const char *link)
{
	char rest[2 * PATH_MAX];

	if (++t->links > LINKS_MAX)
		return -ELOOP;
	if (snprintf(rest, sizeof rest, "%s/%s", link, t->rest) >= (int)sizeof rest)
		return -ENAMETOOLONG;
	memcpy(t->rest, rest, strlen(rest) + 1);
	if (link[0] == '/')
		t->done[0] = '\0';
	return 0;
}

/* Cut the next component off the rest; 0: there is none. */
static size_t next_component(struct trail *t, char *name, size_t size)
{
	size_t skip = strspn(t->rest, "/"), n = strcspn(t->rest + skip, "/");

	if (n >= size)
		n = size - 1;
	memcpy(name, t->rest + skip, n);
	name[n] = '\0';
	memmove(t->rest, t->rest + skip + n, strlen(t->rest + skip + n) + 1);
	return n;
}

/* One step along the rest. 1: there was none left. */
static int step(struct compiling *c, const struct work *w, struct trail *t)
{
	char name[PATH_MAX];
	size_t had = strlen(t->done), n = next_component(t, name, sizeof name);

	if (n == 0)
		return 1;
	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		char *last = strrchr(t->done, '/');

		if (last)
			*last = '\0';
		t->mode = S_IFDIR | 0755;	/* we came through it */
		return 0;
	}
	if (had + n + 2 > sizeof t->done)
		return -ENAMETOOLONG;
	t->done[had] = '/';
	memcpy(t->done + had + 1, name, n + 1);
	struct spot s = spot_of(c, w, t->done);

	if (s.err)
		return -s.err;
	t->mode = s.mode;
	if (!s.link)
		return 0;
	t->done[had] = '\0';
	return follow(t, s.link);
}

int look(struct compiling *c, struct work *w, const char *path, struct found *f)
{
	struct trail t;		/* large: only what is used is written */
	char name[PATH_MAX];
	int ret = 0;

	t.done[0] = '\0';
	t.links = 0;
	t.mode = S_IFDIR | 0755;
	*f = (struct found){ .fd = FD_NONE };
	if (strlen(path) >= PATH_MAX || !text_copy(t.rest, sizeof t.rest, path))
		return -ENAMETOOLONG;
	while (ret == 0)
		ret = step(c, w, &t);
	if (ret < 0 && ret != -ENOENT)
		return ret;
	f->path = compiling_copy(c, t.done[0] ? t.done : "/");
	f->mode = ret == -ENOENT ? 0 : t.mode;
	while (ret == -ENOENT && next_component(&t, name, sizeof name))
		f->path = compiling_fmt(c, "%s/%s", f->path, name);
	return ret == 1 ? 0 : ret;
}

/* The link on the way of a source that leads out of `first` or into nothing; "" when none is found. */
static const char *stray_link(struct compiling *c, int first, const char *name, const char *rest)
{
	char part[PATH_MAX], to[PATH_MAX];

	for (const char *end = rest; *end;) {
		end += strcspn(end, "/");
		if (snprintf(part, sizeof part, "%.*s", (int)(end - rest), rest) >= (int)sizeof part)
			break;
		end += strspn(end, "/");
		ssize_t n = readlinkat(first, part, to, sizeof to - 1);
		owned_fd fd = n <= 0 ? FD_NONE : sys_openat2(first, part, O_PATH | O_CLOEXEC, 0,
							    RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);

		if (n > 0 && (fd < 0 || !*end)) {
			to[n] = '\0';
			return compiling_fmt(c, "/%s/%s is a symbolic link to '%s', which %s: write the path itself",
					     name, part, to, fd < 0 ? "leads out" : "can change");
		}
	}
	return "";
}

/*
 * Sources of binds and roots. A symbolic link on the way is followed as long as it stays below the path's first
 * component; a last component that is a link is not, because what it points to can change between two starts.
 * f->path has no link.
 */
int look_source(struct compiling *c, const char *path, struct found *f, const char **why)
{
	char name[NAME_MAX + 1], real[PATH_MAX], self[40];
	const char *at = path + strspn(path, "/"), *rest = at + strcspn(at, "/");
	struct stat st;

	*why = "does not exist";
	if ((size_t)(rest - at) >= sizeof name)
		return -ENAMETOOLONG;
	snprintf(name, sizeof name, "%.*s", (int)(rest - at), at);
	rest += strspn(rest, "/");
	owned_fd first = sys_openat2(c->machine_root, name[0] ? name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, 0);

	if (first < 0)
		return -errno;
	if (fstat(first, &st) == 0 && S_ISLNK(st.st_mode)) {
		*why = compiling_fmt(c, "/%s is a symbolic link: write the path itself", name);
		return -EXDEV;
	}
	owned_fd fd = !*rest ? fd_take(&first) :
		      sys_openat2(first, rest, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
				  RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);

	if (fd < 0 || fstat(fd, &st) < 0 || S_ISLNK(st.st_mode)) {
		int code = fd < 0 ? errno : ELOOP;
		const char *link = first < 0 ? "" : stray_link(c, first, name, rest);

		*why = *link ? link : code == ENOENT ? "does not exist" : strerror(code);
		return -code;
	}
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(self, real, sizeof real - 1);

	real[n > 0 ? n : 0] = '\0';
	*f = (struct found){ .mode = st.st_mode, .path = compiling_fmt(c, "%s", n > 0 &&
								       real[0] == '/' ? real : path) };
	f->fd = fd_take(&fd);
	return 0;
}

char *look_read(struct compiling *c, int root, const char *path, size_t max, size_t *n)
{
	owned_fd fd = sys_openat2(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0,
				  RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)max) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return NULL;
	}
	char *text = compiling_get(c, (size_t)st.st_size + 1);

	for (*n = 0; text && *n < (size_t)st.st_size;) {
		ssize_t got = read(fd, text + *n, (size_t)st.st_size - *n);

		if (got < 0 && errno != EINTR)
			return NULL;
		if (got == 0)
			break;
		*n += got > 0 ? (size_t)got : 0;
	}
	return text;
}

int look_signed(const struct compiling *c, const struct work *w, const char *path, const char *text, size_t n,
		struct err *e)
{
	struct signed_bytes b;

	if (!c->s->trusted)
		return 0;
	signed_bytes_of(&b, text, n);
	return signers_allow(c->s, path, &b, w->svc->name, e);
}
