/* Networks of a plan: who gets which address, published ports, what may be reached. */
/* SPDX-License-Identifier: ISC */
#include "netns/net.h"
#include "tests/unit/one_plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#define TOOL "    command: [/bin/tool, -a]\n"

/* Two small subnets: enough for two of three. */
#define SMALL "network:\n  bridges: {br0: {subnets: [10.88.0.0/29, \"fd88::/64\"], nat: true, mtu: 1400}}\n"
#define ON_BR0(more) TOOL "    isolation: {rootfs: @/image, network: {bridge: br0" more "}}\n"

static void an_address_is_given_by_name_until_there_is_none_left(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	uint8_t alone;

	(void)state;
	compiled_make(&c, NULL, SMALL "services:\n  c:\n" ON_BR0(""));
	const struct plan_service *s = compiled_service(&c, "c");

	assert_non_null(s);
	assert_int_equal(link_of(s)->addrs.n, 2);
	assert_int_equal(link_of(s)->mtu, 1400);
	assert_int_equal(PLAN_FIRST(&c.plan, c.plan.head->bridges, struct plan_bridge)->flags, BRIDGE_NAT);
	alone = PLAN_FIRST(&c.plan, link_of(s)->addrs, struct plan_addr)->ip[3];
	assert_in_range(alone, 2, 6);
	assert_int_equal(PLAN_FIRST(&c.plan, link_of(s)->addrs, struct plan_addr)->prefix, 29);
	compiled_free(&c);
	/* Five fit beside the bridge, however many ask by name and one by number. */
	compiled_make(&c, NULL, SMALL "services:\n  a:\n" ON_BR0("") "  b:\n" ON_BR0("") "  c:\n" ON_BR0("")
		"  d:\n" ON_BR0("") "  e:\n" ON_BR0(", address: 10.88.0.4/29") "  f:\n" ON_BR0(""));
	unsigned seen = 0;

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		s = compiled_service(&c, names[i]);
		assert_non_null(s);
		seen |= 1u << PLAN_FIRST(&c.plan, link_of(s)->addrs, struct plan_addr)->ip[3];
	}
	assert_int_equal(seen, 0x7c);
	assert_non_null(strstr(compiled_refused(&c, "f"), "'br0' has no address left in the subnet of 10.88.0.1/29: "
			       "make it larger"));
	const struct plan_file *hosts = PLAN_FIRST(&c.plan, c.plan.head->hosts, struct plan_file);

	assert_string_equal(str(hosts->path), "br0");
	assert_non_null(strstr(str(hosts->value), "\n10.88.0.4 e\n"));
}

static void published_ports_and_egress_become_numbers(void **state)
{
	(void)state;
	compiled_make(&c, NULL, SMALL "services:\n"
		"  web:\n" ON_BR0(", ports: [\"8080:80\", \"127.0.0.1:53-54:53-54/udp\"], "
		"egress: [10.0.0.0/8, \"192.0.2.1:443/tcp\", \"[fd00::/8]:53-60\"]")
		"  shut:\n" ON_BR0(", egress: none") "  empty:\n" ON_BR0(", egress: []") "  free:\n" ON_BR0("")
		"  x-double:\n" ON_BR0(", ports: [\"53:1/udp\"]"));
	const struct plan_service *s = compiled_service(&c, "web");
	const struct plan_port *p;
	const struct plan_egress *g;

	assert_non_null(s);
	p = PLAN_FIRST(&c.plan, link_of(s)->ports, struct plan_port);
	g = PLAN_FIRST(&c.plan, link_of(s)->egress, struct plan_egress);
	assert_int_equal(link_of(s)->ports.n, 3);
	assert_int_equal(p[0].from, 8080);
	assert_int_equal(p[0].to, 80);
	assert_int_equal(p[0].on.family, 0);
	assert_int_equal(p[2].from, 54);
	assert_int_equal(p[2].proto, 17);
	assert_int_equal(p[2].on.ip[0], 127);
	assert_int_equal(link_of(s)->limited, 1);
	assert_int_equal(link_of(s)->egress.n, 3);
	assert_int_equal(g[0].to.prefix, 8);
	assert_int_equal(g[0].first, 0);
	assert_int_equal(g[1].proto, 6);
	assert_int_equal(g[1].to.ip[1], 0);
	assert_int_equal(g[1].to.ip[2], 2);
	assert_int_equal(g[2].first, 53);
	assert_int_equal(g[2].last, 60);
	assert_int_equal(g[2].to.ip[0], 0xfd);
	assert_int_equal(link_of(compiled_service(&c, "shut"))->limited, 1);
	assert_int_equal(link_of(compiled_service(&c, "shut"))->egress.n, 0);
	assert_int_equal(link_of(compiled_service(&c, "empty"))->limited, 1);
	assert_int_equal(link_of(compiled_service(&c, "free"))->limited, 0);
	assert_non_null(strstr(compiled_refused(&c, "x-double"), "port 53 of the machine is published by service "
			       "web already"));
}

/* One address of the machine each, or one family: who meets another one is refused, be it the first or not. */
static void a_port_is_published_once_on_each_address_and_for_each_family(void **state)
{
	(void)state;
	compiled_make(&c, NULL, "network:\n  bridges:\n    br4: {subnets: [10.88.0.0/24]}\n"
		"    br6: {subnets: [\"fd00:1::/64\"]}\nservices:\n"
#define ON_BR4(ports) TOOL "    isolation: {rootfs: @/image, network: {bridge: br4, ports: [" ports "]}}\n"
		"  a:\n" ON_BR4("\"192.0.2.1:80:80\"") "  b:\n" ON_BR4("\"192.0.2.2:80:80\"")
		"  c-double:\n" ON_BR4("\"192.0.2.2:80:80\"") "  d-all:\n" ON_BR4("\"80:80\"")
		"  e-twice:\n" ON_BR4("\"81:80\", \"192.0.2.1:81:80\"")
		"  f:\n" TOOL "    isolation: {rootfs: @/image, network: [{bridge: br4, ports: [\"82:80\"]}, "
		"{bridge: br6, ports: [\"82:80\"]}]}\n");
	assert_non_null(compiled_service(&c, "a"));
	assert_non_null(compiled_service(&c, "b"));
	assert_non_null(strstr(compiled_refused(&c, "c-double"), "port 80 of the machine is published by service b"));
	assert_non_null(strstr(compiled_refused(&c, "d-all"), "port 80 of the machine is published by service"));
	assert_non_null(strstr(compiled_refused(&c, "e-twice"), "by service e-twice already"));
	assert_non_null(compiled_service(&c, "f"));
	assert_int_equal(link_of(compiled_service(&c, "f"))[1].ports.n, 1);
}

static void a_network_is_shared_by_name_and_brings_the_order_and_the_names(void **state)
{
	(void)state;
	compiled_make(&c, NULL, SMALL "services:\n"
		"  db:\n" ON_BR0(", address: 10.88.0.4/29") "  a:\n" TOOL
		"    isolation: {rootfs: @/image, network: {service: db}}\n"
		"  compose:\n" TOOL "    network_mode: service:db\n    isolation: {rootfs: @/image}\n"
		"  x-deep:\n" TOOL "    isolation: {rootfs: @/image, network: {service: a}}\n"
		"  x-none:\n" TOOL "    isolation: {rootfs: @/image, network: {service: open}}\n"
		"  open:\n" TOOL "    isolation: {rootfs: @/image, network: false}\n"
		"  stays:\n" TOOL "    isolation: {rootfs: @/image, network: {keep: true}}\n"
		"  x-stays:\n" TOOL "    user: \"1000\"\n"
		"    isolation: {rootfs: @/image, user: first, network: {keep: true}}\n"
		"  x-ports:\n" TOOL "    user: \"1000\"\n    security: {cap_add: [NET_BIND_SERVICE]}\n"
		"    isolation: {rootfs: @/image, user: true, network: {service: db}}\n");
	const struct plan_service *a = compiled_service(&c, "a");

	assert_non_null(a);
	assert_int_equal(a->share.n, 1);
	assert_string_equal(str(plan_network(&c.plan, a)->name), "db");
	assert_int_equal(a->links.n, 0);
	assert_int_equal(a->deps.n, 1);
	assert_int_equal(PLAN_FIRST(&c.plan, a->deps, struct plan_dep)->kind, DEP_REQUIRES);
	const struct plan_file *hosts = PLAN_FIRST(&c.plan, c.plan.head->hosts, struct plan_file);

	assert_non_null(strstr(str(hosts->value), "\n10.88.0.4 a\n"));
	const struct plan_service *compose = compiled_service(&c, "compose");

	assert_non_null(compose);
	assert_int_equal(compose->flags & CELL_NET, CELL_NET);
	assert_string_equal(str(plan_network(&c.plan, compose)->name), "db");
	assert_int_equal(compiled_service(&c, "stays")->flags & CELL_NET_KEEP, CELL_NET_KEEP);
	assert_non_null(strstr(compiled_refused(&c, "x-deep"), "it has that of 'db' itself: name that one"));
	assert_non_null(strstr(compiled_refused(&c, "x-none"), "it has none of its own"));
	assert_non_null(strstr(compiled_refused(&c, "x-stays"), "isolation.network.keep: with isolation.user: first"));
	assert_non_null(strstr(compiled_refused(&c, "x-ports"), "would let 'db', whose network it shares, bind every "
			       "port, too: add it there as well"));
}

static void an_interface_on_top_of_another_has_the_addresses_that_are_written(void **state)
{
	(void)state;
	compiled_make(&c, NULL, "network: {nameservers: 192.0.2.53}\nservices:\n"
		"  a:\n" TOOL "    isolation: {rootfs: @/image, network: {macvlan: eth0, address: 192.0.2.7/24, "
		"gateway: 192.0.2.1}}\n"
		"  shares:\n" TOOL "    isolation: {rootfs: @/image, network: {service: a}}\n"
		"  alone:\n" TOOL "    isolation: {rootfs: @/image, network: true}\n"
		"  b:\n" TOOL "    isolation: {rootfs: @/image, network: {ipvlan: eth1, mode: l3s, "
		"address: [192.0.2.8/24, \"2001:db8::8/64\"]}}\n"
		"  x-edge:\n" TOOL "    isolation: {rootfs: @/image, network: {macvlan: eth0, "
		"address: 192.0.2.0/24}}\n");
	const struct plan_service *a = compiled_service(&c, "a"), *b = compiled_service(&c, "b");

	assert_non_null(a);
	assert_non_null(b);
	assert_string_equal(str(link_of(a)->parent), "eth0");
	assert_int_equal(link_of(a)->upper, UPPER_MACVLAN_BRIDGE);
	assert_int_equal(link_of(a)->bridge.n, 0);
	assert_int_equal(link_of(a)->gw4.ip[3], 1);
	assert_int_equal(link_of(b)->upper, UPPER_IPVLAN_L3S);
	assert_int_equal(link_of(b)->addrs.n, 2);
	assert_int_equal(link_of(b)->gw4.family, 0);
	/* The names that the machine asks, for who has that interface and who shares it. */
	assert_non_null(compiled_mount(&c, a, "/etc/resolv.conf"));
	assert_non_null(compiled_mount(&c, compiled_service(&c, "shares"), "/etc/resolv.conf"));
	assert_null(compiled_mount(&c, compiled_service(&c, "alone"), "/etc/resolv.conf"));
	assert_non_null(strstr(compiled_refused(&c, "x-edge"), "'192.0.2.0/24' is not an address with prefix length"));
}

#define ON(what) TOOL "    isolation: {rootfs: @/image, network: {" what "}}\n"

/* An ipvlan with the machine's own address takes what is sent to the machine; a mode is the interface's below. */
static void who_shares_an_interface_is_of_one_kind_and_has_its_own_address(void **state)
{
	(void)state;
	compiled_make(&c, NULL, "network: {interfaces: {eth0: {addresses: [192.0.2.1/24]}}}\nservices:\n"
		"  a:\n" ON("ipvlan: eth0, mode: l3, address: 192.0.2.7/24")
		"  b:\n" ON("macvlan: eth1, address: 192.0.2.7/24")
		"  c:\n" ON("macvlan: eth1, mode: private, address: 192.0.2.8/24")
		"  x-machine:\n" ON("ipvlan: eth0, mode: l3, address: 192.0.2.1/24")
		"  x-mode:\n" ON("ipvlan: eth0, address: 192.0.2.9/24")
		"  x-kind:\n" ON("macvlan: eth0, address: 192.0.2.10/24")
		"  x-same:\n" ON("macvlan: eth1, address: 192.0.2.8/16")
		"  x-admin:\n" TOOL "    security: {cap_add: [CAP_NET_ADMIN]}\n"
		"    isolation: {rootfs: @/image, user: first, network: {ipvlan: eth2, address: 192.0.2.11/24}}\n");
	assert_non_null(compiled_service(&c, "a"));
	assert_non_null(compiled_service(&c, "b"));
	assert_non_null(compiled_service(&c, "c"));
	assert_non_null(strstr(compiled_refused(&c, "x-machine"), "192.0.2.1 is taken on eth0 by the machine itself"));
	assert_non_null(strstr(compiled_refused(&c, "x-mode"), "all ipvlans of eth0 have one mode, and service a has"));
	assert_non_null(strstr(compiled_refused(&c, "x-kind"), "eth0 carries the ipvlan of service a, and can carry no "
			       "macvlan beside it"));
	assert_non_null(strstr(compiled_refused(&c, "x-admin"), "take the machine's own address on eth2"));
	assert_non_null(strstr(compiled_refused(&c, "x-same"), "192.0.2.8 is taken on eth1 by service c"));
}

/* As many as can be taken back together; what is more is told, and not left out. */
static void an_interface_and_a_bridge_have_at_most_so_many_addresses(void **state)
{
	char subnets[1024] = "", addresses[1024] = "", text[4096];

	(void)state;
	for (int i = 0; i <= PLAN_ADDRS_MAX; i++) {
		snprintf(subnets + strlen(subnets), 32, "%s10.%d.0.0/24", i ? ", " : "", i);
		snprintf(addresses + strlen(addresses), 32, "%s192.0.2.%d/24", i ? ", " : "", i + 1);
	}
	snprintf(text, sizeof text, "network:\n  bridges: {br0: {subnets: [%s]}}\n  interfaces: {eth0: {addresses: "
		 "[%s]}}\nservices:\n  a:\n" ON_BR0(", address: 10.1.0.2/24"), subnets, addresses);
	compiled_make(&c, NULL, text);
	assert_int_equal(PLAN_FIRST(&c.plan, c.plan.head->bridges, struct plan_bridge)->addrs.n, PLAN_ADDRS_MAX);
	assert_int_equal(PLAN_FIRST(&c.plan, c.plan.head->interfaces, struct plan_interface)->addrs.n, PLAN_ADDRS_MAX);
	assert_non_null(compiled_problem(&c, SEV_ERROR, "network.bridges.br0: '10.32.0.0/24' is the 33rd subnet: 32 at "
					 "most"));
	assert_non_null(compiled_problem(&c, SEV_ERROR, "network.interfaces.eth0: '192.0.2.33/24' is the 33rd address: "
					 "32 at most"));
}

static void subnets_that_overlap_are_refused_with_both_places(void **state)
{
	static const char *const rows[][2] = {
		{ "bridges: {br0: {subnets: [10.88.0.0/16]}, br1: {subnets: [10.89.0.0/24, 10.88.3.0/24]}}",
		  "network.bridges.br1: '10.88.3.0/24' overlaps '10.88.0.0/16' of bridge br0 (@:1:26): give one of "
		  "them another subnet" },
		{ "bridges: {br0: {subnets: [10.88.3.0/24]}, br1: {subnets: [10.88.0.0/16]}}",
		  "network.bridges.br1: '10.88.0.0/16' overlaps '10.88.3.0/24' of bridge br0 (@:1:26)" },
		{ "bridges: {br0: {subnets: [\"fd88::/64\", 10.88.0.0/24, \"fd88:0:0:0:8000::/72\"]}}",
		  "network.bridges.br0: 'fd88:0:0:0:8000::/72' overlaps 'fd88::/64' of the same bridge: give" },
		{ "interfaces: {eth0: {addresses: [10.88.0.7/24]}}, bridges: {br0: {subnets: [10.88.0.0/24]}}",
		  "network.bridges.br0: '10.88.0.0/24' overlaps '10.88.0.7/24' of interface eth0 (@:1:30): give" },
		{ "interfaces: {eth0: {addresses: [\"fd88::9/96\"]}}, bridges: {br0: {subnets: [\"fd88::/64\"]}}",
		  "network.bridges.br0: 'fd88::/64' overlaps 'fd88::9/96' of interface eth0" },
	};
	char text[512], want[512];

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(text, sizeof text, "network: {%s}\nservices: {}\n", rows[i][0]);
		compiled_make(&c, NULL, text);
		const char *at = strchr(rows[i][1], '@');

		snprintf(want, sizeof want, "%.*s%s%s", (int)(at ? at - rows[i][1] : 500), rows[i][1],
			 at ? c.spec.files[1] : "", at ? at + 1 : "");
		assert_non_null(compiled_problem(&c, SEV_ERROR, want));
		compiled_free(&c);
	}
	/* Beside each other, and two cards or two addresses in one network. */
	compiled_make(&c, NULL, "network: {interfaces: {eth0: {addresses: [192.0.2.1/24, 192.0.2.2/24]}, "
		      "eth1: {addresses: [192.0.2.3/24]}}, bridges: {br0: {subnets: [10.88.0.0/24, \"fd88::/64\"]}, "
		      "br1: {subnets: [10.88.1.0/24, \"fd88:0:0:1::/64\"]}}}\nservices: {}\n");
	assert_null(compiled_problem(&c, SEV_ERROR, "overlaps"));
	compiled_free(&c);
	/* A wider network of an interface, and one address, take nothing away. */
	compiled_make(&c, NULL, "network: {interfaces: {eth0: {addresses: [10.1.2.3/8]}, lo: {addresses: "
		      "[10.88.0.9/32, \"fd88::9/128\"]}}, bridges: {br0: {subnets: [10.88.0.0/24, \"fd88::/64\"]}}}\n"
		      "services: {}\n");
	assert_null(compiled_problem(&c, SEV_ERROR, "overlaps"));
	assert_non_null(compiled_problem(&c, SEV_NOTE, "network.bridges.br0: '10.88.0.0/24' overlaps '10.1.2.3/8' of "
					 "interface eth0"));
	assert_non_null(compiled_problem(&c, SEV_NOTE, "'fd88::/64' overlaps 'fd88::9/128' of interface lo"));
}

static void a_bound_on_what_is_sent_is_one_that_cannot_be_passed(void **state)
{
	(void)state;
	compiled_make(&c, NULL, SMALL "services:\n"
		"  a:\n" ON_BR0(", send_max: 10M, receive_max: 1G")
		"  x-raw:\n" TOOL "    user: \"1000\"\n    security: {cap_add: [NET_RAW]}\n"
		"    isolation: {rootfs: @/image, user: false, network: {bridge: br0, send_max: 1M}}\n"
		"  x-alone:\n" TOOL "    isolation: {rootfs: @/image, network: {receive_max: 1M}}\n");
	const struct plan_service *s = compiled_service(&c, "a");

	assert_non_null(s);
	assert_int_equal(link_of(s)->send_max, 10 << 20);
	assert_int_equal(link_of(s)->receive_max, 1 << 30);
	assert_non_null(strstr(compiled_refused(&c, "x-raw"), "send_max: CAP_NET_RAW goes past it"));
	assert_non_null(strstr(compiled_refused(&c, "x-alone"), "receive_max: needs a bridge"));
}

static void nobody_listens_where_another_service_does(void **state)
{
	static const struct {
		const char *a, *b, *why;	/* NULL: both are well */
	} pairs[] = {
		{ "[{tcp: \":80\"}]", "[{tcp: \"127.0.0.1:80\"}]", "socket 'b': service a listens there already" },
		{ "[{tcp: \":80\", ipv6_only: true}]", "[{tcp: \"127.0.0.1:80\"}]", NULL },
		{ "[{tcp: \"127.0.0.2:80\"}]", "[{tcp: \"127.0.0.1:80\"}]", NULL },
		{ "[{tcp: \":80\"}]", "[{udp: \":80\"}]", NULL },
		{ "[{tcp: \":80\", reuse_port: true}]", "[{tcp: \":80\", reuse_port: true}]", NULL },
		{ "[{tcp: \":80\", device: eth0}]", "[{tcp: \":80\", device: eth1}]", NULL },
		{ "[{tcp: \":80\"}]", "[{tcp: \":80\"}], conflicts: [a]", NULL },
		{ "[{tcp: \":80\"}]", "[{tcp: \":80\"}], enabled: false", NULL },
		{ "[{tcp: \":80\"}], on_failure: start:b", "[{tcp: \":80\"}]", NULL },
		{ "[{tcp: \":80\"}]", "[{tcp: \":80\", in: cell}], isolation: {network: true}", NULL },
		{ "[{unix: /run/x}]", "[{fifo: /run/x}]", "service a listens there already" },
		{ "[{vsock: \"2:80\"}]", "[{vsock: \":80\"}]", "service a listens there already" },
		{ "[]", "[{tcp: \":80\"}, {name: c, tcp: \"[::1]:80\"}]", "listen: socket 'c': the service's own "
		  "socket 'b' has that address already" },
	};
	char text[1024];

	(void)state;
	for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		snprintf(text, sizeof text, "services:\n  a: {command: [/bin/sh], listen: %s}\n"
			 "  b: {command: [/bin/sh], listen: %s}\n", pairs[i].a, pairs[i].b);
		compiled_free(&c);
		compiled_make(&c, NULL, text);
		assert_null(compiled_refused(&c, "a"));
		const char *why = compiled_refused(&c, "b");

		if (!why || !pairs[i].why)
			assert_ptr_equal(why, pairs[i].why);
		else
			assert_non_null(strstr(why, pairs[i].why));
	}
}

static void a_socket_in_the_cells_network_needs_one(void **state)
{
	(void)state;
	const struct plan_service *s = compiled_web(&c, TOOL "    listen:\n      - {tcp: \":80\"}\n"
						    "      - {name: own, tcp: \":80\", in: cell}\n"
						    "    isolation: {rootfs: @/image, network: true}\n");
	const struct plan_listen *l = PLAN_FIRST(&c.plan, s->listen, struct plan_listen);

	assert_true(l[0].in_cell == 0 && l[1].in_cell == 1);
	compiled_refuses(&c, TOOL "    isolation: {rootfs: @/image}\n    listen: [{tcp: \":80\", in: cell}]\n",
		"in: cell: the service has no network of its own; isolation.network gives it one");
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_is_given_by_name_until_there_is_none_left),
		TEST(nobody_listens_where_another_service_does),
		TEST(a_socket_in_the_cells_network_needs_one),
		TEST(published_ports_and_egress_become_numbers),
		TEST(a_port_is_published_once_on_each_address_and_for_each_family),
		TEST(a_network_is_shared_by_name_and_brings_the_order_and_the_names),
		TEST(an_interface_on_top_of_another_has_the_addresses_that_are_written),
		TEST(who_shares_an_interface_is_of_one_kind_and_has_its_own_address),
		TEST(an_interface_and_a_bridge_have_at_most_so_many_addresses),
		TEST(subnets_that_overlap_are_refused_with_both_places),
		TEST(a_bound_on_what_is_sent_is_one_that_cannot_be_passed),
	};

	return cmocka_run_group_tests_name("plan: compile", tests, compiled_setup, compiled_teardown);
}
