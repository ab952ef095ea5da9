/* What the bridges' traffic may do: the nf_tables named `prior`, made of facts and read back. Child processes only. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "netns/net.h"
#include <stdbool.h>

#define NET_TABLE "prior"	/* in families bridge and inet; tables of any other name are never touched */
#define RULES_VERSION 1	/* raise it when the same facts make other rules: those of an older prior are replaced then */

struct rules_bridge {
	const char *name;
	const struct net_addr *addrs;	/* its own, each with its subnet's prefix */
	unsigned naddrs;
	bool nat;
};

struct rules_port {
	struct net_addr on;		/* family 0: every address of the machine */
	uint16_t from, to;
	uint8_t proto;			/* IPPROTO_TCP, IPPROTO_UDP */
};

struct rules_egress {
	struct net_addr to;
	uint16_t first, last;		/* 0, 0: all */
	uint8_t proto;			/* 0: both */
};

struct rules_cell {
	const char *name, *ifname;	/* service; the machine's end of its pair */
	const struct net_addr *addrs;
	const struct rules_port *ports;
	const struct rules_egress *egress;
	unsigned naddrs, nports, negress, bridge; /* number in bridges */
	bool limited;			/* egress is all that it may reach */
	bool several;			/* the service has other interfaces, too */
};

struct rules {
	const struct rules_bridge *bridges;
	const struct rules_cell *cells;
	unsigned nbridges, ncells;
	uint64_t tag;			/* not 0; kept with the tables for rules_there() */
};

/* Put all of it in the place of what was there, in one step that happens as a whole or not at all. */
int rules_apply(const struct rules *r, struct err *e);
/* The tables with this tag are there: one question per family. 0, or ENOENT and who should be asked why. */
int rules_there(uint64_t tag, struct err *e);
/* Every rule, chain, set and element is there as rules_apply() makes it, and nothing more; EBADMSG says what is not. */
int rules_check(const struct rules *r, struct err *e);
/* Every counter of the rules, those of one chain one after the other. */
typedef void rules_each(void *ctx, const char *chain, uint64_t packets, uint64_t bytes);
int rules_count(rules_each *each, void *ctx, struct err *e);
int rules_remove(struct err *e);	/* absent is success */
