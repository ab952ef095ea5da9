/* JSON that the control tool writes is JSON, whatever the strings are. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "init/ctl/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* after the four that it needs */
#include <cmocka.h>

static char *out;
static size_t size;
static struct json j;

static int open_writer(void **state)
{
	(void)state;
	j = (struct json){ .to = open_memstream(&out, &size) };
	return j.to ? 0 : -1;
}

static int close_writer(void **state)
{
	(void)state;
	free(out);
	return 0;
}

static const char *written(void)
{
	fclose(j.to);
	return out;
}

static void an_empty_list_is_one_line(void **state)
{
	(void)state;
	json_list(&j, NULL);
	json_end(&j);
	assert_string_equal(written(), "[]\n");
}

static void objects_in_lists_are_separated(void **state)
{
	(void)state;
	json_list(&j, NULL);
	for (int i = 0; i < 2; i++) {
		json_object(&j, NULL);
		json_int(&j, "n", i - 1);
		json_bool(&j, "yes", i);
		json_null(&j, "none");
		json_end(&j);
	}
	json_end(&j);
	assert_string_equal(written(), "[\n"
				       "  {\n    \"n\": -1,\n    \"yes\": false,\n    \"none\": null\n  },\n"
				       "  {\n    \"n\": 0,\n    \"yes\": true,\n    \"none\": null\n  }\n"
				       "]\n");
}

static void what_json_forbids_in_strings_is_escaped(void **state)
{
	(void)state;
	json_text(&j, NULL, "a\"b\\c\nd\x1b[0m\xff\xc2\x9b\xc2\xa9");	/* U+009B is ESC [ to a terminal */
	assert_string_equal(written(), "\"a\\\"b\\\\c\\u000ad\\u001b[0m\\ufffd\\u009b\xc2\xa9\"");
}

static void words_of_others_cannot_speak_to_a_terminal(void **state)
{
	char text[] = "/x\x1b]0;t\x07\n\xc2\x9b" "31m \xc2\xa9 \x7f";

	(void)state;
	text_tame(text);
	assert_string_equal(text, "/x?]0;t??" "??31m \xc2\xa9 ?");
}

/* The writer goes in pieces: a character of several bytes must come out whole wherever it falls. */
static void long_strings_keep_their_characters(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 4; shift++) {
		char text[4000], want[4100];
		size_t n = shift;

		memset(text, 'x', shift);
		while (n + 6 < sizeof text)
			n += (size_t)snprintf(text + n, sizeof text - n, "é€");
		snprintf(want, sizeof want, "\"%s\"", text);
		if (shift)
			open_writer(NULL);
		json_text(&j, NULL, text);
		assert_string_equal(written(), want);
		if (shift < 3)
			free(out);
	}
}

static void bytes_that_only_continue_do_not_stop_it(void **state)
{
	char text[1000] = { 0 };

	(void)state;
	memset(text, 0x80, sizeof text - 1);
	json_text(&j, NULL, text);
	assert_int_equal(strlen(written()), 2 + 999 * strlen("\\ufffd"));
}

static void too_deep_is_cut_not_crashed(void **state)
{
	(void)state;
	for (int i = 0; i < 3 * JSON_DEPTH; i++)
		json_list(&j, NULL);
	for (int i = 0; i < 4 * JSON_DEPTH; i++)
		json_end(&j);
	assert_non_null(written());
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_writer, close_writer)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_empty_list_is_one_line),
		T(objects_in_lists_are_separated),
		T(what_json_forbids_in_strings_is_escaped),
		cmocka_unit_test(words_of_others_cannot_speak_to_a_terminal),
		T(long_strings_keep_their_characters),
		T(bytes_that_only_continue_do_not_stop_it),
		T(too_deep_is_cut_not_crashed),
	};

	return cmocka_run_group_tests_name("ctl_json", tests, NULL, NULL);
}
