/* Times, sizes, dates and tables as people see them. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/term.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* after the four that it needs */
#include <cmocka.h>

static void spans_have_at_most_two_units(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ -5, "0s" }, { 0, "0.0s" }, { 349, "0.3s" }, { 9999, "9.9s" }, { 10000, "10s" }, { 59999, "59s" },
		{ 60000, "1m 0s" }, { 123000, "2m 3s" }, { 3600000, "1h 0m" }, { 86399000, "23h 59m" },
		{ 86400000, "1d 0h" }, { INT64_MAX, "106751991167d 7h" },
	};
	char buf[SHORT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(span_text(rows[i].ms, buf), rows[i].text);
}

static void sizes_are_powers_of_1024(void **state)
{
	char buf[SHORT_TEXT];

	(void)state;
	assert_string_equal(bytes_text(0, buf), "0");
	assert_string_equal(bytes_text(1023, buf), "1023");
	assert_string_equal(bytes_text(1024, buf), "1.0K");
	assert_string_equal(bytes_text(13002343, buf), "12.4M");
	assert_string_equal(bytes_text(UINT64_MAX, buf), "16.0E");
}

static void dates_are_rfc_3339_in_utc(void **state)
{
	char buf[SHORT_TEXT];

	(void)state;
	assert_string_equal(date_text(1767323045678, buf), "2026-01-02T03:04:05.678Z");
	assert_string_equal(date_text(0, buf), "1970-01-01T00:00:00.000Z");
}

static void no_escape_sequence_comes_through(void **state)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	(void)state;
	put_clean(f, "ok é \x1b[2J\r\n\x7f\xc2\x9b");
	fclose(f);
	assert_string_equal(out, "ok é \\x1b[2J\\x0d\\x0a\\x7f\\xc2\x9b");
	free(out);
}

static void columns_line_up_with_colour_and_without(void **state)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);
	struct table t = { 0 };

	(void)state;
	for (int colour = 0; colour < 2; colour++) {
		table_row(&t);
		table_cell(&t, PLAIN, "A");
		table_cell(&t, PLAIN, "B");
		table_row(&t);
		table_cell(&t, GREEN, "%s", "long");
		table_cell(&t, PLAIN, "%d", 1);
		table_print(&t, colour, f);
	}
	fclose(f);
	assert_string_equal(out, "A     B\nlong  1\nA     B\n\033[32mlong\033[0m  1\n");
	free(out);
}

static void no_color_means_no_colour(void **state)
{
	(void)state;
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	FILE *f = terminal < 0 ? NULL : fdopen(terminal, "r+");

	if (!f)
		skip();		/* there are no pseudo terminals here */
	unsetenv("NO_COLOR");
	setenv("TERM", "linux", 1);
	assert_true(colour_wanted(f));
	setenv("NO_COLOR", "1", 1);
	assert_false(colour_wanted(f));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(colour_wanted(f));
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_have_at_most_two_units),
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(dates_are_rfc_3339_in_utc),
		cmocka_unit_test(no_escape_sequence_comes_through),
		cmocka_unit_test(columns_line_up_with_colour_and_without),
		cmocka_unit_test(no_color_means_no_colour),
	};

	return cmocka_run_group_tests_name("ctl_term", tests, NULL, NULL);
}
