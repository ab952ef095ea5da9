/* Facts about the cgroup: that the service is in its leaf, and for a running one what limits stand there now. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/attest_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

/* The cgroup2 line, "0::/...", as seen from our own cgroup namespace; cut out of text. "": there is none. */
static char *unified(char *text)
{
	char *line = strstr(text, "0::");

	while (line && line != text && line[-1] != '\n')
		line = strstr(line + 1, "0::");
	if (!line)
		return text + strlen(text);
	line[strcspn(line, "\n")] = '\0';
	return line + 3;
}

static void one_limit(struct attest_run *r, int leaf, const char *file, const char *want)
{
	struct err unread;
	char got[256];
	const ssize_t n = file_read(leaf, file, got, sizeof got, &unread);

	got[n > 0 ? n - (got[n - 1] == '\n') : 0] = '\0';
	fact(r, file, want, n < 0 ? unread.text : got, n >= 0 && cgroup_took(want, got));
}

/* The leaf by the path that procfs gives: below a root of the plan's it has its last component's name. */
static int open_leaf(struct attest_run *r, const char *path, struct err *e)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	const struct plan_ref own = r->in->svc->cgroup_root;
	const char *place = own.at ? plan_str(r->in->plan, own) : places[0];
	char full[PATH_MAX + 64];
	struct statfs fs;

	if (!own.at && statfs(places[1], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		place = places[1];
	snprintf(full, sizeof full, "%s%s", place, own.at && strrchr(path, '/') ? strrchr(path, '/') : path);
	const int leaf = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return leaf < 0 ? err_sys(e, "its cgroup %.200s", full) : leaf;
}

/* Somebody may have written to the files since they were read back at the start. */
static int limits_now(struct attest_run *r, const char *path, struct err *e)
{
	const struct plan *p = r->in->plan;
	const struct plan_ref files = r->in->svc->cgroup;
	owned_fd leaf = files.n || planned(r, CELL_POLICIES) ? open_leaf(r, path, e) : FD_NONE;

	if (leaf < 0)
		return files.n || planned(r, CELL_POLICIES) ? -e->code : 0;
	PLAN_EACH(struct plan_file, f, p, files)
		one_limit(r, leaf, plan_str(p, f->path), plan_str(p, f->value));
	return attest_policies(r, leaf, e);
}

/* runc puts the container below the leaf: "/web/oci" is in "/web". Where it knows no cgroup2, it does not. */
static void leave_runc_s(char *path)
{
	const size_t n = strlen(path), own = sizeof "/" OCI_RUNC_LEAF - 1;

	if (n > own && !strcmp(path + n - own, "/" OCI_RUNC_LEAF))
		path[n - own] = '\0';
}

int attest_cgroup(struct attest_run *r, struct err *e)
{
	char ours[4096];
	const char *want = "/";

	if (!r->in->in_leaf && (r->in->at_exec || (r->in->svc->cgroup.n == 0 && !planned(r, CELL_POLICIES))))
		return 0;
	if (file_read(r->dir, "cgroup", r->room, FILE_ROOM, e) < 0)
		return -e->code;
	char *theirs = unified(r->room);

	if (r->in->svc->runtime_kind == OCI_RUNC)
		leave_runc_s(theirs);
	if (!r->in->in_leaf)
		return limits_now(r, theirs, e);
	/* Our cgroup namespace was made in the leaf, when we were born there: the leaf is its root. */
	if (!planned(r, CELL_CGROUP) || r->in->svc->runtime_kind) {
		if (file_read(r->in->procfs, "self/cgroup", ours, sizeof ours, e) < 0)
			return -e->code;
		want = unified(ours);
	}
	fact_text(r, "cgroup", want, theirs);
	return attest_policies(r, r->in->leaf, e);
}
