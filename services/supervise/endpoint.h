/* The HTTP endpoint, as PID 1 sees it: a socket that stays, and a helper that is replaced when it ends. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* EADDRINUSE and others: the address cannot be had; nothing is open then. Nothing happens where none is asked for.
 * The helper comes with endpoint_start(), when all is known that it gets. */
int endpoint_begin(struct prior *p, struct err *e);
int endpoint_watch(struct prior *p, struct err *e);	/* another plan has another loop */
void endpoint_resume(struct prior *p);	/* after an exec: a helper of the same program as ours follows */
/* Another configuration: its socket is bound before the switch (q: the next), or the reload fails; after it the helper
 * hears of the services that there are now, and goes where the address has changed. */
int endpoint_prepare(struct prior *p, struct prior *q, struct err *e);
void endpoint_commit(struct prior *old, struct prior *now);
void endpoint_drop(struct prior *p, struct prior *q);	/* the switch did not come */
void endpoint_start(struct prior *p);	/* TIMER_ENDPOINT: start it (again), or listen to it again */
void endpoint_ended(struct prior *p, int pid, uint8_t exit_kind, int status);
void endpoint_end(struct prior *p);
