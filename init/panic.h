/* PID 1 that comes back: a fault executes our own binary again with the ledger, and nothing else happens. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/ledger.h"
#include <stdbool.h>

/*
 * Handlers for SEGV, BUS, ILL, FPE and ABRT on their own stack. Armed in this process only: a forked child (the
 * kernel wipes what arms them at fork) dies of its own fault as any process. May be called again with other
 * descriptors. The handler's code is read from the binary now, if that is on a disk, which may fail.
 */
int panic_arm(const struct ledger *l, struct err *e);

/* A fault brought us here. False: it was one too many (FAULTS_MAX within FAULT_WINDOW_MS), see panic_end(). */
bool panic_survived(struct ledger *l, int sig);

/*
 * The end when coming back is no use: says why on the console, kills every service, and on a machine syncs and
 * reboots, in a container exits with 70. Takes nothing for granted but its arguments; l may be NULL.
 */
void panic_end(const struct ledger *l, const char *why) __attribute__((noreturn));
