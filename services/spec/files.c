/* From a path to trees: one file, or prior.yaml and services.d/<any>.yaml in byte order. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/spec/load.h"
#include "services/spec/signers.h"
#include "services/spec/trust.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FILES_MAX 4096u

/* The service whose block `n` is in, NULL when it is in none. */
static const char *service_around(const struct node *n)
{
	for (; n && n->up; n = n->up)
		if (n->up->key && !strcmp(n->up->key, "services") && n->up->up && !n->up->up->up)
			return n->key;
	return NULL;
}

static void tree_says(struct tree *t, const struct node *in, uint32_t line, uint32_t col, const char *text)
{
	struct load *l = t->owner;
	struct origin at = { FROM_FILE, t->file, line, col };
	const char *service = service_around(in);

	if (!service && l->directory && t->file > 1)
		spec_problem_file(l->s, at, text);
	else
		spec_problem(l->s, SEV_ERROR, at, service, "%s", text);
}

static const char *from_environment(const char *name)
{
	return getenv(name);
}

/* The whole file; one byte more than allowed is enough to know. */
static ssize_t read_all(const char *path, char *buf, size_t size, bool *writable, struct stat *st, struct err *e)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct statvfs fs;
	size_t n = 0;

	if (fd < 0)
		return err_sys(e, "%s", path);
	if (fstat(fd, st) < 0)
		return err_sys(e, "%s", path);
	*writable = fstatvfs(fd, &fs) == 0 && !(fs.f_flag & ST_RDONLY);
	if (!S_ISREG(st->st_mode))
		return err_set(e, EINVAL, "%s: not a regular file", path);
	while (n < size) {
		ssize_t got = read(fd, buf + n, size - n);

		if (got < 0)
			return err_sys(e, "%s", path);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static void read_tree(struct load *l, unsigned file, const char *text, size_t n)
{
	struct tree t = { .arena = &l->s->arena, .file = (uint16_t)file, .env = from_environment, .tell = tree_says,
		.owner = l };

	l->roots[file] = tree_read(&t, text, n);
}

/* What messages call it: a file of ours without a name, as of `prior run`, by what it was made as. */
static const char *shown_name(struct load *l, const char *path)
{
	static const char memfd[] = "/memfd:", gone[] = " (deleted)";
	char to[128];
	ssize_t n = strncmp(path, "/proc/self/fd/", 14) == 0 ? readlink(path, to, sizeof to) : -1;
	size_t head = sizeof memfd - 1, tail = sizeof gone - 1;

	if (n <= (ssize_t)(head + tail) || (size_t)n == sizeof to || memcmp(to, memfd, head) != 0)
		return path;
	const char *name = arena_copy(&l->s->arena, to + head, (size_t)n - head - tail);

	return name ? name : path;
}

/* What everybody could have written is not believed. A file of ours without a name is ours. */
static void judge_file(struct load *l, unsigned file, const char *path, const struct stat *st)
{
	struct origin at = { FROM_FILE, (uint16_t)file, 1, 1 };
	char text[TRUST_TEXT];
	bool all;

	if (strncmp(path, "/proc/self/fd/", 14) == 0 || !trust_wrong(text, path, st, &all))
		return;
	if (all && l->directory && file > 1)
		spec_problem_file(l->s, at, text);
	else
		spec_problem(l->s, all ? SEV_ERROR : SEV_NOTE, at, NULL, "%s", text);
}

/* In a folder that others can write to, they can add files. */
static void judge_folder(struct load *l, const char *path)
{
	char text[TRUST_TEXT];
	struct statvfs fs;
	struct stat st;
	bool all;

	if (stat(path, &st) < 0 || statvfs(path, &fs) < 0 || fs.f_flag & ST_RDONLY ||
	    !trust_wrong(text, path, &st, &all))
		return;
	spec_problem(l->s, all ? SEV_ERROR : SEV_NOTE, (struct origin){ 0 }, NULL, "%s: %s", path, text);
}

/* The first file says whom to trust, so only the key that our caller trusts can vouch for it. */
static bool wants_signature(const struct load *l, unsigned file, bool ours)
{
	const struct signers *t = l->s->trusted;

	return t && !ours && (file > 1 || t->anchored);
}

static const struct node *top_key(const struct node *top, const char *key)
{
	for (const struct node *n = top && top->kind == NODE_MAP ? top->first : NULL; n; n = n->next)
		if (!strcmp(n->key, key))
			return n;
	return NULL;
}

/*
 * The bytes that are checked are the bytes that are parsed, and they are parsed after that. What a file says that its
 * signer may not say is as good as not read. EKEYREJECTED.
 */
static int take_text(struct load *l, unsigned file, const char *path, const char *text, size_t n, struct err *e)
{
	const bool check = wants_signature(l, file, l->s->files[file] != path);
	struct signed_bytes b;
	struct sign_public by;
	const struct node *trust;

	if (check) {
		signed_bytes_of(&b, text, n);
		if (signers_verify(l->s->trusted, path, &b, file == 1, &by, e) < 0)
			return -e->code;
	}
	read_tree(l, file, text, n);
	if (check && signers_cover_file(l->s, &by, path, l->roots[file], e) < 0) {
		l->roots[file] = NULL;
		return -e->code;
	}
	trust = top_key(l->roots[file], "trust");
	if (file == 1)
		signers_declared(l, trust);
	if (file == 1 || !trust)
		return 0;
	l->roots[file] = NULL;
	return err_set(e, EKEYREJECTED, "%s:%u:%u: trust: only the first file, prior.yaml, says who is trusted", path,
		       trust->key_line, trust->key_col);
}

static int load_one(struct load *l, const char *path, struct err *e)
{
	char *buf = malloc(TREE_BYTES + 1);	/* not of the arena: there may be thousands of files */
	struct stat st = { 0 };
	bool writable = false;
	ssize_t n = buf ? read_all(path, buf, TREE_BYTES + 1, &writable, &st, e)
			: err_set(e, ENOMEM, "%s: no memory", path);
	int rc = n < 0 ? (int)n : 0;

	if (n >= 0) {
		unsigned file = ++l->s->nfiles;

		l->s->files[file] = shown_name(l, path);
		if (writable)
			judge_file(l, file, path, &st);
		rc = take_text(l, file, path, buf, (size_t)n, e);
	}
	free(buf);
	return rc;
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && *name != '.' && !strcmp(name + n - m, end);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of services.d, sorted. 0 when there is no such directory. */
static int service_files(struct load *l, const char *dir, const char **names, struct err *e)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, "%s", dir);
	for (struct dirent *f = readdir(d); f; f = readdir(d)) {
		if (ends_in(f->d_name, ".yml"))
			spec_problem(l->s, SEV_NOTE, (struct origin){ 0 }, NULL,
				     "%s/%s is not read: the name of a configuration ends in .yaml", dir, f->d_name);
		if (!ends_in(f->d_name, ".yaml"))
			continue;
		if (n == FILES_MAX - 2) {
			closedir(d);
			return err_set(e, E2BIG, "%s: more than %d files", dir, FILES_MAX - 2);
		}
		names[n] = arena_fmt(&l->s->arena, "%s/%s", dir, f->d_name);
		n += names[n] != NULL;
	}
	closedir(d);
	qsort(names, n, sizeof *names, by_bytes);
	return (int)n;
}

/* A file of services.d that cannot be read condemns itself alone. */
static void load_service_file(struct load *l, const char *path)
{
	const unsigned before = l->s->nfiles;
	struct err e = { 0 };

	if (load_one(l, path, &e) == 0)
		return;
	if (l->s->nfiles == before)
		l->s->files[++l->s->nfiles] = path;
	spec_problem_file(l->s, (struct origin){ FROM_FILE, (uint16_t)l->s->nfiles, 0, 0 }, e.text);
}

static int load_directory(struct load *l, const char *path, struct err *e)
{
	const char **names = arena_get(&l->s->arena, FILES_MAX * sizeof *names);
	int stem = (int)strlen(path), n, rc;

	while (stem > 0 && path[stem - 1] == '/')	/* messages name files as people write them */
		stem--;
	const char *first = arena_fmt(&l->s->arena, "%.*s/prior.yaml", stem, path),
		*dir = arena_fmt(&l->s->arena, "%.*s/services.d", stem, path);

	l->directory = true;
	if (!names || !first || !dir)
		return err_set(e, ENOMEM, "%s: no memory", path);
	n = service_files(l, dir, names, e);
	if (n < 0)
		return n;
	judge_folder(l, path);
	judge_folder(l, dir);
	rc = load_one(l, first, e);
	/* Else it could be taken away, with all that it forbids. */
	if (rc == -ENOENT && l->s->trusted && l->s->trusted->anchored)
		return err_set(e, EKEYREJECTED, "%s: there is no such file, and it is what must be signed by the "
			       "trusted key (prior.trust=, --trust): put it back, with its signature", first);
	if (rc == -ENOENT && n > 0) {
		/* Files of services.d alone are a configuration too; number 1 stays prior.yaml's. */
		l->s->files[++l->s->nfiles] = first;
		rc = 0;
	}
	if (rc == -ENOENT && access(arena_fmt(&l->s->arena, "%s/prior.yml", path), F_OK) == 0)
		return err_set(e, ENOENT, "%s: No such file or directory (there is a prior.yml: rename it)", first);
	if (rc < 0)
		return rc;
	for (int i = 0; i < n; i++)
		load_service_file(l, names[i]);
	return 0;
}

static int make_room(struct load *l, struct err *e)
{
	struct arena *a = &l->s->arena;

	l->s->files = arena_get(a, FILES_MAX * sizeof *l->s->files);
	l->roots = arena_get(a, FILES_MAX * sizeof *l->roots);
	l->services = arena_get(a, FILES_MAX * sizeof *l->services);
	if (!l->s->files || !l->roots || !l->services)
		return err_set(e, ENOMEM, "no memory left for the configuration");
	l->s->files[0] = "default";
	return 0;
}

int load_more(struct load *l, const char *name, const char *text, struct err *e)
{
	const unsigned file = l->s->nfiles + 1;

	if (file >= FILES_MAX)
		return err_set(e, E2BIG, "%s: more than %d files", name, FILES_MAX - 2);
	l->s->nfiles = file;
	l->s->files[file] = name;
	read_tree(l, file, text, strlen(text));
	return 0;
}

/*
 * A container's CMD is one service more, beside those of any configuration: our caller has written it as YAML into
 * our environment, where a reload finds it again.
 */
static int load_main(struct load *l, struct err *e)
{
	const char *text = getenv(SPEC_MAIN);

	return text && *text ? load_more(l, "command line", text, e) : 0;
}

int load_files(struct load *l, const char *path, struct err *e)
{
	struct stat st;
	int rc;

	if (make_room(l, e) < 0)
		return -e->code;
	if (!*path && getenv(SPEC_MAIN))	/* a command is a configuration by itself */
		return load_main(l, e);
	if (stat(path, &st) < 0)
		return err_sys(e, "%s", path);
	path = arena_copy(&l->s->arena, path, strlen(path));
	if (!path)
		return err_set(e, ENOMEM, "no memory left for the configuration");
	rc = S_ISDIR(st.st_mode) ? load_directory(l, path, e) : load_one(l, path, e);
	return rc < 0 ? rc : load_main(l, e);
}

int load_text(struct load *l, const char *name, const char *text, size_t n, struct err *e)
{
	if (make_room(l, e) < 0)
		return -e->code;
	l->s->nfiles = 1;
	l->s->files[1] = arena_copy(&l->s->arena, name, strlen(name));
	if (!l->s->files[1])
		return err_set(e, ENOMEM, "no memory left for the configuration");
	read_tree(l, 1, text, n);
	signers_declared(l, l->roots[1]);
	return 0;
}
