/* sysvinit's pipe, /run/initctl: for old callers that ask PID 1 to change the runlevel. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * A named pipe of root's (0600) with /dev/initctl as its link; what comes is of fixed size, anything else is dropped
 * with an event. The descriptor is the ledger's.
 */
int initctl_begin(struct prior *p, struct err *e);
int initctl_watch(struct prior *p, struct err *e);	/* in another loop, or after an exec; no pipe: nothing */
