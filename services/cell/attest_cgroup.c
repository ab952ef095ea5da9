/* Facts about the cgroup: that the service is in its leaf, and for a running one what limits stand there now. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/attest_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

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

/* Somebody may have written to the files since they were read back at the start. */
static int limits_now(struct attest_run *r, const char *path, struct err *e)
{
	const struct plan *p = r->in->plan;
	const struct plan_ref files = r->in->svc->cgroup;
	const char *root = r->in->svc->cgroup_root.at ? plan_str(p, r->in->svc->cgroup_root) : "/sys/fs/cgroup";
	char full[4600];

	if (files.n == 0)
		return 0;
	snprintf(full, sizeof full, "%s%s", root, path);
	owned_fd leaf = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (leaf < 0)
		return err_sys(e, "its cgroup %s", full);
	for (const struct plan_file *f = PLAN_FIRST(p, files, struct plan_file);
	     f < PLAN_END(p, files, struct plan_file); f++)
		one_limit(r, leaf, plan_str(p, f->path), plan_str(p, f->value));
	return 0;
}

int attest_cgroup(struct attest_run *r, struct err *e)
{
	char ours[4096];
	const char *want = "/";

	if (!r->in->in_leaf && (r->in->at_exec || r->in->svc->cgroup.n == 0))
		return 0;
	if (file_read(r->dir, "cgroup", r->room, FILE_ROOM, e) < 0)
		return -e->code;
	if (!r->in->in_leaf)
		return limits_now(r, unified(r->room), e);
	/* Our cgroup namespace was made in the leaf, when we were born there: the leaf is its root. */
	if (!planned(r, CELL_CGROUP)) {
		if (file_read(r->in->procfs, "self/cgroup", ours, sizeof ours, e) < 0)
			return -e->code;
		want = unified(ours);
	}
	fact_text(r, "cgroup", want, unified(r->room));
	return 0;
}
