/* What a service cannot have while another one that stops has it: ids, addresses, ports, what both may write. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan.h"

/*
 * A table of all such things of all services of both plans, so that nobody need compare them by pairs. For children:
 * from the heap; NULL: there is not enough. The plans have to outlive it.
 */
struct clashes;
struct clashes *clashes_of(const struct plan *now, const struct plan *next);
void clashes_free(struct clashes *c);
/* Service i of now has what is its own, or has it no more; at first nobody has anything. */
void clashes_hold(struct clashes *c, uint32_t i, bool holds);
/* Service i of now is alive: the bridges that it is on are needed. */
void clashes_crowd(struct clashes *c, uint32_t i);
/* Such a bridge of now, which is another one in next, or gone: it has to stay as it is. */
bool clashes_bridge(const struct clashes *c, const char *name);
/* The bridge of this name; NULL: there is none. */
const struct plan_bridge *clashes_bridge_of(const struct plan *p, const char *name);
/* Somebody has what service k of next would have, too. */
bool clashes_any(const struct clashes *c, uint32_t k);
