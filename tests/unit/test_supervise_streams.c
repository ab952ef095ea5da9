/* When the first logger of a machine begins. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "services/spec/spec.h"
#include "services/supervise/streams.h"
#include "tests/unit/served.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MOST_MS 250

static void who_fills_his_pipe_at_boot_is_not_held_for_a_second(void **state)
{
	struct ledger_head *h;
	struct err e;

	(void)state;
	serve_rows((const struct made_svc[]){ { .name = "web" } }, 1);
	UNTIL(is_in("web", SVC_UP));
	/* As a machine would begin: no logger yet. */
	h = prior.ledger.head;
	fd_drop(&h->event_rd);
	fd_drop(&h->event_wr);
	h->mode = MODE_MACHINE;
	assert_int_equal(streams_begin(&prior, &e), 0);
	h->mode = MODE_UP;
	assert_true(prior.loop.due[prior.n + TIMER_LOGGER] > 0);
	assert_true(prior.loop.due[prior.n + TIMER_LOGGER] <= prior.loop.now.ms + MOST_MS);
	loop_timer_set(&prior.loop, prior.n + TIMER_LOGGER, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(who_fills_his_pipe_at_boot_is_not_held_for_a_second, serve_stop),
	};

	return cmocka_run_group_tests_name("supervise_streams", tests, NULL, NULL);
}
