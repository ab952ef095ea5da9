/* Small files of the kernel's, read and written whole by descriptor. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/inner.h"
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

int machine_proc(struct cell *c, struct err *e)
{
	struct statfs fs;

	if (c->machine_proc >= 0)
		return c->machine_proc;
	owned_fd fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open the machine's /proc");
	if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return err_set(e, ENODEV, "the machine's /proc is not a procfs");
	return c->machine_proc = fd_take(&fd);
}
