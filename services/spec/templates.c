/* Templates: `name@` is no service but what its instances `name@instance` are made of, with %i filled in. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/load.h"
#include <string.h>

#define SAMPLE "1"	/* a template without instances is read with it, to find what is wrong with the rest */

static bool is_first_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool part_is_fine(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_first_byte(s[i]) && (i == 0 || (s[i] != '_' && s[i] != '.' && s[i] != '-')))
			return false;
	return n > 0;
}

enum name_kind spec_name_kind(const char *s)
{
	const char *at = strchr(s, '@');
	size_t n = strlen(s), left = at ? (size_t)(at - s) : n;

	if (n > SPEC_NAME_MAX || !part_is_fine(s, left))
		return NAME_BAD;
	if (!at)
		return NAME_SERVICE;
	if (!at[1])
		return NAME_TEMPLATE;
	return part_is_fine(at + 1, strlen(at + 1)) ? NAME_INSTANCE : NAME_BAD;
}

struct spec_template *spec_template_of(const struct spec *s, const char *name)
{
	const char *at = strchr(name, '@');

	for (unsigned i = 0; at && i < s->ntemplates; i++)
		if (!strncmp(s->templates[i].name, name, (size_t)(at - name) + 1) &&
		    !s->templates[i].name[at - name + 1])
			return &s->templates[i];
	return NULL;
}

/* --- filling in --- */

struct filling {
	struct load *l;
	const char *instance;
	bool sample;
	bool failed;
};

/* A place that the sample has touched: what is said about it is not the template's fault. */
struct touched {
	uint32_t line, col;
	uint16_t file;
	struct touched *next;
};

static void touch(struct filling *f, const struct node *n)
{
	struct touched *t = f->sample ? arena_get(&f->l->s->arena, sizeof *t) : NULL;

	if (!t)
		return;
	*t = (struct touched){ n->line, n->col, n->file, f->l->touched };
	f->l->touched = t;
}

bool template_sample_touched(const struct load *l, struct origin at)
{
	for (const struct touched *t = l->touched; t; t = t->next)
		if (t->file == at.file && t->line == at.line && t->col == at.col)
			return true;
	return false;
}

/* %i is the instance; %%i is what it says without one of its percent signs; any other percent sign is itself. */
static const char *fill_text(struct filling *f, const struct node *n, const char *s)
{
	size_t len = strlen(f->instance), most = strlen(s) + 1;
	const char *from = s;

	if (!strstr(s, "%i"))
		return s;
	for (const char *p = s; (p = strstr(p, "%i")); p += 2)
		most += len;
	char *to = arena_get(&f->l->s->arena, most), *at = to;

	if (!to) {
		f->failed = true;
		return s;
	}
	while (*from) {
		if (!strncmp(from, "%%i", 3)) {
			memcpy(at, "%i", 2);
			at += 2;
			from += 3;
		} else if (!strncmp(from, "%i", 2)) {
			memcpy(at, f->instance, len);
			at += len;
			from += 2;
		} else {
			*at++ = *from++;
		}
	}
	*at = '\0';
	touch(f, n);
	return to;
}

/* As deep as the tree is: TREE_DEPTH. */
static struct node *fill_node(struct filling *f, const struct node *n, struct node *up)
{
	struct node *to = arena_get(&f->l->s->arena, sizeof *to);

	if (!to) {
		f->failed = true;
		return NULL;
	}
	*to = *n;
	to->up = up;
	to->first = to->last = to->next = NULL;
	if (n->key && up)
		to->key = fill_text(f, n, n->key);
	if (n->kind == NODE_SCALAR && n->text)
		to->text = fill_text(f, n, n->text);
	for (const struct node *c = n->first; c && !f->failed; c = c->next) {
		struct node *one = fill_node(f, c, to);

		*(to->last ? &to->last->next : &to->first) = one;
		to->last = one;
	}
	return to;
}

static const struct node *filled(struct load *l, const struct spec_template *t, const char *instance, bool sample)
{
	struct filling f = { .l = l, .instance = instance, .sample = sample };
	const struct node *n = fill_node(&f, t->node, NULL);

	if (!f.failed)
		return n;
	spec_problem(l->s, SEV_ERROR, t->from, NULL, "no memory left for the configuration");
	return NULL;
}

/* --- what is declared --- */

void template_add(struct load *l, const struct node *n)
{
	struct spec *s = l->s;
	struct origin at = { FROM_FILE, n->file, n->key_line, n->key_col };
	const struct spec_template *first = spec_template_of(s, n->key);

	if (first) {
		spec_problem(s, SEV_ERROR, at, n->key, "is given twice; first at %s:%u", s->files[first->from.file],
			     first->from.line);
		return;
	}
	if ((s->ntemplates & (s->ntemplates - 1)) == 0) {	/* full at every power of two */
		struct spec_template *v = arena_get(&s->arena, (s->ntemplates ? s->ntemplates * 2 : 1) * sizeof *v);

		if (!v) {
			spec_problem(s, SEV_ERROR, at, NULL, "no memory left for the configuration");
			return;
		}
		if (s->ntemplates)
			memcpy(v, s->templates, s->ntemplates * sizeof *v);
		s->templates = v;
	}
	s->templates[s->ntemplates++] = (struct spec_template){ .name = n->key, .node = n, .from = at };
}

/* One more in s->services, which may move. */
static struct spec_service *service_add(struct load *l)
{
	struct spec *s = l->s;

	if (s->nservices == l->service_room) {
		unsigned room = l->service_room + INSTANCES_MAX;
		struct spec_service *v = arena_get(&s->arena, room * sizeof *v);

		if (!v) {
			spec_problem(s, SEV_ERROR, (struct origin){ 0 }, NULL, "no memory left for the configuration");
			return NULL;
		}
		memcpy(v, s->services, s->nservices * sizeof *v);
		s->services = v;
		l->service_room = room;
	}
	return &s->services[s->nservices++];
}

void template_declared(struct load *l, struct spec_service *svc, const struct node *own)
{
	struct spec_template *t = spec_template_of(l->s, own->key);
	struct origin at = { FROM_FILE, own->file, own->key_line, own->key_col };
	const struct node *base = t ? filled(l, t, strchr(own->key, '@') + 1, false) : NULL;

	load_service(l, svc, own->key, at, base, own);
	svc->instance = strchr(own->key, '@') + 1;
	if (t)
		t->instances++;
	else
		spec_problem(l->s, SEV_ERROR, at, own->key, "there is no template '%.*s'",
			     (int)(strchr(own->key, '@') + 1 - own->key), own->key);
}

/* --- instances that are only named --- */

struct naming {
	struct load *l;
	const struct spec_service *by;	/* NULL: from outside */
	bool asked;
};

static void make(struct naming *g, const char *name)
{
	struct load *l = g->l;
	struct spec_template *t = spec_name_kind(name) == NAME_INSTANCE ? spec_template_of(l->s, name) : NULL;

	if (!t || spec_find(l->s, name))
		return;		/* no name, no template: check_graph() has words for it */
	if (l->ninstances == INSTANCES_MAX) {
		spec_problem(l->s, SEV_ERROR, g->by ? g->by->from : t->from, g->by ? g->by->name : name,
			     "'%s' would be instance %u of templates: at most %u can be", name, INSTANCES_MAX + 1,
			     INSTANCES_MAX);
		return;
	}
	const struct node *n = filled(l, t, strchr(name, '@') + 1, false);
	struct spec_service *svc = n ? service_add(l) : NULL;
	const char *own = svc ? arena_copy(&l->s->arena, name, strlen(name)) : NULL;

	if (!svc)
		return;
	load_service(l, svc, own ? own : "", t->from, n, NULL);
	svc->instance = strchr(svc->name, '@') ? strchr(svc->name, '@') + 1 : "";
	svc->asked = g->asked;
	l->ninstances++;
	t->instances++;
}

static void make_named(void *ctx, const char *name)
{
	if (strchr(name, '@'))
		make(ctx, name);
}

/* Services that are made here name others in their turn; each is looked at once. */
static void make_from(struct load *l, unsigned first, bool asked)
{
	for (unsigned i = first; i < l->s->nservices; i++) {
		const struct spec_service by = l->s->services[i];
		struct naming g = { l, &by, asked };

		each_name(&by, make_named, &g);
	}
}

/* What is wrong with a template must be told before somebody wants an instance. */
static void try_unused(struct load *l)
{
	for (unsigned i = 0; i < l->s->ntemplates; i++) {
		const struct spec_template *t = &l->s->templates[i];
		const struct node *n = t->instances ? NULL : filled(l, t, SAMPLE, true);
		struct spec_service unused;

		l->sample = true;
		if (n)
			load_service(l, &unused, t->name, t->from, n, NULL);
		l->sample = false;
		l->touched = NULL;
	}
}

void templates_instantiate(struct load *l)
{
	make_from(l, 0, false);
	for (unsigned i = 0; i < l->asked.n; i++) {
		struct naming g = { l, NULL, true };
		unsigned before = l->s->nservices;

		make(&g, l->asked.v[i]);
		make_from(l, before, true);
	}
	try_unused(l);
}
