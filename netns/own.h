/* What the files of netns/ share: requests to rtnetlink and what the kernel said about them. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "netns/net.h"
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>

/*
 * Only libnl-3 is used, not libnl-route-3: the objects of the latter register themselves in constructors, which
 * would take heap in PID 1 (the same binary) before main, and they know nothing of one-message creation of a
 * veth pair with its master and state, which the kernel undoes by itself when any part of it fails.
 */
struct net {
	struct nl_sock *sk;
	uint32_t seq;	/* of the last request */
	bool done;	/* the answer to the last request is complete */
	int code;	/* errno of the last request, 0: done */
	char why[96];	/* what the kernel added in words (extended acknowledgement), or "" */
	void (*each)(struct nlmsghdr *, void *);	/* receives each object of a reply */
	void *arg;
};

struct net_link {
	int index;
	unsigned flags;	/* IFF_* */
	uint8_t operstate;	/* IF_OPER_* */
	unsigned char mac[6];
	unsigned mtu;
	char kind[16];	/* "bridge", "veth"; "" for hardware */
	int parent;	/* of a VLAN: the index of the one below, */
	uint16_t vlan;	/* and its number; 0: it is none */
	uint32_t mode;	/* of a macvlan or ipvlan */
};

/* A request with its fixed head; NULL when out of memory. flags: NLM_F_* beyond REQUEST and ACK. */
struct nl_msg *net_msg(int type, int flags, const void *head, size_t n)
	__attribute__((warn_unused_result));
/* Send, wait for the answer, free m (NULL is ENOMEM). 0 or -errno, also kept in n->code. */
int net_ask(struct net *n, struct nl_msg *m, void (*each)(struct nlmsghdr *, void *), void *arg);
/* A list (NLM_F_DUMP): anew from *arg as it was (size bytes) if it changed meanwhile, at most DUMPS_MAX times. */
int net_dump(struct net *n, struct nl_msg *m, void (*each)(struct nlmsghdr *, void *), void *arg, size_t size);
#define DUMPS_MAX 100
/* The last request's errno, with words: "WHAT: File exists (the kernel's reason)". */
int net_fail(const struct net *n, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));

/* Locally administered and stable: the same role and name give the same address. */
void net_mac(unsigned char mac[6], const char *role, const char *name);
int net_name_ok(const char *name, struct err *e);

/* These leave the reason to net_fail(). */
int link_get(struct net *n, const char *name, struct net_link *l); /* -ENODEV: there is none */
void link_read(struct nlmsghdr *h, void *link);	/* what such an answer says; for net_ask() */
/* Where nothing else is asked: link_get() has the kernel go through all ports of a bridge that this one has joined. */
int link_index(struct net *n, const char *name);
int link_set_up(struct net *n, int index, bool up);
int link_set_name(struct net *n, int index, const char *name);
int link_set_mtu(struct net *n, int index, unsigned mtu);
int link_delete(struct net *n, int index);
int link_delete_named(struct net *n, const char *name);	/* what was just made and cannot be asked about */
/* Of this kind and with the MAC that net_mac() gives: nobody but prior made it. */
bool link_is_ours(const struct net_link *l, const char *kind, const char *role, const char *name);

/* Adds those of a[0..na) that are missing; *added has a bit for each new one. On failure none of them stays. */
int addr_add_all(struct net *n, const char *who, int index, const struct net_addr *a, unsigned na,
		 uint32_t *added, struct err *e);
void addr_undo(struct net *n, int index, const struct net_addr *a, unsigned na, uint32_t added);
/* Removes what is neither in a[0..na) nor link-local. */
int addr_keep_only(struct net *n, const char *who, int index, const struct net_addr *a, unsigned na,
		   struct err *e);

/*
 * A router that is believed may say that a part of a bridge's IPv6 subnet is on its own link, and the kernel sends by
 * the longest prefix. So these subnets have routes in a table of their own as well, and a rule has that asked before
 * the main one; both go with the last bridge. *added, empty before, is what is new; on failure, too: subnets_undo().
 */
struct subnets_added {
	uint32_t routes;	/* a bit for each of a[] */
	bool rule;
};
/* A route that another bridge has is this one's then, also after a failure: who asks makes that one once more. */
int subnets_add_all(struct net *n, const char *who, int index, const struct net_addr *a, unsigned na,
		    struct subnets_added *added, struct err *e);
void subnets_undo(struct net *n, int index, const struct net_addr *a, unsigned na,
		  const struct subnets_added *added);
/* Removes this bridge's others; na 0: all of them; index 0: it is gone, and its routes went with it. */
int subnets_keep_only(struct net *n, const char *who, int index, const struct net_addr *a, unsigned na,
		      struct err *e);

/* For what the kernel finishes behind our back, 20 s by the clock. */
struct waiting {
	int64_t until_ms;
	long us;	/* the next pause */
};
struct waiting waiting_begin(void);
bool waiting_pause(struct waiting *w);	/* false: it took too long */

#define NET_ADDRS_MAX 32 /* per interface: bits of `added` */
#define ADDR_TEXT     64
const char *addr_text(const struct net_addr *a, bool prefix, char text[ADDR_TEXT]);
static inline size_t addr_size(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

/* The default route of the gateway's family; none when gw is NULL or has family 0. Replaces one that is there. */
int route_default(struct net *n, const char *who, int index, const struct net_addr *gw,
		  struct err *e);
