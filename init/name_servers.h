/* Name servers that leases and routers brought: one file for each source, and all of them in one resolv.conf. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdint.h>

#define NAME_SERVERS_MAX 8	/* of one source */
#define SOURCE_LEASE "lease-"	/* and the interface: what it is called, and its file */
#define SOURCE_ROUTER "router-"
#define NAME_SERVER_S 86400	/* seconds that a router is believed at most, so that it cannot be for ever */

struct name_server {
	int64_t until_ms;	/* since boot */
	char address[64];	/* as resolv.conf has it: with its interface, where that is a part of it */
};

/* What that source said and is not over: how many are in v, which has room for all. */
unsigned name_servers_of(const char *dir, const char *source, struct name_server *v);
/* One of n in v lasts that long from now on (0: it goes); where there is no room it takes that of the first to end. How
 * many there are then. */
unsigned name_servers_put(struct name_server *v, unsigned n, const char *address, uint32_t seconds);
/*
 * In dir, which the services lease@NAME and router-names share: what the source (lease-eth0, router-eth0) says takes
 * the place of what it said before; then resolv.conf is made of own (addresses, a blank between them), of the leases'
 * and of the routers', by the sources' names, but for those that are over. source NULL: that alone. *next_ms, where it
 * is asked for: when the first of them is over, 0: none will be. Readers see each file whole or as it was. Waits a
 * second at most while another of them is at it.
 */
int name_servers_tell(const char *dir, const char *source, const char *own, const struct name_server *v, unsigned n,
		      int64_t *next_ms, struct err *e);
