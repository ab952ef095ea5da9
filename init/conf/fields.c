/* One field at a time: how each type of row is read. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/fields.h"
#include <errno.h>
#include <string.h>

/* What a value of the type is called when it is written wrong. */
static const char *const type_text[CONF_TYPES] = {
	[CONF_BOOL] = "true or false",
	[CONF_COUNT] = "a whole number",
	[CONF_MSEC] = "a time like 500ms, 30s, 5m, 2h, 1d or whole seconds",
	[CONF_OCTAL] = "an octal mode like 0644",
	[CONF_SIGNAL] = "a signal like SIGTERM, 15 or SIGRTMIN+3",
	[CONF_SIZE] = "a size like 64K, 512M, 2G or bytes",
};

bool conf_is_empty(const struct node *n)
{
	return n->kind == NODE_SCALAR && !n->quoted && !*n->text;
}

int conf_scalar(struct conf_read *r, const struct node *n, const char **out)
{
	if (n->kind != NODE_SCALAR) {
		conf_error(r, n, "must be a single value, not a %s", n->kind == NODE_LIST ? "list" : "map");
		return -EINVAL;
	}
	if (conf_is_empty(n)) {
		conf_error(r, n, "has no value");
		return -EINVAL;
	}
	*out = n->text;
	return 0;
}

int conf_list(struct conf_read *r, const struct node *n, struct str_list *out)
{
	struct str_list l = { 0 };
	int rc = 0;

	if (n->kind == NODE_MAP) {
		conf_error(r, n, "must be a list of values, not a map");
		return -EINVAL;
	}
	l.v = arena_get(r->arena, ((n->kind == NODE_LIST ? n->n : 1) + 1) * sizeof *l.v);
	if (!l.v) {
		conf_error(r, n, "no memory left for the configuration");
		return -ENOMEM;
	}
	if (conf_is_empty(n)) {
		*out = l;	/* one that is given, and has nothing */
		return 0;
	}
	if (n->kind == NODE_SCALAR) {
		l.v[l.n++] = n->text;
	} else {
		for (const struct node *c = n->first; c; c = c->next)
			if (conf_scalar(r, c, &l.v[l.n++]) < 0)
				rc = -EINVAL;
	}
	if (rc == 0)
		*out = l;
	return rc;
}

/* Two traps of YAML 1.1 deserve their names. */
static const char *number_hint(const char *s)
{
	if (s[0] == '0' && s[1] >= '0' && s[1] <= '9')
		return " (write it without leading zeros)";
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return " (write it in decimal)";
	return "";
}

static void not_a(struct conf_read *r, const struct conf_key *k, const struct node *n)
{
	conf_error(r, n, "'%.60s' is not %s%s", n->text, type_text[k->type],
		k->type == CONF_COUNT ? number_hint(n->text) : "");
}

/* Bounds are shown as the type is written. */
static int within(struct conf_read *r, const struct conf_key *k, const struct node *n, int64_t v)
{
	char a[VALUE_TEXT], b[VALUE_TEXT];

	if (k->max == 0 || (v >= k->min && v <= k->max))
		return 0;
	if (k->type == CONF_MSEC) {
		value_msec_text(k->min, a);
		value_msec_text(k->max, b);
	} else if (k->type == CONF_SIZE) {
		value_size_text((uint64_t)k->min, a);
		value_size_text((uint64_t)k->max, b);
	} else {
		snprintf(a, sizeof a, "%lld", (long long)k->min);
		snprintf(b, sizeof b, "%lld", (long long)k->max);
	}
	conf_error(r, n, "'%.60s' is not between %s and %s", n->text, a, b);
	return -ERANGE;
}

static bool is_max(const struct conf_key *k, const char *s)
{
	return k->flags & CONF_ALLOW_MAX && (!strcmp(s, "max") || !strcmp(s, "unlimited"));
}

static int parse_number(const struct conf_key *k, const char *s, int64_t *v)
{
	if (k->type == CONF_MSEC)
		return value_msec(s, v);
	if (k->type == CONF_OCTAL)
		return value_octal(s, v);
	if (k->type == CONF_SIGNAL)
		return value_signal(s, v);
	return value_number(s, v);
}

static int read_number(struct conf_read *r, const struct conf_key *k, void *f, const struct node *n)
{
	int64_t v = -1;

	if (!is_max(k, n->text)) {
		if (parse_number(k, n->text, &v) < 0) {
			not_a(r, k, n);
			return -EINVAL;
		}
		if (within(r, k, n, v) < 0)
			return -ERANGE;
	}
	*(int64_t *)f = v;
	return 0;
}

static int read_size(struct conf_read *r, const struct conf_key *k, void *f, const struct node *n)
{
	uint64_t v = VALUE_MAX;

	if (!is_max(k, n->text)) {
		if (value_size(n->text, &v) < 0) {
			not_a(r, k, n);
			return -EINVAL;
		}
		if (v > INT64_MAX || within(r, k, n, (int64_t)v) < 0)
			return -ERANGE;
	}
	*(uint64_t *)f = v;
	return 0;
}

static int read_word(struct conf_read *r, const struct conf_key *k, void *f, const struct node *n)
{
	char all[300] = "";
	size_t used = 0;
	bool b = false;

	for (unsigned i = 0; k->words[i]; i++)
		if (!strcmp(n->text, k->words[i])) {
			*(unsigned *)f = i;
			return 0;
		}
	if (k->flags & (CONF_YES_NO | CONF_NO) && value_bool(n->text, &b) == 0 && (!b || k->flags & CONF_YES_NO)) {
		*(unsigned *)f = b;
		return 0;
	}
	for (unsigned i = 0; k->words[i] && used < sizeof all; i++)
		used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", k->words[i]);
	const char *near = value_nearest(n->text, k->words);

	if (near)
		conf_error(r, n, "'%.60s' is not one of %s (did you mean '%s'?)", n->text, all, near);
	else
		conf_error(r, n, "'%.60s' is not one of %s", n->text, all);
	return -EINVAL;
}

bool conf_path_is_plain(const char *s)
{
	if (*s != '/' || strlen(s) > 4000)
		return false;
	for (; *s; s++)
		if (s[0] == '/' && s[1] == '.' && (!s[2] || s[2] == '/' || (s[2] == '.' && (!s[3] || s[3] == '/'))))
			return false;
	return true;
}

static int read_text(struct conf_read *r, const struct conf_key *k, void *f, const struct node *n)
{
	if (k->type == CONF_PATH && *n->text && !conf_path_is_plain(n->text)) {
		conf_error(r, n, "'%.60s' is not an absolute path without '.' and '..'", n->text);
		return -EINVAL;
	}
	*(const char **)f = n->text;
	return 0;
}

static int read_bool(struct conf_read *r, const struct conf_key *k, void *f, const struct node *n)
{
	if (value_bool(n->text, f) == 0)
		return 0;
	not_a(r, k, n);
	return -EINVAL;
}

static int read_command(struct conf_read *r, struct str_list *f, const struct node *n)
{
	const char *why = "no memory left for the configuration";

	if (n->kind != NODE_SCALAR)
		return conf_list(r, n, f);
	if (value_split(r->arena, n->text, f, &why) == 0)
		return 0;
	conf_error(r, n, "cannot be split into words: %s", why);
	return -EINVAL;
}

#define PAIRS_MAX 4096u

/* KEY=VALUE of a list, or a map's key and value. */
static int read_pair(struct conf_read *r, const struct node *c, struct str_pair *p)
{
	const char *text = NULL, *equals;

	if (conf_scalar(r, c, &text) < 0)
		return -EINVAL;
	if (c->key) {
		*p = (struct str_pair){ c->key, text };
		return 0;
	}
	equals = strchr(text, '=');
	if (!equals || equals == text) {
		conf_error(r, c, "'%.60s' is not KEY=VALUE", text);
		return -EINVAL;
	}
	*p = (struct str_pair){ arena_copy(r->arena, text, (size_t)(equals - text)), equals + 1 };
	return p->key ? 0 : -ENOMEM;
}

static void put_pair(struct pair_list *l, struct str_pair p, struct origin from)
{
	unsigned i = 0;

	while (i < l->n && strcmp(l->v[i].key, p.key))
		i++;
	l->v[i] = p;
	l->from[i] = from;
	l->n += i == l->n;
}

static int read_pairs(struct conf_read *r, const struct conf_key *k, struct pair_list *f, const struct node *n)
{
	unsigned keep = k->flags & CONF_REPLACE ? 0 : f->n, room = keep + n->n;
	struct pair_list l = { arena_get(r->arena, (room + 1) * sizeof *l.v), keep,
		arena_get(r->arena, (room + 1) * sizeof *l.from) };
	int rc = 0;

	if (n->kind == NODE_SCALAR && !conf_is_empty(n)) {
		conf_error(r, n, "must be a map, or a list of KEY=VALUE");
		return -EINVAL;
	}
	if (room > PAIRS_MAX) {
		conf_error(r, n, "more than %u entries", PAIRS_MAX);
		return -E2BIG;
	}
	if (!l.v || !l.from) {
		conf_error(r, n, "no memory left for the configuration");
		return -ENOMEM;
	}
	if (keep) {
		memcpy(l.v, f->v, keep * sizeof *l.v);
		memcpy(l.from, f->from, keep * sizeof *l.from);
	}
	for (const struct node *c = n->first; c; c = c->next) {
		struct str_pair p;

		if (c->again || read_pair(r, c, &p) < 0)
			rc = -EINVAL;
		else
			put_pair(&l, p, conf_origin(r, c));
	}
	if (rc == 0)
		*f = l;
	return rc;
}

static int read_items(struct conf_read *r, const struct conf_key *k, void *f, const struct node *n);

/* One value, by its type; what is wrong has been told when the result is negative. */
static int read_typed(struct conf_read *r, const struct conf_key *k, void *f, const struct node *n)
{
	const char *text = NULL;

	if (k->type < CONF_LIST && conf_scalar(r, n, &text) < 0)
		return -EINVAL;
	switch (k->type) {
	case CONF_BOOL:
		return read_bool(r, k, f, n);
	case CONF_COUNT:
	case CONF_MSEC:
	case CONF_OCTAL:
	case CONF_SIGNAL:
		return read_number(r, k, f, n);
	case CONF_SIZE:
		return read_size(r, k, f, n);
	case CONF_WORD:
		return read_word(r, k, f, n);
	case CONF_TEXT:
	case CONF_PATH:
		return read_text(r, k, f, n);
	case CONF_LIST:
		return conf_list(r, n, f);
	case CONF_COMMAND:
		return read_command(r, f, n);
	case CONF_PAIRS:
		return read_pairs(r, k, f, n);
	case CONF_ITEMS:
		return read_items(r, k, f, n);
	case CONF_SECTION:
	case CONF_APART:
	case CONF_CUSTOM:
	case CONF_TYPES:
		break;
	}
	return -EINVAL;
}

void conf_field_read(struct conf_read *r, const struct conf_key *k, void *obj, const struct node *n)
{
	if (k->set)
		k->set(r, k, obj, n);
	else
		conf_read_plainly(r, k, obj, n);
}

void conf_read_plainly(struct conf_read *r, const struct conf_key *k, void *obj, const struct node *n)
{
	void *f = (char *)obj + k->at;
	struct err e = { 0 };

	if (read_typed(r, k, f, n) < 0)
		return;
	/* A value against a rule is told and kept: then what depends on it is not told to be missing as well. */
	if (k->check && k->check(f, &e) < 0)
		conf_error(r, n, "%s", e.text);
	if ((k->type == CONF_TEXT || k->type == CONF_PATH) && !**(const char **)f)
		*(const char **)f = NULL;
}

static void set_unset(const struct conf_key *k, void *f)
{
	memset(f, 0, k->size);
	if (k->type == CONF_COUNT || k->type == CONF_MSEC || k->type == CONF_OCTAL || k->type == CONF_SIGNAL)
		*(int64_t *)f = UNSET_NUM;
}

void conf_field_default(struct conf_read *r, const struct conf_key *k, void *obj)
{
	struct node n = { .kind = NODE_SCALAR, .quoted = true, .text = k->def, .key = k->name };
	struct conf_read quiet = *r;

	set_unset(k, (char *)obj + k->at);
	if (!k->def)
		return;
	/* Its own origin: the default of a field is no part of the layer that is being read. */
	quiet.origins = NULL;
	quiet.from = (struct origin){ .kind = FROM_DEFAULT };
	conf_field_read(&quiet, k, obj, &n);
	r->errors = quiet.errors;
}

/* An item is an object of its own, of one layer, and its rows keep no origins; what is unbuilt is told at its place. */
void conf_read_item(struct conf_read *r, const struct conf_key *sub, void *obj, const struct node *n)
{
	struct conf_index x = { 0 };
	struct conf_read item = *r;
	enum { ROWS = 64 };
	uint16_t slot[ROWS] = { 0 };
	struct origin at[ROWS];
	struct origins origins = { .slot = slot, .v = at, .room = ROWS };
	unsigned char layers[ROWS] = { 0 };

	conf_index(&x, sub);
	item.label = conf_label(r, n);
	item.index = &x;
	item.origins = x.rows <= ROWS ? &origins : NULL;
	item.layers = x.rows <= ROWS ? layers : NULL;
	item.layer = 1;
	conf_defaults(&item, obj);
	conf_read_block(&item, sub, obj, n);
	for (const struct conf_key *i = sub; i->name; i++)
		if (i->flags & CONF_REQUIRED && !conf_given(i, obj))
			conf_error(&item, n, "'%s' is missing", i->name);
	conf_refuse_unbuilt(&item, obj);
	r->errors = item.errors;
}

static int read_items(struct conf_read *r, const struct conf_key *k, void *f, const struct node *n)
{
	struct {
		char *v;
		unsigned n;
	} l = { 0 };

	if (n->kind != NODE_LIST && !conf_is_empty(n)) {
		conf_error(r, n, "must be a list of blocks");
		return -EINVAL;
	}
	l.v = arena_get(r->arena, (n->n + 1) * k->each);
	if (!l.v) {
		conf_error(r, n, "no memory left for the configuration");
		return -ENOMEM;
	}
	for (const struct node *c = n->first; c; c = c->next) {
		char *item = l.v + l.n++ * k->each;

		conf_read_item(r, k->sub, item, c);
		if (k->from_at)
			*(struct origin *)(item + k->from_at) = conf_origin(r, c);
	}
	memcpy(f, &l, sizeof l);
	return 0;
}
