/* Tests of single values: numbers, times, sizes, signals, words of a command, and near misses. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/value.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>

#define NO INT64_MIN
#define EACH(i, v) for (size_t i = 0; i < sizeof(v) / sizeof *(v); i++)

struct row {
	const char *text;
	int64_t value;
};

static void check(const char *what, int (*parse)(const char *, int64_t *), const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t v = NO;

		parse(rows[i].text, &v);
		if (v != rows[i].value)
			fail_msg("%s '%s' is %lld", what, rows[i].text, (long long)v);
	}
}

#define CHECK(parse, rows) check(#parse, parse, rows, sizeof(rows) / sizeof *(rows))

static void numbers_have_one_spelling(void **state)
{
	static const struct row rows[] = {
		{ "0", 0 }, { "7", 7 }, { "-7", -7 }, { "9223372036854775807", INT64_MAX },
			{ "9223372036854775808", NO },
		{ "18446744073709551616", NO }, { "", NO }, { "-", NO }, { "-0", NO }, { "+1", NO }, { "01", NO },
		{ "0x1", NO }, { "1e3", NO }, { "1:30", NO }, { "1_000", NO }, { " 1", NO }, { "1 ", NO },
	};

	(void)state;
	CHECK(value_number, rows);
}

static void modes_are_octal(void **state)
{
	static const struct row rows[] = {
		{ "0022", 022 }, { "22", 022 }, { "0o22", 022 }, { "7777", 07777 }, { "17777", NO }, { "8", NO },
			{ "", NO }, { "-1", NO },
	};

	(void)state;
	CHECK(value_octal, rows);
}

static void times_have_units(void **state)
{
	static const struct row rows[] = {
		{ "500ms", 500 }, { "30s", 30000 }, { "5m", 300000 }, { "2h", 7200000 }, { "1d", 86400000 },
			{ "7", 7000 },
		{ "0", 0 }, { "1m30s", 90000 }, { "1h0m1s", 3601000 }, { "30s1m", NO }, { "1s1s", NO }, { "s", NO },
			{ "", NO },
		{ "-1s", NO }, { "1.5s", NO }, { "1x", NO }, { "99999999999999999999s", NO }, { "100000d", NO },
			{ "1 s", NO },
	};

	(void)state;
	CHECK(value_msec, rows);
}

static int size_as_number(const char *s, int64_t *out)
{
	uint64_t v = 0;
	int rc = value_size(s, &v);

	if (rc == 0)
		*out = (int64_t)v;
	return rc;
}

static void sizes_are_powers_of_1024(void **state)
{
	static const struct row rows[] = {
		{ "64K", 65536 }, { "512M", 536870912 }, { "2G", 2147483648 }, { "1T", 1099511627776 },
			{ "4096", 4096 },
		{ "64m", 67108864 }, { "64mb", 67108864 }, { "10b", 10 }, { "0", 0 }, { "", NO }, { "M", NO },
			{ "1.5G", NO },
		{ "-1", NO }, { "17179869184G", NO }, { "010", NO }, { "1MiB", NO },
	};

	(void)state;
	CHECK(size_as_number, rows);
}

static void signals_have_names_and_numbers(void **state)
{
	static const struct row rows[] = {
		{ "SIGTERM", 15 }, { "TERM", 15 }, { "15", 15 }, { "SIGRTMIN+3", 37 }, { "RTMIN", 34 },
			{ "SIGRTMIN+30", 64 },
		{ "SIGRTMIN+31", NO }, { "SIGRTMIN-1", NO }, { "0", NO }, { "65", NO }, { "SIGFOO", NO },
			{ "term", NO }, { "", NO },
	};

	(void)state;
	CHECK(value_signal, rows);
}

static void every_number_reads_back_from_its_text(void **state)
{
	static const int64_t ms[] = { 0, 1, 999, 1000, 60000, 90000, 3600000, 86400000, 86400001 };
	static const uint64_t bytes[] = { 1, 1023, 1024, 65536, 1048576, 3221225472, 1099511627776, 1125899906842624 };
	char buf[VALUE_TEXT];
	int64_t back = 0;
	uint64_t size = 0;

	(void)state;
	EACH(i, ms) {
		assert_int_equal(value_msec(value_msec_text(ms[i], buf), &back), 0);
		assert_int_equal(back, ms[i]);
	}
	EACH(i, bytes) {
		assert_int_equal(value_size(value_size_text(bytes[i], buf), &size), 0);
		assert_int_equal(size, bytes[i]);
	}
	for (int sig = 1; sig <= 64; sig++) {
		assert_int_equal(value_signal(value_signal_text(sig, buf), &back), 0);
		assert_int_equal(back, sig);
	}
}

static void a_command_is_split_as_a_shell_would(void **state)
{
	static const struct {
		const char *text, *words;	/* joined by | */
	} rows[] = {
		{ "nginx -g 'daemon off;'", "nginx|-g|daemon off;" },
		{ "  a\tb\n c  ", "a|b|c" },
		{ "a\\ b \"c \\\" d\" e'f'\"g\"", "a b|c \" d|efg" },
		{ "'' \"\"", "|" },
		{ "'a\\b' \"a\\b\" \"a\\\\b\" \"\\$x\"", "a\\b|a\\b|a\\b|$x" },
		{ "a;b $HOME * > x", "a;b|$HOME|*|>|x" },
		{ "", "" },
	};

	(void)state;
	EACH(i, rows) {
		struct arena a = { 0 };
		struct str_list l = { 0 };
		const char *why = NULL;
		char words[100] = "";

		assert_int_equal(value_split(&a, rows[i].text, &l, &why), 0);
		for (unsigned j = 0; j < l.n; j++)
			strcat(strcat(words, j ? "|" : ""), l.v[j]);
		assert_string_equal(words, rows[i].words);
		arena_free(&a);
	}
}

static void a_command_that_is_cut_off_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "a 'b", "a single quote is not closed" }, { "a \"b", "a double quote is not closed" },
			{ "a\\", "ends in a backslash" },
		{ "\"a\\", "a double quote is not closed" },
	};

	(void)state;
	EACH(i, rows) {
		struct arena a = { 0 };
		struct str_list l = { 0 };
		const char *why = NULL;

		assert_int_not_equal(value_split(&a, rows[i][0], &l, &why), 0);
		assert_string_equal(why, rows[i][1]);
		arena_free(&a);
	}
}

static void near_misses_find_the_word_that_was_meant(void **state)
{
	static const char *const words[] = { "command", "environment", "user", "umask", "isolation", NULL };
	static const char *const rows[][2] = {
		{ "comand", "command" }, { "enviroment", "environment" }, { "suer", "user" },
			{ "isolaton", "isolation" },
		{ "colour", NULL }, { "x", NULL }, { "", NULL },
	};

	(void)state;
	EACH(i, rows) {
		const char *near = value_nearest(rows[i][0], words);

		if (!rows[i][1])
			assert_null(near);
		else
			assert_string_equal(near, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_one_spelling),
		cmocka_unit_test(modes_are_octal),
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(signals_have_names_and_numbers),
		cmocka_unit_test(every_number_reads_back_from_its_text),
		cmocka_unit_test(a_command_is_split_as_a_shell_would),
		cmocka_unit_test(a_command_that_is_cut_off_is_refused),
		cmocka_unit_test(near_misses_find_the_word_that_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
