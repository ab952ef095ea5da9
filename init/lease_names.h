/* Name servers that leases brought: one file for each interface, and all of them in one. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "netns/net.h"

/*
 * In dir, which the services lease@NAME share: what this interface's lease says takes the place of what it said before,
 * and is gone when it is over; then resolv.conf is made of own (addresses, a blank between them) and of the leases that
 * are not over, by interface name. Readers see each file whole or as it was. Blocks while another of them is at it.
 */
int lease_names(const char *dir, const char *name, const char *own, const struct net_lease *l, struct err *e);
