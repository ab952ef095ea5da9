/* Ends: the stop signal, cgroup.kill, and when nothing is left. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* Service i is stopping and something of it has gone: post EV_EMPTY if that was all, look after the rest otherwise. */
void stop_check(struct prior *p, uint32_t i);
/* SIGKILL to all that i has. Inside LEDGER_WRITE. */
void stop_kill_all(struct prior *p, uint32_t i);
/* Nothing of i is left: its cgroup and what watches it go. Inside LEDGER_WRITE. */
void stop_take_down(struct prior *p, uint32_t i);
/* A signal to the main process. ESRCH: there is none. */
int stop_signal_main(struct prior *p, uint32_t i, int sig, struct err *e);
/* Watch the cgroup of a stopping service again after an exec of PID 1. */
void stop_watch(struct prior *p, uint32_t i);

/* The exit code that tells of this end, as a shell says it: its own, 128 and its signal's; 127: no such program. */
int exit_code_of(const struct ledger_svc *s);
/* Why it ended was decided before its process did: what that says is not the reason. */
bool exit_is_decided(uint8_t exit_kind);
struct text;
/* "exited with code 3", "killed by SIGSEGV (core dumped)", ... */
void exit_text(struct text *t, uint8_t exit_kind, int32_t exit_status);
