/* Landlock: what the plan does not name below the cell's root cannot be opened, whatever its mode says. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define RIGHTS_ABI1 ((1ull << 13) - 1)
#define RIGHT_REFER (1ull << 13)	/* ABI 2 */
#define RIGHT_TRUNCATE (1ull << 14)	/* ABI 3 */
#define RIGHT_IOCTL_DEV (1ull << 15)	/* ABI 5 */
#define RIGHT_CONNECT_TCP 2u		/* ABI 4 */
#define ABI_NET 4
#define ABI_SCOPE 6
#define RIGHTS_OF_FILES (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
			 LANDLOCK_ACCESS_FS_READ_FILE | RIGHT_TRUNCATE | RIGHT_IOCTL_DEV)

static uint64_t rights_of_abi(long abi)
{
	uint64_t rights = RIGHTS_ABI1;

	if (abi >= 2)
		rights |= RIGHT_REFER;
	if (abi >= 3)
		rights |= RIGHT_TRUNCATE;
	if (abi >= 5)
		rights |= RIGHT_IOCTL_DEV;
	return rights;
}

/* Device ioctls are restricted only where the plan knows about them: otherwise no rule could allow one. */
static uint64_t handled(const struct cell *c, long abi)
{
	uint64_t asked = 0;

	PLAN_EACH(struct plan_landlock, l, c->plan, c->svc->landlock)
		asked |= l->access;
	return rights_of_abi(abi) & (asked | ~RIGHT_IOCTL_DEV);
}

static int add_rule(const struct cell *c, int rules, const struct plan_landlock *l, uint64_t mask, struct err *e)
{
	const char *path = plan_str(c->plan, l->path);
	owned_fd at = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (at < 0 || sys_fstat(at, &st) < 0)
		return err_sys(e, "%s", path);
	struct landlock_path_beneath_attr a = { .allowed_access = l->access & mask, .parent_fd = at };

	if (!S_ISDIR(st.st_mode))
		a.allowed_access &= RIGHTS_OF_FILES;
	if (!a.allowed_access)
		return 0;	/* nothing is allowed there, which is what no rule says */
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0) < 0)
		return err_sys(e, "%s: rights 0x%llx", path, (unsigned long long)a.allowed_access);
	return 0;
}

static long version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* The kernel's own structure grew; what an old one does not know it is not told. */
struct ruleset {
	uint64_t fs, net, scope;
};

static size_t ruleset_size(long abi)
{
	return abi >= ABI_SCOPE ? sizeof(struct ruleset) : abi >= ABI_NET ? offsetof(struct ruleset, scope)
									   : offsetof(struct ruleset, net);
}

int step_landlock(struct cell *c, struct err *e)
{
	const long abi = version();

	if (abi < 0)
		return err_sys(e, "this kernel has it off");
	/* What an older version does not see was left to it because the compiler's kernel had a newer one. */
	if (abi < (long)c->svc->landlock_abi)
		return err_set(e, ENOSYS, "this kernel's is version %ld, the plan is made for %u: compile it here", abi,
			       c->svc->landlock_abi);
	struct ruleset attr = { handled(c, abi), c->svc->landlock_net, c->svc->landlock_scope };
	owned_fd rules = (int)syscall(SYS_landlock_create_ruleset, &attr, ruleset_size(abi), 0);

	if (rules < 0)
		return err_sys(e, "make a rule set");
	PLAN_EACH(struct plan_landlock, l, c->plan, c->svc->landlock)
		if (add_rule(c, rules, l, attr.fs, e) < 0)
			return -e->code;
	if (syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return err_sys(e, "restrict");
	return 0;
}

/* Port 0 of nobody: with the rule this is EACCES, without it some other error. */
static bool is_net_denied(const struct cell *c)
{
	const struct sockaddr_in nobody = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	owned_fd s = FD_NONE;

	if (!(c->svc->landlock_net & RIGHT_CONNECT_TCP) || version() < ABI_NET)
		return true;
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return true;	/* a kernel without such sockets */
	return connect(s, (const struct sockaddr *)&nobody, sizeof nobody) < 0 && errno == EACCES;
}

/*
 * The kernel has no way to show the rules, so some are tried: where nothing lets "/" be listed, it must not be; and TCP
 * must not connect where it may not.
 */
bool is_landlock(struct cell *c)
{
	if (!is_net_denied(c))
		return false;
	PLAN_EACH(struct plan_landlock, l, c->plan, c->svc->landlock)
		if (!strcmp(plan_str(c->plan, l->path), "/") && (l->access & LANDLOCK_ACCESS_FS_READ_DIR))
			return true;
	owned_fd root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return root < 0 && errno == EACCES;
}
