/* Unit tests of the name servers that leases and routers brought: several interfaces, one resolv.conf. */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/name_servers.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
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
	static const char *const files[] = { "lock", "resolv.conf", "lease-eth0", "lease-eth1", "router-eth0" };
	char path[128];

	(void)state;
	for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);	/* nothing else is left there */
}

struct said {
	unsigned n;
	int64_t seconds;
	const char *address[2];
};

static int64_t tell(const char *source, const struct said *x)
{
	struct name_server v[2];
	struct err e = { 0 };
	int64_t next = -1;

	for (unsigned i = 0; i < x->n; i++) {
		v[i].until_ms = mono_now().ms + x->seconds * 1000;
		strcpy(v[i].address, x->address[i]);
	}
	assert_int_equal(name_servers_tell(dir, source, "192.0.2.1 2001:db8::1", v, x->n, &next, &e), 0);
	return next;
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

static const struct said none = { 0 };
static const struct said a = { 2, 86400, { "198.51.100.1", "198.51.100.2" } };
static const struct said b = { 1, UINT32_MAX, { "203.0.113.1" } };
static const struct said r = { 1, 600, { "fe80::1%eth0" } };

static void the_names_of_one_interface_are_not_wiped_by_another_s(void **state)
{
	(void)state;
	tell("lease-eth1", &b);
	expect("nameserver 203.0.113.1\n");
	tell("lease-eth0", &none);	/* a client's first word */
	expect("nameserver 203.0.113.1\n");
	tell("lease-eth0", &a);
	expect("nameserver 198.51.100.1\nnameserver 198.51.100.2\nnameserver 203.0.113.1\n");
	tell("router-eth0", &r);
	expect("nameserver 198.51.100.1\nnameserver 198.51.100.2\nnameserver 203.0.113.1\nnameserver fe80::1%eth0\n");
	tell("lease-eth1", &none);
	expect("nameserver 198.51.100.1\nnameserver 198.51.100.2\nnameserver fe80::1%eth0\n");
	tell("lease-eth0", &b);
	expect("nameserver 203.0.113.1\nnameserver fe80::1%eth0\n");
}

static void what_nobody_renews_counts_no_longer_and_when_is_known(void **state)
{
	const struct said over = { 1, 0, { "198.51.100.1" } };
	struct name_server v[NAME_SERVERS_MAX];

	(void)state;
	assert_int_equal(tell("lease-eth0", &over), 0);
	expect("");
	const int64_t last = tell("lease-eth1", &b), first = tell("router-eth0", &r);

	expect("nameserver 203.0.113.1\nnameserver fe80::1%eth0\n");
	assert_true(first < last && first - mono_now().ms <= 600000 && first - mono_now().ms > 500000);
	assert_int_equal(name_servers_of(dir, "lease-eth0", v), 0);
	assert_int_equal(name_servers_of(dir, "router-eth0", v), 1);
	assert_int_equal(v[0].until_ms, first);
	assert_string_equal(v[0].address, "fe80::1%eth0");
	assert_int_equal(tell(NULL, &none), first);
}

static char *in_dir(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", dir, name);
	return path;
}

static void who_keeps_the_lock_holds_up_nobody(void **state)
{
	char path[128];

	(void)state;
	tell("lease-eth1", &b);
	owned_fd fd = open(in_dir("lock", path), O_RDWR | O_CLOEXEC);

	assert_int_equal(flock(fd, LOCK_EX), 0);
	tell("lease-eth0", &a);
	expect("nameserver 198.51.100.1\nnameserver 198.51.100.2\nnameserver 203.0.113.1\n");
}

static void a_link_or_a_pipe_in_the_way_is_not_followed_nor_waited_for(void **state)
{
	char path[128], target[128];
	struct name_server v[NAME_SERVERS_MAX];

	(void)state;
	tell("lease-eth1", &b);
	in_dir("lease-eth1", target);
	assert_int_equal(symlink(target, in_dir("new-lease-eth0", path)), 0);
	tell("lease-eth0", &none);
	assert_int_equal(symlink(target, path), 0);
	tell("lease-eth0", &a);
	assert_int_equal(name_servers_of(dir, "lease-eth1", v), 1);
	assert_string_equal(v[0].address, "203.0.113.1");
	assert_int_equal(mkfifo(in_dir("router-eth0", path), 0600), 0);
	tell("lease-eth1", &none);
	expect("nameserver 198.51.100.1\nnameserver 198.51.100.2\n");
}

static void many_with_no_end_shut_out_no_other(void **state)
{
	struct name_server v[NAME_SERVERS_MAX];
	char address[16];
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < NAME_SERVERS_MAX; i++) {
		snprintf(address, sizeof address, "fe80::%u", i);
		n = name_servers_put(v, n, address, UINT32_MAX);
		assert_true(v[i].until_ms - mono_now().ms <= 86400000);
	}
	v[5].until_ms -= 1000;
	assert_int_equal(name_servers_put(v, n, "fe80::9", 60), NAME_SERVERS_MAX);
	assert_string_equal(v[5].address, "fe80::9");
	assert_int_equal(name_servers_put(v, n, "fe80::a", 60), NAME_SERVERS_MAX);
	assert_string_equal(v[5].address, "fe80::a");
	assert_int_equal(name_servers_put(v, n, "fe80::9", 0), NAME_SERVERS_MAX);
	assert_int_equal(name_servers_put(v, n, "fe80::0", 0), NAME_SERVERS_MAX - 1);
	assert_string_equal(v[0].address, "fe80::1");
}

static void where_nothing_can_be_written_is_said(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(name_servers_tell("/absent-folder", "lease-eth0", "", NULL, 0, NULL, &e), -ENOENT);
	assert_string_equal(e.text, "lock /absent-folder/lock: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_names_of_one_interface_are_not_wiped_by_another_s, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_renews_counts_no_longer_and_when_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(who_keeps_the_lock_holds_up_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_or_a_pipe_in_the_way_is_not_followed_nor_waited_for, setup,
						teardown),
		cmocka_unit_test(many_with_no_end_shut_out_no_other),
		cmocka_unit_test(where_nothing_can_be_written_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
