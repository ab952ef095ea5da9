/* A small root for cells under test, on a tmpfs in a mount namespace of the test's own: nothing to clean up. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/sys.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define IMAGE "/mnt/image"

static void image_must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	printf("not ok %s: the test's own root: %s\n", group, what);
	exit(2);
}

__attribute__((unused)) static void image_file(const char *path, const char *text, mode_t mode)
{
	char full[PATH_MAX];

	snprintf(full, sizeof full, IMAGE "%s", path);
	owned_fd fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	image_must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0, path);
}

static void image_copy(const char *from, const char *path)
{
	char full[PATH_MAX], buf[65536];
	ssize_t n;

	snprintf(full, sizeof full, IMAGE "%s", path);
	owned_fd in = open(from, O_RDONLY | O_CLOEXEC), out = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	image_must(in >= 0 && out >= 0, from);
	while ((n = read(in, buf, sizeof buf)) > 0)
		image_must(write(out, buf, (size_t)n) == n, full);
}

/* The program lies beside this one. */
static void image_make(const char *program)
{
	static const char *const folders[] = { "", "/bin", "/proc", "/dev", "/sys", "/tmp", "/etc", "/srv", "/secret",
					       "/data", "/run" };
	char self[PATH_MAX] = "", path[PATH_MAX + 16], folder[PATH_MAX];

	image_must(unshare(CLONE_NEWNS) == 0 && sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
		   "a mount namespace");
	image_must(sys_mount("none", "/mnt", "tmpfs", 0, "mode=0755") == 0, "a tmpfs on /mnt");
	for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(folder, sizeof folder, IMAGE "%s", folders[i]);
		image_must(mkdir(folder, 0755) == 0 && chmod(folder, 0755) == 0, folder);
	}
	image_must(readlink("/proc/self/exe", self, sizeof self - 1) > 0, "readlink");
	snprintf(path, sizeof path, "%s/inside", dirname(self));
	image_copy(path, program);
	image_file("/secret/key", "key\n", 0644);
	image_file("/etc/shadow", "root:*\n", 0644);
	image_file("/data/file", "data\n", 0644);
}
