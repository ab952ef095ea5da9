/* The heap of timers, as the loop uses it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/loop/loop.h"

int64_t timers_first(const struct loop *l);	/* the earliest deadline, 0: none */
/* Call back for each timer that is due at l->now; one that a callback sets again waits for the next turn. */
void timers_fire(struct loop *l);
