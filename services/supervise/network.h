/* The bridges of a plan, the rules for their traffic, and the cells' names: made by a child of PID 1. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"
#include "netns/rules.h"

/*
 * Before the first start. Services on bridges wait for its end (network_is_awaited()), all others do not. What goes
 * wrong is an event, nothing is left of it, and each start on a bridge is refused.
 */
void network_begin(struct prior *p);
void network_resume(struct prior *p);	/* after an exec: what was being done is done once more */
/* The plan that a reload has made takes the place of the one that runs, or nothing has changed. 1: begun,
 * reload_network_ended() follows; 0: there is nothing to do. One at a time: not while network_pid is there. */
int network_change(struct prior *p, const struct plan *from, const struct plan *to, struct err *e);
/* A child was reaped, and how it went: what waited for it goes on. */
void network_ended(struct prior *p, pid_t pid, bool well);
/* After the last service, asked once per turn: rules, bridges and names go, but for those of a machine, which ends
 * itself. True when they have gone. */
bool network_is_gone(struct prior *p);

/* The bridges are still being made, or what is left of a try is being removed. */
static inline bool network_is_being_made(const struct ledger_head *h)
{
	return h->network == NETWORK_BEGINS || h->network == NETWORK_MENDS;
}

/* ... and service i needs one of them. */
static inline bool network_is_awaited(const struct prior *p, uint32_t i)
{
	return p->ledger.head && network_is_being_made(p->ledger.head) &&
	       plan_is_bridged(&p->plan, plan_service(&p->plan, i));
}

/* The plan as facts for the rules, in memory of the heap: for children and the control tool. */
int network_rules(const struct plan *p, struct rules *r, struct err *e);
void network_rules_free(struct rules *r);
