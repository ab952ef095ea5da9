/* Tests of the YAML walker: what it takes, what it refuses and where it says the fault is. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/tree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static char said[4000];

static void hear(struct tree *t, const struct node *in, uint32_t line, uint32_t col, const char *text)
{
	size_t n = strlen(said);

	(void)t;
	(void)in;
	snprintf(said + n, sizeof said - n, "%u:%u: %s\n", line, col, text);
}

static const char *lookup(const char *name)
{
	return !strcmp(name, "SET") ? "value" : !strcmp(name, "EMPTY") ? "" : !strcmp(name, "BAD") ? "a\033b" : NULL;
}

static struct node *take(const char *text, size_t n)
{
	struct tree t = { .arena = &arena, .file = 1, .env = lookup, .tell = hear };

	said[0] = '\0';
	arena_free(&arena);
	return tree_read(&t, text, n);
}

static int clean(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

struct refusal {
	const char *text, *says;
	bool no_tree;
};

static const struct refusal refusals[] = {
	{ "a: 1\nb: 2\na: 3\n", "3:1: 'a' is given twice; first in line 1\n", false },
	{ "{a: 1, b: 2, a: 3}", "1:14: 'a' is given twice; first in line 1\n", false },
	{ "a: {x: 1, x: 2}\nb: {x: 1}\n", "1:11: 'x' is given twice; first in line 1\n", false },
	{ "a: &here 1\n", "1:4: anchor '&here': anchors are not allowed; write the value where it is needed\n", false },
	{ "a: &here\n  b: 1\n", "1:4: anchor '&here': anchors are not allowed; write the value where it is needed\n",
	  false },
	{ "a: *there\n", "1:4: alias '*there': aliases are not allowed; write the value where it is needed\n", false },
	{ "a: !!int 1\n", "1:4: tag 'tag:yaml.org,2002:int': tags are not allowed\n", false },
	{ "a: !mine [1]\n", "1:4: tag '!mine': tags are not allowed\n", false },
	{ "<<: {a: 1}\n", "1:1: merge key '<<': merging is not allowed; write the keys out\n", false },
	{ "a: 1\n---\nb: 2\n", "2:1: a second document begins here; a file holds one\n", true },
	{ "? [a]\n: 1\n", "1:3: a key must be a word, not a list or a map\n", true },
	{ "a: [1\n", "2:1: YAML: while parsing a flow sequence: did not find expected ',' or ']'\n", true },
	{ "a:\n\tb: 1\n",
	  "2:1: YAML: while scanning for the next token: found character that cannot start any token "
	  "(a tab; YAML is indented with spaces)\n",
	  true },
	{ "a: \"x\\0y\"\n", "1:4: a value holds a NUL byte\n", false },
	{ "a: x\033y\n", "1:5: a control character\n", true },
	{ "\xef\xbb\xbf""a: 1\n", "1:1: begins with a byte order mark; save the file without it\n", true },
	{ "a: 1\nb: \xc3\x28\n", "2:4: not UTF-8\n", true },
	{ "b: \xc0\xaf\n", "1:4: not UTF-8\n", true },
	{ "b: \xed\xa0\x80\n", "1:4: not UTF-8\n", true },
	{ "a: ${UNSET}\n",
	  "1:4: ${UNSET} is not set in prior's environment and has no default (${UNSET:-default})\n", false },
	{ "a: ${1X}\n", "1:4: '${' is neither ${NAME} nor ${NAME:-default}; '$$' is a dollar\n", false },
	{ "a: ${SET\n", "1:4: '${' is neither ${NAME} nor ${NAME:-default}; '$$' is a dollar\n", false },
	{ "a: ${SET-x}\n", "1:4: '${' is neither ${NAME} nor ${NAME:-default}; '$$' is a dollar\n", false },
	{ "a: ${BAD}\n", "1:4: a variable in this value holds a control character or is not UTF-8\n", false },
};

static void what_a_configuration_must_not_hold_is_refused_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct node *root = take(refusals[i].text, strlen(refusals[i].text));

		assert_string_equal(said, refusals[i].says);
		assert_int_equal(root == NULL, refusals[i].no_tree);
	}
}

static void a_nul_byte_is_refused(void **state)
{
	(void)state;
	assert_null(take("a: 1\nb: x\0y\n", 12));
	assert_string_equal(said, "2:5: a NUL byte\n");
}

static void nesting_is_bounded(void **state)
{
	char text[64] = "";

	(void)state;
	for (int i = 0; i < 16; i++)
		strcat(text, "[");
	strcat(text, "x");
	for (int i = 0; i < 16; i++)
		strcat(text, "]");
	assert_non_null(take(text, strlen(text)));
	memmove(text + 1, text, strlen(text) + 1);
	assert_null(take(text, strlen(text)));
	assert_string_equal(said, "1:17: nested more than 16 deep\n");
}

static void size_and_number_of_values_are_bounded(void **state)
{
	char *text = malloc(TREE_BYTES + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '#', TREE_BYTES + 1);
	assert_non_null(take(text, TREE_BYTES));
	assert_null(take(text, TREE_BYTES + 1));
	assert_string_equal(said, "1:1: 1048577 bytes; a file may have 1048576\n");
	for (unsigned i = 0; i <= TREE_NODES; i++)
		memcpy(text + 4 * i, "- x\n", 4);
	assert_null(take(text, 4 * (TREE_NODES + 1)));
	assert_string_equal(said, "100000:3: more than 100000 values in one file\n");
	free(text);
}

static void every_node_knows_its_place(void **state)
{
	const char *text = "one: 1\ntwo:\n  - a\n  - {k: \"v\"}\n";
	struct node *root = take(text, strlen(text)), *two = root->first->next, *k = two->last->first;

	(void)state;
	assert_string_equal(said, "");
	assert_int_equal(root->kind, NODE_MAP);
	assert_int_equal(root->n, 2);
	assert_string_equal(root->first->text, "1");
	assert_false(root->first->quoted);
	assert_string_equal(two->key, "two");
	assert_int_equal(two->key_line, 2);
	assert_int_equal(two->kind, NODE_LIST);
	assert_int_equal(two->line, 3);
	assert_string_equal(k->text, "v");
	assert_true(k->quoted);
	assert_int_equal(k->line, 4);
	assert_int_equal(k->col, 9);
	assert_int_equal(k->key_col, 6);
	assert_ptr_equal(k->up->up, two);
}

static void columns_count_characters_not_bytes(void **state)
{
	const char *text = "a: [\xc3\xa4, \xe2\x82\xac, x]\n";
	struct node *root = take(text, strlen(text));

	(void)state;
	assert_int_equal(root->first->last->col, 11);
}

static void variables_are_filled_into_values_only(void **state)
{
	static const char *const rows[][2] = {
		{ "${SET}", "value" },		 { "x-${SET}-y", "x-value-y" }, { "$$${SET}$$", "$value$" },
		{ "${UNSET:-def}", "def" },	 { "${EMPTY:-def}", "def" },	{ "${EMPTY}", "" },
		{ "${SET:-def}", "value" },	 { "$HOME $x $", "$HOME $x $" }, { "$${SET}", "${SET}" },
		{ "'${SET}'", "value" },	 { "${UNSET:-}", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[64];

		snprintf(text, sizeof text, "\"${KEY}\": %s\n", rows[i][0]);
		struct node *root = take(text, strlen(text));

		assert_non_null(root);
		assert_string_equal(said, "");
		assert_string_equal(root->first->key, "${KEY}");
		assert_string_equal(root->first->text, rows[i][1]);
	}
}

static void an_empty_file_is_an_empty_map(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# nothing\n", "---\n", "---\n...\n" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct node *root = take(texts[i], strlen(texts[i]));

		assert_non_null(root);
		assert_string_equal(said, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_a_configuration_must_not_hold_is_refused_at_its_place, clean),
		cmocka_unit_test_teardown(a_nul_byte_is_refused, clean),
		cmocka_unit_test_teardown(nesting_is_bounded, clean),
		cmocka_unit_test_teardown(size_and_number_of_values_are_bounded, clean),
		cmocka_unit_test_teardown(every_node_knows_its_place, clean),
		cmocka_unit_test_teardown(columns_count_characters_not_bytes, clean),
		cmocka_unit_test_teardown(variables_are_filled_into_values_only, clean),
		cmocka_unit_test_teardown(an_empty_file_is_an_empty_map, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
