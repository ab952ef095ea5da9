/* Unit tests of the YAML that `prior run` stands for. */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "init/run_yaml.h"
#include <errno.h>
#include <string.h>

static void keys_that_share_a_block_are_written_into_it(void **state)
{
	char buf[2000];
	struct text t = TEXT_IN(buf);
	struct err e;
	struct run_set sets[] = { { "limits.nofile", "100" }, { "isolation.preset", "strict" }, { "limits.core", "0" },
				  { "limits.cgroup.pids_max", "5" } };
	char *cmd[] = { "echo", "a\"b $HOME", NULL };

	(void)state;
	assert_int_equal(run_yaml(&t, NULL, sets, 4, cmd, &e), 0);
	assert_string_equal(buf, "services:\n  run:\n    command: [\"echo\", \"a\\\"b $$HOME\"]\n"
			    "    restart: \"no\"\n    critical: true\n"
			    "    isolation:\n      preset: strict\n    limits:\n      cgroup:\n        pids_max: 5\n"
			    "      core: 0\n      nofile: 100\n");
}

static void a_key_that_would_break_out_of_its_line_is_refused(void **state)
{
	char buf[2000];
	struct text t = TEXT_IN(buf);
	struct err e;
	struct run_set one = { "limits", "1\n  evil: 2" }, two = { "a b", "1" };
	char *cmd[] = { "true", NULL };

	(void)state;
	assert_int_equal(run_yaml(&t, NULL, &one, 1, cmd, &e), -EINVAL);
	assert_int_equal(run_yaml(&t, NULL, &two, 1, cmd, &e), -EINVAL);
	assert_string_equal(e.text, "run: --set a b: not a key");
}

static void names_of_variables_are_keys(void **state)
{
	char buf[2000];
	struct text t = TEXT_IN(buf);
	struct err e;
	struct run_set one = { "environment.FOO", "bar" };
	char *cmd[] = { "true", NULL };

	(void)state;
	assert_int_equal(run_yaml(&t, NULL, &one, 1, cmd, &e), 0);
	assert_non_null(strstr(buf, "    environment:\n      FOO: bar\n"));
}

static void a_command_that_does_not_fit_is_an_error(void **state)
{
	char buf[100];
	struct text t = TEXT_IN(buf);
	struct err e;
	char *cmd[] = { "a-command-that-is-much-longer-than-the-buffer-it-is-to-be-written-to-for-this-test", NULL };

	(void)state;
	assert_int_equal(run_yaml(&t, NULL, NULL, 0, cmd, &e), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_that_share_a_block_are_written_into_it),
		cmocka_unit_test(a_key_that_would_break_out_of_its_line_is_refused),
		cmocka_unit_test(names_of_variables_are_keys),
		cmocka_unit_test(a_command_that_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
