/* The service's environment: files, then the map, then what follows from its user. Nothing of our own leaks in. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/plan/compiling.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENV_FILE_MAX (256u << 10)
#define ENV_MAX 4096			/* variables */
#define ENV_BYTES (1u << 20)		/* with the arguments the kernel takes a quarter of the stack limit */
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct env {
	struct compiling *c;
	struct str_pair *v;
	unsigned n, room;
	bool full;
};

static bool env_grow(struct env *env)
{
	unsigned room = env->room ? env->room * 2 : 16;
	struct str_pair *v = env->n < ENV_MAX ? compiling_get(env->c, room * sizeof *v) : NULL;

	env->full = !v;
	if (!v)
		return false;
	for (unsigned i = 0; i < env->n; i++)
		v[i] = env->v[i];
	env->v = v;
	env->room = room;
	return true;
}

/* A later value of the same name replaces the earlier one, in its place. */
static void env_set(struct env *env, const char *key, const char *value)
{
	for (unsigned i = 0; i < env->n; i++)
		if (!strcmp(env->v[i].key, key)) {
			env->v[i].value = value;
			return;
		}
	if (env->n < env->room || env_grow(env))
		env->v[env->n++] = (struct str_pair){ key, value };
}

static const char *env_get(const struct env *env, const char *key)
{
	for (unsigned i = 0; i < env->n; i++)
		if (!strcmp(env->v[i].key, key))
			return env->v[i].value;
	return NULL;
}

static void env_default(struct env *env, const char *key, const char *value)
{
	if (value && !env_get(env, key))
		env_set(env, key, value);
}

static bool is_key(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool letter = (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') || s[i] == '_';

		if (!letter && (i == 0 || s[i] < '0' || s[i] > '9'))
			return false;
	}
	return n > 0;
}

/*
 * One value in place: 'as it is', "with \" \\ \$ \n", or bare up to the end of the line without blanks around.
 * Returns why it is none, or NULL.
 */
static const char *env_value(char *s)
{
	char quote = *s == '\'' || *s == '"' ? *s : 0, *to = s, *from = s + !!quote;

	if (!quote) {
		size_t n = strlen(s);

		while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
			s[--n] = '\0';
		return NULL;
	}
	for (; *from && *from != quote; from++) {
		if (quote == '"' && *from == '\\' && from[1] && strchr("\"\\$`n", from[1])) {
			from++;
			*to++ = *from == 'n' ? '\n' : *from;
		} else {
			*to++ = *from;
		}
	}
	if (!*from)
		return "a quote that does not end on its line";
	from++;
	from += strspn(from, " \t");
	*to = '\0';
	return *from && *from != '#' ? "text after the closing quote" : NULL;
}

/* One line, which is the arena's and is cut up. */
static const char *env_line(struct env *env, char *line)
{
	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return NULL;
	if (!strncmp(line, "export ", 7))
		line += 7 + strspn(line + 7, " \t");
	char *equal = strchr(line, '=');

	if (!equal || !is_key(line, (size_t)(equal - line)))
		return "not KEY=VALUE";
	*equal = '\0';
	char *value = equal + 1 + strspn(equal + 1, " \t");
	const char *why = env_value(value);

	if (!why)
		env_set(env, line, value);
	return why;
}

static void env_file(struct compiling *c, struct work *w, struct env *env, const char *path)
{
	struct err e;
	size_t n;
	char *text = look_read(c, c->machine_root, path, ENV_FILE_MAX, &n);

	if (!text) {
		refuse(c, w, env_file, "env_file: %s: %s", path,
		       errno == EFBIG ? "larger than 256 KiB" :
		       errno == EINVAL ? "not a regular file" : strerror(errno));
		return;
	}
	if (memchr(text, 0, n)) {
		refuse(c, w, env_file, "env_file: %s: has a NUL byte in it", path);
		return;
	}
	if (look_signed(c, w, path, text, n, &e) < 0) {
		refuse(c, w, env_file, "env_file: %s", e.text);
		return;
	}
	for (unsigned line = 1; *text; line++) {
		char *end = text + strcspn(text, "\n"), *next = end + (*end == '\n');

		if (end > text && end[-1] == '\r')
			end[-1] = '\0';
		*end = '\0';
		const char *why = env_line(env, text);

		if (why)
			refuse(c, w, env_file, "env_file: %s:%u: %s", path, line, why);
		text = next;
	}
}

const char *environment_get(const struct work *w, const char *key)
{
	const struct pair_list *l = &w->eff.environment;

	for (unsigned i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].key, key))
			return l->v[i].value;
	return NULL;
}

/* "KEY=VALUE"; without stdio, for every service has some. */
static const char *assignment(struct compiling *c, const char *key, const char *value)
{
	const size_t size = strlen(key) + strlen(value) + 2;
	struct text t = { .at = compiling_get(c, size), .size = size };

	if (!t.at)
		return "";
	text_add(&t, key);
	text_add(&t, "=");
	text_add(&t, value);
	return t.at;
}

static void env_write(struct compiling *c, struct work *w, const struct env *env)
{
	struct plan_ref *r = compiling_get(c, (env->n + 1) * sizeof *r);
	size_t bytes = 0;

	for (unsigned i = 0; r && i < env->n; i++) {
		const char *text = assignment(c, env->v[i].key, env->v[i].value);

		bytes += strlen(text) + 1;
		r[i] = write_string(&c->w, text);
	}
	if (bytes > ENV_BYTES || env->full)
		refuse(c, w, environment, "environment: larger than %u variables or %u KiB", ENV_MAX, ENV_BYTES >> 10);
	w->out.env = write_table(&c->w, r, r ? env->n : 0, sizeof *r);
}

static void env_own(void *env, const char *key, const char *value)
{
	env_set(env, key, value);
}

void compile_environment(struct compiling *c, struct work *w)
{
	const struct pair_list *map = &w->eff.environment;
	struct env env = { .c = c };

	for (unsigned i = 0; i < w->eff.env_file.n; i++)
		env_file(c, w, &env, w->eff.env_file.v[i]);
	for (unsigned i = 0; i < map->n; i++)
		env_set(&env, map->v[i].key, map->v[i].value ? map->v[i].value : "");
	env_default(&env, "PATH", PATH_DEFAULT);
	env_default(&env, "HOME", w->home);
	env_default(&env, "USER", w->user_name);
	env_default(&env, "LOGNAME", w->user_name);
	env_default(&env, "SHELL", w->shell);
	dirs_environment(c, w, env_own, &env);
	w->eff.environment.v = env.v;
	w->eff.environment.n = env.n;
	env_write(c, w, &env);
}
