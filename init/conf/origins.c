/* Where the values of an object come from: only what is its own is kept, for most are its preset's or defaults. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/conf.h"
#include <string.h>

#define ROOM 8	/* first; a service says some ten things itself, of some 300 rows */

bool origins_begin(struct origins *o, struct arena *a, unsigned rows, const struct origins *below)
{
	*o = (struct origins){ .below = below, .slot = arena_get(a, rows * sizeof *o->slot) };
	return o->slot;
}

struct origin origins_get(const struct origins *o, int row)
{
	for (; o && row >= 0; o = o->below)
		if (o->slot[row])
			return o->v[o->slot[row] - 1];
	return (struct origin){ 0 };
}

static bool grow(struct origins *o, struct arena *a)
{
	const unsigned room = o->room ? o->room * 2 : ROOM;
	struct origin *v = arena_get(a, room * sizeof *v);

	if (!v)
		return false;
	if (o->n)
		memcpy(v, o->v, o->n * sizeof *v);
	o->v = v;
	o->room = room;
	return true;
}

void origins_set(struct origins *o, struct arena *a, int row, struct origin at)
{
	if (row < 0 || (!o->slot[row] && o->n == o->room && !grow(o, a)))
		return;		/* the next thing that needs memory says so */
	if (!o->slot[row])
		o->slot[row] = (uint16_t)++o->n;
	o->v[o->slot[row] - 1] = at;
}
