/* The spawner's life as PID 1 sees it: what it holds back is found out, and it ends when idle. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "services/spec/spec.h"
#include "services/supervise/spawning.h"
#include "services/supervise/start.h"
#include "tests/unit/served.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* Between a service's exec and the spawner's return; the sending end of the report is ours instead. */
static void an_end_that_only_the_spawner_holds_back_is_told(void **state)
{
	struct ledger_svc *s;
	int pair[2];
	struct err e;

	(void)state;
	serve_rows((const struct made_svc[]){ { .name = "web" } }, 1);
	UNTIL(is_in("web", SVC_UP));
	s = svc_of(&prior, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	ledger_open_svc(s);
	s->report_fd = pair[0];
	s->flags &= ~SVC_F_RAN;
	ledger_seal_svc(s);
	assert_int_equal(start_watch_report(&prior, 0, &e), 0);
	kill(s->pid, SIGKILL);
	UNTIL(prior.run[0].early.pid == s->pid);
	assert_int_equal(prior.nasked, 1);
	const pid_t stuck = prior.ledger.head->spawner_pid;

	assert_true(stuck > 0);
	assert_int_equal(kill(stuck, SIGSTOP), 0);
	/* It is looked at three seconds after the last word of it, by the loop's own timer. */
	const int64_t due = prior.loop.due[prior.n + TIMER_SPAWNER];

	assert_true(due > 0 && due <= prior.loop.now.ms + 3000);
	prior.spawner_heard_ms -= 3000;
	loop_timer_set(&prior.loop, prior.n + TIMER_SPAWNER, mono_now().ms);
	UNTIL(prior.ledger.head->spawner_pid > 0 && prior.ledger.head->spawner_pid != stuck);
	close(pair[1]);
	UNTIL(prior.nasked == 0 && named("web")->pid == 0);
	assert_int_equal(named("web")->exit_kind, EXIT_SIGNAL);
	assert_int_equal(named("web")->exit_status, SIGKILL);
}

/* Nothing starts for a while: it ends, and is there again with the next start. */
static void one_without_work_ends_until_the_next_start(void **state)
{
	(void)state;
	serve_rows((const struct made_svc[]){ { .name = "web", .restart = RESTART_ALWAYS } }, 1);
	UNTIL(is_in("web", SVC_UP) && prior.nasked == 0);
	const pid_t first = named("web")->pid;
	const int64_t since = prior.spawner_since_ms;

	if (!prior.spawner_rests)	/* else this machine is so slow that it has happened */
		loop_timer_set(&prior.loop, prior.n + TIMER_SPAWNER, mono_now().ms);
	UNTIL(prior.spawner_rests);
	assert_int_equal(prior.ledger.head->spawner_pid, 0);
	kill(first, SIGKILL);
	UNTIL(is_in("web", SVC_UP) && named("web")->pid != first);
	assert_true(prior.spawner_since_ms > since);
	assert_false(heard("spawner-"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_end_that_only_the_spawner_holds_back_is_told, serve_stop),
		cmocka_unit_test_teardown(one_without_work_ends_until_the_next_start, serve_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
