/* Changing the root and freeing the old one: see switch.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/switch.h"
#include "init/base/dir.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/tree.h"
#include <string.h>
#include <sys/stat.h>

static const char *const with_us[] = { "/dev", "/proc", "/sys", "/run" };

static int move_along(const char *root, const char *what, struct err *e)
{
	char to[300];
	struct text t = TEXT_IN(to);

	text_fmt(&t, "%s%s", root, what);
	if (mkdir(to, 0755) < 0 && errno != EEXIST && errno != EROFS)
		return err_sys(e, "make %s in the root", what);
	if (sys_mount(what, to, NULL, MS_MOVE, NULL) < 0)
		return err_sys(e, "take %s along into the root (is there such a folder in it?)", what);
	return 0;
}

int switch_root(const char *root, int *old, struct err *e)
{
	owned_fd was = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (was < 0)
		return err_sys(e, "open the old root");
	for (unsigned i = 0; i < sizeof with_us / sizeof *with_us; i++)
		if (move_along(root, with_us[i], e) < 0)
			return -e->code;
	if (chdir(root) < 0 || sys_mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_sys(e, "move the root to its place");
	*old = fd_take(&was);
	return 0;
}

int switch_free(int old, struct err *e)
{
	char room[1024] __attribute__((aligned(8)));
	struct dir_scan scan = { .fd = old, .room = room, .size = sizeof room };
	const struct dir_entry *d;
	struct stat st, here;
	struct err ignored;

	if (fstat(old, &st) < 0 || stat("/", &here) < 0)
		return err_sys(e, "look at the old root");
	if (st.st_dev == here.st_dev)	/* never what we stand on */
		return err_set(e, EBUSY, "the old root and the new one are the same file system");
	while ((d = dir_next(&scan)))	/* what is mounted below stays */
		tree_remove(old, d->name, &ignored);
	return 0;
}
