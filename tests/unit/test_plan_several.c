/* Services on several networks: interfaces, names, routes, and what cannot be. */
/* SPDX-License-Identifier: ISC */
#include "netns/net.h"
#include "services/plan/between.h"
#include "services/plan/types.h"
#include "tests/unit/one_plan.h"
#include "tests/unit/plan_sample.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#define TOOL "    command: [/bin/tool, -a]\n"

#define TWO "network:\n  bridges:\n    front: {subnets: [10.88.0.0/24, \"fd88::/64\"]}\n" \
	    "    back: {subnets: [10.89.0.0/24]}\nservices:\n"
#define ON_ALL(list) TOOL "    isolation: {rootfs: @/image, network: [" list "]}\n"

static const struct plan_file *hosts_named(const char *name)
{
	PLAN_EACH(struct plan_file, f, &c.plan, c.plan.head->hosts)
		if (!strcmp(str(f->path), name))
			return f;
	return NULL;
}

static void a_service_on_two_bridges_has_an_interface_names_and_an_address_on_each(void **state)
{
	(void)state;
	compiled_make(&c, NULL, TWO
		"  both:\n" ON_ALL("{bridge: front, ports: [\"80:80\"], egress: none}, "
				   "{bridge: back, send_max: 1M}")
		"  db:\n" ON_ALL("{bridge: back, address: 10.89.0.7/24}")
		"  free:\n" ON_ALL("{bridge: back, gateway: 10.89.0.1}, {bridge: front, egress: []}")
		"  side:\n" TOOL "    isolation: {rootfs: @/image, network: {service: both}}\n");
	const struct plan_service *s = compiled_service(&c, "both"), *f = compiled_service(&c, "free");
	const struct plan_link *l = link_of(s);

	assert_int_equal(s->links.n, 2);
	assert_string_equal(plan_link_on(&c.plan, l), "front");
	assert_string_equal(plan_link_on(&c.plan, l + 1), "back");
	assert_string_equal(str(l[0].ifname), "p-both");
	assert_string_not_equal(str(l[0].ifname), str(l[1].ifname));
	assert_int_equal(l[0].addrs.n, 2);
	assert_int_equal(l[1].addrs.n, 1);
	assert_int_equal(PLAN_FIRST(&c.plan, l[1].addrs, struct plan_addr)->ip[1], 89);
	assert_int_equal(l[0].ports.n, 1);
	assert_int_equal(l[1].send_max, 1 << 20);
	/* One default route; what says nothing of egress has that of the first. */
	assert_int_equal(l[0].gw4.ip[1], 88);
	assert_int_equal(l[0].gw6.family, AF_INET6);
	assert_int_equal(l[1].gw4.family, 0);
	assert_true(l[0].limited && l[1].limited);
	assert_int_equal(link_of(f)[0].gw4.ip[1], 89);
	assert_int_equal(link_of(f)[1].gw4.family, 0);
	assert_int_equal(link_of(f)[1].gw6.family, AF_INET6);
	assert_true(!link_of(f)[0].limited && link_of(f)[1].limited);
	/* Each bridge names who is on it; who is on both sees both, the first one first. */
	assert_int_equal(c.plan.head->hosts.n, 4);
	assert_non_null(strstr(str(hosts_named("back")->value), "\n10.89.0.7 db\n"));
	assert_null(strstr(str(hosts_named("back")->value), "10.88."));
	assert_null(strstr(str(hosts_named("front")->value), "db"));
	const char *all = str(hosts_named("front:back")->value);

	assert_non_null(strstr(all, " side\n"));
	assert_true(strstr(all, " both\n") < strstr(all, "\n10.89.0.7 db\n"));
	assert_non_null(hosts_named("back:front"));
	assert_string_equal(str(compiled_mount(&c, s, "/etc/hosts")->source), HOSTS_DIR "front:back");
	assert_string_equal(str(compiled_mount(&c, compiled_service(&c, "side"), "/etc/hosts")->source),
			    HOSTS_DIR "front:back");
}

static void a_host_name_is_no_name_of_its_neighbours_when_a_service_is_called_so(void **state)
{
	(void)state;
	compiled_make(&c, NULL, TWO
		"  app:\n" ON_ALL("{bridge: front}, {bridge: back}")
		"  db:\n" ON_ALL("{bridge: back, address: 10.89.0.7/24}")
#define CALLED(name) TOOL "    isolation: {rootfs: @/image, hostname: " name ", network: {bridge: front}}\n"
		"  a-guest:\n" CALLED("db") "  b-guest:\n" CALLED("DB") "  c-guest:\n" CALLED("shop"));
	const char *all = str(hosts_named("front:back")->value);

	assert_non_null(strstr(all, " a-guest\n"));
	assert_non_null(strstr(all, " b-guest\n"));
	assert_non_null(strstr(all, " c-guest shop\n"));
	assert_non_null(strstr(all, "\n10.89.0.7 db\n"));
	assert_null(strstr(str(hosts_named("front")->value), "db"));
}

/* The first one's name is long, and its made one is what the second is called. */
static void no_two_ends_at_the_machine_have_one_name(void **state)
{
	(void)state;
	compiled_make(&c, NULL, TWO
		"  averyv-00000000001:\n" ON_ALL("{bridge: front}") "  averyv-ffa69c:\n" ON_ALL("{bridge: front}"));
	const struct plan_service *a = compiled_service(&c, "averyv-00000000001"),
				  *b = compiled_service(&c, "averyv-ffa69c");

	assert_string_equal(str(link_of(b)->ifname), "p-averyv-ffa69c");
	assert_string_equal(str(link_of(a)->ifname), "p-averyv-ffa69d");
}

static void a_list_of_a_further_interface_alone_is_told(void **state)
{
	(void)state;
	compiled_make(&c, NULL, TWO
		"  a:\n" ON_ALL("{bridge: front}, {bridge: back, egress: [\"10.89.0.7:5432\"]}")
		"  b:\n" ON_ALL("{bridge: front, egress: none}, {bridge: back, egress: []}"));
	assert_non_null(compiled_problem(&c, SEV_NOTE, "holds on bridge 'back' only: the first interface has no list"));
	assert_null(compiled_problem(&c, SEV_NOTE, "holds on bridge 'front'"));
}

/* While the old one ends its file stays, and the one that the new service needs is there before it starts. */
static void on_the_way_to_another_plan_the_names_of_both_are_there(void **state)
{
	struct compiled next = { .fd = -1 };
	const uint8_t leaving[] = { LEAVING_ALIVE };
	struct err e;
	int fd = -1;

	(void)state;
	compiled_make(&c, NULL, TWO "  old:\n" ON_ALL("{bridge: front}, {bridge: back}"));
	compiled_make(&next, NULL, TWO "  new:\n" ON_ALL("{bridge: back}, {bridge: front}"));
	assert_int_equal(plan_between(&c.plan, &next.plan, leaving, &fd, &e), 1);
	compiled_free(&next);
	compiled_free(&c);
	c = (struct compiled){ .fd = fd };
	assert_int_equal(plan_map(&c.plan, fd, &e), 0);
	assert_int_equal(c.plan.head->hosts.n, 4);
	assert_int_equal(compiled_service(&c, "old")->links.n, 2);
	assert_int_equal(compiled_service(&c, "new")->links.n, 2);
	assert_non_null(strstr(str(hosts_named("front:back")->value), " old\n"));
	assert_non_null(strstr(str(hosts_named("back:front")->value), " new\n"));
}

static void what_cannot_be_on_several_networks_is_told_why(void **state)
{
	static const struct {
		const char *list, *says;
	} wrong[] = {
		{ "{bridge: back}, {bridge: back}", "it is on bridge 'back' already" },
		{ "{bridge: back}, {bridge: gone}", "there is no bridge 'gone' in network.bridges" },
		{ "{bridge: back}, {gateway: 10.0.0.1}", "needs an interface" },
		{ "{bridge: back}, {}", "give each interface a bridge" },
		{ "{keep: true}, {bridge: back}", "there is no first interface" },
		{ "{bridge: back}, {bridge: front, ports: [\"80:80\"]}", "publish them there, or give this one" },
		{ "{bridge: back, gateway: 10.89.0.1}, {bridge: front, gateway: 10.88.0.1}",
		  "interface host0 has the default route already, by 10.89.0.1" },
		{ "{bridge: back}, {macvlan: eth0, address: 192.0.2.7/24}",
		  "isolation.network.macvlan: on top of eth0 the rules of prior do not hold, so it can only be a "
		  "service's one interface: give it to a service of its own, or publish" },
		{ "{ipvlan: eth0, address: 192.0.2.7/24}, {bridge: back}", "isolation.network.ipvlan: on top of eth0" },
		{ "{macvlan: eth0, address: 192.0.2.7/24}, {macvlan: eth1, address: 192.0.3.7/24}",
		  "isolation.network.macvlan: on top of eth0" },
		{ "{bridge: back}, {bridge: front, address: 10.89.0.9/24}", "is in no subnet of bridge 'front'" },
		{ "{bridge: a}, {bridge: b}, {bridge: c}, {bridge: d}, {bridge: e}", "5 interfaces: a service has 4" },
		{ "{service: both}, {bridge: back}", "the network is that of service 'both'" },
		{ "true, {bridge: back}", "must be a map" },
	};
	char text[1024];

	(void)state;
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(text, sizeof text, TWO "  both:\n" ON_ALL("{bridge: back}") "  bad:\n" ON_ALL("%s"),
			 wrong[i].list);
		compiled_free(&c);
		compiled_make(&c, NULL, text);
		if (!compiled_problem(&c, SEV_ERROR, wrong[i].says))
			fail_msg("%s: nobody says: %s", wrong[i].list, wrong[i].says);
	}
}

/* Somebody else's plan, or an older prior's: not what check says, what is loaded. */
static void a_plan_with_a_bridge_beside_an_interface_of_the_machine_is_refused(void **state)
{
	struct err e = { 0 };

	(void)state;
	compiled_make(&c, NULL, TWO "  both:\n" ON_ALL("{bridge: front}, {bridge: back}"));
	unsigned char *copy = malloc(c.plan.size);

	memcpy(copy, c.plan.at, c.plan.size);
	struct plan_link *l = (struct plan_link *)(copy + compiled_service(&c, "both")->links.at) + 1;

	assert_int_equal(plan_verify(copy, c.plan.size, &e), 0);
	*l = (struct plan_link){ .parent = l->bridge, .upper = UPPER_MACVLAN_BRIDGE, .addrs = l->addrs };
	plan_sample_sum(copy, c.plan.size);
	assert_int_equal(plan_verify(copy, c.plan.size, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "both: plan_service: its interfaces"));
	free(copy);
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_service_on_two_bridges_has_an_interface_names_and_an_address_on_each),
		TEST(a_host_name_is_no_name_of_its_neighbours_when_a_service_is_called_so),
		TEST(no_two_ends_at_the_machine_have_one_name),
		TEST(a_list_of_a_further_interface_alone_is_told),
		TEST(on_the_way_to_another_plan_the_names_of_both_are_there),
		TEST(what_cannot_be_on_several_networks_is_told_why),
		TEST(a_plan_with_a_bridge_beside_an_interface_of_the_machine_is_refused),
	};

	return cmocka_run_group_tests_name("plan: several networks", tests, compiled_setup, compiled_teardown);
}
