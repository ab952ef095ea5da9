/* A boot is a good one when all has been well for the whole time, and not when it happens to be. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include "services/supervise/good.h"
#include "tests/unit/served.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define LONG_MS 600000	/* no test is there when it is over: when it would be is what is looked at */

static int64_t due(void)
{
	return prior.loop.due[prior.n + TIMER_GOOD];
}

static void serve_machine(const struct made_svc *rows, unsigned n)
{
	made_good_after_ms = LONG_MS;
	serve_rows(rows, n);
	prior.ledger.head->mode = MODE_MACHINE;
	good_begin(&prior);
	prior.ledger.head->mode = MODE_UP;
	/* Whoever is to mark it is not: our own binary is this test. */
	fd_drop(&prior.ledger.head->exe_fd);
	assert_int_equal(prior.good, GOOD_COUNTS);
}

static void time_is_over(void)
{
	loop_timer_set(&prior.loop, prior.n + TIMER_GOOD, 1);
	UNTIL(prior.good != GOOD_COUNTS);
}

/* Each time between two of its ends it is up, and a look at that moment would say that all is well. */
static void a_service_that_ends_again_and_again_is_never_taken_for_well(void **state)
{
	int64_t was;

	(void)state;
	serve_machine((const struct made_svc[]){
		{ .name = "job", .sh = "exit 1", .restart = RESTART_ALWAYS, .backoff_ms = 50, .max_restarts = 3 },
		{ .name = "web" } }, 2);
	for (uint32_t i = 1; i <= 3; i++) {
		was = due();
		UNTIL(named("job")->restarts >= i);
		assert_true(due() > was || named("job")->restarts > i);
		assert_int_equal(prior.good, GOOD_COUNTS);
	}
	UNTIL(is_in("job", SVC_FAILED));
	time_is_over();
	assert_int_equal(prior.good, GOOD_WAITS);
	assert_int_equal(due(), 0);	/* as long as nothing changes nobody looks */
}

static void it_counts_again_when_who_was_ill_is_well(void **state)
{
	(void)state;
	serve_machine((const struct made_svc[]){
		{ .name = "job", .sh = "exit 1", .restart = RESTART_NO }, { .name = "web" } }, 2);
	UNTIL(is_in("job", SVC_FAILED) && is_in("web", SVC_UP));
	time_is_over();
	assert_int_equal(prior.good, GOOD_WAITS);
	svc_post(&prior, 0, EV_STOP);
	assert_true(is_in("job", SVC_DOWN));
	assert_int_equal(prior.good, GOOD_COUNTS);
	time_is_over();
	assert_int_equal(prior.good, GOOD_OFF);
}

static void what_cannot_be_kept_is_tried_again_and_not_for_ever(void **state)
{
	int64_t pause, was = 0;
	unsigned n = 0;

	(void)state;
	serve_machine((const struct made_svc[]){ { .name = "web" } }, 1);
	UNTIL(is_in("web", SVC_UP));
	for (;; n++) {	/* no one can be executed: each try fails */
		time_is_over();
		UNTIL(prior.good_tries > n);
		if (prior.good == GOOD_OFF)
			break;
		pause = due() - prior.loop.now.ms;
		assert_true(pause > was && pause <= 1280000);
		was = pause;
	}
	assert_int_equal(n, 7);
	assert_int_equal(due(), 0);
	svc_post(&prior, 0, EV_RESTART);	/* nobody is ill by that */
	assert_int_equal(prior.good, GOOD_OFF);
}

static void becomes(enum svc_health h)
{
	svc_of(&prior, 0)->health = (uint8_t)h;
	good_moved(&prior, 0);
}

/* The child that marks it runs, and has not done it; this is when it is tried again. */
static int64_t tried_again_after(bool ill)
{
	prior.good = GOOD_OFF;
	prior.good_tries = 0;
	if (ill) {
		becomes(HEALTH_BAD);
		becomes(HEALTH_GOOD);
	}
	good_ended(&prior, false);
	assert_int_equal(prior.good, GOOD_COUNTS);
	return due() - prior.loop.now.ms;
}

static void who_was_ill_while_it_was_kept_has_to_be_well_for_the_whole_time_again(void **state)
{
	(void)state;
	serve_machine((const struct made_svc[]){ { .name = "web" } }, 1);
	UNTIL(is_in("web", SVC_UP));
	assert_int_equal(tried_again_after(false), 10000);
	assert_int_equal(tried_again_after(true), LONG_MS);
	assert_int_equal(tried_again_after(false), 10000);
}

static void a_machine_that_ends_is_not_marked_any_more(void **state)
{
	(void)state;
	serve_machine((const struct made_svc[]){ { .name = "web" } }, 1);
	UNTIL(is_in("web", SVC_UP));
	prior.ledger.head->shutdown = SHUTDOWN_REBOOT;
	good_timer(&prior);
	prior.ledger.head->shutdown = SHUTDOWN_NONE;
	assert_int_equal(prior.good, GOOD_WAITS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_service_that_ends_again_and_again_is_never_taken_for_well, serve_stop),
		cmocka_unit_test_teardown(it_counts_again_when_who_was_ill_is_well, serve_stop),
		cmocka_unit_test_teardown(what_cannot_be_kept_is_tried_again_and_not_for_ever, serve_stop),
		cmocka_unit_test_teardown(who_was_ill_while_it_was_kept_has_to_be_well_for_the_whole_time_again,
					  serve_stop),
		cmocka_unit_test_teardown(a_machine_that_ends_is_not_marked_any_more, serve_stop),
	};

	return cmocka_run_group_tests_name("supervise_good", tests, NULL, NULL);
}
