/* Another plan takes over: a second ledger and memory beside the first, then one step from these to those. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * No service that differs may have a process. switch_make() builds `q` from p and reload_target(p): records,
 * listening sockets of the same address, pipes and clients are carried over by name. Until switch_commit() nothing of p
 * has changed, and after a failure switch_drop() takes q down. The step itself is one dup3(2): the ledger's descriptor
 * number, which the fault handler would execute us with, becomes the new ledger. Time and memory: linear in services.
 */
int switch_make(struct prior *p, struct prior *q, struct err *e);
/* p becomes q; what only the old plan had is closed. */
int switch_commit(struct prior *p, struct prior *q, struct err *e);
void switch_drop(struct prior *q);
