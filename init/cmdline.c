/* Words of /proc/cmdline: see cmdline.h. */
/* SPDX-License-Identifier: ISC */
#include "init/cmdline.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include <fcntl.h>
#include <string.h>

static char line[4096];

static char *first_word(char **save)
{
	owned_fd fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line - 1);

	line[n > 0 ? n : 0] = '\0';
	return strtok_r(line, " \n", save);
}

bool cmdline_value(const char *name, char *out, size_t size)
{
	size_t len = strlen(name);
	bool found = false;
	char *save = NULL;

	for (char *w = first_word(&save); w; w = strtok_r(NULL, " \n", &save))
		if (!strncmp(w, name, len) && w[len] == '=') {
			text_copy(out, size, w + len + 1);
			found = true;
		}
	return found;
}

bool cmdline_word(const char *word)
{
	char *save = NULL;

	for (char *w = first_word(&save); w; w = strtok_r(NULL, " \n", &save))
		if (!strcmp(w, word))
			return true;
	return false;
}
