/* Files that appear whole or not at all: see whole.h. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/whole.h"
#include "init/base/fd.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int copy(int from, int to, struct err *e)
{
	char buf[65536];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, buf, sizeof buf, at)) > 0) {
		for (ssize_t done = 0, w; done < n; done += w)
			if ((w = write(to, buf + done, (size_t)(n - done))) < 0)
				return err_sys(e, "write");
		at += n;
	}
	return n < 0 ? err_sys(e, "read it again") : 0;
}

int whole_write(const char *to, int from, struct err *e)
{
	char temp[PATH_MAX + 8];
	struct stat st;

	if (lstat(to, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s: is there and not an ordinary file", to);
	if (snprintf(temp, sizeof temp, "%s.XXXXXX", to) >= (int)sizeof temp)
		return err_set(e, ENAMETOOLONG, "%.60s...: the name is too long", to);
	owned_fd fd = mkostemp(temp, O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s: make a file beside it", to);
	int rc = copy(from, fd, e);

	if (rc == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0 || rename(temp, to) < 0))
		rc = err_sys(e, "put into place");
	if (rc < 0) {
		unlink(temp);
		return err_in(e, "%s", to);
	}
	return 0;
}
