/* A cgroup of a test's own, in whatever cgroup2 there is. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/cell/cell.h"
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static char root_path[64];

/* A folder of our own in whatever cgroup2 there is: the machine's, or the one beside version 1. */
static int open_root(struct err *e)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;
	int fd = FD_NONE;

	for (unsigned i = 0; i < 2; i++) {
		if (statfs(places[i], &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
			continue;
		snprintf(root_path, sizeof root_path, "%s/prior-test-%d", places[i], getpid());
		if (mkdir(root_path, 0755) == 0 && cgroup_open_root(root_path, &fd, e) == 0)
			return fd;
	}
	return FD_NONE;
}
