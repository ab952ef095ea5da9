/* Words of /proc/cmdline: see cmdline.h. */
/* SPDX-License-Identifier: ISC */
#include "init/cmdline.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include <fcntl.h>
#include <string.h>

bool cmdline_value(const char *name, char *out, size_t size)
{
	static char line[4096];
	owned_fd fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
	size_t len = strlen(name);
	bool found = false;

	line[n > 0 ? n : 0] = '\0';
	for (char *save = NULL, *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
		if (!strncmp(w, name, len) && w[len] == '=') {
			text_copy(out, size, w + len + 1);
			found = true;
		}
	return found;
}
