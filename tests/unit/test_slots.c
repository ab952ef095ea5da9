/* The three ways of counting boots, with the bytes that other programs write and read. */
/* SPDX-License-Identifier: ISC */
#include "init/base/err.h"
#include "rootfs/boot_count.h"
#include "rootfs/slots.h"
#include "rootfs/uboot_env.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
/* after the four that it needs */
#include <cmocka.h>

static struct slots s;
static struct err e;
static const char *const names[] = { "a", "b" };

static int fresh(void **state)
{
	(void)state;
	memset(&s, 0, sizeof s);
	slots_match(&s, names, 2, 3);
	return 0;
}

static const char *chosen(void)
{
	struct slot *c = slots_choose(&s, 3);

	return c ? c->name : "";
}

static void a_slot_that_never_comes_up_loses_its_turn(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_string_equal(chosen(), "a");
	for (int i = 0; i < 3; i++)
		assert_string_equal(chosen(), "b");
	assert_string_equal(chosen(), "a");	/* better than not to boot at all */
	assert_int_equal(slots_find(&s, "b")->left, 3);
	slots_prefer(&s, "b");
	assert_string_equal(chosen(), "b");
	s.n = 0;
	assert_string_equal(chosen(), "");
}

static void a_slot_that_somebody_names_is_counted_too(void **state)
{
	(void)state;
	for (unsigned left = 3; left-- > 0;)
		assert_int_equal(slots_try(&s, "b")->left, left);
	assert_int_equal(slots_try(&s, "b")->left, 0);
	assert_int_equal(slots_find(&s, "a")->left, 3);
	assert_null(slots_try(&s, "c"));
}

static void the_configuration_says_which_slots_there_are(void **state)
{
	static const char *const other[] = { "b", "c" };

	(void)state;
	slots_find(&s, "b")->left = 1;
	slots_match(&s, other, 2, 3);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.v[0].name, "b");
	assert_int_equal(s.v[0].left, 1);
	assert_int_equal(slots_find(&s, "c")->left, 3);
	assert_null(slots_find(&s, "a"));
}

static void a_write_that_is_cut_leaves_the_state_before(void **state)
{
	int fd = memfd_create("slots", MFD_CLOEXEC);
	static const char zero[SLOTS_SECTOR];
	struct slots got;

	(void)state;
	assert_int_equal(slots_load(fd, &got, &e), -ENODATA);
	for (unsigned i = 1; i <= 4; i++) {
		s.v[0].left = i;
		s.v[0].good = i & 1;
		assert_int_equal(slots_save(fd, &s, &e), 0);
		assert_int_equal(slots_load(fd, &got, &e), 0);
		assert_int_equal(got.v[0].left, i);
		assert_int_equal(got.v[0].good, i & 1);
	}
	assert_int_equal(pwrite(fd, zero, 100, 0), 100);	/* the fourth, torn */
	assert_int_equal(slots_load(fd, &got, &e), 0);
	assert_int_equal(got.v[0].left, 3);
	assert_int_equal(pwrite(fd, "ext4?", 5, 0), 5);
	assert_int_equal(pwrite(fd, "ext4?", 5, SLOTS_APART), 5);
	assert_int_equal(slots_load(fd, &got, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "something else is kept there; not overwriting it"));
	close(fd);
}

static void a_flipped_bit_is_no_state(void **state)
{
	char sector[SLOTS_SECTOR], bad[SLOTS_SECTOR];
	struct slots got;

	(void)state;
	s.seq = 7;
	slots_format(&s, sector);
	assert_true(slots_parse(&got, sector));
	assert_int_equal(got.seq, 7);
	for (size_t bit = 0; bit < strlen(sector) * 8; bit++) {
		memcpy(bad, sector, sizeof bad);
		bad[bit / 8] ^= (char)(1 << bit % 8);
		if (slots_parse(&got, bad))	/* the sum is hexadecimal: A is a */
			assert_int_equal(got.seq, 7);
	}
}

/* As fw_setenv wrote it: "a=1", "BOOT_ORDER=a b", in 64 bytes. */
static void make_env(unsigned char *env, size_t size, bool redundant)
{
	static const char data[] = "a=1\0BOOT_ORDER=a b\0";

	memset(env, 0, size);
	memcpy(env + (redundant ? 5 : 4), data, sizeof data);
	uboot_env_seal(env, size, redundant);
}

static void the_sum_is_that_of_zlib(void **state)
{
	(void)state;
	assert_int_equal(uboot_crc32("123456789", 9), 0xcbf43926);
	assert_int_equal(uboot_crc32("", 0), 0);
}

/* Bytes that mkenvimage -s 64 -r makes of "a=1" and "bootlimit=3", padded with zeros. */
static void an_environment_of_mkenvimage_is_read(void **state)
{
	unsigned char env[64] = "\0\0\0\0\1a=1\0bootlimit=3\0\0";
	const uint32_t sum = uboot_crc32(env + 5, 59);

	(void)state;
	memcpy(env, &sum, 4);
	assert_true(uboot_env_is_whole(env, sizeof env, true));
	assert_false(uboot_env_is_whole(env, sizeof env, false));
	assert_string_equal(uboot_env_get(env, sizeof env, true, "bootlimit"), "3");
	assert_null(uboot_env_get(env, sizeof env, true, "boot"));
	assert_null(uboot_env_get(env, sizeof env, true, "limit"));
}

static void a_variable_is_set_and_the_others_stay(void **state)
{
	unsigned char env[64], was[64];

	(void)state;
	make_env(env, sizeof env, false);
	assert_true(uboot_env_set(env, sizeof env, false, "BOOT_ORDER", "b a"));
	assert_true(uboot_env_set(env, sizeof env, false, "BOOT_b_LEFT", "3"));
	assert_true(uboot_env_set(env, sizeof env, false, "none", NULL));
	assert_false(uboot_env_is_whole(env, sizeof env, false));
	uboot_env_seal(env, sizeof env, false);
	assert_true(uboot_env_is_whole(env, sizeof env, false));
	assert_string_equal(uboot_env_get(env, sizeof env, false, "a"), "1");
	assert_string_equal(uboot_env_get(env, sizeof env, false, "BOOT_ORDER"), "b a");
	assert_string_equal(uboot_env_get(env, sizeof env, false, "BOOT_b_LEFT"), "3");
	assert_true(uboot_env_set(env, sizeof env, false, "a", NULL));
	assert_null(uboot_env_get(env, sizeof env, false, "a"));
	memcpy(was, env, sizeof env);
	assert_false(uboot_env_set(env, sizeof env, false, "long", "a value that does not fit into it"));
	assert_memory_equal(was, env, sizeof env);
}

static void the_copy_with_the_next_flags_counts(void **state)
{
	static const struct { unsigned char a, b; int newest; } rows[] = {
		{ 1, 2, 1 }, { 2, 1, 0 }, { 255, 0, 1 }, { 0, 255, 0 }, { 1, 1, 0 }, { 254, 255, 1 },
	};
	unsigned char one[64], other[64];
	const unsigned char *const copy[2] = { one, other };

	(void)state;
	make_env(one, sizeof one, true);
	make_env(other, sizeof other, true);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		one[4] = rows[i].a;
		other[4] = rows[i].b;	/* the sum is of the data alone */
		assert_int_equal(uboot_env_newest(copy, 64), rows[i].newest);
	}
	one[20] ^= 1;
	other[4] = 0, one[4] = 9;
	assert_int_equal(uboot_env_newest(copy, 64), 1);
	other[20] ^= 1;
	assert_int_equal(uboot_env_newest(copy, 64), -1);
	other[20] ^= 1;
	uboot_env_seal(other, sizeof other, true);
	assert_int_equal(other[4], 1);
}

static void an_environment_without_an_end_is_not_read_past(void **state)
{
	unsigned char *env = malloc(64);

	(void)state;
	memset(env, 'x', 64);
	assert_null(uboot_env_get(env, 64, true, "x"));
	assert_false(uboot_env_set(env, 64, true, "x", "1"));
	assert_false(uboot_env_set(env, 64, true, "x", NULL));
	free(env);
}

static void names_of_entries_carry_their_counts(void **state)
{
	static const struct {
		const char *file, *name;
		bool counted;
		unsigned left, done;
		const char *again;
	} rows[] = {
		{ "linux.conf", "linux", false, 0, 0, "linux.conf" },
		{ "linux+3.conf", "linux", true, 3, 0, "linux+3.conf" },
		{ "linux+3-0.efi", "linux", true, 3, 0, "linux+3.efi" },
		{ "os-6.1+2-1.efi", "os-6.1", true, 2, 1, "os-6.1+2-1.efi" },
		{ "a+b+0-3.conf", "a+b", true, 0, 3, "a+b+0-3.conf" },
	};
	static const char *const none[] = { "", ".conf", "linux", "linux.txt", "linux+.conf", "linux+x.conf", "+3.conf",
					    "linux+3-.conf", "linux+-1.conf", "linux+3-x.conf", "linux+99999.conf",
					    "a/b.efi" };
	struct boot_count b;
	char file[64];

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(boot_count_parse(rows[i].file, &b));
		assert_string_equal(b.name, rows[i].name);
		assert_int_equal(b.counted, rows[i].counted);
		assert_int_equal(b.left, rows[i].left);
		assert_int_equal(b.done, rows[i].done);
		assert_true(boot_count_format(&b, file, sizeof file));
		assert_string_equal(file, rows[i].again);
	}
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
		assert_false(boot_count_parse(none[i], &b));
	assert_true(boot_count_parse("linux+3.conf", &b));
	assert_false(boot_count_format(&b, file, 8));
}

/* Whatever the bytes are, the readers end, and within them. Twenty thousand inputs, the same at each run. */
static void any_bytes_are_read_safely(void **state)
{
	unsigned seed = 5;
	struct slots got;
	struct boot_count b;

	(void)state;
	slots_format(&s, (char[SLOTS_SECTOR]){ 0 });
	for (int i = 0; i < 20000; i++) {
		char *sector = malloc(SLOTS_SECTOR), *file = malloc(24);
		unsigned char *env = malloc(UBOOT_ENV_MIN);

		slots_format(&s, sector);
		make_env(env, UBOOT_ENV_MIN, i & 1);
		memcpy(file, "linux-entry+3-0.conf", 21);
		for (int k = 0; k < 1 + i % 9; k++) {
			sector[(unsigned)rand_r(&seed) % 90] = (char)rand_r(&seed);
			env[(unsigned)rand_r(&seed) % UBOOT_ENV_MIN] = (unsigned char)rand_r(&seed);
			file[(unsigned)rand_r(&seed) % 20] = "+-.0a9/x"[(unsigned)rand_r(&seed) % 8];
		}
		slots_parse(&got, sector);
		boot_count_parse(file, &b);
		const unsigned char *const two[2] = { env, env };

		uboot_env_newest(two, UBOOT_ENV_MIN);
		uboot_env_get(env, UBOOT_ENV_MIN, i & 1, "BOOT_ORDER");
		uboot_env_set(env, UBOOT_ENV_MIN, i & 1, "BOOT_ORDER", i % 3 ? "b" : NULL);
		free(sector);
		free(file);
		free(env);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_slot_that_never_comes_up_loses_its_turn, fresh),
		cmocka_unit_test_setup(a_slot_that_somebody_names_is_counted_too, fresh),
		cmocka_unit_test_setup(the_configuration_says_which_slots_there_are, fresh),
		cmocka_unit_test_setup(a_write_that_is_cut_leaves_the_state_before, fresh),
		cmocka_unit_test_setup(a_flipped_bit_is_no_state, fresh),
		cmocka_unit_test(the_sum_is_that_of_zlib),
		cmocka_unit_test(an_environment_of_mkenvimage_is_read),
		cmocka_unit_test(a_variable_is_set_and_the_others_stay),
		cmocka_unit_test(the_copy_with_the_next_flags_counts),
		cmocka_unit_test(an_environment_without_an_end_is_not_read_past),
		cmocka_unit_test(names_of_entries_carry_their_counts),
		cmocka_unit_test_setup(any_bytes_are_read_safely, fresh),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
