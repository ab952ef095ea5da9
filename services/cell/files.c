/* Small files of the kernel's, read and written whole by descriptor. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/inner.h"
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

int file_write(int dir, const char *path, const char *text, struct err *e)
{
	owned_fd fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	const size_t n = strlen(text);

	if (fd < 0)
		return err_sys(e, "%s", path);
	/* The kernel takes such a file's text in one write or not at all. */
	const ssize_t did = write(fd, text, n);

	if (did < 0)
		return err_sys(e, "write '%.40s' to %s", text, path);
	if ((size_t)did != n)
		return err_set(e, EIO, "write '%.40s' to %s: only %zd bytes were taken", text, path, did);
	return 0;
}

ssize_t file_read(int dir, const char *path, char *to, size_t size, struct err *e)
{
	owned_fd fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got = 1;

	if (fd < 0)
		return err_sys(e, "%s", path);
	while (n < size && (got = read(fd, to + n, size - n)) > 0)
		n += (size_t)got;
	if (got < 0)
		return err_sys(e, "%s", path);
	if (n == size)
		return err_set(e, EOVERFLOW, "%s: longer than %zu bytes", path, size - 1);
	to[n] = '\0';
	return (ssize_t)n;
}

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
