/* Addresses of bridges and cells: parsing, subnets, and who has which. Inside of the compiler. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/compiling.h"

/* A bridge of the spec with its own addresses: the first of each of its subnets. */
struct net_bridge {
	const struct spec_bridge *spec;
	struct plan_addr *addrs;
	unsigned naddrs;
	char *hosts;		/* lines that name its cells; NULL: none yet */
	size_t used, room;	/* bytes of it, and what there is for it */
};

struct taken {
	struct plan_addr addr;
	const struct work *by;	/* NULL: kept for a service that is not there now */
};

struct nets {
	struct compiling *c;
	struct net_bridge *bridges;
	unsigned nbridges;
	struct taken *taken;	/* open addressing by address; a power of two, never full; owned */
	unsigned ntaken, nkept;
};

struct spec_ip;
struct plan_addr addr_of(const struct spec_ip *ip);
unsigned ip_bytes(const struct plan_addr *a);
bool ip_equal(const struct plan_addr *a, const struct plan_addr *b);
bool ip_in_subnet(const struct plan_addr *a, const struct plan_addr *net);
bool ip_is_edge(const struct plan_addr *a, const struct plan_addr *net);	/* the subnet itself, its broadcast */
void ip_to_first(struct plan_addr *a);	/* the address after a subnet's own: the bridge's */

/* compile_subnets.c: refuses a bridge whose subnet overlaps another one of the machine's. */
void compile_subnets(struct compiling *c);
struct taken *taken_slot(struct nets *n, const struct plan_addr *a);

/*
 * Addresses that were given before ("NAME ADDRESS" lines in prior/addresses below /var/lib and /run) stay their
 * services' as long as they fit; those of services that are gone are given away last. Call when all that are asked for
 * are taken.
 */
void addresses_recall(struct nets *n, bool (*is_assigned)(const struct work *w, const struct net_bridge *b));
/* One address of this subnet for w: the recalled one, else by its name; false: none is free. */
bool address_assign(struct nets *n, const struct work *w, const struct plan_addr *net, struct plan_addr *out);
