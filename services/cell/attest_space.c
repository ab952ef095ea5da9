/* Facts about where it lives: namespaces, and who owns them. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/attest_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static const struct space {
	const char *file, *children, *fact, *owner;	/* children: what the children of a process are born in */
	uint32_t flag;
} spaces[SPACES] = {
	{ "user", "user", "user namespace", "user namespace's parent", CELL_USERS },
	{ "mnt", "mnt", "mnt namespace", "mnt namespace's owner", CELL_MOUNT },
	{ "pid", "pid_for_children", "pid namespace", "pid namespace's owner", CELL_PID },
	{ "net", "net", "net namespace", "net namespace's owner", CELL_NET },
	{ "ipc", "ipc", "ipc namespace", "ipc namespace's owner", CELL_IPC },
	{ "uts", "uts", "uts namespace", "uts namespace's owner", CELL_UTS },
	{ "cgroup", "cgroup", "cgroup namespace", "cgroup namespace's owner", CELL_CGROUP },
	{ "time", "time_for_children", "time namespace", "time namespace's owner", CELL_TIME },
};
#define SPACE_USER 0
#define SPACE_NET 3

/* Inode numbers start above 0; 0 stands for a kind of namespace that this kernel does not have. */
static int inode_of(int ns, const char *name, uint64_t *ino, struct err *e)
{
	char text[64];
	const ssize_t n = readlinkat(ns, name, text, sizeof text - 1);	/* "net:[4026531833]" */

	if (n < 0 && errno != ENOENT)
		return err_sys(e, "ns/%s", name);
	text[n < 0 ? 0 : n] = '\0';
	const char *at = text + strcspn(text, "[");

	at += *at == '[';
	*ino = digits(&at, 10);
	return 0;
}

static int open_ns(int dir, struct err *e)
{
	const int ns = openat(dir, "ns", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return ns < 0 ? err_sys(e, "its namespaces") : ns;
}

/* The user namespace that owns this one, or the parent of a user namespace. */
static int owner_of(int dir, const char *name, uint64_t *ino, struct err *e)
{
	owned_fd ns = openat(dir, name, O_RDONLY | O_CLOEXEC);
	owned_fd owner = ns < 0 ? ns : ioctl(ns, NS_GET_USERNS);
	struct stat st;

	if (owner < 0 || sys_fstat(owner, &st) < 0)
		return err_sys(e, "owner of ns/%s", name);
	*ino = st.st_ino;
	return 0;
}

int spaces_of(int dir, uint64_t ino[SPACES], struct err *e)
{
	owned_fd ns = open_ns(dir, e);

	for (unsigned i = 0; ns >= 0 && i < SPACES; i++)
		if (inode_of(ns, spaces[i].file, &ino[i], e) < 0)
			return -e->code;
	return ns < 0 ? ns : 0;
}

int spaces_of_children(int dir, uint64_t ino[SPACES], struct err *e)
{
	owned_fd ns = open_ns(dir, e);

	for (unsigned i = 0; ns >= 0 && i < SPACES; i++)
		if (inode_of(ns, spaces[i].children, &ino[i], e) < 0)
			return -e->code;
	return ns < 0 ? ns : 0;
}

uint32_t spaces_own(const uint64_t theirs[SPACES], const uint64_t machine[SPACES])
{
	uint32_t flags = 0;

	for (unsigned i = 0; i < SPACES; i++)
		if (theirs[i] && theirs[i] != machine[i])
			flags |= i == SPACE_USER ? CELL_USER : spaces[i].flag;
	return flags;
}

/*
 * Who owns namespace i of the service? The kernel says it for the price of three calls. It need not be asked about one
 * that the builder made: nobody comes back to a user namespace once left, so a builder that is in the machine's was
 * never in another, and a namespace is owned by the user namespace of its maker. What a builder has only joined
 * (`user: first`, a network that is shared) is asked about.
 */
static int owner_now(const struct attest_run *r, int ns, unsigned i, uint64_t theirs, uint64_t *owner, struct err *e)
{
	const struct attest_ref *ref = &r->in->ref;

	*owner = ref->machine[SPACE_USER];
	if (!planned(r, CELL_USER_FIRST) && theirs == ref->own[i] && !(i == SPACE_NET && r->in->net) &&
	    ref->own[SPACE_USER] == ref->machine[SPACE_USER])
		return 0;
	return owner_of(ns, spaces[i].file, owner, e);
}

/* Made last, the user namespace owns nothing: that is what makes capabilities in it inert. Made first, it owns all. */
static int owner_fact(struct attest_run *r, int ns, unsigned i, uint64_t theirs, struct err *e)
{
	const bool owns = planned(r, CELL_USER_FIRST) && i != SPACE_USER;
	const uint64_t machines = r->in->ref.machine[SPACE_USER];
	uint64_t owner = 0, own = 0;

	if (owner_now(r, ns, i, theirs, &owner, e) < 0 || (owns && inode_of(ns, "user", &own, e) < 0))
		return -e->code;
	fact_text(r, spaces[i].owner, owns ? "its own" : "the machine's",
		  owner == machines ? "the machine's" : !owns || owner == own ? "its own" : "another's");
	return 0;
}

static int one_space(struct attest_run *r, int ns, unsigned i, struct err *e)
{
	const struct attest_ref *ref = &r->in->ref;
	const struct space *s = &spaces[i];
	uint64_t theirs = 0;

	if (inode_of(ns, s->file, &theirs, e) < 0)
		return -e->code;
	if (!theirs && !planned(r, s->flag))
		return 0;
	/* One that it shares, or has kept, is that very one. */
	const bool other = i == SPACE_NET && r->in->net;

	fact_text(r, s->fact, !planned(r, s->flag) ? "the machine's" : other ? "the one it was given" : "its own",
		  !theirs ? "none" : theirs == ref->machine[i] ? "the machine's" : !other ? "its own" :
		  theirs == r->in->net ? "the one it was given" : "another");
	if (!planned(r, s->flag) || r->in->svc->runtime_kind || theirs == ref->machine[i])
		return 0;
	return owner_fact(r, ns, i, theirs, e);
}

int attest_namespaces(struct attest_run *r, struct err *e)
{
	owned_fd ns = open_ns(r->dir, e);

	if (ns < 0)
		return ns;
	for (unsigned i = 0; i < SPACES; i++)
		if (one_space(r, ns, i, e) < 0)
			return -e->code;
	return 0;
}
