/* Directories that are made, given away and removed where somebody hostile may write (CVE rows 20, 22, 25). */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "rootfs/tree.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/prior-tree-XXXXXX";
static int base = FD_NONE;
static struct err e;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	base = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return base < 0;
}

static int teardown(void **state)
{
	struct err lost;

	(void)state;
	fd_drop(&base);
	owned_fd tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return tree_remove(tmp, strrchr(folder, '/') + 1, &lost);
}

static bool there(const char *name)
{
	struct stat st;

	return fstatat(base, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void put(const char *name)
{
	owned_fd fd = openat(base, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
}

static void what_is_missing_is_made(void **state)
{
	struct stat st;

	(void)state;
	owned_fd dir = tree_make(base, "a/b/c", &e);

	assert_true(dir >= 0);
	assert_int_equal(fstatat(base, "a/b", &st, 0), 0);
	assert_true(S_ISDIR(st.st_mode));
	owned_fd again = tree_make(base, "a/b/c", &e);

	assert_true(again >= 0);
}

static void no_link_is_followed_when_one_is_made(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(base, "real", 0755), 0);
	assert_int_equal(symlinkat("real", base, "link"), 0);
	put("file");
	assert_true(tree_make(base, "link", &e) < 0);
	assert_non_null(strstr(e.text, "link: is, or goes through, a symbolic link"));
	assert_true(tree_make(base, "link/below", &e) < 0);
	assert_false(there("real/below"));
	assert_true(tree_make(base, "file", &e) < 0);
	assert_true(tree_make(base, "file/below", &e) < 0);
}

static void everything_below_is_removed_and_nothing_beside(void **state)
{
	(void)state;
	owned_fd dir = tree_make(base, "go/one/two", &e);

	put("stays");
	put("go/one/two/file");
	put("go/file");
	assert_int_equal(mkdirat(base, "other", 0755), 0);
	put("other/stays");
	assert_int_equal(symlinkat("../../other", base, "go/one/link"), 0);
	assert_int_equal(symlinkat("..", base, "go/up"), 0);
	assert_int_equal(tree_remove(base, "go", &e), 0);
	assert_false(there("go"));
	assert_true(there("stays"));
	assert_true(there("other/stays"));
	assert_int_equal(tree_remove(base, "go", &e), 0);	/* it is gone: fine */
}

/* CVE-2018-6954: the link goes, what it points to stays. */
static void a_link_in_its_place_is_removed_itself(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(base, "target", 0755), 0);
	put("target/file");
	assert_int_equal(symlinkat("target", base, "planted"), 0);
	assert_int_equal(tree_remove(base, "planted", &e), 0);
	assert_false(there("planted"));
	assert_true(there("target/file"));
}

/* CVE-2021-3997: depth costs neither stack nor descriptors. */
static void ten_thousand_levels_are_removed(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(base, "deep", 0755), 0);
	owned_fd at = openat(base, "deep", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (unsigned i = 0; i < 10000; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);
		fd_put(&at, openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC));
		assert_true(at >= 0);
	}
	fd_drop(&at);
	assert_int_equal(tree_remove(base, "deep", &e), 0);
	assert_false(there("deep"));
}

static void giving_to_its_owner_changes_nothing(void **state)
{
	(void)state;
	owned_fd dir = tree_make(base, "mine/below", &e);
	owned_fd top = openat(base, "mine", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(tree_give(top, getuid(), getgid(), &e), 0);
}

/* CVE-2018-15687: as root only; tests/cells has the racer. */
static void what_is_given_is_what_lies_there(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	owned_fd dir = tree_make(base, "give/below", &e);
	owned_fd top = openat(base, "give", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	put("outside");
	put("give/file");
	put("give/second-name");
	assert_int_equal(linkat(base, "outside", base, "give/hard", 0), 0);
	assert_int_equal(symlinkat("../outside", base, "give/soft"), 0);
	assert_int_equal(tree_give(top, 4321, 4322, &e), 0);
	assert_int_equal(fstat(top, &st), 0);
	assert_true(st.st_uid == 4321 && st.st_gid == 4322);
	fstatat(base, "give/below", &st, 0);
	assert_int_equal(st.st_uid, 4321);
	fstatat(base, "give/file", &st, 0);
	assert_int_equal(st.st_uid, 4321);
	fstatat(base, "give/soft", &st, AT_SYMLINK_NOFOLLOW);
	assert_int_equal(st.st_uid, 4321);
	fstatat(base, "outside", &st, 0);
	assert_int_equal(st.st_uid, 0);		/* neither through the link nor by its second name */
}

static void too_deep_to_be_given_is_said(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	owned_fd at = tree_make(base, "far", &e);
	owned_fd top = fcntl(at, F_DUPFD_CLOEXEC, 3);

	for (unsigned i = 0; i < 130; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);
		fd_put(&at, openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC));
	}
	assert_true(tree_give(top, 4321, 4321, &e) < 0);
	assert_non_null(strstr(e.text, "deeper than 128 directories"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_is_made),
		cmocka_unit_test(no_link_is_followed_when_one_is_made),
		cmocka_unit_test(everything_below_is_removed_and_nothing_beside),
		cmocka_unit_test(a_link_in_its_place_is_removed_itself),
		cmocka_unit_test(ten_thousand_levels_are_removed),
		cmocka_unit_test(giving_to_its_owner_changes_nothing),
		cmocka_unit_test(what_is_given_is_what_lies_there),
		cmocka_unit_test(too_deep_to_be_given_is_said),
	};

	return cmocka_run_group_tests_name("rootfs: trees", tests, setup, teardown);
}
