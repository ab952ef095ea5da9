/* idle_timeout: a lazily started service that has nothing to do is stopped, and listens again. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * It has nothing to do when for the whole time nothing has come to its sockets, and none of the connections that came
 * over them is open. The first is known exactly: the kernel tells PID 1 of the first arrival in each period (never of
 * more), so that the end of the service comes between one and two periods after the last one. The second is looked up
 * by a child, once, when a period without arrivals is over; what cannot be looked up counts as open. A service that
 * another one needs, and that runs, is not stopped either. All but the last part happen inside LEDGER_WRITE.
 */
void idle_begin(struct prior *p, uint32_t i);	/* it is up */
void idle_end(struct prior *p, uint32_t i);	/* it is to stop, or has ended */
void idle_due(struct prior *p, uint32_t i);	/* ledger_care.idle_at_ms has come */
void idle_looked(struct prior *p, uint32_t i, int32_t pid, int code);	/* the child has ended; code -1: not well */

/* The child's: how many open connections came over the sockets of d; -1: that cannot be known. At most 1. */
int idle_connections(const struct plan *p, const struct plan_service *d, const char *proc_net);
