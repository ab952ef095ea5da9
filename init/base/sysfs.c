/* Names of devices, and where links of sysfs lead: see sysfs.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sysfs.h"
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

bool sysfs_path_is_clean(const char *s, size_t n, const char *bytes)
{
	for (size_t at = 0; at <= n;) {
		size_t len = 0;

		while (at + len < n && s[at + len] != '/')
			len++;
		if (!len || len > NAME_MAX || strspn(s + at, bytes) < len ||
		    (len <= 2 && s[at] == '.' && s[at + len - 1] == '.'))
			return false;
		at += len + 1;
	}
	return true;
}

bool sysfs_link_fits(int dir, const char *path, const char *glob)
{
	char to[PATH_MAX];
	const ssize_t n = readlinkat(dir, path, to, sizeof to - 1);

	if (n <= 0)
		return false;
	to[n] = '\0';
	return fnmatch(glob, strrchr(to, '/') ? strrchr(to, '/') + 1 : to, 0) == 0;
}
