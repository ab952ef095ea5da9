/* Before PID 1 becomes another binary, that binary must show that it can read our ledger. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * Run exe_fd as `prior --resume-check --ledger=FD` in a child: exit code 0 means that it knows this ledger. On
 * success exe_fd is taken over (p->trial_exe) and p->trial is TRIAL_RUNS, later TRIAL_GOOD or TRIAL_BAD. EBUSY: one
 * is on its way.
 */
int trial_begin(struct prior *p, int exe_fd, struct err *e);
void trial_ended(struct prior *p, bool good);
void trial_timer(struct prior *p);	/* TIMER_TRIAL: it takes too long */
void trial_forget(struct prior *p);	/* back to TRIAL_NONE */
