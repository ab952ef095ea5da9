/* From libyaml's events to a tree: keeps places, refuses what a configuration must not hold. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/tree.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct walk {
	struct tree *t;
	yaml_parser_t p;
	struct node *root, *open;	/* the document; the innermost list or map that is not finished */
	struct node *about;		/* the node that is talked about; NULL: the open one */
	const char *key;		/* read, waiting for its value */
	uint32_t key_line, key_col;
	unsigned depth, nodes, documents;
	bool done;			/* the stream ended, or nothing more can be read */
	bool dead;			/* there is no tree */
};

__attribute__((format(printf, 4, 5)))
static void say(struct walk *w, uint32_t line, uint32_t col, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	w->t->told++;
	/* What ends the reading concerns the whole file. */
	w->t->tell(w->t, w->dead ? NULL : w->about ? w->about : w->open, line, col, text);
}

#define AT(mark) (uint32_t)(mark).line + 1, (uint32_t)(mark).column + 1

static void give_up(struct walk *w)
{
	w->dead = w->done = true;
}

static void no_memory(struct walk *w, yaml_mark_t at)
{
	give_up(w);
	say(w, AT(at), "no memory left for the configuration");
}

/* A new node in its place below the open one. NULL when a bound is reached. */
static struct node *add_node(struct walk *w, enum node_kind kind, yaml_mark_t at)
{
	struct node *n;

	if (++w->nodes > TREE_NODES) {
		give_up(w);
		say(w, AT(at), "more than %u values in one file", TREE_NODES);
		return NULL;
	}
	n = arena_get(w->t->arena, sizeof *n);
	if (!n) {
		no_memory(w, at);
		return NULL;
	}
	*n = (struct node){ .kind = kind, .file = w->t->file, .up = w->open, .line = (uint32_t)at.line + 1,
			    .col = (uint32_t)at.column + 1 };
	if (!w->open) {
		w->root = n;
		return n;
	}
	if (w->open->kind == NODE_MAP) {
		n->key = w->key;
		n->key_line = w->key_line;
		n->key_col = w->key_col;
		w->key = NULL;
	}
	*(w->open->last ? &w->open->last->next : &w->open->first) = n;
	w->open->last = n;
	w->open->n++;
	return n;
}

static void refuse_extras(struct walk *w, struct node *n, yaml_mark_t at, const void *anchor, const void *tag)
{
	w->about = n;
	if (anchor)
		say(w, AT(at), "anchor '&%s': anchors are not allowed; write the value where it is needed",
			(const char *)anchor);
	if (tag)
		say(w, AT(at), "tag '%s': tags are not allowed", (const char *)tag);
	w->about = NULL;
}

static void on_key(struct walk *w, const yaml_event_t *ev)
{
	const char *s = (const char *)ev->data.scalar.value;
	size_t n = ev->data.scalar.length;

	if (memchr(s, 0, n)) {
		say(w, AT(ev->start_mark), "a key holds a NUL byte");
		n = strlen(s);
	}
	if (!strcmp(s, "<<") && ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		say(w, AT(ev->start_mark), "merge key '<<': merging is not allowed; write the keys out");
	w->key = arena_copy(w->t->arena, s, n);
	if (!w->key)
		no_memory(w, ev->start_mark);
	w->key_line = (uint32_t)ev->start_mark.line + 1;
	w->key_col = (uint32_t)ev->start_mark.column + 1;
}

static void on_scalar(struct walk *w, const yaml_event_t *ev)
{
	const char *s = (const char *)ev->data.scalar.value, *why = NULL;
	size_t len = ev->data.scalar.length;

	if (w->open && w->open->kind == NODE_MAP && !w->key) {
		refuse_extras(w, NULL, ev->start_mark, ev->data.scalar.anchor, ev->data.scalar.tag);
		on_key(w, ev);
		return;
	}
	struct node *n = add_node(w, NODE_SCALAR, ev->start_mark);

	if (!n)
		return;
	refuse_extras(w, n, ev->start_mark, ev->data.scalar.anchor, ev->data.scalar.tag);
	w->about = n;
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (memchr(s, 0, len)) {
		say(w, AT(ev->start_mark), "a value holds a NUL byte");
		len = strlen(s);
	}
	n->text = w->t->env ? tree_fill(w->t, s, len, &why) : arena_copy(w->t->arena, s, len);
	if (why) {
		say(w, AT(ev->start_mark), "%s", why);
		n->text = arena_copy(w->t->arena, s, len);
	}
	if (!n->text)
		no_memory(w, ev->start_mark);
	w->about = NULL;
}

static void on_open(struct walk *w, enum node_kind kind, yaml_mark_t at, const void *anchor, const void *tag)
{
	if (w->open && w->open->kind == NODE_MAP && !w->key) {
		give_up(w);
		say(w, AT(at), "a key must be a word, not a list or a map");
		return;
	}
	if (w->depth == TREE_DEPTH) {
		give_up(w);
		say(w, AT(at), "nested more than %u deep", TREE_DEPTH);
		return;
	}
	struct node *n = add_node(w, kind, at);

	if (!n)
		return;
	refuse_extras(w, n, at, anchor, tag);
	w->open = n;
	w->depth++;
}

static int by_key(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
	int c = strcmp(x->key, y->key);

	if (c)
		return c;
	if (x->key_line != y->key_line)
		return x->key_line < y->key_line ? -1 : 1;
	return x->key_col < y->key_col ? -1 : 1;
}

/* libyaml lets duplicates pass. The later ones stay in the tree; whoever reads it has an error already. */
static void refuse_duplicates(struct walk *w, const struct node *map)
{
	struct node **v = map->n > 1 ? arena_get(w->t->arena, map->n * sizeof *v) : NULL;
	unsigned n = 0;

	if (!v)
		return;
	for (struct node *c = map->first; c; c = c->next)
		v[n++] = c;
	qsort(v, n, sizeof *v, by_key);
	for (unsigned i = 1; i < n; i++) {
		if (strcmp(v[i - 1]->key, v[i]->key))
			continue;
		v[i]->again = true;
		w->about = v[i];
		say(w, v[i]->key_line, v[i]->key_col, "'%s' is given twice; first in line %u", v[i]->key,
			v[i - 1]->key_line);
		w->about = NULL;
	}
}

static void on_close(struct walk *w)
{
	if (w->open->kind == NODE_MAP)
		refuse_duplicates(w, w->open);
	w->open = w->open->up;
	w->depth--;
}

static void on_alias(struct walk *w, const yaml_event_t *ev)
{
	bool as_key = w->open && w->open->kind == NODE_MAP && !w->key;
	struct node *n = as_key ? NULL : add_node(w, NODE_SCALAR, ev->start_mark);

	w->about = n;
	if (!n)
		give_up(w);
	say(w, AT(ev->start_mark), "alias '*%s': aliases are not allowed; write the value where it is needed",
	    (const char *)ev->data.alias.anchor);
	w->about = NULL;
	if (n)
		n->text = "";
}

static void on_event(struct walk *w, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (w->documents++ == 0)
			break;
		give_up(w);
		say(w, AT(ev->start_mark), "a second document begins here; a file holds one");
		break;
	case YAML_STREAM_END_EVENT:
		w->done = true;
		break;
	case YAML_ALIAS_EVENT:
		on_alias(w, ev);
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(w, ev);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_open(w, NODE_LIST, ev->start_mark, ev->data.sequence_start.anchor, ev->data.sequence_start.tag);
		break;
	case YAML_MAPPING_START_EVENT:
		on_open(w, NODE_MAP, ev->start_mark, ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_close(w);
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
}

/* libyaml's own words, with the one hint that is needed most. */
static void syntax_error(struct walk *w, const char *text, size_t len)
{
	const yaml_parser_t *p = &w->p;
	const char *problem = p->problem ? p->problem : "cannot be read";
	bool tab = p->problem_mark.index < len && text[p->problem_mark.index] == '\t';

	give_up(w);
	say(w, AT(p->problem_mark), "YAML: %s%s%s%s", p->context ? p->context : "", p->context ? ": " : "", problem,
	    tab ? " (a tab; YAML is indented with spaces)" : "");
}

/* The bytes are checked before libyaml sees them: it reports them by offset, and would take UTF-16 too. */
static bool bytes_are_fine(struct walk *w, const char *text, size_t len)
{
	const char *why = NULL, *bad;
	uint32_t line = 1, col = 1;

	if (len > TREE_BYTES) {
		say(w, 1, 1, "%zu bytes; a file may have %u", len, TREE_BYTES);
		return false;
	}
	bad = tree_bad_byte(text, len, &why);
	if (!bad)
		return true;
	for (const char *s = text; s < bad; s++) {
		if (*s == '\n')
			line++, col = 1;
		else if (((unsigned char)*s & 0xc0) != 0x80)
			col++;
	}
	say(w, line, col, "%s", why);
	return false;
}

static void walk_events(struct walk *w, const char *text, size_t len)
{
	while (!w->done) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&w->p, &ev)) {
			syntax_error(w, text, len);
			return;
		}
		on_event(w, &ev);
		yaml_event_delete(&ev);
	}
}

struct node *tree_read(struct tree *t, const char *text, size_t len)
{
	struct walk w = { .t = t };

	if (!bytes_are_fine(&w, text, len))
		return NULL;
	if (!yaml_parser_initialize(&w.p)) {
		say(&w, 1, 1, "no memory for the YAML parser");
		return NULL;
	}
	yaml_parser_set_encoding(&w.p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&w.p, (const unsigned char *)text, len);
	walk_events(&w, text, len);
	yaml_parser_delete(&w.p);
	if (!w.dead && !w.root)
		add_node(&w, NODE_MAP, (yaml_mark_t){ 0 });
	return w.dead ? NULL : w.root;
}
