/* Credentials: secrets from the machine's files into memory that is never swapped, for one service's eyes. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "rootfs/mount.h"
#include "services/cell/root.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define TOTAL_MAX (1u << 20)	/* bytes of all of a service's credentials */
#define SEALED (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW)

/* No link anywhere on the way: whoever may change a link must not choose what root reads. */
static int open_source(const char *path, struct err *e)
{
	const int fd = sys_openat2(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
				   RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return err_set(e, ELOOP, "%s: is, or goes through, a symbolic link; name what it points to", path);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	owned_fd other = fd;

	return err_set(e, EINVAL, "%s: not a regular file", path);
}

static bool write_all(int to, const char *at, size_t n)
{
	while (n > 0) {
		const ssize_t did = write(to, at, n);

		if (did <= 0)
			return false;
		at += did;
		n -= (size_t)did;
	}
	return true;
}

/* The buffer is the only copy of ours. */
static int copy(int from, int to, size_t *total, struct err *e)
{
	char buf[4096];
	int rc = 0;
	ssize_t n = 1;

	while (rc == 0 && (n = read(from, buf, sizeof buf)) > 0) {
		*total += (size_t)n;
		if (*total > TOTAL_MAX)
			rc = err_set(e, EFBIG, "its credentials are larger than 1 MiB together");
		else if (!write_all(to, buf, (size_t)n))
			rc = err_sys(e, "write %zd bytes", n);
	}
	if (n < 0)
		rc = err_sys(e, "read");
	explicit_bzero(buf, sizeof buf);
	return rc;
}

static int one_secret(const struct cell *c, int dir, const struct plan_file *f, size_t *total, struct err *e)
{
	owned_fd from = open_source(plan_str(c->plan, f->value), e);
	owned_fd to = from < 0 ? from : openat(dir, plan_str(c->plan, f->path),
					       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);

	if (from < 0)
		return from;
	if (to < 0)
		return err_sys(e, "make it");
	if (copy(from, to, total, e) < 0)
		return err_in(e, "%s", plan_str(c->plan, f->value));
	if (fchmod(to, 0400) < 0 || fchown(to, c->svc->uid, c->svc->gid) < 0)
		return err_sys(e, "give it to user %u", c->svc->uid);
	return 0;
}

int secrets_mount(const struct cell *c, struct err *e)
{
	owned_fd dir = mount_new("ramfs", NULL, SEALED & ~(uint64_t)MOUNT_ATTR_RDONLY, e);
	size_t total = 0;

	if (dir < 0)
		return dir;
	PLAN_EACH(struct plan_file, f, c->plan, c->svc->credentials)
		if (one_secret(c, dir, f, &total, e) < 0)
			return err_in(e, "credential %s", plan_str(c->plan, f->path));
	if (fchownat(dir, "", c->svc->uid, c->svc->gid, AT_EMPTY_PATH) < 0)
		return err_sys(e, "give them to user %u", c->svc->uid);
	owned_fd open_dir = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (open_dir < 0 || fchmod(open_dir, 0500) < 0)
		return err_sys(e, "permissions 0500");
	fd_drop(&open_dir);
	return mount_change(dir, false, SEALED, 0, e) < 0 ? -e->code : fd_take(&dir);
}
