/* Devices that came after the plan: what a service's cell may open is found out at its start. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/mount.h"
#include "services/cell/awaited.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int check(int fd, const char *path, struct stat *st, struct err *e)
{
	if (sys_fstat(fd, st) < 0)
		return err_sys(e, "device %s", path);
	return S_ISBLK(st->st_mode) || S_ISCHR(st->st_mode) ? 0 : err_set(e, ENODEV, "%s: is not a device", path);
}

/* Links below /dev are root's, and the rules': they are followed. */
int awaited_open(const char *path, struct err *e)
{
	owned_fd fd = sys_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0)
		return err_sys(e, "device %s", path);
	return check(fd, path, &st, e) < 0 ? -e->code : fd_take(&fd);
}

static int add_rule(const struct plan *p, const struct plan_mount *m, int root, struct device_rule *r, struct err *e)
{
	const char *path = plan_str(p, root < 0 ? m->source : m->target);
	owned_fd fd = root < 0 ? awaited_open(path, e) : below_open(root, path, e);
	struct stat st;

	if (fd < 0 || check(fd, path, &st, e) < 0)
		return -e->code;
	*r = (struct device_rule){ S_ISBLK(st.st_mode) ? DEVICE_BLOCK : DEVICE_CHARACTER, major(st.st_rdev),
				   minor(st.st_rdev), 0 };
	for (const char *s = plan_str(p, m->data); *s; s++)
		r->access |= *s == 'r' ? DEVICE_READ : DEVICE_WRITE;
	return 0;
}

int awaited_rules(const struct plan *p, const struct plan_service *s, int root, bool spare,
		  struct device_rule to[DEVICE_RULES_MAX], struct err *e)
{
	unsigned n = s->devices.n;	/* as many as there is room for, at most */

	memcpy(to, plan_array(p, s->devices), n * sizeof *to);
	PLAN_EACH(struct plan_mount, m, p, s->mounts) {
		if (!(m->flags & MOUNT_F_DEVICE))
			continue;
		if (n == DEVICE_RULES_MAX)
			return err_set(e, E2BIG, "more than %d devices", DEVICE_RULES_MAX);
		if (add_rule(p, m, root, &to[n], e) == 0)
			n++;
		else if (!spare || e->code != ENOENT)
			return -e->code;
	}
	return (int)n;
}
