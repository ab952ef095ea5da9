/* The process: its arguments, the program behind the first of them, where it starts. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/text.h"
#include "services/plan/compiling.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

#define ARG_BYTES 131071u	/* MAX_ARG_STRLEN */
#define ARGS_BYTES (1u << 20)

static bool fits(const struct str_list *l)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < l->n; i++) {
		size_t n = strlen(l->v[i]) + 1;

		bytes += n > ARG_BYTES ? ARGS_BYTES + 1 : n;
	}
	return bytes <= ARGS_BYTES;
}

static void compile_argv(struct compiling *c, struct work *w)
{
	struct spec_service *e = &w->eff;
	struct str_list all = { .n = e->entrypoint.n + e->command.n };

	all.v = compiling_get(c, (all.n + 1) * sizeof *all.v);
	if (!all.v)
		return;
	for (unsigned i = 0; i < all.n; i++)
		all.v[i] = i < e->entrypoint.n ? e->entrypoint.v[i] : e->command.v[i - e->entrypoint.n];
	if (!fits(&all))
		refuse(c, w, command, "command: an argument larger than 128 KiB, or all together larger than 1 MiB");
	e->command = all;
	e->entrypoint.n = 0;
	w->out.argv = write_words(c, &all);
}

/* What path is wrong with it as a program; NULL: it can be executed. */
static const char *not_a_program(const struct found *f)
{
	if (!S_ISREG(f->mode))
		return "is not a regular file";
	return f->mode & 0111 ? NULL : "is not executable: no x permission is set";
}

/* The last mount of the cell over a path does not let anything be executed. */
static const char *seat_forbids(const struct work *w, const char *path)
{
	const struct seat *last = NULL;

	for (const struct seat *s = w->seats; s < w->seats + w->nseats; s++) {
		size_t n = strlen(s->target);

		if (n > 1 && !strncmp(path, s->target, n) && path[n] == '/')
			last = s;
	}
	return last && !last->exec ? last->target : NULL;
}

/* What is said of a program names the key that asks for it. */
struct asked {
	const char *key;
	struct origin at;
};

/* What ENOENT and all else come to as exit codes is what shells made of it. */
static void no_program(struct compiling *c, struct work *w, const struct asked *q, int ret, const char *what)
{
	refuse_at(c, w, q->at, "%s: %s", q->key, what);
	w->exit_code = ret == -ENOENT ? 127 : 126;
}

static void use_program(struct compiling *c, struct work *w, const struct asked *q, const char *path,
			const struct found *f, struct plan_ref *exe)
{
	const char *why = not_a_program(f), *mount = seat_forbids(w, f->path);

	if (why)
		no_program(c, w, q, -EACCES, compiling_fmt(c, "%s %s", path, why));
	else if (mount)
		refuse_at(c, w, q->at,
			  "%s: %s lies on %s, which is mounted noexec because memory_deny_write_execute "
			  "is on and it is writable: mount it read-only", q->key, path, mount);
	if (w->nprograms < WORK_PROGRAMS)
		w->programs[w->nprograms++] = f->path;
	*exe = write_string(&c->w, path);
}

static const char *inside(const struct work *w)
{
	return *w->root_path ? w->root_path : "the machine's root";
}

/* Where something of the cell's own lies over what the machine has there; NULL: nothing does. */
static const char *covered_at(const struct work *w, const char *path)
{
	const char *target = NULL;

	for (unsigned i = 0; i < w->nseats; i++)
		if (strcmp(w->seats[i].target, "/") != 0 && path_is_below(path, w->seats[i].target))
			target = w->seats[i].fd == FD_NONE ? w->seats[i].target : NULL;
	return target;
}

/* A name without a slash: the first match in the service's own PATH, in its own root. */
static void search_program(struct compiling *c, struct work *w, const struct asked *q, const char *name,
			   struct plan_ref *exe)
{
	const char *dirs = environment_get(w, "PATH");
	char path[PATH_MAX];

	for (const char *d = dirs ? dirs : ""; *d;) {
		size_t n = strcspn(d, ":");
		struct text t = TEXT_IN(path);
		struct found f;

		text_fmt(&t, "%.*s/%s", (int)n, d, name);
		if (n && d[0] == '/' && !t.cut && look(c, w, path, &f) == 0 && !not_a_program(&f)) {
			use_program(c, w, q, path, &f, exe);
			return;
		}
		d += n + (d[n] == ':');
	}
	no_program(c, w, q, -ENOENT, compiling_fmt(c, "'%s' is in none of the directories of PATH (%s) in %s", name,
						   dirs ? dirs : "", inside(w)));
}

static void find_program(struct compiling *c, struct work *w, const struct asked *q, const char *name,
			 struct plan_ref *exe)
{
	struct found f;

	if (!*name) {
		refuse_at(c, w, q->at, "%s: there is none", q->key);
		return;
	}
	if (!strchr(name, '/')) {
		search_program(c, w, q, name, exe);
		return;
	}
	if (*name != '/') {
		refuse_at(c, w, q->at, "%s: '%s' is neither an absolute path nor a name to look for in PATH", q->key,
			  name);
		return;
	}
	int ret = look(c, w, name, &f);
	const char *cover = ret == -ENOENT ? covered_at(w, name) : NULL;

	if (cover)
		no_program(c, w, q, ret, compiling_fmt(c, "%s: not in the cell, where %s is covered (`prior show %s "
						       "--isolation` says by what); a volume brings it in", name, cover,
						       w->svc->name));
	else if (ret < 0)
		no_program(c, w, q, ret, compiling_fmt(c, "%s: %s in %s", name, strerror(-ret), inside(w)));
	else
		use_program(c, w, q, name, &f, exe);
}

static void compile_program(struct compiling *c, struct work *w)
{
	const struct asked q = { "command", spec_from(w->svc, &w->svc->command) };

	find_program(c, w, &q, w->eff.command.n ? w->eff.command.v[0] : "", &w->out.exe);
	w->exe = w->nprograms ? w->programs[0] : NULL;
}

void compile_command(struct compiling *c, struct work *w, const char *key, struct origin at, const struct str_list *l,
		     struct plan_command *out)
{
	const struct asked q = { key, at };

	if (!l->n)
		return;
	if (!fits(l))
		refuse_at(c, w, at, "%s: an argument larger than 128 KiB, or all together larger than 1 MiB", key);
	out->argv = write_words(c, l);
	find_program(c, w, &q, l->v[0], &out->exe);
}

/* CVE-2024-21626: a working directory below /proc leads out of the cell through a descriptor. */
static void compile_cwd(struct compiling *c, struct work *w)
{
	const char *cwd = w->eff.working_dir ? w->eff.working_dir : "/";
	struct found f;
	int ret = look(c, w, cwd, &f);

	if (ret == -ENOENT && own_dir_at(w, f.path)) {	/* it will be there */
		w->out.cwd = write_string(&c->w, f.path);
		return;
	}
	if (ret == 0 || ret == -ENOENT) {
		if (path_is_below(f.path, "/proc") || path_is_below(cwd, "/proc"))
			refuse(c, w, working_dir, "working_dir: %s lies in /proc", cwd);
		else if (ret == 0 && !S_ISDIR(f.mode))
			refuse(c, w, working_dir, "working_dir: %s is not a directory", cwd);
	}
	if (ret < 0)
		refuse(c, w, working_dir, "working_dir: %s: %s in %s", cwd, strerror(-ret), inside(w));
	w->out.cwd = write_string(&c->w, f.path ? f.path : "/");	/* as /proc will show it */
}

void compile_process(struct compiling *c, struct work *w)
{
	compile_argv(c, w);
	compile_program(c, w);
	compile_cwd(c, w);
	w->out.umask = (uint32_t)w->eff.umask & 0777;
}
