/* Hooks and health checks with real processes: their order, what their failure means, what is said of it. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include "tests/unit/served.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define ROWS(...) serve_rows((const struct made_svc[]){ __VA_ARGS__ }, \
	sizeof((struct made_svc[]){ __VA_ARGS__ }) / sizeof(struct made_svc))
#define CHECKED(ms) .care = { .check_kind = HEALTH_BY_EXEC, .interval_ms = (ms), .timeout_ms = 30000, .retries = 2 }

static char at[64], command[8][256];

/* A command that adds its name to the file of what happened, and then does more. */
static const char *note(unsigned slot, const char *name, const char *more)
{
	snprintf(command[slot], sizeof command[slot], "echo %s >>%s; %s", name, at, more);
	return command[slot];
}

static int setup(void **state)
{
	(void)state;
	snprintf(at, sizeof at, "/tmp/prior-hooks-%d", (int)getpid());
	unlink(at);
	return 0;
}

static int teardown(void **state)
{
	unlink(at);
	return serve_stop(state);
}

static void a_life_with_every_hook_is_in_order(void **state)
{
	(void)state;
	/* The service and its post_start run side by side: that one waits for this one's word. */
	snprintf(command[2], sizeof command[2],
		 "until grep -q main %s; do sleep 0.01; done; echo post_start:$MAINPID >>%s", at, at);
	ROWS({ "web", .sh = note(0, "main", "trap 'exit 0' TERM; while :; do sleep 0.01; done"),
	       .run = { [CARE_PRE_START] = note(1, "pre_start", ":"),
			[CARE_POST_START] = command[2],
			[CARE_PRE_STOP] = note(3, "pre_stop", ":"),
			[CARE_POST_STOP] = note(4, "post_stop:$SERVICE_RESULT:$EXIT_CODE:$EXIT_STATUS", ":") } });
	UNTIL(is_in("web", SVC_UP));
	char want[160];
	const int pid = named("web")->pid;

	assert_int_equal(named("web")->hook, 0);
	snprintf(want, sizeof want, "pre_start\nmain\npost_start:%d\n", pid);
	assert_string_equal(read_file(at), want);
	UNTIL(traps("web", SIGTERM));
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("web", SVC_DOWN));
	strcat(want, "pre_stop\npost_stop:success:exited:0\n");
	assert_string_equal(read_file(at), want);
	assert_int_equal(named("web")->exit_kind, EXIT_CODE);
	assert_int_equal(prior.ledger.head->impossible, 0);
}

static void a_start_waits_for_its_hook_and_fails_with_it(void **state)
{
	(void)state;
	ROWS({ "user", .deps = { { "web", DEP_REQUIRES, 0 } } },
	     { "web", .sh = note(0, "main", "exec sleep 1000"),
	       .run = { [CARE_PRE_START] = note(1, "hook", "exit 3") } });
	UNTIL(is_in("web", SVC_FAILED));
	assert_string_equal(named("web")->why, "its pre_start hook exited with code 3");
	assert_int_equal(named("web")->exit_kind, EXIT_START_FAILED);
	assert_string_equal(read_file(at), "hook\n");
	UNTIL(is_in("user", SVC_FAILED));
	assert_int_equal(prior.live, 0);
}

static void a_hook_that_hangs_is_ended(void **state)
{
	(void)state;
	ROWS({ "post", .start_ms = 150, .run = { [CARE_POST_START] = "sleep 1000" } },
	     { "pre", .start_ms = 150, .run = { [CARE_PRE_START] = "sleep 1000" } },
	     { "stop", .stop_ms = 100, .run = { [CARE_PRE_STOP] = "sleep 1000", [CARE_POST_STOP] = "sleep 1000" } });
	UNTIL(is_in("pre", SVC_FAILED) && is_in("post", SVC_FAILED));
	assert_string_equal(named("pre")->why, "its pre_start hook did not end within 150ms");
	assert_non_null(strstr(named("post")->why, "its post_start hook"));
	UNTIL(is_in("stop", SVC_UP));
	svc_post(&prior, 2, EV_STOP);
	UNTIL(is_in("stop", SVC_DOWN));
	assert_int_equal(named("stop")->exit_status, SIGTERM);
	assert_int_equal(named("stop")->hook, 0);
}

static void a_failed_post_start_hook_stops_what_it_was_for(void **state)
{
	(void)state;
	ROWS({ "web", .run = { [CARE_POST_START] = "exit 1" } });
	UNTIL(is_in("web", SVC_FAILED));
	assert_string_equal(named("web")->why, "its post_start hook exited with code 1");
	assert_int_equal(named("web")->pid, 0);
	assert_int_equal(named("web")->ready_us, 0);
}

static void a_stop_in_the_middle_of_a_hook_ends_that(void **state)
{
	(void)state;
	ROWS({ "web", .run = { [CARE_PRE_START] = "sleep 1000" } });
	UNTIL(named("web")->hook > 0);
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("web", SVC_DOWN));
	assert_int_equal(named("web")->hook, 0);
	assert_int_equal(prior.live, 0);
}

static void a_restart_runs_the_hooks_again(void **state)
{
	(void)state;
	ROWS({ "web", .sh = "exit 1", .restart = RESTART_ON_FAILURE, .backoff_ms = 5, .max_restarts = 2,
	       .run = { [CARE_PRE_START] = note(0, "pre", ":"),
			[CARE_POST_STOP] = note(1, "post:$EXIT_STATUS", ":") } });
	UNTIL(is_in("web", SVC_FAILED));
	assert_string_equal(read_file(at), "pre\npost:1\npre\npost:1\npre\npost:1\n");
}

static void one_that_is_up_is_not_healthy_yet(void **state)
{
	(void)state;
	ROWS({ "user", .deps = { { "web", DEP_REQUIRES, COND_HEALTHY } } },
	     { "web", CHECKED(60000), .run = { [CARE_TEST] = "exit 1" } });
	UNTIL(is_in("web", SVC_UP));
	assert_int_equal(named("web")->health, HEALTH_STARTING);
	assert_true(is_in("user", SVC_WAITING));
}

static void a_check_that_succeeds_lets_dependents_start(void **state)
{
	(void)state;
	ROWS({ "user", .deps = { { "web", DEP_REQUIRES, COND_HEALTHY } } },
	     { "web", CHECKED(100), .ready = READY_HEALTHCHECK, .run = { [CARE_TEST] = "exit 0" } });
	assert_true(is_in("user", SVC_WAITING));
	UNTIL(is_in("web", SVC_UP));
	assert_int_equal(named("web")->health, HEALTH_GOOD);
	UNTIL(is_in("user", SVC_UP));
}

static void one_that_becomes_unhealthy_is_restarted(void **state)
{
	char test[200];

	(void)state;
	snprintf(test, sizeof test, "test ! -e %s", at);
	ROWS({ "web", CHECKED(30), .restart = RESTART_ON_FAILURE, .backoff_ms = 60000, .run = { [CARE_TEST] = test } });
	UNTIL(is_in("web", SVC_UP) && named("web")->health == HEALTH_GOOD);
	note(0, "x", ":");
	assert_int_equal(system(command[0]), 0);
	UNTIL(is_in("web", SVC_BACKOFF));
	assert_int_equal(named("web")->exit_kind, EXIT_UNHEALTHY);
	assert_string_equal(named("web")->why, "its health check failed 2 times in a row");
	assert_int_equal(named("web")->health, HEALTH_NONE);
}

static void one_that_is_not_to_be_restarted_is_only_said_to_be_unhealthy(void **state)
{
	(void)state;
	ROWS({ "web", CHECKED(20), .run = { [CARE_TEST] = "exit 1" } });
	UNTIL(is_in("web", SVC_UP) && named("web")->health == HEALTH_BAD);
	for (int i = 0; i < 5; i++)
		served_turn();
	assert_true(is_in("web", SVC_UP));
}

static void a_check_that_hangs_has_failed(void **state)
{
	(void)state;
	ROWS({ "web", .care = { .check_kind = HEALTH_BY_EXEC, .interval_ms = 20, .timeout_ms = 30, .retries = 1 },
	       .run = { [CARE_TEST] = "sleep 1000" } });
	UNTIL(named("web")->health == HEALTH_BAD);
}

static void failures_in_the_start_period_do_not_count(void **state)
{
	(void)state;
	ROWS({ "web", .care = { .check_kind = HEALTH_BY_EXEC, .interval_ms = 10, .timeout_ms = 30000, .retries = 1,
				.start_period_ms = 400 },
	       .run = { [CARE_TEST] = "exit 1" } });
	UNTIL(is_in("web", SVC_UP));
	for (int64_t end = named("web")->since_ms + 300; mono_now().ms < end;)
		served_turn();
	const uint32_t health = named("web")->health;

	if (mono_now().ms < named("web")->since_ms + 400)	/* else the test was kept waiting */
		assert_int_equal(health, HEALTH_STARTING);
	UNTIL(named("web")->health == HEALTH_BAD);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_life_with_every_hook_is_in_order), T(a_start_waits_for_its_hook_and_fails_with_it),
		T(a_hook_that_hangs_is_ended), T(a_failed_post_start_hook_stops_what_it_was_for),
		T(a_stop_in_the_middle_of_a_hook_ends_that), T(a_restart_runs_the_hooks_again),
		T(one_that_is_up_is_not_healthy_yet), T(a_check_that_succeeds_lets_dependents_start),
		T(one_that_becomes_unhealthy_is_restarted),
		T(one_that_is_not_to_be_restarted_is_only_said_to_be_unhealthy), T(a_check_that_hangs_has_failed),
		T(failures_in_the_start_period_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
