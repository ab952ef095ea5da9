/* The end of everything: all services stopped, dependents first, within a deadline. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* Stop all. The first caller decides the kind; a later one only adds urgency (ending_force). Inside or outside an
 * action. */
void ending_begin(struct prior *p, enum shutdown_kind kind);
/* The same because service i has failed; `what` says of it: "it has failed". */
void ending_for_failure(struct prior *p, enum shutdown_kind kind, uint32_t i, const char *what);
/* The same later, in place of what was planned before; a resumed PID 1 goes on waiting. */
void ending_plan(struct prior *p, enum shutdown_kind kind, int64_t in_ms);
bool ending_cancel(struct prior *p);	/* false: nothing was planned */
void ending_planned(struct prior *p);	/* TIMER_PLANNED */
void ending_resume(struct prior *p);	/* after an exec of ourselves */
void ending_force(struct prior *p);	/* SIGKILL to everything, now */
void ending_timer(struct prior *p);	/* TIMER_SHUTDOWN: the deadline */
void ending_tick(struct prior *p);	/* TIMER_TICK: say which service we wait for */
/* Once per turn, anywhere but on a machine: nothing runs, and nothing will by itself? then it is the end, with 1 when
 * something has failed. Nothing ends because somebody has stopped it. */
void ending_if_nothing(struct prior *p);
/* Once per turn: all down? then the logger drains, and p->finished becomes true when it has ended. */
void ending_check(struct prior *p);
