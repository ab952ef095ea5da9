/* The records of the plan that are about networks: what types.c checks of them is said there and in traffic.c. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan_ref.h"
#include <stddef.h>

struct plan_addr {
	uint8_t family, prefix, pad[2];	/* AF_INET or AF_INET6; prefix length */
	uint8_t ip[16];			/* network order; IPv4 in the first four */
};

#define PLAN_ADDRS_MAX 32	/* of one interface of the machine: as many as netns/ takes back at a time */
#define BRIDGE_NAT 1u		/* what leaves the machine from it has the machine's address */

struct plan_bridge {
	struct plan_ref name;
	struct plan_ref addrs;		/* struct plan_addr[] */
	uint32_t mtu, flags;		/* bytes, 0: the kernel's; BRIDGE_* */
};

/* A port of the machine that leads to a service. */
struct plan_port {
	struct plan_addr on;		/* the machine's address; family 0: all of them */
	uint16_t from, to;		/* the machine's port, the service's */
	uint16_t proto, pad;		/* IPPROTO_TCP, IPPROTO_UDP */
};

/* What a service with EGRESS_LIMITED may reach on its own account. */
struct plan_egress {
	struct plan_addr to;		/* a network */
	uint16_t first, last;		/* ports; 0, 0: all of them, and what has none (ICMP) */
	uint16_t proto, pad;		/* IPPROTO_TCP, IPPROTO_UDP; 0: both */
};

#define PLAN_LINKS_MAX 4	/* interfaces of one cell beside lo */

/* One of them: host0, host1 and so on, in the order of their table. On a bridge, or on top of an interface. */
struct plan_link {
	struct plan_ref bridge;		/* string */
	struct plan_ref ifname;		/* with it: the machine's end of the veth pair, <= 15 bytes, unique */
	struct plan_ref parent;		/* string: the machine's interface that it is on top of; no bridge then */
	struct plan_ref addrs;		/* struct plan_addr[] */
	struct plan_ref ports;		/* struct plan_port[] */
	struct plan_ref egress;		/* struct plan_egress[]; none and `limited`: it leads nowhere */
	struct plan_addr gw4, gw6;	/* family 0: none */
	uint32_t upper, limited;	/* with parent: enum net_upper; 1: egress holds */
	uint32_t mtu, pad;		/* of its bridge; 0: the kernel's */
	uint64_t send_max, receive_max;	/* bytes a second; 0: as many as it can */
};

/* The first of a list like "front:back" into name, cut off where it is too long; then the list is what follows it. */
static inline const char *bridge_next(const char **list, char name[16])
{
	const char *at = *list;
	size_t n = 0;

	for (; *at && *at != ':'; at++)
		if (n < 15)
			name[n++] = *at;
	name[n] = '\0';
	*list = at + (*at == ':');
	return name;
}

struct plan_interface {
	struct plan_ref name, addrs;
	struct plan_ref parent;		/* string, with vlan; absent: none */
	/* Strings; which of the machine's interfaces gets this name. None given: the one that has it. */
	struct plan_ref match_mac, match_driver, match_path, match_name;
	struct plan_addr gateway;	/* family 0: none */
	uint16_t vlan, mtu;		/* 0: it is none; the kernel's */
	uint32_t accept_ra, pad;	/* 1: IPv6 by router advertisements */
};
