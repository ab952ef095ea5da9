/* Tripwires: calls that must fail now are tried, where the kernel has nothing to be read back about them. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

/*
 * Tried by the service's own process with all that it will have but the filter, which comes last and would hide what is
 * behind it. Whether the capabilities are inert is what no number says: they are those of a user namespace that owns
 * nothing. Each answers what the call did, -1 with errno; one that does what it must not is let go with the process.
 */

/*
 * A capability is in effect over something: kept, and not of a user namespace of the service's own, unless a namespace
 * (CELL_*, 0: none) belongs to that one.
 */
static bool may(const struct cell *c, unsigned capability, uint32_t over)
{
	return !has(c, CELL_CAPS) || ((!has(c, CELL_USERS) || (has(c, CELL_USER_FIRST) && has(c, over))) &&
				      c->svc->caps >> capability & 1);
}

static bool may_not_mount(const struct cell *c)
{
	return has(c, CELL_MOUNT) && !may(c, CAP_SYS_ADMIN, CELL_MOUNT);
}

static int try_mount(struct cell *c)
{
	(void)c;
	return sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
}

static bool may_not_make_nodes(const struct cell *c)
{
	return !may(c, CAP_MKNOD, 0);
}

static int try_node(struct cell *c)
{
	(void)c;
	return mknod("/dev/prior-tripwire", S_IFCHR | 0600, makedev(1, 1));	/* the machine's memory */
}

static bool may_not_see_packets(const struct cell *c)
{
	return !may(c, CAP_NET_RAW, CELL_NET);
}

static int try_packets(struct cell *c)
{
	(void)c;
	return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1 /* ICMP */);
}

/* A procfs that is mounted nowhere lies below no path that a rule could name, whatever the rules are. */
static bool has_rules(const struct cell *c)
{
	return has(c, CELL_LANDLOCK) && c->procfs >= 0;
}

static int try_unveiled(struct cell *c)
{
	return openat(c->procfs, "self/status", O_RDONLY | O_CLOEXEC);
}

static bool has_no_new_code(const struct cell *c)
{
	return has(c, CELL_MDWE) && prctl(PR_GET_MDWE, 0, 0, 0, 0) > 0;	/* before 6.3 the filter stands alone */
}

static int try_code(struct cell *c)
{
	(void)c;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		       ? -1 : 0;
}

static const struct tripwire {
	const char *what;
	bool (*applies)(const struct cell *);
	int (*attempt)(struct cell *);
	int errors[3];		/* what it must fail with: one of these */
} tripwires[] = {
	{ "a new file system", may_not_mount, try_mount, { EPERM } },
	{ "a device node", may_not_make_nodes, try_node, { EPERM, EACCES, EROFS } },
	{ "a raw socket", may_not_see_packets, try_packets, { EPERM, EPROTONOSUPPORT, EAFNOSUPPORT } },
	{ "a file that no rule of Landlock's reaches", has_rules, try_unveiled, { EACCES } },
	{ "memory that is writable and executable", has_no_new_code, try_code, { EACCES } },
};

int step_tripwires(struct cell *c, struct err *e)
{
	for (const struct tripwire *t = tripwires; t < tripwires + sizeof tripwires / sizeof *tripwires; t++) {
		if (!t->applies(c))
			continue;
		if (t->attempt(c) >= 0)
			return err_set(e, EPERM, "%s was to be had", t->what);
		if (errno != t->errors[0] && errno != t->errors[1] && errno != t->errors[2])
			return err_sys(e, "%s was refused, but for another reason", t->what);
	}
	return 0;
}
