/* Words of /proc/cmdline: see cmdline.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/cmdline.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include <fcntl.h>
#include <string.h>

#define LINE_MAX_BYTES (64 << 10)	/* the kernel's own is 2 or 4 KiB; a bootconfig's, put before it, 32 KiB */

static char line[LINE_MAX_BYTES];
static bool whole;

/* Read once: it stays the same. Where /proc is missing now, it may be there later. What is cut is none. */
static const char *whole_line(void)
{
	owned_fd fd = whole ? FD_NONE : open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : 1;
	size_t n = 0;

	if (whole)
		return line;
	while (n < sizeof line && (got = read(fd, line + n, sizeof line - n)) > 0)
		n += (size_t)got;
	whole = got == 0 && n < sizeof line;
	line[whole ? n : 0] = '\0';
	return line;
}

bool cmdline_is_known(void)
{
	return whole_line(), whole;
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
