/* Facts about where it lives: namespaces, who owns them, and the cgroup. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/attest_inner.h"
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static const struct space {
	const char *file, *fact, *owner;
	uint32_t flag;
} spaces[] = {
	{ "ns/user", "user namespace", "user namespace's parent", CELL_USER | CELL_USER_FIRST },
	{ "ns/mnt", "mnt namespace", "mnt namespace's owner", CELL_MOUNT },
	{ "ns/pid", "pid namespace", "pid namespace's owner", CELL_PID },
	{ "ns/net", "net namespace", "net namespace's owner", CELL_NET },
	{ "ns/ipc", "ipc namespace", "ipc namespace's owner", CELL_IPC },
	{ "ns/uts", "uts namespace", "uts namespace's owner", CELL_UTS },
	{ "ns/cgroup", "cgroup namespace", "cgroup namespace's owner", CELL_CGROUP },
	{ "ns/time", "time namespace", "time namespace's owner", CELL_TIME },
};

static int inode_of(int dir, const char *path, uint64_t *ino, struct err *e)
{
	struct stat st;

	if (fstatat(dir, path, &st, 0) < 0)
		return err_sys(e, "%s", path);
	*ino = st.st_ino;
	return 0;
}

/* The user namespace that owns this one, or the parent of a user namespace: both must be the machine's. */
static int owner_of(const struct attest_run *r, const struct space *s, uint64_t *ino, struct err *e)
{
	owned_fd ns = openat(r->dir, s->file, O_RDONLY | O_CLOEXEC);
	owned_fd owner = ns < 0 ? ns : ioctl(ns, NS_GET_USERNS);
	struct stat st;

	if (owner < 0 || fstat(owner, &st) < 0)
		return err_sys(e, "owner of %s", s->file);
	*ino = st.st_ino;
	return 0;
}

static int one_space(struct attest_run *r, const struct space *s, uint64_t machine_user, struct err *e)
{
	uint64_t theirs = 0, machines = 0, owner = 0;
	char got[48];

	if (inode_of(r->dir, s->file, &theirs, e) < 0)
		return e->code == ENOENT && !planned(r, s->flag) ? 0 : -e->code;
	if (inode_of(r->ref, s->file, &machines, e) < 0)
		return -e->code;
	snprintf(got, sizeof got, "%s", theirs == machines ? "the machine's" : "its own");
	fact_text(r, s->fact, planned(r, s->flag) ? "its own" : "the machine's", got);
	/* Made last, the user namespace owns nothing: that is what makes capabilities in it inert. */
	if (!planned(r, s->flag) || planned(r, CELL_USER_FIRST) || theirs == machines)
		return 0;
	if (owner_of(r, s, &owner, e) < 0)
		return -e->code;
	fact_text(r, s->owner, "the machine's", owner == machine_user ? "the machine's" : "its own");
	return 0;
}

int attest_namespaces(struct attest_run *r, struct err *e)
{
	uint64_t machine_user = 0;

	if (inode_of(r->ref, "ns/user", &machine_user, e) < 0)
		return -e->code;
	for (unsigned i = 0; i < sizeof spaces / sizeof *spaces; i++)
		if (one_space(r, &spaces[i], machine_user, e) < 0)
			return -e->code;
	return 0;
}

/* The cgroup2 line, "0::/...", as seen from our own cgroup namespace. */
static const char *unified(const char *text)
{
	const char *line = strstr(text, "0::");

	while (line && line != text && line[-1] != '\n')
		line = strstr(line + 1, "0::");
	return line ? line + 3 : "";
}

int attest_cgroup(struct attest_run *r, struct err *e)
{
	char theirs[4096], ours[4096];

	if (!r->in->in_leaf)
		return 0;
	if (file_read(r->dir, "cgroup", theirs, sizeof theirs, e) < 0 ||
	    file_read(r->in->procfs, "self/cgroup", ours, sizeof ours, e) < 0)
		return -e->code;
	fact_text(r, "cgroup", unified(ours), unified(theirs));
	return 0;
}
