/* The kinds of sockets that prior makes, and what can be said about each: one row per fact. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan.h"

struct listen_row {
	const char *key;	/* in the configuration, and in words about it */
	int family, type;	/* of socket(2); a FIFO has none, TCP and UDP have that of their address */
	bool connects;		/* it listens: connections wait to be accepted */
	bool has_port, has_path; /* plan_listen.addr and port; path */
};
extern const struct listen_row listen_rows[LISTEN_KINDS];

/* A socket option that is on or off, set before bind(2): LISTEN_F_* is 1u << its place. */
struct listen_option {
	const char *key;
	int level, name, level6, name6;	/* for IPv6; 0: the same */
	uint32_t kinds;			/* 1u << enum listen_kind: which may have it */
};
#define LISTEN_OPTIONS 8
extern const struct listen_option listen_options[LISTEN_OPTIONS];

/* "HOST:PORT", "[V6]:PORT", ":PORT" (all addresses of both families). NULL, or why it is none. */
const char *parse_inet(const char *text, struct plan_addr *addr, uint16_t *port);

/* "kobject-uevent" -> NETLINK_KOBJECT_UEVENT; a number is itself. -1: there is none. */
int listen_netlink(const char *name);
const char *listen_netlink_name(uint32_t protocol);	/* NULL: it has none */
