/* Taking back what a stopped service had, before its stop is done, in a child: libnl allocates, rtnl and disks wait. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * The kernel removes a veth pair with the last namespace it is in, but some time after the last process has ended; a
 * start that comes first would meet its own leftovers, and a stop that is said to be done would not be. The same holds
 * for the service's runtime directories, which nobody else removes, and for an OCI runtime, which remembers its
 * container until it is told to forget it: a program to run.
 */
uint32_t undo_later(struct prior *p, uint32_t i);	/* SVC_F_* of what a start of it leaves to be taken back */
/* True: a child is at it (ledger_svc.undo), stop_check() is to be called again when it has ended. False: nothing to
 * take back. */
bool undo_begin(struct prior *p, uint32_t i);
void undo_ended(struct prior *p, uint32_t i, bool well);
/*
 * Before the first start: containers of a supervisor that was killed, which hold its sockets. Waits for the runtimes,
 * at most 30 s; does nothing where no bundle is left.
 */
void undo_leftovers(struct prior *p);
