/* The slots, in each of their three formats: see bootslot.h. */
/* SPDX-License-Identifier: ISC */
#include "init/bootslot.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/base/cmdline.h"
#include "init/device.h"
#include "init/lasting.h"
#include "init/run_dir.h"
#include "rootfs/boot_count.h"
#include "rootfs/uboot_env.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ORDER "BOOT_ORDER"

const char *const slot_change_name[SLOT_CHANGES] = {
	[SLOT_GOOD] = "mark-good", [SLOT_BAD] = "mark-bad", [SLOT_PREFER] = "switch",
};

const struct plan_boot_slot *bootslot_find(const struct plan *p, const char *name)
{
	PLAN_EACH(struct plan_boot_slot, s, p, p->head->boot_slots)
		if (!strcmp(plan_str(p, s->name), name))
			return s;
	return NULL;
}

static void match_plan(const struct plan *p, struct slots *s)
{
	const struct plan_boot_slot *v = PLAN_FIRST(p, p->head->boot_slots, struct plan_boot_slot);
	const char *names[SLOTS_MAX];
	unsigned n = 0;

	for (; n < p->head->boot_slots.n && n < SLOTS_MAX; n++)
		names[n] = plan_str(p, v[n].name);
	slots_match(s, names, n, p->head->slots_tries);
}

static int open_place(const char *place, struct err *e)
{
	int fd = lasting_open(place, DEVICE_WAIT_MS, e);

	return fd < 0 ? err_in(e, "slots") : fd;
}

/* By files. */

static int files_read(const struct plan *p, int fd, struct slots *s, struct err *e)
{
	int rc = slots_load(fd, s, e);

	if (rc == -ENODATA)
		*s = (struct slots){ 0 };
	else if (rc < 0)
		return rc;
	match_plan(p, s);
	return 0;
}

static void apply(struct slots *s, struct slot *one, enum slot_change change, unsigned tries)
{
	one->good = change == SLOT_GOOD;
	one->left = change == SLOT_BAD ? 0 : tries;
	if (change == SLOT_PREFER)
		slots_prefer(s, one->name);
}

static int files_change(const struct plan *p, const char *name, enum slot_change change, struct err *e)
{
	owned_fd fd = open_place(plan_str(p, p->head->slots_at), e);
	struct slots s;

	if (fd < 0 || files_read(p, fd, &s, e) < 0)
		return -e->code;
	apply(&s, slots_find(&s, name), change, p->head->slots_tries);
	return slots_save(fd, &s, e);
}

static int leave_name(const char *name, struct err *e)
{
	mkdir(RUN_DIR, 0755);
	owned_fd to = open(BOOTSLOT_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	return to < 0 || write(to, name, strlen(name)) < 0 ? err_sys(e, "slots: write " BOOTSLOT_FILE) : 0;
}

int bootslot_choose(const struct plan *p, struct err *e)
{
	owned_fd fd = open_place(plan_str(p, p->head->slots_at), e);
	char said[SLOT_NAME + 1] = "";	/* one that is too long is none */
	struct slot *chosen = NULL;
	struct slots s;

	if (fd < 0 || files_read(p, fd, &s, e) < 0)
		return -e->code;
	if (cmdline_value("prior.slot", said, sizeof said))
		chosen = slots_try(&s, said);
	if (!chosen)
		chosen = slots_choose(&s, p->head->slots_tries);
	if (!chosen)
		return err_set(e, ENOENT, "slots: there is none");
	chosen->good = false;		/* until it says so in this boot */
	return slots_save(fd, &s, e) < 0 ? -e->code : leave_name(chosen->name, e);
}

int bootslot_first(const struct plan *p, struct err *e)
{
	const struct plan_boot_slot *v = PLAN_FIRST(p, p->head->boot_slots, struct plan_boot_slot);

	return leave_name(plan_str(p, v->name), e);
}

/* By uboot. */

struct env {
	unsigned char *copy[2];
	unsigned copies, active;	/* active: the one in force */
	size_t size;
	int fd[2];
};

static void env_close(struct env *v)
{
	for (unsigned i = 0; i < 2; i++) {
		free(v->copy[i]);
		fd_drop(&v->fd[i]);
	}
}

static int env_open(const struct plan *p, struct env *v, struct err *e)
{
	const struct plan_boot_env *at = PLAN_FIRST(p, p->head->boot_env, struct plan_boot_env);

	int unread = 0;

	v->copies = p->head->boot_env.n;
	v->size = v->copies ? at->size : 0;
	for (unsigned i = 0; i < v->copies; i++) {
		v->copy[i] = malloc(v->size);
		v->fd[i] = open_place(plan_str(p, at[i].place), e);
		if (v->fd[i] < 0)
			return v->fd[i];
		const ssize_t n = v->copy[i] ? pread(v->fd[i], v->copy[i], v->size, (off_t)at[i].offset) : 0;

		if (n == (ssize_t)v->size)
			continue;
		unread = err_set(e, EIO, "slots: U-Boot's environment: %s: cannot read %zu bytes at %llu",
				 plan_str(p, at[i].place), v->size, (unsigned long long)at[i].offset);
		if (n >= 0)	/* no memory, or it is not there */
			return unread;
		memset(v->copy[i], 0, v->size);		/* a bad sector: the other copy counts, if there is one */
	}
	const unsigned char *const both[2] = { v->copy[0], v->copy[1] };
	const int newest = v->copies == 2 ? uboot_env_newest(both, v->size) :
			   uboot_env_is_whole(v->copy[0], v->size, false) ? 0 : -1;

	if (newest < 0 && unread)
		return unread;
	if (newest < 0)
		return err_set(e, EBADMSG, "slots: U-Boot's environment: its sum is wrong: not written yet (saveenv), "
			       "or not where machine.slots.env says");
	v->active = (unsigned)newest;
	return 0;
}

static const char *left_name(const char *slot, char to[SLOT_NAME + 16])
{
	snprintf(to, SLOT_NAME + 16, "BOOT_%s_LEFT", slot);
	return to;
}

static const char *env_get(const struct env *v, const char *name)
{
	return uboot_env_get(v->copy[v->active], v->size, v->copies == 2, name);
}

static void env_slots(const struct plan *p, const struct env *v, struct slots *s)
{
	const char *order = env_get(v, ORDER);
	char name[SLOT_NAME + 16];

	*s = (struct slots){ 0 };
	while (order && *(order += strspn(order, " ")) && s->n < SLOTS_MAX) {
		const size_t n = strcspn(order, " ");

		if (n < SLOT_NAME)
			memcpy(s->v[s->n++].name, order, n);
		order += n;
	}
	match_plan(p, s);
	for (unsigned i = 0; i < s->n; i++) {
		const char *left = env_get(v, left_name(s->v[i].name, name));
		const long got = left ? strtol(left, NULL, 10) : 0;

		s->v[i].left = got < 0 ? 0 : got > SLOT_TRIES_MAX ? SLOT_TRIES_MAX : (unsigned)got;
		s->v[i].good = s->v[i].left == p->head->slots_tries;
	}
}

/* The preferred one, and behind it what the loader has as it is (more than slots may be there, and fewer), or all. */
static bool put_first(const struct env *v, const struct slots *s, const char *name, struct text *t)
{
	const char *was = env_get(v, ORDER);
	const size_t len = strlen(name);

	text_add(t, name);
	for (unsigned i = 0; !was && i < s->n; i++)
		if (strcmp(s->v[i].name, name) != 0)
			text_fmt(t, " %s", s->v[i].name);
	for (size_t n; was && *(was += strspn(was, " ")); was += n) {
		n = strcspn(was, " ");
		if (n == len && !memcmp(was, name, n))
			continue;
		text_add(t, " ");
		text_add_n(t, was, n);
	}
	return !t->cut;
}

/* To the copy that is not in force; of one, there is nothing else to write to. */
static int env_write(const struct plan *p, struct env *v, const struct slots *s, const char *name,
		     enum slot_change change, struct err *e)
{
	const bool redundant = v->copies == 2;
	const unsigned to = redundant ? !v->active : 0;
	char order[1024] = "", left[SLOT_NAME + 16], number[16];
	struct text t = TEXT_IN(order), digits = TEXT_IN(number);
	const bool fits = change != SLOT_PREFER || put_first(v, s, name, &t);

	for (unsigned i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].name, name))
			text_fmt(&digits, "%u", s->v[i].left);
	if (to != v->active)
		memcpy(v->copy[to], v->copy[v->active], v->size);
	if (!fits || (change == SLOT_PREFER && !uboot_env_set(v->copy[to], v->size, redundant, ORDER, order)) ||
	    !uboot_env_set(v->copy[to], v->size, redundant, left_name(name, left), number))
		return err_set(e, ENOSPC, "slots: U-Boot's environment: no room left in its %zu bytes", v->size);
	uboot_env_seal(v->copy[to], v->size, redundant);
	const off_t at = (off_t)PLAN_FIRST(p, p->head->boot_env, struct plan_boot_env)[to].offset;

	if (pwrite(v->fd[to], v->copy[to], v->size, at) != (ssize_t)v->size || fsync(v->fd[to]) < 0)
		return err_sys(e, "slots: write U-Boot's environment");
	return 0;
}

static int env_work(const struct plan *p, struct slots *s, const char *name, enum slot_change change, struct err *e)
{
	struct env v = { .fd = { FD_NONE, FD_NONE } };
	int rc = env_open(p, &v, e);

	if (rc == 0)
		env_slots(p, &v, s);
	if (rc == 0 && name) {
		apply(s, slots_find(s, name), change, p->head->slots_tries);
		rc = env_write(p, &v, s, name, change, e);
	}
	env_close(&v);
	return rc;
}

/* By systemd. */

/* "prior-a-1.2" is of slot "prior-a", and not of "prior": what is behind the name is a version. */
static struct slot *slot_of(struct slots *s, const char *entry)
{
	struct slot *longest = NULL;

	for (unsigned i = 0; i < s->n; i++) {
		const size_t n = strlen(s->v[i].name);

		if (!strncmp(s->v[i].name, entry, n) && (!entry[n] || entry[n] == '-') &&
		    (!longest || n > strlen(longest->name)))
			longest = &s->v[i];
	}
	return longest;
}

/* name NULL: what the files say of all; else the file of that slot, in *of. */
static int entries(const struct plan *p, struct slots *s, const char *name, struct boot_count *of, char file[256],
		   struct err *e)
{
	const char *folder = plan_str(p, p->head->slots_at);
	DIR *d = opendir(folder);
	bool found = false;

	if (!d)
		return err_sys(e, "slots: open %s", folder);
	for (struct dirent *n; (n = readdir(d));) {
		struct boot_count b;
		struct slot *one = boot_count_parse(n->d_name, &b) ? slot_of(s, b.name) : NULL;

		if (!one)
			continue;
		one->left = b.counted ? b.left : p->head->slots_tries;
		one->good = !b.counted;
		if (!name || strcmp(name, one->name) != 0)
			continue;
		if (found) {
			closedir(d);
			return err_set(e, EEXIST, "slots: %s: %s and %s are the same slot's; remove one", folder, file,
				       n->d_name);
		}
		found = true;
		*of = b;
		text_copy(file, 256, n->d_name);
	}
	closedir(d);
	return !name || found ? 0 : err_set(e, ENOENT, "slots: %s: there is no entry of %s", folder, name);
}

/* The way of systemd-bless-boot: one rename, which is there or not after a cut. */
static int entry_rename(const char *folder, const char *file, const struct boot_count *b, struct err *e)
{
	owned_fd dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char to[256];

	if (!boot_count_format(b, to, sizeof to))
		return err_set(e, ENAMETOOLONG, "slots: %s: its name is too long", file);
	if (!strcmp(file, to))
		return 0;
	if (dir < 0 || renameat(dir, file, dir, to) < 0 || fsync(dir) < 0 || syncfs(dir) < 0)
		return err_sys(e, "slots: rename %s/%s to %s", folder, file, to);
	return 0;
}

static int entries_change(const struct plan *p, const char *name, enum slot_change change, struct err *e)
{
	struct slots s = { 0 };
	struct boot_count b = { 0 };
	char file[256];

	match_plan(p, &s);
	if (change == SLOT_PREFER)
		return err_set(e, EOPNOTSUPP, "slots: by systemd the boot loader takes the newest entry that is not "
			       "bad: mark the others bad, or give this one a later version");
	if (entries(p, &s, name, &b, file, e) < 0)
		return -e->code;
	b.counted = change == SLOT_BAD;
	b.left = 0;
	return entry_rename(plan_str(p, p->head->slots_at), file, &b, e);
}

int bootslot_doubt(const struct plan *p, const char *name, struct err *e)
{
	const unsigned tries = p->head->slots_tries;
	struct slots s = { 0 };
	struct boot_count b = { 0 };
	char file[256];

	match_plan(p, &s);
	if (entries(p, &s, name, &b, file, e) < 0)
		return -e->code;
	if (b.counted)
		return 0;
	b.counted = true;
	b.left = tries - 1;
	b.done = 1;
	return entry_rename(plan_str(p, p->head->slots_at), file, &b, e);
}

/* By any. */

int bootslot_read(const struct plan *p, struct slots *s, struct err *e)
{
	*s = (struct slots){ 0 };
	switch ((enum slots_by)p->head->slots_by) {
	case SLOTS_BY_FILES: {
		owned_fd fd = open_place(plan_str(p, p->head->slots_at), e);

		return fd < 0 ? fd : files_read(p, fd, s, e);
	}
	case SLOTS_BY_UBOOT:
		return env_work(p, s, NULL, SLOT_GOOD, e);
	case SLOTS_BY_SYSTEMD:
		match_plan(p, s);
		return entries(p, s, NULL, NULL, NULL, e);
	case SLOTS_BY_KINDS:
		break;
	}
	return err_set(e, EINVAL, "slots: by what?");
}

int bootslot_change(const struct plan *p, const char *name, enum slot_change change, struct err *e)
{
	struct slots s;

	if (!bootslot_find(p, name))
		return err_set(e, ENOENT, "there is no slot %.40s in machine.slots.list", name);
	switch ((enum slots_by)p->head->slots_by) {
	case SLOTS_BY_FILES:
		return files_change(p, name, change, e);
	case SLOTS_BY_UBOOT:
		return env_work(p, &s, name, change, e);
	case SLOTS_BY_SYSTEMD:
		return entries_change(p, name, change, e);
	case SLOTS_BY_KINDS:
		break;
	}
	return err_set(e, EINVAL, "slots: by what?");
}

/* The boot loader has named one slot's device as the root. */
static void by_root(const struct plan *p, char name[SLOT_NAME])
{
	char root[256];

	if (!cmdline_value("root", root, sizeof root))
		return;
	PLAN_EACH(struct plan_boot_slot, s, p, p->head->boot_slots)
		if (!strcmp(plan_str(p, s->device), root))
			text_copy(name, SLOT_NAME, plan_str(p, s->name));
}

bool bootslot_booted(const struct plan *p, char name[SLOT_NAME])
{
	owned_fd fd = open(BOOTSLOT_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, name, SLOT_NAME - 1);

	name[n > 0 ? n : 0] = '\0';
	if (!*name && !cmdline_value("prior.slot", name, SLOT_NAME) && !cmdline_value("rauc.slot", name, SLOT_NAME))
		by_root(p, name);
	return *name && bootslot_find(p, name);
}
