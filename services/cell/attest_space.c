/* Facts about where it lives: namespaces, and who owns them. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/attest_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static const struct space {
	const char *file, *children, *fact, *owner;	/* children: where the builder sees what its children are in */
	uint32_t flag;
} spaces[SPACES] = {
	{ "ns/user", NULL, "user namespace", "user namespace's parent", CELL_USER | CELL_USER_FIRST },
	{ "ns/mnt", "ns/mnt", "mnt namespace", "mnt namespace's owner", CELL_MOUNT },
	{ "ns/pid", "ns/pid_for_children", "pid namespace", "pid namespace's owner", CELL_PID },
	{ "ns/net", "ns/net", "net namespace", "net namespace's owner", CELL_NET },
	{ "ns/ipc", "ns/ipc", "ipc namespace", "ipc namespace's owner", CELL_IPC },
	{ "ns/uts", "ns/uts", "uts namespace", "uts namespace's owner", CELL_UTS },
	{ "ns/cgroup", "ns/cgroup", "cgroup namespace", "cgroup namespace's owner", CELL_CGROUP },
	{ "ns/time", "ns/time_for_children", "time namespace", "time namespace's owner", CELL_TIME },
};
#define SPACE_USER 0

/* Inode numbers start above 0; 0 stands for a kind of namespace that this kernel does not have. */
static int inode_of(int dir, const char *path, uint64_t *ino, struct err *e)
{
	char text[64];
	const ssize_t n = readlinkat(dir, path, text, sizeof text - 1);	/* "net:[4026531833]" */

	if (n < 0 && errno != ENOENT)
		return err_sys(e, "%s", path);
	text[n < 0 ? 0 : n] = '\0';
	*ino = strtoull(text + strcspn(text, "[") + (n > 0), NULL, 10);
	return 0;
}

/* The user namespace that owns this one, or the parent of a user namespace. */
static int owner_of(int dir, const char *path, uint64_t *ino, struct err *e)
{
	owned_fd ns = openat(dir, path, O_RDONLY | O_CLOEXEC);
	owned_fd owner = ns < 0 ? ns : ioctl(ns, NS_GET_USERNS);
	struct stat st;

	if (owner < 0 || fstat(owner, &st) < 0)
		return err_sys(e, "owner of %s", path);
	*ino = st.st_ino;
	return 0;
}

int spaces_prepare(struct attest_ref *ref, int machine, int own, struct err *e)
{
	for (unsigned i = 0; i < SPACES; i++) {
		const struct space *s = &spaces[i];

		if (inode_of(machine, s->file, &ref->machine[i], e) < 0)
			return -e->code;
		if (own < 0 || !s->children || !ref->machine[i])
			continue;
		if (inode_of(own, s->children, &ref->own[i], e) < 0)
			return -e->code;
		if (ref->own[i] != ref->machine[i] && owner_of(own, s->children, &ref->owner[i], e) < 0)
			return -e->code;
	}
	return 0;
}

static int one_space(struct attest_run *r, unsigned i, struct err *e)
{
	const struct attest_ref *ref = &r->in->ref;
	const struct space *s = &spaces[i];
	uint64_t theirs = 0, owner = ref->owner[i];

	if (inode_of(r->dir, s->file, &theirs, e) < 0)
		return -e->code;
	if (!theirs && !planned(r, s->flag))
		return 0;
	fact_text(r, s->fact, planned(r, s->flag) ? "its own" : "the machine's",
		  !theirs ? "none" : theirs == ref->machine[i] ? "the machine's" : "its own");
	/* Made last, the user namespace owns nothing: that is what makes capabilities in it inert. */
	if (!planned(r, s->flag) || planned(r, CELL_USER_FIRST) || theirs == ref->machine[i])
		return 0;
	if ((theirs != ref->own[i] || !owner) && owner_of(r->dir, s->file, &owner, e) < 0)
		return -e->code;
	fact_text(r, s->owner, "the machine's", owner == ref->machine[SPACE_USER] ? "the machine's" : "its own");
	return 0;
}

int attest_namespaces(struct attest_run *r, struct err *e)
{
	for (unsigned i = 0; i < SPACES; i++)
		if (one_space(r, i, e) < 0)
			return -e->code;
	return 0;
}
