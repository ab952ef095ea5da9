/* Who needs whom: edges from the plan, counts that tell in O(1) whether a service may start or stop. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * Each change of a state looks at that service's own edges once: starting or stopping n services with m edges is O(n
 * + m).
 *   requires  need must be up (or listening: a lazy service answers; or done) or, for service_completed_successfully,
 *             done
 *   wants     pulls need in, and waits for nothing
 *   conflicts stops need, and waits until it is down
 *   after     waits while need is on its way up; stops before it
 */
uint32_t deps_count(const struct plan *p);
void deps_build(struct prior *p);	/* p->edges, p->users and the counts */
void deps_refresh(struct prior *p);	/* the counts from the states that the ledger holds (after an exec) */

/* Service i has moved: update the counts, post EV_DEPS_READY, EV_DEP_FAILED, EV_FREE where they follow. */
void deps_changed(struct prior *p, uint32_t i);

/* Post a start to all that i requires or wants. asked: by a person, so what failed is tried again. */
void deps_pull(struct prior *p, uint32_t i, bool asked);
/* i waits: say for what in the ledger. False (never when asked, as then it is tried again): something it requires has
 * failed, and waits_for names that. */
bool deps_name_wait(struct prior *p, uint32_t i, bool asked);
/* Post `ev` (EV_STOP or EV_RESTART) to all that requires i and is not down. */
void deps_push(struct prior *p, uint32_t i, unsigned ev);
/* A service that i conflicts with and that is wanted, -1: none. At boot the first of two wins. */
int deps_rival(const struct prior *p, uint32_t i);
/* The first service that still needs i, -1: none. */
int deps_holder(const struct prior *p, uint32_t i);
