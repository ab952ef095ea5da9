/* From the wish to start to a running process: the builder's reports. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* At boot, and after a reload: it is in the configuration, so it is started, unless something speaks against it. */
void start_by_itself(struct prior *p, uint32_t i);
/* Read what the builder (or the exec) of service i has said so far, and post what follows. Does nothing without a
 * report. */
void start_drain(struct prior *p, uint32_t i);
/* The builder of i was reaped before it said how it went. */
void start_builder_died(struct prior *p, uint32_t i, const char *how);
/* Watch an open report again after an exec of PID 1. */
int start_watch_report(struct prior *p, uint32_t i, struct err *e);
/* Its leaf, with its limits. Inside LEDGER_WRITE. */
int start_cgroup(struct prior *p, uint32_t i, struct err *e);
/* A cell of i: for its own program, or for a hook (cmd, vars as in cell.h). Inside LEDGER_WRITE. */
int start_cell(struct prior *p, uint32_t i, const struct plan_command *cmd, const char *vars, struct err *e);
/* The pre_start hook has ended well: what it left is killed; EV_HOOKED when nothing is. */
void start_sweep_hook(struct prior *p, uint32_t i);
void start_close_report(struct prior *p, uint32_t i);
