/* Whether this boot is a good one: all has been well for a while. The slot that runs is marked, and the record told. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * Well is who is where it should be, and healthy; the time begins anew whenever a service fails, has to be started
 * again or is unhealthy. While somebody stays so, nothing is waited for but that he moves: no timer.
 */
enum good { GOOD_OFF, GOOD_COUNTS, GOOD_WAITS };

void good_begin(struct prior *p);	/* all is settled for the first time, or we are back */
void good_settled(struct prior *p);	/* the same after another configuration */
void good_moved(struct prior *p, uint32_t i); /* its state or its health is another one */
void good_timer(struct prior *p);	/* TIMER_GOOD */
/*
 * The child that marks it has ended. Not done: it is tried again, after 10 s, then twice as long each time; after the
 * whole time at least, if somebody was ill meanwhile, well again or not.
 */
void good_ended(struct prior *p, bool done);
