/* The row engine: a tree of nodes goes into an object, row by row; defaults take the same way. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/conf.h"
#include "init/conf/fields.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

struct origin conf_origin(const struct conf_read *r, const struct node *n)
{
	if (r->from.kind != FROM_FILE)
		return r->from;
	return (struct origin){ .kind = FROM_FILE, .file = n->file, .line = n->line, .col = n->col };
}

const char *conf_label(const struct conf_read *r, const struct node *n)
{
	const char *label = NULL;

	for (; n && n != r->top; n = n->up) {
		if (!n->key)
			continue;
		label = label ? arena_fmt(r->arena, "%s.%s", n->key, label) : n->key;
	}
	return label;
}

static void tell(struct conf_read *r, struct origin at, const char *label, const char *fmt, va_list ap)
{
	char text[400];
	const char *whole = text;

	vsnprintf(text, sizeof text, fmt, ap);
	if (label)
		whole = arena_fmt(r->arena, "%s: %s", label, text);
	r->errors++;
	r->tell(r, CONF_ERROR, at, whole ? whole : text);
}

void conf_error(struct conf_read *r, const struct node *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(r, conf_origin(r, n), conf_label(r, n), fmt, ap);
	va_end(ap);
}

void conf_error_key(struct conf_read *r, const struct node *n, const char *fmt, ...)
{
	struct origin at = conf_origin(r, n);
	va_list ap;

	if (n->key_line && at.kind == FROM_FILE)
		at.line = n->key_line, at.col = n->key_col;
	va_start(ap, fmt);
	tell(r, at, conf_label(r, n->up), fmt, ap);
	va_end(ap);
}

void conf_stamp(struct conf_read *r, const struct conf_key *k, const struct node *n)
{
	int i = r->index ? conf_number(r->index, k) : -1;

	if (i < 0 || !r->origins)
		return;
	origins_set(r->origins, r->arena, i, conf_origin(r, n));
	if (r->layers)
		r->layers[i] = r->layer;
}

bool conf_mark(struct conf_read *r, const struct conf_key *k, const struct node *n)
{
	int i = r->index ? conf_number(r->index, k) : -1;

	if (i >= 0 && r->origins && r->layers && r->layer && r->layers[i] == r->layer) {
		struct origin o = origins_get(r->origins, i);

		conf_error(r, n, "is given twice; first at %s:%u", r->files ? r->files[o.file] : "line", o.line);
		return false;
	}
	conf_stamp(r, k, n);
	return true;
}

/* The nearest name in this table, or the same name anywhere in the object. */
static void unknown_key(struct conf_read *r, const struct conf_key *keys, const struct node *n)
{
	const char *best = NULL;
	unsigned least = 99, d;

	for (const struct conf_key *k = keys; k->name; k++)
		if (value_is_near(n->key, k->name, &d) && d < least) {
			best = k->name;
			least = d;
		}
	if (!best && r->index)
		best = conf_path_of(r, n->key);
	if (best)
		conf_error_key(r, n, "unknown key '%s' (did you mean '%s'?)", n->key, best);
	else
		conf_error_key(r, n, "unknown key '%s'", n->key);
}

static void read_rows(struct conf_read *r, const struct conf_key *keys, const struct conf_key *self, void *obj,
		      const struct node *map)
{
	if (conf_is_empty(map))
		return;	/* all of the block's lines are comments: nothing is asked for */
	if (map->kind != NODE_MAP) {
		conf_error(r, map, "must be a map of keys and values");
		return;
	}
	for (const struct node *c = map->first; c; c = c->next) {
		const struct conf_key *k = keys;

		while (k->name && (*k->name != *c->key || strcmp(k->name, c->key)))
			k++;
		if (c->again)
			continue;
		if (!k->name)
			unknown_key(r, keys, c);
		else if (!(k->flags & CONF_SELF))
			conf_read_key(r, k, obj, c);
		else if (conf_mark(r, self, c))
			conf_field_read(r, self, obj, c);	/* beside its neighbours, so it does not reset them */
	}
}

void conf_read_block(struct conf_read *r, const struct conf_key *keys, void *obj, const struct node *map)
{
	read_rows(r, keys, NULL, obj, map);
}

/* A single value replaces all of what the map form has set in a lower layer. */
static void reset_rows(struct conf_read *r, const struct conf_key *keys, void *obj, const struct node *n)
{
	for (const struct conf_key *k = keys; k->name; k++) {
		int i = r->index ? conf_number(r->index, k) : -1;

		if (k->alias || k->flags & CONF_SELF)
			continue;
		if (i >= 0 && r->layers && r->layers[i] != r->layer && conf_is_default(k, obj)) {
			r->layers[i] = r->layer;	/* nothing to replace: its origin stays */
			continue;
		}
		conf_field_default(r, k, obj);
		conf_mark(r, k, n);
	}
}

struct node conf_made(const struct node *n, const char *text)
{
	return (struct node){ .kind = NODE_SCALAR, .quoted = true, .text = text, .file = n->file,
			      .line = n->line, .col = n->col,
			      .key = n->key, .key_line = n->key_line, .key_col = n->key_col, .up = n->up };
}

static void imply(struct conf_read *r, const struct conf_key *k, void *obj, const struct node *n)
{
	struct node made = conf_made(n, k->map_means);

	conf_field_read(r, k, obj, &made);
}

/* A list of maps says the same as its first one with the others in the row that is for them. */
static void read_list(struct conf_read *r, const struct conf_key *k, const struct conf_key *rest, void *obj,
		      const struct node *n)
{
	struct node others = *n;

	if (n->first->kind != NODE_MAP) {
		conf_error(r, n->first, "must be a map of keys and values");
		return;
	}
	others.first = n->first->next;
	others.n--;
	conf_read_key(r, k, obj, n->first);
	conf_read_key(r, rest, obj, &others);
}

void conf_read_key(struct conf_read *r, const struct conf_key *k, void *obj, const struct node *n)
{
	const struct conf_key *rest = n->kind == NODE_LIST && n->n ? conf_rest(k) : NULL;

	if (k->alias && !k->set && !k->sub && !k->size) {
		conf_read_as(r, k->alias, obj, n);
		return;
	}
	if (rest) {
		read_list(r, k, rest, obj, n);
		return;
	}
	if (k->set && k->type == CONF_APART) {
		k->set(r, k, obj, n);
		return;
	}
	if (conf_is_section(k) && (k->type == CONF_SECTION || n->kind == NODE_MAP)) {
		if (k->map_means && !conf_is_empty(n) && conf_mark(r, k, n))
			imply(r, k, obj, n);
		read_rows(r, k->sub, k, obj, n);
		return;
	}
	if (!conf_mark(r, k, n))
		return;
	if (k->sub && conf_is_section(k))
		reset_rows(r, k->sub, obj, n);
	conf_field_read(r, k, obj, n);
}

void conf_read_as(struct conf_read *r, const char *path, void *obj, const struct node *n)
{
	const struct conf_key *k = r->index ? conf_row(r->index->root, path) : NULL;

	if (k)
		conf_read_key(r, k, obj, n);
	else
		conf_error(r, n, "is another name for '%s', which does not exist here", path);
}

void conf_read_text(struct conf_read *r, const char *path, void *obj, const struct node *n, const char *text)
{
	struct node made = conf_made(n, text);

	conf_read_as(r, path, obj, &made);
}

int conf_defaults(struct conf_read *r, void *obj)
{
	unsigned before = r->errors;

	for (unsigned t = 0; t < r->index->tables; t++)
		for (const struct conf_key *k = r->index->table[t].at; k->name; k++)
			if (!k->alias && !(k->flags & CONF_SELF) && k->size)
				conf_field_default(r, k, obj);
	return r->errors == before ? 0 : -EINVAL;
}

static bool asks_for_unbuilt(const struct conf_key *k, const void *obj)
{
	if (!k->unbuilt || k->alias || (k->flags & CONF_SELF) || !k->size)
		return false;
	if (k->unbuilt_words)
		return k->unbuilt_words >> *(const unsigned *)((const char *)obj + k->at) & 1;
	return !conf_is_default(k, obj);
}

void conf_refuse_unbuilt(struct conf_read *r, const void *obj)
{
	for (unsigned t = 0; t < r->index->tables; t++)
		for (const struct conf_key *k = r->index->table[t].at; r->index->table[t].unbuilt && k->name; k++) {
			if (!asks_for_unbuilt(k, obj))
				continue;
			int i = conf_number(r->index, k);
			struct origin at = r->origins && i >= 0 ? origins_get(r->origins, i) : r->from;
			const char *text = arena_fmt(r->arena, "%s%s%s: not built yet: %s", r->label ? r->label : "",
						     r->label ? "." : "", conf_path(r, k), k->unbuilt);

			r->errors++;
			r->tell(r, CONF_ERROR, at, text ? text : k->unbuilt);
		}
}
