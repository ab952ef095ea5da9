/* What waits for what: missing names, cycles, what falls with a refused service, and one order for all. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include "services/plan/enabled.h"
#include <stdlib.h>
#include <string.h>

/*
 * Tarjan's strongly connected components without recursion: one walk finds every cycle and yields the services with
 * what they wait for first. Linear in services and edges; ties are in the order of names because the walk begins so.
 */
struct visit {
	unsigned low, number;	/* 0: not seen yet */
	unsigned edge;		/* next edge to follow */
	unsigned parent;	/* 1 + work number; 0: root */
	bool open;		/* on the stack of components */
};

struct graph {
	struct compiling *c;
	struct visit *v;
	unsigned *stack, depth;	/* open services */
	unsigned *order, norder; /* dependencies first */
	unsigned counter;
};

static void edge_add(struct compiling *c, unsigned **list, unsigned *n, unsigned to)
{
	if ((*n & (*n - 1)) == 0) {	/* full at every power of two */
		unsigned *more = compiling_get(c, (*n ? *n * 2 : 1) * sizeof *more);

		if (!more)
			return;
		if (*n)
			memcpy(more, *list, *n * sizeof *more);
		*list = more;
	}
	(*list)[(*n)++] = to;
}

#define WORK_NUMBER(c, w) ((unsigned)((w) - (c)->work))

static void waits_for(struct compiling *c, struct work *w, struct work *other)
{
	edge_add(c, &w->edges, &w->nedges, WORK_NUMBER(c, other));
}

static struct work *named(struct compiling *c, struct work *w, struct origin at, const char *key, const char *name)
{
	struct work *other = work_find(c, name);

	/* The spec's own check has more to say about both; whoever comes here without it must hear of them too. */
	if (!other && !w->refused)
		refuse_at(c, w, at, "%s: there is no service '%s'", key, name);
	else if (other == w && !w->refused)
		refuse_at(c, w, at, "%s: a service cannot wait for itself", key);
	return other == w ? NULL : other;
}

static bool has_healthcheck(const struct spec_service *s)
{
	return s->healthcheck.test.n || s->healthcheck.http || s->healthcheck.tcp;
}

static void add_edges(struct compiling *c, struct work *w)
{
	const struct spec_service *s = w->svc;
	struct work *o;

	for (unsigned i = 0; i < s->depends_on.n; i++)
		if ((o = named(c, w, spec_from(s, &s->depends_on), "depends_on", s->depends_on.v[i].name))) {
			waits_for(c, w, o);
			edge_add(c, &w->needs, &w->nneeds, WORK_NUMBER(c, o));
			if (s->depends_on.v[i].condition == COND_HEALTHY && !has_healthcheck(o->svc))
				tell(c, w, depends_on, "depends_on: %s has no healthcheck: service_healthy means that "
				     "it is ready", o->svc->name);
		}
	if (s->network.service && (o = named(c, w, spec_from(s, &s->network.service), "isolation.network.service",
					     s->network.service))) {
		waits_for(c, w, o);
		edge_add(c, &w->needs, &w->nneeds, WORK_NUMBER(c, o));
	}
	for (unsigned i = 0; i < s->wants.n; i++)
		named(c, w, spec_from(s, &s->wants), "wants", s->wants.v[i]);
	if (s->on_failure == ON_FAILURE_START)
		named(c, w, spec_from(s, &s->on_failure), "on_failure", s->on_failure_start);
	for (unsigned i = 0; i < s->after.n; i++)
		if ((o = named(c, w, spec_from(s, &s->after), "after", s->after.v[i])))
			waits_for(c, w, o);
	for (unsigned i = 0; i < s->before.n; i++)
		if ((o = named(c, w, spec_from(s, &s->before), "before", s->before.v[i]))) {
			waits_for(c, o, w);
			edge_add(c, &o->before, &o->nbefore, WORK_NUMBER(c, w));
		}
	for (unsigned i = 0; i < s->conflicts.n; i++)
		if ((o = named(c, w, spec_from(s, &s->conflicts), "conflicts", s->conflicts.v[i]))) {
			edge_add(c, &w->rivals, &w->nrivals, WORK_NUMBER(c, o));
			edge_add(c, &o->rivals, &o->nrivals, WORK_NUMBER(c, w));
		}
}

/* "a -> b -> a", beginning with the first by name. */
static const char *cycle_text(struct compiling *c, const unsigned *members, unsigned n)
{
	struct work *first = c->work + members[0], *at = first;
	const char *text;

	for (unsigned i = 0; i < n; i++)
		if (c->work + members[i] < first)
			first = c->work + members[i];
	text = first->svc->name;
	at = first;
	for (unsigned steps = 0; steps < n && steps < 16; steps++) {
		struct work *next = NULL;

		for (unsigned i = 0; i < at->nedges && !next; i++)
			if (c->work[at->edges[i]].index == first->index)
				next = c->work + at->edges[i];
		if (!next)
			break;
		text = compiling_fmt(c, "%s -> %s", text, next->svc->name);
		at = next;
		if (at == first)
			break;
	}
	return text;
}

/* A component of several services is a cycle; all of its members are refused. */
static void close_component(struct graph *g, unsigned root)
{
	unsigned from = g->depth;

	do
		from--;
	while (g->stack[from] != root);
	unsigned n = g->depth - from;

	for (unsigned i = from; i < g->depth; i++) {
		g->v[g->stack[i]].open = false;
		g->c->work[g->stack[i]].index = root;	/* until indices are given out: the component */
		g->order[g->norder++] = g->stack[i];
	}
	if (n > 1) {
		const char *text = cycle_text(g->c, g->stack + from, n);

		for (unsigned i = from; i < g->depth; i++) {
			struct work *w = g->c->work + g->stack[i];

			if (!w->refused)
				refuse_at(g->c, w, w->svc->from, "waits for itself: %s", text);
		}
	}
	g->depth = from;
}

static void enter(struct graph *g, unsigned i, unsigned parent)
{
	g->v[i] = (struct visit){ .low = ++g->counter, .number = g->counter, .parent = parent, .open = true };
	g->stack[g->depth++] = i;
}

static void walk_from(struct graph *g, unsigned i)
{
	enter(g, i, 0);
	for (;;) {
		struct visit *v = g->v + i;
		const struct work *w = g->c->work + i;

		if (v->edge < w->nedges) {
			unsigned to = w->edges[v->edge++];

			if (!g->v[to].number) {
				enter(g, to, i + 1);
				i = to;
			} else if (g->v[to].open && g->v[to].number < v->low) {
				v->low = g->v[to].number;
			}
			continue;
		}
		if (v->low == v->number)
			close_component(g, i);
		if (!v->parent)
			return;
		i = v->parent - 1;
		if (v->low < g->v[i].low)
			g->v[i].low = v->low;
	}
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static void refuse_need(struct compiling *c, struct work *w, const char *name, const char *why)
{
	const struct spec_service *s = w->svc;
	const bool net = s->network.service && !strcmp(s->network.service, name);

	refuse_at(c, w, spec_from(s, net ? (const void *)&s->network.service : &s->depends_on), "%s: '%s' is %s",
		  net ? "isolation.network.service" : "depends_on", name, why);
}

/* What it needs it would stop, and then wait for. */
static void refuse_rival_needs(struct compiling *c, struct work *w)
{
	for (unsigned i = 0; i < w->nneeds; i++)
		for (unsigned k = 0; k < w->nrivals && !w->refused; k++)
			if (w->needs[i] == w->rivals[k])
				refuse_need(c, w, c->work[w->needs[i]].svc->name, "also what it conflicts with");
}

void graph_make(struct compiling *c)
{
	struct graph g = { .c = c, .v = compiling_get(c, (c->n + 1) * sizeof *g.v),
			   .stack = compiling_get(c, (c->n + 1) * sizeof *g.stack),
			   .order = compiling_get(c, (c->n + 1) * sizeof *g.order) };

	for (unsigned i = 0; i < c->n; i++)
		add_edges(c, c->work + i);
	if (!g.v || !g.stack || !g.order)
		return;
	for (unsigned i = 0; i < c->n; i++)
		refuse_rival_needs(c, c->work + i);
	for (unsigned i = 0; i < c->n; i++)
		if (c->work[i].nedges)
			qsort(c->work[i].edges, c->work[i].nedges, sizeof *c->work[i].edges, by_number);
	for (unsigned i = 0; i < c->n; i++)
		if (!g.v[i].number)
			walk_from(&g, i);
	c->order = g.order;
	c->norder = g.norder;
	/* In this order what a service needs has been judged before it. */
	for (unsigned i = 0; i < g.norder; i++) {
		struct work *w = c->work + g.order[i];

		for (unsigned j = 0; j < w->nneeds && !w->refused; j++) {
			struct work *need = c->work + w->needs[j];

			if (need->refused)
				refuse_need(c, w, need->svc->name, "refused itself");
		}
	}
}

static unsigned dep_add(struct compiling *c, struct plan_dep *d, unsigned n, const char *name, enum plan_dep_kind kind,
			unsigned condition)
{
	struct work *o = work_find(c, name);

	if (!o || o->refused)
		return n;
	d[n] = (struct plan_dep){ .service = o->index, .kind = (uint16_t)kind, .condition = (uint16_t)condition };
	return n + 1;
}

/* `before` of others is an `after` of ours. */
static void write_deps(struct compiling *c, struct work *w)
{
	const struct spec_service *s = w->svc;
	unsigned n = 0, most = s->depends_on.n + s->wants.n + s->after.n + w->nbefore + w->nrivals + 1;
	struct plan_dep *d = compiling_get(c, most * sizeof *d);

	if (!d)
		return;
	if (s->network.service && w->out.flags & CELL_NET)
		n = dep_add(c, d, 0, s->network.service, DEP_REQUIRES, COND_STARTED);
	if (n)
		w->out.share = write_table(&c->w, d, 1, sizeof *d);
	for (unsigned i = 0; i < s->depends_on.n; i++)
		n = dep_add(c, d, n, s->depends_on.v[i].name, DEP_REQUIRES, s->depends_on.v[i].condition);
	for (unsigned i = 0; i < s->wants.n; i++)
		n = dep_add(c, d, n, s->wants.v[i], DEP_WANTS, 0);
	for (unsigned i = 0; i < s->after.n; i++)
		n = dep_add(c, d, n, s->after.v[i], DEP_AFTER, 0);
	for (unsigned i = 0; i < w->nbefore; i++)
		n = dep_add(c, d, n, c->work[w->before[i]].svc->name, DEP_AFTER, 0);
	for (unsigned i = 0; i < w->nrivals; i++)
		n = dep_add(c, d, n, c->work[w->rivals[i]].svc->name, DEP_CONFLICTS, 0);
	w->out.deps = write_table(&c->w, d, n, sizeof *d);
}

/* Last, because it may name another service. */
static void write_care(struct compiling *c, struct work *w)
{
	struct plan_dep d;

	if (w->eff.on_failure == ON_FAILURE_START && dep_add(c, &d, 0, w->svc->on_failure_start, DEP_WANTS, 0))
		w->care.on_failure = write_table(&c->w, &d, 1, sizeof d);
	w->out.care = write_table(&c->w, &w->care, w->has_care, sizeof w->care);
}

/* What is to run when another has failed does not run before. */
static void mark_on_call(struct compiling *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		const struct spec_service *s = c->work[i].svc;
		struct work *o = s->on_failure == ON_FAILURE_START ? work_find(c, s->on_failure_start) : NULL;

		if (o)
			o->out.flags |= CELL_ON_CALL;
	}
}

static void write_templates(struct compiling *c, struct plan_head *h)
{
	const struct spec *s = c->s;
	struct plan_ref *names = s->ntemplates ? compiling_get(c, s->ntemplates * sizeof *names) : NULL;
	uint32_t *asked = compiling_get(c, (c->n + 1) * sizeof *asked);
	unsigned n = 0;

	for (unsigned i = 0; names && i < s->ntemplates; i++)
		names[i] = write_string(&c->w, s->templates[i].name);
	h->templates = write_table(&c->w, names, names ? s->ntemplates : 0, sizeof *names);
	for (unsigned i = 0; asked && i < c->n; i++)
		if (c->work[i].svc->asked && !c->work[i].refused)
			asked[n++] = c->work[i].index;
	h->asked = write_table(&c->w, asked, n, sizeof *asked);
}

static void write_disabled(struct compiling *c, struct plan_head *h)
{
	uint32_t *disabled = compiling_get(c, (c->n + 1) * sizeof *disabled);
	unsigned n = 0;

	for (unsigned i = 0; disabled && i < c->n; i++) {
		int said = enabled_of(c->f->enabled, c->work[i].svc->name);

		if (!c->work[i].refused && !(said < 0 ? c->work[i].svc->enabled : said))
			disabled[n++] = c->work[i].index;
	}
	h->disabled = write_table(&c->w, disabled, n, sizeof *disabled);
}

/* When all have their indices. */
static void finish(struct compiling *c, struct work *w)
{
	write_deps(c, w);
	write_care(c, w);
	w->out.note = write_string(&c->w, w->notes);
}

void graph_write(struct compiling *c, struct plan_head *h)
{
	mark_on_call(c);
	slots_write(c, h, finish);
	write_templates(c, h);
	write_disabled(c, h);
}
