/* Health checks: asked at intervals, by a process beside the service. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* Inside LEDGER_WRITE. */
void health_begin(struct prior *p, uint32_t i);	/* it runs: the first check comes soon */
void health_end(struct prior *p, uint32_t i);	/* it is to stop, or has ended */
void health_due(struct prior *p, uint32_t i);	/* check_at_ms has come */
void health_checked(struct prior *p, uint32_t i, bool good, int code);	/* the check's process has ended */
