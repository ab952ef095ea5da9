/* Small files of the kernel's: see file.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/file.h"
#include "init/base/fd.h"
#include <fcntl.h>
#include <string.h>

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

int file_line(const char *path, char *to, size_t size, struct err *e)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, to, size - 1);

	to[n > 0 ? n : 0] = '\0';
	to[strcspn(to, "\n")] = '\0';
	return n < 0 ? err_sys(e, "%s", path) : 0;
}
