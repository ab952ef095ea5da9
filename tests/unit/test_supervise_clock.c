/* Services that the clock starts: when they are due, when they still run, when the clock is set. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "services/spec/spec.h"
#include "services/supervise/clock.h"
#include "services/supervise/fsm.h"
#include "tests/unit/served.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define ROWS(...) serve_rows((const struct made_svc[]){ __VA_ARGS__ }, \
	sizeof((struct made_svc[]){ __VA_ARGS__ }) / sizeof(struct made_svc))
#define HOUR 3600000

static void cron_is_not_started_at_boot_but_when_it_is_due(void **state)
{
	(void)state;
	ROWS({ .name = "job", .sh = "exit 0", .type = TYPE_ONESHOT, .cron = "* * * * * *" });
	assert_true(is_in("job", SVC_DOWN));
	int64_t next = named("job")->next_wall_ms;

	assert_true(next > wall_ms() - 1000 && next <= wall_ms() + 1000);
	assert_int_equal(next % 1000, 0);
	UNTIL(named("job")->starts == 2 && is_in("job", SVC_DONE));
	assert_true(wall_ms() >= next + 1000);
	assert_int_equal(prior.ledger.head->impossible, 0);
}

static void every_is_started_at_boot_and_counts_from_start_to_start(void **state)
{
	(void)state;
	const int64_t first = mono_now().ms;	/* not later: the test may be kept waiting between two lines */

	ROWS({ .name = "job", .sh = "exit 0", .type = TYPE_ONESHOT, .every_ms = 300 });
	UNTIL(named("job")->starts == 3);
	assert_true(mono_now().ms - first >= 600);
}

static void who_still_runs_is_not_started_again(void **state)
{
	(void)state;
	ROWS({ .name = "job", .every_ms = 100 });
	UNTIL(named("job")->overlaps == 3);
	assert_int_equal(named("job")->starts, 1);
}

static void who_was_stopped_by_somebody_is_left_alone(void **state)
{
	(void)state;
	ROWS({ .name = "job", .every_ms = 100 });
	UNTIL(is_in("job", SVC_UP));
	{
		LEDGER_WRITE(named("job"));
		named("job")->flags |= SVC_F_STOPPED_BY_USER;
	}
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("job", SVC_DOWN));
	int64_t next = named("job")->next_ms;

	UNTIL(named("job")->next_ms > next + 150);
	assert_int_equal(named("job")->starts, 1);
	svc_post(&prior, 0, EV_START);
	UNTIL(named("job")->starts == 2);
}

static void a_clock_that_is_set_forward_tells_what_it_jumped_over(void **state)
{
	(void)state;
	ROWS({ .name = "job", .sh = "exit 0", .type = TYPE_ONESHOT, .cron = "0 0 * * * *" });
	int64_t next = named("job")->next_wall_ms;

	clock_was_set(&prior, next + 3 * HOUR + 5000);
	assert_int_equal(named("job")->missed, 4);
	assert_int_equal(named("job")->starts, 0);
	assert_int_equal(named("job")->next_wall_ms, next + 4 * HOUR);
	/* A step of some seconds makes it late, no more. */
	clock_was_set(&prior, next + 4 * HOUR + 5000);
	assert_int_equal(named("job")->missed, 4);
	UNTIL(named("job")->starts == 1);
	assert_int_equal(named("job")->next_wall_ms, next + 5 * HOUR);
}

static void a_clock_that_is_set_back_plans_anew(void **state)
{
	(void)state;
	ROWS({ .name = "job", .sh = "exit 0", .type = TYPE_ONESHOT, .cron = "0 0 * * * *" });
	int64_t next = named("job")->next_wall_ms;

	clock_was_set(&prior, next - 10 * HOUR - 1000);
	assert_int_equal(named("job")->next_wall_ms, next - 10 * HOUR);
	assert_true(named("job")->next_ms - mono_now().ms <= 1000);
	assert_int_equal(named("job")->missed, 0);
}

static void a_plan_survives_an_exec(void **state)
{
	(void)state;
	ROWS({ .name = "job", .sh = "exit 0", .type = TYPE_ONESHOT, .cron = "0 0 * * * *" },
	     { .name = "tick", .sh = "exit 0", .type = TYPE_ONESHOT, .every_ms = 200 });
	int64_t next = named("job")->next_wall_ms;

	come_back(SIGSEGV);
	assert_int_equal(named("job")->next_wall_ms, next);
	assert_true(prior.clock_src > 0);
	UNTIL(named("tick")->starts == 3);
}

static void without_a_time_of_day_nobody_watches_the_clock(void **state)
{
	(void)state;
	ROWS({ .name = "job", .every_ms = 10000 });
	assert_int_equal(prior.clock_src, 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, serve_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cron_is_not_started_at_boot_but_when_it_is_due),
		TEST(every_is_started_at_boot_and_counts_from_start_to_start),
		TEST(who_still_runs_is_not_started_again),
		TEST(who_was_stopped_by_somebody_is_left_alone),
		TEST(a_clock_that_is_set_forward_tells_what_it_jumped_over),
		TEST(a_clock_that_is_set_back_plans_anew),
		TEST(a_plan_survives_an_exec),
		TEST(without_a_time_of_day_nobody_watches_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
