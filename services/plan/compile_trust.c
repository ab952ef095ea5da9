/* Who else can write what the service is made of: its root, its environment's files, its sockets' permissions. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/plan/compiling.h"
#include "services/spec/trust.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

static bool is_read_only(int fd)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 && fs.f_flag & ST_RDONLY;
}

static int open_path(struct compiling *c, const char *path, struct stat *st)
{
	owned_fd fd = sys_openat2(c->machine_root, path + strspn(path, "/"), O_PATH | O_CLOEXEC, 0,
				  RESOLVE_NO_MAGICLINKS);

	return fd < 0 || fstat(fd, st) < 0 ? FD_NONE : fd_take(&fd);
}

/* Everybody's is refused; a group's, or a stranger's, is told. */
static void judge(struct compiling *c, struct work *w, const void *field, const char *key, const char *path)
{
	char text[TRUST_TEXT];
	struct stat st;
	bool all;
	owned_fd fd = open_path(c, path, &st);

	if (fd < 0 || is_read_only(fd) || !trust_wrong(text, path, &st, &all))
		return;
	if (all)
		refuse_at(c, w, spec_from(w->svc, field), "%s: %s: %s", key, path, text);
	else
		spec_problem(c->s, SEV_NOTE, spec_from(w->svc, field), w->svc->name, "%s: %s: %s", key, path, text);
}

/* A folder above it that is closed to others closes it, too. */
static bool others_get_there(struct compiling *c, const char *path)
{
	char part[PATH_MAX];
	struct stat st;

	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
		return true;
	for (char *slash = part + strlen(part); slash; slash = strrchr(part, '/')) {
		*slash = '\0';
		owned_fd fd = open_path(c, *part ? part : ".", &st);

		if (fd >= 0 && !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

/* 0750 and root's, with the service's own group: nobody else is to look around in it. */
static void judge_root(struct compiling *c, struct work *w)
{
	const char *path = w->root_path;
	struct stat st;

	if (!*path || w->refused)
		return;
	judge(c, w, &w->svc->rootfs, "isolation.rootfs", path);
	owned_fd fd = open_path(c, path, &st);

	if (!w->refused && fd >= 0 && S_ISDIR(st.st_mode) && st.st_mode & S_IXOTH && others_get_there(c, path))
		spec_problem(c->s, SEV_NOTE, spec_from(w->svc, &w->svc->rootfs), w->svc->name,
			     "isolation.rootfs: %s: everybody can enter it: chown root:%u %s && chmod 0750 %s", path,
			     w->out.gid, path, path);
}

static void judge_sockets(struct compiling *c, struct work *w)
{
	for (unsigned i = 0; i < w->eff.listen.n; i++) {
		const struct spec_listen *l = &w->eff.listen.v[i];

		if (l->unix_path && l->unix_path[0] == '/' && l->mode != UNSET_NUM && l->mode & S_IWOTH)
			spec_problem(c->s, SEV_NOTE, l->from, w->svc->name, "listen: %s: everybody can connect (mode "
				     "%04o); mode: \"0660\" and group: let one group in", l->unix_path,
				     (unsigned)l->mode);
	}
}

void compile_trust(struct compiling *c, struct work *w)
{
	if (!c->f->is_root)
		return;
	for (unsigned i = 0; i < w->eff.env_file.n; i++)
		judge(c, w, &w->svc->env_file, "env_file", w->eff.env_file.v[i]);
	judge_root(c, w);
	judge_sockets(c, w);
}
