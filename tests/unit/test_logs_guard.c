/* The guard of the logger, with calls that come back late or never. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/guard.h"
#include "init/base/fd.h"
#include "services/logs/logs.h"
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* In a process of its own, for that is what a hang ends. */
static int life(void (*what)(struct guard *g), int *said)
{
	int pair[2], status;
	char word = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	owned_fd ours = pair[0], its = pair[1];
	pid_t pid = fork();

	if (pid == 0) {
		static struct guard g;
		struct err e;

		if (guard_start(&g, its, 100, &e) < 0)
			_exit(9);
		what(&g);
		_exit(0);
	}
	fd_drop(&its);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*said = recv(ours, &word, 1, MSG_DONTWAIT) == 1 ? word : 0;
	return status;
}

static void busy(struct guard *g)
{
	for (int i = 0; i < 120; i++) {
		guard_begin(g);
		poll(NULL, 0, i % 40 ? 1 : 60);
		guard_end(g);
		if (i % 50 == 0)
			poll(NULL, 0, 250);	/* it falls asleep, and is woken */
	}
}

static void hanging(struct guard *g)
{
	busy(g);
	guard_begin(g);
	poll(NULL, 0, 60000);
}

static void a_call_that_does_not_come_back_ends_the_logger(void **state)
{
	int said, status = life(hanging, &said);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(said, *LOGGER_HUNG);
}

static void calls_that_come_back_do_not(void **state)
{
	int said, status = life(busy, &said);

	(void)state;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(said, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_does_not_come_back_ends_the_logger),
		cmocka_unit_test(calls_that_come_back_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
