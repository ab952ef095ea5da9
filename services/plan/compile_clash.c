/* Services that would listen at one address: the second could never start. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include "services/plan/listen.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One socket in the machine's network, of a service that is started at boot. */
struct place {
	struct work *w;
	const struct plan_listen *l;
	const struct spec_listen *from;
	const char *path, *device;
};

/* What sockets must have in common to be in each other's way; their addresses are looked at one by one. */
static int by_key(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	const struct listen_row *r = &listen_rows[a->l->kind], *q = &listen_rows[b->l->kind];

	if (r->has_path != q->has_path)
		return r->has_path - q->has_path;
	if (r->has_path)
		return strcmp(a->path, b->path);
	if (a->l->kind != b->l->kind)
		return a->l->kind < b->l->kind ? -1 : 1;
	const uint32_t m = r->has_port ? a->l->port : a->l->port32, n = r->has_port ? b->l->port : b->l->port32;

	return m < n ? -1 : m > n;
}

/* In the order of the services' names, so that it is the second of two that is refused. */
static int by_key_and_name(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	const int rc = by_key(x, y);

	return rc ? rc : a->w != b->w ? (a->w < b->w ? -1 : 1) : a->from < b->from ? -1 : a->from > b->from;
}

static bool is_any(const struct plan_addr *a)
{
	static const unsigned char none[16];

	return !memcmp(a->ip, none, a->family == AF_INET6 ? 16 : 4);
}

/* IPv4 comes to "::", too, where that is not for IPv6 alone. */
static bool overlap(const struct plan_listen *a, const struct plan_listen *b)
{
	if (a->addr.family == b->addr.family)
		return is_any(&a->addr) || is_any(&b->addr) || !memcmp(a->addr.ip, b->addr.ip, sizeof a->addr.ip);
	const struct plan_listen *six = a->addr.family == AF_INET6 ? a : b;

	return is_any(&six->addr) && !(six->flags & LISTEN_F_V6ONLY);
}

static bool clash(const struct place *a, const struct place *b)
{
	if (listen_rows[a->l->kind].has_path)
		return true;
	if (!listen_rows[a->l->kind].has_port)
		return a->l->number == b->l->number || a->l->number == UINT32_MAX || b->l->number == UINT32_MAX;
	if (a->l->flags & b->l->flags & LISTEN_F_REUSE_PORT)
		return false;
	return (!*a->device || !*b->device || !strcmp(a->device, b->device)) && overlap(a->l, b->l);
}

static bool names(const struct str_list *l, const char *name)
{
	for (unsigned i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], name))
			return true;
	return false;
}

static unsigned gather_places(struct compiling *c, struct work *w, struct place *to)
{
	const struct plan_listen *l = (const struct plan_listen *)(c->w.at + w->out.listen.at);
	unsigned n = 0;

	for (unsigned k = 0; k < w->out.listen.n; k++)
		if (!l[k].in_cell && l[k].kind != LISTEN_NETLINK)
			to[n++] = (struct place){ w, l + k, w->eff.listen.v + k,
						  l[k].path.n ? (const char *)c->w.at + l[k].path.at : "",
						  l[k].device.n ? (const char *)c->w.at + l[k].device.at : "" };
	return n;
}

static void refuse_second(struct compiling *c, const struct place *first, const struct place *second)
{
	if (first->w == second->w)
		refuse_at(c, second->w, second->from->from, "listen: socket '%s': the service's own socket '%s' has "
			  "that address already", second->from->name, first->from->name);
	else
		refuse_at(c, second->w, second->from->from, "listen: socket '%s': service %s listens there already; "
			  "give one of them another address, reuse_port on both, `conflicts`, or `enabled: false`",
			  second->from->name, first->w->svc->name);
}

/* Who is started by hand, in another's place or when that has failed may have the same address. */
static bool may_share(const struct place *a, const struct place *b)
{
	return a->w != b->w && (names(&a->w->eff.conflicts, b->w->svc->name) ||
				names(&b->w->eff.conflicts, a->w->svc->name));
}

static void look_at(struct compiling *c, struct place *p, unsigned n)
{
	qsort(p, n, sizeof *p, by_key_and_name);
	for (unsigned i = 1; i < n; i++)
		for (unsigned k = i; k-- > 0 && by_key(p + k, p + i) == 0;)
			if (!p[k].w->refused && !may_share(p + k, p + i) && clash(p + k, p + i)) {
				refuse_second(c, p + k, p + i);
				break;
			}
}

void compile_clash(struct compiling *c)
{
	struct place *p = NULL;
	bool *asked = calloc(c->n + 1, sizeof *asked);
	unsigned n = 0, room = 0;

	for (unsigned i = 0; asked && i < c->n; i++) {
		const struct spec_service *s = &c->work[i].eff;
		const char *name = s->on_failure == ON_FAILURE_START ? s->on_failure_start : NULL;
		const struct work *o = name ? work_find(c, name) : NULL;

		room += c->work[i].out.listen.n;
		if (o)
			asked[o - c->work] = true;
	}
	if (asked)
		p = calloc(room + 1, sizeof *p);
	c->no_memory |= !p;
	for (unsigned i = 0; p && i < c->n; i++)
		if (!c->work[i].refused && c->work[i].eff.enabled && !asked[i])
			n += gather_places(c, c->work + i, p + n);
	if (p && !c->w.failed)
		look_at(c, p, n);
	free(p);
	free(asked);
}
