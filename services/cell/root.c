/* The mounts of a cell as facts, and a root made from the machine's own: see root.h. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/root.h"
#include "init/base/sys.h"
#include "rootfs/mount.h"
#include "rootfs/mountinfo.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOCKED_DOWN (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

const struct mount_kind_row mount_kinds[MOUNT_KINDS] = {
	[MOUNT_BIND] = { "bind", NULL, false, 0 },
	[MOUNT_TMPFS] = { "tmpfs", "tmpfs", true, 0 },
	[MOUNT_PROC] = { "proc", "proc", true, 0 },
	[MOUNT_DEVPTS] = { "devpts", "devpts", true, 0 },
	[MOUNT_MQUEUE] = { "mqueue", "mqueue", true, 0 },
	[MOUNT_DEV] = { "dev", "tmpfs", true, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC },
	[MOUNT_SYSFS] = { "sysfs", "sysfs", true, 0 },
	[MOUNT_CGROUP2] = { "cgroup2", "cgroup2", true, 0 },
	[MOUNT_REMOUNT] = { "attributes", NULL, false, 0 },
	[MOUNT_INACCESSIBLE] = { "cover", "tmpfs", true, LOCKED_DOWN },
	[MOUNT_FILE] = { "file", "tmpfs", true, LOCKED_DOWN },
	[MOUNT_CREDENTIALS] = { "credentials", "ramfs", true, LOCKED_DOWN | MOUNT_ATTR_NOSYMFOLLOW },
};

const struct dev_part dev_parts[DEV_PARTS] = {
	{ "pts", "devpts", "newinstance,ptmxmode=0666,mode=0620", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC },
	{ "shm", "tmpfs", "mode=1777,size=64M", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC },
};

bool path_is_at_or_below(const char *path, const char *dir)
{
	const size_t n = strlen(dir);

	if (n == 1 && dir[0] == '/')
		return true;
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

bool dev_part_is_replaced(const struct plan *p, const struct plan_service *s, const struct plan_mount *dev,
			  const struct dev_part *part)
{
	const char *dir = plan_str(p, dev->target);
	const size_t n = strlen(dir);

	for (const struct plan_mount *m = dev + 1; m < PLAN_END(p, s->mounts, struct plan_mount); m++) {
		const char *path = plan_str(p, m->target);

		if (m->kind != MOUNT_REMOUNT && !strncmp(path, dir, n) && path[n] == '/' &&
		    !strcmp(path + n + 1, part->name))
			return true;
	}
	return false;
}

uint64_t dev_attr(const struct plan_mount *m)
{
	return m->attr | mount_kinds[MOUNT_DEV].attr;
}

bool is_covered(const struct plan *p, const struct plan_service *s, const char *path)
{
	PLAN_EACH(struct plan_mount, m, p, s->mounts)
		if (m->kind != MOUNT_REMOUNT && path_is_at_or_below(path, plan_str(p, m->target)))
			return true;
	return false;
}

/* One of the machine's mounts into the new root, as it is there. */
static int copy_one(struct cell *c, const char *path, struct err *e)
{
	owned_fd source = sys_openat2(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);

	/* Under another mount: nobody sees it in the machine, so nobody misses it in the cell. */
	if (source < 0 || !mount_is_here(source))
		return source < 0 && errno != ENOENT && errno != EACCES ? err_sys(e, "%s", path) : 0;
	owned_fd target = below_open(c->root, path, e);

	if (target < 0)
		return target;
	if (mount_is_here(target))
		return 0;	/* two of the machine's mounts at one place: the upper one is here */
	owned_fd copy = mount_copy(source, false, 0, e);

	return copy < 0 ? copy : mount_attach(copy, target, path, e);
}

static int each_mount(void *ctx, const struct mountinfo *m, struct err *e)
{
	struct cell *c = ctx;

	if (!strcmp(m->target, "/") || is_covered(c->plan, c->svc, m->target))
		return 0;
	if (copy_one(c, m->target, e) < 0)
		return err_in(e, "the machine's mount %s", m->target);
	return 0;
}

/* PID 1's list is read, not ours: ours changes under our hands. */
int root_copy_machine(struct cell *c, struct err *e)
{
	char path[32];

	snprintf(path, sizeof path, "%d/mountinfo", (int)c->supervisor);
	owned_fd fd = openat(c->machine_proc, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "PID 1's mounts");
	const int n = mountinfo_each(fd, each_mount, c, e);

	return n < 0 ? n : 0;
}
