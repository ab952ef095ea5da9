/* What follows from an end, as a table of cases. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/spec.h"
#include "services/supervise/policy.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* A row says only what is unusual about it. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* A simple service with the defaults that was up for a second and is wanted. */
#define USUAL .type = TYPE_SIMPLE, .restart = RESTART_ON_FAILURE, .wanted = true, .up_for_ms = 1000, .now_ms = 100000, \
	.max_restarts = 5, .restart_window_ms = 60000, .backoff_initial_ms = 100, .backoff_max_ms = 30000
#define EXITED(code) .exit_kind = EXIT_CODE, .exit_status = (code)
#define KILLED(sig) .exit_kind = EXIT_SIGNAL, .exit_status = (sig)
#define IN_WINDOW(n, last) .window_ms = 90000, .window_restarts = (n), .backoff_ms = (last)

static const struct {
	const char *what;
	struct policy_case c;
	enum svc_event verdict;
	uint32_t backoff_ms, window_restarts;
} cases[] = {
	{ "a failure is tried again", { USUAL, EXITED(1) }, EV_END_AGAIN, 100, 1 },
	{ "a crash is tried again", { USUAL, KILLED(SIGSEGV) }, EV_END_AGAIN, 100, 1 },
	{ "out of memory is tried again", { USUAL, .exit_kind = EXIT_OOM, .exit_status = 9 }, EV_END_AGAIN, 100, 1 },
	{ "not ready in time is tried again", { USUAL, .exit_kind = EXIT_TIMEOUT }, EV_END_AGAIN, 100, 1 },
	{ "a failed start is tried again", { USUAL, .exit_kind = EXIT_START_FAILED }, EV_END_AGAIN, 100, 1 },
	{ "what cannot be executed is not", { USUAL, .exit_kind = EXIT_START_FAILED, .missing = true },
	  EV_END_BAD, 0, 0 },
	{ "success is the end", { USUAL, EXITED(0) }, EV_END_DOWN, 0, 0 },
	{ "SIGTERM is a clean end", { USUAL, KILLED(SIGTERM) }, EV_END_DOWN, 0, 0 },
	{ "SIGKILL is not", { USUAL, KILLED(SIGKILL) }, EV_END_AGAIN, 100, 1 },
	{ "a lazy one that ends well listens again", { USUAL, EXITED(0), .lazy = true }, EV_END_LISTEN, 0, 0 },
	{ "but waits first when it left a connection where it was",
	  { USUAL, EXITED(0), .lazy = true, .unanswered = true }, EV_END_AGAIN, 100, 1 },
	{ "longer each time", { USUAL, EXITED(0), .lazy = true, .unanswered = true, IN_WINDOW(2, 200) },
	  EV_END_AGAIN, 400, 3 },
	{ "and is given up", { USUAL, EXITED(0), .lazy = true, .unanswered = true, IN_WINDOW(5, 1600) },
	  EV_END_BAD, 3200, 5 },
	{ "restart: no does not make that a storm",
	  { USUAL, EXITED(0), .lazy = true, .unanswered = true, .restart = RESTART_NO }, EV_END_AGAIN, 100, 1 },
	{ "an active one may leave what it likes", { USUAL, EXITED(0), .unanswered = true }, EV_END_DOWN, 0, 0 },
	{ "the backoff doubles", { USUAL, EXITED(1), IN_WINDOW(2, 200) }, EV_END_AGAIN, 400, 3 },
	{ "up to its bound", { USUAL, EXITED(1), IN_WINDOW(2, 20000) }, EV_END_AGAIN, 30000, 3 },
	{ "and stays there", { USUAL, EXITED(1), IN_WINDOW(2, 30000) }, EV_END_AGAIN, 30000, 3 },
	{ "a minute up, and it starts anew",
	  { USUAL, EXITED(1), IN_WINDOW(2, 6400), .up_for_ms = 60000 }, EV_END_AGAIN, 100, 3 },
	{ "the fifth restart is granted", { USUAL, EXITED(1), IN_WINDOW(4, 800) }, EV_END_AGAIN, 1600, 5 },
	{ "the sixth is not", { USUAL, EXITED(1), IN_WINDOW(5, 1600) }, EV_END_BAD, 3200, 5 },
	{ "in another window it is", { USUAL, EXITED(1), .window_ms = 40000, .window_restarts = 5, .backoff_ms = 1600 },
	  EV_END_AGAIN, 3200, 1 },
	{ "without a limit there is none", { USUAL, EXITED(1), IN_WINDOW(500, 100), .max_restarts = 0 },
	  EV_END_AGAIN, 200, 501 },
	{ "restart: no", { USUAL, EXITED(1), .restart = RESTART_NO }, EV_END_BAD, 0, 0 },
	{ "restart: no, and it ended well", { USUAL, EXITED(0), .restart = RESTART_NO }, EV_END_DOWN, 0, 0 },
	{ "restart: always", { USUAL, EXITED(0), .restart = RESTART_ALWAYS }, EV_END_AGAIN, 100, 1 },
	{ "restart: unless-stopped", { USUAL, EXITED(0), .restart = RESTART_UNLESS_STOPPED }, EV_END_AGAIN, 100, 1 },
	{ "stopped stays down", { USUAL, EXITED(1), .restart = RESTART_ALWAYS, .wanted = false }, EV_END_DOWN, 0, 0 },
	{ "a restart is a start", { USUAL, EXITED(0), .restart_asked = true }, EV_END_NOW, 0, 0 },
	{ "but not in a shutdown", { USUAL, EXITED(0), .restart_asked = true, .shutting_down = true },
	  EV_END_DOWN, 0, 0 },
	{ "nothing starts in a shutdown", { USUAL, EXITED(1), .shutting_down = true }, EV_END_DOWN, 0, 0 },
	{ "a oneshot that succeeds is done", { USUAL, EXITED(0), .type = TYPE_ONESHOT, .restart = RESTART_ALWAYS },
	  EV_END_DONE, 0, 0 },
	{ "a oneshot killed by SIGTERM did not",
	  { USUAL, KILLED(SIGTERM), .type = TYPE_ONESHOT, .restart = RESTART_NO }, EV_END_BAD, 0, 0 },
	{ "a oneshot may be tried again", { USUAL, EXITED(1), .type = TYPE_ONESHOT }, EV_END_AGAIN, 100, 1 },
};

static void every_case_has_the_verdict_of_its_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct policy_answer a = policy_after_end(&cases[i].c);

		if (a.verdict != cases[i].verdict || a.backoff_ms != cases[i].backoff_ms ||
		    a.window_restarts != cases[i].window_restarts)
			fail_msg("%s: %s, %u ms, %u restarts", cases[i].what, svc_event_name[a.verdict], a.backoff_ms,
				 a.window_restarts);
	}
}

/* Ten years of failing at once: never more than max_restarts in a window, never a wait above the bound. */
static void a_service_that_always_fails_is_given_up(void **state)
{
	struct policy_case c = { USUAL, EXITED(1) };
	unsigned restarts = 0;

	(void)state;
	for (;; restarts++) {
		struct policy_answer a = policy_after_end(&c);

		if (a.verdict == EV_END_BAD)
			break;
		assert_true(a.backoff_ms <= c.backoff_max_ms);
		c.backoff_ms = a.backoff_ms;
		c.window_ms = a.window_ms;
		c.window_restarts = a.window_restarts;
		c.now_ms += a.backoff_ms;
	}
	assert_int_equal(restarts, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_has_the_verdict_of_its_row),
		cmocka_unit_test(a_service_that_always_fails_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
