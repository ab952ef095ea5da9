/* The machine's own network: ip= of the kernel's command line, DHCP's services, what a lease may say. */
/* SPDX-License-Identifier: ISC */
#include "conf_sample.h"
#include "init/base/text.h"
#include "init/online.h"
#include "netns/net.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct spec s;

static int clean(void **state)
{
	(void)state;
	spec_free(&s);
	return 0;
}

static void load(const char *text, const char *ip, bool container)
{
	const struct spec_beside beside = { .ip = ip, .container = container };
	struct err e = { 0 };

	conf_write("t.yaml", text);
	assert_int_equal(spec_load_with(&s, "t.yaml", &beside, &e), 0);
}

#define NONE "services: {}\n"
#define TWO  "network: {interfaces: {eth0: {addresses: [192.0.2.1/24], gateway: 192.0.2.9}, eth1: {}}}\n" NONE

/* Every form, as "NAME ADDRESS GATEWAY dhcp|ra" of the interface that it is about. */
static void the_forms_of_ip_are_those_of_the_kernel_and_of_initramfs(void **state)
{
	static const struct { const char *ip, *name, *address, *gateway; const char *how; } rows[] = {
		{ "192.0.2.7::192.0.2.1:255.255.255.128:host:eth1:off", "eth1", "192.0.2.7/25", "192.0.2.1", "" },
		{ "192.0.2.7:::25::eth1:none", "eth1", "192.0.2.7/25", NULL, "" },
		{ "192.0.2.7:::::eth1", "eth1", "192.0.2.7/24", NULL, "" },
		{ "10.1.2.3:::::eth2:static", "eth2", "10.1.2.3/8", NULL, "" },
		{ "[2001:db8::7]::[2001:db8::1]:48::eth1:none", "eth1", "2001:db8::7/48", "2001:db8::1", "" },
		{ "[2001:db8::7]:::::eth1", "eth1", "2001:db8::7/64", NULL, "" },
		{ "eth1:dhcp", "eth1", NULL, NULL, "dhcp" },
		{ "eth1:on:1400", "eth1", NULL, NULL, "dhcp" },
		{ "eth1:dhcp:1500:52:54:00:12:34:56", "eth1", NULL, NULL, "dhcp" },
		{ ":::::eth1:dhcp", "eth1", NULL, NULL, "dhcp" },
		{ ":::::eth1", "eth1", NULL, NULL, "dhcp" },
		{ "eth1:auto6", "eth1", NULL, NULL, "ra" },
		{ "dhcp", "eth0", "192.0.2.1/24", "192.0.2.9", "dhcp" },
		{ "any", "eth0", "192.0.2.1/24", "192.0.2.9", "dhcp" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct spec_interface *it = NULL;

		load(TWO, rows[i].ip, false);
		assert_string_equal(conf_problems(&s), "");
		for (unsigned k = 0; k < s.ninterfaces; k++)
			if (!strcmp(s.interfaces[k].name, rows[i].name))
				it = s.interfaces + k;
		assert_non_null(it);
		assert_int_equal(it->addresses.n, rows[i].address ? 1 : 0);
		if (rows[i].address)
			assert_string_equal(it->addresses.v[0], rows[i].address);
		if (rows[i].gateway)
			assert_string_equal(it->gateway, rows[i].gateway);
		else
			assert_null(it->gateway);
		assert_int_equal(it->dhcp, !strcmp(rows[i].how, "dhcp"));
		assert_int_equal(it->accept_ra, !strcmp(rows[i].how, "ra"));
		spec_free(&s);
	}
	load(TWO, "off", false);
	assert_string_equal(s.interfaces[0].addresses.v[0], "192.0.2.1/24");
	spec_free(&s);
	load("network: {interfaces: {lan: {}}}\n" NONE, "dhcp", false);
	assert_int_equal(s.ninterfaces, 1);
	assert_true(s.interfaces[0].dhcp);
	spec_free(&s);
	load(NONE, "192.0.2.7::::edge::off:192.0.2.53:192.0.2.54", false);
	assert_string_equal(s.interfaces[0].name, "eth0");
	assert_string_equal(s.machine.hostname, "edge");
	assert_int_equal(s.nameservers.n, 2);
	assert_string_equal(s.nameservers.v[1], "192.0.2.54");
}

static void a_mistake_in_ip_is_said_and_changes_no_interface(void **state)
{
	static const char *const rows[][2] = {
		{ "192.0.2.7:::255.0.255.0", "its netmask is none" },
		{ "192.0.2.7:::33", "its netmask is none" },
		{ "192.0.2.7::gate:24", "its gateway is no address" },
		{ "192.0.2.7:::24::a/b", "its device is no name of an interface" },
		{ ":::::eth0:bootp", "it asks for something else than dhcp, on, any, auto6, none or off" },
		{ "eth0:dhcp:12", "its MTU is not one from 576 to 65535" },
		{ "192.0.2.7:::24:::off:dns", "a name server is no address" },
		{ "enP2p1s0:dhcp", "dhcp: its device's name must be one that a service can have" },
		{ "192.0.2.7:::24:a_host_name_of_more_than_the_64_bytes_that_the_kernel_has_room_for_in_one::off",
		  "its host name is none" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		load(TWO, rows[i][0], false);
		assert_int_equal(s.nerrors, 0);
		assert_non_null(strstr(conf_problems(&s), rows[i][1]));
		assert_string_equal(s.interfaces[0].addresses.v[0], "192.0.2.1/24");
		assert_false(s.interfaces[0].dhcp);
		spec_free(&s);
	}
	load(TWO, "dhcp", true);	/* the line of a container's host is not about it */
	assert_false(s.interfaces[0].dhcp);
}

#define BIT(cap) (UINT64_C(1) << (cap))

static void a_client_has_its_packets_who_believes_it_the_network(void **state)
{
	(void)state;
	load("network: {nameservers: [192.0.2.53], interfaces: {eth0: {dhcp: true, accept_ra: true}, eth1: {},\n"
	     "  eth2: {addresses: [192.0.2.1/24], optional: true}}}\n"
	     "services: {web: {command: x, depends_on: [network@all]}}\n", NULL, false);
	assert_string_equal(conf_problems(&s), "");
	assert_int_equal(s.nservices, 6);	/* link@eth0 and network@all are only named */
	const struct spec_service *client = spec_find(&s, "dhcp@eth0"), *lease = spec_find(&s, "lease@eth0"),
				  *all = spec_find(&s, "network@all");

	assert_int_equal(client->caps_added, BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE));
	assert_int_equal(lease->caps_added, BIT(CAP_NET_ADMIN));
	assert_string_not_equal(client->user, lease->user);
	assert_string_equal(lease->listen.v[0].group, client->user);
	assert_string_equal(lease->listen.v[0].unix_dgram, "/run/prior/lease-eth0");
	assert_string_equal(lease->command.v[3], "192.0.2.53");
	assert_string_equal(all->command.v[2], "all");
	assert_string_equal(all->command.v[3], "eth0=46 eth1= eth2=4?");
	assert_non_null(spec_find(&s, "link@eth0"));
}

static void who_reads_what_routers_say_has_no_capability(void **state)
{
	(void)state;
	load("network: {nameservers: [192.0.2.53], interfaces: {eth0: {accept_ra: true}, eth1: {},\n"
	     "  Up: {accept_ra: true}}}\n" NONE, NULL, false);
	assert_string_equal(conf_problems(&s), "");
	const struct spec_service *r = spec_find(&s, "router-names");

	assert_int_equal(r->caps_added, 0);
	assert_string_equal(r->listen.v[0].netlink, "route 524288");
	assert_int_equal(r->command.n, 5);
	assert_string_equal(r->command.v[2], "192.0.2.53");
	assert_string_equal(r->command.v[3], "eth0");
	assert_string_equal(r->command.v[4], "Up");
	spec_free(&s);
	load("network: {interfaces: {eth0: {dhcp: true}}}\n" NONE, NULL, false);
	assert_null(spec_find(&s, "router-names"));
}

static void without_interfaces_or_in_a_container_nothing_comes_along(void **state)
{
	(void)state;
	load("network: {interfaces: {eth0: {dhcp: true}}}\nservices: {web: {command: x, depends_on: [network@all]}}\n",
	     NULL, true);
	assert_int_equal(s.nservices, 2);
	assert_string_equal(spec_find(&s, "network@all")->command.v[3], "");
	spec_free(&s);
	load(NONE, NULL, false);
	assert_int_equal(s.ntemplates, 0);
}

static void a_name_that_no_service_can_have_cannot_have_dhcp(void **state)
{
	(void)state;
	load("network: {interfaces: {WAN: {dhcp: true}}}\n" NONE, NULL, false);
	assert_non_null(strstr(conf_problems(&s), "network.interfaces.WAN: dhcp: its name must be one that a service "
			       "can have: small letters, digits, _ . -"));
}

static void what_no_server_can_mean_is_no_lease(void **state)
{
	const struct net_lease good = { .magic = NET_LEASE, .is_there = 1, .seconds = 60, .prefix = 24,
					.ip = { 192, 0, 2, 7 }, .gateway = { 192, 0, 2, 1 },
					.names = { { 192, 0, 2, 53 }, { 127, 0, 0, 53 } } };
	struct net_lease l = good;
	struct err e;

	(void)state;
	assert_int_equal(net_lease_check(&l, &e), 0);
	l.prefix = 0;
	assert_int_equal(net_lease_check(&l, &e), -EINVAL);
	assert_string_equal(e.text, "address 192.0.2.7/0 for 60 s is none to be had");
	l = good, l.seconds = 0;
	assert_int_equal(net_lease_check(&l, &e), -EINVAL);
	l = good, l.ip[0] = 127;
	assert_int_equal(net_lease_check(&l, &e), -EINVAL);
	l = good, l.gateway[0] = 224;
	assert_int_equal(net_lease_check(&l, &e), -EINVAL);
	assert_string_equal(e.text, "gateway 224.0.2.1 is none");
	l = good, l.names[1][0] = 255;
	assert_int_equal(net_lease_check(&l, &e), -EINVAL);
	assert_string_equal(e.text, "name server 255.0.0.53 is none");
	l = good, l.magic[0] = 'x';
	assert_int_equal(net_lease_check(&l, &e), -EINVAL);
	l = good, l.is_there = 2;
	assert_int_equal(net_lease_check(&l, &e), -EINVAL);
}

/* Those before it ask for nothing that is not there: only for the last one it waits. */
static void the_last_of_many_interfaces_is_waited_for_as_well(void **state)
{
	static char list[16384];
	struct text t = TEXT_IN(list);
	char *argv[] = { (char *)"network-online", (char *)"all", list }, line[128] = "";
	int said[2];
	pid_t pid;

	(void)state;
	for (unsigned i = 0; i < 1023; i++)
		text_add(&t, "lo= ");
	text_add(&t, "absent=");
	assert_int_equal(pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		dup2(said[1], 2);
		_exit(online_main(3, argv));
	}
	close(said[1]);
	FILE *from = fdopen(said[0], "r");

	do {	/* NULL: it has ended, and waits for nobody */
		assert_non_null(fgets(line, sizeof line, from));
	} while (strstr(line, "waiting for lo:"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fclose(from);
	assert_string_equal(line, "waiting for absent: it is not there\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_forms_of_ip_are_those_of_the_kernel_and_of_initramfs, clean),
		cmocka_unit_test_teardown(a_mistake_in_ip_is_said_and_changes_no_interface, clean),
		cmocka_unit_test_teardown(a_client_has_its_packets_who_believes_it_the_network, clean),
		cmocka_unit_test_teardown(who_reads_what_routers_say_has_no_capability, clean),
		cmocka_unit_test_teardown(without_interfaces_or_in_a_container_nothing_comes_along, clean),
		cmocka_unit_test_teardown(a_name_that_no_service_can_have_cannot_have_dhcp, clean),
		cmocka_unit_test_teardown(what_no_server_can_mean_is_no_lease, clean),
		cmocka_unit_test(the_last_of_many_interfaces_is_waited_for_as_well),
	};

	return cmocka_run_group_tests(tests, conf_enter, conf_leave);
}
