/* The machine's watchdog: it resets the machine unless it hears from us, and it hears from us while all is well. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * Open it, set its time, and pet it three times within that, as long as no critical service has failed, was refused or
 * is unhealthy. Once everything is to end, it is petted until the deadline: what hangs after that is cut off. The
 * descriptor is the ledger's and survives an exec. No device in the plan: nothing.
 */
int dog_begin(struct prior *p, struct err *e);
void dog_timer(struct prior *p);	/* TIMER_DOG */
/* The last thing; stays_off: nothing is to start this machine again. False: it goes on, and will. */
bool dog_end(struct prior *p, bool stays_off);
/* Stop it, without the descriptor being closed. False: it cannot be (nowayout). No heap, safe in a signal handler. */
bool dog_stop(int fd);
#define DOG_STAYS "the watchdog cannot be stopped: it will reset the machine"
