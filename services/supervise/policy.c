/* Restart policy, backoff and start limits: see policy.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/policy.h"
#include "services/spec/spec.h"
#include <signal.h>

bool policy_is_clean(uint8_t type, uint8_t exit_kind, int32_t exit_status)
{
	if (exit_kind == EXIT_CODE)
		return exit_status == 0;
	if (exit_kind != EXIT_SIGNAL || type == TYPE_ONESHOT)
		return false;
	return exit_status == SIGHUP || exit_status == SIGINT || exit_status == SIGTERM || exit_status == SIGPIPE;
}

static bool wants_again(const struct policy_case *c, bool clean)
{
	switch ((enum svc_restart)c->restart) {
	case RESTART_NO:
		return false;
	case RESTART_ON_FAILURE:
		return !clean;
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	}
	return false;
}

/* A lazy one that ends well and leaves a connection where it is would be started by it again, at once and for ever: it
 * waits and is counted like one that fails. */
static bool starts_itself(const struct policy_case *c, bool clean)
{
	return clean && c->lazy && c->unanswered;
}

static uint32_t next_backoff(const struct policy_case *c)
{
	if (c->backoff_ms == 0 || c->up_for_ms >= GOOD_UPTIME_MS)
		return c->backoff_initial_ms;
	return c->backoff_ms > c->backoff_max_ms / 2 ? c->backoff_max_ms : 2 * c->backoff_ms;
}

/* One more restart, if the window has room. A window begins with its first restart. max_restarts 0: no limit. */
static struct policy_answer again(const struct policy_case *c)
{
	struct policy_answer a = { .verdict = EV_END_AGAIN, .backoff_ms = next_backoff(c),
				   .window_ms = c->window_ms, .window_restarts = c->window_restarts };

	if (a.window_ms == 0 || c->now_ms - a.window_ms >= c->restart_window_ms) {
		a.window_ms = c->now_ms;
		a.window_restarts = 0;
	}
	if (c->max_restarts && a.window_restarts >= c->max_restarts)
		a.verdict = EV_END_BAD;
	else
		a.window_restarts++;
	return a;
}

struct policy_answer policy_after_end(const struct policy_case *c)
{
	bool clean = policy_is_clean(c->type, c->exit_kind, c->exit_status);
	struct policy_answer a = { .window_ms = c->window_ms, .window_restarts = c->window_restarts };

	if (c->shutting_down)
		a.verdict = EV_END_DOWN;
	else if (c->restart_asked)
		a.verdict = EV_END_NOW;
	else if (!c->wanted)
		a.verdict = EV_END_DOWN;
	else if (c->idle)
		a.verdict = EV_END_LISTEN;
	else if (clean && c->type == TYPE_ONESHOT)
		a.verdict = EV_END_DONE;
	else if (c->missing)
		a.verdict = EV_END_BAD;
	else if (wants_again(c, clean) || starts_itself(c, clean))
		a = again(c);
	else if (!clean)
		a.verdict = EV_END_BAD;
	else
		a.verdict = c->lazy ? EV_END_LISTEN : EV_END_DOWN;
	return a;
}
