/* The bridges of a plan, the rules for their traffic, and the cells' names: made by a child of PID 1. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"
#include "netns/rules.h"

/* Before the first start; waits for the child. What goes wrong is an event, and each start on a bridge is refused. */
void network_begin(struct prior *p);
/* The plan that a reload has made takes the place of the one that runs, or nothing has changed. 1: begun, see
 * network_ended(); 0: there is nothing to do. */
int network_change(struct prior *p, const struct plan *from, const struct plan *to, struct err *e);
/* The child of network_change() was reaped; how it went. */
int network_ended(struct prior *p, bool well, struct err *e);
/* After the last service: rules, bridges and names go. Not on a machine, which ends itself. Waits for the child. */
void network_end(struct prior *p);

/* The plan as facts for the rules, in memory of the heap: for children and the control tool. */
int network_rules(const struct plan *p, struct rules *r, struct err *e);
void network_rules_free(struct rules *r);
