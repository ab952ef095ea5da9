/* The spawner's life, and the starts that it is asked for: see services/cell/cell.h for what it does. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/cell/cell.h"
#include "services/supervise/prior.h"

#define SPAWNER_REST_MS 5000	/* so long nothing was started: the spawner ends */

/*
 * PID 1 holds both ends of the spawner's socket, so that a new spawner reads what the last one left. Without one (prior
 * run) and for what does not fit into its socket PID 1 clones by itself. Of one that was not asked for SPAWNER_REST_MS
 * only the socket is kept, until the next start makes another.
 */
void spawning_begin(struct prior *p);	/* now, or after a while; PID 1 can do without */
void spawning_resume(struct prior *p);		/* after an exec of PID 1 */
void spawning_renew(struct prior *p);		/* the program or the plan is another one: so is the spawner */
/* Ask for the start of service i. *report: the receiving end of its reports, the caller's. <0: start it yourself. */
int spawning_ask(struct prior *p, uint32_t i, const struct cell_start *c, int *report, struct err *e);
/* Only the spawner can still hold the report of service i: if it does so for long it is stuck. */
void spawning_waits(struct prior *p, uint32_t i);
void spawning_answered(struct prior *p, uint32_t i);	/* its first word has come, or its report is closed */
void spawning_timer(struct prior *p);		/* TIMER_SPAWNER: was it silent for too long, or idle? */
void spawning_ended(struct prior *p, int pid, uint8_t exit_kind, int status);
void spawning_settled(struct prior *p);		/* all is up: starts are in a hurry again */
void spawning_close(struct prior *p);		/* the end: kill and reap it */
