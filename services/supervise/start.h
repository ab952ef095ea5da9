/* From the wish to start to a running process: the builder's reports. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* Read what the builder (or the exec) of service i has said so far, and post what follows. Does nothing without a
 * report. */
void start_drain(struct prior *p, uint32_t i);
/* The builder of i was reaped before it said how it went. */
void start_builder_died(struct prior *p, uint32_t i, const char *how);
/* Watch an open report again after an exec of PID 1. */
int start_watch_report(struct prior *p, uint32_t i, struct err *e);
void start_close_report(struct prior *p, uint32_t i);
