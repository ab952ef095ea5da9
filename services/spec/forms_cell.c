/* Odd spellings around the cell: seccomp, Landlock, tmpfs, socket families. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/families.h"
#include "services/spec/rows.h"
#include <string.h>
#include <strings.h>

/* A word, or the path of a profile. */
READER(set_seccomp)
{
	struct spec_service *svc = obj;
	const char *text = NULL;

	if (conf_scalar(r, n, &text) < 0)
		return;
	svc->seccomp_path = NULL;
	if (*text == '/') {
		svc->seccomp = SECCOMP_CUSTOM;
		svc->seccomp_path = text;
	} else {
		conf_read_plainly(r, k, obj, n);
	}
}

PRINTER(put_seccomp)
{
	const struct spec_service *svc = obj;

	if (o->form == CONF_FORM_FROM)
		conf_put_origin(o, o->at);
	else
		conf_put_text(o, svc->seccomp == SECCOMP_CUSTOM ? svc->seccomp_path : k->words[svc->seccomp]);
}

/* Add to the list or change what it has; the letters come out in one order. */
static void add_unveil(struct conf_read *r, struct spec_unveil_list *l, const struct node *n, const char *path,
	const char *perms)
{
	static const char letters[] = "rwxc";
	char out[sizeof letters] = "";
	unsigned len = 0, i = 0;

	for (const char *p = letters; *p; p++)
		if (strchr(perms, *p))
			out[len++] = *p;
	if (len == 0 || perms[strspn(perms, letters)] || len != strlen(perms)) {
		conf_error(r, n, "'%.40s' must be letters of r (read), w (write), x (execute), c (create), each at "
			"most once", perms);
		return;
	}
	if (*path != '/' || strstr(path, "/../") || strstr(path, "/./")) {
		conf_error(r, n, "'%.60s' is not an absolute path without '.' and '..'", path);
		return;
	}
	while (i < l->n && strcmp(l->v[i].path, path))
		i++;
	l->v[i] = (struct spec_unveil){ path, arena_copy(r->arena, out, len) };
	l->n += i == l->n;
}

/* A copy with room for more: a lower layer's list is not ours to change. */
static bool copy_unveil(struct conf_read *r, struct spec_unveil_list *l, const struct node *n, unsigned more)
{
	struct spec_unveil *v = l->n + more <= 4096 ? arena_get(r->arena, (l->n + more + 1) * sizeof *v) : NULL;

	if (!v) {
		conf_error(r, n, "too many paths");
		return false;
	}
	if (l->n)
		memcpy(v, l->v, l->n * sizeof *v);
	l->v = v;
	return true;
}

READER(set_unveil)
{
	struct spec_unveil_list *out = (struct spec_unveil_list *)((char *)obj + k->at), l = *out;
	const char *perms = NULL;

	if (conf_is_empty(n))
		return;
	if (n->kind != NODE_MAP) {
		conf_error(r, n, "must be a map from paths to letters of rwxc");
		return;
	}
	if (!copy_unveil(r, &l, n, n->n))
		return;
	for (const struct node *c = n->first; c; c = c->next)
		if (!c->again && conf_scalar(r, c, &perms) == 0)
			add_unveil(r, &l, c, c->key, perms);
	*out = l;
}

/* landlock: {ro_paths: [...], rw_paths: [...]}: what is read may be executed, what is written may be created. */
READER(set_landlock)
{
	struct spec_service *svc = obj;
	struct spec_unveil_list u = svc->unveil;
	struct str_list l;

	if (conf_list(r, n, &l) < 0 || !copy_unveil(r, &u, n, l.n))
		return;
	for (unsigned i = 0; i < l.n; i++)
		add_unveil(r, &u, n, l.v[i], k->name[1] == 'o' ? "rx" : "rwxc");
	svc->unveil = u;
	conf_stamp(r, conf_row(r->index->root, "isolation.unveil"), n);
}

bool unveil_given(const struct conf_key *k, const void *obj)
{
	return ((const struct spec_unveil_list *)((const char *)obj + k->at))->n != 0;
}

PRINTER(put_unveil)
{
	const struct spec_unveil_list *l = (const struct spec_unveil_list *)((const char *)obj + k->at);

	fputc('{', o->to);
	for (unsigned i = 0; i < l->n; i++) {
		fputs(i ? ", " : "", o->to);
		conf_put_text(o, l->v[i].path);
		fputs(": ", o->to);
		if (o->form == CONF_FORM_FROM)
			conf_put_origin(o, o->at);
		else
			conf_put_text(o, l->v[i].perms);
	}
	fputc('}', o->to);
}

/* "/run:mode=755" as the map {/run: mode=755}. */
static struct node *as_map(struct conf_read *r, const struct node *n)
{
	struct node *map = arena_get(r->arena, sizeof *map);
	struct str_list l;

	if (!map || conf_list(r, n, &l) < 0)
		return NULL;
	*map = conf_made(n, "");
	map->kind = NODE_MAP;
	for (unsigned i = 0; i < l.n; i++) {
		struct node *c = arena_get(r->arena, sizeof *c);
		const char *colon = strchr(l.v[i], ':');

		if (!c)
			return NULL;
		*c = conf_made(n, colon ? colon + 1 : "");
		c->key = arena_copy(r->arena, l.v[i], colon ? (size_t)(colon - l.v[i]) : strlen(l.v[i]));
		if (!c->key)
			return NULL;
		c->up = map;
		*(map->last ? &map->last->next : &map->first) = c;
		map->last = c;
		map->n++;
	}
	return map;
}

READER(set_tmpfs)
{
	const struct node *map = n->kind == NODE_MAP ? n : as_map(r, n);

	if (!map)
		return;
	for (const struct node *c = map->first; c; c = c->next)
		if (*c->key != '/' || strstr(c->key, "/../") || strstr(c->key, "/./")) {
			conf_error(r, c, "'%.60s' is not an absolute path without '.' and '..'", c->key);
			return;
		}
	conf_read_plainly(r, k, obj, map);
}

READER(set_families)
{
	struct str_list l;
	unsigned bad = 0;

	if (conf_list(r, n, &l) < 0)
		return;
	for (unsigned i = 0; i < l.n; i++) {
		int f = family_number(l.v[i]);
		const char *near = f < 0 ? family_nearest(l.v[i]) : NULL;

		if (f < 0 && near)
			conf_error(r, n, "'%.40s' is not a socket family (did you mean '%s'?)", l.v[i], near);
		else if (f < 0)
			conf_error(r, n, "'%.40s' is not a socket family like inet, inet6, unix, netlink", l.v[i]);
		else
			l.v[i] = family_name(f);
		bad += f < 0;
	}
	if (!bad)
		*(struct str_list *)((char *)obj + k->at) = l;
}
