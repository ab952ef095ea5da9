/* What is given back at rest, and what stays. */
/* SPDX-License-Identifier: ISC */
#include "init/base/rest.h"
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_is_given_back_only_where_no_disk_can_fail_that_it_comes_from),
	};

	return cmocka_run_group_tests_name("rest", tests, NULL, NULL);
}
