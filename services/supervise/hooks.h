/* Hooks: commands before, beside and after a service's own process. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * pre_start and post_stop have a cell of their own, made like the service's, in the service's cgroup, when nothing else
 * of it runs; post_start and pre_stop join the running one. At most one runs at a time (ledger: phase, hook). Each ends
 * when its main process has; what it leaves behind is killed.
 */
bool hook_is_planned(struct prior *p, uint32_t i, enum svc_phase which);
/* 0: it runs. Inside LEDGER_WRITE. */
int hook_start(struct prior *p, uint32_t i, enum svc_phase which, struct err *e);
void hook_ended(struct prior *p, uint32_t i, uint8_t exit_kind, int status);
void hook_kill(struct prior *p, uint32_t i);	/* one that has joined; its end is told as ever */
extern const char *const hook_name[];		/* by enum svc_phase; NULL for PHASE_MAIN */
