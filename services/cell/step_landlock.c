/* Landlock: what the plan does not name below the cell's root cannot be opened, whatever its mode says. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define RIGHTS_ABI1 ((1ull << 13) - 1)
#define RIGHT_REFER (1ull << 13)	/* ABI 2 */
#define RIGHT_TRUNCATE (1ull << 14)	/* ABI 3 */
#define RIGHT_IOCTL_DEV (1ull << 15)	/* ABI 5 */
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

	for (const struct plan_landlock *l = PLAN_FIRST(c->plan, c->svc->landlock, struct plan_landlock);
	     l < PLAN_END(c->plan, c->svc->landlock, struct plan_landlock); l++)
		asked |= l->access;
	return rights_of_abi(abi) & (asked | ~RIGHT_IOCTL_DEV);
}

static int add_rule(const struct cell *c, int rules, const struct plan_landlock *l, uint64_t mask, struct err *e)
{
	const char *path = plan_str(c->plan, l->path);
	owned_fd at = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (at < 0 || fstat(at, &st) < 0)
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

int step_landlock(struct cell *c, struct err *e)
{
	const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 0)
		return err_sys(e, "this kernel has it off");
	struct landlock_ruleset_attr attr = { .handled_access_fs = handled(c, abi) };
	owned_fd rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr.handled_access_fs, 0);

	if (rules < 0)
		return err_sys(e, "make a rule set");
	for (const struct plan_landlock *l = PLAN_FIRST(c->plan, c->svc->landlock, struct plan_landlock);
	     l < PLAN_END(c->plan, c->svc->landlock, struct plan_landlock); l++)
		if (add_rule(c, rules, l, attr.handled_access_fs, e) < 0)
			return -e->code;
	if (syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return err_sys(e, "restrict");
	return 0;
}

/* The kernel has no way to show the rules, so one is tried: where nothing lets "/" be listed, it must not be. */
bool is_landlock(struct cell *c)
{
	for (const struct plan_landlock *l = PLAN_FIRST(c->plan, c->svc->landlock, struct plan_landlock);
	     l < PLAN_END(c->plan, c->svc->landlock, struct plan_landlock); l++)
		if (!strcmp(plan_str(c->plan, l->path), "/") && (l->access & LANDLOCK_ACCESS_FS_READ_DIR))
			return true;
	owned_fd root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return root < 0 && errno == EACCES;
}
