/* Directories that are made for others, handed over and removed by root: see tree.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/tree.h"
#include "init/base/dir.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 128		/* descriptors that are open at once while a tree is given away */
#define NO_LINK (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
#define ROUNDS_MAX 1000000	/* directories of one tree that are flattened before it is given up */

/* The next component of *p; false at the end. */
static bool next_part(const char **p, char part[NAME_MAX + 1])
{
	*p += strspn(*p, "/");
	const size_t n = strcspn(*p, "/");

	if (n == 0 || n > NAME_MAX)
		return false;
	memcpy(part, *p, n);
	part[n] = '\0';
	*p += n;
	return true;
}

/* dir/part as a directory, made if it is missing. */
static int enter(int dir, const char *part, uint64_t flags, uint64_t resolve)
{
	int fd = sys_openat2(dir, part, flags | O_DIRECTORY | O_CLOEXEC, 0, resolve);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(dir, part, 0755) < 0 && errno != EEXIST)
		return -1;
	return sys_openat2(dir, part, flags | O_DIRECTORY | O_CLOEXEC, 0, resolve);
}

int tree_base(const char *path, struct err *e)
{
	owned_fd at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char part[NAME_MAX + 1];

	for (const char *p = path; at >= 0 && next_part(&p, part);)
		fd_put(&at, enter(at, part, O_PATH, RESOLVE_NO_MAGICLINKS));
	return at < 0 ? err_sys(e, "%s", path) : fd_take(&at);
}

static int no_link(struct err *e, const char *name)
{
	if (errno == ELOOP || errno == ENOTDIR)
		return err_set(e, errno, "%s: is, or goes through, a symbolic link or a file", name);
	return err_sys(e, "%s", name);
}

int tree_make(int base, const char *name, struct err *e)
{
	owned_fd at = fcntl(base, F_DUPFD_CLOEXEC, 3);
	char part[NAME_MAX + 1];

	for (const char *p = name; at >= 0 && next_part(&p, part);)
		fd_put(&at, enter(at, part, O_RDONLY | O_NOFOLLOW, NO_LINK));
	return at < 0 ? no_link(e, name) : fd_take(&at);
}

int tree_parent(int base, const char *name, const char **last, struct err *e)
{
	const char *slash = strrchr(name, '/');
	char above[PATH_MAX];

	*last = slash ? slash + 1 : name;
	if (!slash)
		return fcntl(base, F_DUPFD_CLOEXEC, 3);
	if (snprintf(above, sizeof above, "%.*s", (int)(slash - name), name) >= (int)sizeof above)
		return err_set(e, ENAMETOOLONG, "%s", name);
	const int fd = sys_openat2(base, above, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, NO_LINK);

	return fd < 0 ? no_link(e, above) : fd;
}

/* ---- giving away ---- */

struct giving {
	uid_t from, uid;
	gid_t gid;
	int open[DEPTH_MAX];
	int64_t after[DEPTH_MAX];	/* where in the directory we are */
	unsigned depth;
};

static int give_one(int fd, const struct stat *st, const struct giving *g)
{
	/* Another name of it may stand where this owner could never have written. */
	if (st->st_uid != g->from || (!S_ISDIR(st->st_mode) && st->st_nlink > 1))
		return 0;
	return fchownat(fd, "", g->uid, g->gid, AT_EMPTY_PATH);
}

static int descend(struct giving *g, int fd, struct err *e)
{
	if (g->depth == DEPTH_MAX) {
		fd_drop(&fd);
		return err_set(e, E2BIG, "deeper than %d directories: give it to user %u by hand", DEPTH_MAX, g->uid);
	}
	g->open[g->depth] = fd;
	g->after[g->depth++] = 0;
	return 0;
}

/* 1: a directory was opened and is to be gone through before this one goes on. What is mounted here is another's. */
static int give_entry(struct giving *g, const char *name, struct err *e)
{
	owned_fd fd = sys_openat2(g->open[g->depth - 1], name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
				  NO_LINK | RESOLVE_NO_XDEV);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == EXDEV ? 0 : err_sys(e, "%s", name);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", name);
	if (!S_ISDIR(st.st_mode))
		return give_one(fd, &st, g) < 0 ? err_sys(e, "%s", name) : 0;
	const int dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(e, "%s", name);
	return descend(g, dir, e) < 0 ? -e->code : 1;
}

/* All entries of the innermost directory; 1: one of them is a directory. */
static int give_entries(struct giving *g, struct err *e)
{
	const int dir = g->open[g->depth - 1];
	int64_t *after = &g->after[g->depth - 1];
	char buf[4096] __attribute__((aligned(8)));
	struct dir_scan s = { .fd = dir, .room = buf, .size = sizeof buf };
	const struct dir_entry *d;

	if (lseek(dir, *after, SEEK_SET) < 0)
		return err_sys(e, "read a directory");
	while ((d = dir_next(&s))) {
		*after = d->off;
		int rc = give_entry(g, d->name, e);

		if (rc != 0)
			return rc;
	}
	return s.n < 0 ? err_sys(e, "read a directory") : 0;
}

int tree_give(int dir, uid_t uid, gid_t gid, struct err *e)
{
	struct giving g = { .uid = uid, .gid = gid };
	struct stat st;
	int rc = 0;

	if (fstat(dir, &st) < 0)
		return err_sys(e, "look at it");
	if (st.st_uid == uid && st.st_gid == gid)
		return 0;
	g.from = st.st_uid;
	owned_fd own = fcntl(dir, F_DUPFD_CLOEXEC, 3);

	if (own < 0)
		return err_sys(e, "its descriptor");
	rc = descend(&g, fd_take(&own), e);
	while (rc >= 0 && g.depth) {
		rc = give_entries(&g, e);
		if (rc != 0)
			continue;
		/* Nothing is left in it: now itself. */
		if (fstat(g.open[g.depth - 1], &st) < 0 || give_one(g.open[g.depth - 1], &st, &g) < 0)
			rc = err_sys(e, "give it to %u:%u", uid, gid);
		fd_drop(&g.open[--g.depth]);
	}
	while (g.depth)
		fd_drop(&g.open[--g.depth]);
	return rc;
}

/* ---- removing ---- */

/* One that is not empty moves up to the top under a name of its own: so no directory is ever deep. */
static int flatten(int top, int dir, const char *name, unsigned *number)
{
	char to[32];

	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -1;
	for (unsigned tries = 0; tries < 1000; tries++) {
		snprintf(to, sizeof to, ".prior-removes-%u", (*number)++);
		if (syscall(SYS_renameat2, dir, name, top, to, 1u /* RENAME_NOREPLACE */) == 0 || errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

/* Everything in dir; directories in it that are not empty go to top (which may be dir: then they stay, 1). */
static int empty(int top, int dir, unsigned *number)
{
	char buf[4096] __attribute__((aligned(8)));
	struct dir_scan s = { .fd = dir, .room = buf, .size = sizeof buf };
	const struct dir_entry *d;
	bool left = false;

	if (lseek(dir, 0, SEEK_SET) < 0)
		return -1;
	while ((d = dir_next(&s))) {
		if (unlinkat(dir, d->name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return -1;
		if (top != dir && flatten(top, dir, d->name, number) < 0)
			return -1;
		left = true;
	}
	return s.n < 0 ? -1 : left;
}

/* A directory of top: what is in it, then itself. */
static int remove_inner(int top, const char *name, unsigned *number)
{
	if (unlinkat(top, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTDIR)	/* it was one a moment ago, or cannot be removed */
		return unlinkat(top, name, 0) < 0 && errno != ENOENT ? -1 : 0;
	owned_fd dir = sys_openat2(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
				   NO_LINK | RESOLVE_NO_XDEV);

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	if (empty(top, dir, number) < 0)
		return -1;
	return unlinkat(top, name, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTEMPTY ? -1 : 0;
}

/* One pass over the directories in top. 0: there was none. */
static int pass(int top, unsigned *number)
{
	char buf[4096] __attribute__((aligned(8)));
	struct dir_scan s = { .fd = top, .room = buf, .size = sizeof buf };
	const struct dir_entry *d;
	int some = 0;

	if (lseek(top, 0, SEEK_SET) < 0)
		return -1;
	while ((d = dir_next(&s))) {
		some = 1;
		if (remove_inner(top, d->name, number) < 0)
			return -1;
	}
	return s.n < 0 ? -1 : some;
}

int tree_remove(int parent, const char *name, struct err *e)
{
	owned_fd top = sys_openat2(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
				   NO_LINK | RESOLVE_NO_XDEV);
	unsigned number = 0;
	int more = 1;

	if (top < 0 && (errno == ENOENT || errno == EXDEV))
		return errno == ENOENT ? 0 : err_set(e, EBUSY, "remove %s: something is mounted there", name);
	if (top < 0)	/* somebody has put a link or a file there: that is what is removed */
		return unlinkat(parent, name, 0) < 0 && errno != ENOENT ? err_sys(e, "remove %s", name) : 0;
	for (unsigned round = 0; more > 0 && round < ROUNDS_MAX; round++) {
		more = empty(top, top, &number);
		if (more > 0)
			more = pass(top, &number);
	}
	if (more < 0)
		return err_sys(e, "remove %s", name);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "remove %s", name);
	return 0;
}
