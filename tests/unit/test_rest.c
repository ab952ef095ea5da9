/* What is given back at rest, and what stays. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/rest.h"
#include "init/base/sys.h"
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
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

static int hears_after_giving_back(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = 7 }, got[2] = { 0 };
	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	int pair[2], wrong = pipe(pair) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &ev) < 0;

	wrong = wrong || rest_now(epoll, got, 2, 0) || rest_now(epoll, got, 2, 1);
	wrong = wrong || write(pair[1], "x", 1) != 1 || rest_now(epoll, got, 2, -1) != 1 || got[0].data.u32 != 7;
	close(pair[0]);
	close(pair[1]);
	close(epoll);
	return wrong;
}

static void who_has_given_back_its_stack_goes_on(void **state)
{
	(void)state;
	assert_int_equal(hears_after_giving_back(), 0);
}

/* A copy of this test, in memory as a binary in an initramfs. */
static void who_has_given_back_its_code_goes_on(void **state)
{
	owned_fd self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy = memfd_create("test_rest", MFD_CLOEXEC);
	int status = -1;

	(void)state;
	while (sendfile(copy, self, NULL, 1 << 20) > 0)
		;
	if (lseek(copy, 0, SEEK_CUR) <= 0)
		skip();	/* no memory that is a file (a filter, a container's sandbox) */
	const pid_t pid = fork();

	if (pid == 0) {
		fexecve(copy, (char *[]){ "test_rest", "copy", NULL }, environ);
		_exit(77);
	}
	assert_int_equal(sys_wait(pid, &status), 0);
	if (status == 77 << 8)
		skip();		/* such a file may not be executed (vm.memfd_noexec) */
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return strcmp(argv[1], "copy") || !rest_begin() || hears_after_giving_back();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_rests_hears_what_happens_and_its_time_out),
		cmocka_unit_test(who_has_given_back_its_stack_goes_on),
		cmocka_unit_test(who_has_given_back_its_code_goes_on),
		cmocka_unit_test(code_is_given_back_only_where_no_disk_can_fail_that_it_comes_from),
	};

	return cmocka_run_group_tests_name("rest", tests, NULL, NULL);
}
