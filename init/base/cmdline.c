/* Words of /proc/cmdline: see cmdline.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/cmdline.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include <fcntl.h>
#include <string.h>

/* Read once: it stays the same. Where /proc is missing now, it may be there later. */
static const char *whole_line(void)
{
	static char line[4096];
	owned_fd fd = *line ? FD_NONE : open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line - 1);

	if (n > 0)
		line[n] = '\0';
	return line;
}

/* The next word from *at on, of *n bytes; NULL: there is none. */
static const char *next_word(const char **at, size_t *n)
{
	const char *w = *at + strspn(*at, " \n");

	*n = strcspn(w, " \n");
	*at = w + *n;
	return *n ? w : NULL;
}

bool cmdline_value(const char *name, char *out, size_t size)
{
	const char *at = whole_line(), *w;
	size_t len = strlen(name), n;
	bool found = false;

	while ((w = next_word(&at, &n)))
		if (n > len && !strncmp(w, name, len) && w[len] == '=') {
			struct text t = { .at = out, .size = size };

			*out = '\0';
			text_add_n(&t, w + len + 1, n - len - 1);
			found = true;
		}
	return found;
}

bool cmdline_word(const char *word)
{
	const char *at = whole_line(), *w;
	size_t n;

	while ((w = next_word(&at, &n)))
		if (n == strlen(word) && !memcmp(w, word, n))
			return true;
	return false;
}
