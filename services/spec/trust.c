/* Files that root believes: see trust.h. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/trust.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOBODY 65534u	/* what the compiler is, when root runs it */

/* In a user namespace all who have no id there look like 65534, the machine's root among them: nothing is known. */
static bool is_nobody_here(unsigned id)
{
	static const char all[] = "         0          0 4294967295";
	char map[sizeof all - 1];

	if (id != NOBODY)
		return false;
	owned_fd fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && (read(fd, map, sizeof map) != (ssize_t)sizeof map || memcmp(map, all, sizeof map) != 0);
}

static bool is_trusted(unsigned id, unsigned own)
{
	return id == 0 || (id == own && own != NOBODY) || is_nobody_here(id);
}

const char *trust_wrong(char to[TRUST_TEXT], const char *path, const struct stat *st, bool *all)
{
	const unsigned mode = st->st_mode & 07777;

	*all = st->st_mode & S_IWOTH;
	if (*all)
		snprintf(to, TRUST_TEXT, "everybody can write it (mode %04o): chmod go-w %s", mode, path);
	else if (!is_trusted(st->st_uid, geteuid()))
		snprintf(to, TRUST_TEXT, "it belongs to user %u, who can change it: chown root %s", st->st_uid, path);
	else if (st->st_mode & S_IWGRP && !is_trusted(st->st_gid, getegid()))
		snprintf(to, TRUST_TEXT, "group %u can write it (mode %04o): chmod g-w %s", st->st_gid, mode, path);
	else
		return NULL;
	return to;
}
