/* Networks that PID 1 holds: those that other services share, and those that are kept across restarts. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * A network namespace lives as long as a process is in it, or somebody has a descriptor of it. The one owner of that
 * descriptor is the record of the service whose network it is (ledger_svc.net_fd). It is there from the first start of
 * somebody who shares it (or from the service's own, with `keep`) until the service has come to rest and nobody is in
 * it any more. So a restart finds it as it was; what comes to rest for good takes those who share with it.
 */
/* *fd: the network for the start of service i, which stays the ledger's; FD_NONE: a new one, or none. ESRCH, ESTALE:
 * whom it shares one with has none that could be known for certain. */
int shared_network(struct prior *p, uint32_t i, int *fd, struct err *e);
/* Service i runs, in the network of that number: held from now on, where it is to be kept. */
void shared_runs(struct prior *p, uint32_t i, uint64_t net);
/* Service i has come to another state: its network may have to go, or that of who shared one with it. */
void shared_moved(struct prior *p, uint32_t i);
/* Whether its interface is to stay when its cell is empty: it comes back. */
bool shared_stays(const struct prior *p, uint32_t i);
