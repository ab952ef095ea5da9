/* The table of services: in name order, with a slot for each connection that may be served at once. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include <stdlib.h>
#include <string.h>

/* A service, or one slot of it. */
struct place {
	const char *name;
	struct work *w;
	unsigned slot;		/* from 1; 0: the service itself */
	uint32_t index;		/* in the plan */
};

static unsigned slots_of(const struct compiling *c, const struct work *w)
{
	if (w->refused || !w->out.connections.n || !c->w.at)
		return 0;
	return ((const struct plan_connections *)(const void *)(c->w.at + w->out.connections.at))->max;
}

/* How many in all; a service that does not fit with its slots is refused. */
static unsigned count(struct compiling *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n; i++)
		n += !c->work[i].refused;
	for (unsigned i = 0; i < c->n; i++) {
		struct work *w = c->work + i;
		const unsigned slots = slots_of(c, w);

		if (slots && n + slots > PLAN_SERVICES_MAX) {
			refuse(c, w, connections_max, "connections.max: with its %u connections there would be more "
			       "than %d services", slots, PLAN_SERVICES_MAX);
			n--;
		} else {
			n += slots;
		}
		for (unsigned k = 1; k <= slots; k++)
			if (work_find(c, compiling_fmt(c, "%s@%u", w->svc->name, k)))
				refuse_at(c, w, w->svc->from, "activate: connection: there is a service '%s@%u' "
					  "already", w->svc->name, k);
		if (slots && strlen(w->svc->name) + 5 > PLAN_NAME_MAX)
			refuse_at(c, w, w->svc->from, "activate: connection: the service's name has more than %d bytes",
				  PLAN_NAME_MAX - 5);
	}
	return n;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

static unsigned lay_out(struct compiling *c, struct place *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n; i++) {
		struct work *w = c->work + i;

		if (w->refused)
			continue;
		p[n++] = (struct place){ .name = w->svc->name, .w = w };
		for (unsigned k = 1; k <= slots_of(c, w); k++)
			p[n++] = (struct place){ .name = compiling_fmt(c, "%s@%u", w->svc->name, k), .w = w,
						 .slot = k };
	}
	qsort(p, n, sizeof *p, by_name);
	for (unsigned i = 0; i < n; i++)
		if (!p[i].slot)
			p[i].w->index = i;
	return n;
}

/* What one of them would take away at its end is perhaps another's. */
static struct plan_ref kept_dirs(struct compiling *c, const struct work *w)
{
	struct plan_dir *d = w->ndirs ? compiling_get(c, w->ndirs * sizeof *d) : NULL;
	const struct plan_ref was = w->out.dirs;

	if (!d || c->w.failed || was.n > w->ndirs)
		return was;
	memcpy(d, c->w.at + was.at, was.n * sizeof *d);
	for (uint32_t i = 0; i < was.n; i++)
		d[i].flags |= DIR_F_KEEP;
	return write_table(&c->w, d, was.n, sizeof *d);
}

/* Like its base, but for what only that one has; nothing but a connection starts it, and its end is its end. */
static struct plan_service slot_of(struct compiling *c, const struct place *p)
{
	const struct plan_dep base = { .service = p->w->index, .kind = DEP_REQUIRES };
	const struct plan_listen l = { .name = write_string(&c->w, "connection"), .kind = LISTEN_CONNECTION,
				       .number = p->w->eff.connections_pass == 1 };
	struct plan_service s = p->w->out;

	s.name = write_string(&c->w, p->name);
	s.listen = write_table(&c->w, &l, 1, sizeof l);
	s.base = write_table(&c->w, &base, 1, sizeof base);
	s.connections = (struct plan_ref){ 0 };
	s.dirs = kept_dirs(c, p->w);
	s.flags |= CELL_ON_CALL;
	s.restart = RESTART_NO;
	return s;
}

/* Each slot right behind its base: what they need has come before. */
static void write_order(struct compiling *c, struct plan_head *h, const struct place *p, unsigned n)
{
	uint32_t *order = compiling_get(c, (n + 1) * sizeof *order), *first, at = 0;

	first = compiling_get(c, (n + 1) * sizeof *first);
	if (!order || !first)
		return;
	for (unsigned i = 0; i < n; i++)	/* where the slots of a base begin: they are neighbours */
		if (p[i].slot && (!first[p[i].w->index] || first[p[i].w->index] > i + 1))
			first[p[i].w->index] = i + 1;
	for (unsigned k = 0; k < c->norder; k++) {
		const struct work *w = c->work + c->order[k];
		unsigned left = slots_of(c, w);

		if (w->refused)
			continue;
		order[at++] = w->index;
		for (uint32_t i = left ? first[w->index] - 1 : 0; left; i++)
			if (p[i].w == w && p[i].slot) {
				order[at++] = i;
				left--;
			}
	}
	h->start_order = write_table(&c->w, order, at, sizeof *order);
}

void slots_write(struct compiling *c, struct plan_head *h, void (*finish)(struct compiling *, struct work *))
{
	const unsigned most = count(c);
	struct place *p = compiling_get(c, (most + 1) * sizeof *p);
	struct plan_service *s = compiling_get(c, (most + 1) * sizeof *s);
	unsigned n;

	if (!p || !s)
		return;
	n = lay_out(c, p);
	for (unsigned i = 0; i < c->n; i++)
		if (!c->work[i].refused)
			finish(c, c->work + i);
	for (unsigned i = 0; i < n; i++)
		s[i] = p[i].slot ? slot_of(c, p + i) : p[i].w->out;
	h->services = write_table(&c->w, s, n, sizeof *s);
	write_order(c, h, p, n);
}
