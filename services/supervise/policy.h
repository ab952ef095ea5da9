/* What follows from an end: pure code from history to event. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/fsm.h"

#define GOOD_UPTIME_MS 60000	/* after this long up, the backoff starts anew */

struct policy_case {
	uint8_t type, restart;		/* enum svc_type, enum svc_restart */
	uint8_t exit_kind;		/* enum svc_exit_kind */
	int32_t exit_status;
	bool idle;			/* stopped for want of anything to do */
	bool lazy, wanted, restart_asked, missing, shutting_down;
	bool unanswered;		/* lazy: a connection waits at its sockets that it has not accepted */
	int64_t up_for_ms;		/* how long it was ready; 0: never */
	int64_t now_ms, window_ms;	/* window_ms: when the restart window began; 0: no restart yet */
	uint32_t window_restarts;	/* restarts in it */
	uint32_t max_restarts, restart_window_ms;
	uint32_t backoff_ms, backoff_initial_ms, backoff_max_ms; /* backoff_ms: the last one; 0: none */
};

struct policy_answer {
	enum svc_event verdict;		/* EV_END_* */
	uint32_t backoff_ms;		/* EV_END_AGAIN: wait this long */
	int64_t window_ms;
	uint32_t window_restarts;
};

/* Exit code 0; and, but for a oneshot, the signals that ask a process to end (systemd's meaning of a clean exit). */
bool policy_is_clean(uint8_t type, uint8_t exit_kind, int32_t exit_status);
struct policy_answer policy_after_end(const struct policy_case *c);
