/* The id maps of a cell's user namespace. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/cell/inner.h"
#include <errno.h>

static int write_map(struct cell *c, pid_t pid, const char *file, const char *map, struct err *e)
{
	char path[48];
	struct text t = TEXT_IN(path);

	text_num(&t, pid);
	text_add(&t, "/");
	text_add(&t, file);
	return file_write(c->machine_proc, path, map, e);
}

/* One to one. */
static void add_id(struct text *map, uint32_t id)
{
	text_num(map, id);
	text_add(map, " ");
	text_num(map, id);
	text_add(map, " 1\n");
}

/* Only the service's own ids; never uid 0 of the machine. */
int maps_write(struct cell *c, pid_t pid, struct err *e)
{
	const struct plan_service *s = c->svc;
	const uint32_t *g = plan_array(c->plan, s->groups);
	char gids[4096], uids[40];
	struct text gid_map = TEXT_IN(gids), uid_map = TEXT_IN(uids);

	if (s->uid == 0)
		return err_set(e, EINVAL, "a user namespace for uid 0: the machine's root is never mapped");
	add_id(&gid_map, s->gid);
	for (uint32_t i = 0; i < s->groups.n; i++)
		if (g[i] != s->gid)
			add_id(&gid_map, g[i]);
	add_id(&uid_map, s->uid);
	if (gid_map.cut)
		return err_set(e, E2BIG, "%u groups: their numbers are too long for one id map of the kernel's "
			       "(%zu bytes)", s->groups.n, sizeof gids - 1);
	if (write_map(c, pid, "setgroups", "deny", e) < 0 || write_map(c, pid, "gid_map", gids, e) < 0)
		return -e->code;
	return write_map(c, pid, "uid_map", uids, e);
}
