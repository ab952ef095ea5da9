/* The loop: sources, removal during a turn, timers in order. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/loop/loop.h"
#include "init/loop/timers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TIMERS 1000

static struct {
	struct loop loop;
	int pipes[8][2];
	uint32_t src[8], heard[8], last_events;
	uint32_t fired[TIMERS], nfired;
	int64_t last_due;
	uint32_t victim;	/* removed by the first source that hears something; 0: none */
	bool set_again;
	int signal_fd;
	unsigned signals;
} t;

static void on_timer(void *ctx, uint32_t timer)
{
	(void)ctx;
	t.fired[timer]++;
	t.nfired++;
	if (t.set_again)
		loop_timer_set(&t.loop, timer, t.loop.now.ms - 1);
}

static int setup(void **state)
{
	struct err e;

	(void)state;
	memset(&t, 0, sizeof t);
	for (int i = 0; i < 8; i++)
		if (pipe(t.pipes[i]) < 0)
			return -1;
	return loop_open(&t.loop, 8, TIMERS, NULL, on_timer, &e);
}

static int teardown(void **state)
{
	(void)state;
	loop_close(&t.loop);
	for (int i = 0; i < 8; i++) {
		fd_drop(&t.pipes[i][0]);
		fd_drop(&t.pipes[i][1]);
	}
	return 0;
}

static void on_pipe(void *ctx, uint32_t arg, uint32_t events)
{
	(void)ctx;
	t.heard[arg]++;
	t.last_events = events;
	if (t.victim) {
		uint32_t *gone = &t.src[arg == t.victim ? 0 : t.victim];

		t.victim = 0;
		loop_remove(&t.loop, gone);
	}
}

static void watch(int i)
{
	struct err e;
	int rc = loop_add(&t.loop, t.pipes[i][0], EPOLLIN, on_pipe, (uint32_t)i, &e);

	assert_true(rc > 0);
	t.src[i] = (uint32_t)rc;
}

static void say(int i)
{
	assert_int_equal(write(t.pipes[i][1], "x", 1), 1);
}

static void a_source_hears_what_happens_to_its_descriptor(void **state)
{
	(void)state;
	watch(0);
	watch(1);
	say(1);
	loop_turn(&t.loop);
	assert_int_equal(t.heard[0], 0);
	assert_int_equal(t.heard[1], 1);
	assert_true(t.last_events & EPOLLIN);
	assert_int_equal(t.loop.wakeups, 1);
}

static void a_source_removed_in_a_turn_hears_nothing_more_in_it(void **state)
{
	(void)state;
	watch(0);
	watch(1);
	say(0);
	say(1);
	t.victim = 1;	/* whichever is called first removes the other */
	loop_turn(&t.loop);
	assert_int_equal(t.heard[0] + t.heard[1], 1);
}

static void a_slot_is_reused_only_after_the_turn(void **state)
{
	struct err e;

	(void)state;
	for (int i = 0; i < 8; i++)
		watch(i);
	uint32_t was = t.src[3];

	loop_remove(&t.loop, &t.src[3]);
	assert_int_equal(t.src[3], 0);
	assert_int_equal(loop_add(&t.loop, t.pipes[3][0], EPOLLIN, on_pipe, 3, &e), -ENOSPC);
	say(0);
	loop_turn(&t.loop);
	assert_int_equal(loop_add(&t.loop, t.pipes[3][0], EPOLLIN, on_pipe, 3, &e), was);
}

static void no_handle_is_no_source(void **state)
{
	uint32_t none = 0;

	(void)state;
	loop_remove(&t.loop, &none);
	assert_int_equal(none, 0);
}

static void the_events_of_a_source_can_change(void **state)
{
	struct err e;

	(void)state;
	watch(0);
	assert_int_equal(loop_change(&t.loop, t.src[0], 0, &e), 0);
	say(0);
	t.loop.again = true;
	loop_turn(&t.loop);
	assert_int_equal(t.heard[0], 0);
	assert_int_equal(loop_change(&t.loop, t.src[0], EPOLLIN, &e), 0);
	loop_turn(&t.loop);
	assert_int_equal(t.heard[0], 1);
}

static void work_left_over_does_not_wait(void **state)
{
	(void)state;
	t.loop.again = true;
	loop_turn(&t.loop);	/* would hang: nothing is watched, no timer is set */
	assert_false(t.loop.again);
}

static void a_timer_fires_once_and_not_early(void **state)
{
	int64_t at = mono_now().ms + 20;

	(void)state;
	loop_timer_set(&t.loop, 7, at);
	while (!t.nfired)
		loop_turn(&t.loop);
	assert_true(t.loop.now.ms >= at);
	assert_int_equal(t.fired[7], 1);
	t.loop.again = true;
	loop_turn(&t.loop);
	assert_int_equal(t.nfired, 1);
}

static void a_cleared_timer_does_not_fire(void **state)
{
	(void)state;
	loop_timer_set(&t.loop, 1, 1);
	loop_timer_set(&t.loop, 2, 1);
	loop_timer_set(&t.loop, 1, 0);
	t.loop.again = true;
	loop_turn(&t.loop);
	assert_int_equal(t.fired[1], 0);
	assert_int_equal(t.fired[2], 1);
}

static void a_timer_that_sets_itself_to_the_past_lets_the_turn_end(void **state)
{
	(void)state;
	t.set_again = true;
	loop_timer_set(&t.loop, 1, 1);
	loop_turn(&t.loop);
	assert_int_equal(t.nfired, 1);
	loop_turn(&t.loop);
	assert_int_equal(t.nfired, 2);
}

static void in_order(void *ctx, uint32_t timer)
{
	(void)ctx;
	assert_true(t.loop.due[timer] == 0);
	t.nfired++;
}

/* Random settings, changes and clearings against a plain array: what is first is always the least. */
static void the_heap_agrees_with_a_plain_array(void **state)
{
	static int64_t plain[TIMERS];

	(void)state;
	srandom(7);
	memset(plain, 0, sizeof plain);
	for (int round = 0; round < 20000; round++) {
		uint32_t timer = (uint32_t)random() % TIMERS;
		int64_t at = random() % 4 ? random() % 100000 + 1 : 0;

		loop_timer_set(&t.loop, timer, at);
		plain[timer] = at;
		if (round % 50)
			continue;
		int64_t least = 0;

		for (int i = 0; i < TIMERS; i++)
			if (plain[i] && (!least || plain[i] < least))
				least = plain[i];
		assert_int_equal(timers_first(&t.loop), least);
	}
	t.loop.on_timer = in_order;
	uint32_t set = t.loop.nheap;

	for (int64_t last = 0; t.loop.nheap;) {
		int64_t first = timers_first(&t.loop);

		assert_true(first >= last);
		last = first;
		t.loop.now.ms = first;
		timers_fire(&t.loop);
	}
	assert_int_equal(t.nfired, set);
}

static void on_signal(void *ctx, uint32_t arg, uint32_t events)
{
	char info[128];

	(void)ctx, (void)arg, (void)events;
	assert_int_equal(read(t.signal_fd, info, sizeof info), 128);
	t.signals++;
}

static void signals_come_by_descriptor(void **state)
{
	sigset_t set;
	struct err e;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(loop_signals(&set, &t.signal_fd, &e), 0);
	assert_true(loop_add(&t.loop, t.signal_fd, EPOLLIN, on_signal, 0, &e) > 0);
	raise(SIGUSR1);
	loop_turn(&t.loop);
	assert_int_equal(t.signals, 1);
	fd_drop(&t.signal_fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_source_hears_what_happens_to_its_descriptor),
		TEST(a_source_removed_in_a_turn_hears_nothing_more_in_it),
		TEST(a_slot_is_reused_only_after_the_turn),
		TEST(no_handle_is_no_source),
		TEST(the_events_of_a_source_can_change),
		TEST(work_left_over_does_not_wait),
		TEST(a_timer_fires_once_and_not_early),
		TEST(a_cleared_timer_does_not_fire),
		TEST(a_timer_that_sets_itself_to_the_past_lets_the_turn_end),
		TEST(the_heap_agrees_with_a_plain_array),
		TEST(signals_come_by_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
