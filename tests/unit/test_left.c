/* The processes that are left when the machine ends, by name. */
/* SPDX-License-Identifier: ISC */
#include "init/left.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *parsed(const char *text)
{
	static char line[200];
	const char *name;

	snprintf(line, sizeof line, "%s", text);
	return left_parse(line, &name) ? name : NULL;
}

static void a_name_may_have_parentheses_and_what_a_terminal_would_obey(void **state)
{
	(void)state;
	assert_string_equal(parsed("12 (sh) S 1 12 12 0 -1 4194304 7 8"), "sh");
	assert_string_equal(parsed("12 (a) Z 2 (b) D 1 12 12 0 -1 4194560 7"), "a) Z 2 (b");
	assert_string_equal(parsed("12 (\033[2J\n) R 1 12 12 0 -1 4194304 7"), "?[2J?");
}

static void the_kernels_own_and_the_ended_are_not_left(void **state)
{
	(void)state;
	assert_null(parsed("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0"));
	assert_null(parsed("12 (sh) Z 1 12 12 0 -1 4194304 7 8"));
	static const char *const lines[] = { "", "12", "12 (sh", ") (", "12 (sh)", "12 (sh) ",
					     "12 (sh) S 1 12 12 0 -1" };

	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_null(parsed(lines[i]));
}

static void they_are_found_by_proc(void **state)
{
	char who[320] = "", wanted[40];
	struct text t = TEXT_IN(who);
	int ready[2];
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_NAME, "deaf");
		_exit(write(ready[1], "", 1) != 1 || pause());
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	unsigned n = left_name(&t);

	assert_true(n >= 2 && !t.cut);	/* it, and this program */
	snprintf(wanted, sizeof wanted, "deaf (%d)", pid);
	assert_true(strstr(who, wanted) || strstr(who, " more"));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_may_have_parentheses_and_what_a_terminal_would_obey),
		cmocka_unit_test(the_kernels_own_and_the_ended_are_not_left),
		cmocka_unit_test(they_are_found_by_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
