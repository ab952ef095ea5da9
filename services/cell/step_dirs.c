/* The step that makes a service's directories, in the machine's own root, before anything is mounted over it. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/dirs.h"
#include "init/base/sys.h"
#include "rootfs/tree.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PRIVATE "private"
#define RENAME_KEEP 1u		/* RENAME_NOREPLACE */
#define FALLBACK "/run"		/* where ids are remembered when /var/lib cannot be written: until the next boot */

/* base/private: 0700 and root's, whatever it was. */
static int open_private(int base, struct err *e)
{
	owned_fd dir = tree_make(base, PRIVATE, e);
	struct stat st;

	if (dir < 0)
		return dir;
	if (sys_fstat(dir, &st) < 0)
		return err_sys(e, PRIVATE);
	if (st.st_uid != geteuid())
		return err_set(e, EPERM, PRIVATE ": belongs to user %u, not to root", st.st_uid);
	if ((st.st_mode & 07777) != 0700 && fchmod(dir, 0700) < 0)
		return err_sys(e, PRIVATE ": make it 0700");
	return fd_take(&dir);
}

/* "../private/web/data" for base/web/data. */
static void link_text(const char *name, char to[PATH_MAX])
{
	size_t n = 0;

	for (const char *p = name; (p = strchr(p, '/')); p++)
		n += (size_t)snprintf(to + n, PATH_MAX - n, "../");
	snprintf(to + n, PATH_MAX - n, PRIVATE "/%s", name);
}

static bool is_our_link(int dir, const char *last, const char *want)
{
	char to[PATH_MAX];
	const ssize_t n = readlinkat(dir, last, to, sizeof to - 1);

	to[n < 0 ? 0 : n] = '\0';
	return n > 0 && !strcmp(to, want);
}

static bool is_directory(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* A service that got, or lost, its dynamic user takes what it has along. Only what lies directly in base moves. */
static int move_over(int base, int private, bool in, const char *name, struct err *e)
{
	const int from = in ? base : private, to = in ? private : base;
	char link[PATH_MAX];

	if (private < 0 || strchr(name, '/') || !is_directory(from, name) || is_directory(to, name))
		return 0;
	link_text(name, link);
	if (!in && is_our_link(base, name, link) && unlinkat(base, name, 0) < 0)
		return err_sys(e, "%s: remove the link to " PRIVATE, name);
	if (syscall(SYS_renameat2, from, name, to, name, RENAME_KEEP) < 0)
		return err_sys(e, "move %s %s " PRIVATE, name, in ? "to" : "out of");
	return 0;
}

/* base/web -> private/web, for people. What is there already stays: nobody depends on it. */
static void leave_link(int base, const char *name)
{
	const char *last;
	char to[PATH_MAX];
	struct err ignored;
	owned_fd dir = tree_parent(base, name, &last, &ignored);

	link_text(name, to);
	if (dir >= 0 && symlinkat(to, dir, last) < 0)
		return;
}

/* Its own to the last: owner, then permissions. */
static int hand_over(const struct cell *c, const struct plan_dir *d, int dir, const char *name, struct err *e)
{
	struct stat st;

	if (tree_give(dir, c->svc->uid, c->svc->gid, e) < 0)
		return err_in(e, "%s", name);
	if (sys_fstat(dir, &st) < 0)
		return err_sys(e, "%s", name);
	if (st.st_uid != c->svc->uid || st.st_gid != c->svc->gid)
		return err_set(e, EPERM, "%s: belongs to %u:%u after it was given to %u:%u", name, st.st_uid, st.st_gid,
			       c->svc->uid, c->svc->gid);
	if ((st.st_mode & 07777) != d->mode && fchmod(dir, (mode_t)d->mode) < 0)
		return err_sys(e, "%s: permissions %04o", name, d->mode);
	return 0;
}

static int make_own(const struct cell *c, const struct plan_dir *d, int base, const char *name, struct err *e)
{
	const bool in = d->flags & DIR_F_PRIVATE;
	owned_fd private = in ? open_private(base, e)
			      : sys_openat2(base, PRIVATE, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);

	if (in && private < 0)
		return private;
	if (d->kind != DIR_RUNTIME && move_over(base, private, in, name, e) < 0)
		return -e->code;
	owned_fd dir = tree_make(in ? private : base, name, e);

	if (dir < 0)
		return dir;
	if (in)
		leave_link(base, name);
	return hand_over(c, d, dir, name, e);
}

/* "61190" -> web: made at once or not at all, and never changed. */
static int remember(const struct cell *c, int dir, struct err *e)
{
	const char *name = plan_str(c->plan, c->svc->name);
	char number[16], who[NAME_MAX + 1];

	snprintf(number, sizeof number, "%u", c->svc->uid);
	if (symlinkat(name, dir, number) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "remember user %s", number);
	const ssize_t n = readlinkat(dir, number, who, sizeof who - 1);

	who[n < 0 ? 0 : n] = '\0';
	if (!strcmp(who, name))
		return 0;
	return err_set(e, EEXIST, "user %s was given to '%s' before: compile the configuration again, or remove that "
		       "link when no file of that user is left", number, who);
}

static int remember_somewhere(const struct cell *c, const char *base_path, const char *name, struct err *e)
{
	owned_fd base = tree_base(base_path, e);
	owned_fd dir = base < 0 ? base : tree_make(base, name, e);

	if (dir < 0 && (e->code == EROFS || e->code == ENOSPC)) {
		fd_put(&base, tree_base(FALLBACK, e));
		fd_put(&dir, base < 0 ? base : tree_make(base, name, e));
	}
	/* Where nothing can be written, nobody leaves files that could become another's. */
	if (dir < 0 && e->code == EROFS)
		return 0;
	return dir < 0 ? -e->code : remember(c, dir, e);
}

static int make_dir(const struct cell *c, const struct plan_dir *d, struct err *e)
{
	const char *base_path = plan_str(c->plan, d->base), *name = plan_str(c->plan, d->name);

	if (d->kind == DIR_IDS) {
		if (remember_somewhere(c, base_path, name, e) < 0)
			return err_in(e, "%s/%s", base_path, name);
		return 0;
	}
	owned_fd base = tree_base(base_path, e);

	if (base < 0)
		return base;
	if (d->kind != DIR_MOUNT_POINT)
		return make_own(c, d, base, name, e) < 0 ? err_in(e, "in %s", base_path) : 0;
	owned_fd dir = tree_make(base, name, e);

	return dir < 0 ? err_in(e, "in %s", base_path) : 0;
}

int step_directories(struct cell *c, struct err *e)
{
	umask(022);	/* who started us may have another; the service's own comes later */
	PLAN_EACH(struct plan_dir, d, c->plan, c->svc->dirs)
		if (make_dir(c, d, e) < 0)
			return -e->code;
	return 0;
}

bool dirs_go(const struct plan *p, const struct plan_service *s)
{
	PLAN_EACH(struct plan_dir, d, p, s->dirs)
		if (d->kind == DIR_MOUNT_POINT || (d->kind == DIR_RUNTIME && !(d->flags & DIR_F_KEEP)))
			return true;
	return false;
}

int dirs_remove(const struct plan *p, const struct plan_service *s, struct err *e)
{
	int rc = 0;

	PLAN_EACH(struct plan_dir, d, p, s->dirs) {
		const char *last;

		if (d->kind != DIR_MOUNT_POINT && (d->kind != DIR_RUNTIME || d->flags & DIR_F_KEEP))
			continue;
		owned_fd base = tree_base(plan_str(p, d->base), e);
		owned_fd dir = base < 0 ? base : tree_parent(base, plan_str(p, d->name), &last, e);

		if (dir < 0 && e->code == ENOENT)
			continue;
		if (dir < 0 || tree_remove(dir, last, e) < 0)
			rc = err_in(e, "in %s", plan_str(p, d->base));
	}
	return rc;
}
