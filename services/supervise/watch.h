/* What the loop watches of a service, made from its record: after an exec, and when another plan takes over. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* Its sources, timer and part in the counts. What can be watched is, even when something cannot: -errno of the last. */
int watch_service(struct prior *p, uint32_t i, struct err *e);
/* What the state promises and is not there, because of a fault between two lines, is made up for. */
void watch_nudge(struct prior *p, uint32_t i);
