/* The way to a file that root makes where others may write: see bind.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/cell/bind.h"
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* Somebody else may put what he likes there, or, in a sticky one, has put it there. */
static bool is_of_others(const struct stat *st)
{
	return (st->st_uid != 0 && st->st_uid != geteuid()) || st->st_mode & 022;
}

/* The directory `name` of *at, made when it is missing; *at becomes it. */
static int step(int *at, const char *name, struct err *e)
{
	struct stat here, st;
	owned_fd next = openat(*at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (next < 0 && errno == ENOENT && (mkdirat(*at, name, 0755) == 0 || errno == EEXIST))
		fd_put(&next, openat(*at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
	if (next < 0 || sys_fstat(next, &st) < 0 || sys_fstat(*at, &here) < 0)
		return err_sys(e, "directory %s", name);
	if (S_ISLNK(st.st_mode) && is_of_others(&here))
		return err_set(e, ELOOP, "%s is a link in a directory that others can write to", name);
	if (S_ISLNK(st.st_mode))
		fd_put(&next, openat(*at, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (next < 0 || sys_fstat(next, &st) < 0)
		return err_sys(e, "link %s", name);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "%s is no directory", name);
	fd_put(at, fd_take(&next));
	return 0;
}

int place_open(const char *path, int *dir, const char **name, struct err *e)
{
	owned_fd at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *p = path + strspn(path, "/"), *end;
	char part[NAME_MAX + 1];

	if (at < 0)
		return err_sys(e, "/");
	for (; (end = strchr(p, '/')); p = end + strspn(end, "/")) {
		const size_t n = (size_t)(end - p);

		if (n > NAME_MAX)
			return err_set(e, ENAMETOOLONG, "a name of more than %d bytes", NAME_MAX);
		memcpy(part, p, n);
		part[n] = '\0';
		if (step(&at, part, e) < 0)
			return -e->code;
	}
	if (!*p)
		return err_set(e, EISDIR, "it ends in a slash");
	*name = p;
	*dir = fd_take(&at);
	return 0;
}
