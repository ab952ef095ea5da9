/* Networks by netlink: bridges, veth pairs, addresses, routes. The only user of libnl; runs in child processes, never in PID 1. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdint.h>

struct net_addr {
	uint8_t family, prefix, pad[2];	/* AF_INET, AF_INET6; 0: none */
	uint8_t ip[16];			/* network order */
};

/* A netlink route socket bound to the network namespace it was opened in, whatever the caller enters later. */
struct net;
int net_open(struct net **n, struct err *e);
void net_close(struct net **n);

int net_loopback_up(struct net *n, struct err *e);	/* lo up, 127.0.0.1 and ::1 come with it */

/* Make the bridge if it is missing, give it these addresses (others of ours are removed), set it up. Idempotent. */
int net_bridge(struct net *n, const char *name, const struct net_addr *a, unsigned na, struct err *e);
int net_bridge_remove(struct net *n, const char *name, struct err *e); /* absent is success */
/* Addresses, up, default route on an existing interface; ENODEV names it. */
int net_interface(struct net *n, const char *name, const struct net_addr *a, unsigned na, const struct net_addr *gateway,
		  struct err *e);

/*
 * The machine's side: veth pair, host end `ifname` on `bridge` and up, peer moved to the namespace netns_fd as "host0" with a
 * MAC derived from `cell`. A left-over interface of that name is removed first. On failure nothing stays.
 */
int net_veth(struct net *machine, const char *ifname, const char *bridge, int netns_fd, const char *cell, struct err *e);
/* The cell's side, with a struct net opened inside: host0 gets its addresses and default routes, IPv6 DAD off, up. */
int net_cell(struct net *cell, const struct net_addr *a, unsigned na, const struct net_addr *gw4, const struct net_addr *gw6,
	     struct err *e);
int net_veth_remove(struct net *machine, const char *ifname, struct err *e); /* absent is success */
