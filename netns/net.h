/* Networks by netlink: the only user of libnl. Runs in child processes, never in PID 1. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_ENDS 4	/* interfaces of a cell beside lo, at most */
extern const char *const net_ends[NET_ENDS]; /* host0, which systemd-networkd expects inside a container, host1, ... */

struct net_addr {
	uint8_t family, prefix, pad[2];	/* AF_INET, AF_INET6; 0: none */
	uint8_t ip[16];			/* network order */
};

/* A netlink route socket bound to the network namespace it was opened in, whatever the caller enters later. */
struct net;
int net_open(struct net **n, struct err *e);
void net_close(struct net **n);

/* lo of the network that the caller is in, with 127.0.0.1 and ::1. Without libnl and a heap. */
int net_loopback_up(struct err *e);

/*
 * Make the bridge if it is missing, give it these addresses and this MTU (0: the kernel's), set it up. Idempotent. What
 * prior made it knows by kind and MAC (which follow from the name): from its own bridge others are removed, link-local
 * ones excepted; a bridge of somebody else keeps them, and net_bridge_remove() refuses it with EPERM.
 */
int net_bridge(struct net *n, const char *name, const struct net_addr *a, unsigned na,
	       unsigned mtu, struct err *e);
int net_bridge_remove(struct net *n, const char *name, struct err *e); /* absent is success */
/* Of a run that was killed: bridges that prior made, nobody is on and is_kept() does not know. */
int net_bridge_leftovers(struct net *n, bool (*is_kept)(const void *arg, const char *name), const void *arg,
			 struct err *e);
/* The VLAN of that number on another interface, whose parent is up: 1: made, 0: it was there; another's is EEXIST. */
int net_vlan(struct net *n, const char *name, const char *parent, uint16_t id, struct err *e);
void net_vlan_undo(struct net *n, const char *name);	/* what was made just now and is of no use */
/*
 * The one interface that is as all of this says; NULL: not asked. Globs but for the MAC, which counts only where a
 * device is behind it. Its index; ENODEV: none is, ENOTUNIQ: several are.
 */
struct net_match {
	const char *mac, *driver, *path, *name;	/* path: of its device, below /sys/devices */
};
int net_find(const struct net_match *m, struct err *e);
/* One that has the name already gets the other's; one that is up is down for a moment, where the kernel wants it so. */
int net_rename(struct net *n, int index, const char *name, struct err *e);
int net_mtu(struct net *n, const char *name, unsigned mtu, struct err *e);
/* Addresses (those it has stay), up, default route (replaced) on an existing interface; ENODEV names it. */
int net_interface(struct net *n, const char *name, const struct net_addr *a, unsigned na,
		  const struct net_addr *gateway, struct err *e);

/* Whether it is there, up, with a carrier, and has an IPv4 address, a global IPv6 one that is nobody else's: as asked.
 * 1: all of it; 0: not yet, and why says what is missing. */
int net_is_online(struct net *n, const char *name, bool v4, bool v6, const char **why, struct err *e);
int net_changes(struct err *e);	/* a socket, the caller's, readable when a link or an address has changed; O_NONBLOCK */

/* What a DHCP server has lent, as its client says: neither is believed. Network order but for numbers. */
struct net_lease {
	char magic[8];		/* NET_LEASE */
	uint32_t is_there;	/* 0: it is over, and nothing else counts; 1 */
	uint32_t seconds;	/* for how long */
	uint32_t prefix;
	uint8_t ip[4], gateway[4]; /* gateway 0.0.0.0: none */
	uint8_t names[4][4];	/* name servers, 0.0.0.0 ends them */
};
#define NET_LEASE "lease-1"
int net_lease_check(const struct net_lease *l, struct err *e);	/* EINVAL: no server can mean that */
/*
 * Other IPv4 addresses that are lent go, those for ever stay; then its address for as long as it is lent, unless it is
 * renewed, and the default route that needs this address: both or none. When it is over, or has no gateway, the route
 * of the one before goes. Idempotent.
 */
int net_lease(struct net *n, const char *name, const struct net_lease *l, struct err *e);

/*
 * Name servers of a router that the kernel believes on that interface, from a message of the kernel's to the group
 * RTNLGRP_ND_USEROPT: it passes on what the router wrote, whose lengths are looked at here once more. Hosts only, the
 * first eight. False: it says nothing of them.
 */
#define NET_ADVERT_MAX 8
struct net_advert {
	unsigned index;		/* of the interface */
	uint32_t seconds;	/* for how long; 0: they are none any more */
	unsigned n;
	uint8_t servers[NET_ADVERT_MAX][16];
};
bool net_advert_read(const void *message, size_t n, struct net_advert *a);

/*
 * The machine's side: a veth pair, its end `ifname` on `bridge` and up, its peer made in the namespace netns_fd as
 * `end` with a MAC derived from `cell`. One request does it all, so on failure nothing stays. A left-over link of
 * prior's with that name is removed first; anybody else's is EEXIST.
 */
int net_veth(struct net *machine, const char *ifname, const char *bridge, int netns_fd, const char *end,
	     const char *cell, unsigned mtu, struct err *e);
/* The cell's side, with a struct net opened inside: `end` gets its addresses (no DAD), up, default routes. */
int net_cell(struct net *cell, const char *end, const struct net_addr *a, unsigned na, const struct net_addr *gw4,
	     const struct net_addr *gw6, struct err *e);
/*
 * Instead of a pair: `end` in the namespace netns_fd (cell's), on top of an interface of the machine's that is up.
 * One request makes it there, and it goes with that namespace. The kernel's mode is read back. EOPNOTSUPP: it does
 * not know the kind, whose module has its name. ENODEV, ENETDOWN: the parent is not there, is down.
 */
enum net_upper {
	UPPER_NONE, UPPER_MACVLAN_PRIVATE, UPPER_MACVLAN_VEPA, UPPER_MACVLAN_BRIDGE,
	UPPER_IPVLAN_L2, UPPER_IPVLAN_L3, UPPER_IPVLAN_L3S, NET_UPPERS
};
const char *net_upper_kind(enum net_upper what);	/* "macvlan", "ipvlan" */
int net_upper(struct net *machine, struct net *cell, const char *end, const char *parent, enum net_upper what,
	      int netns_fd, const char *name, struct err *e);
/* As net_cell(). The last start's MAC and addresses are free when the kernel has removed that cell: up to 20 s. */
int net_upper_cell(struct net *cell, const char *end, const struct net_addr *a, unsigned na,
		   const struct net_addr *gw4, const struct net_addr *gw6, struct err *e);
/* What it sends is bounded to so many bytes a second: a token bucket takes the place of its queueing discipline. */
int net_shape(struct net *n, const char *ifname, uint64_t rate, struct err *e);
/* Absent is success; an interface that prior did not make is EEXIST. */
int net_veth_remove(struct net *machine, const char *ifname, struct err *e);
/*
 * Wait until packets pass, so that the service does not lose its first ones: the machine's end, up before the
 * cell's end, gets its carrier from the kernel's link watch a moment after net_cell(), and drops everything until
 * then; an IPv6 address, even without DAD, is found once a work item of the kernel has run. What is lost is
 * repeated a second later. Both are usually over when other steps came in between: call this last. ETIMEDOUT
 * after 20 s. ifname NULL: it is on top of an interface, whose carrier is not ours to wait for.
 */
int net_ready(struct net *machine, const char *ifname, struct net *cell, const char *end, const struct net_addr *a,
	      unsigned na, struct err *e);
