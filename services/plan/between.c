/* Which services are of which plan, and the writing of all of them as one: see between.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/between.h"
#include "init/base/text.h"
#include "services/plan/between_clash.h"
#include "services/plan/changes.h"
#include "services/plan/types.h"
#include "services/plan/write.h"
#include "services/spec/spec.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE CHANGES_NONE

struct between {
	const struct plan *now, *next;
	const uint8_t *leaving;
	uint32_t to_new[PLAN_SERVICES_MAX], to_old[PLAN_SERVICES_MAX];
	bool kept[PLAN_SERVICES_MAX];		/* by number in now: it has to be there as it is */
	bool held[PLAN_SERVICES_MAX];		/* by number in next: it waits */
	bool stays[PLAN_SERVICES_MAX];		/* by number in now: it is kept, or its place is held */
	struct clashes *clashes;		/* owned; what those that stay have */
	uint32_t at_now[PLAN_SERVICES_MAX], at_next[PLAN_SERVICES_MAX]; /* places in the plan between, or NONE */
	uint32_t n, advanced;			/* services; how many of them are as in next, and not as in now */
	struct plan_service *services;		/* owned */
	const struct plan **of;			/* owned: which plan each is from */
	struct writer w;
};

/* The service that a reference to one at most names. */
static uint32_t first_of(const struct plan *p, struct plan_ref r)
{
	return r.n ? PLAN_FIRST(p, r, struct plan_dep)->service : NONE;
}

static bool is_same(const struct between *b, uint32_t k)
{
	return b->to_old[k] != NONE && !changes_service(b->now, b->to_old[k], b->next, k);
}

/* --- who waits --- */

/* It has what it has until the reload is done, be it only sockets that stay open for one that waits. */
static void stay(struct between *b, uint32_t i)
{
	if (!b->stays[i])
		clashes_hold(b->clashes, i, true);
	b->stays[i] = true;
}

static void hold(struct between *b, uint32_t k)
{
	b->held[k] = true;
	if (b->to_old[k] != NONE)
		stay(b, b->to_old[k]);
}

/* One that somebody who is alive cannot be without. */
static void keep(struct between *b, uint32_t i)
{
	if (i == NONE)
		return;
	b->kept[i] = true;
	stay(b, i);
	if (b->to_new[i] != NONE)
		hold(b, b->to_new[i]);
}

/* Who is alive, the base of a slot that is, and whose network it has. */
static void find_kept(struct between *b)
{
	for (uint32_t i = 0; i < b->now->head->services.n; i++) {
		const struct plan_service *s = plan_service(b->now, i);

		if (b->leaving[i] != LEAVING_ALIVE)
			continue;
		b->kept[i] = true;
		stay(b, i);
		keep(b, first_of(b->now, s->base));
		keep(b, first_of(b->now, s->share));
		clashes_crowd(b->clashes, i);
	}
}

/* With another one that stays. */
static bool clashes(const struct between *b, uint32_t k)
{
	const uint32_t own = b->to_old[k];
	const bool stays = own != NONE && b->stays[own];

	if (stays)
		clashes_hold(b->clashes, own, false);
	bool any = clashes_any(b->clashes, k);

	if (stays)
		clashes_hold(b->clashes, own, true);
	PLAN_EACH(struct plan_link, l, b->next, plan_service(b->next, k)->links)
		any |= l->bridge.n && clashes_bridge(b->clashes, plan_str(b->next, l->bridge));
	return any;
}

static bool has_held(const struct between *b, struct plan_ref deps, bool only_needs)
{
	PLAN_EACH(struct plan_dep, d, b->next, deps)
		if (b->held[d->service] &&
		    (!only_needs || (d->kind == DEP_REQUIRES && d->condition != COND_COMPLETED)))
			return true;
	return false;
}

static bool must_wait(const struct between *b, uint32_t k)
{
	const struct plan_service *s = plan_service(b->next, k);
	const struct plan_care *c = plan_care(b->next, s);
	const uint8_t was = b->to_old[k] == NONE ? LEAVING_NOT : b->leaving[b->to_old[k]];
	const bool same = is_same(b, k);

	if (same && was == LEAVING_NOT)
		return false;
	return was == LEAVING_ALIVE || has_held(b, s->deps, same) ||
	       (!same && (has_held(b, s->base, false) || (c && has_held(b, c->on_failure, false)) || clashes(b, k)));
}

/* What waits has others wait, whose services may come before it in any order but that of starts. */
static void find_held(struct between *b)
{
	const uint32_t *order = PLAN_FIRST(b->next, b->next->head->start_order, uint32_t);
	bool again = true;

	find_kept(b);
	while (again) {
		again = false;
		for (uint32_t n = 0; n < b->next->head->services.n; n++)
			if (!b->held[order[n]] && must_wait(b, order[n])) {
				hold(b, order[n]);
				again = true;
			}
	}
}

/* --- who is where --- */

static bool is_advanced(const struct between *b, uint32_t k)
{
	return k != NONE && !b->held[k] && !is_same(b, k);
}

static void give_places(struct between *b)
{
	const uint32_t n = b->now->head->services.n, m = b->next->head->services.n;

	for (uint32_t i = 0, k = 0; i < n || k < m;) {
		const int order = i == n ? 1 : k == m ? -1 :
				  strcmp(plan_str(b->now, plan_service(b->now, i)->name),
					 plan_str(b->next, plan_service(b->next, k)->name));
		const bool there = order < 0 ? b->kept[i] : order == 0 || !b->held[k];

		if (order <= 0)
			b->at_now[i++] = there ? b->n : NONE;
		if (order >= 0)
			b->at_next[k++] = there ? b->n : NONE;
		b->n += there;
		b->advanced += order >= 0 && is_advanced(b, k - 1);
	}
}

/* --- writing --- */

static struct plan_ref copy_ref(struct between *b, const struct plan *p, const struct plan_type *of,
				struct plan_ref r);

static void copy_fields(struct between *b, const struct plan *p, const struct plan_type *t, unsigned char *record)
{
	for (const struct plan_field *f = t->fields; f < t->fields + t->nfields; f++) {
		struct plan_ref r;

		memcpy(&r, record + f->at, sizeof r);
		r = copy_ref(b, p, f->of, r);
		memcpy(record + f->at, &r, sizeof r);
	}
}

/* Their numbers are others here. */
static void renumber(const struct between *b, const struct plan *p, struct plan_dep *d, uint32_t *n)
{
	const uint32_t *places = p == b->now ? b->at_now : b->at_next;
	uint32_t kept = 0;

	for (uint32_t x = 0; x < *n; x++)
		if (places[d[x].service] != NONE) {
			d[kept] = d[x];
			d[kept++].service = places[d[x].service];
		}
	*n = kept;
}

static struct plan_ref copy_ref(struct between *b, const struct plan *p, const struct plan_type *of, struct plan_ref r)
{
	if (!r.at)
		return r;
	if (of->is_string)
		return write_string_n(&b->w, plan_str(p, r), r.n);
	unsigned char *rows = malloc((size_t)r.n * of->size + 1);

	if (!rows) {
		b->w.failed = ENOMEM;
		return (struct plan_ref){ 0 };
	}
	memcpy(rows, plan_array(p, r), (size_t)r.n * of->size);
	if (of->is_dep)
		renumber(b, p, (struct plan_dep *)(void *)rows, &r.n);
	for (uint32_t i = 0; of->nfields && i < r.n; i++)
		copy_fields(b, p, of, rows + (size_t)i * of->size);
	r = write_table(&b->w, rows, r.n, of->size);
	free(rows);
	return r;
}

static void copy_services(struct between *b, struct plan_head *h)
{
	for (uint32_t k = 0; k < b->next->head->services.n; k++)
		if (is_advanced(b, k)) {
			b->services[b->at_next[k]] = *plan_service(b->next, k);
			b->of[b->at_next[k]] = b->next;
		}
	for (uint32_t i = 0; i < b->now->head->services.n; i++)
		if (b->at_now[i] != NONE && !b->of[b->at_now[i]]) {
			b->services[b->at_now[i]] = *plan_service(b->now, i);
			b->of[b->at_now[i]] = b->now;
		}
	for (uint32_t x = 0; x < b->n; x++)
		copy_fields(b, b->of[x], &plan_service_type, (unsigned char *)&b->services[x]);
	h->services = write_table(&b->w, b->services, b->n, sizeof *b->services);
}

/* Those of a table of numbers that are in the plan between as they are in p. */
static unsigned pick(const struct between *b, const struct plan *p, struct plan_ref r, uint32_t *out)
{
	const uint32_t *places = p == b->now ? b->at_now : b->at_next;
	unsigned n = 0;

	PLAN_EACH(uint32_t, v, p, r)
		if (places[*v] != NONE && b->of[places[*v]] == p)
			out[n++] = places[*v];
	return n;
}

static int ascending(const void *x, const void *y)
{
	const uint32_t a = *(const uint32_t *)x, c = *(const uint32_t *)y;

	return (a > c) - (a < c);
}

static struct plan_ref merge(struct between *b, struct plan_ref now, struct plan_ref next)
{
	uint32_t v[PLAN_SERVICES_MAX];
	unsigned n = pick(b, b->now, now, v);

	n += pick(b, b->next, next, v + n);
	qsort(v, n, sizeof *v, ascending);
	return write_table(&b->w, v, n, sizeof *v);
}

static void copy_refused(struct between *b, struct plan_head *h)
{
	struct plan_refused *v = malloc((b->now->head->refused.n + 1) * sizeof *v);
	uint32_t n = 0;

	if (!v)
		b->w.failed = ENOMEM;
	PLAN_EACH(struct plan_refused, r, b->now, b->now->head->refused) {
		const int k = plan_find(b->next, plan_str(b->now, r->name));

		if (v && (k < 0 || b->held[k]))
			v[n++] = (struct plan_refused){ copy_ref(b, b->now, &plan_string_type, r->name),
							copy_ref(b, b->now, &plan_string_type, r->why), r->exit_code };
	}
	h->refused = write_table(&b->w, v, n, sizeof *v);
	free(v);
}

/* All that is not about services or bridges is in effect with `next`. */
static void copy_head(struct between *b, struct plan_head *h)
{
	static const size_t others[] = {
		offsetof(struct plan_head, services), offsetof(struct plan_head, start_order),
		offsetof(struct plan_head, asked), offsetof(struct plan_head, disabled),
		offsetof(struct plan_head, bridges), offsetof(struct plan_head, hosts),
		offsetof(struct plan_head, refused),
	};

	*h = *b->now->head;
	for (const struct plan_field *f = plan_head_type.fields; f < plan_head_type.fields + plan_head_type.nfields;
	     f++) {
		struct plan_ref r, none = { 0 };
		bool other = false;

		memcpy(&r, (unsigned char *)h + f->at, sizeof r);
		for (size_t i = 0; i < sizeof others / sizeof *others; i++)
			other |= f->at == others[i];
		r = other ? none : copy_ref(b, b->now, f->of, r);
		memcpy((unsigned char *)h + f->at, &r, sizeof r);
	}
}

static const struct plan_file *hosts_of(const struct plan *p, const char *name)
{
	PLAN_EACH(struct plan_file, f, p, p->head->hosts)
		if (!strcmp(plan_str(p, f->path), name))
			return f;
	return NULL;
}

/* One of the bridges in a list like "front:back" stays as it was. */
static bool one_is_kept(const struct between *b, const char *names)
{
	char name[16];

	while (*names)
		if (clashes_bridge(b->clashes, bridge_next(&names, name)))
			return true;
	return false;
}

/* The names of a bridge go with the bridge; those of several are of now where one of them is, and somebody has them. */
static void copy_hosts(struct between *b, struct plan_head *h)
{
	const uint32_t most = b->now->head->hosts.n + b->next->head->hosts.n;
	struct plan_file *v = calloc(most + 1, sizeof *v);
	uint32_t n = 0;

	if (!v)
		b->w.failed = ENOMEM;
	for (const struct plan *p = b->next; v; p = b->now) {
		PLAN_EACH(struct plan_file, f, p, p->head->hosts) {
			const char *name = plan_str(p, f->path);
			const struct plan_file *was = hosts_of(b->now, name);

			if (p == b->now && hosts_of(b->next, name))
				continue;
			const bool old = was && one_is_kept(b, name);

			v[n++] = (struct plan_file){ write_string(&b->w, name),
						     copy_ref(b, old ? b->now : p, &plan_string_type,
							      old ? was->value : f->value) };
		}
		if (p == b->now)
			break;
	}
	h->hosts = write_table(&b->w, v, n, sizeof *v);
	free(v);
}

static void copy_bridges(struct between *b, struct plan_head *h)
{
	const uint32_t most = b->now->head->bridges.n + b->next->head->bridges.n;
	struct plan_bridge *v = calloc(most + 1, sizeof *v);
	uint32_t n = 0;

	if (!v)
		b->w.failed = ENOMEM;
	for (const struct plan *p = b->next; v; p = b->now) {
		PLAN_EACH(struct plan_bridge, x, p, p->head->bridges) {
			const char *name = plan_str(p, x->name);
			const bool kept = clashes_bridge(b->clashes, name);

			if (p == b->next ? kept : !kept && clashes_bridge_of(b->next, name))
				continue;
			v[n] = *x;
			v[n].name = write_string(&b->w, name);
			v[n].addrs = write_table(&b->w, plan_array(p, x->addrs), x->addrs.n, sizeof(struct plan_addr));
			n++;
		}
		if (p == b->now)
			break;
	}
	h->bridges = write_table(&b->w, v, n, sizeof *v);
	free(v);
	copy_hosts(b, h);
}

/* What it waits for, and the base of a slot: what has to come before it. */
static unsigned befores(const struct between *b, const struct plan *p, uint32_t x, uint32_t *out)
{
	const struct plan_service *s = &b->services[x];
	unsigned n = 0;

	PLAN_EACH(struct plan_dep, d, p, s->deps)
		if (d->kind == DEP_REQUIRES || d->kind == DEP_AFTER)
			out[n++] = d->service;
	if (s->base.n)
		out[n++] = PLAN_FIRST(p, s->base, struct plan_dep)->service;
	return n;
}

/* Depth first. False: together they go in a circle, which neither plan did. */
static bool visit(const struct between *b, const struct plan *p, uint32_t x, unsigned char *seen, uint32_t *order,
		  uint32_t *n)
{
	const uint32_t most = b->services[x].deps.n + 1;
	uint32_t *before = seen[x] ? NULL : malloc(most * sizeof *before);
	unsigned count = 0;
	bool well = seen[x] == 2 || before;

	if (before) {
		seen[x] = 1;
		count = befores(b, p, x, before);
	}
	for (unsigned k = 0; k < count && well; k++)
		well = visit(b, p, before[k], seen, order, n);
	free(before);
	if (well && seen[x] == 1) {
		seen[x] = 2;
		order[(*n)++] = x;
	}
	return well;
}

static bool write_order(struct between *b, struct plan_head *h)
{
	const struct plan written = { .at = b->w.at, .head = h, .size = b->w.used };
	uint32_t *order = calloc(b->n + 1, sizeof *order), n = 0;
	unsigned char *seen = calloc(b->n + 1, 1);
	bool well = order && seen && !b->w.failed;

	for (uint32_t x = 0; x < b->n && well; x++)
		well = visit(b, &written, x, seen, order, &n);
	if (well)
		h->start_order = write_table(&b->w, order, n, sizeof *order);
	free(order);
	free(seen);
	return well;
}

static int write_all(struct between *b, int *fd, struct err *e)
{
	struct plan_head h;

	write_begin(&b->w);
	copy_head(b, &h);
	copy_bridges(b, &h);
	copy_services(b, &h);
	copy_refused(b, &h);
	h.asked = merge(b, b->now->head->asked, b->next->head->asked);
	h.disabled = merge(b, b->now->head->disabled, b->next->head->disabled);
	if (!write_order(b, &h))
		return 0;
	h.network_tag = plan_network_hash(&(struct plan){ .at = b->w.at, .head = &h, .size = b->w.used });
	return write_end(&b->w, &h, fd, e) < 0 ? -e->code : 1;
}

int plan_between(const struct plan *now, const struct plan *next, const uint8_t *leaving, int *fd, struct err *e)
{
	struct between *b = calloc(1, sizeof *b);
	int ret = 0;

	if (!b)
		return err_set(e, ENOMEM, "a plan between two: out of memory");
	*b = (struct between){ .now = now, .next = next, .leaving = leaving };
	changes_match(now, next, b->to_new, b->to_old);
	b->clashes = clashes_of(now, next);
	if (b->clashes) {
		find_held(b);
		give_places(b);
	} else {
		ret = err_set(e, ENOMEM, "a plan between two: out of memory");
	}
	if (b->advanced && b->n <= PLAN_SERVICES_MAX) {
		b->services = calloc(b->n, sizeof *b->services);
		b->of = calloc(b->n, sizeof *b->of);
		ret = b->services && b->of ? write_all(b, fd, e) :
		      err_set(e, ENOMEM, "a plan between two: out of memory");
	}
	write_free(&b->w);
	clashes_free(b->clashes);
	free(b->services);
	free(b->of);
	free(b);
	return ret;
}
