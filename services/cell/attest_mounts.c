/* Facts about mounts: what is mounted in the cell is what the plan has, no more and no less. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/image.h"
#include "rootfs/mount.h"
#include "rootfs/mountinfo.h"
#include "services/cell/attest_inner.h"
#include "services/cell/root.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/major.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define CELL_MOUNTS_MAX 4608
#define PLAN_MOUNTS_MAX 4096
#define STRINGS_MAX (512u << 10)

struct seen {
	const char *target, *root, *type;
	int id;
	unsigned major, minor;
	uint64_t attr, machine_attr;
	bool is_private, is_machines;	/* the machine has the same file system at the same place */
};

/* Where the cell's mounts wait for the machine's to be looked at. Too large for the stack; mapped for as long. */
struct table {
	unsigned n;
	struct text kept;	/* in strings */
	struct seen at[CELL_MOUNTS_MAX];
	char strings[STRINGS_MAX];
};

struct view {
	struct attest_run *run;
	struct table *table;	/* NULL: none is needed */
	uint64_t rows_seen[PLAN_MOUNTS_MAX / 64 + 1];
};

static int each_kept(void *ctx, const struct mountinfo *m, struct err *e)
{
	struct table *v = ((struct view *)ctx)->table;
	struct seen *s = &v->at[v->n];

	if (v->n == CELL_MOUNTS_MAX)
		return err_set(e, EOVERFLOW, "more than %d mounts in a cell", CELL_MOUNTS_MAX);
	*s = (struct seen){ .target = text_keep(&v->kept, m->target), .root = text_keep(&v->kept, m->root),
			    .type = text_keep(&v->kept, m->type), .id = m->id, .major = m->major,
			    .minor = m->minor, .attr = m->attr, .is_private = m->is_private };
	if (!s->type)
		return err_set(e, EOVERFLOW, "the mounts' names are longer than %u bytes", STRINGS_MAX);
	v->n++;
	return 0;
}

static int each_machines(void *ctx, const struct mountinfo *m, struct err *e)
{
	struct table *v = ((struct view *)ctx)->table;

	(void)e;
	for (struct seen *s = v->at; s < v->at + v->n; s++)
		if (!strcmp(s->target, m->target) && !strcmp(s->root, m->root) && s->major == m->major &&
		    s->minor == m->minor) {
			s->is_machines = true;
			s->machine_attr = m->attr;
		}
	return 0;
}

/* What the plan expects at a place after all rows. */
struct expect {
	bool mounted, exact;
	const char *type;	/* NULL: any */
	uint64_t attr;
};

static void expect_inside_dev(struct attest_run *r, const struct plan_mount *m, const char *path, struct expect *x)
{
	const char *name = path + strlen(plan_str(r->in->plan, m->target)) + 1;

	*x = (struct expect){ 0 };
	for (unsigned i = 0; i < DEV_PARTS; i++)
		if (!strcmp(name, dev_parts[i].name) &&
		    !dev_part_is_replaced(r->in->plan, r->in->svc, m, &dev_parts[i]))
			*x = (struct expect){ true, true, dev_parts[i].type, dev_parts[i].attr };
	for (const char *const *n = dev_nodes; *n; n++)
		if (!strcmp(name, *n))
			*x = (struct expect){ true, false, NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
}

/* What one row does to the expectation at path. */
static void expect_row(struct attest_run *r, const struct plan_mount *m, const char *path, struct expect *x)
{
	const char *target = plan_str(r->in->plan, m->target);
	const struct mount_kind_row *k = &mount_kinds[m->kind];
	const bool here = !strcmp(path, target), rec = m->flags & MOUNT_F_REC;

	if (!path_is_at_or_below(path, target))
		return;
	if (m->kind == MOUNT_REMOUNT) {
		if (!here && !rec)
			return;
		x->mounted |= here;
		x->attr = (x->attr | m->attr) & ~m->clear;
		return;
	}
	if (here)
		*x = (struct expect){ true, k->exact, k->type, m->attr | k->attr };
	else if (m->kind == MOUNT_BIND && rec)
		*x = (struct expect){ true, false, NULL, m->attr };
	else if (m->kind == MOUNT_DEV)
		expect_inside_dev(r, m, path, x);
	else
		*x = (struct expect){ 0 };
}

static struct expect expected(struct view *v, const struct seen *s)
{
	struct attest_run *r = v->run;
	const struct plan_ref rows = r->in->svc->mounts;
	struct expect x = { 0 };
	unsigned i = 0;

	if (!strcmp(s->target, "/") && planned(r, CELL_ROOT_IMAGE))
		x = (struct expect){ true, false, plan_str(r->in->plan, r->in->svc->root_type), MOUNT_ATTR_RDONLY };
	else if (!strcmp(s->target, "/") && (planned(r, CELL_ROOT_TREE) || s->is_machines))
		x = (struct expect){ true, false, NULL, s->machine_attr };
	else if (!planned(r, CELL_ROOT_TREE) && s->is_machines)
		x = (struct expect){ true, false, NULL, s->machine_attr };
	for (const struct plan_mount *m = PLAN_FIRST(r->in->plan, rows, struct plan_mount);
	     m < PLAN_END(r->in->plan, rows, struct plan_mount); m++, i++) {
		if (!strcmp(plan_str(r->in->plan, m->target), s->target) && i < PLAN_MOUNTS_MAX)
			v->rows_seen[i / 64] |= 1ull << (i % 64);
		expect_row(r, m, s->target, &x);
	}
	return x;
}

static const struct {
	uint64_t attr;
	const char *word;
} attr_words[] = {
	{ MOUNT_ATTR_RDONLY, "ro" },	 { MOUNT_ATTR_NOSUID, "nosuid" }, { MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" }, { MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
};
#define ATTR_SEEN (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | \
		   MOUNT_ATTR_NOSYMFOLLOW)

static void describe(char to[96], const char *type, uint64_t attr, bool is_private)
{
	struct text t = { .at = to, .size = 96 };

	text_fmt(&t, "%s", type ? type : "bind");
	for (unsigned i = 0; i < sizeof attr_words / sizeof *attr_words; i++)
		if (attr & attr_words[i].attr)
			text_fmt(&t, ",%s", attr_words[i].word);
	if (!is_private)
		text_fmt(&t, ",shared");
}

/*
 * In mounts that belong to its own user namespace, a service with CAP_SYS_ADMIN may lay more over those of the plan;
 * these the kernel has locked, so that they are there whatever it did.
 */
static bool may_have_mounted(const struct attest_run *r)
{
	return !r->in->at_exec && planned(r, CELL_USER_FIRST) && r->in->svc->caps >> CAP_SYS_ADMIN & 1;
}

static const char *number_of(pid_t pid, char to[16])
{
	snprintf(to, 16, "%d", (int)pid);
	return pid ? to : "self";
}

/*
 * Where the supervisor itself lives in a user namespace, the machine's mounts are locked together and come all into the
 * new root (rootfs/root.c): what the plan lays over one of them hides it, and only CAP_SYS_ADMIN takes that off.
 */
static bool is_locked_and_hidden(struct view *v, const struct seen *s)
{
	static const char all[] = "         0          0 4294967295";
	char map[4096];
	char path[32], who[16];
	struct err ignored;
	struct statx x;

	snprintf(path, sizeof path, "%s/uid_map", number_of(v->run->in->reference, who));
	if (!s->is_machines || v->run->in->svc->caps & 1ull << CAP_SYS_ADMIN ||
	    file_read(v->run->in->procfs, path, map, sizeof map, &ignored) < 0 || !strncmp(map, all, sizeof all - 1) ||
	    run_root(v->run, &ignored) < 0)
		return false;
	owned_fd place = below_open(v->run->root, s->target, &ignored);

	if (place < 0)
		return ignored.code == ENOENT || ignored.code == ELOOP || ignored.code == ENOTDIR;
	return syscall(SYS_statx, place, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) == 0 && x.stx_mask & STATX_MNT_ID &&
	       (int)x.stx_mnt_id != s->id;
}

static void one_mount(struct view *v, const struct seen *s)
{
	const struct expect x = expected(v, s);
	const uint64_t want_attr = x.attr & ATTR_SEEN;
	const bool attr_ok = x.exact ? s->attr == want_attr : (s->attr & want_attr) == want_attr;
	const bool fine = x.mounted && attr_ok && s->is_private && (!x.type || !strcmp(x.type, s->type));
	char name[300], want[96] = "nothing mounted", got[96];

	if (fact_is_plain(v->run, fine) || (!fine && may_have_mounted(v->run)) || is_locked_and_hidden(v, s))
		return;
	snprintf(name, sizeof name, "mount %.280s", s->target);
	describe(got, x.type || !x.mounted ? s->type : NULL, x.exact ? s->attr : s->attr & (want_attr | ~ATTR_SEEN),
		 s->is_private);
	if (x.mounted)
		describe(want, x.type, want_attr, true);
	fact(v->run, name, want, got, fine);
}

/* The file behind a loop device of the machine's, whose root that of process `who` is. */
static int file_behind(int procfs, const char *who, unsigned device_major, unsigned device_minor, struct file_id *id,
		       struct err *e)
{
	char path[32];

	snprintf(path, sizeof path, "%s/root", who);
	owned_fd root = openat(procfs, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(e, "the machine's root");
	return loop_file(root, device_major, device_minor, &id->dev, &id->ino, e);
}

int attest_image(struct attest_in *in, struct err *e)
{
	char path[32], who[16];
	struct stat st;

	if (!(in->svc->flags & CELL_ROOT_IMAGE))
		return 0;
	snprintf(path, sizeof path, "%d/root", (int)in->pid);
	if (fstatat(in->procfs, path, &st, 0) < 0)
		return err_sys(e, "its root");
	if (major(st.st_dev) != LOOP_MAJOR)
		return 0;
	return file_behind(in->procfs, number_of(in->reference, who), LOOP_MAJOR, minor(st.st_dev), &in->image, e);
}

/* The file behind an image's root is the one of that name; without a loop device only its kind is to be seen. */
static int image_file(struct view *v, const struct seen *s, struct err *e)
{
	const struct attest_in *in = v->run->in;
	const char *path = plan_str(in->plan, in->svc->root);
	struct file_id is = in->image;
	char want[96], got[96], who[16], name[PATH_MAX + 8];
	struct stat st;

	if (!planned(v->run, CELL_ROOT_IMAGE) || s->major != LOOP_MAJOR)
		return 0;
	if (!is.dev && file_behind(in->procfs, number_of(in->reference, who), s->major, s->minor, &is, e) < 0)
		return -e->code;
	snprintf(name, sizeof name, "root%s", path);
	if (run_ref(v->run, e) < 0)
		return -e->code;
	if (fstatat(v->run->ref, name, &st, 0) < 0)
		snprintf(want, sizeof want, "%.60s, which is gone", path);
	else
		snprintf(want, sizeof want, "file %llu of device %llx", (unsigned long long)st.st_ino,
			 (unsigned long long)st.st_dev);
	snprintf(got, sizeof got, "file %llu of device %llx", (unsigned long long)is.ino, (unsigned long long)is.dev);
	fact_text(v->run, "image", want, got);
	return 0;
}

/* In a root of its own, where nothing of the machine's is mounted, each mount is judged as it is read. */
static int each_alone(void *ctx, const struct mountinfo *m, struct err *e)
{
	const struct seen s = { m->target, m->root, m->type, m->id, m->major, m->minor, m->attr, 0, m->is_private,
				false };

	one_mount(ctx, &s);
	return !strcmp(s.target, "/") ? image_file(ctx, &s, e) : 0;
}

/* A row without its mount: only one that may be missing, and whose place or source does not exist. */
static int missing_rows(struct view *v, struct err *e)
{
	struct attest_run *r = v->run;
	const struct plan_ref rows = r->in->svc->mounts;
	const struct plan_mount *first = PLAN_FIRST(r->in->plan, rows, struct plan_mount);
	char name[300];

	for (unsigned i = 0; i < rows.n; i++) {
		const char *target = plan_str(r->in->plan, first[i].target);
		struct err absent;

		if (v->rows_seen[i / 64] >> (i % 64) & 1)
			continue;
		if (run_root(r, e) < 0)
			return -e->code;
		owned_fd place = below_open(r->root, target, &absent);
		const uint32_t may = MOUNT_F_OPTIONAL | (r->in->without_devices ? MOUNT_F_DEVICE : 0);
		const bool fine = first[i].flags & may && (first[i].kind == MOUNT_BIND || place < 0);

		snprintf(name, sizeof name, "mount %.280s", target);
		if (!fine)
			fact(r, name, mount_kinds[first[i].kind].name, "nothing mounted", false);
	}
	return 0;
}

static int each_mount(struct attest_run *r, int dir, mountinfo_fn *each, struct view *v, struct err *e)
{
	owned_fd fd = openat(dir, "mountinfo", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "mountinfo") : mountinfo_in(fd, r->room, FILE_ROOM, each, v, e);
}

/* In the machine's root, its own mounts are all there, with its attributes or tighter ones. */
static int beside_machine(struct view *v, struct err *e)
{
	struct attest_run *r = v->run;

	v->table = mmap(NULL, sizeof *v->table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (v->table == MAP_FAILED)
		return err_sys(e, "memory to compare mounts");
	v->table->kept = (struct text){ .at = v->table->strings, .size = STRINGS_MAX };
	int ret = run_ref(r, e) < 0 ? -e->code : each_mount(r, r->dir, each_kept, v, e);

	if (ret >= 0)
		ret = each_mount(r, r->ref, each_machines, v, e);
	for (const struct seen *s = v->table->at; ret >= 0 && s < v->table->at + v->table->n; s++)
		one_mount(v, s);
	munmap(v->table, sizeof *v->table);
	return ret;
}

int attest_mounts(struct attest_run *r, struct err *e)
{
	struct view v = { .run = r };

	if (!planned(r, CELL_MOUNT))
		return 0;
	if (r->in->svc->mounts.n > PLAN_MOUNTS_MAX)
		return err_set(e, E2BIG, "%u mounts planned; at most %d", r->in->svc->mounts.n, PLAN_MOUNTS_MAX);
	const int ret = planned(r, CELL_ROOT_TREE) ? each_mount(r, r->dir, each_alone, &v, e) : beside_machine(&v, e);

	return ret < 0 ? ret : missing_rows(&v, e);
}
