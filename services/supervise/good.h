/* Marking the booted slot good when all has been well for a while. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

void good_begin(struct prior *p);	/* all is settled for the first time, or we are back */
void good_timer(struct prior *p);	/* TIMER_GOOD */
void good_ended(struct prior *p, bool done);	/* the child that marks it */
