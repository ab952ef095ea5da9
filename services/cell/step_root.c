/* Steps that make the cell's root and enter it: the plan's mount rows, one after the other. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/mount.h"
#include "services/cell/awaited.h"
#include "services/cell/root.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOCKED_DOWN (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

int step_private(struct cell *c, struct err *e)
{
	(void)c;
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "/");
	return 0;
}

/* Small files and covers come from a tmpfs that lies between the old root and the new one, and goes with the old. */
static int open_scratch(struct cell *c, struct err *e)
{
	if (c->scratch >= 0)
		return 0;
	owned_fd fd = mount_new("tmpfs", "size=1M,mode=0755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, e);

	if (fd < 0)
		return fd;
	if (sys_move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "lay a tmpfs over /");
	c->scratch = fd_take(&fd);
	return 0;
}

static bool needs_scratch(const struct plan_mount *m)
{
	return m->kind == MOUNT_FILE || m->kind == MOUNT_INACCESSIBLE;
}

int step_root(struct cell *c, struct err *e)
{
	const bool tree = has(c, CELL_ROOT_TREE);
	struct stat st;

	/* Copied before the scratch is there: where everything on the machine's root comes along, it would, too. */
	c->root = has(c, CELL_ROOT_IMAGE)
			  ? root_from_image(c, e)
			  : root_of(tree ? plan_str(c->plan, c->svc->root) : "/", e);
	for (const struct plan_mount *m = PLAN_FIRST(c->plan, c->svc->mounts, struct plan_mount);
	     c->root >= 0 && m < PLAN_END(c->plan, c->svc->mounts, struct plan_mount); m++)
		if (needs_scratch(m) && open_scratch(c, e) < 0)
			return -e->code;
	if (c->root < 0 || root_lay(c->root, e) < 0)
		return -e->code;
	if (sys_fstat(c->root, &st) < 0)
		return err_sys(e, "look at the root");
	c->root_id = (struct file_id){ st.st_dev, st.st_ino };
	return tree ? 0 : root_copy_machine(c, e);
}

/* A file of the scratch tmpfs with this content, named after the row. */
static int scratch_file(struct cell *c, const struct plan_mount *m, const char *text, size_t n, mode_t mode,
			struct err *e)
{
	char name[24];

	snprintf(name, sizeof name, "%td", m - PLAN_FIRST(c->plan, c->svc->mounts, struct plan_mount));
	owned_fd fd = openat(c->scratch, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, n) != (ssize_t)n || fchmod(fd, mode) < 0)
		return err_sys(e, "file %s of %zu bytes", name, n);
	owned_fd at = openat(c->scratch, name, O_PATH | O_CLOEXEC);

	return at < 0 ? err_sys(e, "file %s", name) : mount_copy(at, false, LOCKED_DOWN, e);
}

/* The detached mount for a row: a descriptor, or an error. target is the place, for rows that depend on what it is. */
typedef int make_mount(struct cell *c, const struct plan_mount *m, int target, struct err *e);

/* The names of a bridge, in the run directory that is really used. */
static int open_hosts(const struct cell *c, const char *bridge, struct err *e)
{
	char path[128];
	struct text t = TEXT_IN(path);

	text_fmt(&t, "%s/hosts/%s", c->start->run_dir && *c->start->run_dir ? c->start->run_dir : "/run/prior", bridge);
	const int fd = sys_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);

	return fd < 0 ? err_sys(e, "source %s", path) : fd;
}

/* The plan's paths have no link in them: one that is there now was put there since, by who knows whom. */
int root_open_source(const struct cell *c, const struct plan_mount *m, struct err *e)
{
	const bool ours = (m->flags & MOUNT_F_RUNTIME) && c->start->notify_path;

	if (m->flags & MOUNT_F_HOSTS)
		return open_hosts(c, plan_str(c->plan, m->source) + strlen(HOSTS_DIR), e);
	if (m->flags & MOUNT_F_DEVICE)
		return awaited_open(plan_str(c->plan, m->source), e);
	const int fd = ours ? sys_openat2(AT_FDCWD, c->start->notify_path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS)
			    : source_open(plan_str(c->plan, m->source), O_PATH, e);

	if (fd < 0 && ours)
		return err_sys(e, "source %s", c->start->notify_path);
	return fd < 0 ? err_in(e, "source") : fd;
}

static int make_bind(struct cell *c, const struct plan_mount *m, int target, struct err *e)
{
	owned_fd source = root_open_source(c, m, e);

	(void)target;
	return source < 0 ? source : mount_copy(source, m->flags & MOUNT_F_REC, m->attr, e);
}

static int make_new(struct cell *c, const struct plan_mount *m, int target, struct err *e)
{
	const uint64_t attr = m->attr | (mount_kinds[m->kind].attr & ~(uint64_t)MOUNT_ATTR_RDONLY);

	(void)target;
	return mount_new(mount_kinds[m->kind].type, plan_str(c->plan, m->data), attr, e);
}

int root_cover(struct cell *c, const struct plan_mount *m, int target, struct err *e)
{
	struct stat st;

	if (sys_fstat(target, &st) < 0)
		return err_sys(e, "look at it");
	return S_ISDIR(st.st_mode) ? mount_new("tmpfs", "size=4k,mode=0000", LOCKED_DOWN, e)
				   : scratch_file(c, m, "", 0, 0, e);
}

static int make_file(struct cell *c, const struct plan_mount *m, int target, struct err *e)
{
	(void)target;
	return scratch_file(c, m, plan_str(c->plan, m->data), m->data.n, 0444, e);
}

int root_secrets(struct cell *c, const struct plan_mount *m, int target, struct err *e)
{
	(void)m;
	(void)target;
	return secrets_mount(c, e);
}

static make_mount *const makers[MOUNT_KINDS] = {
	[MOUNT_BIND] = make_bind,     [MOUNT_TMPFS] = make_new,
	[MOUNT_PROC] = make_new,      [MOUNT_DEVPTS] = make_new,
	[MOUNT_MQUEUE] = make_new,    [MOUNT_DEV] = make_new,
	[MOUNT_SYSFS] = make_new,     [MOUNT_CGROUP2] = make_new,
	[MOUNT_INACCESSIBLE] = root_cover, [MOUNT_FILE] = make_file,
	[MOUNT_CREDENTIALS] = root_secrets,
};

int root_remount(const struct cell *c, const struct plan_mount *m, int target, struct err *e)
{
	const bool rec = m->flags & MOUNT_F_REC;

	if (mount_is_here(target))
		return mount_change(target, rec, m->attr, m->clear, e);
	owned_fd copy = mount_copy(target, rec, 0, e);

	if (copy < 0 || mount_change(copy, rec, m->attr, m->clear, e) < 0)
		return -e->code;
	return mount_attach(copy, target, plan_str(c->plan, m->target), e);
}

/* The place for a row; -ENOENT in e when it may be left out. */
static int open_target(struct cell *c, const struct plan_mount *m, struct err *e)
{
	const char *path = plan_str(c->plan, m->target);
	bool directory = m->kind != MOUNT_FILE;
	struct stat st;

	if (!(m->flags & MOUNT_F_CREATE))
		return below_open(c->root, path, e);
	if (m->kind == MOUNT_BIND) {
		owned_fd source = root_open_source(c, m, e);

		if (source < 0)
			return source;
		if (sys_fstat(source, &st) < 0)
			return err_sys(e, "source %s", plan_str(c->plan, m->source));
		directory = S_ISDIR(st.st_mode);
	}
	return below_make(c->root, path, directory, e);
}

static int fill_dev(struct cell *c, const struct plan_mount *m, int dev, struct err *e)
{
	if (dev_fill(dev, e) < 0)
		return -e->code;
	for (unsigned i = 0; i < DEV_PARTS; i++) {
		const struct dev_part *part = &dev_parts[i];

		if (dev_part_is_replaced(c->plan, c->svc, m, part))
			continue;
		owned_fd target = below_open(dev, part->name, e);
		owned_fd fd = target < 0 ? target : mount_new(part->type, part->options, part->attr, e);

		if (fd < 0 || mount_attach(fd, target, part->name, e) < 0)
			return err_in(e, "%s", part->name);
	}
	return 0;
}

static int do_row(struct cell *c, const struct plan_mount *m, struct err *e)
{
	owned_fd target = open_target(c, m, e);

	if (target < 0)
		return target;
	/* A sysfs shows the network of whoever mounts it. */
	if (m->kind == MOUNT_SYSFS && has(c, CELL_NET) && step_join_network(c, e) < 0)
		return -e->code;
	if (m->kind == MOUNT_REMOUNT)
		return root_remount(c, m, target, e);
	owned_fd fd = makers[m->kind](c, m, target, e);

	if (fd < 0)
		return fd;
	if (mount_attach(fd, target, plan_str(c->plan, m->target), e) < 0)
		return -e->code;
	return m->kind == MOUNT_DEV ? fill_dev(c, m, fd, e) : 0;
}

/* /dev stays writable until the last row: later ones may make their targets in it. */
static int seal_dev(struct cell *c, struct err *e)
{
	PLAN_EACH(struct plan_mount, m, c->plan, c->svc->mounts) {
		if (m->kind != MOUNT_DEV)
			continue;
		owned_fd dev = below_open(c->root, plan_str(c->plan, m->target), e);

		if (dev < 0 || mount_change(dev, false, dev_attr(m), 0, e) < 0)
			return err_in(e, "%s", plan_str(c->plan, m->target));
	}
	return 0;
}

static bool may_be_missing(const struct cell *c, const struct plan_mount *m)
{
	return m->flags & MOUNT_F_OPTIONAL || (m->flags & MOUNT_F_DEVICE && does_without_devices(c));
}

int step_mounts(struct cell *c, struct err *e)
{
	PLAN_EACH(struct plan_mount, m, c->plan, c->svc->mounts) {
		if (do_row(c, m, e) == 0)
			continue;
		if (e->code == ENOENT && may_be_missing(c, m))
			continue;
		return err_in(e, "%s on %s", mount_kinds[m->kind].name, plan_str(c->plan, m->target));
	}
	return seal_dev(c, e);
}

int step_enter(struct cell *c, struct err *e)
{
	/*
	 * The scratch must not lie on the old root's "/": after the pivot it would be the uppermost mount there, and be
	 * let go instead of the old root. On the old /proc it goes together with all the rest.
	 */
	if (c->scratch >= 0 && mount_attach(c->scratch, c->machine_proc, "the old /proc", e) < 0)
		return -e->code;
	return root_enter(c->root, e);
}

bool is_entered(struct cell *c)
{
	struct stat st;

	return stat("/", &st) == 0 && st.st_dev == c->root_id.dev && st.st_ino == c->root_id.ino;
}
