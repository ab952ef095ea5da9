/* What an image says about itself: magic numbers, lengths, and files that are none. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/image.h"
#include "init/base/fd.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static void put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

static void squashfs(unsigned char *head, uint32_t used)
{
	memcpy(head, "hsqs", 4);
	head[28] = 4;
	put32(head + 40, used);
}

static void erofs(unsigned char *head, uint32_t blocks)
{
	put32(head + 1024, 0xe0f5e1e2);
	head[1024 + 12] = 12;	/* blocks of 4096 bytes */
	put32(head + 1024 + 36, blocks);
}

/* What image_type() says of a file of so many bytes that begins with head. */
static int judge(const unsigned char head[4096], off_t size, const char **type, struct err *e)
{
	owned_fd fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, head, 4096, 0), 4096);
	assert_int_equal(ftruncate(fd, size), 0);
	return image_type(fd, type, e);
}

static void a_whole_image_is_known_by_its_magic_number(void **state)
{
	unsigned char a[4096] = { 0 }, b[4096] = { 0 };
	const char *type = NULL;
	struct err e;

	(void)state;
	squashfs(a, 5000);
	assert_int_equal(judge(a, 8192, &type, &e), 0);
	assert_string_equal(type, "squashfs");
	erofs(b, 2);
	assert_int_equal(judge(b, 8192, &type, &e), 0);
	assert_string_equal(type, "erofs");
}

static void an_image_that_is_cut_off_is_refused_with_both_lengths(void **state)
{
	unsigned char a[4096] = { 0 }, b[4096] = { 0 };
	const char *type = NULL;
	struct err e;

	(void)state;
	squashfs(a, 9000);
	assert_int_equal(judge(a, 8192, &type, &e), -EBADMSG);
	assert_string_equal(e.text, "a squashfs image that is cut off: 8192 bytes of 9000");
	erofs(b, 3);
	assert_int_equal(judge(b, 8192, &type, &e), -EBADMSG);
	assert_null(type);
}

static void what_is_no_image_is_refused(void **state)
{
	unsigned char none[4096] = { 0 }, old[4096] = { 0 }, odd[4096] = { 0 };
	const char *type = NULL;
	struct err e;

	(void)state;
	assert_int_equal(judge(none, 8192, &type, &e), -EMEDIUMTYPE);
	assert_string_equal(e.text, "neither a squashfs nor an erofs image");
	assert_int_equal(judge(none, 0, &type, &e), -EMEDIUMTYPE);
	squashfs(old, 5000);
	old[28] = 3;		/* versions before 4 */
	assert_int_equal(judge(old, 8192, &type, &e), -EMEDIUMTYPE);
	erofs(odd, 1);
	odd[1024 + 12] = 63;	/* a block size that would overflow */
	assert_int_equal(judge(odd, 8192, &type, &e), -EMEDIUMTYPE);
	owned_fd folder = open("/", O_RDONLY | O_CLOEXEC), device = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(image_type(folder, &type, &e), -EINVAL);
	assert_int_equal(image_type(device, &type, &e), -EINVAL);
	assert_null(type);
}

static void what_is_no_loop_device_has_no_file(void **state)
{
	uint64_t dev, ino;
	struct err e;

	(void)state;
	assert_int_equal(loop_file(FD_NONE, 8, 0, &dev, &ino, &e), -ENOTBLK);
	assert_string_equal(e.text, "8:0 is no loop device");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_image_is_known_by_its_magic_number),
		cmocka_unit_test(an_image_that_is_cut_off_is_refused_with_both_lengths),
		cmocka_unit_test(what_is_no_image_is_refused),
		cmocka_unit_test(what_is_no_loop_device_has_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
