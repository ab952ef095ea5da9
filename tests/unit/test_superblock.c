/* What is on a device is told by its bytes, and bytes that are nothing are nothing. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "rootfs/coldplug.h"
#include "rootfs/options.h"
#include "rootfs/superblock.h"
#include "rootfs/verity.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
/* after the four that it needs */
#include <cmocka.h>

static unsigned char disk[SUPERBLOCK_BYTES];
static struct superblock s;

static int clear(void **state)
{
	(void)state;
	memset(disk, 0, sizeof disk);
	return 0;
}

static void put(size_t at, const void *what, size_t n)
{
	memcpy(disk + at, what, n);
}

static const unsigned char uuid[16] = { 0x6f, 0x1f, 0x2a, 0x3b, 0x0c, 0x4d, 0x4e, 0x5f,
					0x8a, 0x9b, 1, 0x23, 0x45, 0x67, 0x89, 0xab };
#define UUID "6f1f2a3b-0c4d-4e5f-8a9b-0123456789ab"

static void each_file_system_is_known_by_its_magic(void **state)
{
	static const struct {
		const char *type, *magic;
		size_t n, at, uuid, label;
	} rows[] = {
		{ "ext4", "\x53\xef", 2, 1080, 1128, 1144 },  { "xfs", "XFSB", 4, 0, 32, 108 },
		{ "btrfs", "_BHRfS_M", 8, 65600, 65568, 65835 }, { "erofs", "\xe2\xe1\xf5\xe0", 4, 1024, 1072, 1088 },
		{ "swap", "SWAPSPACE2", 10, 4086, 1036, 1052 }, { "squashfs", "hsqs", 4, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		clear(state);
		put(rows[i].at, rows[i].magic, rows[i].n);
		if (rows[i].uuid)
			put(rows[i].uuid, uuid, 16);
		if (rows[i].label)
			put(rows[i].label, "data", 4);
		assert_true(superblock_read(disk, sizeof disk, &s));
		assert_string_equal(s.type, rows[i].type);
		assert_string_equal(s.uuid, rows[i].uuid ? UUID : "");
		assert_string_equal(s.label, rows[i].label ? "data" : "");
	}
}

static void fat_has_a_serial_number_and_a_padded_label(void **state)
{
	(void)state;
	put(82, "FAT32   ", 8);
	put(71, "BOOT DISK  ", 11);
	put(67, "\x34\x12\xcd\xab", 4);
	put(510, "\x55\xaa", 2);
	assert_true(superblock_read(disk, sizeof disk, &s));
	assert_string_equal(s.type, "vfat");
	assert_string_equal(s.label, "BOOT DISK");
	assert_string_equal(s.uuid, "ABCD-1234");
}

static void nothing_behind_the_end_is_read(void **state)
{
	(void)state;
	memset(disk, 0xff, sizeof disk);
	for (size_t n = 0; n <= sizeof disk; n += n < 5000 ? 1 : 509) {
		unsigned char *copy = malloc(n + 1);

		memcpy(copy, disk, n);
		put(1080, "\x53\xef", 2);
		superblock_read(copy, n, &s);
		free(copy);
	}
	srandom(7);
	for (int i = 0; i < 20000; i++) {
		struct partition p;
		uint64_t at;

		for (int k = 0; k < 128; k++)
			disk[random() % 4200] = (unsigned char)random();
		superblock_read(disk, (size_t)random() % sizeof disk, &s);
		memcpy(disk, "EFI PART", 8);
		gpt_entry_at(disk, (size_t)random() % 128, (unsigned)random() % 256, 512, &at);
		gpt_entry_read(disk, (size_t)random() % 256, &p);
		mbr_partition(disk, (size_t)random() % 1024, 1, &p);
	}
}

static void a_label_cannot_command_a_terminal(void **state)
{
	(void)state;
	put(1080, "\x53\xef", 2);
	put(1144, "\x1b[2Jx", 5);
	assert_true(superblock_read(disk, sizeof disk, &s));
	assert_string_equal(s.label, "?[2Jx");
}

static void partitions_have_names_of_their_own(void **state)
{
	unsigned char entry[128] = { 1 };
	struct partition p;
	uint64_t at;

	(void)state;
	put(0, "EFI PART", 8);
	disk[72] = 2;
	disk[80] = 128;
	disk[84] = 128;
	assert_true(gpt_entry_at(disk, 92, 3, 512, &at));
	assert_int_equal(at, 1024 + 256);
	assert_false(gpt_entry_at(disk, 92, 0, 512, &at));
	assert_false(gpt_entry_at(disk, 92, 129, 512, &at));
	assert_false(gpt_entry_at(disk, 91, 3, 512, &at));
	memcpy(entry + 16, uuid, 16);
	memcpy(entry + 56, "r\0o\0o\0t\0", 8);
	assert_true(gpt_entry_read(entry, 128, &p));
	assert_string_equal(p.uuid, "3b2a1f6f-4d0c-5f4e-8a9b-0123456789ab");
	assert_string_equal(p.label, "root");
	put(440, "\x78\x56\x34\x12", 4);
	put(510, "\x55\xaa", 2);
	assert_true(mbr_partition(disk, 512, 2, &p));
	assert_string_equal(p.uuid, "12345678-02");
}

static void a_tree_of_hashes_is_taken_only_when_it_can_be_used(void **state)
{
	struct verity v;

	(void)state;
	put(0, "verity\0\0\1\0\0\0\1\0\0\0", 16);
	put(32, "sha256", 6);
	put(64, "\0\x10\0\0\0\x10\0\0\7", 9);
	put(80, "\2\0", 2);
	put(88, "\x5a\x17", 2);
	assert_true(verity_read(disk, VERITY_BYTES, &v));
	assert_int_equal(v.data_block, 4096);
	assert_int_equal(v.hash_block, 4096);
	assert_int_equal(v.data_blocks, 7);
	assert_string_equal(v.algorithm, "sha256");
	assert_string_equal(v.salt, "5a17");
	assert_false(verity_read(disk, VERITY_BYTES - 1, &v));
	put(38, " 1", 2);	/* more words for the kernel's table */
	assert_false(verity_read(disk, VERITY_BYTES, &v));
	put(38, "\0\0", 2);
	put(80, "\1\1", 2);	/* a longer salt than there is room for */
	assert_false(verity_read(disk, VERITY_BYTES, &v));
	put(80, "\2\0", 2);
	put(64, "\1", 1);	/* no power of two */
	assert_false(verity_read(disk, VERITY_BYTES, &v));
}

static void a_root_hash_has_a_form(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(verity_hash_is_good("00000000000000000000000000000000000000aF", &e), 0);
	assert_int_equal(verity_hash_is_good("0123abcd", &e), -EINVAL);
	assert_string_equal(e.text, "'0123abcd...' is not a root hash: "
			    "an even number of hexadecimal digits, 40 to 128");
	assert_int_equal(verity_hash_is_good("00000000000000000000000000000000000000000000 1", &e), -EINVAL);
}

static char loaded[64];

static void load(const char *module)
{
	strcat(loaded, module);
	strcat(loaded, " ");
}

static void drivers_are_found_by_their_patterns(void **state)
{
	static const char *const of[] = { "virtio:d00000002v00001AF4", "pci:v00001AF4d00001001sv00001AF4" };

	(void)state;
	loaded[0] = '\0';
	coldplug_match("# a comment\nalias virtio:d00000002v* virtio_blk\nalias virtio:d00000001v* virtio_net\n"
		       "alias\nalias pci:v00001AF4d*sv*\nalias pci:v00001AF4d*sv* virtio_pci\nalias usb:v* no",
		       of, 2, load);
	assert_string_equal(loaded, "virtio_blk virtio_pci ");
}

static void mount_options_are_flags_or_the_file_systems(void **state)
{
	char data[64] = "";
	struct mount_words w = { .data = TEXT_IN(data), .wait_s = -1 };

	(void)state;
	mount_words(&w, "ro,nodev,,size=1M,nofail,x-systemd.device-timeout=7,x-other,rw,errors=panic,_netdev");
	assert_int_equal(w.flags, MS_NODEV);
	assert_string_equal(data, "size=1M,errors=panic");
	assert_true(w.optional);
	assert_false(w.skip);
	assert_int_equal(w.wait_s, 7);
}

#define T(f) cmocka_unit_test_setup(f, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_file_system_is_known_by_its_magic),
		T(fat_has_a_serial_number_and_a_padded_label),
		T(nothing_behind_the_end_is_read),
		T(a_label_cannot_command_a_terminal),
		T(partitions_have_names_of_their_own),
		T(a_tree_of_hashes_is_taken_only_when_it_can_be_used),
		T(a_root_hash_has_a_form),
		T(drivers_are_found_by_their_patterns),
		T(mount_options_are_flags_or_the_file_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
