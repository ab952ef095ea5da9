/* The id maps of a cell's user namespace. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/inner.h"
#include <errno.h>
#include <stdio.h>

static int write_map(struct cell *c, pid_t pid, const char *file, const char *text, struct err *e)
{
	char path[48];

	snprintf(path, sizeof path, "%d/%s", (int)pid, file);
	return file_write(c->machine_proc, path, text, e);
}

/* Only the service's own ids, one to one; never uid 0 of the machine. */
int maps_write(struct cell *c, pid_t pid, struct err *e)
{
	const struct plan_service *s = c->svc;
	const uint32_t *g = plan_array(c->plan, s->groups);
	char text[4096];
	int n;

	if (s->uid == 0)
		return err_set(e, EINVAL, "a user namespace for uid 0: the machine's root is never mapped");
	if (write_map(c, pid, "setgroups", "deny", e) < 0)
		return -e->code;
	n = snprintf(text, sizeof text, "%u %u 1\n", s->gid, s->gid);
	for (uint32_t i = 0; i < s->groups.n && n < (int)sizeof text - 40; i++)
		if (g[i] != s->gid)
			n += snprintf(text + n, sizeof text - (size_t)n, "%u %u 1\n", g[i], g[i]);
	if (write_map(c, pid, "gid_map", text, e) < 0)
		return -e->code;
	snprintf(text, sizeof text, "%u %u 1\n", s->uid, s->uid);
	return write_map(c, pid, "uid_map", text, e);
}
