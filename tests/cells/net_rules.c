/* The bridges' rules for real: made, compared, replaced, removed. Run by net_rules.sh in a network namespace. */
/* SPDX-License-Identifier: ISC */
#include "netns/rules.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned failures;

static void check(bool good, const char *what, const struct err *e)
{
	printf("%s rules: %s\n", good ? "ok" : "not ok", what);
	if (!good)
		printf("    %s\n", e->text);
	failures += !good;
}

static struct net_addr addr(const char *s, uint8_t prefix)
{
	struct net_addr a = { .family = strchr(s, ':') ? AF_INET6 : AF_INET, .prefix = prefix };

	inet_pton(a.family, s, a.ip);
	return a;
}

/* What a command prints, until the next one is asked. */
static const char *said(const char *command)
{
	static char t[1 << 20];
	FILE *f = popen(command, "r");
	size_t n = f ? fread(t, 1, sizeof t - 1, f) : 0;

	t[n] = '\0';
	if (f)
		pclose(f);
	return t;
}

static void changed(const struct rules *r, const char *command, const char *what)
{
	struct err e = { 0 };

	const bool made = rules_apply(r, &e) == 0;

	said(command);
	check(made && rules_check(r, &e) == -EBADMSG, what, &e);
}

#define ALL "nft -j list ruleset"

int main(void)
{
	struct net_addr own[] = { addr("10.88.0.1", 24), addr("fd88::1", 64) };
	struct net_addr a[] = { addr("10.88.0.2", 24), addr("fd88::2", 64) }, b[] = { addr("10.88.0.3", 24) };
	struct rules_port ports[] = { { .from = 8080, .to = 80, .proto = IPPROTO_TCP },
				      { .on = addr("127.0.0.1", 32), .from = 53, .to = 5353, .proto = IPPROTO_UDP } };
	struct rules_bridge bridge = { "prior0", own, 2, true };
	struct rules_cell cells[] = {
		{ .name = "web", .ifname = "p-web", .addrs = a, .naddrs = 2, .ports = ports, .nports = 2 },
		{ .name = "db", .ifname = "p-db", .addrs = b, .naddrs = 1 },
	};
	struct rules r = { &bridge, cells, 1, 2, 77 };
	struct err e = { 0 };

	said("nft add table inet other; nft add chain inet other mine '{ type filter hook forward priority 7; }'; "
	     "nft add rule inet other mine tcp dport 1 drop");
	const char *before = strdup(said(ALL));

	if (rules_apply(&r, &e) < 0 && (e.code == EOPNOTSUPP || e.code == ENOENT || e.code == EPROTONOSUPPORT)) {
		printf("skip rules: this kernel lacks a part of nf_tables: %s\n", e.text);
		return 0;
	}
	check(rules_check(&r, &e) == 0, "what the kernel has is what was made", &e);
	check(rules_there(77, &e) == 0 && rules_there(78, &e) == -ENOENT,
	      "rules of another plan are not taken for these", &e);
	changed(&r, "nft add element inet prior to4 '{ tcp . 1 : 1.2.3.4 . 5 }'", "one port more is found");
	changed(&r, "nft flush chain bridge prior from-ip6", "an empty chain is found");
	changed(&r, "nft insert rule bridge prior cells accept", "a rule in front is found");
	changed(&r, "nft delete element bridge prior macs \"$(nft list set bridge prior macs | "
		"sed -n 's/.*elements = \\({[^,]*\\).*/\\1 }/p')\"", "a missing address is found");
	changed(&r, "nft delete table inet prior", "a missing table is found");
	cells[1].several = true;
	changed(&r, "nft flush chain bridge prior into", "what goes into a cell on several bridges is compared, too");
	cells[1].several = false;

	/* One batch: the last message fails, and none of the others has had an effect. */
	check(rules_apply(&r, &e) == 0, "all of it is made again", &e);
	struct rules_port again = ports[0];
	const char *was = strdup(said(ALL));

	cells[1].ports = &again;
	cells[1].nports = 1;
	check(rules_apply(&r, &e) < 0 && strstr(e.text, "elements of set to4") && !strcmp(was, said(ALL)),
	      "what fails half-way says where, and leaves all rules as they were", &e);
	cells[0].nports = cells[1].nports = 0;
	bridge.nat = false;
	check(rules_apply(&r, &e) == 0 && rules_check(&r, &e) == 0 && !strstr(said(ALL), "\"forward\", \"prio\": 0") &&
	      !strstr(said(ALL), "\"nat\""), "without NAT and ports no connection is followed", &e);
	check(rules_remove(&e) == 0 && rules_remove(&e) == 0 && !strcmp(before, said(ALL)),
	      "removing leaves what others have made, and is repeatable", &e);
	return failures != 0;
}
