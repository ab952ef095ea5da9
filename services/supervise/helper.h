/* When a helper process that PID 1 keeps (logger, endpoint, devices) is started again after its end. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* It has ended: one that has lived ten seconds was a good one, and what comes next begins at the start. */
void helper_ended(const struct prior *p, struct helper_life *h);
/* The timer is set: 200 ms after the first short life, then twice as long each time, at most 12.8 s. */
void helper_later(struct prior *p, struct helper_life *h, enum serve_timer timer);
