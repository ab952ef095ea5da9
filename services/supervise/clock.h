/* Services that the clock starts: cron and every. One timer for each: no clock is looked at in between. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * Who still runs when it is due is not started a second time, and that is told (`overlap`). A timer of cron is set for
 * a moment of the day; when the clock is set (the kernel says so: TFD_TIMER_CANCEL_ON_SET), moments that it jumped
 * over, or slept through, by more than a minute are told (`missed`) and not made up for. `every` counts time that
 * passes.
 */
#define CLOCK_LATE_MS 60000

void clock_begin(struct prior *p);	/* at boot, after an exec of ourselves, and under another plan */
void clock_due(struct prior *p, uint32_t i);
void clock_was_set(struct prior *p, int64_t wall_now_ms); /* for the descriptor, and for tests */
