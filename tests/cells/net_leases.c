/* Leases, left-over bridges, routers beside bridges, what an interface lacks: for real, by net_leases.sh. */
/* SPDX-License-Identifier: ISC */
#include "netns/net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned failures;

static void check(bool good, const char *what, const struct err *e)
{
	printf("%s leases: %s\n", good ? "ok" : "not ok", what);
	if (!good)
		printf("    %s\n", e->text);
	failures += !good;
}

/* Whether `ip -j COMMAND` prints that. */
static bool has(const char *command, const char *text)
{
	static char t[1 << 16];
	char line[80];

	snprintf(line, sizeof line, "ip -j %s", command);
	FILE *f = popen(line, "r");
	size_t n = f ? fread(t, 1, sizeof t - 1, f) : 0;

	t[n] = '\0';
	if (f)
		pclose(f);
	return strstr(t, text);
}

#define ADDR  "addr show dev b0"
#define ROUTE "route show default"

/* Beside b1, whose default route is somebody else's. */
static void fixed_address(struct net *n)
{
	struct net_lease fixed = { .magic = NET_LEASE, .is_there = 1, .seconds = 60, .prefix = 24,
				   .ip = { 10, 88, 0, 1 } };
	struct err e = { 0 };

	check(net_lease(n, "b0", &fixed, &e) == 0 && !has(ADDR, "life_time\":60") && !has(ADDR, "life_time\":59"),
	      "a fixed address that is lent, too, stays fixed", &e);
	fixed.gateway[0] = 10, fixed.gateway[1] = 88, fixed.gateway[3] = 254;
	check(net_lease(n, "b0", &fixed, &e) == 0 && has(ROUTE, "10.88.0.254") && has(ROUTE, "\"b1\""),
	      "it has the route that is lent with it", &e);
	fixed.is_there = 0;
	check(net_lease(n, "b0", &fixed, &e) == 0 && !has(ROUTE, "10.88.0.254") && has(ADDR, "\"10.88.0.1\"") &&
	      has(ROUTE, "\"b1\""), "over, that route goes, and the address and others' routes stay", &e);
}

static void leases(struct net *n)
{
	struct net_lease l = { .magic = NET_LEASE, .is_there = 1, .seconds = 600, .prefix = 24, .ip = { 192, 0, 2, 7 },
			       .gateway = { 192, 0, 2, 1 } };
	struct err e = { 0 };

	check(net_lease(n, "b0", &l, &e) == 0 && has(ADDR, "\"192.0.2.7\"") && has(ROUTE, "\"192.0.2.1\""),
	      "a lease is an address and a route", &e);
	l.seconds = 900000;
	check(net_lease(n, "b0", &l, &e) == 0 && (has(ADDR, "life_time\":900000") || has(ADDR, "life_time\":8999")),
	      "renewed, it lasts longer", &e);
	l.ip[3] = 8;
	check(net_lease(n, "b0", &l, &e) == 0 && has(ADDR, "\"192.0.2.8\"") && !has(ADDR, "\"192.0.2.7\"") &&
	      has(ROUTE, "\"192.0.2.8\""), "another address of the same subnet takes its place", &e);
	struct net_lease routerless = l;

	memset(routerless.gateway, 0, sizeof routerless.gateway);
	check(net_lease(n, "b0", &routerless, &e) == 0 && has(ADDR, "\"192.0.2.8\"") && !has(ROUTE, "192.0.2.1") &&
	      net_lease(n, "b0", &routerless, &e) == 0, "renewed without a router, it has no route any more", &e);
	check(net_lease(n, "b0", &l, &e) == 0 && has(ROUTE, "\"192.0.2.1\""), "with a router again, it has one", &e);
	l.is_there = 0;
	check(net_lease(n, "b0", &l, &e) == 0 && !has(ADDR, "192.0.2.8") && !has(ROUTE, "192.0.2.1") &&
	      has(ADDR, "\"10.88.0.1\""), "over, it is gone, and a fixed address stays", &e);
	has("link add b1 type bridge", ""), has("addr add 10.89.0.1/16 dev b1", ""), has("link set b1 up", "");
	has("route add default dev b1", "");
	struct net_lease bad = { .magic = NET_LEASE, .is_there = 1, .seconds = 60, .prefix = 25,
				 .ip = { 10, 89, 0, 200 } };

	check(net_lease(n, "b0", &bad, &e) == -EADDRINUSE && strstr(e.text, "lies in the subnet of b1: not taken") &&
	      !has(ADDR, "10.89.0.200"), "a subnet of a bridge's cells is not taken", &e);
	has("link add d1 type veth", ""), has("addr add 10.90.0.1/24 dev d1", ""), has("link set d1 up", "");
	bad.ip[1] = 90;
	check(net_lease(n, "b0", &bad, &e) == -EADDRINUSE && strstr(e.text, "lies in the subnet of d1: not taken"),
	      "nor a part of another interface's", &e);
	bad.prefix = 8;
	check(net_lease(n, "b0", &bad, &e) == 0 && has(ADDR, "\"10.90.0.200\""), "a wider one takes nothing away", &e);
	l.is_there = 1;
	l.seconds = UINT32_MAX;
	check(net_lease(n, "b0", &l, &e) == 0 && has(ROUTE, "\"b1\""), "nobody else's default route gives way", &e);
	l.ip[3] = 9;
	check(net_lease(n, "b0", &l, &e) == 0 && !has(ADDR, "\"192.0.2.8\""), "one without an end gives way",
	      &e);
	fixed_address(n);
	has("link del b1", "");
	l.ip[3] = 8;
	check(net_lease(n, "absent0", &l, &e) == -ENODEV && strstr(e.text, "interface absent0: find it"),
	      "an interface that is not there is told by name", &e);
	has("link set b0 down", "");
	check(net_lease(n, "b0", &l, &e) < 0 && strstr(e.text, "default route by 192.0.2.1") && !has(ADDR, "192.0.2.8"),
	      "without its route the address goes, too", &e);
}

static struct net_addr six(uint8_t second, uint8_t prefix)
{
	return (struct net_addr){ .family = AF_INET6, .prefix = prefix, .ip = { 0xfd, second, [15] = 1 } };
}

#define RULE	 "-6 rule show"
#define OUR_RULE "\"priority\":32765"

/* The routes are as the kernel makes them of an advertised prefix; who believes a real one is the scenario dhcp. */
static void a_routers_prefix_takes_no_bridges_traffic(struct net *n)
{
	const struct net_addr both[] = { six(0x88, 64), six(0x89, 48) };
	const struct net_addr good_and_bad[] = { six(0x8a, 64), six(0x8b, 129) };
	struct err e = { 0 };

	has("link add d6 type veth", ""), has("link set d6 up", "");
	check(net_bridge(n, "b6", both, 1, 0, &e) == 0 && net_bridge(n, "b6", both, 1, 0, &e) == 0 &&
	      has(RULE, OUR_RULE), "a bridge of IPv6 comes with its rule, also twice", &e);
	has("-6 route add fd88::/72 dev d6 proto kernel metric 256", "");
	has("-6 route add fd88::/64 dev d6 proto ra metric 1", "");
	has("-6 route add fd88::5/128 dev d6 proto ra metric 1", "");
	check(has("-6 route get fd88::5", "\"b6\"") && has("-6 route get fd88::6", "\"b6\"") &&
	      has("-6 route get fd88:0:0:0:1::", "\"b6\""), "a router's prefix takes no bridge's traffic", &e);
	check(net_bridge(n, "b6", both, 2, 0, &e) == 0 && has("-6 route get fd89:0:0:7::5", "\"b6\""),
	      "nor a second subnet's", &e);
	check(net_bridge(n, "b6", both + 1, 1, 0, &e) == 0 && has("-6 route get fd88::5", "\"d6\"") &&
	      has(RULE, OUR_RULE), "a subnet that it has no more is the router's", &e);
	check(net_bridge(n, "b7", good_and_bad, 2, 0, &e) == -EINVAL &&
	      net_bridge(n, "d6", both, 1, 0, &e) == -EEXIST && has(RULE, OUR_RULE) &&
	      !has("-6 route show table all", "fd8a"), "what fails leaves no route", &e);
	check(net_bridge(n, "b7", both, 1, 0, &e) == 0 && net_bridge_remove(n, "b6", &e) == 0 && has(RULE, OUR_RULE) &&
	      has("-6 route get fd88::5", "\"b7\""), "the rule stays while another needs it", &e);
	check(net_bridge_remove(n, "b7", &e) == 0 && !has(RULE, OUR_RULE) && has("-6 route get fd88::5", "\"d6\""),
	      "and goes with the last", &e);
	has("link add b8 type bridge", ""), has("link set b8 up", "");
	check(net_bridge(n, "b8", both, 1, 0, &e) == 0 && has("-6 route get fd88::5", "\"b8\"") &&
	      net_bridge_remove(n, "b8", &e) == -EPERM && !has(RULE, OUR_RULE) &&
	      has("-6 route get fd88::5", "\"d6\""), "on somebody else's bridge as well", &e);
	has("link del d6", ""), has("link del b8", "");
}

#define OUR_TABLE "-6 route show table 1886546287"

static void a_subnet_that_moves_to_another_bridge_keeps_its_route(struct net *n)
{
	const struct net_addr a = six(0x88, 64);
	struct err e = { 0 };

	check(net_bridge(n, "old", &a, 1, 0, &e) == 0 && net_bridge(n, "new", &a, 1, 0, &e) == 0 &&
	      has(OUR_TABLE, "\"new\"") && !has(OUR_TABLE, "\"old\""), "a subnet that moves takes its route along", &e);
	check(net_bridge_remove(n, "old", &e) == 0 && has(OUR_TABLE, "\"new\"") && has(RULE, OUR_RULE),
	      "which stays when the bridge goes that it was on", &e);
	has("link del new", "");
	check(has(RULE, OUR_RULE) && net_bridge_remove(n, "new", &e) == 0 && !has(RULE, OUR_RULE),
	      "one that was removed by hand leaves no rule", &e);
}

static bool is_b0_or_k0(const void *arg, const char *name)
{
	return arg == &failures && (!strcmp(name, "b0") || !strcmp(name, "k0"));
}

static void a_killed_runs_bridges_are_removed(struct net *n)
{
	const struct net_addr a = six(0x88, 64), b = six(0x89, 64);
	struct err e = { 0 };

	has("link add s0 type bridge", "");
	check(net_bridge(n, "l0", &a, 1, 0, &e) == 0 && net_bridge(n, "k0", &b, 1, 0, &e) == 0 &&
	      net_bridge(n, "u0", NULL, 0, 0, &e) == 0, "bridges of a run before", &e);
	has("link add e0 master u0 type veth", "");
	check(net_bridge_leftovers(n, is_b0_or_k0, &failures, &e) == 0 && !has("link", "\"l0\"") &&
	      !has("-6 route show table all", "fd88::"), "one that nobody needs is removed, with its routes", &e);
	check(has("link", "\"b0\"") && has("link", "\"k0\"") && has("-6 route show table all", "fd89::"),
	      "those of the plan stay", &e);
	check(has("link", "\"s0\"") && has("link", "\"u0\""), "and so do somebody else's, and one that is used", &e);
	has("link del e0", ""), has("link del s0", "");
	check(net_bridge_leftovers(n, is_b0_or_k0, &failures, &e) == 0 && !has("link", "\"u0\"") &&
	      net_bridge_remove(n, "k0", &e) == 0, "which is removed when it is used no more", &e);
	int made = 0;
	for (char name[16] = "m00"; made < 70; made++) {
		name[1] = (char)('0' + made / 10), name[2] = (char)('0' + made % 10);
		if (net_bridge(n, name, NULL, 0, 0, &e) < 0)
			break;
	}
	check(made == 70 && net_bridge_leftovers(n, is_b0_or_k0, &failures, &e) == 0 && !has("link", "\"m00\"") &&
	      !has("link", "\"m69\""), "seventy of them all are", &e);
}

static bool is_any(const void *arg, const char *name)
{
	return arg == &failures && *name;
}

/* Enough of them that the list has parts. */
static void a_list_that_changes_while_it_is_told_is_asked_for_again(struct net *n)
{
	struct err e = { 0 }, ignored;
	char name[16];
	int good = 0;

	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "m%u", i);
		good += net_bridge(n, name, NULL, 0, 0, &e) == 0;
	}
	const pid_t pid = fork();

	if (pid == 0) {
		struct net *own;

		alarm(60);
		for (int r = net_open(&own, &ignored); r == 0;)
			r = net_bridge(own, "z0", NULL, 0, 0, &ignored) | net_bridge_remove(own, "z0", &ignored);
		_exit(1);
	}
	for (unsigned i = 0; i < 300 && pid > 0; i++)
		good += net_bridge_leftovers(n, is_any, &failures, &e) == 0;
	check(good == 340, "a list that changes while it is told is asked for again", &e);
	if (pid > 0 && kill(pid, SIGKILL) == 0)
		waitpid(pid, NULL, 0);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "m%u", i);
		net_bridge_remove(n, name, &ignored);
	}
	net_bridge_remove(n, "z0", &ignored);
}

static void online(struct net *n)
{
	const char *why = "";
	struct err e = { 0 };

	check(net_is_online(n, "absent0", false, false, &why, &e) == 0 && !strcmp(why, "it is not there") &&
	      net_is_online(n, "b0", false, false, &why, &e) == 0 && !strcmp(why, "it is down") &&
	      net_is_online(n, "lo", false, false, &why, &e) == 1, "what an interface lacks is said", &e);
}

int main(void)
{
	const struct net_addr fixed = { .family = 2, .prefix = 24, .ip = { 10, 88, 0, 1 } };
	struct err e = { 0 };
	struct net *n = NULL;

	if (net_open(&n, &e) < 0 || net_loopback_up(&e) < 0 || net_bridge(n, "b0", &fixed, 1, 0, &e) < 0)
		check(false, "a bridge to try it on", &e);
	else
		leases(n), a_routers_prefix_takes_no_bridges_traffic(n),
		a_subnet_that_moves_to_another_bridge_keeps_its_route(n), a_killed_runs_bridges_are_removed(n),
		a_list_that_changes_while_it_is_told_is_asked_for_again(n), online(n);
	net_close(&n);
	return failures != 0;
}
