/* The directories and secrets that prior makes for a service: where they lie, who may enter, what they are called. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/plan/compile_mounts.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define IDS "prior/uids"
#define CREDENTIALS_IN_DEV "/dev/credentials"
#define CREDENTIALS_MAX (1 << 20)

static const struct row {
	const char *base, *variable;
	size_t list, mode;
} rows[] = {
#define ROW(f) offsetof(struct spec_service, f##_directory), offsetof(struct spec_service, f##_directory_mode)
	[DIR_STATE] = { "/var/lib", "STATE_DIRECTORY", ROW(state) },
	[DIR_CACHE] = { "/var/cache", "CACHE_DIRECTORY", ROW(cache) },
	[DIR_LOGS] = { "/var/log", "LOGS_DIRECTORY", ROW(logs) },
	[DIR_RUNTIME] = { "/run", "RUNTIME_DIRECTORY", ROW(runtime) },
};
#define ROWS (sizeof rows / sizeof *rows)

static const struct str_list *list_of(const struct work *w, enum plan_dir_kind kind)
{
	return (const struct str_list *)((const char *)&w->eff + rows[kind].list);
}

/* Without a link where there is one of the machine's; a base that is missing is made at the start. */
static const char *real_base(struct compiling *c, const char *base)
{
	struct found f;
	const char *why;

	if (look_source(c, base, &f, &why) < 0)
		return base;
	fd_drop(&f.fd);
	return f.path;
}

static bool is_private(const struct work *w, enum plan_dir_kind kind)
{
	return w->out.flags & CELL_DYNAMIC && w->eff.ns_mount &&
	       (kind != DIR_RUNTIME || w->eff.runtime_directory_preserve);
}

static struct plan_dir *add(struct compiling *c, struct work *w, enum plan_dir_kind kind, const char *base,
			    const char *name)
{
	if (!w->dirs)
		w->dirs = compiling_get(c, WORK_DIRS * sizeof *w->dirs);
	if (!w->dirs || w->ndirs == WORK_DIRS)
		return NULL;
	struct own_dir *o = &w->dirs[w->ndirs++];

	*o = (struct own_dir){ .row = { .kind = kind, .base = write_string(&c->w, base),
					.name = write_string(&c->w, name), .mode = 0755 } };
	o->path = o->shown = compiling_fmt(c, "%s/%s", base, name);
	return &o->row;
}

static void add_list(struct compiling *c, struct work *w, enum plan_dir_kind kind)
{
	const struct str_list *l = list_of(w, kind);
	const char *base = l->n ? real_base(c, rows[kind].base) : "";
	int64_t mode;

	memcpy(&mode, (const char *)&w->eff + rows[kind].mode, sizeof mode);
	for (unsigned i = 0; i < l->n; i++) {
		struct plan_dir *d = add(c, w, kind, base, l->v[i]);

		if (!d)
			return;
		struct own_dir *o = &w->dirs[w->ndirs - 1];

		d->mode = mode == UNSET_NUM ? 0755 : (uint32_t)mode & 07777;
		d->flags = (is_private(w, kind) ? DIR_F_PRIVATE : 0) |
			   (kind != DIR_RUNTIME || w->eff.runtime_directory_preserve ? DIR_F_KEEP : 0);
		if (d->flags & DIR_F_PRIVATE)
			o->path = o->shown = compiling_fmt(c, "%s/private/%s", base, l->v[i]);
		if (*w->root_path)
			o->shown = compiling_fmt(c, "%s/%s", rows[kind].base, l->v[i]);
	}
}

/* Whether files that the service makes can be there when it is gone, and its id is given away. */
static bool leaves_files(const struct work *w)
{
	bool leaves = !w->eff.ns_mount || w->eff.protect_system != PROTECT_SYSTEM_STRICT || !w->eff.private_tmp ||
		      !(w->eff.private_devices || *w->root_path);

	for (unsigned i = 0; i < w->ndirs; i++)
		leaves = leaves || w->dirs[i].row.flags & DIR_F_KEEP;
	for (unsigned i = 0; i < w->eff.volumes.n; i++)
		leaves = leaves || strstr(w->eff.volumes.v[i], ":rw");
	return leaves;
}

/* What is told now is found out before the start; the start itself looks again. */
static void look_at_secret(struct compiling *c, struct work *w, const struct str_pair *p)
{
	struct stat st;
	const char *path = p->value + strspn(p->value, "/");
	owned_fd fd = sys_openat2(c->machine_root, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
				  RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

	if ((fd < 0 && errno == ELOOP) || (fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode))) {
		refuse(c, w, credentials, "credentials.%s: %s: is, or goes through, a symbolic link: name what it "
		       "points to", p->key, p->value);
	} else if (fd < 0 || fstat(fd, &st) < 0) {
		tell(c, w, credentials, "credentials.%s: %s: %s; without it the service does not start", p->key,
		     p->value, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		refuse(c, w, credentials, "credentials.%s: %s: not a regular file", p->key, p->value);
	} else if (st.st_size > CREDENTIALS_MAX) {
		refuse(c, w, credentials, "credentials.%s: %s: larger than 1 MiB", p->key, p->value);
	} else if (st.st_mode & 077) {
		tell(c, w, credentials, "credentials.%s: others can read or write it (mode %04o): chmod 0600 %s",
		     p->key, st.st_mode & 07777, p->value);
	}
}

static void add_credentials(struct compiling *c, struct work *w)
{
	const struct pair_list *l = &w->eff.credentials;
	struct plan_file *f = l->n ? compiling_get(c, l->n * sizeof *f) : NULL;

	for (unsigned i = 0; f && i < l->n; i++) {
		f[i] = (struct plan_file){ write_string(&c->w, l->v[i].key),
					   write_string(&c->w, path_plain(c, l->v[i].value)) };
		look_at_secret(c, w, &l->v[i]);
	}
	if (!f)
		return;
	w->out.credentials = write_table(&c->w, f, l->n, sizeof *f);
	w->credentials = CREDENTIALS_IN_DEV;
	if (w->eff.private_devices || *w->root_path)
		return;		/* it has a /dev of its own */
	const char *base = real_base(c, "/run"), *name = compiling_fmt(c, "credentials/%s", w->svc->name);

	if (add(c, w, DIR_MOUNT_POINT, base, name))
		w->credentials = w->dirs[w->ndirs - 1].path;
}

void compile_dirs(struct compiling *c, struct work *w)
{
	for (unsigned kind = 0; kind < ROWS; kind++)
		add_list(c, w, (enum plan_dir_kind)kind);
	if (w->eff.credentials.n)
		add_credentials(c, w);
	if (w->out.flags & CELL_DYNAMIC && leaves_files(w))
		add(c, w, DIR_IDS, real_base(c, "/var/lib"), IDS);
	struct plan_dir *d = w->ndirs ? compiling_get(c, w->ndirs * sizeof *d) : NULL;

	for (unsigned i = 0; d && i < w->ndirs; i++)
		d[i] = w->dirs[i].row;
	w->out.dirs = write_table(&c->w, d, d ? w->ndirs : 0, sizeof *d);
}

bool own_dir_at(const struct work *w, const char *path)
{
	for (unsigned i = 0; i < w->ndirs; i++)
		if (w->dirs[i].row.kind <= DIR_RUNTIME && path_is_below(path, w->dirs[i].shown))
			return true;
	return false;
}

/* Several are one text with colons, as in systemd. */
void dirs_environment(struct compiling *c, const struct work *w,
		      void (*set)(void *ctx, const char *key, const char *value), void *ctx)
{
	for (unsigned kind = 0; kind < ROWS; kind++) {
		const char *text = "";

		for (unsigned i = 0; i < w->ndirs; i++)
			if (w->dirs[i].row.kind == kind)
				text = compiling_fmt(c, "%s%s%s", text, *text ? ":" : "", w->dirs[i].shown);
		if (*text)
			set(ctx, rows[kind].variable, text);
	}
	if (w->credentials)
		set(ctx, "CREDENTIALS_DIRECTORY", w->credentials);
}
