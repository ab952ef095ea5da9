/* The second timer of services that have a watchdog or a health check, and what their record holds. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* All do nothing for a service without a record. Inside LEDGER_WRITE where they change the service's own record. */
void care_begin(struct prior *p, uint32_t i);	/* a start begins */
void care_ran(struct prior *p, uint32_t i);	/* its exec has happened: checks begin */
void care_up(struct prior *p, uint32_t i);	/* it is ready: the watchdog is armed */
void care_end(struct prior *p, uint32_t i);	/* it is to stop, or has ended: no deadline holds any more */
void care_timer(struct prior *p, uint32_t i);
void care_arm(struct prior *p, uint32_t i);	/* the timer is the first of the record's deadlines */
int care_resume(struct prior *p, uint32_t i, struct err *e);	/* after an exec of PID 1 */

/* What it said on its notify socket. */
void care_watchdog_alive(struct prior *p, uint32_t i);
void care_watchdog_set(struct prior *p, uint32_t i, uint64_t us);
void care_reloading(struct prior *p, uint32_t i, uint64_t us);	/* RELOADING=1 with MONOTONIC_USEC */
/* Send reload_signal; READY_NOTIFY_RELOAD: then wait for its word (SVC_F_RELOAD_ASKED). */
int care_reload(struct prior *p, uint32_t i, struct err *e);
/* It is not well: stop it with that as its end, and let its restart policy decide. */
void care_unwell(struct prior *p, uint32_t i, enum svc_exit_kind kind);

/* READY_FD: a pipe; the end for the service is the caller's, FD_NONE: it has none. */
int ready_open(struct prior *p, uint32_t i, int *its_end, struct err *e);
void ready_close(struct prior *p, uint32_t i);
