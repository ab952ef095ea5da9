/* Unit tests of the name servers that leases brought: several interfaces, one resolv.conf. */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "init/lease_names.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/prior-names-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const files[] = { "lock", "resolv.conf", "lease-eth0", "lease-eth1" };
	char path[128];

	(void)state;
	for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);	/* nothing else is left there */
}

static void tell(const char *name, const struct net_lease *l)
{
	struct err e = { 0 };

	assert_int_equal(lease_names(dir, name, "192.0.2.1 2001:db8::1", l, &e), 0);
}

static void expect(const char *lent)
{
	char path[128], text[1000] = "", whole[1000];

	snprintf(path, sizeof path, "%s/resolv.conf", dir);
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	snprintf(whole, sizeof whole, "nameserver 192.0.2.1\nnameserver 2001:db8::1\n%s", lent);
	assert_string_equal(text, whole);
}

static const struct net_lease none = { .magic = NET_LEASE };
static const struct net_lease a = { .magic = NET_LEASE, .is_there = 1, .seconds = 86400,
				    .names = { { 198, 51, 100, 1 }, { 198, 51, 100, 2 } } };
static const struct net_lease b = { .magic = NET_LEASE, .is_there = 1, .seconds = UINT32_MAX,
				    .names = { { 203, 0, 113, 1 } } };

static void the_names_of_one_interface_are_not_wiped_by_another_s(void **state)
{
	(void)state;
	tell("eth1", &b);
	expect("nameserver 203.0.113.1\n");
	tell("eth0", &none);	/* a client's first word */
	expect("nameserver 203.0.113.1\n");
	tell("eth0", &a);
	expect("nameserver 198.51.100.1\nnameserver 198.51.100.2\nnameserver 203.0.113.1\n");
	tell("eth1", &none);
	expect("nameserver 198.51.100.1\nnameserver 198.51.100.2\n");
	tell("eth0", &b);
	expect("nameserver 203.0.113.1\n");
}

static void a_lease_that_nobody_renews_counts_no_longer(void **state)
{
	struct net_lease over = a;

	(void)state;
	over.seconds = 0;
	tell("eth0", &over);
	expect("");
	tell("eth1", &b);
	expect("nameserver 203.0.113.1\n");
}

static void where_nothing_can_be_written_is_said(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(lease_names("/absent-folder", "eth0", "", &a, &e), -ENOENT);
	assert_string_equal(e.text, "lock /absent-folder/lock: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_names_of_one_interface_are_not_wiped_by_another_s, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lease_that_nobody_renews_counts_no_longer, setup, teardown),
		cmocka_unit_test(where_nothing_can_be_written_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
