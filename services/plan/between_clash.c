/* What only one can have, and who has it: see between_clash.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/between_clash.h"
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>

enum thing { A_UID, A_PATH, A_PORT, A_VSOCK_PORT, AN_INTERFACE, AN_ADDRESS, A_PUBLISHED_PORT, A_DIRECTORY, A_FOLDER };

/* One such thing of one service; the same thing has the same id. */
struct claim {
	enum thing what;
	uint32_t id;
	uint64_t number[3];
	const char *text[2];
};

struct clashes {
	struct claim *v;		/* owned; service by service, those of now first */
	struct claim **sorted;		/* owned, while they are numbered */
	uint32_t *from;			/* owned; where the claims of each service begin, and where the last ones end */
	uint32_t *holders;		/* owned; by id: how many have it */
	size_t n, room;
	const struct plan *now, *next;
	bool *crowded;			/* owned; by number of now's bridges: somebody who is alive is on it */
	bool failed;			/* for want of memory */
};

static void add(struct clashes *c, struct claim claim)
{
	if (c->n == c->room) {
		size_t room = c->room ? 2 * c->room : 1024;
		struct claim *v = reallocarray(c->v, room, sizeof *v);

		if (!v) {
			c->failed = true;
			return;
		}
		c->v = v;
		c->room = room;
	}
	for (unsigned i = 0; i < 2; i++)
		if (!claim.text[i])
			claim.text[i] = "";
	c->v[c->n++] = claim;
}

/* One port is enough, whatever the addresses: some of them mean all. */
static void add_sockets(struct clashes *c, const struct plan *p, const struct plan_service *s, bool has)
{
	PLAN_EACH(struct plan_listen, x, p, s->listen) {
		if (x->in_cell || (has && x->kind == LISTEN_CONNECTION))
			continue;
		if (x->path.n)
			add(c, (struct claim){ A_PATH, .text = { plan_str(p, x->path) } });
		if (x->port)
			add(c, (struct claim){ A_PORT, .number = { x->kind, x->port } });
		if (x->kind == LISTEN_VSOCK)
			add(c, (struct claim){ A_VSOCK_PORT, .number = { x->port32 } });
	}
}

static void add_networks(struct clashes *c, const struct plan *p, const struct plan_link *l)
{
	if (l->ifname.n)
		add(c, (struct claim){ AN_INTERFACE, .text = { plan_str(p, l->ifname) } });
	PLAN_EACH(struct plan_addr, x, p, l->addrs) {
		struct claim address = { AN_ADDRESS, .number = { x->family } };

		memcpy(address.number + 1, x->ip, sizeof x->ip);
		add(c, address);
	}
	PLAN_EACH(struct plan_port, x, p, l->ports)
		add(c, (struct claim){ A_PUBLISHED_PORT, .number = { x->proto, x->from } });
}

/* What both may write: a service that was renamed has the files that the old one brings to the disk. */
static void add_files(struct clashes *c, const struct plan *p, const struct plan_service *s, bool has)
{
	const uint32_t others = MOUNT_F_OPTIONAL | MOUNT_F_RUNTIME | MOUNT_F_OWN | MOUNT_F_HOSTS;

	PLAN_EACH(struct plan_dir, x, p, s->dirs)
		if (x->base.n && x->name.n && (!has || x->kind < DIR_MOUNT_POINT))
			add(c, (struct claim){ A_DIRECTORY, .text = { plan_str(p, x->base), plan_str(p, x->name) } });
	PLAN_EACH(struct plan_mount, x, p, s->mounts)
		if (x->kind == MOUNT_BIND && x->source.n && !(x->attr & MOUNT_ATTR_RDONLY) &&
		    (!has || !(x->flags & others)))
			add(c, (struct claim){ A_FOLDER, .text = { plan_str(p, x->source) } });
}

/* has: it is one that has them, not one that is to. */
static void add_all(struct clashes *c, const struct plan *p, bool has, uint32_t *from)
{
	for (uint32_t i = 0; i < p->head->services.n; i++) {
		const struct plan_service *s = plan_service(p, i);

		from[i] = (uint32_t)c->n;
		if (s->flags & CELL_DYNAMIC)
			add(c, (struct claim){ A_UID, .number = { s->uid } });
		add_sockets(c, p, s, has);
		PLAN_EACH(struct plan_link, l, p, s->links)
			add_networks(c, p, l);
		add_files(c, p, s, has);
	}
	from[p->head->services.n] = (uint32_t)c->n;
}

static int by_thing(const void *x, const void *y)
{
	const struct claim *a = *(struct claim *const *)x, *b = *(struct claim *const *)y;
	int order = (a->what > b->what) - (a->what < b->what);

	for (unsigned i = 0; i < 3 && !order; i++)
		order = (a->number[i] > b->number[i]) - (a->number[i] < b->number[i]);
	for (unsigned i = 0; i < 2 && !order; i++)
		order = strcmp(a->text[i], b->text[i]);
	return order;
}

static void give_ids(struct clashes *c)
{
	uint32_t id = 0;

	for (size_t k = 0; k < c->n; k++)
		c->sorted[k] = c->v + k;
	qsort(c->sorted, c->n, sizeof *c->sorted, by_thing);
	for (size_t k = 0; k < c->n; k++) {
		id += k > 0 && by_thing(c->sorted + k - 1, c->sorted + k);
		c->sorted[k]->id = id;
	}
}

struct clashes *clashes_of(const struct plan *now, const struct plan *next)
{
	const uint32_t n = now->head->services.n, m = next->head->services.n;
	struct clashes *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->now = now;
	c->next = next;
	c->crowded = calloc((size_t)now->head->bridges.n + 1, sizeof *c->crowded);
	c->from = calloc((size_t)n + m + 1, sizeof *c->from);
	if (c->from) {
		add_all(c, now, true, c->from);
		add_all(c, next, false, c->from + n);
	}
	c->sorted = calloc(c->n + 1, sizeof *c->sorted);
	c->holders = calloc(c->n + 1, sizeof *c->holders);
	if (c->failed || !c->crowded || !c->from || !c->sorted || !c->holders) {
		clashes_free(c);
		return NULL;
	}
	give_ids(c);
	return c;
}

void clashes_free(struct clashes *c)
{
	if (!c)
		return;
	free(c->v);
	free(c->sorted);
	free(c->from);
	free(c->holders);
	free(c->crowded);
	free(c);
}

void clashes_hold(struct clashes *c, uint32_t i, bool holds)
{
	for (uint32_t x = c->from[i]; x < c->from[i + 1]; x++) {
		if (holds)
			c->holders[c->v[x].id]++;
		else
			c->holders[c->v[x].id]--;
	}
}

const struct plan_bridge *clashes_bridge_of(const struct plan *p, const char *name)
{
	PLAN_EACH(struct plan_bridge, x, p, p->head->bridges)
		if (!strcmp(plan_str(p, x->name), name))
			return x;
	return NULL;
}

void clashes_crowd(struct clashes *c, uint32_t i)
{
	const struct plan_bridge *first = PLAN_FIRST(c->now, c->now->head->bridges, struct plan_bridge), *on;

	PLAN_EACH(struct plan_link, l, c->now, plan_service(c->now, i)->links) {
		on = clashes_bridge_of(c->now, plan_str(c->now, l->bridge));
		if (on)
			c->crowded[on - first] = true;
	}
}

bool clashes_bridge(const struct clashes *c, const char *name)
{
	const struct plan_bridge *first = PLAN_FIRST(c->now, c->now->head->bridges, struct plan_bridge),
				 *x = clashes_bridge_of(c->now, name), *y = clashes_bridge_of(c->next, name);

	return x && c->crowded[x - first] &&
	       !(y && x->mtu == y->mtu && x->addrs.n == y->addrs.n &&
		 !memcmp(plan_array(c->now, x->addrs), plan_array(c->next, y->addrs),
			 x->addrs.n * sizeof(struct plan_addr)));
}

bool clashes_any(const struct clashes *c, uint32_t k)
{
	const uint32_t *from = c->from + c->now->head->services.n + k;

	for (uint32_t x = from[0]; x < from[1]; x++)
		if (c->holders[c->v[x].id])
			return true;
	return false;
}
