/* Facts about what prior made for the service: its directories, and its credentials. Never their content. */
/* SPDX-License-Identifier: ISC */
#include "init/base/dir.h"
#include "init/base/sys.h"
#include "services/cell/attest_inner.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MODE 07777

struct wanted {
	uint32_t type, mode;	/* S_IFDIR or S_IFREG; permissions, MODE + 1: whatever they are */
};

static void describe(char to[64], uint32_t type, uid_t uid, gid_t gid, uint32_t mode)
{
	const char *what = S_ISDIR(type) ? "directory" : S_ISREG(type) ? "file" : "something else";

	snprintf(to, 64, "%s %u:%u %04o", what, uid, gid, mode & MODE);
}

static void owner_fact(struct attest_run *r, const char *what, const char *name, int fd, struct wanted w)
{
	char label[256], want[64], got[64];
	struct stat st;

	snprintf(label, sizeof label, "%s %.200s", what, name);
	if (fd < 0 || sys_fstat(fd, &st) < 0) {
		fact(r, label, "there", strerror(errno), false);
		return;
	}
	if (w.mode > MODE)
		w.mode = st.st_mode & MODE;
	describe(want, w.type, r->in->svc->uid, r->in->svc->gid, w.mode);
	describe(got, st.st_mode, st.st_uid, st.st_gid, st.st_mode);
	fact_text(r, label, want, got);
}

/* Where the cell shows what lies at source: the plan mounts it there, or the cell has the machine's root. */
static const char *shown_at(const struct attest_run *r, const char *source)
{
	const struct plan *p = r->in->plan;

	PLAN_EACH(struct plan_mount, m, p, r->in->svc->mounts)
		if (m->kind == MOUNT_BIND && m->flags & MOUNT_F_OWN && !strcmp(plan_str(p, m->source), source))
			return plan_str(p, m->target);
	return source;
}

/* A running service may change the permissions of what is its own. */
static int one_directory(struct attest_run *r, const struct plan_dir *d, struct err *e)
{
	const struct wanted w = { S_IFDIR, r->in->at_exec ? d->mode : MODE + 1 };
	char path[PATH_MAX];

	if (d->kind > DIR_RUNTIME)
		return 0;
	if (run_root(r, e) < 0)
		return -e->code;
	snprintf(path, sizeof path, "%s/%s%s", plan_str(r->in->plan, d->base),
		 d->flags & DIR_F_PRIVATE ? "private/" : "", plan_str(r->in->plan, d->name));
	owned_fd fd = sys_openat2(r->root, shown_at(r, path), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
				  RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	owner_fact(r, "directory", path, fd, w);
	return 0;
}

static int count_entries(struct attest_run *r, int dir)
{
	struct dir_scan s = { .fd = dir, .room = r->room, .size = 4096 };
	int count = 0;

	while (dir_next(&s))
		count++;
	return s.n < 0 ? -1 : count;
}

static int secrets_below(struct attest_run *r, const char *target, struct err *e)
{
	const struct plan *p = r->in->plan;
	const struct plan_ref all = r->in->svc->credentials;

	if (run_root(r, e) < 0)
		return -e->code;
	owned_fd dir = sys_openat2(r->root, target, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
				   RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	owner_fact(r, "credentials", target, dir, (struct wanted){ S_IFDIR, 0500 });
	if (dir < 0)
		return 0;
	PLAN_EACH(struct plan_file, f, p, all) {
		owned_fd fd = openat(dir, plan_str(p, f->path), O_PATH | O_NOFOLLOW | O_CLOEXEC);

		owner_fact(r, "credential", plan_str(p, f->path), fd, (struct wanted){ S_IFREG, 0400 });
	}
	fact_num(r, "credentials", all.n, count_entries(r, dir));
	return 0;
}

int attest_dirs(struct attest_run *r, struct err *e)
{
	const struct plan *p = r->in->plan;
	const struct plan_service *s = r->in->svc;

	PLAN_EACH(struct plan_dir, d, p, s->dirs)
		if (one_directory(r, d, e) < 0)
			return -e->code;
	for (const struct plan_mount *m = PLAN_FIRST(p, s->mounts, struct plan_mount);
	     s->credentials.n && m < PLAN_END(p, s->mounts, struct plan_mount); m++)
		if (m->kind == MOUNT_CREDENTIALS && secrets_below(r, plan_str(p, m->target), e) < 0)
			return -e->code;
	return 0;
}
