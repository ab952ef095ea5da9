/* What is kept of a boot survives a cut at any byte of its writing, and a loop of failures is seen without a clock. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=pread,--wrap=lasting_open */
#include "init/ctl/last_boot.h"
#include "init/base/file.h"
#include "init/boot_record.h"
#include "init/lastboot.h"
#include "init/last_words.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
/* after the four that it needs */
#include <cmocka.h>

static struct boot_record r;
static struct err e;

/* Copies that the disk cannot read any more. */
static bool is_bad[2];
ssize_t __real_pread(int fd, void *to, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t n, off_t at);

ssize_t __wrap_pread(int fd, void *to, size_t n, off_t at)
{
	if (!is_bad[at / RECORD_COPY])
		return __real_pread(fd, to, n, at);
	errno = EIO;
	return -1;
}

static int place(void)
{
	int fd = memfd_create("record", MFD_CLOEXEC);

	assert_true(fd >= 0);
	memset(&r, 0, sizeof r);
	return fd;
}

static void nothing_is_known_of_an_empty_place(void **state)
{
	int fd = place();

	(void)state;
	assert_int_equal(boot_record_read(fd, &r, &e), -ENODATA);
	assert_int_equal(ftruncate(fd, RECORD_BYTES), 0);
	assert_int_equal(boot_record_read(fd, &r, &e), -ENODATA);
	close(fd);
}

static void the_newest_whole_copy_counts(void **state)
{
	int fd = place();

	(void)state;
	for (unsigned i = 1; i <= 5; i++) {
		r.boots = i;
		assert_int_equal(boot_record_write(fd, &r, &e), 0);
		memset(&r, 0xff, sizeof r);
		assert_int_equal(boot_record_read(fd, &r, &e), 0);
		assert_int_equal(r.boots, i);
		assert_int_equal(r.seq, i);
	}
	close(fd);
}

static void a_copy_in_a_bad_sector_is_passed_over(void **state)
{
	int fd = place();

	(void)state;
	for (r.boots = 1; r.boots <= 4; r.boots++)
		assert_int_equal(boot_record_write(fd, &r, &e), 0);
	is_bad[0] = true;
	assert_int_equal(boot_record_read(fd, &r, &e), 0);
	assert_int_equal(r.boots, 3);		/* the one before, whichever that is */
	assert_int_equal(boot_record_write(fd, &r, &e), 0);
	is_bad[0] = false;			/* a disk that is written to puts another sector there */
	is_bad[1] = true;
	assert_int_equal(boot_record_read(fd, &r, &e), 0);
	assert_int_equal(r.seq, 4);
	is_bad[0] = true;
	assert_int_equal(boot_record_read(fd, &r, &e), -EIO);
	assert_non_null(strstr(e.text, "Input/output error"));
	is_bad[0] = is_bad[1] = false;
	close(fd);
}

/* The power is cut after n bytes of a write: one record or the other, never none and never a mixture. */
static void a_torn_write_leaves_the_one_before(void **state)
{
	static unsigned char before[RECORD_BYTES], after[RECORD_BYTES];
	int fd = place();

	(void)state;
	r.boots = 1;
	assert_int_equal(boot_record_write(fd, &r, &e), 0);
	r.boots = 2;
	assert_int_equal(boot_record_write(fd, &r, &e), 0);
	assert_true(pread(fd, before, sizeof before, 0) > 0);
	r.boots = 3;
	((unsigned char *)&r)[sizeof r - 1] = 1;
	assert_int_equal(boot_record_write(fd, &r, &e), 0);
	assert_true(pread(fd, after, sizeof after, 0) > 0);
	for (size_t n = 0; n <= RECORD_COPY; n += n < 300 ? 1 : 97) {
		assert_int_equal(pwrite(fd, before, sizeof before, 0), sizeof before);
		assert_int_equal(pwrite(fd, after + RECORD_COPY, n, RECORD_COPY), n);
		assert_int_equal(boot_record_read(fd, &r, &e), 0);
		assert_int_equal(r.boots, n >= sizeof r ? 3 : 2);
	}
	close(fd);
}

static void the_very_first_write_may_be_torn(void **state)
{
	int fd = place();

	(void)state;
	assert_int_equal(boot_record_write(fd, &r, &e), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, &r, 512, RECORD_COPY), 512);
	assert_int_equal(boot_record_read(fd, &r, &e), -ENODATA);
	close(fd);
}

static void somebody_elses_disk_is_not_overwritten(void **state)
{
	int fd = place();

	(void)state;
	assert_int_equal(pwrite(fd, "\x53\xef", 2, 1024 + 56), 2);	/* ext4's magic, where the first KiB is zero */
	assert_int_equal(boot_record_read(fd, &r, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "something else is kept there; not overwriting it"));
	close(fd);
}

static void a_flipped_bit_is_no_record(void **state)
{
	static struct boot_record whole;
	int fd = place();

	(void)state;
	strcpy(r.why, "so");
	assert_int_equal(boot_record_write(fd, &r, &e), 0);
	whole = r;
	for (size_t bit = 0; bit < sizeof r * 8; bit += bit < 2000 ? 1 : 1009) {
		r = whole;
		((unsigned char *)&r)[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(boot_record_is_whole(&r));
	}
	close(fd);
}

static void reboots_for_failure_in_a_row_are_counted(void **state)
{
	(void)state;
	memset(&r, 0, sizeof r);
	for (unsigned i = 1; i <= 3; i++) {
		boot_record_begin(&r, "id", 1000);
		r.state = RECORD_FAILED;
		assert_int_equal(boot_record_fails(&r, 20000, 3, 60000), i == 3);
	}
	assert_int_equal(r.nfailures, 3);
	boot_record_begin(&r, "id", 1000);
	r.state = RECORD_FAILED;
	assert_false(boot_record_fails(&r, 20001, 3, 60000));	/* they have lasted longer */
	boot_record_begin(&r, "id", 1000);
	assert_int_equal(r.nfailures, 4);	/* a boot that was cut off says nothing */
	boot_record_begin(&r, "id", 1000);
	assert_int_equal(r.nfailures, 4);
	r.state = RECORD_ASKED;
	boot_record_begin(&r, "id", 1000);
	assert_int_equal(r.nfailures, 0);
	for (unsigned i = 0; i < 100; i++)
		assert_false(boot_record_fails(&r, 1, 0, 60000));
	assert_int_equal(r.nfailures, RECORD_FAILURES);
}

/* Fails in spring; for years its power is cut in the evening; fails in autumn: that is no loop. */
static void a_boot_that_was_well_and_then_cut_off_ends_the_row(void **state)
{
	(void)state;
	memset(&r, 0, sizeof r);
	for (unsigned year = 0; year < 10; year++) {
		boot_record_begin(&r, "id", 1000);
		r.state = RECORD_FAILED;
		assert_false(boot_record_fails(&r, 20000, 2, 60000));
		boot_record_begin(&r, "id", 1000);
		assert_int_equal(r.nfailures, 1);
		assert_int_equal(r.well, 0);
		r.well = 1;
	}
	r.state = RECORD_FAILED;	/* well for a while, and then it fails: that may be one of a loop */
	assert_false(boot_record_fails(&r, 20000, 3, 60000));
	boot_record_begin(&r, "id", 1000);
	assert_int_equal(r.nfailures, 2);
}

/* What EFI has of two oopses: four parts each at most, in any order of names. */
/* The mark of a good boot may have waited for a slow disk until the boot was over. */
static void the_end_of_a_boot_stays_its_last_word(void **state)
{
	(void)state;
	memset(&r, 0, sizeof r);
	boot_record_begin(&r, "id", 1000);
	assert_false(boot_record_has_ended(&r, "id"));
	r.state = RECORD_FAILED;
	assert_true(boot_record_has_ended(&r, "id"));
	assert_false(boot_record_has_ended(&r, "another"));
	r.state = RECORD_ASKED;
	assert_true(boot_record_has_ended(&r, "id"));
}

static void the_parts_of_a_dump_are_put_in_order(void **state)
{
	static const struct { const char *name, *text; } files[] = {
		{ "dmesg-efi-4", "Panic#2 Part1\nfive\nsix\n" }, { "dmesg-efi-1", "Panic#2 Part3\none\ntwo\n" },
		{ "dmesg-efi-3", "Oops#1 Part1\nzero\n" }, { "dmesg-efi-2", "Panic#2 Part2\nthree\nfour\n" },
		{ "console-ramoops-0", "Panic#0 Part1\nnot this\n" },
	};
	char folder[] = "/tmp/prior-pstore-XXXXXX", to[256];
	static struct last_words w;

	(void)state;
	assert_non_null(mkdtemp(folder));
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	w.n = 0;
	for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
		int fd = openat(dir, files[i].name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_int_equal(write(fd, files[i].text, strlen(files[i].text)), strlen(files[i].text));
		close(fd);
		last_words_add(&w, dir, files[i].name);
	}
	assert_int_equal(w.n, 4);
	last_words_join(&w, dir, to, sizeof to);
	assert_string_equal(to, "Oops#1 Part1\nzero\nPanic#2 Part3\none\ntwo\nthree\nfour\nfive\nsix\n");
	last_words_join(&w, dir, to, 20);	/* the end is what counts, in whole lines */
	assert_string_equal(to, "four\nfive\nsix\n");
	for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
		unlinkat(dir, files[i].name, 0);
	close(dir);
	rmdir(folder);
}

static void nothing_of_a_dump_is_left_for_the_boot_after(void **state)
{
	static _Alignas(8) char room[4096];
	char folder[] = "/tmp/prior-pstore-XXXXXX", name[32];
	static struct last_words w;

	(void)state;
	assert_non_null(mkdtemp(folder));
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_scan s = { .fd = dir, .room = room, .size = sizeof room }, again = s;

	for (unsigned i = 0; i < LAST_WORDS_MAX + 9; i++) {
		snprintf(name, sizeof name, "dmesg-ramoops-%u", i);
		close(openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
	assert_int_equal(symlinkat("nowhere", dir, "dmesg-unreadable"), 0);
	close(openat(dir, "console-ramoops-0", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	w.n = 0;
	for (const struct dir_entry *d; (d = dir_next(&s));)
		last_words_add(&w, dir, d->name);
	assert_int_equal(w.n, LAST_WORDS_MAX);
	last_words_forget(&again);
	assert_int_equal(unlinkat(dir, "console-ramoops-0", 0), 0);
	close(dir);
	assert_int_equal(rmdir(folder), 0);	/* empty */
}

static const char *printed(bool as_json)
{
	static char out[16384];
	FILE *to;

	memset(out, 0, sizeof out);
	to = fmemopen(out, sizeof out, "w");
	last_boot_print(&r, as_json, to);
	fclose(to);
	return out;
}

static void fill(void)
{
	r = (struct boot_record){ .state = RECORD_FAILED, .boots = 7, .began_s = 86400, .ended_s = 86410,
				  .uptime_ms = 9876, .nfailures = 2, .braked = 1, .how = "reboot",
				  .why = "service web: it has failed",
			     .kernel = "Panic#1\n<4>\x1b[2J oops\n",
			     .events = "1 0 {\"time\":\"1970-01-02T00:00:01.000Z\",\"level\":\"info\","
				       "\"event\":\"started\",\"service\":\"web\"}\ntorn line" };
}

static void it_is_told_in_words(void **state)
{
	(void)state;
	fill();
	const char *out = printed(false);

	assert_non_null(strstr(out, "boot 7 ended with reboot, for a failure\n"));
	assert_non_null(strstr(out, "  why     service web: it has failed\n"));
	assert_non_null(strstr(out, "  ended   1970-01-02T00:00:10Z, after 9.876 s\n"));
	assert_non_null(strstr(out, "in a row: 2; the brake held the machine\n"));
	assert_non_null(strstr(out, "  <4>?[2J oops\n"));
	assert_non_null(strstr(out, "web: started"));
	assert_null(strstr(out, "torn"));
}

static void it_is_told_as_json(void **state)
{
	(void)state;
	fill();
	const char *out = printed(true);

	assert_non_null(strstr(out, "\"ended\": \"failure\""));
	assert_non_null(strstr(out, "\"how\": \"reboot\""));
	assert_non_null(strstr(out, "\"at\": \"1970-01-02T00:00:10Z\""));
	assert_non_null(strstr(out, "\\\"event\\\":\\\"started\\\""));
	r = (struct boot_record){ .state = RECORD_RUNS };
	out = printed(true);
	assert_non_null(strstr(out, "\"ended\": \"cut off\""));
	assert_non_null(strstr(out, "\"at\": null"));
}

/* The place of the record, wherever this runs. */
static int record_fd;
int __wrap_lasting_open(const char *name, int wait_ms, struct err *why);

int __wrap_lasting_open(const char *name, int wait_ms, struct err *why)
{
	(void)name, (void)wait_ms, (void)why;
	return dup(record_fd);
}

static void a_boot_that_has_ended_is_not_well_any_more(void **state)
{
	char id[40];

	(void)state;
	record_fd = place();
	assert_true(file_line("/proc/sys/kernel/random/boot_id", id, sizeof id, &e) >= 0);
	boot_record_begin(&r, id, 1);
	r.state = RECORD_ASKED;
	assert_int_equal(boot_record_write(record_fd, &r, &e), 0);
	assert_int_equal(lastboot_well("/var/record", &e), -EALREADY);
	assert_string_equal(e.text, "the last boot: this boot has ended already");
	close(record_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_of_an_empty_place),
		cmocka_unit_test(the_newest_whole_copy_counts),
		cmocka_unit_test(a_copy_in_a_bad_sector_is_passed_over),
		cmocka_unit_test(a_torn_write_leaves_the_one_before),
		cmocka_unit_test(the_very_first_write_may_be_torn),
		cmocka_unit_test(somebody_elses_disk_is_not_overwritten),
		cmocka_unit_test(a_flipped_bit_is_no_record),
		cmocka_unit_test(reboots_for_failure_in_a_row_are_counted),
		cmocka_unit_test(a_boot_that_was_well_and_then_cut_off_ends_the_row),
		cmocka_unit_test(the_end_of_a_boot_stays_its_last_word),
		cmocka_unit_test(the_parts_of_a_dump_are_put_in_order),
		cmocka_unit_test(nothing_of_a_dump_is_left_for_the_boot_after),
		cmocka_unit_test(it_is_told_in_words),
		cmocka_unit_test(it_is_told_as_json),
		cmocka_unit_test(a_boot_that_has_ended_is_not_well_any_more),
	};

	return cmocka_run_group_tests_name("boot_record", tests, NULL, NULL);
}
