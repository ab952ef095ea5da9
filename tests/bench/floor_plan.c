/* A compiled plan laid out flat for the floor, so that nothing is looked up while it is measured: see floor.h. */
/* SPDX-License-Identifier: ISC */
#include "tests/bench/floor.h"
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOCKED_DOWN (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define NEW_FLAGS (CELL_USER_FIRST | CELL_CONTAINED | CELL_NOTIFY)	/* kinds of cell that are not written here */

static const struct {
	uint32_t kind;
	enum flat_kind as;
	const char *type;
	uint64_t attr;
} kinds[] = {
	{ MOUNT_BIND, FLAT_BIND, NULL, 0 },
	{ MOUNT_TMPFS, FLAT_NEW, "tmpfs", 0 },
	{ MOUNT_PROC, FLAT_NEW, "proc", 0 },
	{ MOUNT_DEVPTS, FLAT_NEW, "devpts", 0 },
	{ MOUNT_MQUEUE, FLAT_NEW, "mqueue", 0 },
	{ MOUNT_DEV, FLAT_DEV, "tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC },
	{ MOUNT_SYSFS, FLAT_NEW, "sysfs", 0 },
	{ MOUNT_CGROUP2, FLAT_NEW, "cgroup2", 0 },
	{ MOUNT_REMOUNT, FLAT_CHANGE_NEW, NULL, 0 },
	{ MOUNT_INACCESSIBLE, FLAT_NEW, "tmpfs", LOCKED_DOWN },
	{ MOUNT_FILE, FLAT_FILE, NULL, LOCKED_DOWN },
};

static void split_options(struct flat_mount *to, const char *options)
{
	char *text = strdup(options), *save = NULL;

	for (char *o = strtok_r(text, ",", &save); o && to->noptions < FLAT_OPTIONS; o = strtok_r(NULL, ",", &save)) {
		char *value = strchr(o, '=');

		if (value)
			*value++ = '\0';
		to->options[to->noptions].key = o;
		to->options[to->noptions++].value = value;
	}
}

/* Covers an empty file with an empty file, a directory with an empty tmpfs; as seen in the cell's root. */
static void cover(struct flat_mount *to, const char *root)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof path, "%s%s", root, to->target);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		split_options(to, "size=4k,mode=0000");
	} else {
		to->kind = FLAT_FILE;
		to->data = "";
	}
}

static bool mounted_before(const struct flat *f, const char *target)
{
	if (!strcmp(target, "/"))
		return true;
	for (int i = 0; i < f->nmounts; i++)
		if (!strcmp(f->mounts[i].target, target))
			return true;
	return false;
}

static int add_mount(struct flat *f, const struct plan_mount *m)
{
	struct flat_mount *to = &f->mounts[f->nmounts];

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].kind == m->kind)
			*to = (struct flat_mount){ .kind = kinds[i].as, .type = kinds[i].type,
						   .attr = m->attr | kinds[i].attr };
	to->source = plan_str(f->plan, m->source);
	to->target = plan_str(f->plan, m->target);
	to->clear = m->clear;
	to->recursive = m->flags & MOUNT_F_REC;
	to->directory = m->kind != MOUNT_FILE;
	if (to->kind == FLAT_NEW || to->kind == FLAT_DEV)
		split_options(to, plan_str(f->plan, m->data));
	if (to->kind == FLAT_CHANGE_NEW && mounted_before(f, to->target))
		to->kind = FLAT_CHANGE;
	if (m->kind == MOUNT_INACCESSIBLE)
		cover(to, plan_str(f->plan, f->svc->root));
	if (m->kind == MOUNT_FILE) {
		to->data = plan_str(f->plan, m->data);
		to->n = m->data.n;
		to->mode = 0444;
	}
	f->scratch |= to->kind == FLAT_FILE;
	if (to->kind == FLAT_DEV)
		f->dev = f->nmounts;
	f->nmounts++;
	return 0;
}

static uint64_t landlock_rights(const struct flat *f)
{
	const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t asked = 0, rights = (1ull << 13) - 1;

	PLAN_EACH(struct plan_landlock, l, f->plan, f->svc->landlock)
		asked |= l->access;
	rights |= abi >= 2 ? 1ull << 13 : 0;
	rights |= abi >= 3 ? 1ull << 14 : 0;
	rights |= abi >= 5 ? asked & 1ull << 15 : 0;
	return abi < 0 ? 0 : rights;
}

static int last_cap(void)
{
	FILE *f = fopen("/proc/sys/kernel/cap_last_cap", "re");
	int last = 40;

	if (f && fscanf(f, "%d", &last) != 1)
		last = 40;
	if (f)
		fclose(f);
	return last;
}

static void words(const struct flat *f, struct plan_ref r, char **to)
{
	const struct plan_ref *s = plan_array(f->plan, r);

	for (uint32_t i = 0; i < r.n && i < FLAT_WORDS - 1; i++)
		to[i] = (char *)(uintptr_t)plan_str(f->plan, s[i]);
}

static const char *unwritten(const struct plan_service *s)
{
	if (s->flags & NEW_FLAGS)
		return "its user namespace comes first, or it is contained, or has a notify socket";
	if (!(s->flags & CELL_ROOT_TREE))
		return "its root is the machine's own";
	if (s->links.n || s->groups.n || s->affinity.n || s->caps)
		return "it has a bridge, groups, an affinity or capabilities";
	return s->mounts.n > FLAT_MOUNTS ? "it has too many mounts" : NULL;
}

int flat_make(struct flat *f, const struct plan *p, const struct plan_service *s)
{
	const uint32_t has = s->flags;

	*f = (struct flat){ .plan = p, .svc = s, .dev = -1, .last_cap = last_cap() };
	if (unwritten(s)) {
		fprintf(stderr, "floor: not written for this cell: %s\n", unwritten(s));
		return -1;
	}
	f->clone_flags = (has & CELL_MOUNT ? CLONE_NEWNS : 0) | (has & CELL_IPC ? CLONE_NEWIPC : 0) |
			 (has & CELL_UTS ? CLONE_NEWUTS : 0) | (has & CELL_CGROUP ? CLONE_NEWCGROUP : 0);
	f->unshare_flags = (has & CELL_NET ? CLONE_NEWNET : 0) | (has & CELL_PID ? CLONE_NEWPID : 0) |
			   (has & CELL_TIME ? 0x80 : 0);
	PLAN_EACH(struct plan_mount, m, p, s->mounts)
		add_mount(f, m);
	f->landlock = landlock_rights(f);
	f->securebits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
			SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	snprintf(f->gid_map, sizeof f->gid_map, "%u %u 1\n", s->gid, s->gid);
	snprintf(f->uid_map, sizeof f->uid_map, "%u %u 1\n", s->uid, s->uid);
	words(f, s->argv, f->argv);
	words(f, s->env, f->envp);
	return 0;
}
