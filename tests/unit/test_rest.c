/* What is given back at rest, and what stays. */
/* SPDX-License-Identifier: ISC */
#include "init/base/rest.h"
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define OF_XFS 0x58465342
#define OF_SQUASHFS 0x73717368
#define OF_F2FS 0xF2F52010

static void code_is_given_back_only_where_no_disk_can_fail_that_it_comes_from(void **state)
{
	static const int64_t disks[] = { EXT4_SUPER_MAGIC, BTRFS_SUPER_MAGIC, OF_XFS, OF_SQUASHFS, OF_F2FS,
					 NFS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, 0, -1 };

	(void)state;
	assert_true(rest_comes_again(RAMFS_MAGIC));
	assert_true(rest_comes_again(TMPFS_MAGIC));
	for (size_t i = 0; i < sizeof disks / sizeof *disks; i++)
		assert_false(rest_comes_again(disks[i]));
}

/* Wherever this test's own binary is. */
static void who_rests_hears_what_happens_and_its_time_out(void **state)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = 7 }, got[2] = { 0 };
	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	int pair[2];

	(void)state;
	rest_begin();
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &ev), 0);
	assert_int_equal(rest_wait(epoll, got, 2, 1), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(rest_wait(epoll, got, 2, -1), 1);
	assert_int_equal(got[0].data.u32, 7);
	close(epoll);
	assert_true(rest_wait(epoll, got, 2, 0) < 0);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_rests_hears_what_happens_and_its_time_out),
		cmocka_unit_test(code_is_given_back_only_where_no_disk_can_fail_that_it_comes_from),
	};

	return cmocka_run_group_tests_name("rest", tests, NULL, NULL);
}
