/* Work in a child: whatever it does, or does not do any more, its parent goes on. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=kill,--wrap=waitpid */
#include "init/base/mono.h"
#include "init/child.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* after the four that it needs */
#include <cmocka.h>

static pid_t hangs;	/* a process that no signal ends, as one that waits for a disk; -1: the next one is */

int __real_kill(pid_t pid, int sig);
int __wrap_kill(pid_t pid, int sig);
pid_t __real_waitpid(pid_t pid, int *status, int flags);
pid_t __wrap_waitpid(pid_t pid, int *status, int flags);

int __wrap_kill(pid_t pid, int sig)
{
	if (hangs != -1)
		return __real_kill(pid, sig);
	hangs = pid;
	return 0;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int flags)
{
	if (pid == hangs)
		assert_true(flags & WNOHANG);	/* or we would be here for ever */
	return __real_waitpid(pid, status, flags);
}

static int waits(void *ctx, struct err *e)
{
	(void)ctx, (void)e;
	for (;;)
		pause();
	return 0;
}

static int refuses(void *ctx, struct err *e)
{
	return err_set(e, ENOSPC, "no room for %d", *(int *)ctx);
}

static int dies(void *ctx, struct err *e)
{
	(void)ctx, (void)e;
	_exit(7);
}

static void its_answer_is_ours(void **state)
{
	struct err e;
	int n = 3;

	(void)state;
	assert_int_equal(child_run(refuses, &n, 60000, &e), -ENOSPC);
	assert_string_equal(e.text, "no room for 3");
}

static void one_that_dies_is_told(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(child_run(dies, NULL, 60000, &e), -ECHILD);
	assert_string_equal(e.text, "the child died (limit 60000 ms)");
}

static void one_that_takes_too_long_is_killed(void **state)
{
	struct err e;

	(void)state;
	hangs = 0;
	assert_int_equal(child_run(waits, NULL, 20, &e), -ETIME);
	assert_string_equal(e.text, "took longer than 20 ms and was killed");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);	/* and reaped */
}

static void one_that_does_not_even_die_is_left_behind(void **state)
{
	struct err e;

	(void)state;
	hangs = -1;
	const int64_t began = mono_now().ms;

	assert_int_equal(child_run(waits, NULL, 20, &e), -ETIME);
	assert_true(mono_now().ms - began < 30000);
	assert_true(hangs > 0);
	const pid_t left = hangs;

	hangs = 0;
	assert_int_equal(waitpid(left, NULL, WNOHANG), 0);	/* still there, to be reaped when it ends */
	kill(left, SIGKILL);
	assert_int_equal(waitpid(left, NULL, 0), left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_answer_is_ours),
		cmocka_unit_test(one_that_dies_is_told),
		cmocka_unit_test(one_that_takes_too_long_is_killed),
		cmocka_unit_test(one_that_does_not_even_die_is_left_behind),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
