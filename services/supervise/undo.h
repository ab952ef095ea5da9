/* Taking a stopped service's network back before its stop is done, in a child: libnl allocates, and rtnl may wait. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * The kernel removes a veth pair with the last namespace it is in, but some time after the last process has ended; a
 * start that comes first would meet its own leftovers, and a stop that is said to be done would not be.
 * True: a child is at it (ledger_svc.undo), stop_check() is to be called again when it has ended. False: nothing to
 * take back.
 */
bool undo_network(struct prior *p, uint32_t i);
void undo_ended(struct prior *p, uint32_t i, bool well);
