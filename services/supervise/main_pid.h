/* A main process other than the one that was started: MAINPID=, or what a forking service has left behind. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * pid, a number of PID 1's own namespace, becomes the main process. ESRCH: it is not of the service, or gone; nothing
 * has changed then. Where it is no child of ours only its end will be known, not how it ended (SVC_F_FOREIGN).
 */
int main_pid_take(struct prior *p, uint32_t i, pid_t pid, struct err *e);
int main_pid_watch(struct prior *p, uint32_t i, struct err *e);	/* again, after an exec of PID 1 */
void main_pid_forget(struct prior *p, uint32_t i);		/* it has ended */
