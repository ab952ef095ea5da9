/* Ids of the private range that were given before: links in prior/uids, and who owns what lies in private/. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/plan/compiling.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DYNAMIC_FIRST 61184u
#define DYNAMIC_LAST 65519u

/*
 * An id that has files may be given to nobody but the service whose they are. The links are made by the starts ("61190"
 * points to "web"), so that a service has the same id again whatever others come and go; where they were lost, or never
 * made because systemd had the directories before, the owner of a directory in private/ tells as much.
 */
struct kept {
	uint32_t uid;
	const char *name;	/* the service's; of a directory: its own */
	const char *base;	/* of a directory: "/var/lib"; NULL: a link */
};

struct kept_ids {
	struct kept *v;
	unsigned n, room;
};

static void keep(struct compiling *c, uint32_t uid, const char *name, const char *base)
{
	struct kept_ids *k = c->kept;

	if (k->n == k->room) {
		unsigned room = k->room ? k->room * 2 : 32;
		struct kept *v = compiling_get(c, room * sizeof *v);

		if (!v)
			return;
		if (k->n)
			memcpy(v, k->v, k->n * sizeof *v);
		k->v = v;
		k->room = room;
	}
	k->v[k->n++] = (struct kept){ uid, compiling_fmt(c, "%s", name), base };
}

static bool in_range(unsigned long uid)
{
	return uid >= DYNAMIC_FIRST && uid <= DYNAMIC_LAST;
}

static void keep_link(struct compiling *c, int dir, const char *name)
{
	char to[PLAN_NAME_MAX + 1], *end;
	const unsigned long uid = strtoul(name, &end, 10);
	const ssize_t n = readlinkat(dir, name, to, sizeof to - 1);

	if (*end || !in_range(uid) || n <= 0)
		return;
	to[n] = '\0';
	keep(c, (uint32_t)uid, to, NULL);
}

static void keep_owner(struct compiling *c, int dir, const char *name, const char *base)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) && in_range(st.st_uid))
		keep(c, st.st_uid, name, base);
}

/* base: NULL for a folder of links. */
static void read_folder(struct compiling *c, const char *path, const char *base)
{
	owned_fd fd = sys_openat2(c->machine_root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
	const int dir = fd;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return;
	fd_take(&fd);	/* closedir() closes it */
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		if (base)
			keep_owner(c, dir, e->d_name, base);
		else
			keep_link(c, dir, e->d_name);
	}
	closedir(d);
}

static const struct kept_ids *kept_ids(struct compiling *c)
{
	if (c->kept)
		return c->kept;
	c->kept = compiling_get(c, sizeof *c->kept);
	if (!c->kept)
		return NULL;
	read_folder(c, "var/lib/prior/uids", NULL);
	read_folder(c, "run/prior/uids", NULL);
	read_folder(c, "var/lib/private", "/var/lib");
	read_folder(c, "var/cache/private", "/var/cache");
	read_folder(c, "var/log/private", "/var/log");
	return c->kept;
}

static bool lists(const struct str_list *l, const char *name)
{
	for (unsigned i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], name))
			return true;
	return false;
}

static bool is_its(const struct work *w, const struct kept *k)
{
	if (!k->base)
		return !strcmp(k->name, w->svc->name);
	return (!strcmp(k->base, "/var/lib") && lists(&w->eff.state_directory, k->name)) ||
	       (!strcmp(k->base, "/var/cache") && lists(&w->eff.cache_directory, k->name)) ||
	       (!strcmp(k->base, "/var/log") && lists(&w->eff.logs_directory, k->name));
}

bool id_is_anothers(struct compiling *c, const struct work *w, uint32_t uid)
{
	const struct kept_ids *all = kept_ids(c);

	for (unsigned i = 0; all && i < all->n; i++)
		if (all->v[i].uid == uid && !is_its(w, &all->v[i]))
			return true;
	return false;
}

uint32_t kept_id_of(struct compiling *c, const struct work *w,
		    bool (*is_free)(struct compiling *, const struct work *, uint32_t uid))
{
	const struct kept_ids *all = kept_ids(c);

	for (unsigned i = 0; all && i < all->n; i++)	/* the links come first */
		if (is_its(w, &all->v[i]) && !id_is_anothers(c, w, all->v[i].uid) && is_free(c, w, all->v[i].uid))
			return all->v[i].uid;
	return 0;
}
