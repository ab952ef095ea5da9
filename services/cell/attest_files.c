/* Facts about files: what was executed, the root, the working directory, the descriptors. */
/* SPDX-License-Identifier: ISC */
#include "init/base/dir.h"
#include "init/base/sys.h"
#include "services/cell/attest_inner.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool same(struct file_id a, struct file_id b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

static int id_at(int dir, const char *path, struct file_id *id, struct err *e)
{
	struct stat st;

	if (fstatat(dir, path, &st, 0) < 0)
		return err_sys(e, "%s", path);
	*id = (struct file_id){ st.st_dev, st.st_ino };
	return 0;
}

/* What it is instead, for the message. */
static const char *link_text(int dir, const char *name, char to[256])
{
	const ssize_t n = readlinkat(dir, name, to, 255);

	to[n < 0 ? 0 : n] = '\0';
	return to;
}

static int id_in_root(int root, const char *path, struct file_id *id, struct err *e)
{
	owned_fd fd = sys_openat2(root, path, O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0 || sys_fstat(fd, &st) < 0)
		return err_sys(e, "%s in its root", path);
	*id = (struct file_id){ st.st_dev, st.st_ino };
	return 0;
}

/* "#!/bin/sh -e" -> what really runs. "": it is not a script. */
static void interpreter_of(int root, const char *exe, char *to, size_t size)
{
	owned_fd fd = sys_openat2(root, exe, O_RDONLY | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	char head[256];
	const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head - 1);

	to[0] = '\0';
	if (n < 3 || head[0] != '#' || head[1] != '!')
		return;
	head[n] = '\0';
	const char *path = head + 2 + strspn(head + 2, " \t");
	const size_t len = strcspn(path, " \t\n");

	if (len < size) {
		memcpy(to, path, len);
		to[len] = '\0';
	}
}

/* A script shows its interpreter, which may itself be found through one more script. */
static int executed(struct attest_run *r, struct err *e)
{
	const char *exe = r->in->exe_path ? r->in->exe_path : plan_str(r->in->plan, r->in->svc->exe);
	struct file_id runs = { 0 }, want = r->in->exe, interpreter = { 0 };
	char path[256], next[256], link[256];

	if (id_at(r->dir, "exe", &runs, e) < 0 ||
	    (!want.dev && (run_root(r, e) < 0 || id_in_root(r->root, exe, &want, e) < 0)))
		return -e->code;
	if (fact_is_plain(r, same(runs, want)))
		return 0;
	const int root = run_root(r, e);

	if (root < 0)
		return root;
	path[0] = '\0';
	if (!same(runs, want))
		interpreter_of(root, exe, path, sizeof path);
	for (int depth = 0; !same(runs, want) && path[0] && depth < 4; depth++) {
		if (id_in_root(root, path, &interpreter, e) == 0 && same(runs, interpreter))
			want = interpreter;
		interpreter_of(root, path, next, sizeof next);
		memcpy(path, next, sizeof path);
	}
	fact(r, "exe", exe, same(runs, want) ? exe : link_text(r->dir, "exe", link), same(runs, want));
	return 0;
}

static int root_fact(struct attest_run *r, struct file_id is, struct err *e)
{
	const char *root = plan_str(r->in->plan, r->in->svc->root);
	struct file_id want = r->in->root;

	/* What is in an image has no name in the machine: later, the file behind its mount is compared. */
	if (!planned(r, CELL_ROOT_TREE) || (planned(r, CELL_ROOT_IMAGE) && !want.dev))
		return 0;
	if (!want.dev && id_at(AT_FDCWD, root, &want, e) < 0)
		return -e->code;
	fact_text(r, "root", root, same(is, want) ? root : "another directory");
	return 0;
}

static int cwd_fact(struct attest_run *r, struct file_id root, struct err *e)
{
	const char *cwd = plan_str(r->in->plan, r->in->svc->cwd);
	struct file_id is = { 0 }, want = root;
	char link[256];

	cwd = *cwd ? cwd : "/";
	if (id_at(r->dir, "cwd", &is, e) < 0)
		return -e->code;
	if (strcmp(cwd, "/") != 0 && (run_root(r, e) < 0 || id_in_root(r->root, cwd, &want, e) < 0))
		return -e->code;
	fact(r, "cwd", cwd, same(is, want) ? cwd : link_text(r->dir, "cwd", link), same(is, want));
	return 0;
}

int attest_files(struct attest_run *r, struct err *e)
{
	struct file_id root = { 0 };

	if (id_at(r->dir, "root", &root, e) < 0 || root_fact(r, root, e) < 0)
		return -e->code;
	if (r->in->at_exec && (executed(r, e) < 0 || cwd_fact(r, root, e) < 0))
		return -e->code;
	return 0;
}

/* Every name in fd/ is a number; each of 0..want-1 exactly once, and no other. */
int attest_descriptors(struct attest_run *r, struct err *e)
{
	const int passed = 3 + r->in->npass, want = passed + (r->in->ready_at > 0);
	const int last = r->in->ready_at > 0 ? r->in->ready_at : passed - 1;
	char planned_text[32], got[32];
	int count = 0, highest = -1;

	if (!r->in->at_exec || r->in->npass < 0)
		return 0;
	owned_fd dir = openat(r->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(e, "its descriptors");
	struct dir_scan s = { .fd = dir, .room = r->room, .size = 4096 };
	const struct dir_entry *d;

	while ((d = dir_next(&s))) {
		const char *name = d->name;
		const int fd = (int)digits(&name, 10);

		count++;
		highest = fd > highest ? fd : highest;
	}
	if (s.n < 0)
		return err_sys(e, "its descriptors");
	if (fact_is_plain(r, count == want && highest == last))
		return 0;
	snprintf(planned_text, sizeof planned_text, "%d, up to %d", want, last);
	snprintf(got, sizeof got, "%d, up to %d", count, highest);
	fact_text(r, "descriptors", planned_text, got);
	return 0;
}
