/* Paths below a root that may be hostile: what is found, what is made, what is refused. No privilege needed. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/mount.h"
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char root_path[] = "/tmp/prior-below-XXXXXX";
static int root = FD_NONE;

static int make_root(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root_path));
	root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(root, "a", 0755);
	mkdirat(root, "a/b", 0755);
	symlinkat("/etc", root, "abs");
	symlinkat("../../..", root, "up");
	symlinkat("a", root, "inside");
	return root < 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

static int remove_root(void **state)
{
	(void)state;
	fd_drop(&root);
	return nftw(root_path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static ino_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void dots_do_not_lead_out(void **state)
{
	struct err e;
	owned_fd up = below_open(root, "/../../..", &e), self = below_open(root, "/", &e);

	(void)state;
	assert_true(up >= 0);
	assert_int_equal(inode(up), inode(root));
	assert_int_equal(inode(self), inode(root));
}

static void no_link_is_followed_wherever_it_leads(void **state)
{
	static const char *const paths[] = { "/abs", "/abs/passwd", "/up/etc", "/inside", "/inside/b" };
	struct err e;

	(void)state;
	for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
		assert_int_equal(below_open(root, paths[i], &e), -ELOOP);
		assert_non_null(strstr(e.text, paths[i]));
		assert_int_equal(below_make(root, paths[i], true, &e), -ELOOP);
	}
}

static void what_is_missing_is_made_with_its_parents(void **state)
{
	struct err e;
	struct stat st;
	owned_fd dir = below_make(root, "//x//y/z/", true, &e), file = below_make(root, "/x/f", false, &e);

	(void)state;
	assert_true(dir >= 0 && file >= 0);
	assert_int_equal(fstatat(root, "x/y/z", &st, 0), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(fstatat(root, "x/f", &st, 0), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_size == 0 && !(st.st_mode & 0111));
	owned_fd again = below_make(root, "/x/f", false, &e);

	assert_int_equal(inode(again), inode(file));
}

static void a_missing_path_is_not_made_by_looking(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(below_open(root, "/absent", &e), -ENOENT);
	assert_int_equal(faccessat(root, "absent", F_OK, 0), -1);
	assert_int_equal(below_make(root, "/x/f/below-a-file", true, &e), -ENOTDIR);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	char path[600];
	struct err e;

	(void)state;
	memset(path, 'n', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	assert_int_equal(below_make(root, path, true, &e), -ENAMETOOLONG);
	assert_int_equal(below_open(root, path, &e), -ENAMETOOLONG);
}

static void a_folder_is_not_the_root_of_a_mount(void **state)
{
	struct err e;
	owned_fd a = below_open(root, "/a", &e), proc = open("/proc", O_PATH | O_CLOEXEC);

	(void)state;
	assert_false(mount_is_here(a));
	assert_true(mount_is_here(proc));
}

static void a_source_with_a_link_in_it_is_refused(void **state)
{
	char path[128];
	struct err e;

	(void)state;
	snprintf(path, sizeof path, "%s/a/b", root_path);
	owned_fd fd = source_open(path, O_PATH, &e);

	assert_true(fd >= 0);
	snprintf(path, sizeof path, "%s/inside/b", root_path);
	assert_int_equal(source_open(path, O_PATH, &e), -ELOOP);
	assert_non_null(strstr(e.text, "there is a symbolic link in it now"));
	snprintf(path, sizeof path, "%s/inside", root_path);
	assert_int_equal(source_open(path, O_PATH, &e), -ELOOP);
	assert_int_equal(source_open(path, O_RDONLY, &e), -ELOOP);
	snprintf(path, sizeof path, "%s/absent", root_path);
	assert_int_equal(source_open(path, O_PATH, &e), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_with_a_link_in_it_is_refused),
		cmocka_unit_test(dots_do_not_lead_out),
		cmocka_unit_test(no_link_is_followed_wherever_it_leads),
		cmocka_unit_test(what_is_missing_is_made_with_its_parents),
		cmocka_unit_test(a_missing_path_is_not_made_by_looking),
		cmocka_unit_test(a_name_that_is_too_long_is_refused),
		cmocka_unit_test(a_folder_is_not_the_root_of_a_mount),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
