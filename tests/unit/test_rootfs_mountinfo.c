/* Reading mountinfo: well-formed, escaped, cut off and oversized lines. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/mountinfo.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static struct mountinfo parsed(char *line)
{
	struct mountinfo m = { 0 };
	struct err e;

	assert_int_equal(mountinfo_parse(line, &m, &e), 0);
	return m;
}

static void a_line_is_taken_apart(void **state)
{
	char line[] = "36 35 98:12 /sub /mnt/a\\040b ro,nosuid,nodev,noexec,relatime,nosymfollow - ext4 /dev/root rw";
	const struct mountinfo m = parsed(line);

	(void)state;
	assert_int_equal(m.id, 36);
	assert_int_equal(m.parent, 35);
	assert_int_equal(m.major, 98);
	assert_int_equal(m.minor, 12);
	assert_string_equal(m.root, "/sub");
	assert_string_equal(m.target, "/mnt/a b");
	assert_string_equal(m.type, "ext4");
	assert_string_equal(m.source, "/dev/root");
	assert_int_equal(m.attr, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
					 MOUNT_ATTR_NOSYMFOLLOW);
	assert_true(m.is_private);
}

static void propagation_is_seen(void **state)
{
	char shared[] = "1 0 0:1 / / rw shared:5 - tmpfs t rw";
	char slave[] = "1 0 0:1 / / rw master:5 propagate_from:1 - tmpfs t";

	(void)state;
	assert_false(parsed(shared).is_private);
	assert_false(parsed(slave).is_private);
}

/* "readonly" is no attribute because "ro" begins it; the file system's own options are not the mount's. */
static void only_whole_words_of_the_mount_count(void **state)
{
	char line[] = "1 0 0:1 / / rw,rotten,nosuidx - tmpfs t ro,nosuid";

	(void)state;
	assert_int_equal(parsed(line).attr, 0);
}

static void lines_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "", "1", "1 0 0:1 / /", "1 0 0:1 / / rw", "1 0 0:1 / / rw shared:1 -",
					   "x 0 0:1 / / rw - tmpfs t rw", "1 0 01 / / rw - tmpfs t rw" };
	struct mountinfo m;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		char line[64];

		strcpy(line, bad[i]);
		assert_int_equal(mountinfo_parse(line, &m, &e), -EBADMSG);
	}
}

static void a_mount_without_a_source_is_a_mount(void **state)
{
	char line[] = "1 0 0:1 / /a rw - tmpfs";

	(void)state;
	assert_string_equal(parsed(line).source, "");
}

static int count(void *ctx, const struct mountinfo *m, struct err *e)
{
	size_t *n = ctx;

	(void)e;
	*n += strlen(m->target);
	return 0;
}

static int refuse(void *ctx, const struct mountinfo *m, struct err *e)
{
	(void)ctx, (void)m;
	return err_set(e, EPERM, "no");
}

static int file_of(const char *text, size_t n)
{
	int fd = memfd_create("mountinfo", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, n), n);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void lines_are_found_across_reads(void **state)
{
	const size_t lines = 5000;
	char *text = malloc(lines * 64);
	size_t n = 0, length = 0;
	struct err e;

	(void)state;
	for (size_t i = 0; i < lines; i++)
		n += (size_t)snprintf(text + n, 64, "%zu 1 0:1 / /mnt/%04zu rw - tmpfs t rw\n", i, i);
	owned_fd fd = file_of(text, n);

	assert_int_equal(mountinfo_each(fd, count, &length, &e), lines);
	assert_int_equal(length, lines * strlen("/mnt/0000"));
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(mountinfo_each(fd, refuse, NULL, &e), -EPERM);
	free(text);
}

static void a_line_without_end_is_not_read_for_ever(void **state)
{
	const size_t n = 200000;
	char *text = malloc(n);
	size_t length = 0;
	struct err e;

	(void)state;
	memset(text, 'a', n);
	owned_fd fd = file_of(text, n);

	assert_int_equal(mountinfo_each(fd, count, &length, &e), -EOVERFLOW);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_taken_apart),
		cmocka_unit_test(propagation_is_seen),
		cmocka_unit_test(only_whole_words_of_the_mount_count),
		cmocka_unit_test(lines_that_are_none_are_refused),
		cmocka_unit_test(a_mount_without_a_source_is_a_mount),
		cmocka_unit_test(lines_are_found_across_reads),
		cmocka_unit_test(a_line_without_end_is_not_read_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
