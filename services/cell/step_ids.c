/* Steps that give up what uid 0 may: groups, user namespace, secure bits, bounding set, ids, capabilities. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

#define GROUPS_MAX 256

int step_groups(struct cell *c, struct err *e)
{
	/* Where the list is already right, an ordinary user need not ask for what it may not do. */
	if (is_groups(c))
		return 0;
	if (c->svc->groups.n > GROUPS_MAX)
		return err_set(e, E2BIG, "%u supplementary groups; at most %d", c->svc->groups.n, GROUPS_MAX);
	if (setgroups(c->svc->groups.n, plan_array(c->plan, c->svc->groups)) < 0)
		return err_sys(e, "setgroups of %u", c->svc->groups.n);
	return 0;
}

/* As sets: the kernel sorts them. */
bool is_groups(struct cell *c)
{
	const uint32_t *want = plan_array(c->plan, c->svc->groups);
	gid_t got[GROUPS_MAX];
	const int n = getgroups(GROUPS_MAX, got);

	if (n < 0 || (uint32_t)n > c->svc->groups.n)
		return false;
	for (uint32_t i = 0; i < c->svc->groups.n; i++) {
		bool found = false;

		for (int k = 0; k < n; k++)
			found |= got[k] == want[i];
		if (!found)
			return false;
	}
	return true;
}

int step_user_namespace(struct cell *c, struct err *e)
{
	if (!makes(c))
		return setns(c->guest_of, CLONE_NEWUSER) < 0 ? err_sys(e, "join it") : 0;
	if (has(c, CELL_USER_FIRST))
		return setns(c->owner, CLONE_NEWUSER) < 0 ? err_sys(e, "enter it") : 0;
	if (unshare(CLONE_NEWUSER) < 0)
		return err_sys(e, "unshare");
	return note_ask(c, NOTE_MAPS, NULL, e);
}

/* uid 0 of the machine has no name in there. */
bool is_user_namespace(struct cell *c)
{
	return getuid() != 0 && c->svc->uid != 0;
}

/*
 * NOROOT always: capabilities come from the plan, not from being uid 0. NO_SETUID_FIXUP where our own step must carry
 * them across the change of ids; a service that stays uid 0 keeps the kernel's fixup, so that its setuid drops them.
 */
unsigned wanted_securebits(const struct plan_service *s, bool final)
{
	unsigned bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
			SECBIT_KEEP_CAPS_LOCKED;

	if (s->uid != 0)
		bits |= SECBIT_NO_SETUID_FIXUP;
	if (final || s->caps == 0)
		bits |= SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	return bits;
}

int step_securebits(struct cell *c, struct err *e)
{
	const unsigned bits = wanted_securebits(c->svc, false);

	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0)
		return err_sys(e, "set 0x%x", bits);
	return 0;
}

bool is_securebits(struct cell *c)
{
	return prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == (int)wanted_securebits(c->svc, false);
}

static bool is_kept(const struct cell *c, int cap)
{
	return c->svc->caps >> cap & 1;
}

int step_bounding(struct cell *c, struct err *e)
{
	for (int cap = 0; cap < 64; cap++) {
		if (is_kept(c, cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break;	/* the kernel's last one is behind us */
		return err_sys(e, "drop capability %d", cap);
	}
	return 0;
}

bool is_bounding(struct cell *c)
{
	for (int cap = 0; cap < 64; cap++) {
		const int has_it = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has_it < 0)
			return c->svc->caps >> cap == 0;
		if (has_it && !is_kept(c, cap))
			return false;
	}
	return true;
}

int step_ids(struct cell *c, struct err *e)
{
	const uid_t uid = c->svc->uid;
	const gid_t gid = c->svc->gid;

	/* Where they are right already, an ordinary user need not ask. But in a new user namespace everybody who has no
	 * name there looks like 65534, the very id of nobody. */
	if (!has(c, CELL_USERS) && is_ids(c))
		return 0;
	if (setresgid(gid, gid, gid) < 0)
		return err_sys(e, "gid %u", gid);
	if (setresuid(uid, uid, uid) < 0)
		return err_sys(e, "uid %u", uid);
	return 0;
}

bool is_ids(struct cell *c)
{
	uid_t u[3];
	gid_t g[3];

	if (getresuid(&u[0], &u[1], &u[2]) < 0 || getresgid(&g[0], &g[1], &g[2]) < 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (u[i] != c->svc->uid || g[i] != c->svc->gid)
			return false;
	return true;
}

static int capget_all(struct __user_cap_data_struct d[2])
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return (int)syscall(SYS_capget, &head, d);
}

int step_capabilities(struct cell *c, struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	for (int i = 0; i < 2; i++)
		d[i].permitted = d[i].effective = d[i].inheritable = (uint32_t)(c->svc->caps >> (32 * i));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(e, "clear the ambient set");
	/* The lock of the secure bits after the ambient set is raised needs CAP_SETPCAP; it goes with that step. */
	if (c->svc->caps) {
		d[0].permitted |= 1u << CAP_SETPCAP;
		d[0].effective |= 1u << CAP_SETPCAP;
	}
	if (syscall(SYS_capset, &head, d) < 0)
		return err_sys(e, "set 0x%llx", (unsigned long long)c->svc->caps);
	return 0;
}

static bool caps_are(const struct cell *c, uint32_t more)
{
	struct __user_cap_data_struct d[2];

	if (capget_all(d) < 0)
		return false;
	for (int i = 0; i < 2; i++) {
		const uint32_t want = (uint32_t)(c->svc->caps >> (32 * i)), mine = want | (i ? 0 : more);

		if (d[i].permitted != mine || d[i].effective != mine || d[i].inheritable != want)
			return false;
	}
	return true;
}

bool is_capabilities(struct cell *c)
{
	return caps_are(c, c->svc->caps ? 1u << CAP_SETPCAP : 0);
}

int step_ambient(struct cell *c, struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	for (int cap = 0; cap < 64; cap++)
		if (is_kept(c, cap) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return err_sys(e, "raise capability %d", cap);
	if (prctl(PR_SET_SECUREBITS, wanted_securebits(c->svc, true), 0, 0, 0) < 0)
		return err_sys(e, "lock raising");
	for (int i = 0; i < 2; i++)
		d[i].permitted = d[i].effective = d[i].inheritable = (uint32_t)(c->svc->caps >> (32 * i));
	if (syscall(SYS_capset, &head, d) < 0)
		return err_sys(e, "let go of CAP_SETPCAP");
	return 0;
}

bool is_ambient(struct cell *c)
{
	for (int cap = 0; cap < 64; cap++)
		if (is_kept(c, cap) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) != 1)
			return false;
	return caps_are(c, 0) &&
	       prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == (int)wanted_securebits(c->svc, true);
}

bool is_no_way_back(struct cell *c)
{
	uid_t u[3];

	if (is_kept(c, CAP_SETUID))
		return true;
	if (setresuid(0, 0, 0) == 0 || setreuid((uid_t)-1, 0) == 0)
		return false;
	return getresuid(&u[0], &u[1], &u[2]) == 0 && u[0] && u[1] && u[2];
}
