/* What each signal to PID 1 means, in each of its lives. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

#define SIGNAL_LIVES 3	/* the machine, a container or `up`, `run` */

int signals_begin(struct prior *p, struct err *e);	/* block them and watch the signalfd; also after an exec */

int signals_watch(struct prior *p, struct err *e);	/* p->signal_fd in another loop */

/* The rows, for the manual. */
unsigned signals_count(void);
const char *signals_name(unsigned i);
const char *signals_does(unsigned i, unsigned life);
