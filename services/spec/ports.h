/* The words of isolation.network.ports and egress: what they mean, for the check and for the compiler. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORTS_OF_ONE 256	/* a range, written as one */

struct spec_ip {
	uint8_t family, prefix, ip[16];	/* AF_INET, AF_INET6; 0: none was written */
};

/* [ADDRESS:]PORT[-PORT]:PORT[-PORT][/tcp|/udp] */
struct spec_port {
	struct spec_ip on;
	uint16_t from, to, n;		/* the first of each, and how many */
	uint16_t proto;			/* IPPROTO_TCP, IPPROTO_UDP */
};

/* NETWORK[:PORT[-PORT][/tcp|/udp]]; IPv6 with ports in brackets. */
struct spec_egress {
	struct spec_ip to;
	uint16_t first, last;		/* 0, 0: all, and what has no ports */
	uint16_t proto;			/* 0: TCP and UDP */
};

/*
 * The first n bytes of text as an address: "10.0.0.1", "fd00::1", with "/LENGTH" behind it where that is allowed or
 * asked for; without one the prefix is the family's longest. False: they are none, *out is as it was.
 */
enum ip_prefix { PREFIX_NONE, PREFIX_ALLOWED, PREFIX_NEEDED };
bool ip_parse(const char *text, size_t n, enum ip_prefix prefix, struct spec_ip *out);

/* -EINVAL: e says what is wrong and how it is written. */
int port_parse(const char *text, struct spec_port *out, struct err *e);
int egress_parse(const char *text, struct spec_egress *out, struct err *e);
/* "none", alone in the list: nothing may be reached. */
#define EGRESS_NONE "none"
