/* Instances of templates that somebody asks for while prior runs. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/control.h"
#include "services/supervise/prior.h"

/*
 * `prior start name@instance` of one that the plan has not: the request waits in its client's record (which survives an
 * exec), the compiler makes a plan with the instance in it, as for a reload, and that takes over. Nothing but instances
 * may differ in it: who has edited the configuration meanwhile is told to reload it first, and nothing is changed. One
 * that has come to rest goes with the next such plan, which its end asks for. All that wait are served by one plan.
 */

/* The plan has no service of that name. True: it is an instance that could be, and the request has been taken. */
bool instances_take(struct prior *p, uint32_t c, const struct ctl_request *q);
void instances_check(struct prior *p);		/* once per turn: begins when somebody waits, or one is to go */
void instances_rest(struct prior *p, uint32_t i);	/* a service has come to its end */
/* Names for the compiler: those that live, and those that are waited for. NULL-ended; good until the next call. */
const char *const *instances_names(struct prior *p);
/* For a plan that is to differ in instances only, p->reload.next. It says what differs besides. */
int instances_judge(struct prior *p, struct err *e);
/* To all whom this plan was for; e NULL: those that it has not. */
void instances_failed(struct prior *p, const struct err *e);
void instances_arrived(struct prior *p);	/* after the switch: start them */
void instances_resume(struct prior *p);		/* after an exec of ourselves: who waits, waits in its record */
void instances_forget(struct prior *p, uint32_t c);	/* its client has gone */
