/* The kernel's socket families that a program might ask for; the numbers are the same everywhere. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/families.h"
#include "init/conf/value.h"
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct family {
	int number;
	const char *name;
} families[] = {
	{ 1, "unix" },	     { 2, "inet" },   { 10, "inet6" },	   { 16, "netlink" }, { 17, "packet" }, { 40, "vsock" },
	{ 38, "alg" },	     { 29, "can" },   { 31, "bluetooth" }, { 44, "xdp" },     { 15, "key" },	{ 30, "tipc" },
	{ 3, "ax25" },	     { 4, "ipx" },    { 5, "appletalk" },  { 6, "netrom" },   { 9, "x25" },	{ 21, "rds" },
	{ 24, "pppox" },     { 26, "llc" },   { 28, "mpls" },	   { 33, "rxrpc" },   { 35, "phonet" },
	{ 36, "ieee802154" },
	{ 39, "nfc" },	     { 41, "kcm" },   { 42, "qipcrtr" },   { 43, "smc" },     { 45, "mctp" },	{ 1, "local" },
};

#define FAMILIES (sizeof families / sizeof *families)

static const char *without_prefix(const char *name)
{
	return strncasecmp(name, "AF_", 3) ? name : name + 3;
}

int family_number(const char *name)
{
	name = without_prefix(name);
	for (size_t i = 0; i < FAMILIES; i++)
		if (!strcasecmp(name, families[i].name))
			return families[i].number;
	return -1;
}

const char *family_name(int number)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (families[i].number == number)
			return families[i].name;
	return NULL;
}

const char *family_nearest(const char *name)
{
	const char *best = NULL;
	unsigned least = 99, d;

	for (size_t i = 0; i < FAMILIES; i++)
		if (value_is_near(without_prefix(name), families[i].name, &d) && d < least) {
			least = d;
			best = families[i].name;
		}
	return best;
}
