/* The life of a service: what each event does in each state is decided in one table, and nowhere else. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"
#include <stdio.h>

enum svc_event {
	EV_START,	/* a person wants it up */
	EV_PULL,	/* boot, or a service that needs it, wants it up */
	EV_LISTEN,	/* the same for a lazy one: its sockets are to be watched */
	EV_CONNECTION,	/* somebody waits at its socket */
	EV_DEPS_READY,	/* all it needs is there */
	EV_DEP_FAILED,	/* something it needs will not come */
	EV_RUNNING,	/* its exec has happened (and what the kernel says of it was compared) */
	EV_READY,	/* ready in the way its configuration asks for */
	EV_START_FAILED,/* it never ran */
	EV_EXITED,	/* its main process ended */
	EV_FORKED,	/* its first process ended well, as a forking one's should */
	EV_STOP,	/* it is to be down */
	EV_RESTART,	/* it is to stop and to start again */
	EV_UNWELL,	/* its watchdog or its health check says so; exit_kind says which */
	EV_HOOKED,	/* its hook has ended well, and nothing of that is left */
	EV_HOOK_FAILED,	/* or not well, which fails the start */
	EV_FREE,	/* nothing that needs it is left: it may be told to stop */
	EV_TIMEOUT,	/* its timer */
	EV_EMPTY,	/* no process of it is left */
	EV_END_NOW,	/* verdicts of policy.c on an end: start again at once, ... */
	EV_END_AGAIN,	/* ... after a while, ... */
	EV_END_LISTEN,	/* ... at the next connection; ... */
	EV_END_DOWN,	/* it is down, ... */
	EV_END_DONE,	/* ... it has done its one task, ... */
	EV_END_BAD,	/* ... it has failed */
	EV_UP,		/* ready, and its post_start hook is done */
	EV_GONE,	/* empty, and its post_stop hook is done */
	EV_CHECKED,	/* its conditions hold */
	EV_SKIPPED,	/* one of them does not */
	EV_IDLE,	/* it has had nothing to do for its idle_timeout */
	EV_REFUSED,	/* what it asks for cannot be had here */
	SVC_EVENTS
};
#define EV_NONE SVC_EVENTS	/* an action that has nothing more to say */

/* Inside LEDGER_WRITE of service i, whose state is the new one. Answers with the next event of the same service. */
typedef enum svc_event svc_action(struct prior *p, uint32_t i);

struct svc_move {
	enum { NEVER, STAY, GO } kind;	/* zero is NEVER: a pair nobody thought about is a bug we hear of */
	enum svc_state to;
	svc_action *act;
	const char *why;
};

const struct svc_move *svc_move(enum svc_state st, enum svc_event ev);
extern const char *const svc_event_name[SVC_EVENTS];

/*
 * The one door. The event is queued and, unless the queue is being worked off already (we are inside an action), it
 * and all that follows from it happen before svc_post() returns. A service has at most one of each event waiting.
 */
void svc_post(struct prior *p, uint32_t i, enum svc_event ev);

void svc_print_moves(FILE *to);	/* docs/STATES.md; in the control tool or a test, never in PID 1 */

/* want.c */
svc_action svc_wait, svc_wait_pulled, svc_listen, svc_bind, svc_dep_failed, svc_backoff, svc_rest, svc_ended, svc_done,
	svc_fail, svc_refuse;
/* start.c */
svc_action svc_spawn, svc_ran, svc_hooked, svc_ready, svc_up;
/* forked.c */
svc_action svc_forked;
void forked_builder_ended(struct prior *p, uint32_t i);	/* or a finder: look now, if that was waited for */
/* True: this end of the main process is what a forking service begins with. */
bool forked_is_meant(const struct prior *p, uint32_t i, uint8_t exit_kind, int status);
/* connections.c */
svc_action svc_accept;
/* idle.c */
svc_action svc_idle;
/* conditions.c */
svc_action svc_checked, svc_skip;
/* devices.c */
svc_action svc_no_device;
/* stop.c */
svc_action svc_stop, svc_restart, svc_again, svc_stay_down, svc_term, svc_kill, svc_too_late, svc_unwell, svc_sweep,
	svc_hook_failed, svc_signal, svc_empty, svc_judge;
