/* The services' names for each other: each must exist, and order must not run in a circle. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/load.h"
#include <string.h>

/* "b starts after a" as found in a's or b's lines. */
struct edge {
	unsigned to;		/* the service that must come first */
	struct origin at;
};

struct graph {
	struct load *l;
	struct edge *edges;	/* those of service i are edges[first[i]] up to first[i + 1] */
	unsigned *first, *path, *hash;
	unsigned n, depth, hash_size;
	unsigned char *seen;	/* 0 not yet, 1 on the path, 2 done */
};

static unsigned hash(const char *s)
{
	unsigned h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

/* Thousands of services name each other: an open hash of index + 1 by name. */
static bool make_hash(struct graph *g)
{
	const struct spec *s = g->l->s;

	for (g->hash_size = 16; g->hash_size < 2 * s->nservices; g->hash_size *= 2)
		;
	g->hash = arena_get(&g->l->s->arena, g->hash_size * sizeof *g->hash);
	for (unsigned i = 0; g->hash && i < s->nservices; i++) {
		unsigned h = hash(s->services[i].name) & (g->hash_size - 1);

		while (g->hash[h])
			h = (h + 1) & (g->hash_size - 1);
		g->hash[h] = i + 1;
	}
	return g->hash;
}

static int find(const struct graph *g, const char *name)
{
	for (unsigned h = hash(name) & (g->hash_size - 1); g->hash[h]; h = (h + 1) & (g->hash_size - 1))
		if (!strcmp(g->l->s->services[g->hash[h] - 1].name, name))
			return (int)g->hash[h] - 1;
	return -1;
}

static void no_such_service(struct load *l, const struct spec_service *svc, struct origin at, const char *key,
	const char *name)
{
	const char *best = NULL, *at_sign = strchr(name, '@');
	unsigned least = 99, d;

	if (at_sign && !spec_template_of(l->s, name))
		spec_problem(l->s, SEV_ERROR, at, svc->name, "%s: '%s': there is no template '%.*s'", key, name,
			     (int)(at_sign + 1 - name), name);
	else if (at_sign && !at_sign[1])
		spec_problem(l->s, SEV_ERROR, at, svc->name, "%s: '%s' is a template; name an instance of it, such "
			     "as %s1", key, name, name);
	else if (at_sign && spec_name_kind(name) == NAME_BAD)
		spec_problem(l->s, SEV_ERROR, at, svc->name, "%s: '%.80s': the name of an instance must be "
			     "[a-z0-9][a-z0-9_.-]*, at most %u bytes with its template's", key, name, SPEC_NAME_MAX);
	if (at_sign)
		return;
	for (unsigned i = 0; i < l->s->nservices; i++)
		if (&l->s->services[i] != svc && value_is_near(name, l->s->services[i].name, &d) && d < least) {
			least = d;
			best = l->s->services[i].name;
		}
	spec_problem(l->s, SEV_ERROR, at, svc->name, "%s: there is no service '%s'%s%s%s", key, name,
		best ? " (did you mean '" : "",
		     best ? best : "", best ? "'?)" : "");
}

/* One of the lists by which services name each other. */
struct names {
	const char *key;
	const void *field;
	const struct spec_dep_list *deps;	/* this one or */
	const struct str_list *list;		/* this one or */
	const char *one;			/* this, when there is one */
	bool order, reverse;			/* it orders; the other one comes later */
};

#define KINDS 7

static void names_of(const struct spec_service *svc, struct names v[static KINDS])
{
	v[0] = (struct names){ "depends_on", &svc->depends_on, &svc->depends_on, NULL, NULL, true, false };
	v[1] = (struct names){ "wants", &svc->wants, NULL, &svc->wants, NULL, false, false };
	v[2] = (struct names){ "after", &svc->after, NULL, &svc->after, NULL, true, false };
	v[3] = (struct names){ "before", &svc->before, NULL, &svc->before, NULL, true, true };
	v[4] = (struct names){ "on_failure", &svc->on_failure, NULL, NULL,
			       svc->on_failure == ON_FAILURE_START ? svc->on_failure_start : NULL, false, false };
	v[5] = (struct names){ "conflicts", &svc->conflicts, NULL, &svc->conflicts, NULL, false, false };
	v[6] = (struct names){ "isolation.network.service", &svc->network.service, NULL, NULL, svc->network.service,
			       true, false };
}

static unsigned count(const struct names *k)
{
	return k->deps ? k->deps->n : k->list ? k->list->n : k->one != NULL;
}

static const char *name_at(const struct names *k, unsigned i)
{
	return k->deps ? k->deps->v[i].name : k->list ? k->list->v[i] : k->one;
}

void each_name(const struct spec_service *svc, void (*say)(void *ctx, const char *name), void *ctx)
{
	struct names kinds[KINDS];

	names_of(svc, kinds);
	for (unsigned k = 0; k < KINDS; k++)
		for (unsigned j = 0; j < count(&kinds[k]); j++)
			say(ctx, name_at(&kinds[k], j));
}

/* Calls `edge` for each pair of services that is ordered; tells names that lead nowhere when asked to. */
static void each_edge(struct graph *g, bool tell, void (*edge)(struct graph *, unsigned later, unsigned earlier,
	struct origin))
{
	struct spec *s = g->l->s;

	for (unsigned i = 0; i < s->nservices; i++) {
		struct spec_service *svc = &s->services[i];
		struct names kinds[KINDS];

		names_of(svc, kinds);
		for (unsigned k = 0; k < KINDS; k++)
			for (unsigned j = 0; j < count(&kinds[k]); j++) {
				struct origin at = spec_from(svc, kinds[k].field);
				int other = find(g, name_at(&kinds[k], j));

				if (other < 0 && tell)
					no_such_service(g->l, svc, at, kinds[k].key, name_at(&kinds[k], j));
				if (other >= 0 && kinds[k].order)
					edge(g, kinds[k].reverse ? (unsigned)other : i,
						kinds[k].reverse ? i : (unsigned)other, at);
			}
	}
}

static void count_edge(struct graph *g, unsigned later, unsigned earlier, struct origin at)
{
	(void)earlier;
	(void)at;
	g->first[later + 1]++;
	g->n++;
}

static void fill_edge(struct graph *g, unsigned later, unsigned earlier, struct origin at)
{
	g->edges[g->first[later]++] = (struct edge){ earlier, at };
}

/* "a (f:3) -> b (f:9) -> a", once for each service on it, beginning with it: each is condemned. */
static void tell_cycle(struct graph *g, unsigned from, const struct origin *at)
{
	struct spec *s = g->l->s;
	unsigned n = g->depth - from;

	for (unsigned i = 0; i < n; i++) {
		char text[800];
		struct text t = TEXT_IN(text);

		for (unsigned j = 0; j < n; j++) {
			unsigned k = from + (i + j) % n;

			text_fmt(&t, "%s (%s:%u) -> ", s->services[g->path[k]].name, s->files[at[k].file], at[k].line);
			if (t.cut)
				break;
		}
		const char *self = s->services[g->path[from + i]].name;

		spec_problem(s, SEV_ERROR, at[from + i], self, "waits for itself: %s%s", text, t.cut ? "..." : self);
	}
}

/* Depth first without recursion: a chain of thousands of services must not need a deep stack. */
static void search(struct graph *g, unsigned start, unsigned *next, struct origin *at)
{
	g->depth = 0;
	g->path[g->depth++] = start;
	g->seen[start] = 1;
	next[start] = g->first[start];
	while (g->depth) {
		unsigned here = g->path[g->depth - 1];

		if (next[here] == g->first[here + 1]) {
			g->seen[here] = 2;
			g->depth--;
			continue;
		}
		const struct edge *e = &g->edges[next[here]++];

		at[g->depth - 1] = e->at;
		if (g->seen[e->to] == 1) {
			unsigned from = g->depth - 1;

			while (g->path[from] != e->to)
				from--;
			tell_cycle(g, from, at);
		} else if (g->seen[e->to] == 0) {
			g->seen[e->to] = 1;
			next[e->to] = g->first[e->to];
			g->path[g->depth++] = e->to;
		}
	}
}

void check_graph(struct load *l)
{
	struct graph g = { .l = l };
	unsigned n = l->s->nservices;
	struct arena *a = &l->s->arena;

	g.first = arena_get(a, (n + 2) * sizeof *g.first);
	g.path = arena_get(a, (n + 1) * sizeof *g.path);
	g.seen = arena_get(a, n + 1);
	unsigned *next = arena_get(a, (n + 1) * sizeof *next);
	struct origin *at = arena_get(a, (n + 1) * sizeof *at);
	bool fits = g.first && g.path && g.seen && next && at && make_hash(&g);

	if (fits) {
		each_edge(&g, true, count_edge);
		g.edges = arena_get(a, (g.n + 1) * sizeof *g.edges);
		fits = g.edges;
	}
	if (!fits) {
		spec_problem(l->s, SEV_ERROR, (struct origin){ 0 }, NULL, "no memory left for the configuration");
		return;
	}
	/* Counts become starting points; filling moves each to the next one's, so they are moved back after it. */
	for (unsigned i = 0; i < n; i++)
		g.first[i + 1] += g.first[i];
	each_edge(&g, false, fill_edge);
	for (unsigned i = n; i > 0; i--)
		g.first[i] = g.first[i - 1];
	g.first[0] = 0;
	for (unsigned i = 0; i < n; i++)
		if (g.seen[i] == 0)
			search(&g, i, next, at);
}
