/* The folder of a file: see folder.h. */
/* SPDX-License-Identifier: ISC */
#include "init/folder.h"
#include "init/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int folder_open(const char *path, struct err *e)
{
	char folder[256];

	if (!text_copy(folder, sizeof folder, path))
		return err_set(e, ENAMETOOLONG, "%s: too long", path);
	*(strrchr(folder, '/') == folder ? folder + 1 : strrchr(folder, '/')) = '\0';
	if (mkdir(folder, 0755) < 0 && errno != EEXIST && errno != EROFS)
		return err_sys(e, "make %s", folder);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open %s", folder) : fd;
}
