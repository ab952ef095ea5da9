/* Rows as a numbered whole: which table a row is in, which row a path or a field belongs to, what is its default. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/fields.h"
#include <string.h>

bool conf_is_section(const struct conf_key *k)
{
	return k->sub && k->type != CONF_ITEMS && k->type != CONF_APART;
}

const struct conf_key *conf_rest(const struct conf_key *k)
{
	const struct conf_key *s = conf_is_section(k) ? k->sub : NULL;

	while (s && s->name && !(s->flags & CONF_REST))
		s++;
	return s && s->name ? s : NULL;
}

static void add_table(struct conf_index *x, const struct conf_key *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < x->tables; i++)
		if (x->table[i].at == t)
			return;
	if (x->tables == CONF_TABLES)
		return;
	x->table[x->tables].unbuilt = false;
	for (; t[n].name; n++)
		x->table[x->tables].unbuilt |= t[n].unbuilt != NULL;
	x->table[x->tables].at = t;
	x->table[x->tables].n = n;
	x->table[x->tables++].base = x->rows;
	x->rows += n;
	for (const struct conf_key *k = t; k->name; k++)
		if (conf_is_section(k))
			add_table(x, k->sub);
}

void conf_index(struct conf_index *x, const struct conf_key *root)
{
	if (x->root == root)
		return;
	*x = (struct conf_index){ .root = root };
	add_table(x, root);
}

int conf_number(const struct conf_index *x, const struct conf_key *k)
{
	for (unsigned i = 0; i < x->tables; i++)
		if (k >= x->table[i].at && k < x->table[i].at + x->table[i].n)
			return (int)(x->table[i].base + (unsigned)(k - x->table[i].at));
	return -1;
}

const struct conf_key *conf_row_at(const struct conf_index *x, size_t at)
{
	for (unsigned i = 0; i < x->tables; i++)
		for (const struct conf_key *k = x->table[i].at; k->name; k++)
			if (!k->alias && !(k->flags & CONF_SELF) && k->size && at >= k->at && at < k->at + k->size)
				return k;
	return NULL;
}

const struct conf_key *conf_row(const struct conf_key *root, const char *path)
{
	for (;;) {
		size_t n = strcspn(path, ".");
		const struct conf_key *k = root;

		while (k->name && (strncmp(k->name, path, n) || k->name[n]))
			k++;
		if (!k->name)
			return NULL;
		if (!path[n])
			return k;
		if (!k->sub)
			return NULL;
		root = k->sub;
		path += n + 1;
	}
}

static const void *field(const struct conf_key *k, const void *obj)
{
	return (const char *)obj + k->at;
}

bool conf_given(const struct conf_key *k, const void *obj)
{
	const void *f = field(k, obj);

	if (k->given)
		return k->given(k, obj);
	switch (k->type) {
	case CONF_COUNT:
	case CONF_MSEC:
	case CONF_OCTAL:
	case CONF_SIGNAL:
		return *(const int64_t *)f != UNSET_NUM;
	case CONF_SIZE:
		return *(const uint64_t *)f != 0;
	case CONF_TEXT:
	case CONF_PATH:
		return *(const char *const *)f != NULL;
	case CONF_LIST:
	case CONF_COMMAND:
		return ((const struct str_list *)f)->n != 0;
	case CONF_PAIRS:
		return ((const struct pair_list *)f)->n != 0;
	case CONF_ITEMS:
		return ((const struct str_list *)f)->n != 0;	/* every list is a pointer and a count */
	case CONF_BOOL:
	case CONF_WORD:
	case CONF_SECTION:
	case CONF_APART:
	case CONF_CUSTOM:
	case CONF_TYPES:
		break;
	}
	return true;
}

static bool number_is_default(const struct conf_key *k, int64_t v)
{
	int64_t d = 0;

	switch (k->type) {
	case CONF_MSEC:
		return value_msec(k->def, &d) == 0 && d == v;
	case CONF_OCTAL:
		return value_octal(k->def, &d) == 0 && d == v;
	case CONF_SIGNAL:
		return value_signal(k->def, &d) == 0 && d == v;
	case CONF_COUNT:
	case CONF_BOOL:
	case CONF_SIZE:
	case CONF_WORD:
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_LIST:
	case CONF_COMMAND:
	case CONF_PAIRS:
	case CONF_ITEMS:
	case CONF_SECTION:
	case CONF_APART:
	case CONF_CUSTOM:
	case CONF_TYPES:
		break;
	}
	return value_number(k->def, &d) == 0 && d == v;
}

bool conf_is_default(const struct conf_key *k, const void *obj)
{
	const void *f = field(k, obj);
	bool b = false;
	uint64_t size = 0;

	if (!k->def && k->type == CONF_BOOL)
		return !*(const bool *)f;
	if (!k->def && k->type == CONF_WORD)
		return *(const unsigned *)f == 0;
	if (!k->def || k->type >= CONF_LIST)
		return !conf_given(k, obj);
	if (k->type == CONF_BOOL)
		return value_bool(k->def, &b) == 0 && b == *(const bool *)f;
	if (k->type == CONF_WORD)
		return !strcmp(k->words[*(const unsigned *)f], k->def);
	if (k->type == CONF_TEXT || k->type == CONF_PATH)
		return *(const char *const *)f && !strcmp(*(const char *const *)f, k->def);
	if (k->type == CONF_SIZE)
		return value_size(k->def, &size) == 0 && size == *(const uint64_t *)f;
	return number_is_default(k, *(const int64_t *)f);
}

/* Dotted path to the row that `is` accepts, below t. */
static const char *find_path(struct arena *a, const struct conf_key *t, const struct conf_key *want, const char *name,
			     unsigned depth)
{
	for (const struct conf_key *k = t; k->name; k++)
		if (want ? k == want : !k->alias && !strcmp(k->name, name))
			return k->name;
	for (const struct conf_key *k = t; k->name && depth < 8; k++) {
		if (!conf_is_section(k) || k->alias)
			continue;
		const char *below = find_path(a, k->sub, want, name, depth + 1);

		if (below)
			return arena_fmt(a, "%s.%s", k->name, below);
	}
	return NULL;
}

const char *conf_path(const struct conf_read *r, const struct conf_key *k)
{
	const char *path = find_path(r->arena, r->index->root, k, NULL, 0);

	return path ? path : k->name;
}

const char *conf_path_of(const struct conf_read *r, const char *name)
{
	return find_path(r->arena, r->index->root, NULL, name, 0);
}
