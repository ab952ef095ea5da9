/* Paths below a root that may be hostile: see mount.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/mount.h"
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define BELOW (RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static int open_below(int root, const char *path)
{
	return sys_openat2(root, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, BELOW);
}

/* A last component that is a link is opened as itself by O_NOFOLLOW, so it is looked at. */
static int refuse_link(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (sys_fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (S_ISLNK(st.st_mode))
		return err_set(e, ELOOP, "%s: is a symbolic link; name what it points to", path);
	return 0;
}

int source_open(const char *path, int flags, struct err *e)
{
	const int fd = sys_openat2(AT_FDCWD, path, (unsigned)flags | O_NOFOLLOW | O_CLOEXEC, 0,
				   RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd >= 0 && flags & O_PATH && sys_fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
		owned_fd link = fd;

		(void)link;
		errno = ELOOP;
	} else if (fd >= 0) {
		return fd;
	}
	if (errno == ELOOP)
		return err_set(e, ELOOP, "%s: there is a symbolic link in it now, and was none when it was planned",
			       path);
	return err_sys(e, "%s", path);
}

int below_open(int root, const char *path, struct err *e)
{
	owned_fd fd = open_below(root, path);

	if (fd < 0 && errno == ELOOP)
		return err_set(e, ELOOP, "%s: goes through a symbolic link; name what it points to", path);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (refuse_link(fd, path, e) < 0)
		return -e->code;
	return fd_take(&fd);
}

/* Open the entry `name` of dir, making it first if it is missing. */
static int make_one(int dir, const char *name, bool directory)
{
	int fd = open_below(dir, name);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	int made = directory ? mkdirat(dir, name, 0755) : mknodat(dir, name, S_IFREG | 0444, 0);

	if (made < 0 && errno != EEXIST)
		return -1;
	return open_below(dir, name);
}

int below_make(int root, const char *path, bool directory, struct err *e)
{
	owned_fd at = open_below(root, path);
	char name[NAME_MAX + 1];

	if (at >= 0)	/* mostly it is there */
		return refuse_link(at, path, e) < 0 ? -e->code : fd_take(&at);
	at = open_below(root, ".");
	if (at < 0)
		return err_sys(e, "%s", path);
	for (const char *p = path + strspn(path, "/"); *p;) {
		size_t n = strcspn(p, "/");

		if (n > NAME_MAX)
			return err_set(e, ENAMETOOLONG, "%s", path);
		memcpy(name, p, n);
		name[n] = '\0';
		p += n;
		p += strspn(p, "/");
		owned_fd next = make_one(at, name, *p || directory);

		if (next < 0)
			return err_sys(e, "%s: make %s", path, name);
		if (refuse_link(next, path, e) < 0)
			return -e->code;
		fd_put(&at, fd_take(&next));
	}
	return fd_take(&at);
}
